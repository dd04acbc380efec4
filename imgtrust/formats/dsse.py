"""The DSSE envelope: a payload, its type, and a signature over both. Pure.

Knows the DSSE v1 protocol and envelope (secure-systems-lab/dsse) and that only in-toto statements travel in it here;
knows nothing of what a statement says.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from imgtrust.formats.members import Members

__all__ = ["PAYLOAD_TYPE", "Envelope", "envelope_members", "pae", "read_envelope", "write_envelope"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_MAX_SIGNATURES: Final = 16


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope, unverified. ``signed`` is the exact bytes that the signature covers."""

    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def signed(self) -> bytes:
        """The pre-authentication encoding of type and payload."""
        return pae(PAYLOAD_TYPE, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding (DSSE protocol.md, "Signature Definition"): lengths in bytes, not characters."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def read_envelope(members: Members, *, count_code: RefusalCode) -> Envelope:
    """Read an envelope with exactly one signature; ``count_code`` refuses none and several.

    Raises:
        Refused: DSSE_PAYLOAD_TYPE, ``count_code``, or the code of ``members``.
    """
    payload_type = members.text("payloadType")
    if payload_type != PAYLOAD_TYPE:
        message = f"{members.what}: payloadType is {payload_type[:80]!r}, expected {PAYLOAD_TYPE}"
        raise Refused(RefusalCode.DSSE_PAYLOAD_TYPE, message)
    signatures = members.children("signatures", _MAX_SIGNATURES)
    if len(signatures) != 1:
        message = f"{members.what}: {len(signatures)} signatures, expected exactly one"
        raise Refused(count_code, message)
    signature = signatures[0].data("sig")
    if not signature:
        message = "sig is absent or empty"
        raise signatures[0].refuse(message)
    return Envelope(members.data("payload"), signature)


def envelope_members(payload: bytes, signature: bytes) -> dict[str, Any]:
    """The JSON object of an envelope around a statement."""
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode("ascii")}],
    }


def write_envelope(payload: bytes, signature: bytes) -> bytes:
    """The envelope as cosign's ``.att`` layers hold it."""
    return strict_json.dumps(envelope_members(payload, signature))
