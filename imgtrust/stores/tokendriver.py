"""Drives a token flow over the wire: the one place where httpx's vocabulary meets ours.

Knows how a request of ``tokens`` becomes a call; knows nothing of challenges. httpx is imported when the first
token is asked for: it costs as much start-up time as everything else here together, and most runs need none.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from imgtrust.stores.addresses import shown
from imgtrust.stores.answers import RETRYABLE
from imgtrust.stores.headers import retry_after
from imgtrust.stores.wire import Call, WireError

if TYPE_CHECKING:
    import httpx

    from imgtrust.stores.credentials import Credential
    from imgtrust.stores.retry import Attempts
    from imgtrust.stores.tokens import Token
    from imgtrust.stores.wire import Answer, Wire

__all__ = ["ask_token"]

_log = logging.getLogger("imgtrust.stores.auth")


def ask_token(
    wire: Wire,
    attempts: Attempts,
    /,
    *,
    realm: str,
    service: str | None,
    scopes: frozenset[str],
    credential: Credential | None,
) -> Token:
    """A token from ``realm``, asked for again while the server is busy; redirects are not followed.

    Raises:
        StoreError: there was none; see ``tokens.token_flow``.
        TimedOut: the deadline passed.
    """
    import httpx  # noqa: PLC0415 - start-up time, see above

    from imgtrust.stores.tokens import MAX_TOKEN_ANSWER, token_flow  # noqa: PLC0415 - the same

    source = "nobody (anonymous)" if credential is None else credential.source
    _log.info("token from %s for %s, as %s", shown(realm), " ".join(sorted(scopes)) or "no scope", source)
    flow = token_flow(realm, service, scopes, credential)
    request = next(flow)
    while True:
        answer = _ask(wire, attempts, request)
        body = answer.read(MAX_TOKEN_ANSWER)
        try:
            request = flow.send(httpx.Response(answer.status, content=body))
        except StopIteration as end:
            token: Token = end.value
            return token


def _ask(wire: Wire, attempts: Attempts, request: httpx.Request) -> Answer:
    headers = {name.title(): value for name, value in request.headers.items() if name not in {"host", "content-length"}}
    call = Call(request.method, str(request.url), headers, request.read() or None)
    while True:
        try:
            answer = wire.send(call)
            if answer.status not in RETRYABLE or attempts.made >= attempts.limit:
                return answer
            hint = retry_after(answer.header("Retry-After"), attempts.waiter.wall())
            answer.close()
            error = WireError(f"the token server {request.url.host} answered {answer.status}")
        except WireError as exc:
            if not exc.retryable:
                raise
            error, hint = exc, None
        attempts.again(error, hint)
