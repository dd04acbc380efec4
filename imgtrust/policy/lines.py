"""Where each key of a TOML text stands. Pure.

Knows the syntax of TOML 1.0 and no vocabulary. ``tomllib`` gives values without lines; this scanner gives lines
without values. It reads text that ``tomllib`` has accepted, so it checks nothing itself.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final

__all__ = ["KeyPath", "locate"]

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top: ``("scopes", 0, "images")``."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:\\.|[^"\\\n])*"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
_LONG_BASIC: Final = re.compile(r'"""(?:\\.|[^\\])*?""""{0,2}', re.DOTALL)
_LONG_LITERAL: Final = re.compile(r"'''.*?''''{0,2}", re.DOTALL)
_STRINGS: Final = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL)
_ATOM: Final = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> dict[KeyPath, int]:
    """The 1-based line of every key, table and list item of a TOML text that ``tomllib`` reads.

    A table that several lines make (``[a.b]`` makes ``a`` too) stands where it is first named.

    Raises:
        RecursionError: nested deeper than Python counts.
    """
    return _Scanner(text).run()


class _Scanner:
    """One pass over the text; ``at`` is the position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self.tables: dict[KeyPath, int] = {}  # lists of tables, and the position of their last one
        self.ends = [found.start() for found in re.finditer("\n", text)]

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _skip(self, pattern: re.Pattern[str]) -> int:
        """Move behind what the pattern matches here; it may match nothing."""
        found = pattern.match(self.text, self.at)
        self.at = self.at if found is None else found.end()
        return self.at

    def _note(self, path: KeyPath, start: int) -> None:
        """Remember a path and those that it makes, each where it is first seen."""
        line = bisect_right(self.ends, start - 1) + 1
        for length in range(1, len(path) + 1):
            self.found.setdefault(path[:length], line)

    def _header(self) -> KeyPath:
        """``[table]`` or ``[[list of tables]]``: the path that the lines below it are under."""
        start = self.at
        several = self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        *parents, last = self._key()
        self.at += 2 if several else 1
        path: KeyPath = ()
        for part in parents:
            path = self._last((*path, part))
        path = (*path, last)
        if several:
            self.tables[path] = self.tables.get(path, -1) + 1
        path = self._last(path)
        self._note(path, start)
        return path

    def _last(self, path: KeyPath) -> KeyPath:
        """A list of tables means its last table, as TOML has it."""
        return (*path, self.tables[path]) if path in self.tables else path

    def _pair(self, table: KeyPath) -> None:
        """``key = value``."""
        start = self.at
        path = (*table, *self._key())
        self._note(path, start)
        self.at += 1
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        """A key with its dots, up to ``=`` or ``]``."""
        parts = []
        while True:
            self._skip(_SPACE)
            start = self.at
            if self.text[start] in "\"'":
                self._skip(_BASIC if self.text[start] == '"' else _LITERAL)
                parts.append(str(tomllib.loads(f"key = {self.text[start : self.at]}")["key"]))
            else:
                self._skip(_BARE_KEY)
                parts.append(self.text[start : self.at])
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        first = self.text[self.at]
        if first == "[":
            self._list(path)
        elif first == "{":
            self._inline(path)
        elif first in "\"'":
            start = self.at
            for pattern in _STRINGS:
                if self.at == start:
                    self._skip(pattern)
        else:
            self._skip(_ATOM)

    def _list(self, path: KeyPath) -> None:
        self.at += 1
        number = 0
        while self.text[self._skip(_BLANK)] != "]":
            self._note((*path, number), self.at)
            self._value((*path, number))
            number += 1
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _inline(self, path: KeyPath) -> None:
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._pair(path)
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1
