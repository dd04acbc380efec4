"""The Sigstore bundle v0.3 that is signed with a key. Pure.

Knows sigstore protobuf-specs ``sigstore_bundle.proto`` v0.3 in its JSON form (protojson: zero values are left out);
knows nothing of keys or of time-stamp tokens. Bundles of other versions and with certificates are recognised and
refused with their own codes.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind, Signed
from imgtrust.formats.dsse import envelope_members, read_envelope
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.formats.members import Members, read_object
from imgtrust.formats.statement import kind_of, parse_statement
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.evidence import Evidence

__all__ = ["MAX_BUNDLE_BYTES", "MAX_LOG_ENTRIES", "MAX_TIMESTAMPS", "read", "write_bundle"]

MAX_BUNDLE_BYTES: Final = 32 * 1024 * 1024
"""The largest bundle that is read: what a store hands out in memory."""
MAX_TIMESTAMPS: Final = 8
"""The most time-stamps of one bundle."""
MAX_LOG_ENTRIES: Final = 32
"""The most log entries of one bundle, as in sigstore-go."""

_VERSION_3: Final = frozenset({BUNDLE_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"})
_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
_SHA256_BYTES: Final = 32


def read(evidence: Evidence) -> Signed:
    """Parse one bundle; the subject that was asked about is not compared here.

    Raises:
        Refused: BUNDLE_*, DSSE_* or STATEMENT_*.
    """
    if len(evidence.payload) > MAX_BUNDLE_BYTES:
        message = f"bundle: {len(evidence.payload)} bytes, expected at most {MAX_BUNDLE_BYTES}"
        raise Refused(RefusalCode.BUNDLE_MALFORMED, message)
    members = read_object(evidence.payload, "bundle", RefusalCode.BUNDLE_MALFORMED)
    _check_version(members)
    members.only("mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature")
    material = members.child("verificationMaterial")
    if material is None:
        message = "verificationMaterial is absent"
        raise members.refuse(message)
    material.only("certificate", "x509CertificateChain", "publicKey", "tlogEntries", "timestampVerificationData")
    hint = _key_hint(material)
    log_entries = len(material.children("tlogEntries", MAX_LOG_ENTRIES))
    timestamps = _timestamps(material)
    envelope, plain = members.child("dsseEnvelope"), members.child("messageSignature")
    match envelope, plain:
        case Members(), None:
            return _signed_envelope(envelope, hint, log_entries, timestamps)
        case None, Members():
            return _signed_message(plain, hint, log_entries, timestamps)
        case _:
            message = "expected exactly one of dsseEnvelope and messageSignature"
            raise members.refuse(message)


def write_bundle(
    *,
    key_hint: str,
    signature: bytes,
    statement: bytes | None = None,
    message_digest: bytes | None = None,
    timestamps: Sequence[bytes] = (),
) -> bytes:
    """A v0.3 bundle around a signed statement, or around a signature over a message by its sha256 (cosign.md 1b).

    ``timestamps``: DER TimeStampResp over the signature. Empty members are left out, as protojson does.

    Raises:
        ValueError: not exactly one of ``statement`` and ``message_digest`` is given.
    """
    material: dict[str, Any] = {"publicKey": {"hint": key_hint}}
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


def _check_version(members: Members) -> None:
    media_type = members.text("mediaType")
    if media_type in _VERSION_3:
        return
    if media_type.startswith(_FAMILY):
        message = f"bundle: version {media_type[:80]!r} is not read here, expected {BUNDLE_TYPE}"
        raise Refused(RefusalCode.BUNDLE_VERSION, message)
    message = f"mediaType is {media_type[:80]!r}, expected {BUNDLE_TYPE}"
    raise members.refuse(message)


def _key_hint(material: Members) -> str | None:
    """The hint of a bundle that is signed with a key; an empty one is as good as none."""
    for name in ("certificate", "x509CertificateChain"):
        if material.child(name) is not None:
            message = f"bundle: signed with a certificate ({name}); only bundles signed with a key are read here"
            raise Refused(RefusalCode.BUNDLE_UNSUPPORTED, message)
    key = material.child("publicKey")
    if key is None:
        message = "publicKey is absent: it is not said what the signature was made with"
        raise material.refuse(message)
    key.only("hint")
    return key.text("hint") or None


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


def _signed_envelope(members: Members, hint: str | None, log_entries: int, timestamps: tuple[bytes, ...]) -> Signed:
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
        key_hint=hint,
        stamped=(envelope.signature,),
        timestamps=timestamps,
        log_entries=log_entries,
        annotations=statement.annotations,
    )


def _signed_message(members: Members, hint: str | None, log_entries: int, timestamps: tuple[bytes, ...]) -> Signed:
    members.only("messageDigest", "signature")
    digest = members.child("messageDigest")
    if digest is None:
        message = "messageDigest is absent"
        raise members.refuse(message)
    digest.only("algorithm", "digest")
    algorithm, value = digest.text("algorithm"), digest.data("digest")
    if algorithm != "SHA2_256" or len(value) != _SHA256_BYTES:
        message = f"algorithm {algorithm[:80]!r} with {len(value)} bytes, expected SHA2_256 with {_SHA256_BYTES}"
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
        key_hint=hint,
        stamped=(signature,),
        timestamps=timestamps,
        log_entries=log_entries,
    )
