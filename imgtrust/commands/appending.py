"""cosign's legacy tags, which all signers of an image append to: read, merge, write, and look that it stayed.

Knows how a shared tag is written without losing an entry; knows nothing of what the layers say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.pushing import push_attachment
from imgtrust.content import Manifest, parse_manifest
from imgtrust.errors import ContentMalformed, NotFound, StoreProtocol, TagConflict
from imgtrust.formats.attachments import Attachment, Suffix, legacy_attachment, legacy_tag
from imgtrust.stores.retry import SystemWaiter
from imgtrust.stores.turns import turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store
    from imgtrust.stores.retry import Waiter

__all__ = ["attach_legacy", "legacy_layers"]

_TRIES: Final = 40
"""How often a shared tag is read again before it is given up."""
_CLEAN_READS: Final = 2
_REFUSALS: Final = 5
_SETTLE: Final = 0.03
"""Seconds in which another machine's write, begun before ours, may still arrive; more where the store is slow."""


def legacy_layers(store: Store, subject: Digest, suffix: Suffix) -> tuple[Descriptor, ...]:
    """The layers under a legacy tag; none where there is no such tag.

    Raises:
        ContentMalformed: under the tag is something else than cosign's manifest.
        StoreError: the store could not answer.
    """
    manifest = _read(store, legacy_tag(subject, suffix))
    return () if manifest is None else manifest.layers


def attach_legacy(
    store: Store,
    tag: str,
    layer: Descriptor,
    payload: bytes,
    *,
    keep: Callable[[Descriptor], bool] | None = None,
    tries: int = _TRIES,
    waiter: Waiter | None = None,
) -> None:
    """Add a layer to the manifest under a shared tag; ``keep`` says which of those there stay (all, where None).

    Writers on this machine take turns; for those on others it is read back until the layer stayed twice.

    Raises:
        ContentMalformed: under the tag is something else than cosign's manifest.
        TagConflict: the tag is immutable, or others kept overwriting it.
        StoreError: the store could not answer.
    """
    clock = SystemWaiter() if waiter is None else waiter
    with turn(f"{store.repository}:{tag}", clock):
        _merge(store, tag, (layer, payload), keep, tries=tries, clock=clock)


def _merge(
    store: Store,
    tag: str,
    new: tuple[Descriptor, bytes],
    keep: Callable[[Descriptor], bool] | None,
    *,
    tries: int,
    clock: Waiter,
) -> None:
    """Read, merge, write, and read back, until the new layer stays."""
    layer, payload = new
    clean, refusals, pause = 0, 0, _SETTLE
    for _ in range(tries):
        begun = clock.monotonic()
        existing = _read(store, tag)
        if existing is not None and layer in existing.layers:
            clean += 1
            if clean >= _CLEAN_READS:
                return
        else:
            clean = 0
            try:
                _write(store, tag, legacy_attachment(_kept(existing, keep), layer, payload))
            except StoreProtocol:
                # The blobs of a shared manifest are shared too: for a moment the registry may not know one of them.
                refusals += 1
                if refusals > _REFUSALS:
                    raise
            pause = max(_SETTLE, 3 * (clock.monotonic() - begun))
        clock.sleep(pause * (0.5 + clock.jitter()))
    message = f"the tag {tag} of {store.repository} could not be written to in {tries} tries; run it again"
    raise TagConflict(message)


def _write(store: Store, tag: str, attachment: Attachment) -> None:
    push_attachment(store, attachment)
    store.tag(tag, attachment.descriptor, attachment.manifest)


def _kept(existing: Manifest | None, keep: Callable[[Descriptor], bool] | None) -> Manifest | None:
    """The manifest without the layers that are to go."""
    if existing is None or keep is None:
        return existing
    return replace(existing, layers=tuple(layer for layer in existing.layers if keep(layer)))


def _read(store: Store, tag: str) -> Manifest | None:
    """The manifest under a tag now; None where there is none. A registry that fails is no registry without a tag."""
    try:
        descriptor = store.resolve(tag)
    except NotFound:
        return None
    manifest = parse_manifest(store.fetch(descriptor), descriptor.media_type, f"{store.repository}:{tag}")
    if not isinstance(manifest, Manifest):
        message = f"{store.repository}:{tag} is an index; expected a manifest of cosign's signatures there"
        raise ContentMalformed(message)
    return manifest
