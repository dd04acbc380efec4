"""The promotion of one image, from its name at the source to its tag at the destination (DESIGN section 10).

Knows the order of the steps, and that each needs the one before; the steps themselves are in ``steps``.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from imgtrust.commands.holding import rehearse
from imgtrust.commands.progress import SILENT
from imgtrust.commands.promotion.journal import Journal, journal_path
from imgtrust.commands.promotion.plan import plan_digest
from imgtrust.commands.promotion.planning import make_plan
from imgtrust.commands.promotion.record import make_record
from imgtrust.commands.promotion.steps import (
    Terms,
    bring_over,
    forecast,
    judge_destination,
    judge_source,
    set_tag,
    tag_now,
    with_faults,
)
from imgtrust.commands.promotion.told import with_fates
from imgtrust.commands.pushing import push_attachment
from imgtrust.commands.snapshot import Snapshot
from imgtrust.errors import Undecided, UsageError
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.reports.results import Fate, PromotionResult
from imgtrust.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from imgtrust.commands.loading import Judgement
    from imgtrust.commands.progress import Progress
    from imgtrust.commands.promotion.plan import LeftBehind, Plan
    from imgtrust.commands.signing import Signing
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store

__all__ = ["Terms", "promote", "promote_between"]


def promote(
    source: str,
    destination: str,
    judgement: Judgement,
    *,
    source_options: StoreOptions,
    destination_options: StoreOptions,
    at: datetime,
    now: Callable[[], datetime],
    platforms: Sequence[str] = (),
    record: Signing | None = None,
    journal: Path | None = None,
    cache: Path | None = None,
    plan_only: bool = False,
    progress: Progress = SILENT,
    jobs: int = 8,
) -> PromotionResult:
    """Verify an image, copy it with its evidence, verify again, record, tag.

    ``destination`` is a repository with or without a tag; without one, the source's tag is set there. ``at`` is the
    time of judgement, ``now`` the clock for the journal and the record. ``journal`` is the file that makes a second
    run resume; by default it is kept under ``cache``, and without either there is none. Without ``record`` no record
    is left. ``plan_only`` judges and counts, and writes nothing. ``jobs``: threads that ask; at most four copy.

    Whatever was decided comes back: refused or undecided too, with nothing written.

    Raises:
        UsageError: a name, a platform or the journal is wrong.
        PromotionRefused: the destination cannot take it, for a reason that is no verdict on the image.
        Undecided: not finished; the notes of the exception say how to go on.
    """
    wanted = Reference.parse(source)
    target = Reference.parse(destination, bare=True)
    terms = Terms(judgement, at, now, tuple(platforms), record, journal, cache, plan_only, progress, jobs)
    _check_names(wanted, target)
    with ExitStack() as stack:
        origin = open_store(wanted.repository, source_options)
        stack.callback(origin.close)
        goal = open_store(target.repository, destination_options)
        stack.callback(goal.close)
        return promote_between(origin, goal, wanted, target, terms)


def promote_between(origin: Store, goal: Store, wanted: Reference, target: Reference, terms: Terms) -> PromotionResult:
    """As ``promote``, between two stores that are open and stay the caller's."""
    _check_names(wanted, target)
    source = Snapshot(origin)
    verdict, root = judge_source(source, wanted, target.repository, terms)
    if verdict.outcome is not Outcome.ACCEPTED or root is None:
        return PromotionResult(wanted, target, verdict.digest, verdict, platforms=terms.platforms, dry=terms.plan_only)
    if target.digest not in {None, root.digest}:
        message = f"{target} names another digest than {wanted}, which is {root.digest}; a promotion never changes one"
        raise UsageError(message)
    terms.progress.step("judged at the source", f"{verdict.outcome.upper()}  {root.digest}")
    tags = [tag for tag in (target.tag or wanted.tag,) if tag is not None]
    pinned = wanted if not terms.platforms else Reference(wanted.repository, None, root.digest)
    plan = make_plan(source, pinned, root, target.repository, tags=tags, platforms=terms.platforms, jobs=terms.jobs)
    before = {tag: tag_now(goal, tag) for tag in plan.tags}
    if terms.plan_only:
        return _planned(goal, plan, verdict, terms)
    path = terms.journal
    if path is None and terms.cache is not None:
        path = journal_path(terms.cache, root.digest, plan.destination)
    plan_id = plan_digest(plan, terms.judgement.policy_id)
    with Journal(path, root=root.digest, destination=plan.destination, plan=plan_id, now=terms.now) as journal:
        if terms.record is not None and journal.record is None:
            _rehearse(terms.record)
        try:
            return _carry_out(source, goal, plan, verdict=verdict, before=before, journal=journal, terms=terms)
        except (Undecided, UsageError, KeyboardInterrupt) as exc:
            if path is not None:
                exc.add_note(f"what is done is in the journal {path}; run the same command again to go on")
            raise


