"""Signing for the Notary Project: an envelope about an image, judged as everybody will before it is attached.

Knows what goes into one, and the manifest that carries it (notary.md 1, the new shape); must not know where it goes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.content import Descriptor, describe
from imgtrust.errors import KeyUnusable, UsageError
from imgtrust.evidence import Evidence, Origin
from imgtrust.formats import read
from imgtrust.formats.attachments import artifact_attachment
from imgtrust.formats.mediatypes import NOTARY_ARTIFACT, NOTARY_JWS_LAYER
from imgtrust.formats.notary import PREFIX
from imgtrust.trust.anchors import TrustedNotary
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import Refusal, assess
from imgtrust.trust.times import ClaimedTime, TimeSource, read_token

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.commands.holding import Signing
    from imgtrust.formats.attachments import Attachment
    from imgtrust.signers.notary import EnvelopeSigner
    from imgtrust.trust.times import VerifiedTime

__all__ = ["Enveloped", "make_envelope", "notary_attachment"]

_AGENT: Final = "imgtrust"
_THUMBPRINTS: Final = "io.cncf.notary.x509chain.thumbprint#S256"


@dataclass(frozen=True, slots=True)
class Enveloped:
    """An envelope that verifies under its own chain: its layer, its bytes, and the times as far as they are proven."""

    layer: Descriptor
    payload: bytes = field(repr=False)
    times: tuple[VerifiedTime | ClaimedTime, ...]


def make_envelope(signing: Signing, signer: EnvelopeSigner, subject: Descriptor) -> Enveloped:
    """Sign the descriptor of an image; annotations are signed as user metadata.

    Raises:
        UsageError: several time-stamp authorities, or an annotation with the prefix that Notary keeps for itself.
        KeyUnusable: what the key signed does not verify under its own chain.
        TimestampError: the authority gave no token that can be used.
    """
    if len(signing.timestampers) > 1:
        message = "a Notary signature holds one time-stamp: name one time-stamp authority"
        raise UsageError(message)
    for name, _ in signing.annotations:
        if name.startswith(PREFIX.rstrip(".")):
            message = f"the annotation {name[:80]} cannot be signed: Notary keeps names under {PREFIX[:-1]} for itself"
            raise UsageError(message)
    target = Descriptor(subject.media_type, subject.digest, subject.size, annotations=signing.annotations)
    stamper = signing.timestampers[0] if signing.timestampers else None
    now = signing.now()
    envelope = signer.sign_target(target, _AGENT, at=now, stamper=stamper)
    layer = describe(envelope, NOTARY_JWS_LAYER)
    evidence = Evidence(subject.digest, layer.digest, Origin.REFERRER, layer, envelope)
    claims = tuple(
        ClaimedTime(read_token(each).time, TimeSource.RFC3161, "" if stamper is None else stamper.name)
        for each in read(evidence).timestamps
    )
    own = TrustedNotary("own", "ca", signer.chain, subjects=((),), revocation="skip")
    at = max([now, *(claim.time for claim in claims if claim.time is not None)])
    outcome = assess(evidence, TrustRoot(authorities=signing.authorities, notary=(own,)), at=at)
    if isinstance(outcome, Refusal):
        message = (
            f"the signature that was just made for {subject.digest} does not verify under its own certificates "
            f"({outcome.reason}); nothing was attached"
        )
        raise KeyUnusable(message)
    return Enveloped(layer, envelope, outcome.times or claims)


def notary_attachment(subject: Descriptor, layer: Descriptor, payload: bytes, created: datetime) -> Attachment:
    """The referrer that carries an envelope; ``created`` is aware, a claim."""
    evidence = Evidence(subject.digest, layer.digest, Origin.REFERRER, layer, payload)
    prints = [hashlib.sha256(each).hexdigest() for each in read(evidence).certificates]
    annotations = {_THUMBPRINTS: strict_json.dumps(prints).decode("ascii")}
    return artifact_attachment(subject, NOTARY_ARTIFACT, [(layer, payload)], annotations=annotations, created=created)
