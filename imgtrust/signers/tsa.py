"""A client of time-stamp authorities over HTTP (RFC 3161, section 3.4).

Knows how a token is asked for, and hands none on that was not checked; must not decide which authority is believed:
the anchors are given.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from imgtrust.errors import Refused, TimestampError, UsageError
from imgtrust.signers.material import NO_ENVIRONMENT
from imgtrust.trust.times import check_response, verify_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import urllib3

    from imgtrust.trust.times import TimestampAuthority

__all__ = ["MAX_ANSWER", "HttpTimestamper", "TsaOptions"]

MAX_ANSWER: Final = 256 * 1024
"""The largest answer that is read, in bytes; a token with a chain of four RSA certificates has 10 kB."""
_AHEAD: Final = timedelta(minutes=5)
"""How far an authority's clock may be ahead of this machine's when a token is fresh."""
_LONGEST_WAIT: Final = 10.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_OK: Final = 200
_PIECE: Final = 16 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TsaOptions:
    """How authorities are reached.

    ``timeout``: seconds for one whole answer. ``deadline``: a ``time.monotonic()`` after which no try is begun.
    ``tries``: how often an authority is asked that does not answer. ``certificates``: ask for the chain in the token
    (certReq), so that it verifies under a root alone. ``ca_file``, ``client_cert``, ``client_key``: PEM paths for TLS.
    ``environment``: HTTPS_PROXY and NO_PROXY. ``clock`` and ``sleep``: for tests and for callers that wait otherwise.
    """

    timeout: float = 10.0
    deadline: float | None = None
    tries: int = 3
    certificates: bool = True
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT, repr=False)
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep


class _TryAgain(Exception):
    """A try failed in a way that another may not; the message may be shown."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class HttpTimestamper:
    """A ``Timestamper`` at a URL (https, or http to loopback); safe to use from several threads.

    ``authorities`` are the anchors under which each token is verified before it is returned; with none, a token is
    checked for what it says only, and whoever judges it later decides.
    """

    def __init__(self, url: str, options: TsaOptions, authorities: Sequence[TimestampAuthority] = ()) -> None:
        """Nothing is asked yet.

        Raises:
            UsageError: the URL is not one that is used.
        """
        self._host = _host(url)
        self._url = url
        self._options = options
        self._authorities = tuple(authorities)
        self._lock = threading.Lock()
        self._pool: urllib3.PoolManager | None = None

    @property
    def name(self) -> str:
        """The host (and port) of the URL."""
        return self._host

    def stamp(self, message: bytes) -> bytes:
        """A DER TimeStampResp over sha256 of the message, asked for with a fresh nonce, and checked.

        Raises:
            TimestampError: no answer after the tries, not a token over this message and nonce, or one that does not
                verify under the authorities given.
        """
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - only where a TSA is asked

        request = (
            TimestampRequestBuilder()
            .data(message)
            .hash_algorithm(HashAlgorithm.SHA256)
            .cert_request(cert_request=self._options.certificates)
            .nonce(nonce=True)
            .build()
        )
        answer, kind = self._ask(request.as_bytes())
        try:
            stamped = check_response(answer, message, request.nonce)
            now = self._options.clock()
            if stamped > now + _AHEAD:
                text = f"its time {stamped:%Y-%m-%d %H:%M:%S}Z is ahead of this machine's {now:%Y-%m-%d %H:%M:%S}Z"
                raise TimestampError(self._said(text))
            if self._authorities:
                verify_timestamp(answer, [message], self._authorities, at=max(now, stamped))
        except Refused as exc:
            raise TimestampError(self._said(f"{exc.reason} ({kind}, {len(answer)} bytes)")) from exc
        return answer

    def close(self) -> None:
        """Give back the connections."""
        if self._pool is not None:
            self._pool.clear()

    def _said(self, reason: str) -> str:
        return f"the time-stamp authority {self._url} gave no token that can be used: {reason}"

    def _ask(self, request: bytes) -> tuple[bytes, str]:
        """The answer and its media type, after at most ``tries``."""
        wait = 0.25
        for left in reversed(range(self._options.tries)):
            try:
                return self._try(request)
            except _TryAgain as exc:
                pause = min(exc.after if exc.after is not None else wait, _LONGEST_WAIT)
                deadline = self._options.deadline
                if not left or (deadline is not None and time.monotonic() + pause >= deadline):
                    text = (
                        f"the time-stamp authority {self._url} did not answer, {self._options.tries - left} times: "
                        f"{exc}; nothing was signed without a time, run it again"
                    )
                    raise TimestampError(text) from exc
                self._options.sleep(pause)
                wait *= 2
        raise TimestampError(self._said("it was not asked"))

    def _try(self, request: bytes) -> tuple[bytes, str]:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - only where a TSA is asked

        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        end = time.monotonic() + self._options.timeout
        try:
            response = self._connections().request(
                "POST",
                self._url,
                body=request,
                headers=headers,
                preload_content=False,
                redirect=False,
                retries=False,
                timeout=self._options.timeout,
            )
            try:
                return self._read(response, end)
            finally:
                response.close()
        except (HTTPError, OSError) as exc:
            raise _TryAgain(_reason(exc)) from exc

    def _read(self, response: urllib3.BaseHTTPResponse, end: float) -> tuple[bytes, str]:
        """The body, bounded in size and in time."""
        kind = response.headers.get("Content-Type", "no media type")[:64]
        if response.status in _RETRIED:
            refusal = f"it answered {response.status}"
            raise _TryAgain(refusal, _after(response.headers.get("Retry-After")))
        # Some authorities answer 201.
        if not _OK <= response.status < _OK + 100:
            raise TimestampError(self._said(f"it answered {response.status} ({kind})"))
        body = bytearray()
        while piece := response.read1(_PIECE, decode_content=False):
            body += piece
            if len(body) > MAX_ANSWER:
                raise TimestampError(self._said(f"its answer has more than {MAX_ANSWER} bytes"))
            if time.monotonic() > end:
                late = f"its answer was not complete after {self._options.timeout:g} s"
                raise _TryAgain(late)
        return bytes(body), kind

    def _connections(self) -> urllib3.PoolManager:
        """One pool for all threads, made at the first use."""
        with self._lock:
            if self._pool is None:
                self._pool = _pool(self._host, self._url, self._options)
            return self._pool


