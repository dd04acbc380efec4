"""The names of images: from the command line, and from stdin where a ``-`` stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.errors import InputFileError, NoImages, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

__all__ = ["read_names"]


def read_names(given: Sequence[str], stdin: TextIO, what: str = "image") -> list[str]:
    """The names in their order; ``-`` stands for the lines of stdin, blank ones left out.

    Raises:
        NoImages: there is none: an empty set is never accepted.
        UsageError: ``-`` was given twice.
        InputFileError: stdin cannot be read as text.
    """
    if given.count("-") > 1:
        message = "- was given twice, but standard input can be read only once"
        raise UsageError(message)
    names: list[str] = []
    for name in given:
        names += _lines(stdin) if name == "-" else [name]
    if not names:
        message = f"no {what} was named: the list is empty, and an empty list is never accepted"
        raise NoImages(message)
    return names


def _lines(stdin: TextIO) -> list[str]:
    """The lines of stdin that hold something."""
    try:
        return [line.strip() for line in stdin if line.strip()]
    except (OSError, ValueError) as exc:
        message = f"cannot read names from standard input: {exc}"
        raise InputFileError(message) from exc
