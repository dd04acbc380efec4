"""Who refers to whom in a layout: the subjects of its manifests, wherever the tool that wrote it listed them.

Knows three customs (cosign.md 4.3): oras lists referrers in ``index.json`` without a name, regctl under the fallback
tag, and ``cosign save`` leaves them unlisted among the blobs. What is found are hints: discovery opens each manifest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.content import INDEX_TYPES, MANIFEST_TYPES, MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST, Descriptor
from imgtrust.errors import ContentMismatch, ContentMissing, IntegrityError, InvalidDigest, LimitExceeded, StoreProtocol
from imgtrust.formats.attachments import fallback_tag
from imgtrust.reference import Digest
from imgtrust.stores.layoutindex import parse_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from imgtrust.stores.layoutfiles import LayoutFiles
    from imgtrust.stores.layoutindex import LayoutIndex

__all__ = ["BLOBS", "MAX_FALLBACK_ENTRIES", "Peeked", "Referrers", "media_type_of", "peek"]

BLOBS: Final = "blobs"
MAX_FALLBACK_ENTRIES: Final = 20_000
"""The most entries of the index under a fallback tag."""
_MAX_SCANNED: Final = 20_000
_MAX_SCANNED_BYTES: Final = 64 * 1024 * 1024
_MAX_SCANNED_FILE: Final = 1024 * 1024
_NAMES: Final = (b'"subject"', b'"manifests"', b"\\u")
_ALGORITHMS: Final = ("sha256", "sha512")


@dataclass(frozen=True, slots=True)
class Peeked:
    """What a manifest says of itself, not checked: subject, artifact type, annotations, and its children's digests."""

    media_type: str | None
    subject: Digest | None
    artifact_type: str | None
    annotations: tuple[tuple[str, str], ...]
    children: frozenset[Digest]


_NOTHING: Final = Peeked(None, None, None, (), frozenset())


def media_type_of(document: object) -> str | None:
    """The media type of a parsed manifest: what it says, else by its shape; None for what is no manifest.

    A manifest that says nothing and could be read in two ways has none.
    """
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:  # noqa: PLR2004 - image-spec
        return None
    said = document.get("mediaType")
    if said is not None:
        return said if isinstance(said, str) and said in MANIFEST_TYPES else None
    is_manifest = isinstance(document.get("config"), dict) and isinstance(document.get("layers"), list)
    is_index = isinstance(document.get("manifests"), list)
    if is_manifest and "manifests" not in document:
        return OCI_MANIFEST
    if is_index and not {"config", "layers"} & document.keys():
        return OCI_INDEX
    return None


def peek(raw: bytes) -> Peeked:
    """Look at bytes that may be a manifest; nothing is refused here."""
    if not any(name in raw for name in _NAMES):  # most are neither referrer nor index: not worth parsing
        return _NOTHING
    try:
        document = strict_json.loads(raw)
    except strict_json.StrictJsonError:
        return _NOTHING
    if not isinstance(document, dict):
        return _NOTHING
    config = document.get("config")
    kind = document.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    notes = document.get("annotations")
    pairs = notes.items() if isinstance(notes, dict) else ()
    listed = document.get("manifests")
    below = (_digest(item) for item in listed) if isinstance(listed, list) else ()
    return Peeked(
        media_type_of(document),
        _digest(document.get("subject")),
        kind if isinstance(kind, str) else None,
        tuple((name, text) for name, text in pairs if isinstance(text, str)),
        frozenset(digest for digest in below if digest is not None),
    )


def _digest(descriptor: object) -> Digest | None:
    text = descriptor.get("digest") if isinstance(descriptor, dict) else None
    try:
        return Digest.parse(text) if isinstance(text, str) else None
    except InvalidDigest:
        return None


