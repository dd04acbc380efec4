"""The Sigstore bundle, v0.1 to v0.3, signed with a key or with a certificate. Pure.

Knows sigstore protobuf-specs ``sigstore_bundle.proto`` in its JSON form (protojson: zero values are left out) and what
each version demands (cosign.md 1b); knows nothing of keys, of X.509 or of time-stamp tokens.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind, Signed
from imgtrust.formats.certificates import MAX_CERTIFICATES, from_der
from imgtrust.formats.dsse import envelope_members, read_envelope
from imgtrust.formats.logentries import MAX_LOG_ENTRIES, read_entries, write_entry
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.formats.members import Members, read_object
from imgtrust.formats.statement import kind_of, parse_statement
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.evidence import Evidence, LogEntry

__all__ = ["MAX_BUNDLE_BYTES", "MAX_LOG_ENTRIES", "MAX_TIMESTAMPS", "read", "write_bundle"]

MAX_BUNDLE_BYTES: Final = 32 * 1024 * 1024
"""The largest bundle that is read: what a store hands out in memory."""
MAX_TIMESTAMPS: Final = 8
"""The most time-stamps of one bundle."""

_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
_VERSIONS: Final = {
    f"{_FAMILY}+json;version=0.1": 1,
    f"{_FAMILY}+json;version=0.2": 2,
    f"{_FAMILY}+json;version=0.3": 3,
    BUNDLE_TYPE: 3,
}
"""The media types in use, old spelling and new, and the minor version of each."""
_SINGLE_CERTIFICATE: Final = 3
"""From this version on a bundle carries the leaf alone."""
_DIGESTS: Final = {"SHA2_256": ("sha256", 32), "SHA2_384": ("sha384", 48), "SHA2_512": ("sha512", 64)}


@dataclass(frozen=True, slots=True)
class _Material:
    """``verificationMaterial``: what the signature was made with, and what else proves something about it."""

    hint: str | None
    certificates: tuple[bytes, ...]
    log_entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]


def read(evidence: Evidence) -> Signed:
    """Parse one bundle; the subject that was asked about is not compared here.

    Raises:
        Refused: BUNDLE_*, LOG_MALFORMED, LOG_PROMISE, LOG_INCLUSION, DSSE_* or STATEMENT_*.
    """
    if len(evidence.payload) > MAX_BUNDLE_BYTES:
        message = f"bundle: {len(evidence.payload)} bytes, expected at most {MAX_BUNDLE_BYTES}"
        raise Refused(RefusalCode.BUNDLE_MALFORMED, message)
    members = read_object(evidence.payload, "bundle", RefusalCode.BUNDLE_MALFORMED)
    version = _version(members)
    members.only("mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature")
    found = members.child("verificationMaterial")
    if found is None:
        message = "verificationMaterial is absent"
        raise members.refuse(message)
    material = _read_material(found, version)
    envelope, plain = members.child("dsseEnvelope"), members.child("messageSignature")
    match envelope, plain:
        case Members(), None:
            return _signed_envelope(envelope, material)
        case None, Members():
            return _signed_message(plain, material)
        case _:
            message = "expected exactly one of dsseEnvelope and messageSignature"
            raise members.refuse(message)


def write_bundle(
    *,
    signature: bytes,
    key_hint: str | None = None,
    certificate: bytes | None = None,
    statement: bytes | None = None,
    message_digest: bytes | None = None,
    timestamps: Sequence[bytes] = (),
    log_entries: Sequence[LogEntry] = (),
) -> bytes:
    """A v0.3 bundle around a signed statement, or around a signature over a message by its sha256 (cosign.md 1b).

    ``certificate``: the leaf as DER. ``timestamps``: DER TimeStampResp over the signature. Empty members are left out,
    as protojson does.

    Raises:
        ValueError: not exactly one of ``statement`` and ``message_digest``, or of ``key_hint`` and ``certificate``.
    """
    if (key_hint is None) == (certificate is None):
        message = "a bundle names a key or a certificate, exactly one"
        raise ValueError(message)
    material: dict[str, Any] = {"publicKey": {"hint": key_hint}}
    if certificate is not None:
        material = {"certificate": {"rawBytes": base64.b64encode(certificate).decode("ascii")}}
    if log_entries:
        material["tlogEntries"] = [write_entry(entry) for entry in log_entries]
    if timestamps:
        tokens = [{"signedTimestamp": base64.b64encode(token).decode("ascii")} for token in timestamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": tokens}
    document: dict[str, Any] = {"mediaType": BUNDLE_TYPE, "verificationMaterial": material}
    if (statement is None) == (message_digest is None):
        message = "a bundle holds a statement or a message signature, exactly one"
        raise ValueError(message)
    if statement is not None:
        document["dsseEnvelope"] = envelope_members(statement, signature)
    if message_digest is not None:
        document["messageSignature"] = {
            "messageDigest": {"algorithm": "SHA2_256", "digest": base64.b64encode(message_digest).decode("ascii")},
            "signature": base64.b64encode(signature).decode("ascii"),
        }
    return strict_json.dumps(document)


def _version(members: Members) -> int:
    """The minor version of the bundle."""
    media_type = members.text("mediaType")
    version = _VERSIONS.get(media_type)
    if version is not None:
        return version
    if media_type.startswith(_FAMILY):
        message = f"bundle: version {media_type[:80]!r} is not known, expected {BUNDLE_TYPE} or an older one"
        raise Refused(RefusalCode.BUNDLE_VERSION, message)
    message = f"mediaType is {media_type[:80]!r}, expected {BUNDLE_TYPE}"
    raise members.refuse(message)


def _read_material(members: Members, version: int) -> _Material:
    members.only("certificate", "x509CertificateChain", "publicKey", "tlogEntries", "timestampVerificationData")
    certificate, chain = members.child("certificate"), members.child("x509CertificateChain")
    key = members.child("publicKey")
    hint: str | None = None
    certificates: tuple[bytes, ...] = ()
    match certificate, chain, key:
        case Members(), None, None:
            certificates = (from_der(certificate, "the certificate"),)
        case None, Members(), None if version < _SINGLE_CERTIFICATE:
            certificates = _read_chain(chain)
        case None, None, Members():
            key.only("hint")
            hint = key.text("hint") or None
        case _:
            message = (
                f"expected exactly one of publicKey, certificate and (before v0.{_SINGLE_CERTIFICATE}) "
                "x509CertificateChain: it is not said what the signature was made with"
            )
            raise members.refuse(message)
    return _Material(hint, certificates, read_entries(members, version), _timestamps(members))


def _read_chain(members: Members) -> tuple[bytes, ...]:
    """``x509CertificateChain``: the leaf first; a root in it is refused in trust, where X.509 is known."""
    members.only("certificates")
    found = tuple(from_der(each, "a certificate") for each in members.children("certificates", MAX_CERTIFICATES))
    if not found:
        message = "no certificates"
        raise members.refuse(message)
    return found


def _timestamps(material: Members) -> tuple[bytes, ...]:
    """The time-stamp tokens as they are; whether one is any good is decided in trust."""
    data = material.child("timestampVerificationData")
    if data is None:
        return ()
    data.only("rfc3161Timestamps")
    tokens = data.children("rfc3161Timestamps", MAX_TIMESTAMPS)
    for token in tokens:
        token.only("signedTimestamp")
    return tuple(token.data("signedTimestamp") for token in tokens)


def _signed_envelope(members: Members, material: _Material) -> Signed:
    members = Members(members.values, members.what, RefusalCode.DSSE_MALFORMED)
    members.only("payload", "payloadType", "signatures")
    envelope = read_envelope(members, count_code=RefusalCode.BUNDLE_SIGNATURES)
    for signature in members.children("signatures", 1):
        signature.only("sig", "keyid")
    statement = parse_statement(envelope.payload)
    return Signed(
        Format.BUNDLE,
        kind_of(statement),
        envelope.signature,
        envelope.signed,
        statement.subjects,
        statement,
        payload=envelope.payload,
        key_hint=material.hint,
        stamped=(envelope.signature,),
        timestamps=material.timestamps,
        log_entries=material.log_entries,
        certificates=material.certificates,
        annotations=statement.annotations,
    )


def _signed_message(members: Members, material: _Material) -> Signed:
    members.only("messageDigest", "signature")
    digest = members.child("messageDigest")
    if digest is None:
        message = "messageDigest is absent"
        raise members.refuse(message)
    digest.only("algorithm", "digest")
    stated, value = digest.text("algorithm"), digest.data("digest")
    if stated not in _DIGESTS:
        message = f"bundle: a message digest of algorithm {stated[:80]!r}, expected one of {', '.join(_DIGESTS)}"
        raise Refused(RefusalCode.BUNDLE_UNSUPPORTED, message)
    algorithm, length = _DIGESTS[stated]
    if len(value) != length:
        message = f"algorithm {stated} with {len(value)} bytes, expected {length}"
        raise digest.refuse(message)
    signature = members.data("signature")
    if not signature:
        message = "signature is absent or empty"
        raise members.refuse(message)
    return Signed(
        Format.BUNDLE,
        Kind.SIGNATURE,
        signature,
        None,
        (value.hex(),),
        message_digest=value.hex(),
        digest_algorithm=algorithm,
        key_hint=material.hint,
        stamped=(signature,),
        timestamps=material.timestamps,
        log_entries=material.log_entries,
        certificates=material.certificates,
    )
