"""What counts for one manifest when a rule looks at it. Pure.

Knows that the evidence of an index counts for its children and never the other way round (its digest covers
theirs); knows nothing of any rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgtrust.rules.finding import Finding, Level, RuleOutcome
from imgtrust.rules.ways import Way
from imgtrust.rules.wording import one_line, unread_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from imgtrust.evidence import Unread
    from imgtrust.reference import Digest
    from imgtrust.rules.facts import ImageFacts
    from imgtrust.trust.signatures import Refusal, VerifiedSignature

__all__ = ["Subject", "subjects"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One manifest as the rules see it: its own evidence, and for a child that of the index too.

    ``target`` is the root's name with its digest, for the commands that a finding offers; ``policy`` is where the
    policy came from; ``at`` is the time of judgement. ``ways``: how one becomes each signer of the policy, by name.
    """

    digest: Digest
    target: str
    policy: str
    at: datetime
    signatures: tuple[VerifiedSignature, ...]
    refusals: tuple[Refusal, ...]
    unread: tuple[Unread, ...]
    ways: Mapping[str, Way] = field(default_factory=dict)

    def by(self, names: Iterable[str]) -> list[Way]:
        """How one becomes each of these signers; by a key, where nothing else is known of one."""
        return [self.ways.get(name) or Way(name) for name in names] or [Way("")]

    def finding(
        self,
        rule: str,
        passes: bool,  # noqa: FBT001 - the outcome, named at every call
        *,
        required: str,
        observed: str,
        why: str = "",
        fix: str = "",
        changes_at: datetime | None = None,
        more_could_help: bool = True,
    ) -> Finding:
        """A row about this subject; ``why`` and ``fix`` are kept where it does not pass.

        A rule that fails where evidence could not be read is unknown, unless more evidence could not help.
        """
        if passes:
            return Finding(
                rule, RuleOutcome.PASS, Level.REQUIRED, self.digest, required, observed, changes_at=changes_at
            )
        outcome = RuleOutcome.FAIL
        if more_could_help and self.unread:
            outcome = RuleOutcome.UNKNOWN
            why = f"{why}\n{unread_words(self.unread)}"
            fix = f"run it again: evidence that could not be read may decide this\n{fix}"
        return Finding(
            rule, outcome, Level.REQUIRED, self.digest, required, observed, why.strip(), fix.strip(), changes_at
        )


def subjects(facts: ImageFacts, policy_source: str, ways: Mapping[str, Way] | None = None) -> tuple[Subject, ...]:
    """The root, then the children, each with all that counts for it; ``ways`` as in ``Subject``."""
    root = facts.root
    target = f"{facts.reference.repository}@{root.descriptor.digest}"
    return tuple(
        Subject(
            digest=own.descriptor.digest,
            target=target,
            policy=one_line(policy_source),
            at=facts.at,
            signatures=own.signatures if own is root else root.signatures + own.signatures,
            refusals=own.refusals if own is root else root.refusals + own.refusals,
            unread=own.unread if own is root else root.unread + own.unread,
            ways=ways or {},
        )
        for own in facts.subjects
    )
