"""DER, the little of it that time-stamps need: writing values, and walking over them (X.690). Pure.

Knows tags and lengths, and reads with ``trust.der``, as strictly; knows nothing of certificates or protocols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.trust.der import BOOLEAN, INTEGER, OID, SEQUENCE, DerError, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = [
    "BOOLEAN",
    "INTEGER",
    "OID",
    "SEQUENCE",
    "DerError",
    "boolean",
    "context",
    "generalized_time",
    "integer",
    "null",
    "octets",
    "oid",
    "read",
    "read_oid",
    "sequence",
    "set_of",
    "tagged",
    "utf8",
]

_SHORT: Final = 0x80


def tagged(tag: int, content: bytes) -> bytes:
    """One value: tag, length in the shortest form, content."""
    size = len(content)
    if size < _SHORT:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + content


def sequence(*items: bytes) -> bytes:
    """A SEQUENCE of values that are already DER."""
    return tagged(SEQUENCE, b"".join(items))


def set_of(items: Iterable[bytes]) -> bytes:
    """A SET OF: the members in ascending order, as DER demands (X.690, 11.6)."""
    return tagged(0x31, b"".join(sorted(items)))


def integer(number: int) -> bytes:
    """An INTEGER that is not negative, as short as can be."""
    return tagged(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def boolean(*, value: bool) -> bytes:
    """A BOOLEAN."""
    return tagged(BOOLEAN, b"\xff" if value else b"\x00")


def octets(data: bytes) -> bytes:
    """An OCTET STRING."""
    return tagged(0x04, data)


def null() -> bytes:
    """A NULL."""
    return tagged(0x05, b"")


def utf8(text: str) -> bytes:
    """A UTF8String."""
    return tagged(0x0C, text.encode())


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tagged(OID, b"".join(_base128(arc) for arc in (40 * first + second, *rest)))


def generalized_time(when: datetime) -> bytes:
    """A GeneralizedTime of whole seconds; ``when`` is aware UTC."""
    return tagged(0x18, when.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def context(number: int, content: bytes, *, constructed: bool = True) -> bytes:
    """A value with the context-specific tag ``[number]``; ``content`` is whole DER (explicit) or its inside."""
    return tagged((0xA0 if constructed else 0x80) | number, content)


def read(data: bytes) -> list[tuple[int, bytes]]:
    """The values that stand one after the other in ``data``, as (tag, content).

    Raises:
        DerError: one of them is cut short, or not DER.
    """
    return [(value.tag, value.content) for value in Reader(data).rest(len(data))]


def read_oid(content: bytes) -> str:
    """The dotted form of the content of an OBJECT IDENTIFIER.

    Raises:
        DerError: it is empty, or its last part is cut short.
    """
    if not content or content[-1] & _SHORT:
        message = "an object identifier is cut short"
        raise DerError(message)
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & _SHORT:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(part) for part in (first, arcs[0] - 40 * first, *arcs[1:]))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | _SHORT)
    return bytes(reversed(digits))
