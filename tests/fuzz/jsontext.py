"""Changes of JSON that keep it JSON, mostly: members, types, numbers at limits, and what is read in two ways.

Objects are lists of pairs, so that a key can be there twice; a ``Token`` is written as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

__all__ = ["Pairs", "Token", "change_json", "read_json", "write_json"]


class Pairs(list[tuple[str, Any]]):
    """The members of an object, in their order."""


class Token(str):
    """Text that is written without quotes."""

    __slots__ = ()


_DECODER: Final = json.JSONDecoder(object_pairs_hook=Pairs)
_NUMBERS: Final = (
    *("0", "-0", "1", "-1", "1.0", "1e0", "2147483648", "4294967296", "9007199254740993", "9223372036854775807"),
    *("9223372036854775808", "18446744073709551616", "-9223372036854775809", "1e308", "1e309", "-1e999", "0.1"),
    *("NaN", "Infinity", "01", "+1", "253402300800", "9" * 400, "0x10", "1_000"),
)
_TEXTS: Final = (
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    *("2026-03-01T12:00:00", "2026-03-01", "2106-02-07T06:28:16Z", "2026-03-01T12:00:60Z", "", "\x00", "é" * 300),
    *("sha256:" + "0" * 64, "sha512:" + "0" * 128, "sha256", "SHA2_512", "application/vnd.in-toto+json", "../../x"),
)
_VALUES: Final[tuple[Any, ...]] = (None, True, False, 0, "", [], Pairs(), "null", "0")
_KEYS: Final = ("", "__proto__", "payload", "mediaType", "digest", "rawBytes", "signature", "unknown", "é", "a\x00b")
_DEEP: Final = (3, 20, 99, 101, 1500)
_LONG: Final = 16
"""From this length on a string is worth a look: something may be inside of it."""


def read_json(data: bytes) -> Any:
    """The value with its objects as pairs; None where it is no JSON (or null)."""
    try:
        return _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def write_json(value: Any, *, ascii_only: bool = False, space: str = "") -> bytes:
    """JSON text; ``space`` stands after each comma and colon."""
    return "".join(_pieces(value, ascii_only, space)).encode("utf-8", "surrogatepass")


def _pieces(value: Any, ascii_only: bool, space: str) -> Iterator[str]:  # noqa: FBT001 - recursion over every value
    match value:
        case Token():
            yield value
        case Pairs():
            yield "{"
            for number, (key, item) in enumerate(value):
                yield f"{',' + space if number else ''}{json.dumps(key, ensure_ascii=ascii_only)}:{space}"
                yield from _pieces(item, ascii_only, space)
            yield "}"
        case list():
            yield "["
            for number, item in enumerate(value):
                if number:
                    yield f",{space}"
                yield from _pieces(item, ascii_only, space)
            yield "]"
        case _:
            yield json.dumps(value, ensure_ascii=ascii_only)


def change_json(random: Random, value: Any, donor: Any, text: Callable[[str], str]) -> bytes:
    """The document with one change; ``donor`` is another one, and ``text`` changes a string."""
    if random.random() < 0.03:
        return write_json(value, ascii_only=random.random() < 0.5, space=random.choice((" ", "\n", "\t")))
    holder: list[Any] = [value]
    places = list(_places(holder))
    long = [found for found in places if isinstance(text_of := _get(*found), str) and len(text_of) >= _LONG]
    place, index = random.choice(long if long and random.random() < 0.4 else places)
    current = _get(place, index)
    match current:
        case str() if random.random() < 0.6:
            _set(place, index, _changed_text(random, current, text))
        case bool() | None:
            _set(place, index, random.choice((*_VALUES, Token(random.choice(_NUMBERS)))))
        case int() | float() if random.random() < 0.7:
            _set(place, index, Token(random.choice(_NUMBERS)) if random.random() < 0.7 else current + 1)
        case _:
            _change_place(random, place, index, (places, donor))
    ascii_only = random.random() < 0.05
    return b"".join(write_json(each, ascii_only=ascii_only) for each in holder)


def _changed_text(random: Random, current: str, text: Callable[[str], str]) -> Any:
    match random.randrange(12):
        case 0:
            return Token('"' + "".join(f"\\u{ord(each):04x}" for each in current[:2000] if ord(each) < 1 << 16) + '"')
        case 1:
            return Token(json.dumps(current[:-1])[:-1] + random.choice(('\\ud800"', '\\u0000"', '\\"', "\\/")) + '"')
        case 2:
            return random.choice((current + " ", " " + current, current.upper(), current.lower(), current + "\x00"))
        case 3 | 4:
            return random.choice((Token(random.choice(_NUMBERS)), random.choice(_NUMBERS), *_TEXTS))
        case 5 | 6 | 7 if current.isdecimal() and current.isascii():
            return str(int(current) + random.choice((-1, 1, 60)))
        case _:
            return text(current)


def _change_place(
    random: Random, place: list[Any], index: int, others: tuple[list[tuple[list[Any], int]], Any]
) -> None:
    """Change a member or an item as a whole; ``others`` are the places of this document, and another document."""
    places, donor = others
    current = _get(place, index)
    match random.randrange(11):
        case 0 | 1:
            del place[index]
        case 2:
            place.insert(random.randrange(len(place) + 1), place[index])
        case 3 if isinstance(place, Pairs):
            place[index] = (random.choice((*_KEYS, place[index][0] + "x", place[index][0].upper())), current)
        case 4:
            _set(place, index, random.choice(_VALUES))
        case 5:
            deep = random.choice(_DEEP)
            _set(place, index, Token("[" * deep + "]" * deep) if random.random() < 0.5 else [current])
        case 6:
            _set(place, index, _copied(_get(*random.choice(places))))
        case 7 if isinstance(current, Pairs):
            current.insert(random.randrange(len(current) + 1), (random.choice(_KEYS), random.choice(_VALUES)))
        case 8 if isinstance(place, Pairs):
            named = [found for found in _places([donor]) if _name(*found) == place[index][0]]
            _set(place, index, _copied(_get(*random.choice(named))) if named else None)
        case 9 if len(place) > 1:
            other = random.randrange(len(place))
            place[index], place[other] = place[other], place[index]
        case _:
            _set(place, index, _copied(_get(*random.choice(list(_places([donor]))))))


def _copied(value: Any) -> Token:
    """A value as it is written now: put inside of itself it would have no end."""
    return Token(write_json(value).decode("utf-8", "surrogatepass"))


def _name(place: list[Any], index: int) -> str | None:
    """The name of a member; None for an item."""
    return str(place[index][0]) if isinstance(place, Pairs) else None


def _places(holder: list[Any]) -> Iterator[tuple[list[Any], int]]:
    """Every member and item, and the document itself."""
    waiting = [holder]
    while waiting:
        place = waiting.pop()
        for index in range(len(place)):
            yield place, index
            inside = _get(place, index)
            if isinstance(inside, list):
                waiting.append(inside)


def _get(place: list[Any], index: int) -> Any:
    return place[index][1] if isinstance(place, Pairs) else place[index]


def _set(place: list[Any], index: int, value: Any) -> None:
    place[index] = (place[index][0], value) if isinstance(place, Pairs) else value
