"""A blob uploaded in chunks, for registries that ask for it or take no large requests.

Knows PATCH, its ranges and how an upload is continued where the registry says that it stands (distribution-spec,
"Pushing a blob in chunks"). Some registries ignore Content-Range, so the Range of each answer is compared.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from imgtrust.errors import StoreError, StoreProtocol
from imgtrust.stores.addresses import resolve_address
from imgtrust.stores.answers import RETRYABLE, complaint_of, failure
from imgtrust.stores.headers import range_end
from imgtrust.stores.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.stores.port import BlobSource
    from imgtrust.stores.remote import Remote
    from imgtrust.stores.wire import Answer

__all__ = ["Chunks"]

CHUNK: Final = 4 * 1024 * 1024
"""How much is sent at once, in bytes, unless the registry wants more."""


class Chunks:
    """One blob on its way, chunk by chunk."""

    def __init__(self, remote: Remote, descriptor: Descriptor, pieces: BlobSource, what: str, minimum: int) -> None:
        """``pieces`` prove the descriptor; ``minimum`` is the smallest chunk that is taken (but for the last)."""
        self._remote, self._descriptor, self._pieces, self._what = remote, descriptor, pieces, what
        self._size = max(CHUNK, minimum)

    def send(self, location: str) -> None:
        """Send all chunks to ``location`` and complete the upload.

        Raises:
            ContentMismatch: the bytes are not those of the descriptor; the upload was not completed.
            StoreError: the registry did not take them.
        """
        sent = 0
        for chunk in self._chunks():
            location = self._send_chunk(location, chunk, sent)
            sent += len(chunk)
        mark = "&" if urlsplit(location).query else "?"
        answer = self._remote.ask(
            "PUT",
            f"{location}{mark}digest={self._descriptor.digest}",
            f"uploading {self._what}",
            write=True,
            headers={"Content-Type": "application/octet-stream"},
            body=b"",
            accept=(201, 204),
        )
        answer.close()

    def _chunks(self) -> Iterator[bytes]:
        """The bytes in chunks of one size; the last chunk is made only after they all proved right."""
        held = bytearray()
        for piece in self._pieces():
            held += piece
            while len(held) >= self._size:
                yield bytes(held[: self._size])
                del held[: self._size]
        if held:
            yield bytes(held)

    def _send_chunk(self, location: str, chunk: bytes, offset: int) -> str:
        """Send one chunk; where it stays unclear how much arrived, the registry is asked and the rest is sent."""
        attempts = self._remote.endpoint.attempts()
        done = 0
        while True:
            try:
                answer = self._patch(location, chunk[done:], offset + done)
                if answer.status in {202, 201, 204}:
                    location, at = self._position(answer, location, offset + len(chunk))
                    if at == offset + len(chunk):
                        return location
                    error: StoreError = StoreProtocol(f"{self._what}: the registry has {at} bytes of the upload")
                else:
                    credentials = self._remote.endpoint.auth.describe(self._remote.repository.path)
                    error = failure(complaint_of(answer), f"uploading {self._what}", credentials)
                    if answer.status not in {*RETRYABLE, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}:
                        raise error
            except WireError as exc:
                if not exc.retryable:
                    raise
                error = exc
            attempts.again(error)
            location, at = self._status(location)
            if offset == 0 and at == 1:  # "0-0" is what docker-registry says of nothing at all.
                at = 0
            if not offset <= at <= offset + len(chunk):
                message = f"uploading {self._what}: the registry has {at} bytes, expected {offset} or more"
                raise StoreProtocol(message)
            done = at - offset
            if done == len(chunk):
                return location

    def _patch(self, location: str, chunk: bytes, offset: int) -> Answer:
        return self._remote.ask(
            "PATCH",
            location,
            f"uploading {self._what}",
            write=True,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{offset}-{offset + len(chunk) - 1}",
            },
            body=chunk,
            accept=(202, 201, 204, 416, *RETRYABLE),
            retry=False,
        )

    def _status(self, location: str) -> tuple[str, int]:
        """Ask how much of the upload has arrived."""
        answer = self._remote.ask("GET", location, f"uploading {self._what}", write=True, accept=(204, 202, 200))
        return self._position(answer, location, 0)

    def _position(self, answer: Answer, location: str, otherwise: int) -> tuple[str, int]:
        """Where the next chunk goes, and how many bytes the registry has (``otherwise`` where it does not say)."""
        target, said = answer.header("Location"), answer.header("Range")
        answer.close()
        plain = self._remote.endpoint.options.plain_http
        if target is not None:
            location = resolve_address(location, target, plain_http=plain, what="an upload")
        if said is None:
            return location, otherwise
        at = range_end(said)
        if said.strip() in {"0--1", "bytes=0--1"}:
            at = 0
        if at is None:
            message = f"uploading {self._what}: the registry's Range cannot be read"
            raise StoreProtocol(message)
        return location, at
