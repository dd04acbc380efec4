"""One registry as an endpoint: asks it with credentials, follows its redirects, asks again, and names its failures.

Knows the manners of HTTP that all requests share; knows nothing of manifests, blobs and tags. Endpoints are
shared by the stores of one registry that have the same options, so that connections and tokens are, too.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Final

from imgtrust.errors import StoreProtocol
from imgtrust.stores.addresses import api_host, is_loopback, origin_of, resolve_address, shown
from imgtrust.stores.answers import RETRYABLE, complaint_of, failure
from imgtrust.stores.auth import Authorizer
from imgtrust.stores.ecrhosts import PUT_IMAGE_RATE, parse_ecr_host
from imgtrust.stores.headers import retry_after
from imgtrust.stores.keyring import Keyring
from imgtrust.stores.retry import Attempts, SystemWaiter, TokenBucket
from imgtrust.stores.tokendriver import ask_token
from imgtrust.stores.transport import UrllibWire, speaks_tls
from imgtrust.stores.wire import Call, HeldAnswer, WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.stores.credentials import Credential
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.retry import Waiter
    from imgtrust.stores.tokens import Token
    from imgtrust.stores.wire import Answer, Body, Wire

__all__ = ["Endpoint"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 5
_USER_AGENT: Final = "imgtrust"
_log = logging.getLogger("imgtrust.stores.registry")


class Endpoint:
    """A registry, asked with one set of options."""

    def __init__(
        self,
        host: str,
        options: StoreOptions,
        *,
        wire: Wire | None = None,
        waiter: Waiter | None = None,
        credential: Credential | None = None,
    ) -> None:
        """``host`` as in an image name; ``wire`` and ``waiter`` are replaced by tests, ``credential`` is explicit."""
        self.host, self.options = host, options
        name = api_host(host)
        plain = name in options.plain_http or (is_loopback(name) and not speaks_tls(name, options))
        self.base = origin_of(f"{'http' if plain else 'https'}://{name}").base
        self.waiter: Waiter = SystemWaiter() if waiter is None else waiter
        self._wire: Wire = UrllibWire(self.base.partition("://")[2], options) if wire is None else wire
        self._keyring = Keyring(host, options, self.waiter, credential)
        ecr = parse_ecr_host(host)
        private = ecr is not None and not ecr.is_public
        self.auth = Authorizer(
            self.base,
            self._keyring.find,
            self._ask_token,
            self.waiter,
            basic=private,
            plain_http=options.plain_http,
        )
        self.pace = TokenBucket(PUT_IMAGE_RATE, int(PUT_IMAGE_RATE), self.waiter) if private else None
        self.without_referrers: set[str] = set()
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Threads for requests that are made beside each other; they never wait for one another."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(max(2, self.options.jobs), "imgtrust-registry")
            return self._pool

    def attempts(self) -> Attempts:
        """The tries of one request."""
        return Attempts(self.waiter, self.options.deadline)

    def _ask_token(
        self, *, realm: str, service: str | None, scopes: frozenset[str], credential: Credential | None
    ) -> Token:
        return ask_token(
            self._wire, self.attempts(), realm=realm, service=service, scopes=scopes, credential=credential
        )

    def close(self) -> None:
        """Close connections and threads."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True)
        self._wire.close()

    def send(
        self,
        method: str,
        target: str,
        *,
        path: str,
        scopes: frozenset[str],
        what: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
        accept: tuple[int, ...] = (200,),
        retry: bool = True,
        hold: int | None = None,
    ) -> Answer:
        """Ask, with credentials and again where that helps; the answer has one of the statuses of ``accept``.

        ``target`` is a path below the registry or an absolute address that the registry gave. ``path`` is the
        repository (for credentials), ``what`` names the request in messages. ``hold`` reads the body at once, up to
        so many bytes, and asks again if it breaks off.

        Raises:
            StoreError: the one that fits the status, or ``WireError`` where no answer came.
            TimedOut: the deadline passed.
        """
        url = target if "://" in target else self.base + target
        call = Call(method, url, {"User-Agent": _USER_AGENT, **(headers or {})}, body)
        attempts = self.attempts()
        renewed = False
        while True:
            hint: float | None = None
            try:
                answer = self._ask(call, path, scopes, what)
                if answer.status in accept:
                    return answer if hold is None else HeldAnswer(answer, hold)
                hint = retry_after(answer.header("Retry-After"), self.waiter.wall())
                complaint = complaint_of(answer)
                error = failure(complaint, what, self.auth.describe(path))
                if complaint.is_expired and not renewed:
                    renewed = True
                    self._keyring.forget()
                    continue
                if answer.status not in RETRYABLE or not retry:
                    raise error
            except WireError as exc:
                if not retry or not exc.retryable:
                    raise
                error = exc
            _log.info("%s: asked again (try %d): %s", what, attempts.made + 1, error)
            attempts.again(error, hint)

    def _ask(self, call: Call, path: str, scopes: frozenset[str], what: str) -> Answer:
        """Send with credentials; a challenge is answered once, and once more where a wider scope is asked for."""
        own = origin_of(call.url).base == self.base
        header = self.auth.header(path, scopes) if own else None
        answer = self._follow(call, header, what)
        for _ in range(2):
            if answer.status != HTTPStatus.UNAUTHORIZED or not own:
                break
            try:
                better = self.auth.answer(path, scopes, answer.headers("WWW-Authenticate"), header)
            except BaseException:
                answer.close()
                raise
            if better is None:
                break
            answer.close()
            header = better
            answer = self._follow(call, header, what)
        return answer

    def _follow(self, call: Call, header: str | None, what: str) -> Answer:
        """Send, and follow redirects of reads: bounded, https (or loopback), Authorization only to its origin."""
        first = origin_of(call.url)
        for _ in range(_MAX_REDIRECTS + 1):
            headers = dict(call.headers)
            if header is not None and origin_of(call.url) == first:
                headers["Authorization"] = header
            answer = self._send(Call(call.method, call.url, headers, call.body))
            location = answer.header("Location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            answer.close()
            address = resolve_address(call.url, location, plain_http=self.options.plain_http, what="a redirect")
            if call.method not in {"GET", "HEAD"} and origin_of(address) != first:
                message = f"{what} at {self.host}: it redirects a write to another host; nothing was sent there"
                raise StoreProtocol(message)
            call = Call(call.method, address, call.headers, call.body)
        message = f"{what} at {self.host}: more than {_MAX_REDIRECTS} redirects"
        raise StoreProtocol(message)

    def _send(self, call: Call) -> Answer:
        if not _log.isEnabledFor(logging.INFO):
            return self._wire.send(call)
        begun = time.monotonic()
        answer = self._wire.send(call)
        took = (time.monotonic() - begun) * 1000
        _log.info("%s %s -> %d (%.0f ms)", call.method, shown(call.url), answer.status, took)
        return answer
