"""The steps of a promotion: judge, bring over, judge again, tag. Each needs what the one before gives.

Knows which failure is a "no" and which a "could not tell"; the order of the steps is in ``run``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.attaching import resolve_subject
from imgtrust.commands.gather import gather
from imgtrust.commands.judge import decide, judge_reference
from imgtrust.commands.progress import SILENT
from imgtrust.commands.promotion.attaching import check_arrival, push_attached, push_legacy
from imgtrust.commands.promotion.copying import Copier, same_registry
from imgtrust.commands.promotion.plan import LeftBehind
from imgtrust.commands.promotion.planning import choose_platform
from imgtrust.commands.promotion.told import objects
from imgtrust.errors import IntegrityError, NotFound, PromotionRefused, TagConflict, Undecided
from imgtrust.policy.evaluate import broken, undecided
from imgtrust.reports.results import Fate
from imgtrust.rules.facts import Fault, IntegrityMode
from imgtrust.stores.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from imgtrust.commands.loading import Judgement
    from imgtrust.commands.progress import Progress
    from imgtrust.commands.promotion.journal import Journal
    from imgtrust.commands.promotion.plan import Plan
    from imgtrust.commands.signing import Signing
    from imgtrust.commands.snapshot import Snapshot
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest, Reference, Repository
    from imgtrust.stores.port import Store

__all__ = [
    "Arrived",
    "Terms",
    "bring_over",
    "forecast",
    "judge_destination",
    "judge_source",
    "set_tag",
    "tag_now",
    "with_faults",
]

_JOBS: Final = 8
_COPIERS: Final = 4
"""Threads that copy blobs; more only wait for each other (registry.md 6.2)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """All that is fixed for a promotion; the fields are described at ``run.promote``."""

    judgement: Judgement
    at: datetime
    now: Callable[[], datetime]
    platforms: tuple[str, ...] = ()
    record: Signing | None = None
    journal: Path | None = None
    cache: Path | None = None
    plan_only: bool = False
    progress: Progress = SILENT
    jobs: int = _JOBS


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of each object, what stays behind, and the faults of the image's own blobs."""

    fates: Mapping[Digest, Fate]
    seconds: float
    left_behind: tuple[LeftBehind, ...]
    faults: tuple[Fault, ...]


def judge_source(
    source: Snapshot, wanted: Reference, destination: Repository, terms: Terms
) -> tuple[Verdict, Descriptor | None]:
    """Resolve once, choose the platform, and judge; the blobs are hashed later, while they are copied.

    Returns the verdict and the root that it is about, which is None where there is none to copy.

    Raises:
        UsageError: the platform is not there, or cannot be promoted alone.
    """
    judgement, at = terms.judgement, terms.at
    common = (str(wanted), wanted, wanted.digest, judgement.policy_id, at)
    try:
        root = choose_platform(source, resolve_subject(source, wanted), terms.platforms)
    except IntegrityError as exc:
        return broken(*common, str(exc)), None
    except NotFound as exc:
        return undecided(*common, str(exc), not_found=True), None
    except Undecided as exc:
        return undecided(*common, str(exc)), None
    pinned = (
        replace(wanted, digest=root.digest) if not terms.platforms else replace(wanted, tag=None, digest=root.digest)
    )
    verdict = judge_reference(
        source,
        pinned,
        judgement,
        at=at,
        name=str(wanted),
        root=root,
        destination=destination,
        integrity=IntegrityMode.MANIFESTS,
        jobs=terms.jobs,
    )
    return verdict, root


def forecast(goal: Store, plan: Plan, jobs: int) -> dict[Digest, Fate]:
    """What would become of each object: one question per object, nothing is written.

    A blob of the same registry is said to be mounted; whether the registry does it only trying can tell.

    Raises:
        StoreError: the destination could not answer.
    """
    items = list(objects(plan))
    near = same_registry(plan.source.repository, plan.destination)
    present = in_threads(lambda item: goal.has(item[1]), items, jobs)
    return {
        item.digest: Fate.SKIP if there else Fate.MOUNT if near and kind == "blob" else Fate.COPY
        for (kind, item), there in zip(items, present, strict=True)
    }


def bring_over(source: Snapshot, goal: Store, plan: Plan, journal: Journal, terms: Terms) -> Arrived:
    """Blobs, then manifests from the children up to the root, then all that is attached.

    Where a blob of the image itself is absent or altered, at the source or already at the destination, no manifest is
    pushed. What is attached and broken at the source stays behind.

    Raises:
        PromotionRefused: the destination holds other bytes under a digest of the evidence.
        StoreError: a store did not do its part.
    """
    began = time.monotonic()
    copier = Copier(source, goal, journal, terms.progress, min(terms.jobs, _COPIERS))
    copier.blobs(plan.blobs, give_up=True, read_later=plan.configs)
    faults = tuple(Fault(item.blob.digest, item.reason) for item in copier.moved.faults)
    left = list(plan.left_behind)
    if not faults:
        left += _bring_evidence(source, goal, plan, copier)
    return Arrived(copier.moved.fates, time.monotonic() - began, tuple(left), faults)


