"""What both envelopes of the Notary Project have in common: the rules of the signed header, and the payload. Pure.

Knows notary.md 2 to 4 and which attributes must be understood; knows nothing of JSON or CBOR (``notaryjws`` and
``notarycose`` read those), and of certificates only that they are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.content import Descriptor, parse_descriptor
from imgtrust.errors import ContentMalformed, Refused
from imgtrust.evidence import Format, Kind, NotaryClaims, Signed
from imgtrust.formats.members import read_object
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = [
    "AUTHENTIC_TIME",
    "AWS_JOB",
    "AWS_PLUGIN",
    "AWS_PROFILE",
    "EXPIRY",
    "MAX_CERTIFICATES",
    "MAX_ENVELOPE",
    "PAYLOAD_TYPE",
    "PLUGIN",
    "PLUGIN_VERSION",
    "PREFIX",
    "SCHEME",
    "SCHEME_AUTHORITY",
    "SCHEME_X509",
    "SIGNING_TIME",
    "TEXTS",
    "TIMES",
    "TIMESTAMP",
    "Envelope",
    "Header",
    "as_response",
    "malformed",
    "signed_by",
    "write_target",
]

PAYLOAD_TYPE: Final = "application/vnd.cncf.notary.payload.v1+json"
PREFIX: Final = "io.cncf.notary."
SCHEME: Final = "io.cncf.notary.signingScheme"
SIGNING_TIME: Final = "io.cncf.notary.signingTime"
AUTHENTIC_TIME: Final = "io.cncf.notary.authenticSigningTime"
EXPIRY: Final = "io.cncf.notary.expiry"
PLUGIN: Final = "io.cncf.notary.verificationPlugin"
PLUGIN_VERSION: Final = "io.cncf.notary.verificationPluginMinVersion"
TIMESTAMP: Final = "io.cncf.notary.timestampSignature"
TEXTS: Final = (SCHEME, PLUGIN, PLUGIN_VERSION)
TIMES: Final = (SIGNING_TIME, AUTHENTIC_TIME, EXPIRY)
SCHEME_X509: Final = "notary.x509"
SCHEME_AUTHORITY: Final = "notary.x509.signingAuthority"

AWS_PLUGIN: Final = "com.amazonaws.signer.notation.plugin"
AWS_PROFILE: Final = "com.amazonaws.signer.signingProfileVersion"
AWS_JOB: Final = "com.amazonaws.signer.signingJob"
_AWS: Final = frozenset({PLUGIN, AWS_PROFILE, AWS_JOB})
"""The critical attributes of AWS Signer, which are understood together and in no other company (notary.md 10)."""

MAX_ENVELOPE: Final = 4 * 1024 * 1024
"""The largest envelope that is read. Real ones have some ten thousand bytes; notation reads 32 MiB, of which JSON of a
stranger would make half a gigabyte and ten seconds of work."""
MAX_CERTIFICATES: Final = 16
"""The most certificates in one envelope."""
_MAX_ATTRIBUTES: Final = 256
_MAX_TOKEN: Final = 60 * 1024
_MAX_SIGNATURE: Final = 1024
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Header:
    """The protected header of one envelope, in the words of both forms.

    ``texts`` are the attributes of the Notary Project that are texts, ``times`` its times (aware), and ``extended``
    all others with what is shown of them.
    """

    algorithm: str
    content_type: str
    critical: tuple[str, ...]
    texts: Mapping[str, str]
    times: Mapping[str, datetime]
    extended: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope, taken apart: ``message`` is exactly what the signature covers, ``token`` a TimeStampToken."""

    header: Header
    payload: bytes
    message: bytes
    signature: bytes
    certificates: tuple[bytes, ...]
    token: bytes | None


def malformed(fault: str) -> Refused:
    """The refusal of an envelope that breaks its format."""
    return Refused(RefusalCode.NOTARY_MALFORMED, f"envelope: {fault}")


def signed_by(envelope: Envelope, layer_format: Format) -> Signed:
    """What an envelope says, after the rules of its header; nothing is verified.

    Raises:
        Refused: NOTARY_MALFORMED, or NOTARY_CRITICAL for an attribute that must be understood and is not.
    """
    if not 0 < len(envelope.signature) <= _MAX_SIGNATURE:
        fault = f"a signature of {len(envelope.signature)} bytes"
        raise malformed(fault)
    if not 0 < len(envelope.certificates) <= MAX_CERTIFICATES:
        fault = f"{len(envelope.certificates)} certificates, expected 1 to {MAX_CERTIFICATES}"
        raise malformed(fault)
    target = _target(envelope.payload)
    claims = _claims(envelope.header, target)
    token = envelope.token
    if token is not None and not 0 < len(token) <= _MAX_TOKEN:
        fault = f"a time-stamp of {len(token)} bytes"
        raise malformed(fault)
    return Signed(
        layer_format,
        Kind.SIGNATURE,
        envelope.signature,
        envelope.message,
        (target.digest.encoded,),
        stamped=(envelope.signature,),
        timestamps=() if token is None else (as_response(token),),
        certificates=envelope.certificates,
        notary=claims,
        annotations=target.annotations,
    )


