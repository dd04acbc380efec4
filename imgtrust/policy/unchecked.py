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
    from imgtrust.policy.values import Scope
    from imgtrust.rules.facts import ImageFacts

__all__ = ["not_checked"]

_UNJUDGED: Final = frozenset(
    {RefusalCode.FORMAT_UNSUPPORTED, RefusalCode.BUNDLE_UNSUPPORTED, RefusalCode.SIMPLESIGNING_UNSUPPORTED}
)
_NEVER: Final = (
    "rollback and freeze of tags: this version reads no release statements",
    "vulnerabilities and configuration: this version has no rules for them",
    "transparency logs: entries on a signature are neither needed nor checked",
)


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
            f"judge ({formats}): keyless and Notary signatures"
        )
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
    return (*said, *_NEVER)
