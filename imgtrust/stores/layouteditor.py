"""Changes of a layout: blobs first, then the index that names them, under its lock.

Knows in which order files may appear; a reader sees the old index or the new one, and never a name without content.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from imgtrust.content import INDEX_TYPES, Descriptor
from imgtrust.errors import ContentMismatch, StoreProtocol
from imgtrust.reference import Digest
from imgtrust.stores.hashing import HashedPieces, mismatch
from imgtrust.stores.layoutcontent import INDEX_FILE, LAYOUT_FILE
from imgtrust.stores.layoutindex import LayoutIndex
from imgtrust.stores.layoutreferrers import BLOBS, peek
from imgtrust.stores.layoutwriter import OWN_PREFIX, LayoutWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.stores.layoutcontent import LayoutContent
    from imgtrust.stores.layoutfiles import LayoutFiles
    from imgtrust.stores.port import BlobSource

__all__ = ["LayoutEditor"]

_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'


class LayoutEditor:
    """The one way in which a layout is changed. Methods may be called from several threads."""

    def __init__(self, files: LayoutFiles, content: LayoutContent, patience: float) -> None:
        """``patience``: seconds to wait for another writer."""
        self._files = files
        self._content = content
        self._writer = LayoutWriter(files.root, patience)
        self._ready: set[str] = set()

    def put(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        """Put a blob in place, unless it is there already and proves right.

        Raises:
            ContentMismatch: the content does not match the descriptor (nothing is stored).
            StoreError: the layout cannot be written; nothing is half-written.
        """
        what = f"content for {self._content.at(descriptor.digest)}"
        if isinstance(content, bytes):
            self._content.check_size(descriptor, len(content))
            descriptor.digest.check(content, what)
        self._prepare(descriptor.digest.algorithm)
        if self._content.proves(descriptor):
            return
        pieces = [memoryview(content)] if isinstance(content, bytes) else _checked(descriptor, content(), what)
        self._writer.write((BLOBS, descriptor.digest.algorithm), descriptor.digest.encoded, pieces)

    def list_manifest(self, descriptor: Descriptor, manifest: bytes) -> None:
        """List a manifest without a name, if it is not listed.

        Raises:
            ContentMalformed: the index is no index.
            StoreError: it cannot be changed.
        """
        self._change(lambda index: _listing(index, descriptor, manifest))

    def name(self, tag: str, descriptor: Descriptor) -> None:
        """Let ``tag`` name a manifest that is in place.

        Raises:
            ContentMalformed: the index is no index.
            StoreError: it cannot be changed.
        """
        self._change(lambda index: index.tagging(tag, descriptor))

    def _prepare(self, algorithm: str) -> None:
        """Make this a layout if it is none, with a directory for blobs, and clear away what killed writers left."""
        if algorithm in self._ready:
            return
        names = [name for name in self._files.names()[0] if not name.startswith(OWN_PREFIX)]
        if names and LAYOUT_FILE not in names and not {BLOBS, INDEX_FILE}.issuperset(names):
            message = (
                f"{self._files.root} is not empty and no OCI image layout, so nothing is written there; "
                "name a new or empty directory"
            )
            raise StoreProtocol(message)
        self._writer.make(BLOBS, algorithm)
        with self._writer.locked():
            if self._files.size(INDEX_FILE) is None:
                self._writer.write((), INDEX_FILE, [LayoutIndex.empty().write()])
            if self._files.size(LAYOUT_FILE) is None:
                self._writer.write((), LAYOUT_FILE, [_LAYOUT])
        self._content.index()
        self._writer.clean()
        self._writer.clean(BLOBS, algorithm)
        self._ready.add(algorithm)

    def _change(self, change: Callable[[LayoutIndex], LayoutIndex]) -> None:
        """Replace the index by what ``change`` makes of it, as the only writer."""
        with self._writer.locked():
            before = self._content.index(fresh=True)
            after = change(before)
            if after is not before:
                self._writer.write((), INDEX_FILE, [after.write()])


def _listing(index: LayoutIndex, descriptor: Descriptor, manifest: bytes) -> LayoutIndex:
    said = peek(manifest)
    plain = Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)
    if said.subject is not None:
        plain = Descriptor(plain.media_type, plain.digest, plain.size, said.artifact_type, said.annotations)
    return index.listing(plain, said.children if descriptor.media_type in INDEX_TYPES else ())


def _checked(descriptor: Descriptor, pieces: Iterator[memoryview], what: str) -> Iterator[memoryview]:
    """The same pieces, proven when the last one went by; none is held back, for the file has no name before that."""
    if isinstance(pieces, HashedPieces) and (pieces.descriptor.digest, pieces.descriptor.size) == (
        descriptor.digest,
        descriptor.size,
    ):
        yield from pieces
        return
    hasher = hashlib.new(descriptor.digest.algorithm)
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > descriptor.size:
            message = f"{what}: expected {descriptor.size} bytes, more came"
            raise ContentMismatch(message)
        hasher.update(piece)
        yield piece
    if size != descriptor.size:
        message = f"{what}: expected {descriptor.size} bytes, {size} came"
        raise ContentMismatch(message)
    found = Digest(descriptor.digest.algorithm, hasher.hexdigest())
    if found != descriptor.digest:
        raise mismatch(descriptor.digest, found, what)
