"""Rule ``signatures``: enough distinct signers of those that the policy names. Pure.

Knows that distinct signers are distinct keys or identities, however many names or signatures they have, and that
an attestation by the right key is no signature of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Kind
from imgtrust.formats.known import in_words
from imgtrust.refusals import RefusalCode
from imgtrust.rules.ways import how_to_sign
from imgtrust.rules.wording import count, listed, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from imgtrust.evidence import Format
    from imgtrust.rules.finding import Finding
    from imgtrust.rules.requirements import SignatureRule
    from imgtrust.rules.subjects import Subject
    from imgtrust.trust.signatures import Refusal, VerifiedSignature

__all__ = ["SIGNATURES", "by_signer", "needed", "signatures", "until"]

SIGNATURES: Final = "signatures"

_FLAGS: Final = "flags"
"""The source of a policy that no file holds (``policy.flags``)."""
_KEY: Final = ("that key", 'key = "FILE"', "--key FILE")
_IDENTITY: Final = (
    "that identity",
    'sigstore = "public-good", issuer = "…", identity = "…"',
    "--certificate-identity … --certificate-oidc-issuer …",
)
_NOTARY: Final = 'notary = "ca", roots = ["FILE"], identities = ["…"]'
_NOTARY_FLAGS: Final = "--notary-roots FILE --notary-identity …"
_UNTRUSTED: Final = {
    RefusalCode.BUNDLE_UNTRUSTED_KEY: _KEY,
    RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY: _KEY,
    RefusalCode.KEY_INSTEAD_OF_CERTIFICATE: _KEY,
    RefusalCode.IDENTITY_UNTRUSTED: _IDENTITY,
    RefusalCode.CERTIFICATE_INSTEAD_OF_KEY: _IDENTITY,
    RefusalCode.NOTARY_UNTRUSTED: ("that root", _NOTARY, _NOTARY_FLAGS),
    RefusalCode.NOTARY_IDENTITY: ("that identity", _NOTARY, _NOTARY_FLAGS),
}
"""What a policy could say so that evidence would be believed: whom it trusts, the words for it, and the flags."""


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
    return max(known, default=None) if len(known) == len(ends) else None


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
        f"{signature.evidence} {in_words(signature.format)} by {', '.join(signature.signers)}: "
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
    refused = len(subject.refusals)
    if refused:
        lines += [
            f"{count(refused, 'piece of evidence', 'pieces of evidence')} attached and not believed:",
            *listed(_refused(subject.refusals)),
        ]
    return "\n".join(lines) or "nothing that is signed is attached to the image"


def _refused(refusals: Iterable[Refusal]) -> list[str]:
    """What is not believed and why; what is so for the same reason is told of once."""
    groups: dict[tuple[Format, str], list[Refusal]] = {}
    for item in refusals:
        groups.setdefault((item.format, f"{one_line(item.reason)} [{item.code}]"), []).append(item)
    return [
        f"{found[0].evidence} {in_words(form)}{'' if len(found) == 1 else f' and {len(found) - 1} like it'}: {why}"
        for (form, why), found in groups.items()
    ]


def _fix(subject: Subject, rule: SignatureRule, counted: dict[str, list[VerifiedSignature]]) -> str:
    """How to sign it as somebody who has not, or how to trust who has."""
    signed = {name for found in counted.values() for item in found for name in item.signers}
    missing = [name for name in rule.any_of if name not in signed] or rule.any_of
    lines = [how_to_sign(subject.by(missing), subject.target)]
    ways = dict.fromkeys(_UNTRUSTED[item.code] for item in subject.refusals if item.code in _UNTRUSTED)
    for whom, words, flags in ways:
        how = f": {flags}" if subject.policy == _FLAGS else f" in {subject.policy}: [signers.NAME] {words}"
        lines.append(f"or trust {whom}{how}")
    return "\n".join(lines)
