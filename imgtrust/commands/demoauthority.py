"""The throw-away time-stamp authority behind a loopback address, so that the demo asks it as one asks a real one.

Knows how RFC 3161 travels over HTTP; the tokens are ``signers.authority``'s. It listens on 127.0.0.1 only.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from imgtrust.signers.authority import LocalAuthority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

__all__ = ["DemoAuthority", "demo_authority"]

_NAME: Final = "demo TSA"
_LIMIT: Final = 64 * 1024


class DemoAuthority:
    """A running authority. Its ``clock`` can be set, which is how the demo has a release that is months old."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Make its certificates; they live as long as this object."""
        self.clock = clock
        self.local = LocalAuthority(self._now, name=_NAME)
        self.url = ""

    def _now(self) -> datetime:
        """What the clock says at this moment, whichever clock is set."""
        return self.clock()

    @property
    def pem(self) -> bytes:
        """The chain to trust, as ``tsa_roots`` of a policy reads it."""
        return self.local.pem


@contextmanager
def demo_authority(clock: Callable[[], datetime]) -> Iterator[DemoAuthority]:
    """An authority that answers on a free port of 127.0.0.1 for the length of a ``with`` block.

    Raises:
        OSError: no port can be opened.
    """
    authority = DemoAuthority(clock)

    class Handler(BaseHTTPRequestHandler):
        """Answers time-stamp requests, and nothing else."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """One request, one token."""
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > _LIMIT:
                self.send_error(413)
                return
            answer = authority.local.respond(self.rfile.read(int(length)))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server calls
            """The demo tells its own story."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
