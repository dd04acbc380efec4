"""Files that a command writes for its user: whole or not at all.

Knows temporary names and renames; knows nothing of what is written.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.errors import OutputFileError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["OutFile", "write_new"]

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class OutFile:
    """A file that appears under its name only if ``keep`` was called before the ``with`` block ended.

    That it can be written at all is found out at the start, before any other work is done.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._kept = False

    def __enter__(self) -> Self:
        """Open a temporary file beside the final name.

        Raises:
            OutputFileError: the directory cannot be written, or the name is that of a directory.
        """
        try:
            if self._path.is_dir():
                raise IsADirectoryError(21, "Is a directory")
            self._temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
            self._number = os.open(self._temporary, _NEW, 0o666)
        except (OSError, ValueError) as exc:
            raise self._unwritable(exc) from exc
        return self

    def write(self, data: bytes) -> None:
        """Put the content there.

        Raises:
            OutputFileError: the disk is full, or the like.
        """
        try:
            with os.fdopen(self._number, "wb", closefd=False) as file:
                file.write(data)
                file.flush()
                os.fsync(self._number)
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def keep(self) -> None:
        """Give the file its name at the end."""
        self._kept = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Rename it if it is kept, remove it if not.

        Raises:
            OutputFileError: it cannot be renamed.
        """
        try:
            if self._kept and kind is None:
                self._temporary.replace(self._path)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        finally:
            os.close(self._number)
            with contextlib.suppress(FileNotFoundError):
                self._temporary.unlink()

    def _unwritable(self, exc: Exception) -> OutputFileError:
        reason = getattr(exc, "strerror", None) or "it is not the name of a file"
        return OutputFileError(f"cannot write {self._path}: {reason}")


def write_new(files: dict[str, tuple[bytes, int]]) -> None:
    """Write files that must not exist yet, with their modes: all of them, or none.

    Raises:
        OutputFileError: one exists, or cannot be written.
    """
    made: list[Path] = []
    try:
        for name, (data, mode) in files.items():
            path = Path(name)
            number = os.open(path, _NEW, mode)
            made.append(path)
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(number)
    except BaseException as exc:
        for path in made:
            path.unlink(missing_ok=True)
        if isinstance(exc, FileExistsError):
            message = f"{name} exists already and is not overwritten; choose another name, or move it away first"
            raise OutputFileError(message) from exc
        if isinstance(exc, OSError | ValueError):
            message = f"cannot write {name}: {getattr(exc, 'strerror', None) or 'it is not the name of a file'}"
            raise OutputFileError(message) from exc
        raise
