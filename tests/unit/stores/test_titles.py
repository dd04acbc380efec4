"""Titles that are paths below a directory, and those that are not."""

from __future__ import annotations

import pytest

from imgtrust.stores.titles import safe_title


@pytest.mark.parametrize("title", ["a", "a/b.txt", "./a", "a//b", "ä b", "..a", "a..", ".hidden"])
def test_a_path_below_is_a_title(title: str) -> None:
    path = safe_title(title)
    assert not path.is_absolute()
    assert ".." not in path.parts


@pytest.mark.parametrize(
    "title",
    ["", ".", "..", "/", "/a", "//a", "a/..", "../a", "a/../b", "a\\b", "C:\\x", "a\0", "a\n", "\x7f", "x" * 1025],
)
def test_anything_else_is_none(title: str) -> None:
    with pytest.raises(ValueError, match=r"absolute|empty"):
        safe_title(title)
