"""Attaching what was made to the image that it is about.

Knows which way each format is attached; how it is done is in ``pushing`` and ``appending``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.commands.appending import attach_legacy
from imgtrust.commands.pushing import push_attachment
from imgtrust.errors import ContentMismatch, NotFound
from imgtrust.evidence import Format
from imgtrust.formats.attachments import bundle_attachment, legacy_tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from imgtrust.commands.signing import Made
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Reference
    from imgtrust.stores.port import Store

__all__ = ["attach_made", "push_attachment", "resolve_subject"]


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


def attach_made(
    store: Store, made: Made, created: datetime, keep: Callable[[Descriptor], bool] | None = None
) -> Digest:
    """Attach a signature; the digest that names it in reports (a bundle's manifest, a legacy layer).

    ``keep`` says which layers of a legacy tag stay (all of them, where it is None).

    Raises:
        StoreError: the store did not take it.
        TagConflict: a legacy tag is immutable, or too many writers wrote at once.
    """
    if made.format is Format.NOTARY_JWS:
        from imgtrust.commands.notarysigning import notary_attachment  # noqa: PLC0415 - X.509 is slow to import

        return push_attachment(store, notary_attachment(made.subject, made.layer, made.payload, created))
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
