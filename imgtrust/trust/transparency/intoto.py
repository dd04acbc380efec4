"""Entries of kind ``intoto``: an envelope with a statement, as Rekor took them before ``dsse``. Pure.

Knows Rekor's ``intoto`` 0.0.1 (digests and a key, no signature) and 0.0.2 (digests, keys and signatures).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.formats.dsse import PAYLOAD_TYPE
from imgtrust.trust.transparency.expected import disagree, required

if TYPE_CHECKING:
    from imgtrust.formats.members import Members
    from imgtrust.trust.transparency.expected import Expected

__all__ = ["check_0_0_1", "check_0_0_2"]


def check_0_0_1(spec: Members, expected: Expected) -> None:
    """Compare the ``spec`` of an ``intoto`` 0.0.1, which speaks of the signature through the envelope's digest alone.

    So the envelope's own bytes are needed, which only a ``.att`` has.

    Raises:
        Refused: LOG_INCONSISTENT, or LOG_MALFORMED where it has another shape.
    """
    if not expected.is_envelope(required(spec, "content", "hash")):
        disagree("has another envelope, or one whose bytes are not kept here")
    _check_payload(spec, expected)
    expected.check_pem(spec.data("publicKey"))


def check_0_0_2(spec: Members, expected: Expected) -> None:
    """Compare the ``spec`` of an ``intoto`` 0.0.2, whose signatures are base64 of base64.

    Raises:
        Refused: LOG_INCONSISTENT, or LOG_MALFORMED where it has another shape.
    """
    _check_payload(spec, expected)
    envelope = required(spec, "content", "envelope")
    signatures = envelope.children("signatures", 1)
    if envelope.text("payloadType") != PAYLOAD_TYPE or not signatures:
        disagree("has an envelope of another type, or without a signature")
    if not expected.is_signature(signatures[0].data("sig")):
        disagree("has another signature")
    expected.check_pem(signatures[0].data("publicKey"))


def _check_payload(spec: Members, expected: Expected) -> None:
    payload = required(spec, "content", "payloadHash")
    expected.check_payload(payload.text("algorithm"), payload.text("value"))
