"""How the services that signing needs are asked over HTTP: bounded in time, in size and in tries.

Knows connections, proxies and retries; knows nothing of what is asked. Sigstore's own clients for Fulcio and Rekor
have neither a time-out nor a second try, and lose what the service said, so they are not used.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from imgtrust.signers.addresses import LOOPBACK, check_address
from imgtrust.signers.material import NO_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import urllib3

__all__ = ["AHEAD", "Answer", "NoAnswer", "Unusable", "Wire", "WireOptions", "proxy_for"]

AHEAD: Final = timedelta(minutes=5)
"""How far the clock of a service may be ahead of this machine's when what it says is fresh."""
_LONGEST_WAIT: Final = 10.0
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_PIECE: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class WireOptions:
    """How a service is reached.

    ``timeout``: seconds for one whole answer. ``deadline``: a ``time.monotonic()`` after which no try is begun.
    ``tries``: how often a service is asked that does not answer. ``ca_file``, ``client_cert``, ``client_key``: PEM
    paths for TLS. ``environment``: HTTPS_PROXY and NO_PROXY. ``sleep``: for callers that wait otherwise.
    """

    timeout: float = 10.0
    deadline: float | None = None
    tries: int = 3
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT, repr=False)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: status, media type, body, and where it points to."""

    status: int
    kind: str
    body: bytes = field(repr=False)
    location: str | None = None


class NoAnswer(Exception):
    """A service did not answer after ``tries``; the message says why the last one failed, and may be shown."""

    def __init__(self, message: str, tries: int) -> None:
        super().__init__(message)
        self.tries = tries


class Unusable(Exception):
    """A service answered what is not read to its end; the message may be shown."""


class _TryAgain(Exception):
    """A try failed in a way that another may not."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Wire:
    """One service at a URL (https, or http to loopback); safe to use from several threads."""

    def __init__(self, url: str, what: str, options: WireOptions) -> None:
        """Nothing is asked yet; ``what`` names the service in messages.

        Raises:
            UsageError: the URL is not one that is used.
        """
        self.host = check_address(url, what)
        self.url = url
        self._options = options
        self._lock = threading.Lock()
        self._pool: urllib3.PoolManager | None = None

    def send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit: int) -> Answer:
        """The answer to a request, of at most ``limit`` bytes; redirects are not followed.

        Raises:
            NoAnswer: none after the tries; 408, 429 and 5xx count as none.
            Unusable: it is too long.
        """
        wait = 0.25
        last = "it was not asked"
        for number in range(1, self._options.tries + 1):
            try:
                return self._try(method, url, body, headers, limit)
            except _TryAgain as exc:
                last = str(exc)
                pause = min(exc.after if exc.after is not None else wait, _LONGEST_WAIT)
                deadline = self._options.deadline
                if number == self._options.tries or (deadline is not None and time.monotonic() + pause >= deadline):
                    raise NoAnswer(last, number) from exc
                self._options.sleep(pause)
                wait *= 2
        raise NoAnswer(last, 0)

    def close(self) -> None:
        """Give back the connections."""
        if self._pool is not None:
            self._pool.clear()

    def _try(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit: int) -> Answer:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - only where a service is asked

        end = time.monotonic() + self._options.timeout
        try:
            response = self._connections().request(
                method,
                url,
                body=body,
                headers=dict(headers),
                preload_content=False,
                redirect=False,
                retries=False,
                timeout=self._options.timeout,
            )
            try:
                return self._read(response, end, limit)
            finally:
                response.close()
        except (HTTPError, OSError) as exc:
            raise _TryAgain(_reason(exc)) from exc

    def _read(self, response: urllib3.BaseHTTPResponse, end: float, limit: int) -> Answer:
        """The body, bounded in size and in time."""
        kind = response.headers.get("Content-Type", "no media type")[:64]
        if response.status in _RETRIED:
            refusal = f"it answered {response.status}"
            raise _TryAgain(refusal, _after(response.headers.get("Retry-After")))
        body = bytearray()
        while piece := response.read1(_PIECE, decode_content=False):
            body += piece
            if len(body) > limit:
                message = f"its answer has more than {limit} bytes"
                raise Unusable(message)
            if time.monotonic() > end:
                late = f"its answer was not complete after {self._options.timeout:g} s"
                raise _TryAgain(late)
        return Answer(response.status, kind, bytes(body), response.headers.get("Location"))

    def _connections(self) -> urllib3.PoolManager:
        """One pool for all threads, made at the first use."""
        with self._lock:
            if self._pool is None:
                self._pool = _pool(self.host, self.url, self._options)
            return self._pool


def _pool(host: str, url: str, options: WireOptions) -> urllib3.PoolManager:
    import urllib3  # noqa: PLC0415 - only where a service is asked

    ca, cert, key = options.ca_file, options.client_cert, options.client_key
    proxy = proxy_for(host, options.environment) if url.startswith("https:") else None
    if proxy is None:
        return urllib3.PoolManager(maxsize=8, ca_certs=ca, cert_file=cert, key_file=key)
    return urllib3.ProxyManager(proxy, maxsize=8, ca_certs=ca, cert_file=cert, key_file=key)


def proxy_for(host: str, environment: Mapping[str, str]) -> str | None:
    """The proxy for a host, as curl and Go read the variables; never for loopback."""
    found = environment.get("HTTPS_PROXY") or environment.get("https_proxy")
    bare = urlsplit(f"//{host}").hostname or ""
    if not found or bare in LOOPBACK:
        return None
    excluded = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    for entry in (item.strip().lower().removeprefix("*").lstrip(".") for item in excluded.split(",")):
        name = entry.partition(":")[0]
        if entry in {bare, host.lower()} or (name and f".{bare}".endswith(f".{name}")):
            return None
        if not entry and "*" in excluded:
            return None
    return found


def _after(text: str | None) -> float | None:
    """Retry-After in seconds; a date is not read, the own pace is kept then."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _reason(exc: Exception) -> str:
    """What went wrong, without the object addresses that urllib3 puts into its messages."""
    text = str(exc.__cause__ or exc)
    return text.rpartition(">: ")[2] or type(exc).__name__