def _rehearse(record: Signing) -> None:
    """Whoever cannot sign the record copies nothing.

    Raises:
        UsageError: there is no identity to sign as.
        ServiceError: a service does not do its part.
    """
    try:
        rehearse(record)
    except (Undecided, UsageError) as exc:
        exc.add_note("the record could not be signed, and nothing is promoted without it: nothing was copied")
        raise


def _check_names(wanted: Reference, target: Reference) -> None:
    """Refuse what cannot be meant, before anything is asked."""
    if wanted.digest is not None and target.digest is not None and wanted.digest != target.digest:
        message = f"{target} names another digest than {wanted}; a promotion never changes a digest"
        raise UsageError(message)
    if wanted.repository == target.repository and target.tag in {None, wanted.tag}:
        message = f"{wanted} is already in {target.repository}; name another repository, or another tag"
        raise UsageError(message)


def _begun(plan: Plan, verdict: Verdict, terms: Terms) -> PromotionResult:
    """What is known before anything is written."""
    return PromotionResult(
        source=plan.source,
        destination=plan.target,
        digest=plan.root.digest,
        before=verdict,
        recorder=None if terms.record is None else terms.record.signer_name,
        platforms=plan.platforms,
    )


def _pairs(left: Sequence[LeftBehind]) -> tuple[tuple[Digest, str], ...]:
    """What stays behind, as the result has it."""
    return tuple((item.digest, item.reason) for item in left)


def _planned(goal: Store, plan: Plan, verdict: Verdict, terms: Terms) -> PromotionResult:
    """What ``--plan`` answers."""
    fates = forecast(goal, plan, terms.jobs)
    return replace(
        _begun(plan, verdict, terms),
        plan=with_fates(plan, fates),
        tags=plan.tags,
        dry=True,
        left_behind=_pairs(plan.left_behind),
    )


def _carry_out(
    source: Snapshot,
    goal: Store,
    plan: Plan,
    *,
    verdict: Verdict,
    before: dict[str, Digest | None],
    journal: Journal,
    terms: Terms,
) -> PromotionResult:
    """All that writes: bring over, judge again, record, tag."""
    arrived = bring_over(source, goal, plan, journal, terms)
    done = with_fates(plan, arrived.fates)
    result = replace(
        _begun(plan, verdict, terms),
        plan=with_fates(plan, arrived.fates, Fate.COPY),
        done=done,
        seconds=arrived.seconds,
        left_behind=_pairs(arrived.left_behind),
    )
    if arrived.faults:
        return replace(result, after=with_faults(verdict, arrived.faults, plan, terms))
    journal.step("copied")
    terms.progress.step("copied", f"{len(done)} objects in {arrived.seconds:.1f} s")
    after = judge_destination(goal, plan, journal, terms)
    journal.step("judged at destination", outcome=after.outcome)
    if after.outcome is not Outcome.ACCEPTED:
        return replace(result, after=after)
    terms.progress.step("judged at destination", f"ACCEPTED  {plan.root.digest}")
    result = _recorded(replace(result, after=after), goal, plan, journal, terms)
    for tag in plan.tags:
        set_tag(goal, plan, tag, before[tag], source.fetch(plan.root))
        journal.step("tagged", tag=tag)
        terms.progress.step("tagged", f"{plan.destination}:{tag}")
    journal.step("done")
    return replace(result, tags=plan.tags)


def _recorded(result: PromotionResult, goal: Store, plan: Plan, journal: Journal, terms: Terms) -> PromotionResult:
    """Leave the signed record, once per plan: a second run of the same plan finds it by the journal.

    The journal knows its digest before it is pushed, so that a kill between the two makes no second record.
    """
    if terms.record is None or result.after is None:
        return result
    known = journal.record
    if known is not None and any(found.digest == known for found in goal.referrers(plan.root)):
        return replace(result, record=known)
    record, made = make_record(plan, result.after, terms.record)
    digest = record.descriptor.digest
    journal.recorded(digest)
    push_attachment(goal, record)
    terms.progress.step("recorded", f"{digest} (SLSA verification summary)")
    return replace(result, record=digest, recorder=made.signer, record_times=made.times, record_logged=made.logged)
