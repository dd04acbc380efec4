"""Bytes that prove themselves: pieces hashed on the way; the last is handed out only once digest and size match.

Knows digests and sizes; knows nothing of where the pieces come from or go to. Pure but for the pieces' own source.
A blob that streams from store to store is hashed once: ``proven`` leaves pieces alone that already prove the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Self

from imgtrust.errors import ContentMismatch
from imgtrust.reference import Digest

if TYPE_CHECKING:
    from imgtrust.content import Descriptor

__all__ = ["HashedPieces", "mismatch", "proven"]


class HashedPieces(Iterator[memoryview]):
    """The pieces of ``descriptor``; whoever got the last one got exactly the bytes that it names."""

    def __init__(
        self,
        descriptor: Descriptor,
        pieces: Iterable[bytes | memoryview],
        what: str,
        hasher: hashlib._Hash | None = None,
    ) -> None:
        """``what`` names the content and its store in messages.

        ``hasher`` is a fresh one, shared with pieces that have to know the digest of what they handed out.
        """
        self.descriptor = descriptor
        self._pieces = iter(pieces)
        self._hasher = hashlib.new(descriptor.digest.algorithm) if hasher is None else hasher
        self._run = self._check(what)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> memoryview:
        return next(self._run)

    def close(self) -> None:
        """Give back what the pieces came from, although they were not all taken."""
        self._run.close()
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def _check(self, what: str) -> Generator[memoryview]:
        """Hash each piece before it is handed out; no piece is kept, since its buffer may be used again."""
        expected = self.descriptor
        hasher = self._hasher
        size = 0
        for piece in self._pieces:
            if not piece:
                continue
            size += len(piece)
            if size > expected.size:
                message = f"{what}: expected {expected.size} bytes, more came"
                raise ContentMismatch(message)
            hasher.update(piece)
            if size == expected.size:
                _finish(expected.digest, hasher.hexdigest(), what)
            yield memoryview(piece)
        if size != expected.size:
            message = f"{what}: expected {expected.size} bytes, {size} came"
            raise ContentMismatch(message)
        if size == 0:
            _finish(expected.digest, hasher.hexdigest(), what)


def proven(descriptor: Descriptor, pieces: Iterator[memoryview], what: str) -> HashedPieces:
    """Pieces that prove ``descriptor``: the same ones if they already do, so that no byte is hashed twice."""
    if isinstance(pieces, HashedPieces):
        known = pieces.descriptor
        if (known.digest, known.size) == (descriptor.digest, descriptor.size):
            return pieces
    return HashedPieces(descriptor, pieces, what)


def mismatch(expected: Digest, found: Digest, what: str) -> ContentMismatch:
    """The error for bytes of another digest."""
    return ContentMismatch(f"{what}: expected {expected}, the bytes that came are {found}")


def _finish(expected: Digest, encoded: str, what: str) -> None:
    """Compare at the last byte, before it is handed out."""
    if encoded != expected.encoded:
        raise mismatch(expected, Digest(expected.algorithm, encoded), what)
