"""Rule ``signatures``: enough distinct signers of those that the policy names. Pure.

Knows that distinct signers are distinct keys or identities, however many names or signatures they have, and that
an attestation by the right key is no signature of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Format, Kind
from imgtrust.refusals import RefusalCode
from imgtrust.rules.ways import how_to_sign
from imgtrust.rules.wording import count, listed, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from imgtrust.rules.finding import Finding
    from imgtrust.rules.requirements import SignatureRule
    from imgtrust.rules.subjects import Subject
    from imgtrust.trust.signatures import VerifiedSignature

__all__ = ["FORMAT_WORDS", "SIGNATURES", "by_signer", "needed", "signatures", "until"]

SIGNATURES: Final = "signatures"

FORMAT_WORDS: Final = {
    Format.BUNDLE: "Sigstore bundle",
    Format.SIMPLESIGNING: "cosign signature",
    Format.NOTARY_JWS: "Notary JWS",
    Format.NOTARY_COSE: "Notary COSE",
    Format.UNKNOWN: "unknown format",
}
"""The formats for people."""

_UNTRUSTED: Final = {
    RefusalCode.BUNDLE_UNTRUSTED_KEY: ("that key", 'key = "FILE"'),
    RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY: ("that key", 'key = "FILE"'),
    RefusalCode.KEY_INSTEAD_OF_CERTIFICATE: ("that key", 'key = "FILE"'),
    RefusalCode.IDENTITY_UNTRUSTED: ("that identity", 'sigstore = "public-good", issuer = "…", identity = "…"'),
    RefusalCode.CERTIFICATE_INSTEAD_OF_KEY: ("that identity", 'sigstore = "public-good", issuer = "…", identity = "…"'),
    RefusalCode.NOTARY_UNTRUSTED: ("that root", 'notary = "ca", roots = ["FILE"], identities = ["…"]'),
    RefusalCode.NOTARY_IDENTITY: ("that identity", 'notary = "ca", roots = ["FILE"], identities = ["…"]'),
}
"""What a policy could say so that evidence would be believed: whom it trusts, and the words for it."""


def signatures(subject: Subject, rule: SignatureRule) -> Finding:
    """Passes where at least ``count`` distinct signers of ``any_of`` signed the subject (or the index above it)."""
    counted = by_signer(subject, rule.any_of)
    found = len(counted)
    return subject.finding(
        SIGNATURES,
        found >= rule.count,
        required=needed(rule),
        observed=count(found, "signer"),
        why=_why(subject, rule, counted),
        fix=_fix(subject, rule, counted),
        changes_at=until(counted.values(), rule.count),
    )


def until(signers: Iterable[Iterable[VerifiedSignature]], needed: int) -> datetime | None:
    """When fewer than so many signers are left; each lasts as long as the last of its signatures.

    None where that never comes, or where there are too few already.
    """
    lasts = [_last(found) for found in signers]
    ends = sorted(end for end in lasts if end is not None)
    spare = len(lasts) - needed
    return ends[spare] if 0 <= spare < len(ends) else None


def _last(signatures: Iterable[VerifiedSignature]) -> datetime | None:
    """When the last of some signatures ends; None where one of them never does."""
    ends = [item.ends for item in signatures]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def by_signer(subject: Subject, any_of: tuple[str, ...]) -> dict[str, list[VerifiedSignature]]:
    """The signatures (attestations are none) by signers of these names, under what makes a signer distinct."""
    found: dict[str, list[VerifiedSignature]] = {}
    for signature in subject.signatures:
        if signature.kind is Kind.SIGNATURE and not set(any_of).isdisjoint(signature.signers):
            found.setdefault(signature.identity, []).append(signature)
    return found


def needed(rule: SignatureRule) -> str:
    """``1 needed (release)``, ``2 needed (any of release, ci, qa)``."""
    names = ", ".join(rule.any_of)
    return f"{rule.count} needed ({names if len(rule.any_of) == 1 else f'any of {names}'})"


def _why(subject: Subject, rule: SignatureRule, counted: dict[str, list[VerifiedSignature]]) -> str:
    """Why there are too few: what is attached and does not count, each with its reason."""
    lines = []
    if counted:
        names = ", ".join(sorted({name for found in counted.values() for name in found[0].signers} & set(rule.any_of)))
        lines.append(f"signed by {names} only: several signatures or names of one key are one signer")
    others = [
        f"{signature.evidence} {FORMAT_WORDS[signature.format]} by {', '.join(signature.signers)}: "
        + (
            "an attestation, which is no signature"
            if signature.kind is not Kind.SIGNATURE
            else "not a signer of this scope"
        )
        for signature in subject.signatures
        if signature.kind is not Kind.SIGNATURE or set(rule.any_of).isdisjoint(signature.signers)
    ]
    if others:
        lines += ["verified, and not counted:", *listed(others)]
    refused = [
        f"{item.evidence} {FORMAT_WORDS[item.format]}: {one_line(item.reason)} [{item.code}]"
        for item in subject.refusals
    ]
    if refused:
        lines += [
            f"{count(len(refused), 'piece of evidence', 'pieces of evidence')} attached and not believed:",
            *listed(refused),
        ]
    return "\n".join(lines) or "nothing that is signed is attached to the image"


def _fix(subject: Subject, rule: SignatureRule, counted: dict[str, list[VerifiedSignature]]) -> str:
    """How to sign it as somebody who has not, or how to trust who has."""
    signed = {name for found in counted.values() for item in found for name in item.signers}
    missing = [name for name in rule.any_of if name not in signed] or rule.any_of
    lines = [how_to_sign(subject.by(missing), subject.target)]
    ways = dict.fromkeys(_UNTRUSTED[item.code] for item in subject.refusals if item.code in _UNTRUSTED)
    lines += [f"or trust {whom} in {subject.policy}: [signers.NAME] {words}" for whom, words in ways]
    return "\n".join(lines)
