"""Attaching: what was made, pushed so that it is there whole or not at all.

Knows the order of pushes, and how a tag that several writers append to is written without losing an entry; knows
nothing of what the attached bytes say.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from imgtrust.content import EMPTY_BLOB, Manifest, parse_manifest
from imgtrust.errors import ContentMalformed, ContentMismatch, NotFound, StoreProtocol, TagConflict
from imgtrust.formats.attachments import Attachment, Suffix, bundle_attachment, legacy_attachment, legacy_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from imgtrust.commands.signing import Made
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Reference
    from imgtrust.stores.port import BlobSource, Store

__all__ = ["attach_legacy", "attach_made", "legacy_layers", "push_attachment", "resolve_subject"]

_TRIES: Final = 40
"""How often a shared tag is written again because another writer was faster; eight writers need about ten."""
_CLEAN_READS: Final = 2
_MANIFEST_PAUSES: Final = (0.02, 0.1, 0.4)
"""Seconds before a manifest that was refused is pushed again."""
_PAUSE: Final = 0.03
"""Seconds between a write and the look at what became of it, doubled by chance so that writers fall out of step."""


def resolve_subject(store: Store, reference: Reference) -> Descriptor:
    """What a reference means now: asked once; with tag and digest both must agree.

    Raises:
        NotFound: the store has no such tag or digest.
        ContentMismatch: the tag does not point at the digest.
        StoreError: the store could not answer.
    """
    wanted = reference.digest
    if reference.tag is None:
        if wanted is None:
            message = f"{reference} names neither a tag nor a digest"
            raise NotFound(message)
        return store.resolve(wanted)
    found = store.resolve(reference.tag)
    if wanted is not None and found.digest != wanted:
        message = f"the tag {reference.tag} of {reference.repository} points at {found.digest}, not at {wanted}"
        raise ContentMismatch(message)
    return found


def push_attachment(store: Store, attachment: Attachment, sources: Mapping[Digest, BlobSource] | None = None) -> Digest:
    """Push blobs, then the manifest: until the last step nothing is visible. The digest of the manifest.

    ``sources`` has the bytes of blobs that are not in the attachment itself.

    The empty config is the same for everybody, and a registry may not know a blob for the moment in which somebody
    else writes it too (docker-registry: "blob unknown"). So it is not written again where it is, and a manifest that
    is refused is tried again.

    Raises:
        ContentMismatch: the bytes of a source are not those of its descriptor.
        StoreError: the store did not take it all; asking again is safe.
    """
    streams = sources or {}
    pauses = iter(_MANIFEST_PAUSES)
    while True:
        for descriptor, data in attachment.blobs:
            if data == EMPTY_BLOB and store.has(descriptor):
                continue
            store.push(descriptor, streams.get(descriptor.digest, data))
        try:
            store.push(attachment.descriptor, attachment.manifest)
        except StoreProtocol:
            pause = next(pauses, None)
            if pause is None:
                raise
            time.sleep(pause * (1 + random.random()))  # noqa: S311 - only to fall out of step
        else:
            return attachment.descriptor.digest


def attach_made(
    store: Store, made: Made, created: datetime, keep: Callable[[Descriptor], bool] | None = None
) -> Digest:
    """Attach a signature; the digest that names it in reports (a bundle's manifest, a legacy layer).

    ``keep`` says which layers of a legacy tag stay (all of them, where it is None).

    Raises:
        StoreError: the store did not take it.
        TagConflict: a legacy tag is immutable, or too many writers wrote at once.
    """
    if made.suffix is None:
        return push_attachment(
            store,
            bundle_attachment(
                made.subject,
                made.payload,
                predicate_type=made.predicate_type,
                content="dsse-envelope",
                created=created,
            ),
        )
    attach_legacy(store, legacy_tag(made.subject.digest, made.suffix), made.layer, made.payload, keep=keep)
    return made.layer.digest


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
) -> None:
    """Add a layer to the manifest under a shared tag: read, merge, write, and look twice that it stayed.

    Raises:
        ContentMalformed: under the tag is something else than cosign's manifest.
        TagConflict: the tag is immutable, or others kept overwriting it.
        StoreError: the store could not answer.
    """
    for _ in range(tries):
        existing = _read(store, tag)
        if existing is None or layer not in existing.layers:
            _write(store, tag, legacy_attachment(_kept(existing, keep), layer, payload))
        if all(_still_there(store, tag, layer) for _ in range(_CLEAN_READS)):
            return
    message = f"the tag {tag} of {store.repository} was overwritten by other writers {tries} times; run it again"
    raise TagConflict(message)


def _still_there(store: Store, tag: str, layer: Descriptor) -> bool:
    """Whether the layer is under the tag after a moment in which other writers may have written."""
    time.sleep(_PAUSE * (1 + random.random()))  # noqa: S311 - only to fall out of step
    found = _read(store, tag)
    return found is not None and layer in found.layers


def _write(store: Store, tag: str, attachment: Attachment) -> None:
    push_attachment(store, attachment)
    store.tag(tag, attachment.descriptor, attachment.manifest)


def _kept(existing: Manifest | None, keep: Callable[[Descriptor], bool] | None) -> Manifest | None:
    """The manifest without the layers that are to go."""
    if existing is None or keep is None:
        return existing
    layers = tuple(layer for layer in existing.layers if keep(layer))
    return Manifest(
        existing.raw,
        existing.media_type,
        existing.config,
        layers,
        existing.subject,
        existing.artifact_type,
        existing.annotations,
    )


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
