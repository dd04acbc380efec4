"""Signed certificate timestamps: proof that a signing certificate was shown to a CT log before it was issued. Pure.

Knows RFC 6962 sections 3.2 and 3.3 for timestamps that are embedded in a certificate; knows nothing of chains.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509
    from cryptography.x509.certificate_transparency import SignedCertificateTimestamp

    from imgtrust.trust.anchors import LogKey

__all__ = ["verify"]

_MAX_TIMESTAMPS: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER: Final = b"\x00\x00"
"""``sct_version`` v1 and ``signature_type`` certificate_timestamp."""
_PRECERT_ENTRY: Final = b"\x00\x01"


def verify(certificate: x509.Certificate, issuer: x509.Certificate, logs: Sequence[LogKey]) -> None:
    """At least one embedded timestamp is by a log that is trusted at its time; what such a log did not sign refuses.

    ``issuer`` is the certificate that issued ``certificate``: its key is part of what is signed.

    Raises:
        Refused: CERTIFICATE_SCT.
    """
    try:
        timestamps = _embedded(certificate)
        signed_by = [_signed_bytes(certificate, issuer, each) for each in timestamps]
    except Exception as exc:  # what cryptography raises is decided by the bytes
        message = f"the certificate has no timestamp of a CT log that can be read: {str(exc)[:200]}"
        raise Refused(RefusalCode.CERTIFICATE_SCT, message) from exc
    known = False
    for timestamp, data in zip(timestamps, signed_by, strict=True):
        mine = [log for log in logs if log.log_id == timestamp.log_id]
        known = known or bool(mine)
        if mine and not any(_holds(timestamp, data, log) for log in mine):
            message = "the certificate's timestamp is not by the CT log that it names, or not in the window of its key"
            raise Refused(RefusalCode.CERTIFICATE_SCT, message)
    if not known:
        message = f"the certificate's {len(timestamps)} timestamps are by no trusted CT log"
        raise Refused(RefusalCode.CERTIFICATE_SCT, message)


def _embedded(certificate: x509.Certificate) -> list[SignedCertificateTimestamp]:
    from cryptography import x509  # noqa: PLC0415 - 40 ms that a run with bare keys does not need

    found = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    timestamps = list(found)
    if len(timestamps) > _MAX_TIMESTAMPS:
        message = f"{len(timestamps)} timestamps, expected at most {_MAX_TIMESTAMPS}"
        raise ValueError(message)
    return timestamps


def _signed_bytes(certificate: x509.Certificate, issuer: x509.Certificate, sct: SignedCertificateTimestamp) -> bytes:
    """The ``digitally-signed`` struct over the certificate as it was before the timestamp was put in."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = certificate.tbs_precertificate_bytes
    extensions = sct.extension_bytes
    return b"".join(
        (
            _HEADER,
            ((_time(sct) - _EPOCH) // timedelta(milliseconds=1)).to_bytes(8, "big"),
            _PRECERT_ENTRY,
            hashlib.sha256(key).digest(),
            len(body).to_bytes(3, "big"),
            body,
            len(extensions).to_bytes(2, "big"),
            extensions,
        )
    )


def _time(sct: SignedCertificateTimestamp) -> datetime:
    return sct.timestamp.replace(tzinfo=UTC)


def _holds(sct: SignedCertificateTimestamp, data: bytes, log: LogKey) -> bool:
    """Whether a log signed a timestamp while its key was trusted; SHA-256 is all that RFC 6962 section 2.1.4 allows."""
    moment = _time(sct)
    if moment < log.not_before or (log.not_after is not None and moment > log.not_after):
        return False
    return keys.verify_digest(log.key, sct.signature, hashlib.sha256(data).digest(), "sha256")
