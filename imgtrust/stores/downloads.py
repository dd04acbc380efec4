"""Blobs of a registry, downloaded: in pieces, resumed where the connection broke.

Knows the blob end-point of distribution-spec and byte ranges (RFC 9110 section 14); digests are checked by
``hashing``. What was handed out before a break stays valid: a registry that starts again from the beginning
must first repeat the same bytes.
"""

from __future__ import annotations

import hashlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from imgtrust.errors import ContentMismatch, ContentMissing, NotFound, StoreProtocol
from imgtrust.stores.hashing import HashedPieces
from imgtrust.stores.headers import content_range, media_type
from imgtrust.stores.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.stores.remote import Remote
    from imgtrust.stores.wire import Answer

__all__ = ["Downloads"]

_log = logging.getLogger("imgtrust.stores.registry")
MAX_RESUMES: Final = 50
"""How often one download is resumed at most, however much each part brought."""
_ACCEPTED: Final = (200, 206, 416)


class Downloads:
    """The blobs of one repository, to read."""

    def __init__(self, remote: Remote) -> None:
        """Keep the repository."""
        self._remote = remote

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the registry says that it has this blob."""
        what = self._remote.what(f"blob {descriptor.digest}")
        try:
            answer = self._remote.ask("HEAD", f"blobs/{descriptor.digest}", what)
        except NotFound:
            return False
        length = answer.header("Content-Length")
        answer.close()
        return length is None or not length.isdigit() or int(length) == descriptor.size

    def stream(self, descriptor: Descriptor) -> HashedPieces:
        """The pieces of a blob, which prove the descriptor. The first request is sent with the first piece.

        Raises:
            ContentMissing: (while read) the registry says that it has none.
            ContentMismatch: (while read) it has others.
        """
        what = self._remote.what(f"blob {descriptor.digest}")
        seen = hashlib.new(descriptor.digest.algorithm)
        return HashedPieces(descriptor, self._pieces(descriptor, what, seen), what, seen)

    def _pieces(self, descriptor: Descriptor, what: str, seen: hashlib._Hash) -> Iterator[bytes]:
        """All pieces, over as many requests as it takes; ``seen`` has hashed all that was handed out."""
        position = 0
        attempts = self._remote.endpoint.attempts()
        for _ in range(MAX_RESUMES):
            answer = self._open(descriptor, what, position)
            begun = position
            try:
                pieces = answer.pieces()
                if position and answer.status == HTTPStatus.OK:
                    pieces = _after(pieces, position, seen, what)
                for piece in pieces:
                    position += len(piece)
                    yield piece
            except WireError as error:
                if position > begun:
                    attempts = self._remote.endpoint.attempts()
                _log.info("%s: broke off at byte %d of %d: %s", what, position, descriptor.size, error)
                attempts.again(error)
            else:
                return
            finally:
                answer.close()
        message = f"{what}: the connection broke off {MAX_RESUMES} times"
        raise WireError(message)

    def _open(self, descriptor: Descriptor, what: str, position: int) -> Answer:
        """Ask for a blob from a byte on: 206 with just that range, or 200 with everything."""
        headers = {"Range": f"bytes={position}-"} if position else {}
        try:
            answer = self._remote.ask("GET", f"blobs/{descriptor.digest}", what, headers=headers, accept=_ACCEPTED)
            if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                answer.close()
                answer = self._remote.ask("GET", f"blobs/{descriptor.digest}", what)
        except NotFound as exc:
            message = f"{what}: the registry does not have it although it is named: {exc}"
            raise ContentMissing(message) from exc
        fault = _fault(answer, descriptor, position)
        if fault is not None:
            answer.close()
            message = f"{what}: {fault}"
            raise StoreProtocol(message)
        length = answer.header("Content-Length")
        if (
            answer.status == HTTPStatus.OK
            and length is not None
            and length.isdigit()
            and int(length) != descriptor.size
        ):
            answer.close()
            message = f"{what}: expected {descriptor.size} bytes, the registry has {length}"
            raise ContentMismatch(message)
        return answer


def _fault(answer: Answer, descriptor: Descriptor, position: int) -> str | None:
    """What is wrong with an answer before its body is read, or None."""
    if (answer.header("Content-Encoding") or "identity") != "identity":
        return "it came compressed although that was not asked for"
    if media_type(answer.header("Content-Type")) == "text/html" and descriptor.media_type != "text/html":
        return "expected a blob, a page of HTML came (is there a proxy or a portal in between?)"
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        found = content_range(answer.header("Content-Range"))
        if position == 0 or found is None or found[0] != position or found[2] not in {None, descriptor.size}:
            return f"asked for the bytes from {position} on, it answered with another range"
    return None


def _after(pieces: Iterator[bytes], position: int, seen: hashlib._Hash, what: str) -> Iterator[bytes]:
    """Skip what was already handed out, if it comes again as it was."""
    known = seen.copy().digest()
    again = hashlib.new(seen.name)
    left = position
    for piece in pieces:
        if left == 0:
            yield piece
            continue
        head = piece[:left]
        again.update(head)
        left -= len(head)
        if left == 0:
            if again.digest() != known:
                message = f"{what}: the first {position} bytes were others when the download was begun again"
                raise ContentMismatch(message)
            if len(piece) > len(head):
                yield piece[len(head) :]
