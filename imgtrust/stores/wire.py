"""The narrow port between the registry client and HTTP: one call, one answer. Pure.

Knows what a request is made of; knows nothing of sockets, credentials and registries. ``transport`` answers it
with urllib3; a test may answer it from memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from imgtrust.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from imgtrust.stores.port import BlobSource

__all__ = ["Answer", "Body", "Call", "HeldAnswer", "Wire", "WireError"]


class WireError(StoreUnavailable):
    """No answer, or not all of it: connection refused or closed, time-out, TLS.

    ``retryable`` says whether asking again may help (a certificate that does not verify stays so).
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        """Keep the flag beside the message."""
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is opened anew for each try; ``length`` in bytes is sent as Content-Length."""

    length: int
    open: BlobSource = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an absolute address. ``headers`` may hold credentials and are never shown."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | Body | None = field(default=None, repr=False)


class Answer(Protocol):
    """A status, headers and a body that is still on its way; it must be read to its end or closed."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    def header(self, name: str) -> str | None:
        """The value of a header (several are joined with a comma), or None."""
        ...

    def headers(self, name: str) -> tuple[str, ...]:
        """Each value of a header that may be repeated."""
        ...

    def read(self, limit: int) -> bytes:
        """The body, at most ``limit`` + 1 bytes of it, as sent; the answer is closed by this.

        Raises:
            WireError: it ended early or came too slowly.
        """
        ...

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces, as sent; the connection is given back at its end.

        Raises:
            WireError: it ended early or came too slowly.
        """
        ...

    def close(self) -> None:
        """Give the connection back; what was not read is dropped."""
        ...


class HeldAnswer:
    """An answer whose body is already here, all of it or ``limit`` + 1 bytes."""

    def __init__(self, answer: Answer, limit: int) -> None:
        """Read ``answer`` and close it.

        Raises:
            WireError: its body ended early or came too slowly.
        """
        self.status = answer.status
        self._answer = answer
        self._data = answer.read(limit)

    def header(self, name: str) -> str | None:
        """See ``Answer``."""
        return self._answer.header(name)

    def headers(self, name: str) -> tuple[str, ...]:
        """See ``Answer``."""
        return self._answer.headers(name)

    def read(self, limit: int) -> bytes:
        """See ``Answer``."""
        return self._data[: limit + 1]

    def pieces(self) -> Iterator[bytes]:
        """See ``Answer``."""
        yield self._data

    def close(self) -> None:
        """Nothing is open any more."""


class Wire(Protocol):
    """What sends calls."""

    def send(self, call: Call) -> Answer:
        """Send once; redirects and failures are the caller's business.

        Raises:
            WireError: there was no answer.
            TimedOut: the deadline of the whole command has passed.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
