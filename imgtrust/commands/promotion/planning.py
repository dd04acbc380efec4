"""How a plan is made: the whole graph of an image and of all that is attached to it, from a snapshot of the source.

Knows how to find things and in which order they have to arrive; judges and copies nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from imgtrust.commands.graph import walk
from imgtrust.commands.promotion.plan import Attached, LeftBehind, LegacyTag, Plan
from imgtrust.content import Descriptor, Index, Manifest
from imgtrust.errors import ContentMalformed, IntegrityError, LimitExceeded, NotFound, UsageError
from imgtrust.formats.attachments import Suffix, legacy_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imgtrust.commands.graph import ImageGraph
    from imgtrust.commands.snapshot import Snapshot
    from imgtrust.reference import Digest, Reference, Repository

__all__ = ["MAX_ATTACHED", "choose_platform", "make_plan"]

MAX_ATTACHED: Final = 10_000
"""The most referrers of one image, at all depths, that are promoted."""


def choose_platform(source: Snapshot, root: Descriptor, platforms: Sequence[str]) -> Descriptor:
    """What is promoted of an index: the index, or the one child that ``--platform`` names.

    An index that lacks a child is another index, with another digest that nobody signed, and registries refuse one
    whose children are absent. So one platform means that child alone, judged by the evidence attached to itself:
    evidence of the index counts for a child only beside the index. All platforms of an index mean the index.

    Raises:
        UsageError: no such platform, several children of it, or some platforms but not all.
        StoreError: the source could not answer.
        IntegrityError: the root is altered.
    """
    if not platforms:
        return root
    graph = walk(source, root)
    if root.digest not in graph.manifests:
        raise ContentMalformed(graph.faults[0].reason)
    children = [(child, str(platform)) for child, platform in graph.children if platform is not None]
    known = {name for _, name in children}
    wanted = set(platforms)
    if wanted - known:
        message = (
            f"{source.repository}@{root.digest} has no platform {', '.join(sorted(wanted - known))}; "
            f"it has {', '.join(sorted(known)) or 'none: it is no index'}"
        )
        raise UsageError(message)
    if wanted == known:
        return root
    chosen = [child for child, name in children if name in wanted]
    if len(chosen) != 1:
        message = (
            f"{', '.join(sorted(wanted))}: {len(chosen)} of the {len(children)} images of "
            f"{source.repository}@{root.digest}; an index cannot be cut without changing its digest, which is what is "
            "signed. Promote the whole index, or one platform at a time"
        )
        raise UsageError(message)
    return Descriptor(chosen[0].media_type, chosen[0].digest, chosen[0].size)


def make_plan(
    source: Snapshot,
    reference: Reference,
    root: Descriptor,
    destination: Repository,
    *,
    tags: Sequence[str] = (),
    platforms: Sequence[str] = (),
    jobs: int = 8,
) -> Plan:
    """The plan for an image whose root is resolved.

    What is attached and broken at the source is left behind, and said; the judgement at the source has already
    counted it as not believed, and the one at the destination will not see it.

    Raises:
        StoreError: the source could not answer; nothing is concluded from that.
        ContentMalformed: the image itself is broken.
        LimitExceeded: more is attached than ``MAX_ATTACHED``.
    """
    graph = walk(source, root)
    if graph.faults:
        message = f"{graph.faults[0].digest}: {graph.faults[0].reason}"
        raise ContentMalformed(message)
    levels = _levels(graph)
    subjects = [item for level in reversed(levels) for item in level]
    left: list[LeftBehind] = []
    with ThreadPoolExecutor(max(1, jobs), thread_name_prefix="plan") as pool:
        attached = tuple(_attached(source, subjects, pool, left))
        legacy = tuple(_legacy(source, subjects, pool, left))
    return Plan(
        reference.with_digest(root.digest),
        destination,
        root,
        levels,
        tuple(graph.blobs),
        frozenset(item.config.digest for item in graph.manifests.values() if isinstance(item, Manifest)),
        attached,
        legacy,
        tuple(left),
        tuple(tags),
        tuple(platforms),
    )


def _levels(graph: ImageGraph) -> tuple[tuple[Descriptor, ...], ...]:
    """The manifests of a graph in the order of pushing: a manifest's level is above that of all its children."""
    heights: dict[Digest, int] = {}
    found: dict[Digest, Descriptor] = {}

    def height(descriptor: Descriptor) -> int:
        known = heights.get(descriptor.digest)
        if known is not None:
            return known
        heights[descriptor.digest] = 0
        found[descriptor.digest] = descriptor
        manifest = graph.manifests[descriptor.digest]
        children = manifest.manifests if isinstance(manifest, Index) else ()
        result = 1 + max((height(child) for child in children), default=-1)
        heights[descriptor.digest] = result
        return result

    top = height(graph.root)
    return tuple(tuple(found[digest] for digest, own in heights.items() if own == level) for level in range(top + 1))


