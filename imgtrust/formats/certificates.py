"""Certificates as formats carry them: DER in base64, or PEM. Pure.

Knows RFC 7468 and how many certificates a bundle and cosign's annotations may have; knows nothing of X.509.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.formats.members import decode_base64
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from imgtrust.formats.members import Members

__all__ = ["MAX_CERTIFICATES", "MAX_CERTIFICATE_BYTES", "from_der", "from_pem", "pem_block"]

MAX_CERTIFICATES: Final = 10
"""The most certificates behind one signature."""
MAX_CERTIFICATE_BYTES: Final = 64 * 1024
"""The largest certificate that is read; Fulcio's have 2,500 bytes at most."""

_PEM_BYTES: Final = MAX_CERTIFICATES * MAX_CERTIFICATE_BYTES * 3 // 2
_LABEL: Final = "CERTIFICATE"
_BLOCK: Final = re.compile(
    r"-----BEGIN ([A-Z ]{1,40})-----[ \t]*\r?\n([A-Za-z0-9+/=\r\n]+)-----END ([A-Z ]{1,40})-----[ \t]*(?:\r?\n)*"
)


def from_der(members: Members, name: str) -> bytes:
    """The ``rawBytes`` of one certificate of a bundle.

    Raises:
        Refused: absent, too large, or not base64 (the code of ``members``).
    """
    members.only("rawBytes")
    der = members.data("rawBytes")
    if not 0 < len(der) <= MAX_CERTIFICATE_BYTES:
        message = f"{name} has {len(der)} bytes, expected 1 to {MAX_CERTIFICATE_BYTES}"
        raise members.refuse(message)
    return der


def from_pem(text: str, what: str) -> tuple[bytes, ...]:
    """Every certificate of a PEM text, as DER, in its order; there is nothing else in it.

    Raises:
        Refused: CERTIFICATE_MALFORMED: too large, too many, or something else than certificates.
    """
    found: list[bytes] = []
    position = 0
    text = text.strip()
    while position < len(text) <= _PEM_BYTES and len(found) < MAX_CERTIFICATES:
        block = _BLOCK.match(text, position)
        der = None if block is None else _decode(block, _LABEL)
        if block is None or der is None:
            break
        found.append(der)
        position = block.end()
    if not found or position < len(text):
        message = f"{what}: expected 1 to {MAX_CERTIFICATES} certificates in PEM and nothing else"
        raise Refused(RefusalCode.CERTIFICATE_MALFORMED, message)
    return tuple(found)


def pem_block(text: str, label: str) -> bytes | None:
    """The content of the one PEM block with this label that a text is; None for anything else."""
    block = _BLOCK.fullmatch(text.strip()) if len(text) <= _PEM_BYTES else None
    return None if block is None else _decode(block, label)


def _decode(block: re.Match[str], label: str) -> bytes | None:
    """The bytes of a block, if it is one of that label."""
    if block[1] != label or block[3] != label:
        return None
    der = decode_base64("".join(block[2].split()))
    return der if der is not None and 0 < len(der) <= MAX_CERTIFICATE_BYTES else None
