"""Files that the user named, read whole.

Knows how large one may be and what to say where it cannot be read; knows nothing of what is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.errors import InputFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_input"]

_MAX_INPUT: Final = 16 * 1024 * 1024


def read_input(path: Path, what: str) -> bytes:
    """The bytes of a file that the user named; ``what`` is what it should be, for the message.

    Raises:
        InputFileError: it cannot be read, is empty, or is larger than 16 MiB.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_INPUT + 1)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or "not a file name"
        message = f"cannot read {what} {path}: {reason}"
        raise InputFileError(message) from exc
    if not data:
        message = f"cannot read {what} {path}: the file is empty"
        raise InputFileError(message)
    if len(data) > _MAX_INPUT:
        message = f"cannot read {what} {path}: larger than {_MAX_INPUT} bytes, which no such file is"
        raise InputFileError(message)
    return data
