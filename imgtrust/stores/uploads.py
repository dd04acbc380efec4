"""Blobs of a registry, uploaded: in one piece or in chunks, mounted, and cancelled when the bytes turn out wrong.

Knows the upload end-points of distribution-spec; bytes are hashed on the way, and the last of them is sent only
after they proved right, so a wrong blob is never completed.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from imgtrust.errors import AccessDenied, ImgtrustError, NotFound, StoreError, StoreProtocol, StoreUnavailable
from imgtrust.stores.addresses import resolve_address
from imgtrust.stores.answers import RETRYABLE, complaint_of, failure
from imgtrust.stores.auth import pull
from imgtrust.stores.chunks import Chunks
from imgtrust.stores.hashing import HashedPieces, proven
from imgtrust.stores.headers import retry_after
from imgtrust.stores.wire import Body, WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.reference import RegistryRepository
    from imgtrust.stores.port import BlobSource
    from imgtrust.stores.remote import Remote
    from imgtrust.stores.wire import Answer

__all__ = ["Uploads"]

_log = logging.getLogger("imgtrust.stores.registry")
_BINARY: Final = "application/octet-stream"
_STORED: Final = (201, 202, 204, 200)
_MAX_MINIMUM: Final = 64 * 1024 * 1024
_DIGITS: Final = 18


class Uploads:
    """The blobs of one repository, to write."""

    def __init__(self, remote: Remote) -> None:
        """Keep the repository."""
        self._remote = remote

    def push(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store a blob; see ``Store.push``. A broken upload is begun again from its beginning.

        Raises:
            ContentMismatch: the bytes are not those of the descriptor; the upload was cancelled.
        """
        what = self._remote.what(f"blob {descriptor.digest}")
        attempts = self._remote.endpoint.attempts()
        chunked = False

        def pieces() -> Iterator[memoryview]:
            return _from_source(proven(descriptor, source(), what))

        while True:
            location, minimum = self._begin(descriptor, what)
            try:
                if chunked or minimum:
                    Chunks(self._remote, descriptor, pieces, what, minimum).send(location)
                    return
                answer = self._put_whole(location, descriptor, pieces, what)
                if answer.status in {201, 204}:
                    answer.read(0)
                    return
                error, hint = self._refused(answer, what)
                chunked = answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            except WireError as exc:
                error, hint = exc, None
                if not exc.retryable:
                    raise
            except _SourceFailed as exc:  # It has tried again by itself as often as makes sense.
                self._cancel(location)
                raise exc.error from exc.error.__cause__
            except ImgtrustError:
                self._cancel(location)
                raise
            if chunked:
                self._cancel(location)
            attempts.again(error, hint)

    def mount(self, descriptor: Descriptor, origin: RegistryRepository) -> bool:
        """Have the registry take a blob over from another of its repositories; False where it did not.

        The token has to cover both repositories; a registry that refuses that is asked without mount later on.
        """
        what = self._remote.what(f"blob {descriptor.digest}")
        target = f"blobs/uploads/?mount={descriptor.digest}&from={origin.path}"
        try:
            answer = self._remote.ask(
                "POST",
                target,
                f"mounting {what}",
                write=True,
                also=frozenset({pull(origin.path)}),
                headers={"Content-Length": "0"},
                accept=(201, 202, 400, 405, 415),
            )
        except (AccessDenied, NotFound) as exc:
            _log.info("mounting %s from %s was refused: %s", what, origin, exc)
            return False
        location = answer.header("Location")
        answer.close()
        if answer.status == HTTPStatus.ACCEPTED and location is not None:
            self._cancel(self._address(location))
        return answer.status == HTTPStatus.CREATED

    def _begin(self, descriptor: Descriptor, what: str) -> tuple[str, int]:
        """Open an upload: the address that the bytes go to, and the smallest chunk where the registry wants chunks."""
        algorithm = descriptor.digest.algorithm
        query = "" if algorithm == "sha256" else f"?digest-algorithm={algorithm}"
        answer = self._remote.ask(
            "POST",
            f"blobs/uploads/{query}",
            f"uploading {what}",
            write=True,
            headers={"Content-Length": "0"},
            accept=(202,),
        )
        location, minimum = answer.header("Location"), answer.header("OCI-Chunk-Min-Length") or ""
        answer.close()
        if location is None:
            message = f"uploading {what}: the registry opened an upload without saying where (no Location)"
            raise StoreProtocol(message)
        smallest = int(minimum) if minimum.isdigit() and len(minimum) <= _DIGITS else 0
        if smallest > _MAX_MINIMUM:
            message = (
                f"uploading {what}: the registry wants chunks of {smallest} bytes, at most {_MAX_MINIMUM} are held"
            )
            raise StoreProtocol(message)
        return self._address(location), smallest

    def _put_whole(self, location: str, descriptor: Descriptor, pieces: BlobSource, what: str) -> Answer:
        """Send all bytes with one PUT; retried above, from a new upload on."""
        if descriptor.size == 0:
            list(pieces())
        return self._remote.ask(
            "PUT",
            with_digest(location, descriptor),
            f"uploading {what}",
            write=True,
            headers={"Content-Type": _BINARY},
            body=Body(descriptor.size, pieces),
            accept=(201, 204, 400, 404, 413, 416, *RETRYABLE),
            retry=False,
        )

    def _refused(self, answer: Answer, what: str) -> tuple[StoreError, float | None]:
        """The error for an upload that was not taken; raised at once where trying again will not help."""
        hint = retry_after(answer.header("Retry-After"), self._remote.endpoint.waiter.wall())
        credentials = self._remote.endpoint.auth.describe(self._remote.repository.path)
        error = failure(complaint_of(answer), f"uploading {what}", credentials)
        if answer.status not in RETRYABLE and answer.status not in {404, 413, 416}:
            raise error
        return error, hint

    def _address(self, location: str) -> str:
        endpoint = self._remote.endpoint
        base = f"{endpoint.base}/v2/{self._remote.repository.path}/blobs/uploads/"
        return resolve_address(base, location, plain_http=endpoint.options.plain_http, what="an upload")

    def _cancel(self, location: str) -> None:
        """Drop an upload; registries also do so by themselves after a while."""
        try:
            accept = (200, 202, 204, 400, 404, 405)
            self._remote.ask("DELETE", location, "cancelling an upload", write=True, accept=accept, retry=False).close()
        except (StoreUnavailable, StoreError) as exc:
            _log.info("an upload could not be cancelled: %s", exc)


class _SourceFailed(Exception):
    """The bytes could not be had; not the registry's failure that they are sent to."""

    def __init__(self, error: ImgtrustError) -> None:
        super().__init__(str(error))
        self.error = error


def _from_source(pieces: HashedPieces) -> Iterator[memoryview]:
    """The same pieces; their failures are told apart from those of the upload."""
    try:
        yield from pieces
    except ImgtrustError as exc:
        raise _SourceFailed(exc) from exc
    finally:
        pieces.close()


def with_digest(location: str, descriptor: Descriptor) -> str:
    """The address that completes an upload: the registry's own query is kept."""
    return f"{location}{'&' if urlsplit(location).query else '?'}digest={descriptor.digest}"
