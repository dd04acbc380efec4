"""Registry stores against simulators, with a clock that needs no waiting. Knows the store; knows no faults."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from imgtrust.reference import RegistryRepository
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.registry import RegistryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.stores.credentials import Credential
    from tests.simulators.loopback import Loopback

__all__ = ["Clock", "opened"]


class Clock:
    """A ``Waiter`` whose time passes only by sleeping. ``slept`` lists for how long, in order."""

    def __init__(self, now: float = 1_800_000_000.0, jitter: float = 0.5) -> None:
        """``now``: seconds since 1970; ``jitter``: what every random number is."""
        self._start, self._jitter = now, jitter
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds slept so far, from 1000 on."""
        return 1000.0 + sum(self.slept)

    def wall(self) -> float:
        """See ``Waiter``."""
        return self._start + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """See ``Waiter``."""
        self.slept.append(seconds)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)

    def jitter(self) -> float:
        """See ``Waiter``."""
        return self._jitter


@contextmanager
def opened(
    registry: Loopback,
    path: str = "team/app",
    *,
    clock: Clock | None = None,
    credential: Credential | None = None,
    **options: Any,
) -> Iterator[RegistryStore]:
    """The store of one repository of a simulator, closed afterwards."""
    store = RegistryStore(
        RegistryRepository(registry.host, path),
        StoreOptions(**options),
        waiter=clock or Clock(),
        credential=credential,
    )
    try:
        yield store
    finally:
        store.close()