def _attached(
    source: Snapshot,
    subjects: Sequence[Descriptor],
    pool: ThreadPoolExecutor,
    left: list[LeftBehind],
) -> Iterator[Attached]:
    """All referrers, breadth first: those of the image's manifests, then those of the referrers, and so on."""
    seen = {subject.digest for subject in subjects}
    depth = 0
    while subjects:
        following: list[Descriptor] = []
        found: list[tuple[Descriptor, Descriptor]] = []
        lists = pool.map(lambda subject: list(source.referrers(subject)), subjects)
        for subject, referrers in zip(subjects, lists, strict=True):
            for referrer in referrers:
                if referrer.digest not in seen:
                    seen.add(referrer.digest)
                    found.append((subject, referrer))
        if len(seen) > MAX_ATTACHED:
            message = f"more than {MAX_ATTACHED} manifests are attached to the image; imgtrust does not promote so many"
            raise LimitExceeded(message)
        for item in pool.map(partial(_referrer, source, depth), found):
            if isinstance(item, LeftBehind):
                left.append(item)
            else:
                following.append(item.descriptor)
                yield item
        subjects = following
        depth += 1


def _referrer(source: Snapshot, depth: int, pair: tuple[Descriptor, Descriptor]) -> Attached | LeftBehind:
    """One referrer (the second of a pair, listed for the first) with its parts, or why it stays behind."""
    subject, listed = pair
    try:
        graph = walk(source, listed)
        if graph.faults:
            return LeftBehind(listed.digest, graph.faults[0].reason)
        named = graph.manifests[listed.digest].subject
        if named is None or named.digest != subject.digest:
            about = "nothing" if named is None else str(named.digest)
            return LeftBehind(
                listed.digest, f"it is listed as attached to {subject.digest} and says that it is to {about}"
            )
        parts = tuple(item for level in _levels(graph) for item in level)
    except IntegrityError as exc:
        return LeftBehind(listed.digest, str(exc))
    return Attached(subject, parts, tuple(graph.blobs), depth)


def _legacy(
    source: Snapshot,
    subjects: Iterable[Descriptor],
    pool: ThreadPoolExecutor,
    left: list[LeftBehind],
) -> Iterator[LegacyTag]:
    """The tags of cosign of every manifest of the image."""
    tags = [legacy_tag(subject.digest, suffix) for subject in subjects for suffix in Suffix]
    for item in pool.map(partial(_legacy_tag, source), tags):
        if isinstance(item, LegacyTag):
            yield item
        elif isinstance(item, LeftBehind):
            left.append(item)


def _legacy_tag(source: Snapshot, tag: str) -> LegacyTag | LeftBehind | None:
    """What is under one of cosign's tags; None where there is none."""
    try:
        descriptor = source.resolve(tag)
    except NotFound:
        return None
    try:
        graph = walk(source, descriptor)
    except IntegrityError as exc:
        return LeftBehind(descriptor.digest, f"the tag {tag}: {exc}")
    if graph.faults or isinstance(graph.manifests[descriptor.digest], Index):
        reason = graph.faults[0].reason if graph.faults else "it holds an index, which no signature is"
        return LeftBehind(descriptor.digest, f"the tag {tag}: {reason}")
    return LegacyTag(tag, descriptor, tuple(graph.blobs))