def _pool(host: str, url: str, options: TsaOptions) -> urllib3.PoolManager:
    import urllib3  # noqa: PLC0415 - only where a TSA is asked

    ca, cert, key = options.ca_file, options.client_cert, options.client_key
    proxy = _proxy(host, options.environment) if url.startswith("https:") else None
    if proxy is None:
        return urllib3.PoolManager(maxsize=8, ca_certs=ca, cert_file=cert, key_file=key)
    return urllib3.ProxyManager(proxy, maxsize=8, ca_certs=ca, cert_file=cert, key_file=key)


def _proxy(host: str, environment: Mapping[str, str]) -> str | None:
    """The proxy for a host, as curl and Go read the variables; never for loopback."""
    found = environment.get("HTTPS_PROXY") or environment.get("https_proxy")
    bare = urlsplit(f"//{host}").hostname or ""
    if not found or bare in _LOOPBACK:
        return None
    excluded = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    for entry in (item.strip().lower().removeprefix("*").lstrip(".") for item in excluded.split(",")):
        name = entry.partition(":")[0]
        if entry in {bare, host.lower()} or (name and f".{bare}".endswith(f".{name}")):
            return None
        if not entry and "*" in excluded:
            return None
    return found


def _host(url: str) -> str:
    """HOST[:PORT] of a URL that may be asked."""
    try:
        parts = urlsplit(url)
        bare, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, bare = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not bare:
        message = f"{url[:120]!r} is not the address of a time-stamp authority; expected https://HOST/PATH"
        raise UsageError(message)
    if parts.username is not None or parts.password is not None:
        message = f"the address of the time-stamp authority at {bare} holds a user name or password; leave them out"
        raise UsageError(message)
    if parts.scheme == "http" and bare not in _LOOPBACK:
        message = f"the time-stamp authority {url[:120]} is not asked without TLS; expected https://"
        raise UsageError(message)
    return parts.netloc


def _after(text: str | None) -> float | None:
    """Retry-After in seconds; a date is not read, the own pace is kept then."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _reason(exc: Exception) -> str:
    """What went wrong, without the object addresses that urllib3 puts into its messages."""
    text = str(exc.__cause__ or exc)
    return text.rpartition(">: ")[2] or type(exc).__name__
