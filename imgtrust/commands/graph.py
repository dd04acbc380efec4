"""What an image consists of: index, children, configs and layers, each manifest read once.

Knows how manifests name each other; decides nothing but what is a fault: something that is absent, altered or
malformed, so that asking again will not help. A store that cannot answer is an error, never a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imgtrust.content import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    MAX_MANIFEST_BYTES,
    Descriptor,
    Index,
    Manifest,
    Platform,
    parse_manifest,
)
from imgtrust.errors import IntegrityError, LimitExceeded
from imgtrust.reference import LayoutRepository
from imgtrust.rules.facts import Fault
from imgtrust.stores.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["MAX_DEPTH", "MAX_MANIFESTS", "ImageGraph", "is_attestation_manifest", "walk"]

MAX_MANIFESTS: Final = 5_000
"""The most manifests of one image, over all nested indexes."""
MAX_DEPTH: Final = 8
"""How deep indexes may be nested."""
_BUILDKIT_TYPE: Final = "vnd.docker.reference.type"
_BUILDKIT_ATTESTATION: Final = "attestation-manifest"

_Step = tuple[Descriptor, "frozenset[Digest]"]
"""A manifest to read, and the indexes above it."""


@dataclass(frozen=True, slots=True)
class ImageGraph:
    """One image as its manifests describe it.

    ``manifests``: all that could be read, by digest, the root included. ``children``: the platform images, with the
    platform that the index gives them, outermost first, each once; none where the root is no index.
    ``attestation_manifests``: BuildKit's, which are part of the index and no platform. ``blobs``: every distinct
    config and layer.
    """

    root: Descriptor
    manifests: Mapping[Digest, Manifest | Index]
    children: tuple[tuple[Descriptor, Platform | None], ...]
    attestation_manifests: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class _Walk:
    """What was found so far; ``described`` are the manifests that something names."""

    manifests: dict[Digest, Manifest | Index] = field(default_factory=dict)
    described: dict[Digest, Descriptor] = field(default_factory=dict)
    children: dict[Digest, tuple[Descriptor, Platform | None]] = field(default_factory=dict)
    attestations: dict[Digest, Descriptor] = field(default_factory=dict)
    blobs: dict[Digest, Descriptor] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def walk(store: Store, root: Descriptor, *, jobs: int = 8) -> ImageGraph:
    """Read every manifest of an image, level by level, in ``jobs`` threads; those of a layout in this one.

    Raises:
        StoreError: the store cannot answer.
        LimitExceeded: more manifests, or deeper nesting, than is read.
    """
    threads = 1 if isinstance(store.repository, LayoutRepository) else jobs
    found = _Walk(described={root.digest: root})
    level: list[_Step] = [(root, frozenset())]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            message = f"{root.digest}: indexes are nested deeper than {MAX_DEPTH} levels, which imgtrust does not read"
            raise LimitExceeded(message)
        level = _next_level(store, level, found, threads)
    return ImageGraph(
        root,
        found.manifests,
        tuple(found.children.values()),
        tuple(found.attestations.values()),
        tuple(found.blobs.values()),
        tuple(found.faults),
    )


def is_attestation_manifest(entry: Descriptor) -> bool:
    """Whether an index entry is BuildKit's attestation manifest: by its annotation, and it runs on no platform."""
    runs = entry.platform is not None and entry.platform.os != "unknown"
    return entry.annotation(_BUILDKIT_TYPE) == _BUILDKIT_ATTESTATION and not runs


def _next_level(store: Store, level: Sequence[_Step], found: _Walk, threads: int) -> list[_Step]:
    """Read one level of manifests; the manifests that its indexes name and that are new are the next one."""
    if len(found.manifests) + len(level) > MAX_MANIFESTS:
        message = f"more than {MAX_MANIFESTS} manifests in one image, which is more than imgtrust reads"
        raise LimitExceeded(message)
    answers = in_threads(lambda item: _read(store, item[0]), level, threads)
    below: list[_Step] = []
    for (descriptor, above), answer in zip(level, answers, strict=True):
        if isinstance(answer, Fault):
            found.faults.append(answer)
            continue
        found.manifests[descriptor.digest] = answer
        if isinstance(answer, Index):
            below += _note_entries(answer, above | {descriptor.digest}, found)
        else:
            _note_blobs(answer, found)
    return below


def _read(store: Store, descriptor: Descriptor) -> Manifest | Index | Fault:
    what = f"manifest {descriptor.digest}"
    if descriptor.size > MAX_MANIFEST_BYTES:
        return Fault(descriptor.digest, f"{what}: {descriptor.size} bytes, expected at most {MAX_MANIFEST_BYTES}")
    try:
        return parse_manifest(store.fetch(descriptor), descriptor.media_type, what)
    except IntegrityError as exc:
        return Fault(descriptor.digest, str(exc))


def _note_blobs(manifest: Manifest, found: _Walk) -> None:
    for blob in (manifest.config, *manifest.layers):
        _is_new(blob, found.blobs, found.faults)


def _note_entries(index: Index, above: frozenset[Digest], found: _Walk) -> list[_Step]:
    below: list[_Step] = []
    for entry in index.manifests:
        if entry.digest in above:
            found.faults.append(Fault(entry.digest, "this index contains itself"))
        elif entry.media_type not in MANIFEST_TYPES:
            reason = f"an entry of an index has the media type {entry.media_type[:100]!r}, which cannot be checked"
            found.faults.append(Fault(entry.digest, reason))
        elif _is_new(entry, found.described, found.faults):
            below.append((entry, above))
            if is_attestation_manifest(entry):
                found.attestations[entry.digest] = entry
            elif entry.media_type not in INDEX_TYPES:
                found.children[entry.digest] = (entry, entry.platform)
    return below


def _is_new(descriptor: Descriptor, described: dict[Digest, Descriptor], faults: list[Fault]) -> bool:
    """Note a descriptor; whether its digest is new. Where it is described in two ways, one of them is wrong."""
    before = described.get(descriptor.digest)
    if before is None:
        described[descriptor.digest] = descriptor
        return True
    if before.size != descriptor.size:
        faults.append(Fault(descriptor.digest, f"described as {before.size} bytes and as {descriptor.size} bytes"))
    elif descriptor.is_manifest and before.media_type != descriptor.media_type:
        faults.append(Fault(descriptor.digest, f"described as {before.media_type} and as {descriptor.media_type}"))
    return False
