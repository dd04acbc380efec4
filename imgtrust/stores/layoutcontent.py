"""What is in a layout, read and proven: its index, its blobs, and the manifests that its names stand for.

Knows the places of image-layout.md; takes no lock and creates nothing. Absent, altered or irregular content is an
``IntegrityError``; a file system that denies or fails is a ``StoreError``.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.content import MANIFEST_TYPES, MAX_MANIFEST_BYTES, Descriptor
from imgtrust.errors import ContentMalformed, ContentMismatch, ContentMissing, LimitExceeded, NotFound, StoreUnavailable
from imgtrust.formats.attachments import is_attachment_tag
from imgtrust.stores.hashing import HashedPieces
from imgtrust.stores.layoutindex import MAX_INDEX_BYTES, LayoutIndex, parse_index, parse_layout_file
from imgtrust.stores.layoutreferrers import BLOBS, media_type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.reference import Digest
    from imgtrust.stores.layoutfiles import LayoutFiles

__all__ = ["INDEX_FILE", "LAYOUT_FILE", "LayoutContent", "blob_path"]

LAYOUT_FILE: Final = "oci-layout"
INDEX_FILE: Final = "index.json"
_MAX_LAYOUT_FILE: Final = 4096
_PIECE: Final = 1024 * 1024
_LISTED: Final = 10
_SETTLED: Final = 200_000_000
"""Nanoseconds. A file that was just replaced may be replaced again within one tick of the file system's clock."""


