"""The ``index.json`` of a layout: read strictly, changed without losing what other tools wrote. Pure.

Knows image-spec 1.1, image-layout.md, and what cosign, oras, regctl and skopeo make of it (cosign.md 1a and 4.3);
knows nothing of files. Members and annotations that imgtrust does not know are kept as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.content import INDEX_TYPES, OCI_INDEX, Descriptor, parse_descriptor
from imgtrust.errors import ContentMalformed, LimitExceeded
from imgtrust.formats.attachments import Suffix, is_attachment_tag, legacy_tag
from imgtrust.reference import TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from imgtrust.reference import Digest

__all__ = [
    "MAX_ENTRIES",
    "MAX_INDEX_BYTES",
    "REF_NAME",
    "Entry",
    "LayoutIndex",
    "parse_entries",
    "parse_index",
    "parse_layout_file",
]

REF_NAME: Final = "org.opencontainers.image.ref.name"
MAX_INDEX_BYTES: Final = 32 * 1024 * 1024
"""The largest ``index.json`` that is read."""
MAX_ENTRIES: Final = 100_000
"""The most entries of an ``index.json``."""
_KIND: Final = "kind"
_COSIGN: Final = "dev.cosignproject.cosign/"
_IMAGES: Final = frozenset({f"{_COSIGN}image", f"{_COSIGN}imageIndex"})
_EVIDENCE: Final = {f"{_COSIGN}sigs": Suffix.SIG, f"{_COSIGN}atts": Suffix.ATT}
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what it describes, the tag that it bears (None: none, or a name that is no tag), and its JSON."""

    descriptor: Descriptor
    tag: str | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class LayoutIndex:
    """An index, immutable; every change gives a new one."""

    document: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @classmethod
    def empty(cls) -> LayoutIndex:
        """The index of a new layout."""
        return cls({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}, ())

    @cached_property
    def by_tag(self) -> Mapping[str, tuple[Entry, ...]]:
        """The entries that bear each tag, in the order of the index; more than one is ambiguous."""
        found: dict[str, tuple[Entry, ...]] = {}
        for entry in self.entries:
            if entry.tag is not None:
                found[entry.tag] = (*found.get(entry.tag, ()), entry)
        return found

    @cached_property
    def by_digest(self) -> Mapping[Digest, tuple[Entry, ...]]:
        """The entries of each digest."""
        found: dict[Digest, tuple[Entry, ...]] = {}
        for entry in self.entries:
            found[entry.descriptor.digest] = (*found.get(entry.descriptor.digest, ()), entry)
        return found

    @cached_property
    def saved_by_cosign(self) -> bool:
        """Whether ``cosign save`` wrote this: then referrers may lie among the blobs and be listed nowhere."""
        return any(str(entry.descriptor.annotation(_KIND)).startswith(_COSIGN) for entry in self.entries)

    def listing(self, descriptor: Descriptor, children: Collection[Digest] = ()) -> LayoutIndex:
        """List a manifest without a name, as oras does, if it is not listed yet.

        ``children``: what it names as an index; their own nameless entries are dropped, for they are reached
        through it now.
        """
        kept = [entry for entry in self.entries if not (entry.descriptor.digest in children and _is_plain(entry))]
        if descriptor.digest not in self.by_digest:
            kept.append(Entry(descriptor, None, descriptor.to_json()))
        return self._with(kept)

    def tagging(self, tag: str, descriptor: Descriptor) -> LayoutIndex:
        """Let exactly one entry bear ``tag``.

        The entry that bore it loses the name and stays, so that the image is not lost; an attachment's (a legacy or
        fallback tag) goes, for the new manifest holds what the old one held.
        """
        bearers = self.by_tag.get(tag, ())
        if [entry.descriptor.digest for entry in bearers] == [descriptor.digest] and REF_NAME in _annotations(
            bearers[0]
        ):
            return self
        kept: list[Entry] = []
        for entry in self.entries:
            if entry.tag != tag:
                kept.append(entry)
            elif not is_attachment_tag(tag) and len(self.by_digest[entry.descriptor.digest]) == 1:
                kept.append(_renamed(entry, None))
        place = next(
            (
                n
                for n, e in enumerate(kept)
                if e.descriptor.digest == descriptor.digest and REF_NAME not in _annotations(e)
            ),
            None,
        )
        if place is None:
            kept.append(_renamed(Entry(descriptor, None, descriptor.to_json()), tag))
        else:
            kept[place] = _renamed(kept[place], tag)
        return self._with(kept)

    def write(self) -> bytes:
        """The JSON text."""
        return strict_json.dumps({**self.document, "manifests": [entry.document for entry in self.entries]})

    def _with(self, entries: Sequence[Entry]) -> LayoutIndex:
        return self if tuple(entries) == self.entries else LayoutIndex(self.document, tuple(entries))


