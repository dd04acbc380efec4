"""The COSE envelope of the Notary Project: a tagged COSE_Sign1. Pure.

Knows notary.md 4 and RFC 9052; knows nothing of certificates, keys or time. What was signed is kept as the bytes that
came, and only the structure around them is written anew (RFC 9052 section 4.4).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Format
from imgtrust.formats import cbor, notary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.evidence import Evidence, Signed

__all__ = ["read", "signed_structure"]

_SIGN1: Final = 18
_EPOCH_TIME: Final = 1
_ALG, _CRIT, _CTY, _CHAIN = 1, 2, 3, 33
_ALGORITHMS: Final = {-37: "PS256", -38: "PS384", -39: "PS512", -7: "ES256", -35: "ES384", -36: "ES512"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Final = 200
_PARTS: Final = 4


def read(evidence: Evidence) -> Signed:
    """Parse one COSE_Sign1 envelope.

    Raises:
        Refused: NOTARY_MALFORMED or NOTARY_CRITICAL.
    """
    if len(evidence.payload) > notary.MAX_ENVELOPE:
        fault = f"{len(evidence.payload)} bytes, expected at most {notary.MAX_ENVELOPE}"
        raise notary.malformed(fault)
    protected, unprotected, payload, signature = _parts(evidence.payload)
    header = _map(_loads(protected, "the protected header"), "the protected header")
    if header.keys() & unprotected.keys():
        fault = "a label is in the protected and in the unprotected header"
        raise notary.malformed(fault)
    token = unprotected.get(notary.TIMESTAMP)
    if token is not None and not isinstance(token, bytes):
        fault = "the time-stamp is no byte string"
        raise notary.malformed(fault)
    chain = header.get(_CHAIN, unprotected.get(_CHAIN))
    envelope = notary.Envelope(
        _header(header), payload, signed_structure(protected, payload), signature, _certificates(chain), token
    )
    return notary.signed_by(envelope, Format.NOTARY_COSE)


def signed_structure(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of a COSE_Sign1 without external data (RFC 9052 section 4.4)."""
    return b"\x84\x6aSignature1" + _byte_string(protected) + b"\x40" + _byte_string(payload)


def _parts(data: bytes) -> tuple[bytes, Mapping[int | str, object], bytes, bytes]:
    """Protected header, unprotected header, payload and signature."""
    document = _loads(data, "the envelope")
    if not isinstance(document, cbor.Tag) or document.number != _SIGN1:
        fault = "no COSE_Sign1 with its tag"
        raise notary.malformed(fault)
    parts = document.value
    if not isinstance(parts, list) or len(parts) != _PARTS:
        fault = "a COSE_Sign1 has four parts"
        raise notary.malformed(fault)
    protected, unprotected, payload, signature = parts
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        fault = "protected header, payload and signature are byte strings"
        raise notary.malformed(fault)
    return protected, _map(unprotected, "the unprotected header"), payload, signature


def _header(members: Mapping[int | str, object]) -> notary.Header:
    algorithm = members.get(_ALG)
    content_type = members.get(_CTY)
    if not isinstance(content_type, str):
        fault = "the content type is no text"
        raise notary.malformed(fault)
    times = {name: _time(members[name], name) for name in notary.TIMES if name in members}
    texts = {name: _text(members[name], name) for name in notary.TEXTS if name in members}
    known = {_ALG, _CRIT, _CTY, _CHAIN, *notary.TEXTS, *notary.TIMES}
    extended = {str(name): _shown(value) for name, value in members.items() if name not in known}
    found = "" if not isinstance(algorithm, int) else _ALGORITHMS.get(algorithm, f"COSE algorithm {algorithm}")
    return notary.Header(found, content_type, _critical(members.get(_CRIT)), texts, times, extended)


def _critical(value: object) -> tuple[str, ...]:
    """The labels that must be understood; a number is a label of COSE's own, of which none is critical here."""
    if not isinstance(value, list) or not all(isinstance(label, int | str) for label in value):
        fault = "crit is no list of labels"
        raise notary.malformed(fault)
    return tuple(str(label) for label in value)


def _time(value: object, name: str) -> datetime:
    """Seconds since 1970 under tag 1 (RFC 8949 section 3.4.2); whole ones, as Notary demands."""
    seconds = value.value if isinstance(value, cbor.Tag) and value.number == _EPOCH_TIME else None
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        fault = f"{name} is no time: tag 1 around a whole number"
        raise notary.malformed(fault)
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError as exc:
        fault = f"{name} is out of range"
        raise notary.malformed(fault) from exc


def _certificates(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > notary.MAX_CERTIFICATES:
        fault = f"x5chain is no array of at most {notary.MAX_CERTIFICATES} certificates"
        raise notary.malformed(fault)
    found = tuple(each for each in value if isinstance(each, bytes) and each)
    if len(found) != len(value):
        fault = "x5chain has something else than certificates"
        raise notary.malformed(fault)
    return found


def _loads(data: bytes, what: str) -> object:
    try:
        return cbor.loads(data)
    except cbor.CborError as exc:
        fault = f"{what} is not CBOR that can be read: {exc}"
        raise notary.malformed(fault) from exc


def _map(value: object, what: str) -> dict[int | str, object]:
    if not isinstance(value, dict):
        fault = f"{what} is no map"
        raise notary.malformed(fault)
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        fault = f"{name} is no text"
        raise notary.malformed(fault)
    return value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else repr(value)[:_SHOWN]


def _byte_string(data: bytes) -> bytes:
    """A byte string in CBOR, its length in the shortest form."""
    size = len(data)
    if size < 24:  # noqa: PLR2004 - RFC 8949 section 3: shorter lengths stand in the first byte
        return bytes((0x40 | size,)) + data
    code, width = (0x58, 1) if size < 1 << 8 else (0x59, 2) if size < 1 << 16 else (0x5A, 4)
    return bytes((code,)) + size.to_bytes(width, "big") + data
