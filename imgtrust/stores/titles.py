"""Titles: the file names in an artifact, and what they may not do. Pure.

Knows the annotation's meaning in oras (a relative path); knows nothing of the directory that it leads into.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

__all__ = ["safe_title"]

_LONGEST: Final = 1024


def safe_title(title: str) -> PurePosixPath:
    """The relative path that a title means.

    Raises:
        ValueError: it is absolute, leads out of its directory, or is no path.
    """
    path = PurePosixPath(title)
    if not title or len(title) > _LONGEST or "\\" in title or not title.isprintable():
        message = "it is empty, too long, or has characters that no file name needs"
        raise ValueError(message)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        message = "it is absolute or leads out of the directory"
        raise ValueError(message)
    return path
