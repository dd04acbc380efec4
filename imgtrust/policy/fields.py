"""Reading the tables of a policy file against the vocabulary: known keys, right kinds, nothing left out. Pure.

Knows kinds of values and where a fault stands; knows nothing of what a policy means.
"""

from __future__ import annotations

import difflib
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from imgtrust.errors import ImgtrustError, UsageError
from imgtrust.policy.durations import parse_duration
from imgtrust.policy.vocabulary import TABLES, Key, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.policy.lines import KeyPath

__all__ = ["MAX_ITEMS", "Fault", "Fields", "nearest", "read_table"]

MAX_ITEMS: Final = 1_000
"""The most items of a list, and the most tables of one kind."""

_MAX_TEXT: Final = 4_096
_MAX_KEY: Final = 64 * 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_PEM: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN: Final = 80

Fields = dict[str, object]
"""A table that was read: each value is a str, an int, a timedelta, an aware datetime, a tuple, or Fields again."""


class Fault(ImgtrustError):
    """Something in the file is wrong; ``path`` is the key where it stands. ``document`` adds the line."""

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


def nearest(word: str, words: tuple[str, ...]) -> str:
    """`` did you mean "…"?`` with the nearest word, or what there is to choose from."""
    near = difflib.get_close_matches(word, words, 1, 0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; expected one of {', '.join(words)}" if words else ""


def read_table(name: str, data: object, path: KeyPath) -> Fields:
    """Read one table and all below it.

    Raises:
        Fault: an unknown key, a value of the wrong kind, or a required key that is absent.
    """
    table = TABLES[name]
    if not isinstance(data, dict):
        raise Fault(path, f"{_shown(path)} is {_kind(data)}, expected a table")
    keys = {key.name: key for key in table.keys}
    fields: Fields = {}
    for word, value in data.items():
        here = (*path, word)
        key = keys.get(word)
        if key is None:
            words = tuple(key.name for key in table.keys if not key.later)
            raise Fault(here, f'unknown key "{word[:_SHOWN]}" in {_title(table, path)}{nearest(word, words)}')
        if key.later:
            what = f'"{word}" in {_title(table, path)}: this version does not judge {key.later} yet'
            raise Fault(here, f"{what}; refusing to ignore it")
        fields[word] = _READERS[key.kind](key, value, here)
    _check_company(table, fields, path)
    for key in table.keys:
        if key.required and key.name not in fields:
            raise Fault(path, f'{_title(table, path)} needs "{key.name}": {key.doc[:1].lower()}{key.doc[1:]}')
    return fields


def _check_company(table: Table, fields: Fields, path: KeyPath) -> None:
    """Of each choice exactly one is made, and no key stands without the one that it belongs to."""
    for choice in table.choices:
        if choice.of and choice.of not in fields:
            continue
        made = [name for name in fields if name in choice.names]
        expected = f"exactly one of {', '.join(choice.names)}"
        if not made:
            beside = f' beside "{choice.of}"' if choice.of else ""
            raise Fault((*path, choice.of) if choice.of else path, f"{_title(table, path)} needs {expected}{beside}")
        if len(made) > 1:
            told = f'{_title(table, path)} has "{made[0]}" and "{made[1]}", expected {expected}'
            raise Fault((*path, made[1]), told)
    for key in table.keys:
        if key.name in fields and key.of and key.of not in fields:
            raise Fault((*path, key.name), f'"{key.name}" in {_title(table, path)} belongs to "{key.of}", not here')


def _title(table: Table, path: KeyPath) -> str:
    return table.title.replace("NAME", str(path[-1])) if path else table.title


def _shown(path: KeyPath) -> str:
    """A key by its name; an item of a list by its list."""
    return f'"{next(part for part in reversed(path) if isinstance(part, str))}"' if path else "the file"


def _kind(value: object) -> str:
    """What a value is, in TOML's words."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, datetime):
        return "a time" if value.tzinfo else "a time without a zone"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table", date: "a date"}
    return names.get(type(value), "a time of day")


def _wrong(key: Key, value: object, path: KeyPath, hint: str = "") -> Fault:
    return Fault(path, f"{_shown(path)} is {_kind(value)}, expected {key.kind.value}{hint}")


def _text(key: Key, value: object, path: KeyPath) -> str:
    if not isinstance(value, str):
        raise _wrong(key, value, path)
    fault = _text_fault(value, pem=key.name == "key")
    if fault:
        raise Fault(path, f"{_shown(path)} is {fault}, expected {Kind.TEXT.value}")
    if key.choices and key.kind is Kind.TEXT and value not in key.choices:
        raise Fault(path, f'"{value[:_SHOWN]}" is not known in {_shown(path)}{nearest(value, key.choices)}')
    return value


def _text_fault(value: str, *, pem: bool) -> str:
    """What is wrong with a string, or nothing; PEM text has several lines."""
    if not value.strip():
        return "empty"
    if value != value.strip(" "):
        return "a string with a blank at its beginning or end"
    if len(value) > (_MAX_KEY if pem else _MAX_TEXT):
        return "too long"
    return "a string that cannot be printed" if (_CONTROL_IN_PEM if pem else _CONTROL).search(value) else ""


def _texts(key: Key, value: object, path: KeyPath) -> tuple[str, ...]:
    items = [_text(key, item, (*path, number)) for number, item in enumerate(_list(key, value, path))]
    if not items:
        raise Fault(path, f"{_shown(path)} is empty: leave it out, or name something")
    for number, item in enumerate(items):
        if item in items[:number]:
            raise Fault((*path, number), f'{_shown(path)} has "{item[:_SHOWN]}" twice')
        if key.choices and item not in key.choices:
            raise Fault(
                (*path, number), f'"{item[:_SHOWN]}" is not known in {_shown(path)}{nearest(item, key.choices)}'
            )
    return tuple(items)


def _list(key: Key, value: object, path: KeyPath) -> list[object]:
    if not isinstance(value, list):
        raise _wrong(key, value, path, ": write [ … ]" if isinstance(value, str) else "")
    if len(value) > MAX_ITEMS:
        raise Fault(path, f"{_shown(path)} has {len(value)} items, expected at most {MAX_ITEMS}")
    return value


def _flag(key: Key, value: object, path: KeyPath) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, path)
    return value


def _number(key: Key, value: object, path: KeyPath) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, value, path)
    if value < 1 or (key.kind is Kind.VERSION and value != 1):
        raise Fault(path, f"{_shown(path)} is {str(value)[:20]}, expected {key.kind.value}")
    return value


def _duration(key: Key, value: object, path: KeyPath) -> object:
    if not isinstance(value, str):
        raise _wrong(key, value, path, ', as in "90d", "12h" or "30m"')
    try:
        return parse_duration(value)
    except UsageError as exc:
        raise Fault(path, f"{_shown(path)}: {exc}") from exc


def _time(key: Key, value: object, path: KeyPath) -> datetime:
    hint = ", as in 2026-01-01T00:00:00Z"
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _wrong(key, value, path, hint)
    try:
        return value.astimezone(UTC)
    except OverflowError as exc:
        raise Fault(path, f"{_shown(path)} lies outside the calendar, expected {key.kind.value}{hint}") from exc


def _table(key: Key, value: object, path: KeyPath) -> Fields:
    fields = read_table(key.table, value, path)
    if not fields:
        raise Fault(path, f"{_shown(path)} is empty: leave it out, or ask for something")
    return fields


def _tables(key: Key, value: object, path: KeyPath) -> tuple[Fields, ...]:
    items = _list(key, value, path)
    if not items:
        raise Fault(path, f"{_shown(path)} is empty: leave it out, or ask for something")
    return tuple(read_table(key.table, item, (*path, number)) for number, item in enumerate(items))


def _named(key: Key, value: object, path: KeyPath) -> Fields:
    if not isinstance(value, dict):
        raise _wrong(key, value, path)
    if not 1 <= len(value) <= MAX_ITEMS:
        raise Fault(path, f"{_shown(path)} has {len(value)} tables, expected 1 to {MAX_ITEMS}")
    fields: Fields = {}
    for name, item in value.items():
        if _NAME.fullmatch(name) is None:
            told = f'"{name[:_SHOWN]}" is no name in {_shown(path)}'
            raise Fault((*path, name), f"{told}: expected up to 64 letters, digits, _ and -")
        fields[name] = read_table(key.table, item, (*path, name))
    return fields


_READERS: Final[dict[Kind, Callable[[Key, object, KeyPath], object]]] = {
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.FLAG: _flag,
    Kind.COUNT: _number,
    Kind.VERSION: _number,
    Kind.DURATION: _duration,
    Kind.TIME: _time,
    Kind.TABLE: _table,
    Kind.TABLES: _tables,
    Kind.NAMED: _named,
}
