"""HTTP over urllib3: connections, TLS, proxies and time-outs, one call and one answer at a time.

Knows sockets and certificates; knows nothing of registries, credentials, redirects and retries, all of which are
above it. Bodies are neither decoded nor buffered: 1 MiB at a time, which is as fast as http.client (the
benchmarks measure it), and each piece is counted, so that a body that trickles is given up.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import urllib3
from urllib3 import exceptions as faults

from imgtrust.errors import InputFileError, StoreProtocol, TimedOut
from imgtrust.stores.addresses import is_loopback, origin_of
from imgtrust.stores.proxies import proxy_for
from imgtrust.stores.wire import Body, WireError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imgtrust.stores.addresses import Origin
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.wire import Call

__all__ = ["PIECE", "UrllibAnswer", "UrllibWire"]

PIECE: Final = 1024 * 1024
"""How much of a body is asked for at once, in bytes."""
_TLS_PIECE: Final = 64 * 1024
"""The same over TLS, whose records bring 16 KiB at most; larger buffers would be allocated in vain."""
_SLOWEST: Final = 1024.0
"""Bytes a second that a body must bring on average once the time-out of an answer has passed."""
_DRAIN: Final = 64 * 1024
_CONNECT: Final = 10.0


class UrllibAnswer:
    """An ``Answer`` over a urllib3 response."""

    def __init__(self, response: urllib3.BaseHTTPResponse, where: str, options: StoreOptions) -> None:
        """``where`` names the server in messages."""
        self._response = response
        self._where = where
        self._options = options
        self.status: int = response.status

    def header(self, name: str) -> str | None:
        """See ``Answer``."""
        value: str | None = self._response.headers.get(name)
        return value

    def headers(self, name: str) -> tuple[str, ...]:
        """See ``Answer``."""
        return tuple(self._response.headers.getlist(name))

    def read(self, limit: int) -> bytes:
        """See ``Answer``."""
        found: list[bytes] = []
        size = 0
        try:
            for piece in self.pieces():
                found.append(piece)
                size += len(piece)
                if size > limit:
                    break
        finally:
            self.close()
        return b"".join(found)[: limit + 1] if len(found) != 1 else found[0][: limit + 1]

    def pieces(self) -> Iterator[bytes]:
        """See ``Answer``; the time that the consumer takes between pieces does not count."""
        spent, size, timeout = 0.0, 0, self._options.timeout
        piece_size = _TLS_PIECE if self._where.startswith("https") else PIECE
        while True:
            begun = time.monotonic()
            try:
                piece: bytes = self._response.read1(piece_size, decode_content=False)
            except faults.HTTPError as exc:
                raise _broken(exc, self._where, timeout) from exc
            now = time.monotonic()
            if not piece:
                self._response.release_conn()
                return
            spent += now - begun
            size += len(piece)
            if spent > timeout and size < spent * _SLOWEST:
                self._response.close()
                message = f"{self._where}: only {size} bytes came in {spent:.0f} s; given up as too slow"
                raise WireError(message)
            if self._options.deadline is not None and now >= self._options.deadline:
                self._response.close()
                raise _late(self._where)
            yield piece

    def close(self) -> None:
        """See ``Answer``: what little is already here is read, otherwise the connection is closed."""
        left = self._response.length_remaining
        if left is not None and left <= _DRAIN and not self._response.closed:
            with suppress(faults.HTTPError):  # Then the connection is broken, and closed by urllib3.
                self._response.read1(_DRAIN, decode_content=False)
        if self._response.length_remaining != 0 and not self._response.closed:
            self._response.close()
        self._response.release_conn()


class UrllibWire:
    """A ``Wire`` for one registry, with the hosts that it redirects to."""

    def __init__(self, home: str, options: StoreOptions) -> None:
        """``home`` is the registry's own host: the only one that is shown a client certificate."""
        self._home = home
        self._options = options
        self._lock = threading.Lock()
        self._pools: dict[Origin, urllib3.HTTPConnectionPool] = {}
        self._managers: list[urllib3.ProxyManager] = []

    def send(self, call: Call) -> UrllibAnswer:
        """See ``Wire``."""
        origin = origin_of(call.url)
        where = origin.base
        timeout = self._options.timeout
        if self._options.deadline is not None:
            left = self._options.deadline - time.monotonic()
            if left <= 0:
                raise _late(where)
            timeout = min(timeout, left)
        body: bytes | Iterable[memoryview] | None = None
        headers = {"Accept-Encoding": "identity", **call.headers}
        if isinstance(call.body, Body):
            headers["Content-Length"] = str(call.body.length)
            body = call.body.open() if call.body.length else b""
        elif call.body is not None:
            headers["Content-Length"] = str(len(call.body))
            body = call.body
        target = call.url[call.url.index("/", len(origin.scheme) + 3) :] if call.url.count("/") > 2 else "/"  # noqa: PLR2004 - the two of ://
        try:
            response = self._pool(origin).urlopen(
                call.method,
                target.partition("#")[0],
                body=body,  # type: ignore[arg-type]  # an iterable of buffers is sent piece by piece
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=min(timeout, _CONNECT), read=timeout),
                preload_content=False,
                decode_content=False,
            )
        except (faults.HTTPError, OSError) as exc:
            if self._options.deadline is not None and time.monotonic() >= self._options.deadline:
                raise _late(where) from exc
            raise _broken(exc, where, timeout) from exc
        return UrllibAnswer(response, where, self._options)

    def close(self) -> None:
        """See ``Wire``."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
            managers, self._managers = self._managers, []
        for pool in pools:
            pool.close()
        for manager in managers:
            manager.clear()

    def _pool(self, origin: Origin) -> urllib3.HTTPConnectionPool:
        """The connections to an origin; made once, shared by all threads."""
        pool = self._pools.get(origin)
        if pool is None:
            with self._lock:
                pool = self._pools.get(origin)
                if pool is None:
                    pool = self._pools[origin] = self._new_pool(origin)
        return pool

    def _new_pool(self, origin: Origin) -> urllib3.HTTPConnectionPool:
        size = max(4, self._options.jobs * 2)
        if origin.scheme == "http":
            return urllib3.HTTPConnectionPool(origin.host, origin.port, maxsize=size)
        own = origin.base.partition("://")[2] == self._home
        context = tls_context(self._options, client=own)
        proxy = proxy_for(origin, self._options.environment)
        if proxy is None:
            return urllib3.HTTPSConnectionPool(origin.host, origin.port, maxsize=size, ssl_context=context)
        try:
            user = urllib3.util.parse_url(proxy).auth
            headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
            manager = urllib3.ProxyManager(proxy, maxsize=size, proxy_headers=headers, ssl_context=context)
        except (faults.HTTPError, ValueError) as exc:
            message = "HTTPS_PROXY does not name a proxy; expected http://HOST:PORT"
            raise InputFileError(message) from exc
        self._managers.append(manager)
        return manager.connection_from_host(origin.host, origin.port, scheme="https")


def tls_context(options: StoreOptions, *, client: bool) -> ssl.SSLContext:
    """TLS with verification, always: the system's anchors (or SSL_CERT_FILE) and ``ca_file`` beside them.

    Raises:
        InputFileError: a file that the user named cannot be read or is not PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    named = options.environment.get("SSL_CERT_FILE")
    try:
        if named:
            context.load_verify_locations(named)
        else:
            context.load_default_certs()
        if options.ca_file:
            context.load_verify_locations(options.ca_file)
        if client and options.client_cert:
            context.load_cert_chain(options.client_cert, options.client_key)
    except (OSError, ssl.SSLError) as exc:
        files = ", ".join(filter(None, (named, options.ca_file, options.client_cert, options.client_key)))
        message = f"expected PEM certificates and key for TLS ({os.fspath(files)}): {exc}"
        raise InputFileError(message) from exc
    return context


