"""Hosts and addresses of registries: which scheme a host speaks, and where a request may be sent. Pure.

Knows loopback, origins and Docker Hub's names; knows nothing of connections and credentials.
Plain HTTP is for loopback and for hosts that the user named; everything else is https (CLI.md section 1).
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from imgtrust.errors import StoreProtocol

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["HUB_NAMES", "Origin", "api_host", "is_loopback", "origin_of", "resolve_address", "shown"]

HUB_NAMES: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
"""The names under which Docker Hub is known; its API answers under the last."""

_CLEAN: Final = re.compile(r"[!-~]+")
_PORTS: Final = {"http": 80, "https": 443}
_SHOWN: Final = 200
_MAX_ADDRESS: Final = 16_384


class Origin(NamedTuple):
    """Scheme, host (lower case, no brackets) and port: credentials never leave the origin that they are for."""

    scheme: str
    host: str
    port: int

    @property
    def base(self) -> str:
        """The address without a path, as in ``https://registry.example:8443``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if _PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def is_loopback(host: str) -> bool:
    """Whether a host, with or without port, is this machine: 127.0.0.0/8, ::1 or localhost."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def api_host(host: str) -> str:
    """The host that answers the API of a registry: Docker Hub's differs from its name."""
    return "registry-1.docker.io" if host in HUB_NAMES else host


def origin_of(address: str) -> Origin:
    """The origin of an absolute http or https address.

    Raises:
        StoreProtocol: the address is none, has control characters, or carries a user name.
    """
    if len(address) > _MAX_ADDRESS or _CLEAN.fullmatch(address) is None:
        message = "the registry named an address with characters that no address has, or one that is far too long"
        raise StoreProtocol(message)
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        message = "the registry named an address that cannot be read"
        raise StoreProtocol(message) from exc
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        message = f"expected an https address, the registry named {shown(address)!r}"
        raise StoreProtocol(message)
    return Origin(parts.scheme, host, _PORTS[parts.scheme] if port is None else port)


def resolve_address(base: str, target: str, *, plain_http: Collection[str] = (), what: str = "an address") -> str:
    """Resolve what a registry answered (Location, Link, realm) against the address that was asked.

    https is always allowed; plain HTTP only for loopback that was reached from loopback, and for the hosts in
    ``plain_http``. The answer is never logged: it may carry credentials in its query.

    Raises:
        StoreProtocol: it is no such address.
    """
    try:
        address = urljoin(base, target.strip())
    except ValueError as exc:
        message = f"the registry named {what} that is no address"
        raise StoreProtocol(message) from exc
    origin, here = origin_of(address), origin_of(base)
    if origin.scheme == "https":
        return address
    netloc = origin.base.partition("://")[2]
    local = is_loopback(netloc) and is_loopback(here.base.partition("://")[2])
    if local or netloc in plain_http or f"{origin.host}:{origin.port}" in plain_http:
        return address
    message = (
        f"the registry at {here.base} named {what} over plain HTTP ({origin.base}); nothing was sent there. "
        "https is expected; if that host is meant to speak plain HTTP, name it with --plain-http"
    )
    raise StoreProtocol(message)


def shown(address: str) -> str:
    """An address for logs and messages: without query, fragment and user, cut to a bearable length."""
    parts = urlsplit(address)
    netloc = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{netloc}{parts.path}"[:_SHOWN]
