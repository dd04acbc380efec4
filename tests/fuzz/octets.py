"""Changes of bytes that nobody understands: bits, bytes and spans, put in, taken out, moved, taken from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Change = Callable[[Random, bytes, int, int, bytes], bytes]

__all__ = ["change_octets"]

_TELLING: Final = (0x00, 0x01, 0x0A, 0x20, 0x22, 0x2E, 0x2F, 0x30, 0x5C, 0x7B, 0x7F, 0x80, 0x81, 0xA0, 0xFE, 0xFF)
"""Bytes that mean something to some format."""
_TAILS: Final = (b"\x00", b"\n", b" ", b"}", b"=", b"\xff\xff\xff")
_LONG_SPAN: Final = 64


def _span(random: Random, donor: bytes, size: int) -> bytes:
    start = random.randrange(len(donor) + 1)
    return donor[start : start + size]


_CHANGES: Final[tuple[Change, ...]] = (
    lambda r, data, at, _end, _donor: data[:at] + bytes((data[at] ^ 1 << r.randrange(8),)) + data[at + 1 :],
    lambda r, data, at, _end, _donor: data[:at] + bytes((data[at] ^ 1 << r.randrange(8),)) + data[at + 1 :],
    lambda r, data, at, _end, _donor: data[:at] + bytes((r.choice(_TELLING),)) + data[at + 1 :],
    lambda r, data, at, _end, _donor: data[:at] + bytes((r.choice(_TELLING),)) + data[at:],
    lambda _r, data, at, end, _donor: data[:at] + data[end:],
    lambda _r, data, at, end, _donor: data[:end] + data[at:],
    lambda _r, data, at, _end, _donor: data[:at],
    lambda _r, data, at, _end, _donor: data[at:],
    lambda r, data, at, end, _donor: data[:at] + r.randbytes(end - at) + data[end:],
    lambda r, data, _at, _end, _donor: data + r.choice(_TAILS),
    lambda r, data, at, _end, donor: data[:at] + _span(r, donor, len(donor)),
    lambda r, data, at, end, donor: data[:at] + _span(r, donor, end - at) + data[end:],
)


def change_octets(random: Random, data: bytes, donor: bytes) -> bytes:
    """The same bytes with one change; ``donor`` is what spans are taken from."""
    if not data:
        return donor[: random.randrange(_LONG_SPAN)] or random.randbytes(random.randrange(1, 9))
    at = random.randrange(len(data))
    end = min(len(data), at + 1 + random.randrange(1 << random.randrange(7)))
    return random.choice(_CHANGES)(random, data, at, end, donor)
