"""Ctrl-C, SIGTERM and ``--timeout``: the command ends cleanly, and soon, whatever its threads wait for.

Knows signals; knows nothing of commands. Everything that imgtrust writes is written whole or not at all, so a
process that is ended hard after its grace leaves nothing half-done.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Expired", "Interrupts"]

_GRACE: Final = 2.0
"""Seconds that a command has for its cleaning up, once it was told to end."""

_INTERRUPTED: Final = 130
_NOT_FINISHED: Final = 3


class Expired(BaseException):
    """The time of ``--timeout`` is over. No ``Exception``: nothing on the way may take it for a failed request."""

    def __init__(self, seconds: float) -> None:
        """Keep the time that was given."""
        super().__init__(seconds)
        self.seconds = seconds


class Interrupts:
    """The signal handlers of one process."""

    def __init__(self) -> None:
        """Nothing has fired."""
        self.fired = False
        self._seconds = 0.0
        self._status = _NOT_FINISHED

    def install(self) -> None:
        """Take over SIGINT, SIGTERM and SIGALRM; only in the main thread of a process of imgtrust's own."""
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._interrupt)
        signal.signal(signal.SIGALRM, self._expire)

    def alarm(self, seconds: float) -> None:
        """End the command in that many seconds; 0 takes the alarm back."""
        self._seconds = seconds
        signal.setitimer(signal.ITIMER_REAL, seconds, _GRACE if seconds else 0.0)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Unwind on the first signal, end on the second, or when the grace is over."""
        if self.fired:
            os._exit(_INTERRUPTED)
        self.fired = True
        self._status = _INTERRUPTED
        signal.setitimer(signal.ITIMER_REAL, _GRACE)
        raise KeyboardInterrupt

    def _expire(self, _number: int, _frame: FrameType | None) -> None:
        """Unwind on the first alarm, end on the second."""
        if self.fired:
            os.write(2, b"imgtrust: ended without waiting for requests that were still open\n")
            os._exit(self._status)
        self.fired = True
        raise Expired(self._seconds)