def parse_index(raw: bytes, what: str) -> LayoutIndex:
    """Read an ``index.json``; ``what`` names it in messages.

    Raises:
        ContentMalformed: not JSON with one reading, or not an image index.
        LimitExceeded: it has more entries than are read.
    """
    document, descriptors = _parse(raw, what, MAX_ENTRIES)
    raw_entries = document.get("manifests") or []
    tags = _cosign_tags(descriptors)
    entries = tuple(
        Entry(descriptor, _tag_of(descriptor) or tags.get(n), raw_entries[n])
        for n, descriptor in enumerate(descriptors)
    )
    return LayoutIndex(document, entries)


def parse_entries(raw: bytes, what: str, limit: int) -> tuple[Descriptor, ...]:
    """The descriptors of an index that is a list of referrers (distribution-spec 1.1, "Referrers tag schema").

    Raises:
        ContentMalformed: not JSON with one reading, or not an image index.
        LimitExceeded: it has more than ``limit`` entries.
    """
    return _parse(raw, what, limit)[1]


def parse_layout_file(raw: bytes, what: str) -> None:
    """Check an ``oci-layout`` file: version 1 of the layout is read.

    Raises:
        ContentMalformed: it is of another version, or no such file.
    """
    document = _json(raw, what)
    version = document.get("imageLayoutVersion") if isinstance(document, dict) else None
    if not isinstance(version, str) or not version.startswith("1."):
        message = f"{what}: imageLayoutVersion is {str(version)[:_SHOWN]}, expected 1.0.0 or another 1.x"
        raise ContentMalformed(message)


def _parse(raw: bytes, what: str, limit: int) -> tuple[Mapping[str, Any], tuple[Descriptor, ...]]:
    document = _json(raw, what)
    if not isinstance(document, dict):
        message = f"{what}: expected a JSON object, found {type(document).__name__}"
        raise ContentMalformed(message)
    version = document.get("schemaVersion")
    if version != 2 or isinstance(version, bool):  # noqa: PLR2004 - image-spec
        message = f"{what}: schemaVersion is {str(version)[:_SHOWN]}, expected 2"
        raise ContentMalformed(message)
    kind = document.get("mediaType", OCI_INDEX)
    if not isinstance(kind, str) or kind not in INDEX_TYPES:
        message = f"{what}: mediaType is {str(kind)[:_SHOWN]}, expected {OCI_INDEX}"
        raise ContentMalformed(message)
    if "layers" in document or "config" in document:
        message = f"{what}: it has the members of an image manifest and could be read in two ways"
        raise ContentMalformed(message)
    manifests = document.get("manifests")
    if not isinstance(manifests, list | None):
        message = f"{what}: manifests is a {type(manifests).__name__}, expected a list"
        raise ContentMalformed(message)
    found = manifests or []
    if len(found) > limit:
        message = f"{what}: {len(found)} entries, imgtrust reads at most {limit}"
        raise LimitExceeded(message)
    return document, tuple(parse_descriptor(item, f"manifests[{n}] of {what}") for n, item in enumerate(found))


def _json(raw: bytes, what: str) -> object:
    try:
        document: object = strict_json.loads(raw)
    except strict_json.StrictJsonError as exc:
        message = f"{what}: {exc}"
        raise ContentMalformed(message) from exc
    return document


def _annotations(entry: Entry) -> Mapping[str, str]:
    return dict(entry.descriptor.annotations)


def _is_plain(entry: Entry) -> bool:
    """Whether nothing but its digest is known of an entry: no name, no kind, no artifact type."""
    return entry.tag is None and not entry.descriptor.annotations and entry.descriptor.artifact_type is None


def _tag_of(descriptor: Descriptor) -> str | None:
    """The tag in the entry; a full reference in its place (as podman writes it) is no tag of this layout."""
    name = descriptor.annotation(REF_NAME)
    return name if name is not None and TAG.fullmatch(name) else None


def _cosign_tags(descriptors: Sequence[Descriptor]) -> Mapping[int, str]:
    """The legacy tags that ``cosign save`` leaves out, by place: evidence follows the image that it is about."""
    images = [(n, d.digest) for n, d in enumerate(descriptors) if d.annotation(_KIND) in _IMAGES]
    tags: dict[int, str] = {}
    for n, descriptor in enumerate(descriptors):
        suffix = _EVIDENCE.get(descriptor.annotation(_KIND) or "")
        before = [digest for place, digest in images if place < n or len(images) == 1]
        if suffix is not None and before:
            tags[n] = legacy_tag(before[-1], suffix)
    return tags


def _renamed(entry: Entry, tag: str | None) -> Entry:
    """The entry with the name ``tag``, or without a name; its other annotations stay."""
    annotations = {name: text for name, text in entry.descriptor.annotations if name != REF_NAME}
    if tag is not None:
        annotations[REF_NAME] = tag
    old = entry.descriptor
    descriptor = Descriptor(
        old.media_type, old.digest, old.size, old.artifact_type, tuple(annotations.items()), old.platform
    )
    document = {name: value for name, value in entry.document.items() if name != "annotations"}
    if annotations:
        document["annotations"] = annotations
    return Entry(descriptor, tag, document)
