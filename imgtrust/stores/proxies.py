"""Which proxy a request goes through: HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Pure.

Knows the variables as curl and Go's tools read them; knows nothing of connections. Loopback never goes through a
proxy, and plain HTTP only where the caller says so: for addresses whose answers are signed.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from imgtrust.stores.addresses import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.stores.addresses import Origin

__all__ = ["proxy_for"]


def proxy_for(origin: Origin, environment: Mapping[str, str], *, plain: bool = False) -> str | None:
    """The address of the proxy for an origin, or None where it is asked directly; ``plain``: also over plain HTTP."""
    name = f"{origin.scheme}_proxy"
    proxy = environment.get(name.upper()) or environment.get(name)
    netloc = origin.base.partition("://")[2]
    if not proxy or (origin.scheme != "https" and not plain) or is_loopback(netloc):
        return None
    exempt = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if any(_matches(origin, entry.strip().lower()) for entry in exempt.split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _matches(origin: Origin, entry: str) -> bool:
    """One entry of NO_PROXY: ``*``, a host with its subdomains, an address or a network, maybe with a port."""
    if entry == "*":
        return True
    if not entry:
        return False
    try:
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit():
        if int(port) != origin.port:
            return False
        entry = name
    entry = entry.strip("[]").lstrip("*").lstrip(".")
    return bool(entry) and (origin.host == entry or origin.host.endswith(f".{entry}"))
