"""Entries of kind ``hashedrekord``: the digest of what was signed, the signature, and what made it. Pure.

Knows Rekor's ``hashedrekord`` 0.0.1 and the ``hashedRekordV002`` of rekor-tiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.trust.transparency.expected import required

if TYPE_CHECKING:
    from imgtrust.formats.members import Members
    from imgtrust.trust.transparency.expected import Expected

__all__ = ["check_v1", "check_v2"]


def check_v1(spec: Members, expected: Expected) -> None:
    """Compare the ``spec`` of a ``hashedrekord`` 0.0.1.

    Raises:
        Refused: LOG_INCONSISTENT, or LOG_MALFORMED where it has another shape.
    """
    expected.check_hash(required(spec, "data", "hash"))
    signature = required(spec, "signature")
    expected.check_signature(signature.data("content"))
    expected.check_pem(required(signature, "publicKey").data("content"))


def check_v2(spec: Members, expected: Expected) -> None:
    """Compare the ``spec`` of a ``hashedrekord`` 0.0.2; for a DSSE envelope its digest is over the PAE.

    Raises:
        Refused: LOG_INCONSISTENT, or LOG_MALFORMED where it has another shape.
    """
    entry = required(spec, "hashedRekordV002")
    expected.check_digest(required(entry, "data"))
    signature = required(entry, "signature")
    expected.check_signature(signature.data("content"))
    expected.check_verifier(required(signature, "verifier"))
