"""What a policy allows that its author may not have meant. Pure.

Knows habits that weaken a gate; a policy with advice is still a good policy, and nothing here changes a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.policy.reach import covers, overlaps
from imgtrust.policy.scopes import EVERY_IMAGE, canonical_pattern, specificity
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.policy.values import Policy, Scope

__all__ = ["Advice", "lint"]

_FOREIGN_TIMES: Final = frozenset({TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY})


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice: ``code`` to search for, ``where`` it is about, and what it is in one or two sentences."""

    code: str
    where: str
    advice: str


def lint(policy: Policy) -> tuple[Advice, ...]:
    """All advice on a policy, in the order of the file."""
    return (*_signers(policy), *(item for scope in policy.scopes for item in _scope(policy, scope)))


def _signers(policy: Policy) -> Iterator[Advice]:
    used = {name for scope in policy.scopes for name in scope.signatures.any_of}
    used |= {name for scope in policy.scopes for rule in scope.evidence for name in rule.signed_by}
    keys: dict[str, str] = {}
    for signer in policy.signers:
        where = f"[signers.{signer.name}]"
        if signer.name not in used:
            yield Advice("signer.unused", where, "No scope names this signer.")
        if signer.not_after is None:
            yield Advice(
                "signer.no_end",
                where,
                "This key speaks for ever. Give it not_after, so that a key that is lost later cannot sign for today.",
            )
        other = keys.setdefault(signer.key.strip(), signer.name)
        if other != signer.name:
            yield Advice("signer.same_key", where, f'The same key as "{other}": both together are one distinct signer.')
    dated = any(scope.publish.trusted_time for scope in policy.scopes)
    windows = any(signer.not_before or signer.not_after for signer in policy.signers)
    aged = any(rule.max_age for scope in policy.scopes for rule in scope.evidence)
    if (dated or windows or aged) and not policy.time.tsa_roots and policy.time.trusted_root is None:
        yield Advice(
            "time.no_authority",
            "[time]",
            "Proven times are asked for and no time-stamp authority is named, so that none can be believed. "
            "Name one with tsa_roots or trusted_root.",
        )


def _scope(policy: Policy, scope: Scope) -> Iterator[Advice]:
    where = f'[[scopes]] "{scope.name}"'
    if EVERY_IMAGE in scope.images:
        yield Advice("scope.everything", where, "** names every image of every registry, also those you forgot.")
    if EVERY_IMAGE in scope.promote_to:
        yield Advice("promote.everywhere", where, "promote_to ** lets these images go to any repository.")
    yield from _times(scope, where)
    yield from _reach(policy, scope, where)
    for target in scope.promote_to:
        if target != EVERY_IMAGE and any(overlaps(target, pattern) for pattern in scope.images):
            yield Advice("promote.to_itself", where, f"promote_to {target} names repositories of this scope itself.")


def _times(scope: Scope, where: str) -> Iterator[Advice]:
    publish = scope.publish
    if not publish.trusted_time:
        yield Advice(
            "publish.no_time",
            where,
            "No proven publish date is asked for: an old image with a good signature passes for ever. "
            "Add [scopes.publish] with max_age.",
        )
    elif publish.max_age is None:
        yield Advice("publish.no_max_age", where, "A proven time is asked for, but however old it is, it passes.")
    if publish.trusted_time and _FOREIGN_TIMES.issuperset(publish.trusted_time):
        yield Advice(
            "publish.no_tsa",
            where,
            "trusted_time names no tsa: this version proves times by time-stamps only, so that no image passes.",
        )
    for rule in scope.evidence:
        if rule.max_age is None and rule.type in {"vulnerabilities", "vuln"}:
            yield Advice("evidence.no_max_age", where, f"A {rule.type} attestation of any age passes. Add max_age.")


def _reach(policy: Policy, scope: Scope, where: str) -> Iterator[Advice]:
    """Patterns that decide nothing, since another one names all the same images and wins."""
    for pattern in scope.images:
        for other in policy.scopes:
            for rival in other.images:
                same = canonical_pattern(rival) == canonical_pattern(pattern)
                if not same and covers(rival, pattern) and _wins(policy, (other, rival), (scope, pattern)):
                    what = f"{pattern} decides nothing: {rival} names all the same images and wins."
                    yield Advice("pattern.unreachable", where, what)


def _wins(policy: Policy, left: tuple[Scope, str], right: tuple[Scope, str]) -> bool:
    """Whether the left pattern decides where both match."""
    ours, theirs = specificity(left[1]), specificity(right[1])
    return ours > theirs or (ours == theirs and policy.scopes.index(left[0]) < policy.scopes.index(right[0]))