def speaks_tls(host: str, options: StoreOptions) -> bool:
    """Whether a loopback registry for which certificates were given really speaks TLS.

    Only asked where ``ca_file``, ``client_cert`` or SSL_CERT_FILE is set: loopback is plain HTTP otherwise. The
    question trusts nobody (no anchor is loaded, which takes longer than a small verification), so a certificate that
    does not verify is the yes; nothing is sent over this connection.
    """
    if not is_loopback(host) or not (
        options.ca_file or options.client_cert or options.environment.get("SSL_CERT_FILE")
    ):
        return False
    origin = origin_of(f"https://{host}")
    connection = urllib3.connection.HTTPSConnection(
        origin.host, origin.port, timeout=_CONNECT, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    try:
        connection.connect()
    except (faults.HTTPError, OSError) as exc:
        return isinstance(exc, ssl.SSLCertVerificationError)
    finally:
        connection.close()
    return True


def _late(where: str) -> TimedOut:
    return TimedOut(f"{where}: the time given with --timeout ran out before there was an answer")


def _broken(exc: BaseException, where: str, timeout: float) -> WireError | StoreProtocol:  # noqa: PLR0911 - a table
    """urllib3's exceptions in our words; none of urllib3's own messages, which may hold a whole address."""
    match exc:
        case faults.NameResolutionError():
            return WireError(f"{where}: there is no host of that name (or DNS does not answer)")
        case faults.ConnectTimeoutError() if not isinstance(exc, faults.NewConnectionError):
            return WireError(f"{where}: no connection within {min(timeout, _CONNECT):g} s")
        case faults.NewConnectionError():
            return WireError(f"{where}: the connection was refused; is a registry listening there?")
        case faults.ProxyError():
            return WireError(f"{where}: the proxy named by HTTPS_PROXY could not connect")
        case faults.ReadTimeoutError() | TimeoutError():
            return WireError(f"{where}: no answer within {timeout:g} s")
        case faults.SSLError():
            return _untrusted(exc, where)
        case faults.LocationValueError() | faults.InvalidHeader():
            return StoreProtocol(f"{where}: an answer with an address or a header that cannot be read")
    return WireError(f"{where}: the connection was closed before the answer was complete")


def _untrusted(exc: faults.SSLError, where: str) -> WireError:
    """TLS failures: a certificate that does not verify stays so."""
    cause = exc.args[0] if exc.args else exc
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = cause.verify_message
        return WireError(
            f"{where}: the certificate does not verify ({reason}); an authority of your own is named with --ca-file",
            retryable=False,
        )
    text = str(cause).upper()
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text or "RECORD_LAYER" in text:
        return WireError(
            f"{where}: it does not speak TLS; plain HTTP has to be allowed with --plain-http", retryable=False
        )
    return WireError(f"{where}: TLS failed ({type(cause).__name__}: {getattr(cause, 'reason', None)})")
