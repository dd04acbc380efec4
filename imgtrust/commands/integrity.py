"""Every byte of an image, hashed once: which of its blobs are absent or altered, and whether its configs fit.

Knows blobs and configs; knows nothing of signatures. What is found wrong is a ``Fault``; a store that cannot answer is
an error, for then nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.content import CONFIG_TYPES, MAX_MANIFEST_BYTES, Manifest, Platform, parse_config
from imgtrust.errors import ContentMissing, IntegrityError
from imgtrust.rules.facts import Fault
from imgtrust.stores.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from imgtrust.commands.graph import ImageGraph
    from imgtrust.content import Descriptor, ImageConfig
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["BlobReport", "check_blobs"]

_FOREIGN: Final = (
    "application/vnd.oci.image.layer.nondistributable.",
    "application/vnd.docker.image.rootfs.foreign.",
)
"""How the media types of layers begin that may not be distributed, and so may be absent (image-spec, layer.md)."""
_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class BlobReport:
    """What reading the blobs showed: faults, how many were proven, and the platforms that the configs name."""

    faults: tuple[Fault, ...]
    checked: int
    platforms: Mapping[Digest, Platform]


def check_blobs(
    store: Store,
    graph: ImageGraph,
    *,
    jobs: int,
    hashed: Collection[Digest] = (),
    on_hashed: Callable[[Digest], object] | None = None,
) -> BlobReport:
    """Read every config and layer, each distinct one once, in ``jobs`` threads, the largest first.

    ``hashed``: layers that this run has proven already; they count as checked and are not read again. ``on_hashed`` is
    told of each blob that was proven, from any thread.

    Raises:
        StoreError: the store cannot answer.
    """
    images = [(graph.root, None), *graph.children]
    about = [(d, p, m) for d, p in images if isinstance(m := graph.manifests.get(d.digest), Manifest)]
    configs = {m.config.digest: m.config for _, _, m in about if m.config.media_type in CONFIG_TYPES}
    waiting = [blob for blob in graph.blobs if blob.digest in configs or blob.digest not in hashed]
    waiting.sort(key=lambda blob: -blob.size)

    def prove(blob: Descriptor) -> Fault | ImageConfig | None:
        found = _config(store, blob) if blob.digest in configs else _layer(store, blob)
        if on_hashed is not None and not isinstance(found, Fault):
            on_hashed(blob.digest)
        return found

    answers = dict(zip((blob.digest for blob in waiting), in_threads(prove, waiting, jobs), strict=True))
    faults = [answer for blob in graph.blobs if isinstance(answer := answers.get(blob.digest), Fault)]
    bad = len(faults)
    platforms: dict[Digest, Platform] = {}
    for descriptor, promised, manifest in about:
        config = answers.get(manifest.config.digest)
        if config is None or isinstance(config, Fault):
            continue
        if config.os and config.architecture:
            platforms[descriptor.digest] = Platform(config.os, config.architecture, config.variant)
        if promised is not None and (clash := _contradiction(promised, config)):
            faults.append(Fault(descriptor.digest, clash))
    return BlobReport(tuple(faults), len(graph.blobs) - bad, platforms)


def _layer(store: Store, blob: Descriptor) -> Fault | None:
    try:
        for _ in store.stream(blob):
            pass
    except ContentMissing as exc:
        foreign = blob.media_type.startswith(_FOREIGN)
        return Fault(blob.digest, "non-distributable layer is not stored here" if foreign else str(exc))
    except IntegrityError as exc:
        return Fault(blob.digest, str(exc))
    return None


def _config(store: Store, blob: Descriptor) -> Fault | ImageConfig:
    if blob.size > MAX_MANIFEST_BYTES:
        return Fault(blob.digest, f"config of {blob.size} bytes, expected at most {MAX_MANIFEST_BYTES}")
    try:
        return parse_config(store.fetch(blob), f"config {blob.digest}")
    except IntegrityError as exc:
        return Fault(blob.digest, str(exc))


def _contradiction(promised: Platform, config: ImageConfig) -> str | None:
    """Where the index promises another platform than the image is for; what one of them leaves out is no conflict."""
    pairs: Sequence[tuple[str, str | None, str | None]] = (
        ("os", promised.os, config.os),
        ("architecture", promised.architecture, config.architecture),
        ("variant", promised.variant, config.variant),
    )
    for name, said, is_ in pairs:
        if said and is_ and said not in {is_, _UNKNOWN}:
            return f"the index says {name} {said[:100]}, the image's config {is_[:100]}"
    return None
