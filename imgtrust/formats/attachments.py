"""The names and shapes of manifests that are attached to an image. Pure.

Knows the tags and manifests of cosign.md 1a and 1b and of OCI image-spec 1.1; knows nothing of how they are fetched
or of what the signatures in them say. A manifest is judged by the types of its layers and config: an index entry or an
artifact type is only a hint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.content import (
    CONFIG_TYPES,
    EMPTY_BLOB,
    MAX_LAYERS,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    describe,
)
from imgtrust.errors import LimitExceeded, Refused
from imgtrust.evidence import Format
from imgtrust.formats.known import format_of
from imgtrust.formats.mediatypes import (
    BUNDLE_TYPE,
    IN_TOTO_LAYER,
    NOTARY_ARTIFACT,
    SBOM_TYPES,
    SIGNATURE_ARTIFACT,
)
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BUNDLE_TYPE",
    "CREATED",
    "TITLE",
    "Attachment",
    "Suffix",
    "artifact_attachment",
    "attached_to",
    "bundle_attachment",
    "candidates",
    "claim_of",
    "fallback_tag",
    "is_attachment_tag",
    "legacy_attachment",
    "legacy_tag",
]

CREATED: Final = "org.opencontainers.image.created"
TITLE: Final = "org.opencontainers.image.title"
_CONTENT: Final = "dev.sigstore.bundle.content"
_PREDICATE_TYPE: Final = "dev.sigstore.bundle.predicateType"
_BUILDKIT_PREDICATE: Final = "in-toto.io/predicate-type"

_NEVER: Final = "0001-01-01T00:00:00Z"
"""The date in the config of cosign's legacy manifests: Go's zero time (cosign.md 1a)."""

_ATTACHMENT_TAG: Final = re.compile(r"(?:(sha256)-([0-9a-f]{64})|sha512-[0-9a-f]{64})(?:\.(?:sig|att|sbom))?")
_NOTARY_SHAPES: Final = ((NOTARY_ARTIFACT, OCI_EMPTY), (None, NOTARY_ARTIFACT))
_SHOWN: Final = 100


class Suffix(StrEnum):
    """What a legacy tag of cosign holds (cosign.md 1a)."""

    SIG = "sig"
    ATT = "att"
    SBOM = "sbom"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A manifest that is ready to be pushed, with its descriptor and the blobs that have to be there before it."""

    manifest: bytes = field(repr=False)
    descriptor: Descriptor
    blobs: tuple[tuple[Descriptor, bytes], ...] = field(repr=False)


def legacy_tag(subject: Digest, suffix: Suffix) -> str:
    """``sha256-<hex>.sig``: cosign's tag. For a sha512 digest it is longer than a tag may be, so none can exist."""
    return f"{subject.algorithm}-{subject.encoded}.{suffix}"


def fallback_tag(subject: Digest) -> str:
    """``sha256-<hex>``: the tag of distribution-spec 1.1, "Referrers tag schema", with its truncation."""
    return f"{subject.algorithm[:32]}-{subject.encoded[:64]}"


def attached_to(tag: str) -> Digest | None:
    """The digest that a legacy or fallback tag is about; None for a tag that names an image.

    A fallback tag of a sha512 digest is truncated: it is no image's tag, and its digest cannot be told from it. Ask
    ``is_attachment_tag`` whether a tag names an image.
    """
    match = _ATTACHMENT_TAG.fullmatch(tag)
    if match is None or match[1] is None:
        return None
    return Digest(match[1], match[2])


def is_attachment_tag(tag: str) -> bool:
    """Whether a tag has the form of a legacy or fallback tag, so that no image is expected under it."""
    return _ATTACHMENT_TAG.fullmatch(tag) is not None


def candidates(manifest: Manifest | Index, *, legacy: bool) -> tuple[Descriptor, ...]:
    """The layers that claim to be signatures; none for a claim, an unknown artifact or an index.

    ``legacy``: the manifest stands under a ``.sig`` or ``.att`` tag, where each layer is one signature and strangers
    among them are passed over. A referrer holds exactly one signature, but for cosign's experimental variant of the
    legacy manifest, which is a ``.sig`` manifest with a subject.

    Raises:
        Refused: MANIFEST_LAYERS, a referrer has more layers than its format, or claims to be a signature and has none;
            MANIFEST_MALFORMED, it has neither of the two shapes of Notary's manifests.
    """
    if isinstance(manifest, Index):
        return ()
    known = tuple(layer for layer in manifest.layers if format_of(layer.media_type) is not Format.UNKNOWN)
    if legacy:
        return tuple(layer for layer in known if format_of(layer.media_type) is Format.SIMPLESIGNING)
    if not known:
        if _claims_signature(manifest):
            message = f"a referrer of type {_type_of(manifest)[:_SHOWN]} without a layer of that type"
            raise Refused(RefusalCode.MANIFEST_LAYERS, message)
        return ()
    many = all(format_of(layer.media_type) is Format.SIMPLESIGNING for layer in manifest.layers)
    if len(manifest.layers) != 1 and not many:
        kind = format_of(known[0].media_type)
        message = f"a {kind} referrer has exactly one layer, this one has {len(manifest.layers)}"
        raise Refused(RefusalCode.MANIFEST_LAYERS, message)
    if format_of(known[0].media_type) in {Format.NOTARY_JWS, Format.NOTARY_COSE}:
        _check_notary(manifest)
    return known


