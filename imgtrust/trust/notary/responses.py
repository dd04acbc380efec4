"""Answers of OCSP responders. Pure.

Knows RFC 6960 in the light form of RFC 5019: one certificate is asked about, one is answered. A responder speaks where
it is the issuer itself, or where the issuer certified it for that and nobody else did.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from imgtrust.trust import keys
from imgtrust.trust.notary.entries import Entry, Unusable, check_fresh, check_hash, read_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["read_response", "request_for"]

_AGE: Final = timedelta(days=1)
"""How long an answer counts that does not say when the next is due."""
_MAX_BYTES: Final = 256 * 1024
_MAX_RESPONDERS: Final = 8
_KNOWN: Final = frozenset({x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.OCSPNoCheck})


def request_for(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """The DER request about one certificate, always the same bytes: no nonce, names by SHA-1 as every responder knows.

    Raises:
        Unusable: no request can be made of it.
    """
    try:
        builder = ocsp.OCSPRequestBuilder().add_certificate(
            certificate,
            issuer,
            hashes.SHA1(),  # noqa: S303 - a name of the issuer, which proves nothing (RFC 5019 section 2.1.1)
        )
        return builder.build().public_bytes(Encoding.DER)
    except Exception as exc:  # what cryptography raises is decided by the bytes
        message = f"it cannot be asked about: {str(exc)[:100]}"
        raise Unusable(message) from exc


def read_response(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> Entry | None:
    """What a responder says about a certificate: an entry where it is revoked, None where it is good.

    Raises:
        Unusable: the answer proves nothing, or says that the certificate is not known.
    """
    if len(data) > _MAX_BYTES:
        message = f"an answer of {len(data)} bytes"
        raise Unusable(message)
    try:
        return _read(ocsp.load_der_ocsp_response(data), certificate, issuer, now)
    except Unusable:
        raise
    except Exception as exc:  # as above
        message = f"not an OCSP response that can be read: {str(exc)[:100] or type(exc).__name__}"
        raise Unusable(message) from exc


def _read(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> Entry | None:
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        message = f"the responder says {response.response_status.name.lower()}"
        raise Unusable(message)
    critical = [each.oid.dotted_string for each in response.extensions if each.critical]
    if critical:
        message = f"a critical extension is not known: {critical[0][:64]}"
        raise Unusable(message)
    if not any(_signed(response, each) for each in _responders(response, issuer, now)):
        message = "it is not signed by the issuer, nor by a responder that the issuer certified"
        raise Unusable(message)
    answers = list(response.responses)
    if len(answers) != 1 or not _is_about(answers[0], certificate, issuer):
        message = "it is about another certificate"
        raise Unusable(message)
    this = response.this_update_utc
    check_fresh(this, response.next_update_utc or this + _AGE, now)
    if response.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        message = "the responder does not know the certificate"
        raise Unusable(message)
    entry = read_entry(response.single_extensions)
    if response.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return None
    return Entry(response.revocation_reason or entry.reason, entry.invalid_since)


def _responders(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> Iterator[x509.Certificate]:
    """Who may have signed: the issuer, and responders that it certified (RFC 6960 section 4.2.2.2)."""
    yield issuer
    for candidate in response.certificates[:_MAX_RESPONDERS]:
        try:
            candidate.verify_directly_issued_by(issuer)
            check_hash(getattr(candidate.signature_hash_algorithm, "name", None))
            fit = _may_answer(candidate.extensions)
        except Exception:  # noqa: BLE001, S112 - as above; a stranger among the certificates is no responder
            continue
        if fit and candidate.not_valid_before_utc <= now <= candidate.not_valid_after_utc:
            yield candidate


def _may_answer(extensions: x509.Extensions) -> bool:
    """Whether an issuer certified somebody for answers, and vouches that nobody need ask whether that still holds.

    A responder without ``id-pkix-ocsp-nocheck`` could itself be revoked (RFC 6960 section 4.2.2.2.1), and whoever
    stole its key would answer "good" to that as well.
    """
    found = {type(each.value): each.value for each in extensions}
    purposes, usage = found.get(x509.ExtendedKeyUsage), found.get(x509.KeyUsage)
    if any(each.critical and type(each.value) not in _KNOWN for each in extensions) or x509.OCSPNoCheck not in found:
        return False
    for_answers = isinstance(purposes, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.OCSP_SIGNING in purposes
    return for_answers and (not isinstance(usage, x509.KeyUsage) or usage.digital_signature)


def _signed(response: ocsp.OCSPResponse, responder: x509.Certificate) -> bool:
    name = getattr(response.signature_hash_algorithm, "name", None)
    check_hash(name)
    digest = hashlib.new(str(name), response.tbs_response_bytes).digest()
    return keys.check_digest(keys.supported(responder.public_key()), response.signature, digest, str(name))


def _is_about(answer: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the answer names this certificate by serial number, and its issuer by both hashes."""
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, answer.hash_algorithm).build()
    return (
        answer.serial_number == certificate.serial_number
        and answer.issuer_name_hash == asked.issuer_name_hash
        and answer.issuer_key_hash == asked.issuer_key_hash
    )
