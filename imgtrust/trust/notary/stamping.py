"""The certificates behind the time-stamp of a Notary signature, leaf to root, for the question of revocation. Pure.

Knows notary.md 8. The token is proven already (``trust.times``), at its own time; which certificates that took is found
here once more, for a verifier of tokens tells yes or no and not the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from imgtrust.trust.notary.chain import issued_by
from imgtrust.trust.times import read_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.trust.times import TimestampAuthority

__all__ = ["stamping_chain"]


def stamping_chain(
    response: bytes, name: str, authorities: Sequence[TimestampAuthority]
) -> tuple[x509.Certificate, ...]:
    """The certificates of a proven token of the authority ``name``, leaf first; nothing where no way is found.

    Raises:
        Refused: the token cannot be read, which one that is proven can.
    """
    token = read_token(response)
    for authority in authorities:
        leaf = token.leaf or authority.leaf
        if authority.name == name and leaf is not None:
            between = _readable((*authority.intermediates, *token.certificates))
            for certificate in _readable((leaf,)):
                found = _way(certificate, [each for each in between if _may_issue(each)], _readable(authority.roots))
                if found:
                    return found
    return ()


def _way(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The shortest way to a root; each certificate is looked at once, for the token's are a stranger's choice."""
    ways: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    seen = {leaf}
    for way in ways:
        if way[-1] in roots:
            return way
        for issuer in (*roots, *between):
            if issuer not in seen and issued_by(way[-1], issuer):
                seen.add(issuer)
                ways.append((*way, issuer))
    return ()


def _readable(certificates: Iterable[bytes]) -> list[x509.Certificate]:
    """Those of which all can be read that is asked for later."""
    found = []
    for each in certificates:
        try:
            certificate = x509.load_der_x509_certificate(each)
            _ = certificate.extensions, certificate.subject.rfc4514_string()
        except Exception:  # noqa: BLE001, S112 - what cryptography raises is decided by the bytes
            continue
        found.append(certificate)
    return found


def _may_issue(certificate: x509.Certificate) -> bool:
    """Whether a certificate is that of an authority: any other could be put between, where it names nobody to ask."""
    found = {type(each.value): each.value for each in certificate.extensions}
    constraints, usage = found.get(x509.BasicConstraints), found.get(x509.KeyUsage)
    authority = isinstance(constraints, x509.BasicConstraints) and constraints.ca
    return authority and (not isinstance(usage, x509.KeyUsage) or usage.key_cert_sign)
