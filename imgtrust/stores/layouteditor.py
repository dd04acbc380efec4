"""Changes of a layout: blobs first, then the index that names them, under its lock.

Knows in which order files may appear; a reader sees the old index or the new one, and never a name without content.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from imgtrust.content import INDEX_TYPES, MAX_MANIFEST_BYTES, OCI_INDEX, Descriptor, describe
from imgtrust.errors import ContentMismatch, IntegrityError, LimitExceeded, StoreProtocol
from imgtrust.formats.attachments import fallback_tag
from imgtrust.reference import Digest
from imgtrust.stores.fallback import merge
from imgtrust.stores.hashing import HashedPieces, mismatch
from imgtrust.stores.layoutcontent import INDEX_FILE, LAYOUT_FILE
from imgtrust.stores.layoutindex import LayoutIndex
from imgtrust.stores.layoutreferrers import BLOBS, peek
from imgtrust.stores.layoutwriter import OWN_PREFIX, LayoutWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.stores.layoutcontent import LayoutContent
    from imgtrust.stores.layoutfiles import LayoutFiles
    from imgtrust.stores.layoutreferrers import Referrers
    from imgtrust.stores.port import BlobSource

__all__ = ["LayoutEditor"]

_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'


class LayoutEditor:
    """The one way in which a layout is changed. Methods may be called from several threads."""

    def __init__(self, files: LayoutFiles, content: LayoutContent, referrers: Referrers, patience: float) -> None:
        """``patience``: seconds to wait for another writer."""
        self._files = files
        self._content = content
        self._referrers = referrers
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
        """List a manifest without a name, if it is not listed; a referrer under the fallback tag too.

        The first is where oras looks for referrers in a layout, the second where regctl does (cosign.md 4.3).

        Raises:
            ContentMalformed: the index is no index.
            StoreError: it cannot be changed.
        """
        said = peek(manifest)
        plain = Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)
        if said.subject is None:
            children = said.children if plain.media_type in INDEX_TYPES else ()
            self._change(lambda index: index.listing(plain, children))
            return
        subject = said.subject
        noted = Descriptor(plain.media_type, plain.digest, plain.size, said.artifact_type, said.annotations)
        self._change(lambda index: self._with_fallback(index.listing(noted), subject, noted))

    def name(self, tag: str, descriptor: Descriptor) -> None:
        """Let ``tag`` name a manifest that is in place.

        Raises:
            ContentMalformed: the index is no index.
            StoreError: it cannot be changed.
        """
        self._change(lambda index: index.tagging(tag, descriptor))

    def _with_fallback(self, index: LayoutIndex, subject: Digest, referrer: Descriptor) -> LayoutIndex:
        """Keep the list under the fallback tag; where something else has that name, it is left alone."""
        tag = fallback_tag(subject)
        bearers = [entry.descriptor for entry in index.by_tag.get(tag, ())]
        if len(bearers) > 1 or any(bearer.size > MAX_MANIFEST_BYTES for bearer in bearers):
            return index
        try:
            if bearers:
                after = merge(self._content.fetch(bearers[0]), bearers[0].media_type, subject, [referrer.to_json()])
            else:
                known = self._referrers.of(subject, index)
                after = merge(None, OCI_INDEX, subject, [each.to_json() for each in known])
        except (IntegrityError, LimitExceeded):
            return index
        if after is None or len(after) > MAX_MANIFEST_BYTES:
            return index
        made = describe(after, OCI_INDEX)
        self._writer.write((BLOBS, made.digest.algorithm), made.digest.encoded, [after])
        return index.tagging(tag, made)

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
