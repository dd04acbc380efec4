"""How a Bearer token is asked for: a generator that yields requests and is sent responses. No I/O of its own.

Knows the token protocols of distribution (GET with Basic, and OAuth2 POST for identity tokens) in httpx's
vocabulary, so that any client can drive it; knows nothing of caches and of where credentials were found.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import httpx

from imgtrust.errors import AccessDenied, StoreError, StoreProtocol, StoreUnavailable, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from imgtrust.stores.credentials import Credential

__all__ = ["CLIENT_ID", "MAX_TOKEN_ANSWER", "Token", "token_flow"]

CLIENT_ID: Final = "imgtrust"
MAX_TOKEN_ANSWER: Final = 256 * 1024
"""The largest answer of a token server that is read, in bytes."""
_DEFAULT_LIFETIME: Final = 60.0
_LONGEST_LIFETIME: Final = 12 * 3600.0
_USABLE: Final = re.compile(r"[!-~]{1,65536}")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the seconds for which it may be used from now."""

    value: str = field(repr=False)
    lifetime: float


def token_flow(
    realm: str, service: str | None, scopes: Iterable[str], credential: Credential | None
) -> Generator[httpx.Request, httpx.Response, Token]:
    """Ask ``realm`` for a token; without a credential, for an anonymous one.

    Raises:
        AccessDenied: the token server does not accept the credential.
        StoreError: it did not answer with a token. A 404 here says nothing about any image.
    """
    where = f"token server {httpx.URL(realm).host}"
    fields = [("scope", scope) for scope in sorted(scopes)]
    if service is not None:
        fields.insert(0, ("service", service))
    if credential is not None and credential.identity_token:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.identity_token,
            "client_id": CLIENT_ID,
            "scope": " ".join(sorted(scopes)),
        }
        if service is not None:
            form["service"] = service
        request = httpx.Request("POST", realm, data=form)
    else:
        query = [*fields, ("client_id", CLIENT_ID)]
        headers = {} if credential is None else {"Authorization": credential.basic()}
        if credential is not None and credential.username:
            query.append(("account", credential.username))
        request = httpx.Request(
            "GET", httpx.URL(realm).copy_merge_params(httpx.QueryParams(tuple(query))), headers=headers
        )
    response = yield request
    if response.status_code != HTTPStatus.OK:
        raise _refused(response, where, credential)
    return _token_of(response, where)


def _refused(response: httpx.Response, where: str, credential: Credential | None) -> StoreError:
    """The token server's no; never "there is no such image", whatever its status."""
    status = response.status_code
    used = "no credentials were found for this registry" if credential is None else f"credentials: {credential.source}"
    message = f"{where}: expected a token, it answered {status}; {used}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST}:
        return AccessDenied(f"{message}. Log in to the registry, or name other credentials")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(f"{message}. Try again later")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailable(f"{message}. Try again later")
    return StoreProtocol(message)


def _token_of(response: httpx.Response, where: str) -> Token:
    try:
        document: Any = json.loads(response.content)
    except (ValueError, RecursionError) as exc:
        message = f"{where}: expected JSON with a token, found something else"
        raise StoreProtocol(message) from exc
    members = document if isinstance(document, dict) else {}
    value = members.get("token") or members.get("access_token")
    if not isinstance(value, str) or _USABLE.fullmatch(value) is None:
        message = f"{where}: its answer holds no token that could be sent"
        raise StoreProtocol(message)
    lifetime = members.get("expires_in")
    if not isinstance(lifetime, int | float) or isinstance(lifetime, bool) or lifetime <= 0:
        lifetime = _DEFAULT_LIFETIME
    return Token(value, min(float(lifetime), _LONGEST_LIFETIME) * 0.9)
