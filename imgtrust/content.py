"""What an image is made of: descriptors, manifests, indexes and configs, beside their raw bytes. Pure.

Knows the OCI image-spec 1.1 and docker's schema 2; knows nothing of where bytes lie or who signed them.
Digests are always computed over the raw bytes, never over something written anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import ContentMalformed, InvalidDigest
from imgtrust.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CONFIG_TYPES",
    "DOCKER_CONFIG",
    "DOCKER_LIST",
    "DOCKER_MANIFEST",
    "EMPTY_BLOB",
    "INDEX_TYPES",
    "MANIFEST_TYPES",
    "MAX_CHILDREN",
    "MAX_LAYERS",
    "MAX_MANIFEST_BYTES",
    "OCI_CONFIG",
    "OCI_EMPTY",
    "OCI_INDEX",
    "OCI_MANIFEST",
    "Descriptor",
    "ImageConfig",
    "Index",
    "Manifest",
    "Platform",
    "describe",
    "parse_config",
    "parse_descriptor",
    "parse_manifest",
]

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST}) | INDEX_TYPES
CONFIG_TYPES: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})

EMPTY_BLOB: Final = b"{}"
"""The content of the empty descriptor (image-spec, "Guidance for an Empty Descriptor")."""

MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
"""The largest manifest that is read: what distribution-spec obliges registries to store."""
MAX_CHILDREN: Final = 1_000
"""The most entries of an index that is judged or copied as an image."""
MAX_LAYERS: Final = 1_000
"""The most layers of a manifest."""
_MAX_SIZE: Final = 1 << 50
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform of a child of an index (image-spec, image-index.md)."""

    os: str
    architecture: str
    variant: str | None = None

    def __str__(self) -> str:
        """``os/architecture[/variant]``, as in ``linux/arm64/v8``."""
        variant = "" if self.variant is None else f"/{self.variant}"
        return f"{self.os}/{self.architecture}{variant}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What content is expected: media type, digest and size in bytes (image-spec, descriptor.md)."""

    media_type: str
    digest: Digest
    size: int
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    platform: Platform | None = None

    def annotation(self, name: str) -> str | None:
        """The value of an annotation, or None."""
        return dict(self.annotations).get(name)

    @property
    def is_manifest(self) -> bool:
        """Whether this names a manifest or an index, which stores keep apart from blobs."""
        return self.media_type in MANIFEST_TYPES

    def to_json(self) -> dict[str, Any]:
        """The JSON object of image-spec, members in the order that Go's tools write."""
        document: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        if self.platform is not None:
            document["platform"] = {"architecture": self.platform.architecture, "os": self.platform.os}
            if self.platform.variant is not None:
                document["platform"]["variant"] = self.platform.variant
        if self.artifact_type is not None:
            document["artifactType"] = self.artifact_type
        return document


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image or artifact manifest, with the bytes that it was read from."""

    raw: bytes = field(repr=False)
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """An image index or docker manifest list, with the bytes that it was read from."""

    raw: bytes = field(repr=False)
    media_type: str
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The part of an image's config that imgtrust reads (image-spec, config.md). ``created`` is only a claim."""

    raw: bytes = field(repr=False)
    os: str
    architecture: str
    variant: str | None
    created: str | None
    user: str


def describe(data: bytes, media_type: str, *, artifact_type: str | None = None) -> Descriptor:
    """The descriptor of bytes at hand, by sha256."""
    return Descriptor(media_type, Digest.of(data), len(data), artifact_type)


def parse_descriptor(document: object, what: str) -> Descriptor:
    """Read one descriptor from parsed JSON; ``what`` names it in messages.

    Raises:
        ContentMalformed: a member is absent, of the wrong type or out of range.
    """
    members = _object(document, what)
    media_type = _text(members, "mediaType", what)
    if not media_type:
        raise _malformed(what, "mediaType is absent or empty")
    size = members.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MAX_SIZE:
        raise _malformed(what, f"size is {str(size)[:_SHOWN]}, expected a number of bytes >= 0")
    try:
        digest = Digest.parse(_text(members, "digest", what) or "")
    except InvalidDigest as exc:
        raise _malformed(what, str(exc)) from exc
    return Descriptor(
        media_type,
        digest,
        size,
        _text(members, "artifactType", what),
        _annotations(members, what),
        _platform(members.get("platform"), what),
    )


