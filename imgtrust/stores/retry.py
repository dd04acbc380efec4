"""When to ask again, and how fast to ask at all: backoff with jitter, Retry-After, token bucket.

Knows time only through a ``Waiter``, so that tests need no sleeps; knows nothing of HTTP.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from imgtrust.errors import TimedOut

if TYPE_CHECKING:
    from imgtrust.errors import StoreError

__all__ = ["MAX_TRIES", "Attempts", "SystemWaiter", "TokenBucket", "Waiter"]

MAX_TRIES: Final = 5
"""How often one request is sent at most."""
_FIRST_DELAY: Final = 0.2
_MAX_DELAY: Final = 10.0
_MAX_RETRY_AFTER: Final = 60.0
_PATIENCE: Final = 180.0


class Waiter(Protocol):
    """Time, as the registry client sees it."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back (``time.monotonic``)."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1) that differs from process to process."""
        ...


class SystemWaiter:
    """The clocks of this machine."""

    def monotonic(self) -> float:
        """See ``Waiter``."""
        return time.monotonic()

    def wall(self) -> float:
        """See ``Waiter``."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See ``Waiter``."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """See ``Waiter``."""
        return random.random()  # noqa: S311 - spreads clients in time; nothing secret hangs on it


@dataclass(slots=True)
class Attempts:
    """The tries of one request: at most ``MAX_TRIES``, none begun after ``deadline`` (a monotonic time)."""

    waiter: Waiter
    deadline: float | None = None
    limit: int = MAX_TRIES
    made: int = field(default=1, init=False)
    waited: float = field(default=0.0, init=False)

    def again(self, error: StoreError, hint: float | None = None) -> None:
        """Wait before the next try; ``hint`` is the Retry-After of the server in seconds, capped here.

        Raises:
            StoreError: ``error`` itself, when it is not worth another try.
            TimedOut: the deadline would pass while waiting.
        """
        if self.made >= self.limit or self.waited >= _PATIENCE:
            raise error
        backoff = min(_MAX_DELAY, _FIRST_DELAY * 2 ** (self.made - 1)) * (0.5 + self.waiter.jitter() / 2)
        delay = backoff if hint is None else min(hint, _MAX_RETRY_AFTER) + backoff * self.waiter.jitter()
        if self.deadline is not None and self.waiter.monotonic() + delay >= self.deadline:
            message = f"the time given ran out before this could be tried again: {error}"
            raise TimedOut(message) from error
        self.waiter.sleep(delay)
        self.waited += delay
        self.made += 1


class TokenBucket:
    """At most ``rate`` actions a second, ``burst`` at once; threads share it."""

    def __init__(self, rate: float, burst: int, waiter: Waiter) -> None:
        """Start full."""
        self._rate, self._burst, self._waiter = rate, float(burst), waiter
        self._level = float(burst)
        self._at = waiter.monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            now = self._waiter.monotonic()
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
            self._at = now
            self._level -= 1
            delay = -self._level / self._rate
        if delay > 0:
            self._waiter.sleep(delay)
