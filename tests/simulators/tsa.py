"""A time-stamp authority over HTTP on loopback, with faults. Knows RFC 3161 through ``LocalAuthority``.

It stands for any authority that ``--tsa`` may name: a good one, and one that is slow, dead, broken or dishonest.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from imgtrust.signers.authority import LocalAuthority, read_query

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from imgtrust.signers.authority import TimeQuery

__all__ = ["Fault", "Tsa", "serve_tsa"]


class Fault(StrEnum):
    """What the authority does wrong."""

    SLOW = "never answers"
    DRIP = "sends a byte now and then"
    CLOSED = "closes the connection without an answer"
    RESET = "resets the connection in the middle of the answer"
    HTML = "answers 200 with a page"
    EMPTY = "answers 200 with nothing"
    HUGE = "answers without end"
    BUSY = "answers 503"
    RATE = "answers 429 and says when to come back"
    FORBIDDEN = "answers 403"
    MOVED = "redirects"
    REJECTED = "answers that it grants nothing"
    IMPRINT = "stamps something else"
    NONCE = "answers with another nonce"
    NO_NONCE = "answers without the nonce"
    REPLAY = "answers with an older token of its own"
    STRANGER = "answers with a good token of another authority"
    FUTURE = "is an hour ahead"
    TRUNCATED = "answers with half a token"
    NO_CERTIFICATES = "leaves its certificates out although they were asked for"


_CHANGES: Final[dict[Fault, Callable[[TimeQuery], TimeQuery]]] = {
    Fault.IMPRINT: lambda query: replace(query, imprint=bytes(len(query.imprint))),
    Fault.NONCE: lambda query: replace(query, nonce=(query.nonce or 0) + 1),
    Fault.NO_NONCE: lambda query: replace(query, nonce=None),
    Fault.REPLAY: lambda query: replace(query, nonce=(query.nonce or 0) ^ 1),
    Fault.NO_CERTIFICATES: lambda query: replace(query, certificates=False),
}
"""What is asked of the authority in place of what the client asked."""

_PAGES: Final[dict[Fault, tuple[int, bytes, str, tuple[str, str]]]] = {
    Fault.HTML: (200, b"<html>Sign in to the guest network</html>", "text/html", ("X-Page", "login")),
    Fault.EMPTY: (200, b"", "application/timestamp-reply", ("X-Page", "none")),
    Fault.BUSY: (503, b"busy", "text/plain", ("X-Page", "busy")),
    Fault.RATE: (429, b"slow down", "text/plain", ("Retry-After", "7")),
    Fault.FORBIDDEN: (403, b"no", "text/plain", ("X-Page", "no")),
    Fault.MOVED: (302, b"", "text/plain", ("Location", "https://elsewhere.invalid/tsa")),
}
"""Answers that hold no token: status, body, media type and a header."""


class Tsa:
    """A running authority. ``faults`` are done one after the other, one for each request; then it is honest.

    ``requests`` counts what was asked. ``authority`` has the anchors.
    """

    def __init__(self, url: str, authority: LocalAuthority) -> None:
        self.url = url
        self.authority = authority
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.requests = 0
        self.bodies: list[bytes] = []
        self.stranger = LocalAuthority(lambda: datetime.now(UTC), name="stranger")
        self._ahead = LocalAuthority(lambda: datetime.now(UTC) + timedelta(hours=1))
        self.released = threading.Event()
        self._lock = threading.Lock()

    def next_fault(self) -> Fault | None:
        """What is done to the request that just came."""
        with self._lock:
            self.requests += 1
            return self.faults.pop(0) if self.faults else self.always

    def answer(self, request: bytes, fault: Fault | None) -> bytes:
        """The bytes of the answer to a request, right or wrong."""
        query = read_query(request)
        if fault is Fault.REJECTED:
            return self.authority.refuse("not today")
        if fault is Fault.TRUNCATED:
            return self.authority.issue(query)[:200]
        if fault is None:
            return self.authority.issue(query)
        signer = {Fault.STRANGER: self.stranger, Fault.FUTURE: self._ahead}.get(fault, self.authority)
        change = _CHANGES.get(fault)
        return signer.issue(query if change is None else change(query))


@contextlib.contextmanager
def serve_tsa(
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    authority: LocalAuthority | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Tsa]:
    """Run an authority on a free port for the length of a ``with`` block."""
    tsa = Tsa("", authority or LocalAuthority(clock, name="simulated authority"))
    server = _Server(("127.0.0.1", 0), _handler(tsa))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    tsa.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/tsa"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield tsa
    finally:
        tsa.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """Threads end with their connections, and nobody reads about broken pipes."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what many of these tests are about."""


def _handler(tsa: Tsa) -> type[BaseHTTPRequestHandler]:
    """The handler of one authority."""
    return type("Handler", (_Handler,), {"tsa": tsa})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tsa: Tsa

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.tsa.bodies.append(body)
        fault = self.tsa.next_fault()
        if fault in _PAGES:
            self._send(*_PAGES[fault])
        elif fault in {Fault.SLOW, Fault.CLOSED}:
            self.close_connection = True
            if fault is Fault.SLOW:
                self.tsa.released.wait(30)
        elif fault is Fault.RESET:
            self._reset()
        elif fault in {Fault.HUGE, Fault.DRIP}:
            self._endless(b"0" * 65536 if fault is Fault.HUGE else b"0", 0.0 if fault is Fault.HUGE else 0.02)
        else:
            self._send(200, self.tsa.answer(body, fault))

    def _send(
        self, status: int, body: bytes, kind: str = "application/timestamp-reply", header: tuple[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if header is not None:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def _endless(self, piece: bytes, pause: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.close_connection = True
        for _ in range(5000):
            self.wfile.write(piece)
            if self.tsa.released.wait(pause):
                return

    def _reset(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b"0123")
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""
