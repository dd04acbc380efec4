"""The audit: every image of repositories, of everything below a prefix, or of a layout, each judged once.

Knows how images are found and shared out to threads; decides nothing about them. Verdicts come as they are decided,
and at the end the sum of it is known, with what could not be looked at.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.judge import judge_reference
from imgtrust.commands.opening import OpenStores
from imgtrust.commands.taglists import Listed
from imgtrust.errors import ImgtrustError, IntegrityError, InvalidReference, NoImages, NotFound
from imgtrust.formats.attachments import is_attachment_tag
from imgtrust.policy.evaluate import broken, undecided
from imgtrust.reference import Reference, RegistryRepository
from imgtrust.rules.facts import IntegrityMode
from imgtrust.rules.wording import one_line
from imgtrust.stores.parallel import in_threads
from imgtrust.stores.port import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from imgtrust.commands.loading import Judgement
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Outcome, Verdict
    from imgtrust.reference import Digest, Repository
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store

__all__ = ["Audit", "AuditSummary", "Prefix", "audit", "parse_target"]

_BELOW: Final = "/**"
_AHEAD: Final = 4
"""Images in work per thread, so that memory stays flat however many there are."""
_TOLD: Final = 5
"""So many names that are not there are told of with their reason."""
_UNLISTED: Final = "untagged images of this repository: a registry lists only tags"


@dataclass(frozen=True, slots=True)
class Prefix:
    """``HOST/PREFIX/**``: the repositories of a registry below a prefix (and the one of that very name)."""

    host: str
    path: str


@dataclass(slots=True)
class AuditSummary:
    """What an audit came to; complete once its verdicts were all taken.

    ``absent``: names of which the store says that it has none. ``older``: images that were left out because of
    ``since``. ``not_checked`` has every reason once.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    repositories: int = 0
    images: int = 0
    absent: int = 0
    older: int = 0
    not_checked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Work:
    """One image that was found: what it is called, and what it is, or why that cannot be told.

    ``listed`` are all tags of a registry's repository; None where untagged images are found too.
    """

    reference: Reference
    root: Descriptor | None
    tags: tuple[str, ...] = ()
    error: ImgtrustError | None = None
    listed: frozenset[str] | None = None


def parse_target(text: str) -> Reference | Prefix:
    """Read what an audit is asked to look at: an image, a repository, or ``HOST/PREFIX/**``.

    Raises:
        InvalidReference: it is none of these.
    """
    if not text.endswith(_BELOW):
        return Reference.parse(text, bare=True)
    host, _, path = text[: -len(_BELOW)].partition("/")
    if host.startswith("oci:"):
        message = f"{text!r}: layouts are named one by one, as in oci:DIR"
        raise InvalidReference(message)
    RegistryRepository(host, path or "any")
    return Prefix(host, path)


class Audit:
    """An audit under way: iterate for the verdicts, as they are decided; ``summary`` is complete afterwards."""

    def __init__(self, verdicts: Iterator[Verdict], summary: AuditSummary) -> None:
        self.summary = summary
        self._verdicts = verdicts

    def __iter__(self) -> Iterator[Verdict]:
        return self._verdicts

    def __next__(self) -> Verdict:
        return next(self._verdicts)


def audit(
    targets: Iterable[str],
    judgement: Judgement,
    options: StoreOptions,
    *,
    at: datetime,
    integrity: IntegrityMode = IntegrityMode.FULL,
    since: timedelta | None = None,
    jobs: int = 8,
) -> Audit:
    """Judge every image of the targets, up to ``jobs`` at once; each digest of a repository once, under its first tag.

    Evidence (referrers, ``.sig`` and fallback tags) is no image. Untagged images are found where the store can list
    them; that it cannot is said in ``not_checked``. ``since``: leave out images whose earliest *proven* time is longer
    ago than that; an image without a proven time is never left out, for it could be of yesterday.

    Raises:
        UsageError: a target cannot be read, at once; NoImages while iterating, where the targets have no image at all.
    """
    parsed = [parse_target(text) for text in targets]
    if not parsed:
        message = "no repository was named; an empty audit is never accepted"
        raise NoImages(message)
    run = _Run(judgement, options, at, integrity, since, max(1, jobs), AuditSummary())
    return Audit(run.verdicts(parsed), run.summary)


@dataclass(slots=True)
class _Run:
    """The state of one audit."""

    judgement: Judgement
    options: StoreOptions
    at: datetime
    integrity: IntegrityMode
    since: timedelta | None
    jobs: int
    summary: AuditSummary
    missing: list[str] = field(default_factory=list)

    def verdicts(self, targets: list[Reference | Prefix]) -> Iterator[Verdict]:
        """Find images and judge them, side by side; what is found is never far ahead of what is judged."""
        with OpenStores(self.options) as stores, ThreadPoolExecutor(self.jobs, thread_name_prefix="audit") as pool:
            running: set[Future[Verdict]] = set()
            try:
                for work in self._all(stores, targets):
                    running.add(pool.submit(self._judge, stores, work))
                    while len(running) >= self.jobs * _AHEAD:
                        yield from self._take(running)
                while running:
                    yield from self._take(running)
            finally:
                for future in running:
                    future.cancel()
        if self.summary.images == self.summary.absent:
            more = self.summary.absent - len(self.missing)
            why = [*self.missing, *([f"and {more} more"] if more else [])]
            message = "\n".join(["no image was found in what was named; an empty audit is never accepted", *why])
            raise NoImages(message)

    def _take(self, running: set[Future[Verdict]]) -> Iterator[Verdict]:
        """Those that are decided by now."""
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        running -= done
        for future in done:
            verdict = future.result()
            self.summary.images += 1
            self.summary.absent += verdict.not_found
            if verdict.not_found and len(self.missing) < _TOLD:
                self.missing.append(one_line(verdict.error or verdict.name))
            earliest = verdict.published.earliest
            if self.since is not None and earliest is not None and self.at - earliest > self.since:
                self.summary.older += 1
                continue
            self.summary.outcomes[verdict.outcome] += 1
            yield verdict

    def _judge(self, stores: OpenStores, work: _Work) -> Verdict:
        """The verdict on one image that was found."""
        name, reference, policy_id = str(work.reference), work.reference, self.judgement.policy_id

        def ask(store: Store) -> Verdict:
            return judge_reference(
                store,
                reference,
                self.judgement,
                at=self.at,
                name=name,
                root=work.root,
                integrity=self.integrity,
                jobs=1,
            )

        try:
            if work.error is not None:
                raise work.error
            with stores.use(reference.repository) as store:
                verdict = ask(store) if work.listed is None else Listed(store, work.listed).judge(ask)
        except IntegrityError as exc:
            verdict = broken(name, reference, reference.digest, policy_id, self.at, str(exc))
        except ImgtrustError as exc:
            missing = isinstance(exc, NotFound)
            verdict = undecided(name, reference, reference.digest, policy_id, self.at, str(exc), not_found=missing)
        more = () if work.listed is None else (_UNLISTED,)
        return replace(verdict, tags=work.tags, not_checked=(*verdict.not_checked, *more))

    def _all(self, stores: OpenStores, targets: list[Reference | Prefix]) -> Iterator[_Work]:
        """Every image of every target, each repository looked at once."""
        seen: set[Repository] = set()
        for target in targets:
            if isinstance(target, Reference) and (target.tag is not None or target.digest is not None):
                yield _Work(target, None, () if target.tag is None else (target.tag,))
                continue
            for repository in self._repositories(target):
                if repository not in seen:
                    seen.add(repository)
                    self.summary.repositories += 1
                    yield from self._of_repository(stores, repository)

    def _repositories(self, target: Reference | Prefix) -> Iterator[Repository]:
        if isinstance(target, Reference):
            yield target.repository
            return
        from imgtrust.stores.registry import catalog  # noqa: PLC0415 - httpx is slow to import

        for path in catalog(target.host, self.options).repositories(target.path):
            yield RegistryRepository(target.host, path)

    def _of_repository(self, stores: OpenStores, repository: Repository) -> Iterator[_Work]:
        """The images of one repository: those with tags, then those without."""
        bare = Reference(repository)
        try:
            with stores.use(repository) as store:
                listable = isinstance(store, Inventory)
                if not listable:
                    self._note(f"{repository}: {_UNLISTED}")
                every = list(store.tags())
                listed = None if listable else frozenset(every)
                grouped, failed = self._resolved(store, [tag for tag in every if not is_attachment_tag(tag)])
                for tag, error in failed:
                    yield _Work(replace(bare, tag=tag), None, (tag,), error)
                for root, names in grouped.values():
                    pinned = Reference(repository, names[0], root.digest)
                    yield _Work(pinned, root, tuple(names), listed=listed)
                if isinstance(store, Inventory):
                    for root in store.manifests():
                        if root.digest not in grouped:
                            yield _Work(Reference(repository, None, root.digest), root)
        except ImgtrustError as exc:
            yield _Work(bare, None, (), exc)

    def _resolved(
        self, store: Store, tags: list[str]
    ) -> tuple[dict[Digest, tuple[Descriptor, list[str]]], list[tuple[str, ImgtrustError]]]:
        """The tags by the digest that they point at, and those of which that cannot be told."""

        def ask(tag: str) -> Descriptor | ImgtrustError:
            try:
                return store.resolve(tag)
            except ImgtrustError as exc:
                return exc

        grouped: dict[Digest, tuple[Descriptor, list[str]]] = {}
        failed: list[tuple[str, ImgtrustError]] = []
        for tag, found in zip(tags, in_threads(ask, tags, self.jobs), strict=True):
            if isinstance(found, ImgtrustError):
                failed.append((tag, found))
            else:
                grouped.setdefault(found.digest, (found, []))[1].append(tag)
        return grouped, failed

    def _note(self, text: str) -> None:
        if text not in self.summary.not_checked:
            self.summary.not_checked.append(text)
