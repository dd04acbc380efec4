"""What a verdict does not say: everything that was not asked or not judged. Pure.

Knows what this version could ask and what a scope asks; silence on the difference is how gates are bypassed
(policy.md section 6.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.refusals import RefusalCode
from imgtrust.rules.facts import IntegrityMode
from imgtrust.rules.wording import count, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.policy.values import Scope
    from imgtrust.rules.facts import ImageFacts
    from imgtrust.trust.signatures import VerifiedSignature

__all__ = ["not_checked"]

_UNJUDGED: Final = frozenset(
    {RefusalCode.FORMAT_UNSUPPORTED, RefusalCode.BUNDLE_UNSUPPORTED, RefusalCode.SIMPLESIGNING_UNSUPPORTED}
)
_NEVER: Final = (
    "rollback and freeze of tags: this version reads no release statements",
    "vulnerabilities and configuration: this version has no rules for them",
)
_KEY: Final = "key "
"""How the identity of a key begins."""
_UNLOGGED: Final = "transparency logs: a signature by a key needs no entry in one"
_LISTED: Final = 8
"""The most different things that are said about signatures one by one."""


def not_checked(facts: ImageFacts, scope: Scope | None) -> tuple[str, ...]:
    """What was not checked of an image, most specific to it first."""
    said = []
    integrity = facts.integrity
    if integrity.mode is IntegrityMode.MANIFESTS:
        said.append(
            f"content of {count(integrity.blobs, 'blob')}: only manifests were re-hashed (--integrity manifests)"
        )
    said += [
        f"could not be read: {one_line(item.what)}: {one_line(item.reason)}"
        for subject in facts.subjects
        for item in subject.unread
    ]
    unjudged = [item for subject in facts.subjects for item in subject.refusals if item.code in _UNJUDGED]
    if unjudged:
        formats = ", ".join(sorted({item.format.value for item in unjudged}))
        said.append(
            f"{count(len(unjudged), 'piece of evidence', 'pieces of evidence')} of kinds that this version does not "
            f"judge ({formats})"
        )
    said += _of_signatures(facts)
    claims = sum(len(subject.claims) for subject in facts.subjects)
    if claims:
        said.append(f"{count(claims, 'unsigned claim')}: shown by inspect, never used")
    if scope is None:
        said.append("signers, dates and attestations: no scope names the image")
    else:
        if not scope.publish.trusted_time:
            said.append("publish date: this scope asks for no proven time")
        if not scope.evidence:
            said.append("attestations: this scope asks for none")
    by_key = any(item.identity.startswith(_KEY) for subject in facts.subjects for item in subject.signatures)
    return (*said, *_NEVER, *((_UNLOGGED,) if by_key else ()))


def _of_signatures(facts: ImageFacts) -> Iterator[str]:
    """What was not checked of single signatures that are believed, the same thing once."""
    about: dict[str, list[VerifiedSignature]] = {}
    for signature in (item for subject in facts.subjects for item in subject.signatures):
        for text in signature.not_checked:
            about.setdefault(one_line(text), []).append(signature)
    for text, found in list(about.items())[:_LISTED]:
        whose = f"{found[0].evidence} by {', '.join(found[0].signers)}"
        yield f"{text}: {whose if len(found) == 1 else count(len(found), 'signature')}"
    if len(about) > _LISTED:
        yield f"{count(len(about) - _LISTED, 'more thing')} about single signatures: inspect and JSON list them"
