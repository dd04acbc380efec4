"""Bringing what is attached to the destination: referrers by digest, and cosign's tags.

Knows that a registry without the Referrers API keeps a list that a push has to join, and that a tag of cosign is a
list of signatures that must not lose any; judges nothing.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from imgtrust.content import Descriptor, Manifest, parse_manifest
from imgtrust.errors import IntegrityError, NotFound, StoreProtocol, TagConflict
from imgtrust.formats.attachments import Suffix, legacy_attachment
from imgtrust.reports.results import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.commands.promotion.copying import Copier
    from imgtrust.commands.promotion.plan import Attached, LegacyTag
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["check_arrival", "push_attached", "push_legacy"]

_TRIES: Final = 5
"""How often a tag of cosign is written again because somebody else wrote it in between."""


def push_attached(copier: Copier, destination: Store, attached: Iterable[Attached]) -> list[Attached]:
    """Push referrers that the destination does not have or does not list; what is attached to them comes after them.

    Those of one subject are pushed one after the other, because they may share one fallback list. Returns those that
    the destination did not list before.

    Raises:
        StoreError: a store did not do its part.
    """
    unlisted: list[Attached] = []

    def of_one_subject(items: Sequence[Attached]) -> None:
        listed = {found.digest for found in destination.referrers(items[0].subject)}
        for item in items:
            new = item.descriptor.digest not in listed
            for part in item.manifests[:-1]:
                copier.manifest(part)
            copier.manifest(item.descriptor, again=new)
            if new:
                unlisted.append(item)

    ordered = sorted(attached, key=lambda item: (item.depth, item.subject.digest))
    for _, level in groupby(ordered, key=lambda item: item.depth):
        groups = [list(group) for _, group in groupby(level, key=lambda item: item.subject.digest)]
        copier.in_threads(of_one_subject, groups)
    return unlisted


def check_arrival(destination: Store, attached: Iterable[Attached]) -> None:
    """See that the destination lists every referrer that was pushed, so that "not listed yet" is never "unsigned".

    Raises:
        StoreProtocol: it does not.
    """
    ordered = sorted(attached, key=lambda item: item.subject.digest)
    for _, group in groupby(ordered, key=lambda item: item.subject.digest):
        items = list(group)
        listed = {found.digest for found in destination.referrers(items[0].subject)}
        lost = [item.descriptor.digest for item in items if item.descriptor.digest not in listed]
        if lost:
            message = (
                f"{destination.repository} took {len(items)} referrers of {items[0].subject.digest} and does not list "
                f"{len(lost)} of them ({lost[0]} for one); no tag was set. Run the same command again"
            )
            raise StoreProtocol(message)


def push_legacy(source: Store, destination: Store, item: LegacyTag, fates: dict[Digest, Fate]) -> bool:
    """Bring a ``.sig``, ``.att`` or ``.sbom`` tag over; what the destination has under it already is kept.

    ``fates`` gets what became of it. False where the tag holds another SBOM, which stays.

    Raises:
        TagConflict: the tag is immutable at the destination, or others go on writing it.
        StoreError: a store did not do its part.
    """
    raw = source.fetch(item.descriptor)
    for _ in range(_TRIES):
        before = _resolve(destination, item.tag)
        descriptor, manifest = item.descriptor, raw
        if before is not None and before.digest != descriptor.digest:
            if item.tag.endswith(f".{Suffix.SBOM}"):
                return False
            descriptor, manifest = _merged(destination, before, item, raw)
        if before is not None and before.digest == descriptor.digest:
            fates.setdefault(item.descriptor.digest, Fate.SKIP)
            return True
        destination.push(descriptor, manifest)
        destination.tag(item.tag, descriptor, manifest)
        fates[item.descriptor.digest] = Fate.COPY
        after = _resolve(destination, item.tag)
        if after is not None and after.digest == descriptor.digest:
            return True
    message = f"the tag {item.tag} of {destination.repository} was written by somebody else {_TRIES} times in between"
    raise TagConflict(message)


def _resolve(store: Store, tag: str) -> Descriptor | None:
    try:
        return store.resolve(tag)
    except NotFound:
        return None


def _merged(destination: Store, before: Descriptor, item: LegacyTag, raw: bytes) -> tuple[Descriptor, bytes]:
    """The destination's manifest with the source's layers added; its config is pushed, the layers are there."""
    ours = parse_manifest(raw, item.descriptor.media_type, f"the manifest under {item.tag}")
    try:
        merged = parse_manifest(destination.fetch(before), before.media_type, f"the manifest under {item.tag}")
    except IntegrityError as exc:
        message = f"the tag {item.tag} of {destination.repository} holds what cannot be added to: {exc}"
        raise TagConflict(message) from exc
    if not isinstance(ours, Manifest) or not isinstance(merged, Manifest):
        message = f"the tag {item.tag} of {destination.repository} holds an index, to which no signature can be added"
        raise TagConflict(message)
    descriptor = before
    for layer in ours.layers:
        if layer in merged.layers:
            continue
        attachment = legacy_attachment(merged, layer, b"")
        config, data = attachment.blobs[0]
        destination.push(config, data)
        descriptor = attachment.descriptor
        again = parse_manifest(attachment.manifest, descriptor.media_type)
        merged = again if isinstance(again, Manifest) else merged
    return descriptor, merged.raw
