"""Which addresses of services are asked: https, and plain HTTP on loopback. Pure.

Knows URLs; knows nothing of connections, proxies or what a service is asked.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from imgtrust.errors import UsageError

__all__ = ["LOOPBACK", "check_address"]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check_address(url: str, what: str) -> str:
    """HOST[:PORT] of the URL of a service (``what``, for messages) that may be asked: https, or http to loopback.

    Raises:
        UsageError: it may not, or is no such URL, or holds a password.
    """
    try:
        parts = urlsplit(url)
        bare, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, bare = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not bare:
        message = f"{url[:120]!r} is not the address of a {what}; expected https://HOST/PATH"
        raise UsageError(message)
    if parts.username is not None or parts.password is not None:
        message = f"the address of the {what} at {bare} holds a user name or password; leave them out"
        raise UsageError(message)
    if parts.scheme == "http" and bare not in LOOPBACK:
        message = f"the {what} {url[:120]} is not asked without TLS; expected https://"
        raise UsageError(message)
    return parts.netloc
