"""CBOR that has exactly one reading: the little of it that COSE envelopes need. Pure.

Knows RFC 8949: integers, byte and text strings, arrays, maps, tags, booleans and null, all of definite length and in
their shortest form; knows nothing of what they mean. Duplicate keys, floats and nesting beyond a limit are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_DEPTH", "MAX_ITEMS", "CborError", "Tag", "loads"]

MAX_DEPTH: Final = 16
"""Deepest nesting of arrays, maps and tags that is read."""
MAX_ITEMS: Final = 10_000
"""The most values in one document, keys of maps counted."""

_SIMPLE: Final = 7
_DIRECT: Final = 24
"""Arguments below this stand in the first byte itself."""
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_LEAST: Final = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}
"""The smallest argument that is written in so many bytes (RFC 8949 section 4.2.1)."""
_CONSTANTS: Final = {20: False, 21: True, 22: None}


class CborError(ValueError):
    """The bytes are not CBOR with exactly one reading; the message says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tagged value (RFC 8949 section 3.4)."""

    number: int
    value: object


def loads(data: bytes) -> object:
    """Read bytes that are exactly one value: int, bytes, str, bool, None, list, dict or ``Tag``.

    Keys of maps are integers or strings.

    Raises:
        CborError: they are not, or could be read in two ways.
    """
    decoder = _Decoder(data)
    value = decoder.value(0)
    if decoder.position != len(data):
        message = "unexpected bytes at the end"
        raise CborError(message)
    return value


class _Decoder:
    """Reads values one after the other."""

    __slots__ = ("_data", "_items", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._items = 0
        self.position = 0

    def value(self, depth: int) -> object:
        """The next value."""
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            message = f"nested deeper than {MAX_DEPTH} levels, or more than {MAX_ITEMS} values"
            raise CborError(message)
        kind, information = divmod(self._take(1)[0], 1 << 5)
        if kind == _SIMPLE:
            return _constant(information)
        return self._of_kind(kind, self._argument(information), depth)

    def _of_kind(self, kind: int, argument: int, depth: int) -> object:
        """The value of a major type (RFC 8949 section 3.1)."""
        found: object = argument
        match kind:
            case 1:
                found = -1 - argument
            case 2:
                found = self._take(argument)
            case 3:
                found = self._text(argument)
            case 4:
                found = self._array(argument, depth)
            case 5:
                found = self._map(argument, depth)
            case 6:
                found = Tag(argument, self.value(depth + 1))
        return found

    def _argument(self, information: int) -> int:
        """The number behind the first byte: a value, a length, a count or the number of a tag."""
        if information < _DIRECT:
            return information
        width = _WIDTHS.get(information)
        if width is None:
            message = "an indefinite or reserved length"
            raise CborError(message)
        argument = int.from_bytes(self._take(width), "big")
        if argument < _LEAST[width]:
            message = "a number that is not in its shortest form"
            raise CborError(message)
        return argument

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError as exc:
            message = f"a text that is not UTF-8 at byte {exc.start}"
            raise CborError(message) from exc

    def _array(self, count: int, depth: int) -> list[object]:
        self._fits(count)
        return [self.value(depth + 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[int | str, object]:
        self._fits(count)
        members: dict[int | str, object] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not isinstance(key, int | str) or isinstance(key, bool):
                message = "a key that is neither a number nor a text"
                raise CborError(message)
            if key in members:
                message = f"the key {str(key)[:64]!r} appears twice in one map"
                raise CborError(message)
            members[key] = self.value(depth + 1)
        return members

    def _fits(self, count: int) -> None:
        """Whether so many values can be in the bytes that are left: each has one byte at least."""
        if count > len(self._data) - self.position:
            message = "cut short"
            raise CborError(message)

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            message = "cut short"
            raise CborError(message)
        data = self._data[self.position : end]
        self.position = end
        return data


def _constant(information: int) -> bool | None:
    """False, true and null; floats and other simple values are in no envelope."""
    if information not in _CONSTANTS:
        message = f"a float or simple value ({information})"
        raise CborError(message)
    return _CONSTANTS[information]
