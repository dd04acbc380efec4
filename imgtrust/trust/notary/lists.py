"""Certificate revocation lists and their deltas. Pure.

Knows RFC 5280 section 5 as far as notary.md 9 asks: complete lists of the issuer itself, and deltas to them. Indirect
lists, and lists for some reasons only, prove nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509

from imgtrust.trust.notary.entries import Entry, Unusable, check_fresh, check_hash, read_entry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = [
    "MAX_LIST_BYTES",
    "delta_urls",
    "find_entry",
    "has_delta",
    "has_list",
    "list_urls",
    "read_any",
    "read_delta",
    "read_list",
]

MAX_LIST_BYTES: Final = 32 * 1024 * 1024
"""The largest list that is read: notation's own limit."""


def read_list(
    data: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> x509.CertificateRevocationList:
    """A complete list of the issuer that covers a certificate.

    Raises:
        Unusable: the list proves nothing.
    """
    return _guarded(data, certificate, issuer, now, delta=False)


def read_delta(
    data: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    now: datetime,
    base: x509.CertificateRevocationList,
) -> x509.CertificateRevocationList:
    """A delta to ``base`` (RFC 5280 section 5.2.4): it begins at that list or before, and ends no earlier.

    Raises:
        Unusable: the list proves nothing, or is no delta to ``base``.
    """
    found = _guarded(data, certificate, issuer, now, delta=True)
    since = found.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number
    own, number = _number(found), _number(base)
    if own is None or number is None or not since <= number <= own:
        message = f"a delta from list {since} to {own}, and the list at hand is {number}"
        raise Unusable(message)
    return found


def read_any(data: bytes, issuer: x509.Certificate, now: datetime) -> None:
    """A list or a delta that the issuer signed and that is fresh, whichever certificates it covers.

    Raises:
        Unusable: it is none.
    """
    for delta in (False, True):
        try:
            _guarded(data, None, issuer, now, delta=delta)
        except Unusable as exc:
            fault = exc
        else:
            return
    raise fault


def find_entry(found: x509.CertificateRevocationList, certificate: x509.Certificate) -> Entry | None:
    """The entry of a certificate; None where it is not on the list.

    Raises:
        Unusable: the entry cannot be read.
    """
    try:
        entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
        return None if entry is None else read_entry(entry.extensions)
    except Unusable:
        raise
    except Exception as exc:  # what cryptography raises is decided by the bytes
        message = f"the entry of the certificate cannot be read: {str(exc)[:100]}"
        raise Unusable(message) from exc


def list_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where the lists of a certificate are: the addresses of its distribution points."""
    return _urls(certificate.extensions, x509.CRLDistributionPoints)


def delta_urls(certificate: x509.Certificate, found: x509.CertificateRevocationList) -> tuple[str, ...]:
    """Where the deltas to a list are, by the certificate and by the list (RFC 5280 sections 4.2.1.15 and 5.2.6)."""
    both = (*_urls(certificate.extensions, x509.FreshestCRL), *_urls(found.extensions, x509.FreshestCRL))
    return tuple(dict.fromkeys(both))


def has_list(certificate: x509.Certificate) -> bool:
    """Whether there are lists about a certificate, or deltas to lists, wherever they are."""
    kinds = (x509.CRLDistributionPoints, x509.FreshestCRL)
    return any(isinstance(each.value, kinds) for each in certificate.extensions)


def has_delta(certificate: x509.Certificate, found: x509.CertificateRevocationList) -> bool:
    """Whether there are deltas to a list, wherever they are."""
    both = (*certificate.extensions, *found.extensions)
    return any(isinstance(each.value, x509.FreshestCRL) for each in both)


def _urls(extensions: x509.Extensions, kind: type[x509.CRLDistributionPoints | x509.FreshestCRL]) -> tuple[str, ...]:
    try:
        points: Iterable[x509.DistributionPoint] = extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return ()
    names = [name for point in points for name in point.full_name or ()]
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _guarded(
    data: bytes, certificate: x509.Certificate | None, issuer: x509.Certificate, now: datetime, *, delta: bool
) -> x509.CertificateRevocationList:
    if len(data) > MAX_LIST_BYTES:
        message = f"a list of {len(data)} bytes"
        raise Unusable(message)
    try:
        found = x509.load_der_x509_crl(data)
        _check_signed(found, issuer)
        _check_extensions(found.extensions, certificate, delta=delta)
        check_fresh(found.last_update_utc, found.next_update_utc, now)
    except Unusable:
        raise
    except Exception as exc:  # as above
        message = f"not a revocation list that can be read: {str(exc)[:100] or type(exc).__name__}"
        raise Unusable(message) from exc
    return found


def _check_signed(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    """The issuer of the certificate signed the list, and may sign lists."""
    check_hash(getattr(found.signature_hash_algorithm, "name", None))
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    key = issuer.public_key()
    if found.issuer != issuer.subject or not usage.crl_sign:
        message = "it is not of the issuer, or the issuer may not sign lists"
        raise Unusable(message)
    if not found.is_signature_valid(key):  # type: ignore[arg-type]  # chain.read_chain lets only such keys pass
        message = "it is not signed by the issuer"
        raise Unusable(message)


def _check_extensions(extensions: x509.Extensions, certificate: x509.Certificate | None, *, delta: bool) -> None:
    """A list, or a delta, for all reasons, that the certificate belongs to."""
    is_delta = False
    for each in extensions:
        match each.value:
            case x509.DeltaCRLIndicator():
                is_delta = True
            case x509.IssuingDistributionPoint() as point:
                _check_scope(point, certificate)
            case _ if each.critical:
                message = f"a critical extension is not known: {each.oid.dotted_string[:64]}"
                raise Unusable(message)
            case _:
                pass
    if is_delta is not delta:
        message = "a delta where a list was expected, or a list where a delta was"
        raise Unusable(message)


def _check_scope(point: x509.IssuingDistributionPoint, certificate: x509.Certificate | None) -> None:
    """The list is for certificates like this one (RFC 5280 section 5.2.5).

    One issuer may have several lists: that of another distribution point never names this certificate.
    """
    if point.indirect_crl or point.only_contains_attribute_certs or point.only_some_reasons or point.relative_name:
        message = "an indirect list, or one for some reasons or attribute certificates only"
        raise Unusable(message)
    if certificate is None:
        return
    names = {name.value for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)}
    if point.full_name and not names & {*list_urls(certificate)}:
        message = "the list of another distribution point"
        raise Unusable(message)
    excluded = point.only_contains_user_certs if _is_authority(certificate) else point.only_contains_ca_certs
    if excluded:
        message = "a list for another kind of certificates"
        raise Unusable(message)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _number(found: x509.CertificateRevocationList) -> int | None:
    try:
        return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None