def parse_manifest(raw: bytes, media_type: str, what: str = "manifest") -> Manifest | Index:
    """Read a manifest or index whose descriptor (or Content-Type) says ``media_type``.

    Raises:
        ContentMalformed: not JSON with one reading, not of that media type, ambiguous (``layers`` and
            ``manifests``), or more than the limits of this module.
    """
    if len(raw) > MAX_MANIFEST_BYTES:
        raise _malformed(what, f"{len(raw)} bytes, expected at most {MAX_MANIFEST_BYTES}")
    members = _object(_json(raw, what), what)
    if members.get("schemaVersion") != 2 or isinstance(members.get("schemaVersion"), bool):  # noqa: PLR2004 - spec
        raise _malformed(what, f"schemaVersion is {str(members.get('schemaVersion'))[:_SHOWN]}, expected 2")
    if media_type not in MANIFEST_TYPES:
        raise _malformed(what, f"media type {media_type[:_SHOWN]!r} is not that of a manifest or index")
    inside = _text(members, "mediaType", what)
    if inside is None and media_type in {DOCKER_MANIFEST, DOCKER_LIST}:
        raise _malformed(what, f"mediaType is absent, {media_type} was promised")
    if inside is not None and inside != media_type:
        raise _malformed(what, f"mediaType is {inside[:_SHOWN]!r}, {media_type} was promised")
    is_index = media_type in INDEX_TYPES
    foreign = ("layers", "config") if is_index else ("manifests",)
    for name in foreign:
        if name in members:
            raise _malformed(what, f"{media_type} with {name!r}: it could be read as a manifest and as an index")
    subject = members.get("subject")
    common = (
        None if subject is None else parse_descriptor(subject, f"subject of {what}"),
        _text(members, "artifactType", what),
        _annotations(members, what),
    )
    if is_index:
        return Index(raw, media_type, _descriptors(members, "manifests", MAX_CHILDREN, what), *common)
    config = parse_descriptor(members.get("config"), f"config of {what}")
    return Manifest(raw, media_type, config, _descriptors(members, "layers", MAX_LAYERS, what), *common)


def parse_config(raw: bytes, what: str = "config") -> ImageConfig:
    """Read an image config.

    Raises:
        ContentMalformed: not JSON with one reading, or a member of the wrong type.
    """
    members = _object(_json(raw, what), what)
    inner = members.get("config")
    return ImageConfig(
        raw,
        _text(members, "os", what) or "",
        _text(members, "architecture", what) or "",
        _text(members, "variant", what),
        _text(members, "created", what),
        "" if inner is None else _text(_object(inner, what), "User", what) or "",
    )


def _malformed(what: str, fault: str) -> ContentMalformed:
    return ContentMalformed(f"{what}: {fault}")


def _json(raw: bytes, what: str) -> object:
    try:
        document: object = strict_json.loads(raw)
    except strict_json.StrictJsonError as exc:
        raise _malformed(what, str(exc)) from exc
    return document


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _malformed(what, f"expected a JSON object, found {type(value).__name__}")
    return value


def _text(members: Mapping[str, object], name: str, what: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise _malformed(what, f"{name} is a {type(value).__name__}, expected a string")
    return value


def _annotations(members: Mapping[str, object], what: str) -> tuple[tuple[str, str], ...]:
    value = members.get("annotations")
    if value is None:
        return ()
    pairs = _object(value, f"annotations of {what}")
    return tuple((name, _text(pairs, name, what) or "") for name in pairs)


def _platform(value: object, what: str) -> Platform | None:
    if value is None:
        return None
    members = _object(value, f"platform of {what}")
    os, architecture = _text(members, "os", what), _text(members, "architecture", what)
    return Platform(os or "unknown", architecture or "unknown", _text(members, "variant", what) or None)


def _descriptors(members: Mapping[str, object], name: str, limit: int, what: str) -> tuple[Descriptor, ...]:
    value = members.get(name)
    if value is None:  # Go writes null for an empty list (seen from ociregistry).
        value = []
    if not isinstance(value, list):
        raise _malformed(what, f"{name} is a {type(value).__name__}, expected a list")
    if len(value) > limit:
        raise _malformed(what, f"{len(value)} {name}, expected at most {limit}")
    return tuple(parse_descriptor(item, f"{name}[{n}] of {what}") for n, item in enumerate(value))