class LayoutContent:
    """The content of one layout. Methods may be called from several threads."""

    def __init__(self, files: LayoutFiles) -> None:
        self._files = files
        self._recent: tuple[object, LayoutIndex] | None = None
        self._known = False

    def index(self, *, fresh: bool = False) -> LayoutIndex:
        """The index as it is now; parsed again only when the file changed, or when it must be ``fresh``.

        Raises:
            NotFound: there is no layout in this directory.
            ContentMalformed: it is of another version, or its index is no index.
            LimitExceeded: the index is larger than is read.
            StoreError: it cannot be read.
        """
        if not self._known:
            raw = self._files.read(LAYOUT_FILE, limit=_MAX_LAYOUT_FILE)
            if raw is None:
                raise NotFound(self._no_layout(LAYOUT_FILE))
            parse_layout_file(raw, self._files.show((LAYOUT_FILE,)))
            self._known = True
        what = self._files.show((INDEX_FILE,))
        with self._files.opened(INDEX_FILE) as file:
            if file is None:
                raise NotFound(self._no_layout(INDEX_FILE))
            recent = self._recent
            if not fresh and recent is not None and recent[0] == file.stamp:
                return recent[1]
            if file.size > MAX_INDEX_BYTES:
                message = f"{what}: {file.size} bytes, imgtrust reads at most {MAX_INDEX_BYTES}"
                raise LimitExceeded(message)
            index = parse_index(self._files.content(file, (INDEX_FILE,)), what)
            settled = time.time_ns() - file.changed > _SETTLED
            self._recent = (file.stamp, index) if settled else None
            return index

    def named(self, tag: str) -> Descriptor:
        """The manifest that a tag names, its bytes proven.

        Raises:
            NotFound: no entry bears the tag; the message lists what there is.
            ContentMalformed: two entries bear it, or its media type contradicts the bytes.
            ContentMissing: the manifest is not there.
            ContentMismatch: it is another.
        """
        index = self.index()
        bearers = index.by_tag.get(tag, ())
        if not bearers:
            raise NotFound(self._no_such(f"tag {tag}", index))
        if len(bearers) > 1:
            what = self._files.show((INDEX_FILE,))
            message = f"{what}: {len(bearers)} entries bear the tag {tag}, so it names no image; ask by digest instead"
            raise ContentMalformed(message)
        return self._listed(bearers[0].descriptor)

    def digested(self, digest: Digest) -> Descriptor:
        """The manifest of a digest, listed in the index or not, its bytes proven.

        Raises:
            NotFound: there is no such manifest; the message lists what there is.
            ContentMalformed: its media type contradicts the bytes, or cannot be told from them.
            ContentMissing: the index lists it and it is not there.
            ContentMismatch: it is another.
        """
        index = self.index()
        listed = index.by_digest.get(digest, ())
        if listed:
            return [self._listed(entry.descriptor) for entry in listed][-1]
        size = self._files.size(*blob_path(digest))
        if size is None or size > MAX_MANIFEST_BYTES:
            raise NotFound(self._no_such(f"manifest {digest}", index))
        document = _document(self.fetch(Descriptor("", digest, size)))
        media_type = media_type_of(document)
        if media_type is not None:
            return Descriptor(media_type, digest, size)
        if isinstance(document, dict) and "schemaVersion" in document:
            message = f"{self.at(digest)}: neither its mediaType nor its members tell what kind of manifest it is"
            raise ContentMalformed(message)
        raise NotFound(self._no_such(f"manifest {digest} (there is a blob of that digest)", index))

    def fetch(self, descriptor: Descriptor) -> bytes:
        """All bytes of a blob, proven.

        Raises:
            ContentMissing: they are not there.
            ContentMismatch: there are others, or something that is no file.
            StoreError: they cannot be read.
        """
        path = blob_path(descriptor.digest)
        with self._files.opened(*path) as file:
            if file is None:
                raise self._missing(descriptor)
            self.check_size(descriptor, file.size)
            data = self._files.content(file, path)
        self.check_size(descriptor, len(data))
        return descriptor.digest.check(data, self._files.show(path))

    def stream(self, descriptor: Descriptor) -> HashedPieces:
        """The bytes of a blob of any size; the last piece comes only after they are proven.

        Raises:
            ContentMissing: as ``fetch``, like the others when the first piece is asked for.
            ContentMismatch: as ``fetch``.
            StoreError: as ``fetch``.
        """
        return HashedPieces(descriptor, self._pieces(descriptor), self.at(descriptor.digest))

    def proves(self, descriptor: Descriptor) -> bool:
        """Whether the blob is there and its bytes are right (they are read).

        Raises:
            StoreError: it cannot be told.
        """
        try:
            for _ in self.stream(descriptor):
                pass
        except (ContentMissing, ContentMismatch):
            return False
        return True

    def check_size(self, descriptor: Descriptor, found: int) -> None:
        """Refuse content of another size, before it is read.

        Raises:
            ContentMismatch: ``found`` bytes are not what the descriptor says.
        """
        if found != descriptor.size:
            how = "truncated" if found < descriptor.size else "oversized"
            message = f"{self.at(descriptor.digest)}: expected {descriptor.size} bytes, found {found} ({how})"
            raise ContentMismatch(message)

    def at(self, digest: Digest) -> str:
        """The place of a blob, for messages."""
        return self._files.show(blob_path(digest))

    def _pieces(self, descriptor: Descriptor) -> Iterator[memoryview]:
        """Pieces from two buffers in turn, for the hasher holds one back while it asks for the next."""
        path = blob_path(descriptor.digest)
        with self._files.opened(*path) as file:
            if file is None:
                raise self._missing(descriptor)
            self.check_size(descriptor, file.size)
            length = max(1, min(_PIECE, file.size))
            buffers = [memoryview(bytearray(length)), memoryview(bytearray(length))]
            while True:
                buffers.reverse()
                try:
                    got = os.readv(file.fd, [buffers[0]])
                except OSError as exc:
                    message = f"{self.at(descriptor.digest)}: cannot be read: {exc.strerror}"
                    raise StoreUnavailable(message) from exc
                if not got:
                    return
                yield buffers[0][:got]

    def _listed(self, listed: Descriptor) -> Descriptor:
        """Prove a manifest that the index lists, and that the two agree on what it is."""
        what = self.at(listed.digest)
        if listed.media_type not in MANIFEST_TYPES:
            message = f"{what}: the index says {listed.media_type[:100]!r}, which is not the type of a manifest"
            raise ContentMalformed(message)
        if listed.size > MAX_MANIFEST_BYTES:
            message = f"{what}: a manifest of {listed.size} bytes, expected at most {MAX_MANIFEST_BYTES}"
            raise ContentMalformed(message)
        document = _document(self.fetch(listed))
        said = document.get("mediaType", listed.media_type) if isinstance(document, dict) else listed.media_type
        if said != listed.media_type:
            message = f"{what}: the index says {listed.media_type}, the manifest itself {str(said)[:100]}"
            raise ContentMalformed(message)
        return Descriptor(listed.media_type, listed.digest, listed.size)

    def _missing(self, descriptor: Descriptor) -> ContentMissing:
        return ContentMissing(f"{self.at(descriptor.digest)}: it is not in this layout ({descriptor.size} bytes)")

    def _no_layout(self, name: str) -> str:
        return f"{self._files.root} is not an OCI image layout: it has no {name}"

    def _no_such(self, what: str, index: LayoutIndex) -> str:
        """What is missing, and what there is instead, so that a person can choose."""
        tags = [tag for tag in index.by_tag if not is_attachment_tag(tag)]
        untagged = [str(entry.descriptor.digest) for entry in index.entries if entry.tag is None]
        there = [
            f"{kind} {', '.join(names[:_LISTED])}{' and more' if len(names) > _LISTED else ''}"
            for kind, names in (("the tags", tags), ("without a tag", untagged))
            if names
        ]
        return f"oci:{self._files.root} has no {what}; it has {' and '.join(there) or 'no images at all'}"


def blob_path(digest: Digest) -> tuple[str, str, str]:
    """Where a blob lies; the grammar of ``Digest`` keeps the path inside."""
    return (BLOBS, digest.algorithm, digest.encoded)


def _document(raw: bytes) -> object:
    """Parsed JSON, or None for what is none: judging it is the business of whoever asked for the manifest."""
    try:
        document: object = strict_json.loads(raw)
    except strict_json.StrictJsonError:
        return None
    return document
