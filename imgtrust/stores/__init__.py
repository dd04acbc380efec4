"""Where bytes live: one port, two kinds of store behind it.

Knows which kind a repository's name asks for; knows nothing of trust. The registry's HTTP client is imported only
when a registry is opened, for a layout needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.reference import LayoutRepository
from imgtrust.stores.options import StoreOptions

if TYPE_CHECKING:
    from imgtrust.reference import Repository
    from imgtrust.stores.port import Store

__all__ = ["StoreOptions", "open_store"]


def open_store(repository: Repository, options: StoreOptions | None = None) -> Store:
    """The store of a repository; nothing is asked of it yet, and a layout is created by the first push.

    ``options`` defaults to ``StoreOptions()``. The caller closes the store.
    """
    chosen = StoreOptions() if options is None else options
    if isinstance(repository, LayoutRepository):
        from imgtrust.stores.layout import LayoutStore  # noqa: PLC0415 - only what the run needs

        return LayoutStore(repository, chosen)
    from imgtrust.stores.registry import RegistryStore  # noqa: PLC0415 - httpx is slow to import

    return RegistryStore(repository, chosen)
