"""Taking turns: at most one of the threads and processes of this machine does a thing at a time.

Knows locks in memory and lock files in a folder of one's own; knows nothing of what is done. A lock file only spares
work that would be done again: where there can be none, things go on without it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.stores.retry import Waiter

__all__ = ["turn"]

_SLOTS: Final = 64
_PATIENCE: Final = 10.0
_STEP: Final = 0.01
_locks: Final = tuple(threading.Lock() for _ in range(_SLOTS))


@contextmanager
def turn(name: str, waiter: Waiter, folder: Path | None = None) -> Iterator[None]:
    """Wait for one's turn with ``name``; other processes are waited for at most ten seconds."""
    slot = hashlib.sha256(name.encode()).digest()[0] % _SLOTS
    with _locks[slot]:
        descriptor = _open(folder, slot)
        try:
            if descriptor is not None:
                _lock(descriptor, waiter)
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _open(folder: Path | None, slot: int) -> int | None:
    """The lock file of a slot, in a folder that is ours alone; None where there can be none."""
    import tempfile  # noqa: PLC0415 - start-up time; only those who attach come here

    place = folder or Path(tempfile.gettempdir()) / f"imgtrust-{os.getuid()}"
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        if found.st_uid != os.getuid() or found.st_mode & 0o077:
            return None
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(place / f"fallback-{slot:02}.lock", flags, 0o600)
    except OSError:
        return None


def _lock(descriptor: int, waiter: Waiter) -> None:
    until = waiter.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiter.monotonic() >= until:
                return
            waiter.sleep(_STEP * (1 + waiter.jitter()))
        except OSError:
            return
        else:
            return
