"""Whom a Notary signature is from, by the trust stores and identities of a policy. Pure.

Knows notary.md 6 and 10: which store speaks for which scheme, subjects by subset, profiles of AWS Signer by ARN; knows
nothing of time. A store of one kind never speaks for another: a certificate authority cannot vouch for a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.formats.notary import AWS_PROFILE, PLUGIN, SCHEME_X509
from imgtrust.refusals import RefusalCode
from imgtrust.trust.notary.awssigner import PROFILE_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from imgtrust.evidence import NotaryClaims, Signed
    from imgtrust.trust.anchors import TrustedNotary

__all__ = ["AWS_SIGNER", "identity_of", "kind_of", "trusted_by"]

AWS_SIGNER: Final = "aws-signer"
_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.17": "POSTALCODE",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}


def trusted_by(
    signed: Signed, claims: NotaryClaims, chain: Sequence[x509.Certificate], stores: Sequence[TrustedNotary]
) -> list[TrustedNotary]:
    """Every signer of the policy that this signature is of: a certificate of its store, and one of its identities.

    Raises:
        Refused: NOTARY_UNTRUSTED, no store of the right kind has a certificate of the chain; NOTARY_IDENTITY.
    """
    kind = kind_of(claims)
    of_kind = [each for each in stores if each.kind == kind]
    rooted = [each for each in of_kind if set(each.roots) & set(signed.certificates)]
    if not rooted:
        root = chain[-1].subject.rfc4514_string()[:100]
        none = f"which is in none of the {len(of_kind)} trust stores of type {kind}"
        message = f"the chain ends at {root!r}, {none if of_kind else f'and no trust store of type {kind} is named'}"
        raise Refused(RefusalCode.NOTARY_UNTRUSTED, message)
    if kind == AWS_SIGNER:
        known = [each for each in rooted if _is_profile(_profile_version(claims), each.profiles)]
    else:
        subject = _attributes(chain[0])
        known = [each for each in rooted if any(_is_subset(wanted, subject) for wanted in each.subjects)]
    if not known:
        message = f"signed by {identity_of(claims, chain)[:200]}, whom the policy does not name under this root"
        raise Refused(RefusalCode.NOTARY_IDENTITY, message)
    return known


def kind_of(claims: NotaryClaims) -> str:
    """The kind of store that speaks for a signature: by its scheme, and by the plugin that it names."""
    if claims.scheme == SCHEME_X509:
        return "ca"
    return AWS_SIGNER if PLUGIN in claims.critical else "signing-authority"


def identity_of(claims: NotaryClaims, chain: Sequence[x509.Certificate]) -> str:
    """What makes signers distinct: the subject of the certificate; for AWS Signer the profile, without its version."""
    if kind_of(claims) == AWS_SIGNER:
        version = _profile_version(claims)
        match = PROFILE_VERSION.fullmatch(version)
        return version if match is None else match[1]
    return f"x509.subject: {chain[0].subject.rfc4514_string()}"


def _profile_version(claims: NotaryClaims) -> str:
    return dict(claims.attributes).get(AWS_PROFILE, "")


def _is_profile(version: str, profiles: Sequence[str]) -> bool:
    """Whether a profile version is one of those named, or is of a profile that is (without regard to case)."""
    match = PROFILE_VERSION.fullmatch(version)
    if match is None:
        return False
    return version in profiles or match[1].lower() in {each.lower() for each in profiles}


def _attributes(certificate: x509.Certificate) -> dict[str, str] | None:
    """The subject by attribute; None where an attribute is there twice or shares its part, so that no name is sure."""
    if any(len(list(part)) != 1 for part in certificate.subject.rdns):
        return None
    pairs = [(each.oid.dotted_string, each.value) for each in certificate.subject]
    found = {_NAMES.get(name, name): value for name, value in pairs if isinstance(value, str)}
    return found if len(found) == len(pairs) else None


def _is_subset(wanted: Sequence[tuple[str, str]], subject: dict[str, str] | None) -> bool:
    """Whether a subject has every attribute that is asked for; who asks for none takes any subject."""
    if not wanted:
        return True
    return subject is not None and all(subject.get(_NAMES.get(name, name)) == value for name, value in wanted)
