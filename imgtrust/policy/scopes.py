"""Which scope an image falls under: patterns over repositories, and the most specific one. Pure.

Knows patterns and names of repositories; knows nothing of rules. A pattern matches a whole name or nothing.

- ``*`` stands for any characters within one part of a path, or within one label of a host (never ``/``; in a host
  not ``.`` or ``:`` either).
- ``**`` is a whole part and stands for any number of parts: none in the middle, at least one at the end
  (``HOST/team/**`` names what lies below ``team``, not ``team`` itself). Alone it names every image.
- Hosts are compared without case. A layout's directory is compared without ``.`` and empty parts; one that goes up
  with ``..`` after going down is named by ``**`` alone, as its text does not say where it leads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imgtrust.policy.values import Policy, Scope
    from imgtrust.reference import Repository

__all__ = [
    "EVERY_IMAGE",
    "Specificity",
    "canonical_pattern",
    "check_pattern",
    "edge_allowed",
    "find_scope",
    "matches",
    "specificity",
]

EVERY_IMAGE: Final = "**"
"""The pattern that names every image of every registry and layout."""

Specificity = tuple[tuple[int, int], ...]
"""Compares how exactly a pattern names something: greater is more specific."""

_LAYOUT: Final = "oci:"
_ANY: Final = "**"
_STAR: Final = "*"
_UP: Final = ".."
_ROOT: Final = "/"
_ONE: Final = "\0"
"""Any one part, the root of a directory too; no pattern can contain it."""
_LITERAL, _PARTIAL, _TREE = 2, 1, 0
_MAX_PATTERN: Final = 512
_HOST: Final = re.compile(r"[a-zA-Z0-9.*:\[\]-]+")
_PART: Final = re.compile(r"[a-z0-9._*-]+")
_NOT_IN_LAYOUT: Final = re.compile(r"[\x00-\x1f\x7f@:]")

T = TypeVar("T")
U = TypeVar("U")


def find_scope(policy: Policy, repository: Repository) -> Scope | None:
    """The scope whose pattern names this repository most exactly; None where no scope names it.

    Where two patterns are equally specific the scope that stands first in the file wins.
    """
    name = parts_of(str(repository))
    best: tuple[Specificity, Scope] | None = None
    for scope in policy.scopes:
        for pattern in scope.images:
            if matches_parts(pattern, name) and (best is None or specificity(pattern) > best[0]):
                best = (specificity(pattern), scope)
    return None if best is None else best[1]


def edge_allowed(scope: Scope, destination: Repository) -> bool:
    """Whether ``promote_to`` of a scope allows this destination."""
    name = parts_of(str(destination))
    return any(matches_parts(pattern, name) for pattern in scope.promote_to)


def matches(pattern: str, repository: Repository) -> bool:
    """Whether a pattern names a repository."""
    return matches_parts(pattern, parts_of(str(repository)))


def specificity(pattern: str) -> Specificity:
    """How exactly a pattern names something, as a key to compare.

    Part by part from the left: a part without a wildcard is more specific than one with ``*``, which is more
    specific than ``**``; of two parts with ``*`` the one with more other characters. The first difference decides;
    where one pattern is the beginning of the other, the longer one is more specific.
    """
    return tuple(_weight(part) for part in parts_of(pattern))


def canonical_pattern(pattern: str) -> str:
    """The same pattern in the one way of writing that equal patterns share."""
    return "/".join(parts_of(pattern))


def check_pattern(pattern: str) -> None:
    """Refuse what can never name a repository, so that a slip does not become a scope that matches nothing.

    Raises:
        UsageError: the pattern is malformed; the message says how to write it.
    """
    fault = _fault(pattern)
    if fault:
        message = (
            f"{pattern[:80]!r} is not a pattern for images: {fault}; expected HOST/PATH or oci:DIR without tag and "
            "digest, * within one part and ** for whole parts"
        )
        raise UsageError(message)


def _fault(pattern: str) -> str:
    """What is wrong with a pattern, or nothing."""
    parts = parts_of(pattern)
    if len(pattern) > _MAX_PATTERN:
        return f"longer than {_MAX_PATTERN} characters"
    if any(_ANY in part and part != _ANY for part in parts):
        return "** stands for whole parts, nothing may stand beside it"
    if pattern.startswith(_LAYOUT):
        rest = pattern.removeprefix(_LAYOUT)
        return (
            "not a directory of a layout" if not rest or _NOT_IN_LAYOUT.search(rest) or not _leads_down(parts) else ""
        )
    return "" if pattern == EVERY_IMAGE else _registry_fault(*parts)


def _registry_fault(host: str, *path: str) -> str:
    if not path:
        return "it has no / between registry and repository"
    if _HOST.fullmatch(host) is None:
        return f"{host[:40]!r} is not the name of a registry"
    wrong = next((part for part in path if _PART.fullmatch(part) is None), None)
    return "" if wrong is None else f"{wrong[:40]!r} is not a part of the name of a repository"


def parts_of(name: str) -> tuple[str, ...]:
    """A name or a pattern in its parts; the first of a layout is ``oci:``, then ``/`` where it is absolute."""
    if not name.startswith(_LAYOUT):
        host, *path = name.split("/")
        return (host.lower(), *path)
    directory = name.removeprefix(_LAYOUT)
    inner = tuple(part for part in directory.split("/") if part not in {"", "."})
    return (_LAYOUT, _ROOT, *inner) if directory.startswith("/") else (_LAYOUT, *inner)


def matches_parts(pattern: str, name: tuple[str, ...]) -> bool:
    """Whether a pattern names what has these parts."""
    if pattern == EVERY_IMAGE:
        return True
    layout = name[0] == _LAYOUT
    if pattern.startswith(_LAYOUT) is not layout or not _leads_down(name):
        return False
    parts = list(parts_of(pattern))
    if parts[-1] == _ANY:
        parts[-1:] = [_ONE, _ANY]
    if parts[0] == _ANY:
        return _glob(parts, name, _ANY, _part_matches)
    return _host_matches(parts[0], name[0]) and _glob(parts[1:], name[1:], _ANY, _part_matches)


def _leads_down(parts: tuple[str, ...]) -> bool:
    """Whether ``..`` stands at the beginning only, where its meaning is plain."""
    inner = parts[1:]
    depth = next((n for n, part in enumerate(inner) if part != _UP), len(inner))
    return _UP not in inner[depth:]


def _host_matches(pattern: str, host: str) -> bool:
    ours, theirs = re.split(r"([.:])", pattern), re.split(r"([.:])", host)
    return len(ours) == len(theirs) and all(map(_part_matches, ours, theirs))


def _part_matches(pattern: str, part: str) -> bool:
    """Whether one part matches; the root of an absolute directory is no part that ``*`` stands for."""
    if _ONE in pattern or part == _ROOT:
        return pattern in {_ONE, part}
    return _glob(pattern, part, _STAR, str.__eq__)


def _glob(pattern: Sequence[T], name: Sequence[U], any_number: object, same: Callable[[T, U], bool]) -> bool:
    """Match a sequence with a wildcard for any number of items.

    Going back to the last wildcard only is enough, so the time is at most the product of the lengths.
    """
    at, back, taken, n = 0, -1, 0, 0
    while n < len(name):
        if at < len(pattern) and pattern[at] == any_number:
            back, taken, at = at, n, at + 1
        elif at < len(pattern) and same(pattern[at], name[n]):
            at, n = at + 1, n + 1
        elif back >= 0:
            taken += 1
            at, n = back + 1, taken
        else:
            return False
    return all(item == any_number for item in pattern[at:])


def _weight(part: str) -> tuple[int, int]:
    if part == _ANY:
        return _TREE, 0
    stars = part.count(_STAR)
    return (_PARTIAL, len(part) - stars) if stars else (_LITERAL, 0)
