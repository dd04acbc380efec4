"""The certificate chain of a Notary envelope: what one must look like, and when it was valid. Pure.

Knows notary.md 5 and RFC 5280 as far as the Notary Project uses it; knows nothing of who is trusted. The chain is
complete and ordered, so no path is searched.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keys
from imgtrust.trust.certificates import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["HASHES", "check_valid", "issued_by", "may_be_trusted", "read_chain"]

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)

HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
"""The hashes of signatures over certificates, lists and answers; SHA-1 is none of them."""

_KNOWN_CRITICAL: Final = frozenset(
    {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE}
)
_FOR_CODE: Final = frozenset({ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_NOT_FOR_A_LEAF: Final = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
)


def read_chain(certificates: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """The certificates, leaf to root, after all rules of notary.md 5 but those about time and trust.

    Raises:
        Refused: NOTARY_CHAIN.
    """
    try:
        chain = tuple(load(each) for each in certificates)
        for depth, certificate in enumerate(chain):
            _check_common(certificate)
            if depth:
                _check_authority(certificate, depth - 1)
            else:
                _check_leaf(certificate)
        _check_links(chain)
    except Exception as exc:  # what cryptography raises is decided by the bytes
        message = f"the certificate chain breaks a rule: {str(exc)[:300] or type(exc).__name__}"
        raise Refused(RefusalCode.NOTARY_CHAIN, message) from exc
    return chain


def check_valid(chain: Sequence[x509.Certificate], earliest: datetime, latest: datetime, what: str) -> None:
    """Every certificate is valid from ``earliest`` to ``latest``; ``what`` says what time that is.

    Raises:
        Refused: NOTARY_TIME.
    """
    for certificate in chain:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if earliest < start or latest > end:
            who = certificate.subject.rfc4514_string()[:100]
            message = (
                f"{what} is {latest.isoformat()}, and the certificate {who!r} is valid from {start.isoformat()} to "
                f"{end.isoformat()}"
            )
            raise Refused(RefusalCode.NOTARY_TIME, message)


def may_be_trusted(der: bytes, *, root: bool) -> bool:
    """Whether notation takes a certificate (DER that can be read) into a trust store (notary.md 6).

    Authorities, and certificates that are signed by themselves; where it is one of time-stamps, both at once.
    """
    certificate = load(der)
    constraints = _extension(certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.value.ca
    own = issued_by(certificate, certificate)
    return (authority and own) if root else (authority or own)


def _check_common(certificate: x509.Certificate) -> None:
    """What holds for each certificate."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in HASHES:
        fault = "a certificate is signed with another hash than SHA-256, SHA-384 or SHA-512"
        raise ValueError(fault)
    # Read lazily by cryptography, and needed later where nothing guards it: what a stranger wrote fails here or never.
    _ = certificate.subject.rfc4514_string(), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    unknown = [each.oid for each in certificate.extensions if each.critical and each.oid not in _KNOWN_CRITICAL]
    if unknown:
        fault = f"a critical extension is not known: {unknown[0].dotted_string[:64]}"
        raise ValueError(fault)
    keys.supported(certificate.public_key())


def _check_links(chain: tuple[x509.Certificate, ...]) -> None:
    """Each certificate is issued by the next, the last by itself, and no other one by itself."""
    for certificate, issuer in itertools.pairwise(chain):
        if certificate.issuer == certificate.subject and issued_by(certificate, certificate):
            fault = "a certificate before the root is signed by itself"
            raise ValueError(fault)
        if not issued_by(certificate, issuer):
            fault = "the certificates are not in order: one is not issued by the next"
            raise ValueError(fault)
    if not issued_by(chain[-1], chain[-1]):
        fault = "the chain does not end at a root, which is signed by itself"
        raise ValueError(fault)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the names fit and the signature is the issuer's; whether it may issue any is asked elsewhere."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 - as above: a key that nobody knows is no reason to stop either
        return False
    return True


def _check_authority(certificate: x509.Certificate, between: int) -> None:
    """A certificate that may sign others, with ``between`` authorities below it."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.critical or not constraints.value.ca:
        fault = "an issuer is no certificate authority (basic constraints, critical)"
        raise ValueError(fault)
    if constraints.value.path_length is not None and constraints.value.path_length < between:
        fault = "the chain is longer than an authority in it allows"
        raise ValueError(fault)
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or not usage.critical or not usage.value.key_cert_sign:
        fault = "an issuer may not sign certificates (key usage, critical)"
        raise ValueError(fault)
    _check_limits(certificate)


def _check_limits(certificate: x509.Certificate) -> None:
    """What an authority may not do, beyond the Notary Project's own rules (RFC 5280 sections 4.2.1.10 and 4.2.1.12).

    The subject of a leaf is whom a signature is from. Limits to it are not evaluated here, so nobody who has some is
    believed; limits to names of other kinds concern nothing that is looked at.
    """
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and not _FOR_CODE & set(purposes.value):
        fault = "an issuer is for something else than signing code (extended key usage)"
        raise ValueError(fault)
    limits = _extension(certificate, x509.NameConstraints)
    if limits is None:
        return
    names = (*(limits.value.permitted_subtrees or ()), *(limits.value.excluded_subtrees or ()))
    if any(isinstance(name, x509.DirectoryName) for name in names):
        fault = "an issuer may give some names only (name constraints), which are not evaluated here"
        raise ValueError(fault)


def _check_leaf(certificate: x509.Certificate) -> None:
    """A certificate that signs images, and does nothing else that matters."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        fault = "the signing certificate is that of an authority"
        raise ValueError(fault)
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or not usage.critical or not usage.value.digital_signature:
        fault = "the signing certificate is not for digital signatures (key usage, critical)"
        raise ValueError(fault)
    allowed = usage.value
    others = (
        allowed.key_encipherment,
        allowed.data_encipherment,
        allowed.key_agreement,
        allowed.key_cert_sign,
        allowed.crl_sign,
    )
    # encipherOnly and decipherOnly have a meaning, and can be asked for, only beside keyAgreement.
    if any(others):
        fault = "the signing certificate is for something else than signatures too (key usage)"
        raise ValueError(fault)
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and _NOT_FOR_A_LEAF & set(purposes.value):
        fault = "the signing certificate is for something else than signing code (extended key usage)"
        raise ValueError(fault)


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> x509.Extension[_Kind] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