def claim_of(manifest: Manifest | Index) -> tuple[str, str] | None:
    """Artifact type and description of something that is attached without a signature.

    None for an image, an index without artifact type, and a manifest whose layers claim to be signatures.
    """
    kind = _type_of(manifest)
    if isinstance(manifest, Index):
        return (kind, f"an index of {len(manifest.manifests)} manifests") if kind else None
    types = [layer.media_type for layer in manifest.layers]
    if any(format_of(name) is not Format.UNKNOWN for name in types):
        return None
    for name in types:
        if name in SBOM_TYPES:
            return kind or name, f"SBOM, {SBOM_TYPES[name]}"
    if types and all(name == IN_TOTO_LAYER for name in types):
        predicates = sorted({layer.annotation(_BUILDKIT_PREDICATE) or "unknown" for layer in manifest.layers})
        return kind or IN_TOTO_LAYER, f"statements that nobody signed: {', '.join(predicates)}"
    if not kind:
        return None
    titles = [title for layer in manifest.layers if (title := layer.annotation(TITLE))]
    return kind, ", ".join(titles) or ("1 layer" if len(types) == 1 else f"{len(types)} layers")


def bundle_attachment(
    subject: Descriptor, bundle: bytes, *, predicate_type: str | None, content: str, created: datetime
) -> Attachment:
    """The referrer of a Sigstore bundle, member for member as cosign writes it (cosign.md 1b).

    ``content``: ``dsse-envelope`` or ``message-signature``; ``created``: aware, written in UTC, a claim.
    """
    config = describe(EMPTY_BLOB, OCI_EMPTY, artifact_type=BUNDLE_TYPE)
    annotations = {CREATED: _rfc3339(created), _CONTENT: content}
    if predicate_type is not None:
        annotations[_PREDICATE_TYPE] = predicate_type
    layer = describe(bundle, BUNDLE_TYPE)
    return _referrer(subject, BUNDLE_TYPE, config, ((layer, bundle),), annotations)


def artifact_attachment(
    subject: Descriptor,
    artifact_type: str,
    layers: Sequence[tuple[Descriptor, bytes]],
    *,
    annotations: Mapping[str, str],
    created: datetime,
) -> Attachment:
    """A referrer of any type with an empty config (image-spec, "Guidelines for Artifact Usage").

    Without layers the empty blob stands in, as the specification asks. An annotation for ``created`` wins.
    """
    empty = describe(EMPTY_BLOB, OCI_EMPTY)
    own = {CREATED: _rfc3339(created), **annotations}
    return _referrer(subject, artifact_type, empty, tuple(layers) or ((empty, EMPTY_BLOB),), own)


def legacy_attachment(existing: Manifest | None, layer: Descriptor, payload: bytes) -> Attachment:
    """A ``.sig`` or ``.att`` manifest with one more layer (cosign.md 1a); all that ``existing`` has is kept.

    A layer that is there already, with the same annotations, is not added again.

    Raises:
        LimitExceeded: the manifest has as many layers as cosign reads.
    """
    layers = () if existing is None else existing.layers
    if layer not in layers:
        layers = (*layers, layer)
    if len(layers) > MAX_LAYERS:
        message = f"the tag already holds {MAX_LAYERS} signatures, the most that cosign reads; attach a bundle instead"
        raise LimitExceeded(message)
    config_data = strict_json.dumps(
        {
            "architecture": "",
            "created": _NEVER,
            "history": [{"created": _NEVER} for _ in layers],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [str(each.digest) for each in layers]},
            "config": {},
        }
    )
    config = describe(config_data, OCI_CONFIG)
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.to_json(),
        "layers": [each.to_json() for each in layers],
    }
    if existing is not None and existing.annotations:
        document["annotations"] = dict(existing.annotations)
    manifest = strict_json.dumps(document)
    return Attachment(manifest, describe(manifest, OCI_MANIFEST), ((config, config_data), (layer, payload)))


def _referrer(
    subject: Descriptor,
    artifact_type: str,
    config: Descriptor,
    layers: tuple[tuple[Descriptor, bytes], ...],
    annotations: Mapping[str, str],
) -> Attachment:
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer, _ in layers],
        "subject": Descriptor(subject.media_type, subject.digest, subject.size).to_json(),
        "annotations": dict(annotations),
    }
    manifest = strict_json.dumps(document)
    plain = describe(manifest, OCI_MANIFEST)
    descriptor = Descriptor(
        plain.media_type, plain.digest, plain.size, artifact_type, annotations=tuple(annotations.items())
    )
    blobs = tuple(dict([(config, EMPTY_BLOB), *layers]).items())
    return Attachment(manifest, descriptor, blobs)


def _type_of(manifest: Manifest | Index) -> str:
    """The artifact type; in its absence the config's media type, where that is not an image's (image-spec 1.1)."""
    if manifest.artifact_type:
        return manifest.artifact_type
    if isinstance(manifest, Index) or manifest.config.media_type in CONFIG_TYPES | {OCI_EMPTY}:
        return ""
    return manifest.config.media_type


def _check_notary(manifest: Manifest) -> None:
    """An artifact type with the empty config, or a config type without an artifact type, and no mix (notary.md 1)."""
    if (manifest.artifact_type, manifest.config.media_type) not in _NOTARY_SHAPES:
        shown = f"artifactType {manifest.artifact_type!r} and config {manifest.config.media_type!r}"
        message = f"a Notary envelope in a manifest that Notary does not write: {shown[:200]}"
        raise Refused(RefusalCode.MANIFEST_MALFORMED, message)


def _claims_signature(manifest: Manifest) -> bool:
    names = {manifest.artifact_type or "", manifest.config.media_type}
    return any(name in {SIGNATURE_ARTIFACT, NOTARY_ARTIFACT} or format_of(name) is not Format.UNKNOWN for name in names)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
