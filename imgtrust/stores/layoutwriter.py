"""Files of a layout, written: whole or not at all, and the index by one writer at a time.

Knows the file system; knows nothing of manifests. A writer that is killed leaves only a temporary file, which the
next writer removes: each is locked as long as its writer lives, so age is never guessed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imgtrust.errors import StoreUnavailable
from imgtrust.stores.layoutfiles import DIRECTORY, READ, LayoutFiles, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["LOCK_NAME", "OWN_PREFIX", "LayoutWriter"]

LOCK_NAME: Final = ".imgtrust.lock"
"""The lock file of a layout; empty, and left in place, for removing it would let two writers in."""
OWN_PREFIX: Final = ".imgtrust"
"""With this begins the name of every file that is not part of the layout itself."""
_PREFIX: Final = ".imgtrust-"
_SUFFIX: Final = ".tmp"
_LOCK_PAUSE: Final = 0.004
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LayoutWriter:
    """The files below ``root``, for writing. Methods may be called from several threads.

    ``patience``: seconds that a writer waits for another writer.
    """

    root: str
    patience: float = 30.0
    _threads: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer of the index, among threads and processes; the directory must exist.

        Raises:
            StoreUnavailable: another writer kept the lock for longer than ``patience``, or no lock can be had.
        """
        until = time.monotonic() + self.patience
        if not self._threads.acquire(timeout=self.patience):
            raise StoreUnavailable(self._busy())
        try:
            with self._writing("lock"):
                fd = os.open(os.path.join(self.root, LOCK_NAME), _NEW & ~os.O_EXCL, 0o666)  # noqa: PTH118 - no Path here
            try:
                self._wait_for(fd, until)
                yield
            finally:
                os.close(fd)
        finally:
            self._threads.release()

    def make(self, *path: str) -> None:
        """Create the layout's directory and one below it, as far as they are not there.

        Raises:
            StoreUnavailable: it cannot be created.
        """
        with self._writing("create"):
            os.makedirs(self.root, exist_ok=True)  # noqa: PTH103 - no Path here
            parent = os.open(self.root, DIRECTORY)
            try:
                for part in path:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=parent)
                    child = os.open(part, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
                    os.close(parent)
                    parent = child
            finally:
                os.close(parent)

    def write(self, directory: tuple[str, ...], name: str, pieces: Iterable[bytes | memoryview]) -> None:
        """Put a file in place whole: temporary file in the same directory, fsync, rename, fsync of the directory.

        What ``pieces`` raises is passed on; the temporary file is gone then.

        Raises:
            StoreUnavailable: the directory may not be written, or the disk is full.
        """
        with self._writing("write"):
            parent = walk(self.root, directory)
        try:
            with self._writing("write"):
                fd, temporary = self._temporary(parent)
            try:
                for piece in pieces:
                    with self._writing("write"):
                        _write_all(fd, piece)
                with self._writing("write"):
                    os.fsync(fd)
                    os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
                    os.fsync(parent)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=parent)
                raise
            finally:
                os.close(fd)
        finally:
            os.close(parent)

    def clean(self, *directory: str) -> None:
        """Remove temporary files whose writer is dead: only those of this module's name, and not locked any more."""
        names, _ = LayoutFiles(self.root).names(*directory)
        left = [name for name in names if name.startswith(_PREFIX) and name.endswith(_SUFFIX)]
        if not left:
            return
        with self._writing("clean"):
            parent = walk(self.root, directory)
        try:
            for name in left:
                with suppress(OSError):
                    _remove_if_dead(parent, name)
        finally:
            os.close(parent)

    def _temporary(self, parent: int) -> tuple[int, str]:
        """A new file, locked as long as its writer lives, so that no cleaner takes it away."""
        while True:
            name = f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
            fd = os.open(name, _NEW, 0o666, dir_fd=parent)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if os.fstat(fd).st_nlink:  # a cleaner may have come between the two lines above
                    return fd, name
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def _wait_for(self, fd: int, until: float) -> None:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                if time.monotonic() >= until:
                    raise StoreUnavailable(self._busy()) from exc
                time.sleep(_LOCK_PAUSE)
            except OSError as exc:
                message = f"{self.root}: the layout cannot be locked ({exc.strerror}); nothing was written"
                raise StoreUnavailable(message) from exc
            else:
                return

    def _busy(self) -> str:
        return f"{self.root}: another writer has kept the layout locked for {self.patience:g} s; try again"

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            message = f"{self.root}: cannot {what} in this layout: {exc.strerror}; nothing was left half-written"
            raise StoreUnavailable(message) from exc


def _write_all(fd: int, piece: bytes | memoryview) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(fd, view) :]


def _remove_if_dead(parent: int, name: str) -> None:
    fd = os.open(name, READ, dir_fd=parent)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name, dir_fd=parent)
    finally:
        os.close(fd)
