"""Sigstore's signing certificates: what one must look like, and whether an authority issued it. Pure.

Knows RFC 5280 as far as Fulcio uses it (fulcio certificate-specification.md): a leaf for signing code, issued by the
first certificate of a chain that the trusted root gives. No path is searched: the chain is the root's, and what a
bundle says about it is not used. Knows nothing of who is trusted, of logs or of signatures over images.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.evidence import Format
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keys, tokens
from imgtrust.trust.identities import Named, read_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from imgtrust.evidence import Signed
    from imgtrust.trust.anchors import CertificateAuthority

__all__ = ["Leaf", "check_usage", "find_authority", "load", "read_leaf"]

_CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
_ANY_USAGE: Final = "2.5.29.37.0"
_NAME_CONSTRAINTS: Final = "2.5.29.30"
_KNOWN_CRITICAL: Final = frozenset(
    {
        "2.5.29.15",  # key usage
        "2.5.29.17",  # subject alternative name
        "2.5.29.19",  # basic constraints
        "2.5.29.37",  # extended key usage
    }
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A signing certificate that can be read; nothing about it is proven."""

    der: bytes = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    key: keys.PublicKey
    named: Named


def read_leaf(signed: Signed) -> Leaf:
    """Read the certificate that a signature names; ``signed`` has at least one.

    A bundle carries no root: whoever verifies has it (sigstore_bundle.proto, ``X509CertificateChain``).

    Raises:
        Refused: CERTIFICATE_MALFORMED.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as below

    der = signed.certificates[0]
    try:
        certificate = load(der)
        _refuse_unknown_critical(certificate)
        public = keys.supported(certificate.public_key())
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        others = [load(each) for each in signed.certificates[1:]] if signed.format is Format.BUNDLE else []
        leaf = Leaf(der, certificate, keys.PublicKey(spki), read_named(certificate))
    except Exception as exc:  # what cryptography raises is decided by the bytes
        message = f"the signing certificate cannot be used: {str(exc)[:300]}"
        raise Refused(RefusalCode.CERTIFICATE_MALFORMED, message) from exc
    if any(each.issuer == each.subject for each in others):
        message = "the bundle carries a root certificate; a root is trusted because it is known, not because it is sent"
        raise Refused(RefusalCode.CERTIFICATE_MALFORMED, message)
    return leaf


def check_usage(leaf: Leaf) -> None:
    """The certificate is for signing code, and is no authority itself.

    Raises:
        Refused: CERTIFICATE_USAGE.
    """
    certificate = leaf.certificate
    if _is_authority(certificate):
        message = "the signing certificate is that of an authority"
        raise Refused(RefusalCode.CERTIFICATE_USAGE, message)
    if not _may(certificate, "digital_signature", absent=False):
        message = "the signing certificate is not for digital signatures (key usage)"
        raise Refused(RefusalCode.CERTIFICATE_USAGE, message)
    if _CODE_SIGNING not in (_purposes(certificate) or ()):
        message = "the signing certificate is not for signing code (extended key usage)"
        raise Refused(RefusalCode.CERTIFICATE_USAGE, message)


def find_authority(
    leaf: Leaf, authorities: Sequence[CertificateAuthority], times: Sequence[datetime]
) -> CertificateAuthority:
    """The authority that issued the certificate, in its window, with a whole chain that was valid at each time.

    Raises:
        Refused: CERTIFICATE_UNTRUSTED, none did; CERTIFICATE_EXPIRED, one did, and not at one of the times.
    """
    refusals: list[Refused] = []
    for authority in authorities:
        try:
            _check_chain(leaf, authority, times)
        except Refused as exc:
            refusals.append(exc)
            continue
        return authority
    for refusal in refusals:
        if refusal.code is not RefusalCode.CERTIFICATE_UNTRUSTED:
            raise refusal
    reasons = "; ".join(dict.fromkeys(each.reason for each in refusals)) or "none is trusted"
    message = f"the signing certificate is from no trusted certificate authority ({reasons[:500]})"
    raise Refused(RefusalCode.CERTIFICATE_UNTRUSTED, message)


@functools.lru_cache(maxsize=64)
def load(der: bytes) -> x509.Certificate:
    """Read DER once per certificate. Names and dates are read as well: later nothing guards against what they hold.

    Raises:
        ValueError: not a certificate, or its serial number is not positive (RFC 5280 section 4.1.2.2), or it has
            names or dates that cannot be told (the year 0).
    """
    from cryptography import x509  # noqa: PLC0415 - 40 ms that a run with bare keys does not need

    tokens.certificate_name(der)
    found = x509.load_der_x509_certificate(der)
    _ = found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc
    return found


def _check_chain(leaf: Leaf, authority: CertificateAuthority, times: Sequence[datetime]) -> None:
    try:
        chain = [load(each) for each in authority.chain]
        below = leaf.certificate
        for depth, certificate in enumerate(chain):
            below.verify_directly_issued_by(certificate)
            _check_authority(certificate, depth)
            below = certificate
    except Exception as exc:  # as above; InvalidSignature has no text of its own
        message = f"{authority.name}: did not issue it ({str(exc)[:200] or type(exc).__name__})"
        raise Refused(RefusalCode.CERTIFICATE_UNTRUSTED, message) from exc
    for moment in times:
        early = moment < authority.not_before
        if early or (authority.not_after is not None and moment > authority.not_after):
            message = f"{authority.name}: the signature's time {moment.isoformat()} is outside its window"
            raise Refused(RefusalCode.CERTIFICATE_UNTRUSTED, message)
        for certificate in (leaf.certificate, *chain):
            start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if not start <= moment <= end:
                which = "signing certificate" if certificate is leaf.certificate else "certificate of its authority"
                message = f"signed at {moment.isoformat()}, and the {which} is valid from {start} to {end}"
                raise Refused(RefusalCode.CERTIFICATE_EXPIRED, message)


def _check_authority(certificate: x509.Certificate, depth: int) -> None:
    """A certificate that may issue signing certificates with ``depth`` authorities between (RFC 5280 section 6.1.4)."""
    from cryptography import x509  # noqa: PLC0415 - as above

    _refuse_unknown_critical(certificate)
    fault = ""
    if not _is_authority(certificate):
        fault = "an issuer is no authority"
    elif not _may(certificate, "key_cert_sign", absent=True):
        fault = "an issuer may not sign certificates"
    else:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        purposes = _purposes(certificate)
        if constraints.path_length is not None and constraints.path_length < depth:
            fault = "the chain is longer than an authority in it allows"
        elif purposes is not None and not {_CODE_SIGNING, _ANY_USAGE} & set(purposes):
            fault = "an issuer is not for signing code"
        elif any(each.oid.dotted_string == _NAME_CONSTRAINTS for each in certificate.extensions):
            fault = "an issuer may give some names only (name constraints), which are not evaluated here"
    if fault:
        raise ValueError(fault)


def _refuse_unknown_critical(certificate: x509.Certificate) -> None:
    unknown = [e.oid.dotted_string for e in certificate.extensions if e.critical]
    unknown = [oid for oid in unknown if oid not in _KNOWN_CRITICAL]
    if unknown:
        message = f"a critical extension is not known: {', '.join(unknown)[:100]}"
        raise ValueError(message)


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may(certificate: x509.Certificate, use: str, *, absent: bool) -> bool:
    """Whether the key usage has ``use``; ``absent`` is the answer where there is no such extension."""
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return bool(getattr(certificate.extensions.get_extension_for_class(x509.KeyUsage).value, use))
    except x509.ExtensionNotFound:
        return absent


def _purposes(certificate: x509.Certificate) -> list[str] | None:
    """The extended key usages; None where there is no such extension."""
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return [each.dotted_string for each in found]
