"""Keyless and Notary signatures attached to an image in a store, as other tools leave them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.formats.mediatypes import BUNDLE_TYPE, NOTARY_ARTIFACT
from tests.simulators.evidence import statement
from tests.simulators.fulcio import WHEN
from tests.simulators.images import artifact, push
from tests.simulators.notaryenvelopes import JWS, jws, payload
from tests.simulators.pki import SUBJECT, authority, leaf
from tests.simulators.sigstore import V1

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.content import Descriptor
    from imgtrust.stores.port import Store
    from tests.simulators.pki import Certified
    from tests.simulators.sigstore import Signer, VirtualSigstore

__all__ = ["NOTARY_ROOT", "attach_keyless", "attach_notary"]

NOTARY_ROOT: Final = authority("acme root")
"""The root that Notary signatures come from here."""
_SIGNER: Final = leaf(NOTARY_ROOT, subject=(*SUBJECT, ("CN", "acme release")))


def attach_keyless(
    store: Store,
    subject: Descriptor,
    instance: VirtualSigstore,
    signer: Signer | None = None,
    *,
    when: datetime = WHEN,
    **changes: Any,
) -> Descriptor:
    """Attach a keyless signature (a Rekor v1 entry at ``when``, unless the shape is changed)."""
    signer = signer or instance.certify(when=when)
    document = instance.bundle(signer, changes.pop("kind", V1), payload=statement(subject.digest), when=when, **changes)
    content = strict_json.dumps(document)
    return push(store, artifact(subject, artifact_type=BUNDLE_TYPE, layers=[(BUNDLE_TYPE, content)]))


def attach_notary(
    store: Store, subject: Descriptor, certified: tuple[Certified, ...] = (), **changes: Any
) -> Descriptor:
    """Attach a Notary signature (JWS) by a certificate of ``NOTARY_ROOT``."""
    about = payload(mediaType=subject.media_type, digest=str(subject.digest), size=subject.size)
    content = jws(certified or (_SIGNER, NOTARY_ROOT), body=about, **changes)
    return push(store, artifact(subject, artifact_type=NOTARY_ARTIFACT, layers=[(JWS, content)]))
