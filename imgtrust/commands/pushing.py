"""Pushing an attachment: blobs first, its manifest last, so that it is there whole or not at all.

Knows the order of pushes and what registries stumble over when several write at once; knows nothing of what the
bytes say.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from imgtrust.errors import StoreProtocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.formats.attachments import Attachment
    from imgtrust.reference import Digest
    from imgtrust.stores.port import BlobSource, Store

__all__ = ["push_attachment"]

_PAUSES: Final = (0.02, 0.1, 0.4)
"""Seconds before a manifest that was refused is pushed again."""
_SMALL: Final = 1024
"""Blobs of at most so many bytes may be the same for others: the empty config, the payload that all signers sign."""


def push_attachment(store: Store, attachment: Attachment, sources: Mapping[Digest, BlobSource] | None = None) -> Digest:
    """Push blobs, then the manifest: until the last step nothing is visible. The digest of the manifest.

    ``sources`` has the bytes of blobs that are not in the attachment itself.

    Small blobs may be others' too, and a registry may not know a blob for the moment in which somebody else writes it
    (docker-registry: "blob unknown"). So they are not written again where they are, and a manifest that is refused is
    tried again.

    Raises:
        ContentMismatch: the bytes of a source are not those of its descriptor.
        StoreError: the store did not take it all; asking again is safe.
    """
    streams = sources or {}
    pauses = iter(_PAUSES)
    while True:
        for descriptor, data in attachment.blobs:
            if 0 < len(data) <= _SMALL and store.has(descriptor):
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