def _bring_evidence(source: Snapshot, goal: Store, plan: Plan, copier: Copier) -> list[LeftBehind]:
    """The image's manifests, then what is attached to them; returns what cannot be copied."""
    copier.blobs(plan.evidence_blobs, give_up=False)
    faults = {item.blob.digest: item for item in copier.moved.faults}
    for fault in faults.values():
        if not fault.at_source:
            message = f"{plan.destination} holds other bytes under the digest of a piece of evidence: {fault.reason}"
            raise PromotionRefused(message)
    copier.manifests(plan.levels)
    left = [
        LeftBehind(item.descriptor.digest, broken) for item in plan.attached if (broken := _fault(item.blobs, faults))
    ]
    whole = [item for item in plan.attached if not _fault(item.blobs, faults)]
    pushed = push_attached(copier, goal, whole)
    for tag in plan.legacy:
        reason = _fault(tag.blobs, faults)
        if not reason and not push_legacy(source, goal, tag, copier.moved.fates):
            reason = f"the tag {tag.tag} holds another SBOM at the destination, which stays"
        if reason:
            left.append(LeftBehind(tag.descriptor.digest, reason))
    check_arrival(goal, pushed)
    return left


def _fault(blobs: Iterable[Descriptor], faults: Mapping[Digest, object]) -> str:
    """Why something cannot be copied: the first of its blobs that is broken; empty where none is."""
    found = next((blob for blob in blobs if blob.digest in faults), None)
    return "" if found is None else str(getattr(faults[found.digest], "reason", ""))


def judge_destination(goal: Store, plan: Plan, journal: Journal, terms: Terms) -> Verdict:
    """Read manifests, configs and evidence back from the destination and judge them by the same policy and scope.

    Blobs that were hashed on the way, or read back already, are not read again; configs always are.
    """
    judgement, at = terms.judgement, terms.at
    target = plan.target
    common = (str(target), target, plan.root.digest, judgement.policy_id, at)
    try:
        facts = gather(
            goal,
            target,
            plan.root,
            judgement.trust,
            at=at,
            mode=IntegrityMode.FULL,
            jobs=terms.jobs,
            hashed=frozenset(journal.hashed),
            responders=judgement.responders,
        )
    except IntegrityError as exc:
        return broken(*common, str(exc))
    except Undecided as exc:
        return undecided(*common, str(exc))
    return decide(facts, judgement, destination=plan.destination, under=plan.source.repository)


def with_faults(verdict: Verdict, faults: tuple[Fault, ...], plan: Plan, terms: Terms) -> Verdict:
    """The verdict again, now that blobs of the image turned out to be absent or altered."""
    if verdict.facts is None:
        return verdict
    integrity = replace(verdict.facts.integrity, faults=(*verdict.facts.integrity.faults, *faults))
    facts = replace(verdict.facts, integrity=integrity)
    again = decide(facts, terms.judgement, destination=plan.destination, under=plan.source.repository)
    return replace(again, name=verdict.name)


def tag_now(goal: Store, tag: str) -> Digest | None:
    """What a tag at the destination points at; None where it does not exist.

    Raises:
        StoreError: the destination could not answer.
    """
    try:
        return goal.resolve(tag).digest
    except NotFound:
        return None


def set_tag(goal: Store, plan: Plan, tag: str, before: Digest | None, manifest: bytes) -> None:
    """Point a tag at the promoted image if it still points at what it did, and read it back.

    A tag that points there already is left as it is, so that an immutable tag is no obstacle.

    Raises:
        TagConflict: somebody else moved the tag since the plan was made, or it is immutable.
        StoreError: the destination did not take it.
    """
    current = tag_now(goal, tag)
    if current == plan.root.digest:
        return
    if current != before:
        message = (
            f"the tag {tag} of {plan.destination} was moved by somebody else during the promotion: it pointed at "
            f"{before or 'nothing'} and now points at {current or 'nothing'}; it was left alone. Look at that image, "
            "then run the same command again"
        )
        raise TagConflict(message)
    goal.tag(tag, plan.root, manifest)
    after = tag_now(goal, tag)
    if after != plan.root.digest:
        message = (
            f"the tag {tag} of {plan.destination} was set to {plan.root.digest} and reads back as {after or 'nothing'}"
        )
        raise TagConflict(message)
