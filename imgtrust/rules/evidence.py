"""Rule ``evidence.TYPE``: an attestation of a type by a signer named, recent enough, from the right builder. Pure.

Knows that the newest by trusted time per (type, signer) counts: neither any old one nor all of them (DESIGN section 7).
The time of an attestation is its earliest proven one, so that a second time-stamp does not rejuvenate it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Kind
from imgtrust.predicates.provenance import builder_id
from imgtrust.predicates.types import resolve
from imgtrust.rules.dates import TICK, later, proven
from imgtrust.rules.ways import how_to_attest
from imgtrust.rules.wording import age, listed, moment, one_line

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.rules.finding import Finding
    from imgtrust.rules.requirements import EvidenceRule
    from imgtrust.rules.subjects import Subject
    from imgtrust.trust.signatures import VerifiedSignature
    from imgtrust.trust.times import VerifiedTime

__all__ = ["evidence", "evidence_rule", "newest"]

_PREFIX: Final = "evidence."


def evidence_rule(kind: str) -> str:
    """The rule's name in reports: ``evidence.`` and the type as the policy writes it."""
    return f"{_PREFIX}{one_line(kind)}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The attestations that count for one signer, and what is wrong with them; nothing where they satisfy the rule."""

    name: str
    time: VerifiedTime | None
    fault: str
    fails_from: datetime | None


def evidence(subject: Subject, rule: EvidenceRule) -> Finding:
    """Passes where the newest attestation of one of the signers named satisfies the rule."""
    candidates = [_candidate(subject, rule, name, found) for name, found in newest(subject, rule)]
    good = [candidate for candidate in candidates if not candidate.fault]
    ends = [candidate.fails_from for candidate in good]
    names = ", ".join(rule.signed_by)
    required = f"by {names if len(rule.signed_by) == 1 else f'one of {names}'}"
    required += "" if rule.max_age is None else f", at most {age(rule.max_age)} old"
    required += "" if rule.builder is None else f", builder {one_line(rule.builder)}"
    return subject.finding(
        evidence_rule(rule.type),
        bool(good),
        required=required,
        observed=_observed(good or candidates),
        why="\n".join(listed([f"by {item.name}: {item.fault}" for item in candidates])) or _nothing(subject, rule),
        fix=how_to_attest(subject.by(rule.signed_by), rule.type, subject.target, timed=rule.max_age is not None),
        changes_at=max((end for end in ends if end is not None), default=None) if None not in ends else None,
    )


def newest(subject: Subject, rule: EvidenceRule) -> list[tuple[str, list[VerifiedSignature]]]:
    """For each signer named, by its name: the attestations of the type that count.

    That is the newest by trusted time (several where they have the same time); where none has a trusted time, all,
    since nobody can tell which one is the newest.
    """
    types = resolve(rule.type)
    by_identity: dict[str, list[VerifiedSignature]] = {}
    for signature in subject.signatures:
        named = not set(rule.signed_by).isdisjoint(signature.signers)
        if signature.kind is Kind.ATTESTATION and named and signature.predicate_type in types:
            by_identity.setdefault(signature.identity, []).append(signature)
    counted = []
    for found in by_identity.values():
        latest = max((time.time for item in found if (time := _time(item)) is not None), default=None)
        same = [item for item in found if latest is None or ((time := _time(item)) is not None and time.time == latest)]
        name = next(name for name in rule.signed_by if name in found[0].signers)
        counted.append((name, same))
    return counted


def _time(signature: VerifiedSignature) -> VerifiedTime | None:
    """When an attestation was made: its earliest proven time."""
    return min(proven([signature]), key=lambda item: item.time, default=None)


def _candidate(subject: Subject, rule: EvidenceRule, name: str, found: list[VerifiedSignature]) -> _Candidate:
    time = _time(found[0])
    faults = []
    if rule.builder is not None:
        builders = [None if item.statement is None else builder_id(item.statement) for item in found]
        wrong = [builder for builder in builders if builder != rule.builder]
        if wrong:
            faults.append("names no builder" if wrong[0] is None else f"the builder is {one_line(wrong[0])}")
    fails_from = None
    if rule.max_age is not None:
        if time is None:
            faults.append("has no proven time, so its age is not known")
        else:
            elapsed = subject.at - time.time + time.accuracy
            fails_from = later(time.time, rule.max_age, -time.accuracy, TICK)
            if elapsed > rule.max_age:
                faults.append(f"the newest is {age(elapsed)} old ({moment(time.time)})")
    return _Candidate(name, time, ", ".join(faults), fails_from)


def _observed(candidates: list[_Candidate]) -> str:
    if not candidates:
        return "none by these signers"
    first = candidates[0]
    return f"by {first.name}, " + ("no proven time" if first.time is None else moment(first.time.time))


def _nothing(subject: Subject, rule: EvidenceRule) -> str:
    """Nothing of the type by the signers named: say what is there instead."""
    types = resolve(rule.type)
    others = [
        f"{item.evidence} is of this type, by {', '.join(item.signers)}, who is not named in signed_by"
        for item in subject.signatures
        if item.predicate_type in types
    ]
    refused = [f"{item.evidence} is not believed: {one_line(item.reason)} [{item.code}]" for item in subject.refusals]
    return "\n".join(listed(others + refused)) or "no attestation of this type is attached to the image"
