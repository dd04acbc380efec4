"""The JWS envelope of the Notary Project: flattened JSON, as notation and AWS Signer write it. Pure.

Knows notary.md 3 and RFC 7515; knows nothing of certificates, keys or time. What was signed is kept as the bytes that
came: nothing is written anew to be verified.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.evidence import Format
from imgtrust.formats import notary
from imgtrust.formats.members import Members, decode_base64, read_object
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgtrust.evidence import Evidence, Signed

__all__ = ["read", "signing_input", "write"]

_AGENT: Final = "io.cncf.notary.signingAgent"
_REGISTERED: Final = ("alg", "cty", "crit")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
"""RFC 3339 with a zone, in the one spelling that Go reads."""
_SHOWN: Final = 200


def read(evidence: Evidence) -> Signed:
    """Parse one JWS envelope.

    Raises:
        Refused: NOTARY_MALFORMED or NOTARY_CRITICAL.
    """
    if len(evidence.payload) > notary.MAX_ENVELOPE:
        fault = f"{len(evidence.payload)} bytes, expected at most {notary.MAX_ENVELOPE}"
        raise notary.malformed(fault)
    members = read_object(evidence.payload, "envelope", RefusalCode.NOTARY_MALFORMED)
    members.only("payload", "protected", "header", "signature")
    protected, payload = members.text("protected"), members.text("payload")
    unprotected = members.child("header")
    if unprotected is None:
        fault = "header is absent"
        raise members.refuse(fault)
    header = read_object(_decode(members, "protected"), "protected header", RefusalCode.NOTARY_MALFORMED)
    if header.values.keys() & unprotected.values.keys():  # RFC 7515 section 4
        fault = "a name is in the protected and in the unprotected header"
        raise members.refuse(fault)
    token = unprotected.data(notary.TIMESTAMP) if notary.TIMESTAMP in unprotected.values else None
    envelope = notary.Envelope(
        _header(header),
        _decode(members, "payload"),
        f"{protected}.{payload}".encode("ascii"),
        _decode(members, "signature"),
        _certificates(unprotected),
        token,
    )
    return notary.signed_by(envelope, Format.NOTARY_JWS)


def signing_input(header: Mapping[str, object], payload: bytes) -> bytes:
    """What a JWS signature covers: protected header and payload in base64url, with a dot between (RFC 7515, 5.1)."""
    return _encode(strict_json.dumps(dict(header))) + b"." + _encode(payload)


def write(signed: bytes, signature: bytes, certificates: Sequence[bytes], token: bytes | None, agent: str) -> bytes:
    """The envelope around a signature over ``signed`` (of ``signing_input``); certificates are DER, leaf to root.

    ``token``: a bare TimeStampToken over the signature. ``agent``: who made this, which nobody signs.
    """
    protected, _, payload = signed.decode("ascii").partition(".")
    unsigned: dict[str, object] = {"x5c": [base64.b64encode(each).decode("ascii") for each in certificates]}
    if token is not None:
        unsigned[notary.TIMESTAMP] = base64.b64encode(token).decode("ascii")
    unsigned[_AGENT] = agent
    return strict_json.dumps(
        {
            "payload": payload,
            "protected": protected,
            "header": unsigned,
            "signature": _encode(signature).decode("ascii"),
        }
    )


def _header(members: Members) -> notary.Header:
    times = {name: _time(members, name) for name in notary.TIMES if name in members.values}
    texts = {name: members.text(name) for name in notary.TEXTS if name in members.values}
    known = {*_REGISTERED, *notary.TEXTS, *notary.TIMES}
    extended = {name: _shown(value) for name, value in members.values.items() if name not in known}
    return notary.Header(
        members.text("alg"), members.text("cty"), _critical(members.values.get("crit")), texts, times, extended
    )


def _critical(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        fault = "crit is no list of names"
        raise notary.malformed(fault)
    return tuple(value)


def _time(members: Members, name: str) -> datetime:
    """A time with its zone, in UTC."""
    text = members.text(name)
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        fault = f"{name} is {text[:40]!r}, which is no time"
        raise members.refuse(fault) from exc
    fault = f"{name} is {text[:40]!r}, expected a time as in RFC 3339 with a zone"
    raise members.refuse(fault)


def _certificates(unprotected: Members) -> tuple[bytes, ...]:
    """``x5c``: standard base64, which JWS keeps for this member alone (RFC 7515 section 4.1.6)."""
    value = unprotected.values.get("x5c")
    if not isinstance(value, list) or len(value) > notary.MAX_CERTIFICATES:
        fault = f"x5c is no list of at most {notary.MAX_CERTIFICATES} certificates"
        raise unprotected.refuse(fault)
    found = [decode_base64(each) if isinstance(each, str) else None for each in value]
    if not all(found):
        fault = "x5c has a certificate that is not base64"
        raise unprotected.refuse(fault)
    return tuple(each for each in found if each is not None)


def _decode(members: Members, name: str) -> bytes:
    """Base64url without padding, in its one canonical spelling (RFC 7515 section 2)."""
    text = members.text(name)
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        fault = f"{name} is not base64url"
        raise members.refuse(fault) from exc
    if _encode(decoded).decode("ascii") != text:
        fault = f"{name} is not base64url in its one spelling"
        raise members.refuse(fault)
    return decoded


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _shown(value: object) -> str:
    """What is shown of an attribute: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else strict_json.dumps(value).decode("utf-8")[:_SHOWN]
