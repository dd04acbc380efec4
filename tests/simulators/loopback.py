"""A small HTTP/1.1 server on loopback whose answers can be spoiled. Knows HTTP; what is answered comes from a handler.

The base of the other simulators: every request is kept in a log, and faults are injected by method and path.
"""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Fault", "Loopback", "Reply", "Request"]


@dataclass(frozen=True)
class Request:
    """What a client sent, whole. ``headers`` have lower-case names."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = field(repr=False)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a parameter of the query."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """What is answered.

    ``cut`` closes the connection after so many bytes of the body, although more were promised; ``drip``
    sends the body in pieces of one byte with that many seconds between them.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    cut: int | None = None
    drip: float | None = None

    def with_header(self, name: str, value: str | None) -> Reply:
        """The same with a header set, or without it."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Fault:
    """A spoiled answer for requests that match; ``times`` None means always, ``skip`` lets the first ones pass.

    ``reply`` takes the place of the answer, ``change`` alters it, ``close`` hangs up before any answer,
    ``delay`` waits (in seconds) before it.
    """

    path: str = ""
    method: str = ""
    times: int | None = 1
    skip: int = 0
    reply: Reply | None = None
    change: Callable[[Reply], Reply] | None = None
    close: bool = False
    delay: float = 0.0

    def matches(self, request: Request) -> bool:
        """Whether this fault is due for a request; counts."""
        if self.times == 0 or self.method not in {"", request.method} or re.search(self.path, request.path) is None:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Loopback:
    """A server on a free port of 127.0.0.1, running inside ``with``."""

    def __init__(
        self,
        handle: Callable[[Request], Reply] | None = None,
        *,
        latency: float = 0.0,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """``latency`` in seconds is waited before each answer; ``certificate`` and ``key`` (PEM) mean TLS."""
        self._handle = handle or (lambda _request: Reply(404))
        self.latency = latency
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self._server.context = context
            self._scheme = "https"
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def base(self) -> str:
        """The address of the server, without a path."""
        return f"{self._scheme}://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def fault(self, path: str = "", method: str = "", **what: Any) -> Fault:
        """Inject a fault; see ``Fault``."""
        made = Fault(path, method, **what)
        with self._lock:
            self.faults.append(made)
        return made

    def asked(self, path: str = "", method: str = "") -> list[Request]:
        """The requests so far that match."""
        with self._lock:
            return [r for r in self.requests if method in {"", r.method} and re.search(path, r.path)]

    def answer(self, request: Request) -> Reply | None:
        """The answer to a request, spoiled where a fault is due; None hangs up."""
        with self._lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.matches(request)), None)
        delay = self.latency + (0.0 if fault is None else fault.delay)
        if delay:
            time.sleep(delay)
        if fault is None:
            return self._handle(request)
        if fault.close:
            return None
        reply = self._handle(request) if fault.reply is None else fault.reply
        return reply if fault.change is None else fault.change(reply)


class _Server(socketserver.ThreadingTCPServer):
    """Threads for connections, all of which can be hung up."""

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, loopback: Loopback) -> None:
        self.loopback = loopback
        self.context: ssl.SSLContext | None = None
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Keep each connection while it is served; the TLS handshake is made here, in its own thread."""
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                request.close()
                return
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def hang_up(self) -> None:
        """End connections that clients keep open."""
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Reads a request whole, asks the simulator, writes the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: _Server

    def handle_one_request(self) -> None:
        """Serve one request; a connection that breaks is simply over."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = b"".join(self._chunked()) if "transfer-encoding" in headers else b""
        wanted = int(headers.get("content-length", "0"))
        body = body or self.rfile.read(wanted)
        if len(body) < wanted:
            self.close_connection = True
            return
        query = parse_qs(parts.query, keep_blank_values=True)
        reply = self.server.loopback.answer(Request(self.command, parts.path, query, headers, body))
        if reply is None:
            self.close_connection = True
            return
        self._send(reply)

    def _chunked(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.header("Content-Length") is None and reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            if reply.drip is not None:
                for byte in reply.body:
                    self.wfile.write(bytes((byte,)))
                    self.wfile.flush()
                    time.sleep(reply.drip)
            else:
                self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
        self.wfile.flush()
        if reply.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Be quiet; ``Loopback.requests`` is the log."""
