"""``--output`` and ``--report``: which formats there are, and files that are written whole or not at all.

Knows files and names of formats; knows nothing of what a report says.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from imgtrust.cli import later
from imgtrust.errors import OutputFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ReportFiles", "check_format"]


def check_format(option: str, name: str, allowed: Sequence[str]) -> str:
    """The name of a format, if this command has it.

    Raises:
        UsageError: it has not; a format that comes later is named as such.
    """
    if name in allowed:
        return name
    if name in later.FORMATS:
        message = f"{option} {name} is not in this version; there are: {', '.join(allowed)}"
    else:
        message = f"{option} {name}: no such format; there are: {', '.join(allowed)}"
    raise UsageError(message)


@dataclass(frozen=True, slots=True)
class _Target:
    """One report to write: its format, the file, and the temporary file beside it that proves it can be.

    ``temporary`` is None for what is no regular file (a pipe, /dev/stderr): that is written, never replaced.
    """

    format: str
    file: str
    temporary: str | None


class ReportFiles:
    """The files of ``--report``: opened before the work begins, written and renamed after it.

    A context manager: whatever was not written is removed, and nothing of the user's is touched.
    """

    def __init__(self, wanted: Sequence[str], allowed: Sequence[str]) -> None:
        """Read ``FORMAT=FILE`` of each and make sure that each can be written.

        Raises:
            UsageError: not FORMAT=FILE, or a format that this command does not have.
            OutputFileError: the file cannot be written.
        """
        self._targets: list[_Target] = []
        pairs = []
        for text in wanted:
            name, equals, file = text.partition("=")
            if not equals or not file:
                message = f"--report {text}: expected FORMAT=FILE, as in --report json=verdict.json"
                raise UsageError(message)
            pairs.append((check_format("--report", name, allowed), file))
        try:
            for name, file in pairs:
                real = os.path.realpath(file)
                self._targets.append(_Target(name, real, _prove(file, real)))
        except OutputFileError:
            self.discard()
            raise

    def __enter__(self) -> Self:
        """Nothing more: the files were proven when this was made."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not written."""
        self.discard()

    def write(self, render: Callable[[str], str]) -> None:
        """Write each report, whole; ``render`` gives the text for a format.

        Raises:
            OutputFileError: one cannot be written after all (a full disk); the others are.
        """
        failures: list[str] = []
        for target in self._targets:
            try:
                _put(target, render(target.format))
            except OSError as exc:
                failures.append(f"{target.file}: {exc.strerror or exc}")
        self.discard()
        if failures:
            message = f"cannot write the report {'; '.join(failures)}. The answer itself was given on standard output"
            raise OutputFileError(message)

    def discard(self) -> None:
        """Remove the temporary files that are left."""
        for target in self._targets:
            if target.temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(target.temporary)  # noqa: PTH108 - pathlib is not needed otherwise
        self._targets.clear()


def _put(target: _Target, text: str) -> None:
    """Write one report and give it its name."""
    regular = target.temporary is not None
    with open(target.temporary or target.file, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 - pathlib is not needed otherwise
        file.write(text)
        file.flush()
        if regular:
            os.fsync(file.fileno())
    if target.temporary is not None:
        os.replace(target.temporary, target.file)  # noqa: PTH105 - as above


def _prove(file: str, real: str) -> str | None:
    """Make a temporary file beside a report that is to be written, with the rights that a new file has.

    ``real`` is the file with links followed, so that a link stays one.

    Raises:
        OutputFileError: there is no such directory, it cannot be written, or the name is that of a directory.
    """
    try:
        if os.path.isdir(real):  # noqa: PTH112 - pathlib is not needed otherwise
            raise IsADirectoryError(21, "it is a directory")
        if os.path.exists(real):  # noqa: PTH110 - as above
            if not os.access(real, os.W_OK):
                raise PermissionError(13, "no permission to overwrite it")
            if not os.path.isfile(real):  # noqa: PTH113 - as above
                return None
        directory, name = os.path.split(real)
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
        os.fchmod(handle, 0o666 & ~_umask())
        os.close(handle)
    except (OSError, ValueError) as exc:
        message = f"cannot write the report {file}: {getattr(exc, 'strerror', None) or exc}"
        raise OutputFileError(message) from exc
    return temporary


def _umask() -> int:
    """The mask of the process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
