"""Whether one pattern names all that another one names. Pure.

Knows patterns by examples: each wildcard is replaced by nothing, by one and by two things that no pattern spells out.
That finds what people write; it serves advice and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.policy.scopes import EVERY_IMAGE, matches_parts, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["covers", "overlaps"]

_TREE: Final = "**"
_STAR: Final = "*"
_FRESH: Final = "0q0z0"


def covers(wide: str, narrow: str) -> bool:
    """Whether ``wide`` names every repository that ``narrow`` names."""
    if EVERY_IMAGE in {wide, narrow}:
        return wide == EVERY_IMAGE
    return all(matches_parts(wide, example) for example in _examples(narrow))


def overlaps(one: str, other: str) -> bool:
    """Whether one of two patterns names all that the other one names."""
    return covers(one, other) or covers(other, one)


def _examples(pattern: str) -> Iterator[tuple[str, ...]]:
    """Names that a pattern names."""
    parts = parts_of(pattern)
    for depth in range(3):
        for filling in ("", _FRESH):
            yield tuple(
                name
                for number, part in enumerate(parts)
                for name in (
                    [_FRESH] * max(depth, number == len(parts) - 1)
                    if part == _TREE
                    else [part.replace(_STAR, filling) or _FRESH]
                )
            )
