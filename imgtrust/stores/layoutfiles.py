"""Files of a layout, read: without following links, without a lock, and without creating anything.

Knows the file system; knows nothing of manifests. Every path is walked from the layout's directory one component at
a time with ``O_NOFOLLOW``, so that nothing inside a layout can lead outside it.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import AccessDenied, ContentMismatch, LimitExceeded, NotFound, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.errors import StoreError

__all__ = ["DIRECTORY", "READ", "LayoutFiles", "OpenFile", "walk"]

READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Flags for a file: no link, and no waiting for the other end of a pipe."""
DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_IRREGULAR: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK, errno.ENXIO, errno.ENODEV})
"""What opening a link, a component that is no directory, a socket or a device ends in."""
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file that is open for reading.

    ``size``: bytes when it was opened. ``stamp``: changes when the file is replaced or rewritten. ``changed``: its
    modification time in nanoseconds.
    """

    fd: int
    size: int
    stamp: tuple[int, int, int]
    changed: int


@dataclass(frozen=True, slots=True)
class LayoutFiles:
    """The files below ``root``, for reading. Methods may be called from several threads."""

    root: str

    @contextmanager
    def opened(self, *path: str) -> Iterator[OpenFile | None]:
        """Open a regular file for reading; None where there is none.

        Raises:
            ContentMismatch: there is something else: a symbolic link, a directory, a pipe.
            AccessDenied: it may not be read.
            StoreUnavailable: the file system does not answer.
        """
        fd = self._open(path, READ)
        if fd is None:
            yield None
            return
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise ContentMismatch(self._irregular(path))
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            yield OpenFile(fd, found.st_size, stamp, found.st_mtime_ns)
        finally:
            os.close(fd)

    def read(self, *path: str, limit: int) -> bytes | None:
        """The content of a file of at most ``limit`` bytes; None where there is none.

        Raises:
            LimitExceeded: the file is larger (nothing was read).
            ContentMismatch: as ``opened``.
            StoreError: as ``opened``.
        """
        with self.opened(*path) as file:
            if file is None:
                return None
            if file.size > limit:
                message = f"{self.show(path)}: {file.size} bytes, imgtrust reads at most {limit}"
                raise LimitExceeded(message)
            return self.content(file, path)

    def content(self, file: OpenFile, path: tuple[str, ...]) -> bytes:
        """The bytes of an open file, at most as many as it had when it was opened.

        Raises:
            StoreUnavailable: the file system does not answer.
        """
        pieces: list[bytes] = []
        left = file.size
        with self._reading(path):
            while left and (piece := os.read(file.fd, left)):
                pieces.append(piece)
                left -= len(piece)
        return b"".join(pieces)

    def size(self, *path: str) -> int | None:
        """The size of a regular file; None for anything else or nothing."""
        try:
            with self.opened(*path) as file:
                return None if file is None else file.size
        except ContentMismatch:
            return None

    def names(self, *path: str) -> tuple[list[str], int]:
        """The names in a directory and its modification time in nanoseconds; nothing where there is none.

        Raises:
            StoreError: it cannot be read.
        """
        with self._reading(path):
            try:
                fd = walk(self.root, path)
            except FileNotFoundError:
                return [], 0
        try:
            with self._reading(path):
                changed = os.fstat(fd).st_mtime_ns
                return os.listdir(fd), changed  # noqa: PTH208 - Path cannot list a descriptor
        finally:
            os.close(fd)

    def show(self, path: tuple[str, ...]) -> str:
        """A path of this layout as messages name it."""
        return "/".join((self.root, *path))

    def _open(self, path: tuple[str, ...], flags: int) -> int | None:
        with self._reading(path):
            try:
                parent = walk(self.root, path[:-1])
            except FileNotFoundError:
                return None
            try:
                return os.open(path[-1], flags, dir_fd=parent)
            except FileNotFoundError:
                return None
            finally:
                os.close(parent)

    def _irregular(self, path: tuple[str, ...]) -> str:
        return f"{self.show(path)}: expected a regular file, found a link or something else, which is not followed"

    @contextmanager
    def _reading(self, path: tuple[str, ...]) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            if exc.errno in _IRREGULAR:
                raise ContentMismatch(self._irregular(path)) from exc
            kind: type[StoreError] = AccessDenied if exc.errno in _DENIED else StoreUnavailable
            message = f"{self.show(path)}: cannot be read: {exc.strerror}"
            raise kind(message) from exc


def walk(root: str, path: tuple[str, ...]) -> int:
    """Open a directory below ``root`` without following a link in ``path``; the caller closes it.

    Raises:
        NotFound: ``root`` is no directory.
        OSError: as ``os.open``; ENOTDIR where a component is a link.
    """
    try:
        fd = os.open(root, DIRECTORY)
    except NotADirectoryError as exc:
        message = f"{root} is not an OCI image layout: it is not a directory"
        raise NotFound(message) from exc
    try:
        for part in path:
            child = os.open(part, DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = child
    except BaseException:
        os.close(fd)
        raise
    return fd
