"""Distinguished Encoding Rules, read strictly. Pure.

Knows tags, lengths and the few primitive types that time-stamp tokens need (ITU-T X.690); knows nothing of what they
mean. One value has one encoding: indefinite and overlong lengths, padded integers and trailing bytes are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

__all__ = [
    "BOOLEAN",
    "GENERALIZED_TIME",
    "INTEGER",
    "OCTET_STRING",
    "OID",
    "SEQUENCE",
    "SET",
    "DerError",
    "Reader",
    "Value",
    "context",
    "oid",
    "read_one",
]

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OID: Final = 0x06
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_MAX_LENGTH_BYTES: Final = 4
_LONG: Final = 0x80
_MULTI_BYTE_TAG: Final = 0x1F
_TIME: Final = re.compile(r"([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z", re.ASCII)


class DerError(ValueError):
    """The bytes are not DER, or not of the shape that was asked for."""


def context(number: int, *, constructed: bool = True) -> int:
    """The tag byte of a context-specific tag ``[number]``."""
    return 0x80 | (0x20 if constructed else 0) | number


def oid(*numbers: int) -> bytes:
    """The content of an object identifier (X.690 section 8.19)."""
    content = bytearray([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content.extend(reversed(groups))
    return bytes(content)


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its tag byte, its content, and ``raw``, the whole encoding."""

    tag: int
    content: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    def expect(self, tag: int) -> Value:
        """The same value, if it has this tag.

        Raises:
            DerError: it has another.
        """
        if self.tag != tag:
            message = f"tag 0x{self.tag:02x}, expected 0x{tag:02x}"
            raise DerError(message)
        return self

    def reader(self, tag: int) -> Reader:
        """A reader over the values inside, if this has the tag.

        Raises:
            DerError: it has another.
        """
        return Reader(self.expect(tag).content)

    def integer(self, tag: int = INTEGER) -> int:
        """A number, in its shortest form.

        Raises:
            DerError: another tag, no content, or padding.
        """
        data = self.expect(tag).content
        if not data or (len(data) > 1 and (data[0], data[1] >> 7) in {(0x00, 0), (0xFF, 1)}):
            message = "a number that is empty or padded"
            raise DerError(message)
        return int.from_bytes(data, "big", signed=True)

    def time(self) -> datetime:
        """An aware UTC time from GeneralizedTime, to the microsecond (RFC 3161 section 2.4.2).

        Raises:
            DerError: another tag, or no time of that form.
        """
        text = self.expect(GENERALIZED_TIME).content.decode("latin-1")
        match = _TIME.fullmatch(text)
        if match is None:
            message = "a time in no DER form"
            raise DerError(message)
        try:
            moment = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError as exc:
            message = "a time that does not exist"
            raise DerError(message) from exc
        return moment.replace(microsecond=int((match[2] or "0").ljust(6, "0")[:6]))


class Reader:
    """Reads values one after the other; ``end`` says that nothing may follow."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        """Start at the first byte."""
        self._data = data
        self._position = 0

    @property
    def more(self) -> bool:
        """Whether there is something left."""
        return self._position < len(self._data)

    def next(self, tag: int | None = None) -> Value:
        """The next value, of this tag if one is given.

        Raises:
            DerError: nothing left, cut short, not DER, or of another tag.
        """
        start = self._position
        header = self._take(2)
        if header[0] & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:
            message = "a tag of several bytes"
            raise DerError(message)
        length = header[1]
        if length >= _LONG:
            count = length - _LONG
            if not 0 < count <= _MAX_LENGTH_BYTES:
                message = "a length that is indefinite or too large"
                raise DerError(message)
            encoded = self._take(count)
            length = int.from_bytes(encoded, "big")
            if encoded[0] == 0 or length < _LONG:
                message = "a length that is not in its shortest form"
                raise DerError(message)
        content = self._take(length)
        value = Value(header[0], content, self._data[start : self._position])
        return value if tag is None else value.expect(tag)

    def optional(self, tag: int) -> Value | None:
        """The next value if it has this tag; else nothing is read.

        Raises:
            DerError: what has the tag is not DER.
        """
        if self.more and self._data[self._position] == tag:
            return self.next()
        return None

    def rest(self, limit: int) -> tuple[Value, ...]:
        """All values that are left, at most ``limit``.

        Raises:
            DerError: more than that, or not DER.
        """
        values: list[Value] = []
        while self.more:
            if len(values) == limit:
                message = f"more than {limit} values in one list"
                raise DerError(message)
            values.append(self.next())
        return tuple(values)

    def end(self) -> None:
        """Nothing may be left.

        Raises:
            DerError: something is.
        """
        if self.more:
            message = "unexpected bytes at the end"
            raise DerError(message)

    def _take(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._data):
            message = "cut short"
            raise DerError(message)
        data = self._data[self._position : end]
        self._position = end
        return data


def read_one(data: bytes, tag: int = SEQUENCE) -> Reader:
    """A reader over the content of bytes that are exactly one value.

    Raises:
        DerError: they are not, or of another tag.
    """
    outer = Reader(data)
    value = outer.next(tag)
    outer.end()
    return Reader(value.content)
