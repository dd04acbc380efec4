"""A page of text for a terminal: safe, wrapped, and with colour only where it is wanted. Pure.

Knows columns, marks and escape sequences; knows nothing of verdicts. Everything that came from elsewhere passes
through ``plain`` on its way here, so no registry, annotation or policy can move a cursor or forge a line.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cell", "Mark", "Page", "Style", "Tone", "columns", "plain", "shorten"]


@dataclass(frozen=True, slots=True)
class Style:
    """How text may look: what the terminal can show, and how much a person wants to see. ``width`` is in columns."""

    colour: bool = False
    unicode: bool = True
    verbose: bool = False
    width: int = 100


class Tone(StrEnum):
    """What a piece of text means, as the parameters of an SGR sequence; never the only sign of it."""

    NONE = ""
    STRONG = "1"
    FAINT = "2"
    GOOD = "1;32"
    BAD = "1;31"
    WARN = "1;33"


class Mark(StrEnum):
    """The marks before a row; ``ascii`` where the terminal is not UTF-8."""

    PASS = "✓"  # noqa: S105 - a mark, no password
    FAIL = "✗"
    ADVICE = "!"
    UNKNOWN = "?"

    @property
    def ascii(self) -> str:
        """The same in ASCII."""
        return {Mark.PASS: "ok", Mark.FAIL: "no"}.get(self, self.value)


Cell = tuple[str, Tone]
"""A piece of text and its tone."""

_HARMLESS: Final = frozenset(
    {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"}
) | {
    "Sm",
    "Sc",
    "Sk",
    "So",
    "Mn",
    "Mc",
    "Me",
}
_DIGEST: Final = re.compile(r"(@?)(sha256|sha512):([0-9a-f]{12})[0-9a-f]{52,116}")
_ASCII: Final = str.maketrans({"…": "...", "├": "|", "└": "`", "│": "|", "─": "-", "✓": "ok", "✗": "no"})
_MARKS_PER_LETTER: Final = 4
_ASCII_END: Final = 0x7F
_ROOM: Final = 20
"""Columns that a paragraph has at least, however deep it hangs."""


def plain(text: str, *, unicode: bool = True) -> str:
    r"""Text that a terminal shows and does not obey: one line, and every character that is no visible one escaped.

    Control characters, escape sequences, direction overrides, zero-width and private characters become ``\xNN`` or
    ``\uNNNN``; towers of combining marks are cut. With ``unicode`` false everything beyond ASCII is escaped too.
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        safe = character == " " or (category in _HARMLESS and marks <= _MARKS_PER_LETTER)
        out.append(character if safe else _escaped(character))
    clean = "".join(out)
    return clean if unicode else clean.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def _escaped(character: str) -> str:
    return (
        character.encode("ascii", "backslashreplace").decode("ascii")
        if ord(character) > _ASCII_END
        else (f"\\x{ord(character):02x}")
    )


def shorten(text: str) -> str:
    """Digests as people read them: twelve digits, and an ellipsis where the digest is part of a name."""
    return _DIGEST.sub(lambda found: f"{found[1]}{found[2]}:{found[3]}{'…' if found[1] else ''}", text)


def columns(text: str) -> int:
    """How many columns a terminal gives to clean text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(c) in {"W", "F"} else 1
        for c in text
    )


class Page:
    """Lines that are put one after the other. A line is longer than ``style.width`` only where one word is."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self.verbose = style.verbose
        self.width = style.width
        self._lines: list[str] = []

    def blank(self) -> None:
        """An empty line, unless there is one or nothing yet."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def put(
        self,
        indent: int,
        *head: Cell,
        body: str | Sequence[str] = "",
        hang: int | None = None,
        rest: int | None = None,
        tone: Tone = Tone.NONE,
        below: str = "",
    ) -> None:
        """Write ``head`` at ``indent`` columns, then ``body``, wrapped at ``hang`` columns (where the head ends).

        A string is one paragraph, whatever is in it; each item of a sequence begins a line. A head that reaches
        beyond ``hang`` has a line of its own. Further lines begin at ``rest`` columns, or below the first.
        ``below`` is what they begin with, as the trunk of a tree.
        """
        cells = [(self.clean(text), mark) for text, mark in head]
        width = indent + sum(columns(text) for text, _ in cells)
        hang = width if hang is None else hang
        rest = hang if rest is None else rest
        first = " " * indent + "".join(self._paint(text, mark) for text, mark in cells)
        rows: list[str] = []
        for line in [body] if isinstance(body, str) else body:
            rows += self._wrap(line, rest if rows else hang, rest)
        if not body:
            self._lines.append(first.rstrip())
            return
        if width > hang:
            self._lines.append(first.rstrip())
        else:
            self._lines.append((first + " " * (hang - width) + self._paint(rows.pop(0), tone)).rstrip())
        lead = self.clean(below) + " " * (rest - columns(below))
        self._lines += [(lead + self._paint(row, tone)).rstrip() for row in rows]

    def mark(self, mark: Mark, tone: Tone) -> Cell:
        """A mark, two columns wide in ASCII and one in Unicode, with the space after it."""
        return (f"{mark.value} " if self._style.unicode else f"{mark.ascii:<3}", tone)

    def clean(self, text: str) -> str:
        """Text as this page shows it."""
        return plain(text if self._style.verbose else shorten(text), unicode=self._style.unicode)

    def text(self) -> str:
        """The page, ending in a newline."""
        return "\n".join(self._lines) + "\n"

    def _wrap(self, line: str, hang: int, rest: int) -> list[str]:
        """A paragraph in rows: the first with the room that is left at ``hang``, the others with that at ``rest``."""
        room = max(_ROOM, self._style.width - hang)
        rows = textwrap.wrap(
            self.clean(line),
            room + hang - rest,
            initial_indent=" " * (hang - rest),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [row[hang - rest :] if number == 0 else row for number, row in enumerate(rows)] or [""]

    def _paint(self, text: str, tone: Tone) -> str:
        if not self._style.colour or not tone or not text.strip():
            return text
        return f"\x1b[{tone}m{text}\x1b[0m"
