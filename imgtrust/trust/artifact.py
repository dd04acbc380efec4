"""A Sigstore bundle over any file: the judgement of ``assess`` for what is no image. Pure.

Knows that the subject of a bundle is the SHA-256 of the file, whoever has the file or only its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.content import describe
from imgtrust.evidence import Evidence, Origin
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.reference import Digest
from imgtrust.trust.signatures import assess

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.trust.roots import TrustRoot
    from imgtrust.trust.signatures import Refusal, VerifiedSignature

__all__ = ["judge_artifact"]


def judge_artifact(
    bundle: bytes, artifact: bytes | Digest, root: TrustRoot, *, at: datetime
) -> VerifiedSignature | Refusal:
    """Believe a bundle about a file, or say why not; with the digest alone, what needs the file itself is refused."""
    layer = describe(bundle, BUNDLE_TYPE)
    content = artifact if isinstance(artifact, bytes) else None
    subject = artifact if isinstance(artifact, Digest) else Digest.of(artifact)
    return assess(Evidence(subject, layer.digest, Origin.REFERRER, layer, bundle, content=content), root, at=at)