def write_target(target: Descriptor) -> bytes:
    """The payload about an image: its descriptor, members in the order of their names as notation writes them."""
    document: dict[str, object] = {
        "digest": str(target.digest),
        "mediaType": target.media_type,
        "size": target.size,
    }
    if target.annotations:
        document = {"annotations": dict(target.annotations), **document}
    return strict_json.dumps({"targetArtifact": document})


def as_response(token: bytes) -> bytes:
    """A TimeStampResp that grants a token: Notary keeps the bare TimeStampToken (RFC 3161 section 2.4.2)."""
    inside = b"\x30\x03\x02\x01\x00" + token
    size = len(inside)
    if size < 0x80:  # noqa: PLR2004 - X.690 section 8.1.3: shorter lengths have one byte
        return bytes((0x30, size)) + inside
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x30, 0x80 | len(length))) + length + inside


def _target(payload: bytes) -> Descriptor:
    """The descriptor that was signed (notary.md 2)."""
    members = read_object(payload, "payload", RefusalCode.NOTARY_MALFORMED)
    members.only("targetArtifact")
    try:
        return parse_descriptor(members.values.get("targetArtifact"), "targetArtifact of the payload")
    except ContentMalformed as exc:
        raise Refused(RefusalCode.NOTARY_MALFORMED, str(exc)) from exc


def _claims(header: Header, target: Descriptor) -> NotaryClaims:
    """The rules of notary.md 3, which hold for COSE as well."""
    if header.content_type != PAYLOAD_TYPE:
        fault = f"cty is {header.content_type[:_SHOWN]!r}, expected {PAYLOAD_TYPE!r}"
        raise malformed(fault)
    scheme = header.texts.get(SCHEME, "")
    _check_times(scheme, header.times)
    own = {name: text for name, text in header.texts.items() if name != SCHEME}
    attributes = {**own, **header.extended}
    if len(attributes) > _MAX_ATTRIBUTES:
        fault = f"{len(attributes)} attributes, expected at most {_MAX_ATTRIBUTES}"
        raise malformed(fault)
    _check_critical(header, attributes, scheme)
    return NotaryClaims(
        scheme,
        header.algorithm,
        header.times.get(SIGNING_TIME),
        header.times.get(AUTHENTIC_TIME),
        header.times.get(EXPIRY),
        header.critical,
        tuple(attributes.items()),
        target,
    )


def _check_times(scheme: str, times: Mapping[str, datetime]) -> None:
    """Each scheme has its own time, and not the other's; an expiry lies after it."""
    own = {SCHEME_X509: SIGNING_TIME, SCHEME_AUTHORITY: AUTHENTIC_TIME}.get(scheme)
    if own is None:
        fault = f"the signing scheme is {scheme[:_SHOWN]!r}, expected {SCHEME_X509} or {SCHEME_AUTHORITY}"
        raise malformed(fault)
    other = AUTHENTIC_TIME if own is SIGNING_TIME else SIGNING_TIME
    if own not in times or other in times:
        fault = f"the scheme {scheme} has {own} and not {other}"
        raise malformed(fault)
    if EXPIRY in times and times[EXPIRY] <= times[own]:
        fault = "it expires before it was signed"
        raise malformed(fault)


def _check_critical(header: Header, attributes: Mapping[str, str], scheme: str) -> None:
    """What must be understood is listed, present, and understood (notary.md 3, ``crit``).

    AWS Signer vouches for a time, always: its attributes are understood where a profile is what is trusted, and
    nowhere else (notary.md 10).
    """
    listed = set(header.critical)
    if len(listed) != len(header.critical):
        fault = "crit lists an attribute twice"
        raise malformed(fault)
    required = {SCHEME} | (header.times.keys() & {AUTHENTIC_TIME, EXPIRY})
    missing = required.union(attributes.keys() & {PLUGIN, PLUGIN_VERSION}) - listed
    if missing:
        fault = f"crit does not list {_joined(missing)}"
        raise malformed(fault)
    absent = listed - required - attributes.keys()
    if absent:
        fault = f"crit lists {_joined(absent)}, which the header does not have or which is never critical"
        raise malformed(fault)
    unknown = listed - required
    aws = unknown == _AWS and attributes[PLUGIN] == AWS_PLUGIN and scheme == SCHEME_AUTHORITY
    if unknown and not aws:
        message = f"the signed header has attributes that must be understood and are not: {_joined(unknown)}"
        raise Refused(RefusalCode.NOTARY_CRITICAL, message)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(name[:_SHOWN] for name in sorted(names)[:5])
