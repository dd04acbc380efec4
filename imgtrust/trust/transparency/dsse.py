"""Entries of kind ``dsse``: the digest of an envelope's payload, its signature, and what made it. Pure.

Knows Rekor's ``dsse`` 0.0.1 and the ``dsseV002`` of rekor-tiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.trust.transparency.expected import disagree, required

if TYPE_CHECKING:
    from imgtrust.formats.members import Members
    from imgtrust.trust.transparency.expected import Expected

__all__ = ["check_v1", "check_v2"]


def check_v1(spec: Members, expected: Expected) -> None:
    """Compare the ``spec`` of a ``dsse`` 0.0.1.

    The digest of the envelope is compared where the envelope's own bytes are known (``.att``): a bundle does not keep
    them.

    Raises:
        Refused: LOG_INCONSISTENT, or LOG_MALFORMED where it has another shape.
    """
    payload = required(spec, "payloadHash")
    expected.check_payload(payload.text("algorithm"), payload.text("value"))
    envelope = required(spec, "envelopeHash")
    if expected.signed.envelope is not None and not expected.is_envelope(envelope):
        disagree("has another envelope")
    signature = _only(spec)
    expected.check_signature(signature.data("signature"))
    expected.check_pem(signature.data("verifier"))


def check_v2(spec: Members, expected: Expected) -> None:
    """Compare the ``spec`` of a ``dsse`` 0.0.2.

    Raises:
        Refused: LOG_INCONSISTENT, or LOG_MALFORMED where it has another shape.
    """
    entry = required(spec, "dsseV002")
    expected.check_payload_digest(required(entry, "payloadHash"))
    signature = _only(entry)
    expected.check_signature(signature.data("content"))
    expected.check_verifier(required(signature, "verifier"))


def _only(members: Members) -> Members:
    """The one signature of an entry; the envelope has one, and so has its entry."""
    signatures = members.children("signatures", 1)
    if not signatures:
        disagree("has no signature")
    return signatures[0]
