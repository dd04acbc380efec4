"""cosign's legacy layers: the simple-signing payload of ``.sig`` and the envelope of ``.att``. Pure.

Knows cosign.md 1a: where the payload, the signature, the certificates, the time-stamp and the log entry are; knows
nothing of keys.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import InvalidDigest, Refused
from imgtrust.evidence import Format, Kind, Signed
from imgtrust.formats.certificates import from_pem
from imgtrust.formats.dsse import read_envelope
from imgtrust.formats.logentries import BUNDLE_ANNOTATION, read_legacy_entry, write_legacy_entry
from imgtrust.formats.mediatypes import DSSE_LAYER
from imgtrust.formats.members import Members, decode_base64, read_object
from imgtrust.formats.statement import kind_of, parse_statement
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.evidence import Evidence, LogEntry

__all__ = [
    "BUNDLE_ANNOTATION",
    "PREDICATE_TYPE_ANNOTATION",
    "REFERENCE_ANNOTATION",
    "SIGNATURE_ANNOTATION",
    "TIMESTAMP_ANNOTATION",
    "read",
    "signature_annotations",
    "write_payload",
]

SIGNATURE_ANNOTATION: Final = "dev.cosignproject.cosign/signature"
TIMESTAMP_ANNOTATION: Final = "dev.sigstore.cosign/rfc3161timestamp"
PREDICATE_TYPE_ANNOTATION: Final = "predicateType"
REFERENCE_ANNOTATION: Final = "critical.identity.docker-reference"
"""Under this name the signed docker-reference is kept beside the signed annotations; it is shown, never compared."""

_CERTIFICATE_ANNOTATIONS: Final = (
    "dev.sigstore.cosign/certificate",
    "dev.cosignproject.cosign/certificate",  # as in the prose of cosign's specification
)
_CHAIN_ANNOTATIONS: Final = ("dev.sigstore.cosign/chain", "dev.cosignproject.cosign/chain")
_TOKEN: Final = "SignedRFC3161Timestamp"  # noqa: S105 - the name of a JSON member
_TYPE: Final = "cosign container image signature"
_MAX_PAYLOAD: Final = 1024 * 1024
_MAX_ENVELOPE: Final = 32 * 1024 * 1024


def read(evidence: Evidence) -> Signed:
    """Parse one layer of a ``.sig`` or ``.att`` manifest, by its media type.

    Raises:
        Refused: SIMPLESIGNING_*, DSSE_*, STATEMENT_*, CERTIFICATE_MALFORMED or LOG_MALFORMED.
    """
    if evidence.layer.media_type == DSSE_LAYER:
        return _read_envelope(evidence)
    return _read_payload(evidence)


def write_payload(repository: str, digest: Digest, annotations: Mapping[str, str] | None = None) -> bytes:
    """The payload that is signed, with its members in cosign's order; ``repository`` is a name without a tag."""
    return strict_json.dumps(
        {
            "critical": {
                "identity": {"docker-reference": repository},
                "image": {"docker-manifest-digest": str(digest)},
                "type": _TYPE,
            },
            "optional": dict(annotations) if annotations else None,
        }
    )


def signature_annotations(
    signature: bytes, timestamp: bytes | None = None, log_entry: LogEntry | None = None
) -> dict[str, str]:
    """The annotations of a ``.sig`` layer: the signature, a DER TimeStampResp over it and a log's promise, if any.

    A ``.att`` layer has its signature inside, and an empty one here.

    Raises:
        ValueError: the log entry has no promise.
    """
    annotations = {SIGNATURE_ANNOTATION: base64.b64encode(signature).decode("ascii")}
    if timestamp is not None:
        token = {_TOKEN: base64.b64encode(timestamp).decode("ascii")}
        annotations[TIMESTAMP_ANNOTATION] = strict_json.dumps(token).decode("utf-8")
    if log_entry is not None:
        annotations[BUNDLE_ANNOTATION] = write_legacy_entry(log_entry)
    return annotations


