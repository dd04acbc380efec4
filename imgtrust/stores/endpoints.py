"""Endpoints that are shared: the stores of one registry with the same options use the same connections and tokens.

Knows who still uses what; knows nothing of requests.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgtrust.stores.endpoint import Endpoint

if TYPE_CHECKING:
    from imgtrust.stores.credentials import Credential
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.retry import Waiter
    from imgtrust.stores.wire import Wire

__all__ = ["lease", "release"]


@dataclass(slots=True)
class _Lease:
    endpoint: Endpoint
    users: int


_lock = threading.Lock()
_leases: dict[tuple[str, int], _Lease] = {}


def lease(
    host: str,
    options: StoreOptions,
    *,
    wire: Wire | None = None,
    waiter: Waiter | None = None,
    credential: Credential | None = None,
) -> Endpoint:
    """The endpoint for a host; shared unless anything but the options was given. To be given back by ``release``."""
    if wire is not None or waiter is not None or credential is not None:
        return Endpoint(host, options, wire=wire, waiter=waiter, credential=credential)
    with _lock:
        held = _leases.get((host, id(options)))
        if held is None:  # The endpoint keeps its options alive, so their id is not given to others meanwhile.
            held = _leases[host, id(options)] = _Lease(Endpoint(host, options), 0)
        held.users += 1
        return held.endpoint


def release(endpoint: Endpoint) -> None:
    """Give an endpoint back; the last one closes it."""
    with _lock:
        key = (endpoint.host, id(endpoint.options))
        held = _leases.get(key)
        if held is not None and held.endpoint is endpoint:
            held.users -= 1
            if held.users:
                return
            del _leases[key]
    endpoint.close()
