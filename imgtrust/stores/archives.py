"""Archives of directories in artifacts: opened so that a hostile one costs neither memory nor surprise.

Knows tar.gz as oras writes it; knows nothing of where its files go. What a member is called and is, its reader checks.
"""

from __future__ import annotations

import contextlib
import gzip
import tarfile
import zlib
from typing import IO, TYPE_CHECKING, Final

from imgtrust.errors import ContentMalformed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["open_archive"]

_LARGEST_READ: Final = 1024 * 1024
"""tarfile reads a header of any size in one piece; no honest one has a megabyte, and files are read in smaller ones."""


class _Bounded:
    """A file that hands out no large piece, as far as tarfile needs one."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        if not 0 <= size <= _LARGEST_READ:
            message = f"a header of {size} bytes"
            raise tarfile.ReadError(message)
        return self._inner.read(size)

    def seek(self, position: int) -> int:
        """Go on from there."""
        return self._inner.seek(position)

    def tell(self) -> int:
        """The position."""
        return self._inner.tell()


@contextlib.contextmanager
def open_archive(path: Path, what: str) -> Iterator[tarfile.TarFile]:
    """Open a tar.gz to walk over its members; ``what`` names it in messages.

    Raises:
        ContentMalformed: it is none, or breaks off; also where that shows only inside of the ``with`` block.
        OSError: the file cannot be read.
    """
    try:
        with gzip.open(path) as plain, tarfile.TarFile(fileobj=_Bounded(plain), mode="r") as archive:  # type: ignore[arg-type]  # the little that tarfile asks of a file
            yield archive
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError) as exc:
        message = f"the archive {what} cannot be read: {exc}"
        raise ContentMalformed(message) from exc
