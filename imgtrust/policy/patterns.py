"""Patterns of identities: a small part of regular expressions, which cannot run for ever. Pure.

Knows literals, classes, groups, choices and repeats. What certificates say comes from strangers, so a repeat inside a
repeat is refused (``(a+)+`` takes time that doubles with each character), and all that makes a pattern hard to read as
well: flags, look-around, back-references. A pattern always matches the whole text; that is what the caller asks it to.
"""

from __future__ import annotations

import re
from typing import Final

from imgtrust.errors import UsageError

__all__ = ["MAX_PATTERN", "compile_pattern"]

MAX_PATTERN: Final = 512
"""The longest pattern, in characters."""

_MAX_REPEATS: Final = 16
"""The most open repeats (``*``, ``+``, ``{n,}``) of one pattern: each can cost another factor of the text's length."""

_TOKEN: Final = re.compile(
    r"""(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?P<ask>\?:|\?.?)?)|(?P<close>\))
    |(?P<choice>\|)|(?P<repeat>[*+?]|\{[0-9]*(?:,[0-9]*)?\})|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_MAX_TIMES: Final = 4
"""How often a group may be repeated that has a repeat or a choice inside."""
_AMBIGUOUS: Final = re.compile(r"\[|--|&&|~~|\|\|")
"""What a class may mean otherwise in a later Python."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """The pattern, compiled: classes are ASCII, ``.`` is no newline. Match it with ``fullmatch``.

    Raises:
        UsageError: it is too long, no pattern, or has what is not allowed here; the message says what.
    """
    if len(text) > MAX_PATTERN:
        message = f"a pattern of {len(text)} characters, expected at most {MAX_PATTERN}"
        raise UsageError(message)
    fault = _fault(text)
    if fault:
        message = f"{fault}, in the pattern {text[:80]!r}"
        raise UsageError(message)
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as exc:
        message = f"not a pattern: {exc}, in {text[:80]!r}"
        raise UsageError(message) from exc


def _fault(pattern: str) -> str:
    """What is not allowed in a pattern, or nothing. A group that has a repeat or a choice may not be repeated."""
    groups = [False]  # for each open group whether it has a repeat or a choice inside
    closed: bool | None = None  # the same of the group that ended just before, None where none did
    repeats = 0
    for found in _TOKEN.finditer(pattern):
        kind, text = found.lastgroup or "", found[0]
        fault = _token_fault(kind, found)
        if fault:
            return fault
        after, closed = closed, None
        if kind in {"open", "ask"}:
            groups.append(False)
        elif kind == "close":
            if len(groups) == 1:
                return 'a ")" without its "("'
            closed = groups.pop()
            groups[-1] |= closed
        elif kind == "choice":
            groups[-1] = True
        elif kind == "repeat":
            times = _times(text)
            if after and (times is None or times > _MAX_TIMES):
                return "a repeated group that itself has a repeat or a choice, which can take for ever"
            groups[-1] = True
            repeats += times is None
    return f"more than {_MAX_REPEATS} open repeats" if repeats > _MAX_REPEATS else ""


def _times(repeat: str) -> int | None:
    """How often a repeat repeats at most; None where it is open."""
    if repeat == "?":
        return 1
    most = repeat[:-1].rpartition(",")[2].lstrip("{")
    return int(most[:9]) if most.isdecimal() else None


def _token_fault(kind: str, found: re.Match[str]) -> str:
    """What is not allowed wherever it stands."""
    text = found[0]
    if kind in {"open", "ask"} and found["ask"] not in {None, "?:"}:
        return f'"{text}": expected plain groups, "(" or "(?:"'
    if kind == "escape" and text[1].isdigit():
        return f'"{text}": a back-reference'
    if kind == "set" and _AMBIGUOUS.search(re.sub(r"\\.", "", text[1:-1])):
        return f'"{text[:40]}": write \\[, \\-, \\&, \\~ or \\| for these characters in a class'
    return ""