def _read_payload(evidence: Evidence) -> Signed:
    if len(evidence.payload) > _MAX_PAYLOAD:
        message = f"payload: {len(evidence.payload)} bytes, expected at most {_MAX_PAYLOAD}"
        raise Refused(RefusalCode.SIMPLESIGNING_MALFORMED, message)
    signature = decode_base64(evidence.layer.annotation(SIGNATURE_ANNOTATION) or "")
    if not signature:
        message = f"the annotation {SIGNATURE_ANNOTATION} is absent, empty or not base64"
        raise Refused(RefusalCode.SIMPLESIGNING_MALFORMED, message)
    members = read_object(evidence.payload, "payload", RefusalCode.SIMPLESIGNING_MALFORMED)
    # Only ``optional`` may have members that are not known here (containers-signature(5), forward compatibility).
    members.only("critical", "optional")
    critical = _required(members, "critical")
    critical.only("identity", "image", "type")
    kind = critical.text("type")
    if kind != _TYPE:
        message = f"payload: type is {kind[:80]!r}, expected {_TYPE!r}"
        raise Refused(RefusalCode.SIMPLESIGNING_TYPE, message)
    image = _required(critical, "image")
    image.only("docker-manifest-digest")
    named = image.text("docker-manifest-digest")
    try:
        digest = Digest.parse(named)
    except InvalidDigest as exc:
        message = f"payload: docker-manifest-digest: {exc}"
        raise Refused(RefusalCode.SIMPLESIGNING_MALFORMED, message) from exc
    return Signed(
        Format.SIMPLESIGNING,
        Kind.SIGNATURE,
        signature,
        evidence.payload,
        (digest.encoded,),
        stamped=(signature,),
        timestamps=_timestamps(evidence),
        log_entries=read_legacy_entry(evidence),
        certificates=_certificates(evidence),
        annotations=_annotations(members, critical),
    )


def _read_envelope(evidence: Evidence) -> Signed:
    """An ``.att`` layer. cosign stamps the signature when it signs and expects the envelope when it verifies."""
    if len(evidence.payload) > _MAX_ENVELOPE:
        message = f"envelope: {len(evidence.payload)} bytes, expected at most {_MAX_ENVELOPE}"
        raise Refused(RefusalCode.DSSE_MALFORMED, message)
    members = read_object(evidence.payload, "envelope", RefusalCode.DSSE_MALFORMED)
    envelope = read_envelope(members, count_code=RefusalCode.DSSE_MALFORMED)
    statement = parse_statement(envelope.payload)
    return Signed(
        Format.SIMPLESIGNING,
        kind_of(statement),
        envelope.signature,
        envelope.signed,
        statement.subjects,
        statement,
        payload=envelope.payload,
        envelope=evidence.payload,
        stamped=(envelope.signature, evidence.payload),
        timestamps=_timestamps(evidence),
        log_entries=read_legacy_entry(evidence),
        certificates=_certificates(evidence),
        annotations=statement.annotations,
    )


def _required(members: Members, name: str) -> Members:
    found = members.child(name)
    if found is None:
        message = f"{name} is absent"
        raise members.refuse(message)
    return found


def _annotations(members: Members, critical: Members) -> tuple[tuple[str, str], ...]:
    """The signed annotations (``-a``), and the docker-reference that was signed with them."""
    optional, identity = members.child("optional"), critical.child("identity")
    found = {} if optional is None else {k: v for k, v in optional.values.items() if isinstance(v, str)}
    found.pop(REFERENCE_ANNOTATION, None)
    if identity is not None:
        identity.only("docker-reference")
        reference = identity.text("docker-reference")
        found |= {REFERENCE_ANNOTATION: reference} if reference else {}
    return tuple(found.items())


def _timestamps(evidence: Evidence) -> tuple[bytes, ...]:
    """The token of the layer. What is no token is handed on as it is, so that it shows as a time that is malformed."""
    text = evidence.layer.annotation(TIMESTAMP_ANNOTATION)
    if not text:
        return ()
    raw = text.encode("utf-8", "replace")
    try:
        token = read_object(raw, "time-stamp", RefusalCode.TIME_MALFORMED).data(_TOKEN)
    except Refused:
        return (raw,)
    return (token,)


def _certificates(evidence: Evidence) -> tuple[bytes, ...]:
    """Leaf and chain, where the layer says that it was signed with a certificate.

    cosign writes an empty chain beside a certificate that has none; a chain without a certificate means nothing.
    """
    leaf, chain = _first(evidence, _CERTIFICATE_ANNOTATIONS), _first(evidence, _CHAIN_ANNOTATIONS)
    if not leaf:
        if chain:
            message = "a chain without the certificate that it is for"
            raise Refused(RefusalCode.SIMPLESIGNING_UNSUPPORTED, message)
        return ()
    found = from_pem(leaf, "certificate of the layer")
    if len(found) != 1:
        message = f"certificate of the layer: {len(found)} certificates, expected one; the others belong into its chain"
        raise Refused(RefusalCode.CERTIFICATE_MALFORMED, message)
    return found + (from_pem(chain, "chain of the layer") if chain else ())


def _first(evidence: Evidence, names: tuple[str, ...]) -> str:
    """The first of these annotations that is not empty.

    Raises:
        Refused: CERTIFICATE_MALFORMED: two of them say different things.
    """
    found = list(dict.fromkeys(text for name in names if (text := evidence.layer.annotation(name))))
    if len(found) > 1:
        message = f"the annotations {' and '.join(names)} differ"
        raise Refused(RefusalCode.CERTIFICATE_MALFORMED, message)
    return found[0] if found else ""
