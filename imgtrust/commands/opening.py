"""Stores that are opened once and shared by all that a command does in them.

Knows when a store can be closed again; knows nothing of what is asked of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from imgtrust.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from imgtrust.reference import Repository
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store

__all__ = ["OpenStores"]

_MAX_IDLE: Final = 32
"""How many stores are kept open although nobody uses them at the moment."""


class _Entry:
    """One open store and the number of its users."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.users = 0


class OpenStores:
    """One store per repository, opened at first use. Safe to use from several threads; close it at the end."""

    def __init__(self, options: StoreOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._entries: OrderedDict[Repository, _Entry] = OrderedDict()

    @contextmanager
    def use(self, repository: Repository) -> Iterator[Store]:
        """Lend the store of a repository for the length of a ``with`` block.

        Raises:
            StoreError: the store cannot be opened.
        """
        with self._lock:
            entry = self._entries.get(repository)
            if entry is None:
                entry = self._entries[repository] = _Entry(open_store(repository, self._options))
            entry.users += 1
            self._entries.move_to_end(repository)
        try:
            yield entry.store
        finally:
            with self._lock:
                entry.users -= 1
                self._close_idle()

    def _close_idle(self) -> None:
        """Close the stores that were not used for longest, so that ten thousand repositories cost no more than few."""
        idle = [repository for repository, entry in self._entries.items() if entry.users == 0]
        for repository in idle[: max(0, len(idle) - _MAX_IDLE)]:
            self._entries.pop(repository).store.close()

    def close(self) -> None:
        """Close every store; nothing is lent any more."""
        with self._lock:
            while self._entries:
                _, entry = self._entries.popitem()
                entry.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
