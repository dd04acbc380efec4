"""How a registry wants to be asked, learned from its challenges: nothing, Basic, or a Bearer token per scope.

Knows challenges, scopes and the cache of tokens; knows nothing of where credentials come from (``credentials``)
and of what is asked for. A password goes to the registry itself (Basic) or to the https realm that it names
(Bearer), and nowhere else.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from imgtrust.errors import AccessDenied
from imgtrust.stores.addresses import resolve_address
from imgtrust.stores.headers import Challenge, parse_challenges

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from imgtrust.stores.credentials import Credential
    from imgtrust.stores.retry import Waiter
    from imgtrust.stores.tokens import Token

__all__ = ["Authorizer", "pull", "pull_and_push"]

_SCOPE: Final = re.compile(r"[a-z]+(?:\([a-z0-9]+\))?:[A-Za-z0-9._/:\[\]-]{1,512}:[a-z*]+(?:,[a-z*]+)*")
_MAX_SCOPES: Final = 8
CATALOG: Final = "registry:catalog:*"


def pull(path: str) -> str:
    """The scope that reading a repository needs."""
    return f"repository:{path}:pull"


def pull_and_push(path: str) -> str:
    """The scope that writing a repository needs."""
    return f"repository:{path}:pull,push"


class AskToken(Protocol):
    """What asks a token server; see ``tokendriver.ask_token``."""

    def __call__(
        self, *, realm: str, service: str | None, scopes: frozenset[str], credential: Credential | None
    ) -> Token:
        """A token, or a StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class _Bearer:
    realm: str
    service: str | None


@dataclass(frozen=True, slots=True)
class _Held:
    header: str
    until: float
    scopes: frozenset[str]
    credential: Credential | None


class Authorizer:
    """The Authorization of one registry. Threads share it: a token is asked for once per set of scopes."""

    def __init__(
        self,
        base: str,
        find: Callable[[str], Credential | None],
        ask: AskToken,
        waiter: Waiter,
        *,
        basic: bool = False,
        plain_http: Collection[str] = (),
    ) -> None:
        """``base`` is the registry's address, ``find`` gives the credential for a repository path.

        ``basic`` sends Basic from the first request on (ECR); others are challenged once.
        """
        self._base, self._find, self._ask, self._waiter = base, find, ask, waiter
        self._plain_http = plain_http
        self._mode: _Bearer | str | None = "basic" if basic else None
        self._held: dict[frozenset[str], _Held] = {}
        self._locks: defaultdict[frozenset[str], threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def header(self, path: str, scopes: frozenset[str]) -> str | None:
        """What to send with a request that needs ``scopes``, or None before the first challenge."""
        match self._mode:
            case None:
                return None
            case _Bearer():
                return self._token(path, scopes, rejected=None)
            case _:
                credential = self._find(path)
                return None if credential is None else credential.basic()

    def answer(self, path: str, scopes: frozenset[str], challenges: Iterable[str], rejected: str | None) -> str | None:
        """What to send instead, after a 401; None where there is nothing better than what was ``rejected``.

        Raises:
            StoreProtocol: the registry names a realm to which no password may be sent.
            StoreError: the token server did not give a token.
        """
        offers = parse_challenges(challenges)
        bearer = next((offer for offer in offers if offer.scheme == "bearer" and "realm" in offer.parameters), None)
        if bearer is not None:
            return self._answer_bearer(path, scopes, bearer, rejected)
        if any(offer.scheme == "basic" for offer in offers):
            self._mode = "basic"
            credential = self._find(path)
            if credential is not None and not credential.password and credential.identity_token:
                message = f"{self._base}: it asks for a password, {credential.source} has an identity token only"
                raise AccessDenied(message)
            header = None if credential is None else credential.basic()
            return None if header == rejected else header
        return None

    def describe(self, path: str) -> str:
        """Which credentials were shown, for messages; never the secret."""
        credential = self._find(path) if self._mode is not None else None
        if credential is None:
            return "no credentials were found for it" if self._mode is not None else "no credentials were asked for"
        return f"credentials: {credential.source}"

    def _answer_bearer(
        self, path: str, scopes: frozenset[str], challenge: Challenge, rejected: str | None
    ) -> str | None:
        realm = resolve_address(
            self._base, challenge.parameters["realm"], plain_http=self._plain_http, what="a token server"
        )
        self._mode = _Bearer(realm, challenge.parameters.get("service"))
        asked = challenge.parameters.get("scope", "").split(" ")
        wider = scopes | {scope for scope in asked[:_MAX_SCOPES] if _SCOPE.fullmatch(scope)}
        header = self._token(path, _widest(wider), rejected=rejected)
        return None if header == rejected else header

    def _token(self, path: str, scopes: frozenset[str], *, rejected: str | None) -> str:
        """A token that covers ``scopes``: the one at hand, or a new one, asked for by one thread."""
        mode = self._mode
        assert isinstance(mode, _Bearer)  # noqa: S101 - both callers have just seen it
        credential = self._find(path)
        if credential is not None and credential.registry_token:
            return f"Bearer {credential.registry_token}"
        held = self._lookup(scopes, credential, rejected)
        if held is not None:
            return held
        with self._guard:
            lock = self._locks[scopes]
        with lock:
            held = self._lookup(scopes, credential, rejected)
            if held is not None:
                return held
            token = self._ask(realm=mode.realm, service=mode.service, scopes=scopes, credential=credential)
            header = f"Bearer {token.value}"
            self._held[scopes] = _Held(header, self._waiter.monotonic() + token.lifetime, scopes, credential)
            return header

    def _lookup(self, scopes: frozenset[str], credential: Credential | None, rejected: str | None) -> str | None:
        now = self._waiter.monotonic()
        with self._guard:
            candidates = list(self._held.values())
        for held in candidates:
            fresh = held.until > now and held.header != rejected and held.credential == credential
            if fresh and _covers(held.scopes, scopes):
                return held.header
        return None


def _covers(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    """Whether a token for ``wide`` serves a request that needs ``narrow``."""
    return all(any(_within(inner, outer) for outer in wide) for inner in narrow)


def _within(inner: str, outer: str) -> bool:
    name, _, actions = inner.rpartition(":")
    other, _, allowed = outer.rpartition(":")
    return name == other and set(actions.split(",")) <= set(allowed.split(","))


def _widest(scopes: frozenset[str]) -> frozenset[str]:
    """Without the scopes that another one of the set already covers."""
    return frozenset(s for s in scopes if not any(o != s and _within(s, o) and not _within(o, s) for o in scopes))
