"""Which scope an image falls under, why, and what a build has to attach so that it passes. Pure.

Knows the answer before there is an image: the same scope and rules that ``policy.evaluate`` would use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from imgtrust.policy.durations import show_duration, show_time
from imgtrust.policy.scopes import edge_allowed, find_scope, matches, specificity
from imgtrust.policy.ways import ways_of
from imgtrust.policy.writing import SOURCE_NAMES
from imgtrust.rules.dates import MAX_AGE, MIN_SOAK, TRUSTED_TIME, WINDOW
from imgtrust.rules.edge import EDGE
from imgtrust.rules.integrity import INTEGRITY
from imgtrust.rules.signers import SIGNATURES, needed
from imgtrust.rules.ways import attest_words, best_time, sign_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.policy.values import EvidenceRule, Policy, PublishRule, Scope
    from imgtrust.reference import Reference, Repository

__all__ = ["Explanation", "Step", "explain"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to attach: a predicate type or ``signature``, by which signer of the policy.

    ``whom``: as whom one has to sign, where that is no key. ``command`` is empty where none of ours makes it.
    """

    type: str
    signer: str
    whom: str
    command: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a policy asks of one image.

    ``scope`` is None where nothing names the image, which is then denied. ``pattern`` is the one that won; ``others``
    are (scope, pattern) that match too and are less specific. ``rules`` are (rule, what it asks). ``attach`` are
    (predicate type or ``signature``, the command that makes it).
    """

    reference: str
    scope: str | None
    pattern: str | None = None
    others: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    attach: tuple[Step, ...] = ()
    promote_to: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "schema": "imgtrust-explanation/1",
            "reference": self.reference,
            "scope": self.scope,
            "pattern": self.pattern,
            "others": [{"scope": scope, "pattern": pattern} for scope, pattern in self.others],
            "rules": [{"rule": rule, "required": asked} for rule, asked in self.rules],
            "attach": [
                {"type": each.type, "command": each.command, "signer": each.signer, "as": each.whom or None}
                for each in self.attach
            ],
            "promote_to": list(self.promote_to),
        }


def explain(policy: Policy, reference: Reference, destination: Repository | None = None) -> Explanation:
    """Explain what a policy asks of an image, and of its promotion to ``destination``.

    Raises:
        UsageError: a type of evidence in a policy that was not read by ``read_policy`` is none.
    """
    scope = find_scope(policy, reference.repository)
    if scope is None:
        return Explanation(str(reference), None)
    matching = [
        (specificity(pattern), item.name, pattern)
        for item in policy.scopes
        for pattern in item.images
        if matches(pattern, reference.repository)
    ]
    pattern = max((entry for entry in matching if entry[1] == scope.name), key=lambda entry: entry[0])[2]
    rules = list(_rules(scope))
    if destination is not None:
        allowed = "allowed by" if edge_allowed(scope, destination) else "NOT allowed by"
        rules.append((EDGE, f"{destination} is {allowed} promote_to"))
    return Explanation(
        reference=str(reference),
        scope=scope.name,
        pattern=pattern,
        others=tuple((name, other) for _, name, other in matching if other != pattern),
        rules=tuple(rules),
        attach=tuple(_attach(policy, scope, reference)),
        promote_to=scope.promote_to,
    )


def _rules(scope: Scope) -> Iterator[tuple[str, str]]:
    yield INTEGRITY, "every manifest and every blob matches its digest"
    yield SIGNATURES, needed(scope.signatures)
    yield from _publish(scope.publish)
    for rule in scope.evidence:
        yield f"evidence.{rule.type}", _evidence(rule)


def _publish(rule: PublishRule) -> Iterator[tuple[str, str]]:
    if rule.trusted_time:
        names = " or ".join(SOURCE_NAMES[source] for source in rule.trusted_time)
        yield TRUSTED_TIME, f"each of these signatures has a proven time ({names})"
    if rule.max_age is not None:
        yield MAX_AGE, f"published at most {show_duration(rule.max_age)} ago"
    if rule.min_soak is not None:
        yield MIN_SOAK, f"published at least {show_duration(rule.min_soak)} ago"
    if rule.not_before is not None:
        yield WINDOW, f"published at or after {show_time(rule.not_before)}"
    if rule.not_after is not None:
        yield WINDOW, f"published at or before {show_time(rule.not_after)}"


def _evidence(rule: EvidenceRule) -> str:
    asked = f"by one of {', '.join(rule.signed_by)}"
    asked += "" if rule.max_age is None else f", at most {show_duration(rule.max_age)} old"
    return asked + ("" if rule.builder is None else f", from the builder {rule.builder}")


def _attach(policy: Policy, scope: Scope, reference: Reference) -> Iterator[Step]:
    """What a build job runs, by each of the signers that count."""
    from imgtrust.predicates.types import canonical  # noqa: PLC0415 - only here

    ways = {name: replace(way, key=f"{name}.key") for name, way in ways_of(policy).items()}
    sources = scope.publish.trusted_time
    target = str(reference)
    for way in (ways[name] for name in scope.signatures.any_of):
        yield Step("signature", way.name, way.whom, sign_words(way, target, best_time(way, sources)))
    for rule in scope.evidence:
        timed = rule.max_age is not None or bool(sources)
        for way in (ways[name] for name in rule.signed_by):
            if words := attest_words(way, rule.type, target, timed=timed):
                yield Step(canonical(rule.type), way.name, way.whom, words)