class Referrers:
    """The referrers of one layout. What a manifest says is remembered by its digest."""

    def __init__(self, files: LayoutFiles) -> None:
        self._files = files
        self._peeked: dict[Digest, Peeked] = {}
        self._unlisted: tuple[object, tuple[tuple[Descriptor, Peeked], ...]] | None = None

    def peeked(self, descriptor: Descriptor) -> Peeked:
        """What the manifest of an entry says of itself; nothing where it is absent, altered or no manifest.

        Raises:
            StoreError: it cannot be read.
        """
        known = self._peeked.get(descriptor.digest)
        if known is None:
            path = (BLOBS, descriptor.digest.algorithm, descriptor.digest.encoded)
            try:
                raw = self._files.read(*path, limit=MAX_MANIFEST_BYTES)
            except (ContentMismatch, LimitExceeded):
                raw = None
            if raw is None:
                return _NOTHING
            known = self._peeked[descriptor.digest] = peek(raw)
        return known

    def of(self, subject: Digest, index: LayoutIndex) -> Iterator[Descriptor]:
        """The manifests whose subject is ``subject``, each once, from all three places.

        Raises:
            StoreProtocol: the index under the fallback tag is absent or malformed.
            StoreError: something cannot be read.
            LimitExceeded: there is more than is read.
        """
        given: set[Digest] = set()
        for entry in index.entries:
            descriptor = entry.descriptor
            if descriptor.media_type not in MANIFEST_TYPES or descriptor.digest in given:
                continue
            said = self.peeked(descriptor)
            if said.subject == subject:
                given.add(descriptor.digest)
                yield _hint(descriptor, said)
        for descriptor in self._fallback(subject, index):
            if descriptor.digest not in given:
                given.add(descriptor.digest)
                yield descriptor
        if index.saved_by_cosign:
            for descriptor, said in self._scan(index.by_digest):
                if said.subject == subject and descriptor.digest not in given:
                    yield _hint(descriptor, said)

    def _fallback(self, subject: Digest, index: LayoutIndex) -> Iterator[Descriptor]:
        tag = fallback_tag(subject)
        for entry in index.by_tag.get(tag, ()):
            listed = entry.descriptor
            if listed.digest == subject or listed.media_type not in INDEX_TYPES:
                continue  # GitLab's registry lets the fallback tag name the subject itself (oras-go#1396)
            path = (BLOBS, listed.digest.algorithm, listed.digest.encoded)
            what = f"{self._files.show(path)}, the index of referrers under the tag {tag}"
            try:
                raw = self._files.read(*path, limit=MAX_MANIFEST_BYTES)
                if raw is None:
                    message = f"{what}: it is not there"
                    raise ContentMissing(message)
                yield from parse_entries(listed.digest.check(raw, what), what, MAX_FALLBACK_ENTRIES)
            except IntegrityError as exc:
                message = f"the list of referrers cannot be read: {exc}"
                raise StoreProtocol(message) from exc

    def _scan(self, listed: Mapping[Digest, object]) -> tuple[tuple[Descriptor, Peeked], ...]:
        """Manifests with a subject that no index lists; remembered until the directories of blobs change."""
        directories = [(algorithm, *self._files.names(BLOBS, algorithm)) for algorithm in _ALGORITHMS]
        stamp = [changed for _, _, changed in directories]
        if self._unlisted is not None and self._unlisted[0] == stamp:
            return self._unlisted[1]
        digests = [
            digest for algorithm, names, _ in directories for name in names if (digest := _named(algorithm, name))
        ]
        if len(digests) > _MAX_SCANNED:
            message = (
                f"{self._files.root}: {len(digests)} blobs, imgtrust looks for referrers in {_MAX_SCANNED} at most"
            )
            raise LimitExceeded(message)
        budget = _MAX_SCANNED_BYTES
        found: list[tuple[Descriptor, Peeked]] = []
        for digest in sorted(digests):
            raw = b"" if digest in listed else self._small_json(digest)
            budget -= len(raw)
            if budget < 0:
                message = f"{self._files.root}: more than {_MAX_SCANNED_BYTES} bytes of JSON to look for referrers in"
                raise LimitExceeded(message)
            said = peek(raw)
            if said.subject is not None and said.media_type is not None:
                found.append((Descriptor(said.media_type, digest, len(raw)), said))
        self._unlisted = (stamp, tuple(found))
        return self._unlisted[1]

    def _small_json(self, digest: Digest) -> bytes:
        """The bytes of a small blob that begins like a JSON object, else none."""
        path = (BLOBS, digest.algorithm, digest.encoded)
        try:
            with self._files.opened(*path) as file:
                if file is None or file.size > _MAX_SCANNED_FILE or os.pread(file.fd, 1, 0) != b"{":
                    return b""
                return self._files.content(file, path)
        except ContentMismatch:
            return b""


def _named(algorithm: str, name: str) -> Digest | None:
    try:
        return Digest(algorithm, name)
    except InvalidDigest:
        return None


def _hint(descriptor: Descriptor, said: Peeked) -> Descriptor:
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, said.artifact_type, said.annotations)
