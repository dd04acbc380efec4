"""What a policy allows that its author may not have meant. Pure.

Knows habits that weaken a gate; a policy with advice is still a good policy, and nothing here changes a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.policy.patterns import compile_pattern
from imgtrust.policy.reach import covers, overlaps
from imgtrust.policy.scopes import EVERY_IMAGE, canonical_pattern, specificity
from imgtrust.policy.subjectnames import ANY
from imgtrust.policy.values import KeylessSigner, KeySigner, NotarySigner, distinct
from imgtrust.policy.writing import SOURCE_NAMES
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.policy.values import Policy, Scope, Signer

__all__ = ["Advice", "lint"]

_STRANGERS: Final = ("https://stranger.example/x", "mallory@stranger.example", "z")
"""Issuers and identities that nobody means."""


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
    seen: dict[object, str] = {}
    for signer in policy.signers:
        where = f"[signers.{signer.name}]"
        if signer.name not in used:
            yield Advice("signer.unused", where, "No scope names this signer.")
        yield from _signer(signer, where)
        other = seen.setdefault(distinct(signer), signer.name)
        if other != signer.name:
            what = "key" if isinstance(signer, KeySigner) else "identity"
            told = f'The same {what} as "{other}": both together are one distinct signer.'
            yield Advice(f"signer.same_{what}", where, told)
    asked = {signer.sigstore for signer in policy.signers if isinstance(signer, KeylessSigner)}
    for instance in policy.sigstore:
        if instance.name not in asked:
            yield Advice("sigstore.unused", f"[sigstore.{instance.name}]", "No signer names this instance.")
    yield from _authorities(policy)


def _signer(signer: Signer, where: str) -> Iterator[Advice]:
    """What one signer allows that may not be meant."""
    match signer:
        case KeySigner(not_after=None):
            yield Advice(
                "signer.no_end",
                where,
                "This key speaks for ever. Give it not_after, so that a key that is lost later cannot sign for today.",
            )
        case KeylessSigner():
            for word, pattern in (("issuer_regexp", signer.issuer_regexp), ("identity_regexp", signer.identity_regexp)):
                if pattern is not None and all(compile_pattern(pattern).fullmatch(text) for text in _STRANGERS):
                    yield Advice("identity.anybody", where, f"{word} matches anybody at all.")
            if not signer.log:
                told = "No log entry is needed: a certificate that was stolen or issued wrongly shows in no log."
                yield Advice("signer.no_log", where, told)
        case NotarySigner():
            if ANY in signer.identities:
                yield Advice("identity.anybody", where, "Whoever has a certificate under these roots is this signer.")
            if signer.revocation != "enforce":
                told = f'revocation = "{signer.revocation}": a certificate that was revoked is still believed.'
                yield Advice("signer.revocation", where, told)


def _authorities(policy: Policy) -> Iterator[Advice]:
    """Times that are asked for and that nobody could prove."""
    dated = any(scope.publish.trusted_time for scope in policy.scopes)
    keys = [signer for signer in policy.signers if isinstance(signer, KeySigner)]
    windows = any(signer.not_before or signer.not_after for signer in keys)
    aged = any(rule.max_age for scope in policy.scopes for rule in scope.evidence)
    named = policy.time.tsa_roots or policy.time.trusted_root is not None
    others = len(policy.signers) - len(keys)
    if not named and ((others == 0 and (dated or aged)) or windows):
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
    yield from _times(policy, scope, where)
    yield from _reach(policy, scope, where)
    for target in scope.promote_to:
        if target != EVERY_IMAGE and any(overlaps(target, pattern) for pattern in scope.images):
            yield Advice("promote.to_itself", where, f"promote_to {target} names repositories of this scope itself.")


def _times(policy: Policy, scope: Scope, where: str) -> Iterator[Advice]:
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
    if publish.trusted_time and not _sources(policy, scope) & set(publish.trusted_time):
        names = ", ".join(SOURCE_NAMES[source] for source in publish.trusted_time)
        told = (
            f"trusted_time names {names} only: no signer of this scope has times of that kind, so that no image passes."
        )
        yield Advice("publish.no_source", where, told)
    for rule in scope.evidence:
        if rule.max_age is None and rule.type in {"vulnerabilities", "vuln"}:
            yield Advice("evidence.no_max_age", where, f"A {rule.type} attestation of any age passes. Add max_age.")


def _sources(policy: Policy, scope: Scope) -> set[TimeSource]:
    """What could prove a time of the signers of a scope.

    A log those of its own instance, and those of keys where ``[time]`` names a trusted root; an authority its own.
    """
    found = {TimeSource.RFC3161}
    for signer in policy.signers:
        if signer.name not in scope.signatures.any_of:
            continue
        if isinstance(signer, KeylessSigner) or (isinstance(signer, KeySigner) and policy.time.trusted_root):
            found.add(TimeSource.REKOR)
        if isinstance(signer, NotarySigner) and signer.notary != "ca":
            found.add(TimeSource.SIGNING_AUTHORITY)
    return found


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
