"""The judgement of images by name: resolve once, gather, evaluate.

Knows the order of these steps and which failure means "no" and which "could not tell"; decides nothing about
evidence itself (``trust`` and ``policy`` do). After the first step a digest travels, never a tag.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.attaching import resolve_subject
from imgtrust.commands.freshness import old_roots
from imgtrust.commands.gather import gather
from imgtrust.commands.opening import OpenStores
from imgtrust.commands.taglists import TagLists
from imgtrust.errors import IntegrityError, NoImages, NotFound, Undecided
from imgtrust.policy.evaluate import broken, evaluate, undecided
from imgtrust.reference import Reference
from imgtrust.rules.facts import IntegrityMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from imgtrust.commands.loading import Judgement
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Repository
    from imgtrust.rules.facts import ImageFacts
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store

__all__ = ["decide", "judge_many", "judge_name", "judge_reference"]

_WAITING: Final = 2
"""Images per job: those who judge many images wait for answers most of the time."""
_AHEAD: Final = 2
"""Images in work per thread of ``judge_many``, so that memory stays flat however many names come."""


def decide(
    facts: ImageFacts, judgement: Judgement, *, destination: Repository | None = None, under: Repository | None = None
) -> Verdict:
    """The verdict on gathered facts, wherever they were gathered; it also names the trusted roots that are old.

    ``destination`` and ``under``: see ``policy.evaluate``.
    """
    verdict = evaluate(facts, judgement.policy, judgement.policy_id, destination=destination, under=under)
    return replace(verdict, not_checked=(*old_roots(judgement.vouched, facts.at), *verdict.not_checked))


def judge_reference(
    store: Store,
    reference: Reference,
    judgement: Judgement,
    *,
    at: datetime,
    name: str | None = None,
    root: Descriptor | None = None,
    destination: Repository | None = None,
    integrity: IntegrityMode = IntegrityMode.FULL,
    jobs: int = 8,
) -> Verdict:
    """The verdict on one image of an open store; never raises for what the store or its bytes do.

    ``root`` is what the reference was already resolved to. ``destination`` asks for the promotion rule too.
    ``at`` is the time of judgement (aware UTC). An image that the store does not have is undecided with
    ``not_found``; an image whose root is altered is rejected.
    """
    policy_id = judgement.policy_id
    shown = name if name is not None else str(reference)
    digest = reference.digest if root is None else root.digest
    try:
        if root is None:
            root = resolve_subject(store, reference)
            digest = root.digest
        facts = gather(
            store,
            reference,
            root,
            judgement.trust,
            at=at,
            mode=integrity,
            jobs=jobs,
            responders=judgement.responders,
        )
    except IntegrityError as exc:
        return broken(shown, reference, digest, policy_id, at, str(exc))
    except NotFound as exc:
        return undecided(shown, reference, digest, policy_id, at, str(exc), not_found=True)
    except Undecided as exc:
        return undecided(shown, reference, digest, policy_id, at, str(exc))
    verdict = decide(facts, judgement, destination=destination)
    return verdict if name is None else replace(verdict, name=name)


def judge_name(
    name: str,
    judgement: Judgement,
    options: StoreOptions,
    *,
    at: datetime,
    integrity: IntegrityMode = IntegrityMode.FULL,
    jobs: int = 8,
) -> Verdict:
    """The verdict on one image by name (CLI.md section 1).

    Raises:
        UsageError: the name cannot be read. Nothing else: see ``judge_reference``.
    """
    return next(judge_many([name], judgement, options, at=at, integrity=integrity, jobs=jobs))


def judge_many(
    names: Iterable[str],
    judgement: Judgement,
    options: StoreOptions,
    *,
    at: datetime,
    integrity: IntegrityMode = IntegrityMode.FULL,
    jobs: int = 8,
) -> Iterator[Verdict]:
    """The verdicts on many images, in the order of their names, each as soon as it and all before it are decided.

    All names are read before the first image is judged. Up to twice ``jobs`` images are judged at once.

    Raises:
        UsageError: a name cannot be read.
        NoImages: there is no name at all.
    """
    references = [(name, Reference.parse(name)) for name in names]
    if not references:
        message = "no image was named; an empty list is never accepted"
        raise NoImages(message)
    return _judge_all(references, judgement, options, at=at, integrity=integrity, jobs=jobs)


def _judge_all(
    references: list[tuple[str, Reference]],
    judgement: Judgement,
    options: StoreOptions,
    *,
    at: datetime,
    integrity: IntegrityMode,
    jobs: int,
) -> Iterator[Verdict]:
    """The generator behind ``judge_many``."""
    lists = TagLists(reference.repository for _, reference in references)
    inner = max(1, jobs // len(references))
    workers = max(1, min(jobs * _WAITING, len(references)))

    def judge(name: str, reference: Reference) -> Verdict:
        def ask(store: Store) -> Verdict:
            return judge_reference(store, reference, judgement, at=at, name=name, integrity=integrity, jobs=inner)

        try:
            with stores.use(reference.repository) as store:
                known = lists.over(store)
                return ask(store) if known is None else known.judge(ask)
        except Undecided as exc:
            return undecided(name, reference, reference.digest, judgement.policy_id, at, str(exc))

    with OpenStores(options) as stores:
        if workers == 1:
            for name, reference in references:
                yield judge(name, reference)
        else:
            yield from _in_order(references, judge, workers)


def _in_order(
    references: list[tuple[str, Reference]], judge: Callable[[str, Reference], Verdict], workers: int
) -> Iterator[Verdict]:
    """The verdicts in the order of the names, a bounded number of them ahead of whoever takes them."""
    with ThreadPoolExecutor(workers, thread_name_prefix="judge") as pool:
        window: deque[Future[Verdict]] = deque()
        try:
            for name, reference in references:
                window.append(pool.submit(judge, name, reference))
                if len(window) >= workers * _AHEAD:
                    yield window.popleft().result()
            while window:
                yield window.popleft().result()
        finally:
            for future in window:
                future.cancel()
