"""Ed25519ph, the pre-hashed variant of Ed25519 that cosign writes, verified. Pure.

Knows RFC 8032 section 5.1 and nothing of keys in files or of what is signed. cryptography offers only pure Ed25519.
All data here are public, so nothing runs in constant time. The strict reading of the RFC is taken: S below the order
of the group, every point in its one canonical encoding, no point of small order as a key, the equation without
cofactor.
"""

from __future__ import annotations

import hashlib
from typing import Final

__all__ = ["DIGEST_BYTES", "KEY_BYTES", "SIGNATURE_BYTES", "is_usable", "verify"]

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
DIGEST_BYTES: Final = 64
"""The pre-hash is SHA-512."""

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE: Final = pow(2, (_P - 1) // 4, _P)
_DOMAIN: Final = b"SigEd25519 no Ed25519 collisions\x01\x00"
"""dom2(F = 1, C = empty), RFC 8032 section 5.1 and 2."""

_Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032 section 5.1.4)."""

_NEUTRAL: Final[_Point] = (0, 1, 1, 0)
_BASE_X: Final = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y: Final = 46316835694926478169428394003475163141307993866256225615783033603165251855960
_BASE: Final[_Point] = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
"""The generator of RFC 8032 section 5.1, table 1."""


def is_usable(public: bytes) -> bool:
    """Whether 32 bytes are a key: a point of the curve, canonically encoded, whose order is not small."""
    return _usable(public) is not None


def verify(public: bytes, signature: bytes, digest: bytes) -> bool:
    """Check ``signature`` (64 bytes, R and S) over the SHA-512 ``digest`` of a message (RFC 8032 section 5.1.7)."""
    key = _usable(public)
    if key is None or len(signature) != SIGNATURE_BYTES or len(digest) != DIGEST_BYTES:
        return False
    encoded_r, s = signature[:KEY_BYTES], int.from_bytes(signature[KEY_BYTES:], "little")
    if s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(_DOMAIN + encoded_r + public + digest).digest(), "little") % _L
    minus_key = (_P - key[0], key[1], key[2], _P - key[3])
    return _encode(_sum_of_products(s, _BASE, k, minus_key)) == encoded_r


def _usable(public: bytes) -> _Point | None:
    """The point of a key; None where there is none, or its order divides the cofactor 8."""
    point = _decode(public)
    if point is None or _is_neutral(_double(_double(_double(point)))):
        return None
    return point


def _decode(encoded: bytes) -> _Point | None:
    """Decompress a point (RFC 8032 section 5.1.3); None where the encoding is not canonical or not on the curve."""
    if len(encoded) != KEY_BYTES:
        return None
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P != u:
        x = x * _ROOT_OF_MINUS_ONE % _P
        if v * x * x % _P != u:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encode(point: _Point) -> bytes:
    """Compress a point (RFC 8032 section 5.1.2)."""
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(KEY_BYTES, "little")


def _add(a: _Point, b: _Point) -> _Point:
    """The complete addition of RFC 8032 section 5.1.4."""
    p = (a[1] - a[0]) * (b[1] - b[0]) % _P
    q = (a[1] + a[0]) * (b[1] + b[0]) % _P
    r = 2 * a[3] * b[3] * _D % _P
    s = 2 * a[2] * b[2] % _P
    e, f, g, h = q - p, s - r, s + r, q + p
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(a: _Point) -> _Point:
    """The doubling of RFC 8032 section 5.1.4."""
    p = a[0] * a[0] % _P
    q = a[1] * a[1] % _P
    h = p + q
    e = h - (a[0] + a[1]) * (a[0] + a[1])
    g = p - q
    f = 2 * a[2] * a[2] + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _is_neutral(eightfold: _Point) -> bool:
    """Whether eight times a point is the neutral element: of the multiples of 8 it is the only one with x = 0."""
    return eightfold[0] % _P == 0


def _sum_of_products(s: int, base: _Point, k: int, point: _Point) -> _Point:
    """``[s]base + [k]point``, both multiplied in one pass."""
    both = _add(base, point)
    total = _NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        total = _double(total)
        in_s, in_k = s >> bit & 1, k >> bit & 1
        if in_s and in_k:
            total = _add(total, both)
        elif in_s:
            total = _add(total, base)
        elif in_k:
            total = _add(total, point)
    return total
