"""The judgement: facts under a policy become a verdict. Pure.

Knows which rules a scope asks for and what their outcomes mean together; knows nothing of how facts were found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgtrust.policy.scopes import edge_allowed, find_scope
from imgtrust.policy.unchecked import not_checked
from imgtrust.policy.verdict import Outcome, Published, Verdict
from imgtrust.policy.ways import ways_of
from imgtrust.rules.dates import max_age, min_soak, proven, trusted_time, window
from imgtrust.rules.edge import edge
from imgtrust.rules.finding import Finding, Level, RuleOutcome
from imgtrust.rules.integrity import integrity
from imgtrust.rules.signers import SIGNATURES, signatures
from imgtrust.rules.subjects import subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from imgtrust.policy.values import Policy, Scope
    from imgtrust.policy.verdict import PolicyId
    from imgtrust.reference import Digest, Reference, Repository
    from imgtrust.rules.facts import ImageFacts
    from imgtrust.rules.subjects import Subject
    from imgtrust.rules.ways import Way

__all__ = ["broken", "evaluate", "undecided"]


def evaluate(
    facts: ImageFacts,
    policy: Policy,
    policy_id: PolicyId,
    *,
    destination: Repository | None = None,
    under: Repository | None = None,
) -> Verdict:
    """Judge one image as of ``facts.at``.

    ``destination`` asks the rule ``promotion.edge`` too. ``under`` is the repository whose scope decides, where that
    is not the one that the facts were read from (a promotion judges the copy under the scope of its source).
    """
    scope = find_scope(policy, under or facts.reference.repository)
    asked = _Asked(scope, policy_id, destination, ways_of(policy))
    findings = _findings(facts, asked)
    return Verdict(
        outcome=_outcome(findings),
        name=str(facts.reference),
        reference=facts.reference,
        digest=facts.root.descriptor.digest,
        policy=policy_id,
        judged_at=facts.at,
        scope=None if scope is None else scope.name,
        facts=facts,
        findings=findings,
        published=_published(facts),
        not_checked=not_checked(facts, scope),
        changes_at=_changes_at(facts, asked, findings),
    )


def undecided(  # noqa: PLR0917 - what a verdict has at least, in its own order
    name: str,
    reference: Reference | None,
    digest: Digest | None,
    policy_id: PolicyId,
    at: datetime,
    error: str,
    *,
    not_found: bool = False,
) -> Verdict:
    """The verdict on an image of which nothing could be told; ``error`` is one paragraph for a person."""
    return Verdict(
        Outcome.UNDECIDED, name, reference, digest, policy_id, at, error=error, not_found=not_found, not_checked=_ALL
    )


def broken(  # noqa: PLR0917 - as undecided
    name: str, reference: Reference | None, digest: Digest | None, policy_id: PolicyId, at: datetime, error: str
) -> Verdict:
    """The verdict on an image whose root is altered or absent: rejected, and asking again will not help."""
    return Verdict(Outcome.REJECTED, name, reference, digest, policy_id, at, error=error, not_checked=_ALL)


_ALL = ("everything else: the image itself could not be read",)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of an image: the scope that names it (None where none does), of which policy, and going where."""

    scope: Scope | None
    policy_id: PolicyId
    destination: Repository | None
    ways: Mapping[str, Way]


def _findings(facts: ImageFacts, asked: _Asked) -> tuple[Finding, ...]:
    """Every rule over every subject, in the order of the report."""
    found = [integrity(facts)]
    scope, destination, source = asked.scope, asked.destination, asked.policy_id.source
    if scope is None:
        return (*found, _denied(facts, asked.policy_id))
    if destination is not None:
        allowed = edge_allowed(scope, destination)
        found.append(edge(facts.root.descriptor.digest, scope.promote_to, destination, source, allowed=allowed))
    for subject in subjects(facts, source, asked.ways):
        found += _of_subject(subject, scope)
    return tuple(found)


def _of_subject(subject: Subject, scope: Scope) -> Iterable[Finding]:
    """What a scope asks of one manifest."""
    publish, names = scope.publish, scope.signatures.any_of
    yield signatures(subject, scope.signatures)
    if publish.trusted_time:
        yield trusted_time(subject, publish, scope.signatures)
    if publish.max_age is not None:
        yield max_age(subject, publish.max_age, names)
    if publish.min_soak is not None:
        yield min_soak(subject, publish.min_soak, publish.trusted_time, names)
    if publish.not_before is not None or publish.not_after is not None:
        yield window(subject, publish, names)
    if scope.evidence:
        from imgtrust.rules.evidence import evidence  # noqa: PLC0415 - most runs ask for none, and need no predicates
    for rule in scope.evidence:
        yield evidence(subject, rule)


def _denied(facts: ImageFacts, policy_id: PolicyId) -> Finding:
    """No scope names the image: denied."""
    repository = facts.reference.repository
    return Finding(
        SIGNATURES,
        RuleOutcome.FAIL,
        Level.REQUIRED,
        facts.root.descriptor.digest,
        "a scope of the policy names the image",
        "no scope",
        f"no scope of {policy_id.source} names {repository}, and what no scope names is denied",
        f'name it in {policy_id.source}: [[scopes]] images = ["{repository}"]',
    )


def _outcome(findings: tuple[Finding, ...]) -> Outcome:
    """Rejected where a required rule fails, else undecided where one is unknown, else accepted."""
    outcomes = {finding.outcome for finding in findings if finding.level is Level.REQUIRED}
    if RuleOutcome.FAIL in outcomes:
        return Outcome.REJECTED
    return Outcome.UNDECIDED if RuleOutcome.UNKNOWN in outcomes else Outcome.ACCEPTED


def _published(facts: ImageFacts) -> Published:
    """The publish date of the root, from every proven time about it."""
    times = proven(facts.root.signatures)
    if not times:
        return Published(None, None, "none")
    earliest = min(times, key=lambda item: item.time)
    return Published(earliest.time, max(item.time for item in times), earliest.source.value)


def _changes_at(facts: ImageFacts, asked: _Asked, findings: tuple[Finding, ...]) -> datetime | None:
    """When the outcome would be another one with nothing new attached: judged again whenever it could be.

    Each step is at a time at which a rule changes or a signature ends, later than the one before; there are finitely
    many of both.
    """
    before = _outcome(findings)
    while (when := _next_change(facts, findings)) is not None:
        facts = _as_of(facts, when)
        findings = _findings(facts, asked)
        if _outcome(findings) is not before:
            return when
    return None


def _as_of(facts: ImageFacts, when: datetime) -> ImageFacts:
    """The same facts at a later time, without the signatures that have ended by then."""
    root, *children = (
        replace(
            subject,
            signatures=tuple(item for item in subject.signatures if item.ends is None or when < item.ends),
        )
        for subject in facts.subjects
    )
    return replace(facts, at=when, root=root, children=tuple(children))


def _next_change(facts: ImageFacts, findings: tuple[Finding, ...]) -> datetime | None:
    """The earliest time at which the outcome could be another one.

    Where no signature ends, that is not before the last rule that fails would pass.
    """
    required = [item for item in findings if item.level is Level.REQUIRED]
    ends = [item.ends for subject in facts.subjects for item in subject.signatures if item.ends is not None]
    failing = [item.changes_at for item in required if item.outcome is RuleOutcome.FAIL]
    passing_from = [when for when in failing if when is not None]
    if failing and not ends:
        return max(passing_from) if len(passing_from) == len(failing) else None
    return min((*(item.changes_at for item in required if item.changes_at is not None), *ends), default=None)
