"""Whether a key made the signature that was read, over the message or over its digest. Pure.

Knows the shapes of ``evidence.Signed`` and nothing of who is trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.trust.keys import verify, verify_digest

if TYPE_CHECKING:
    from imgtrust.evidence import Signed
    from imgtrust.trust.keys import PublicKey

__all__ = ["holds"]


def holds(key: PublicKey, signed: Signed, content: bytes | None) -> bool:
    """Check the signature over its message; over the digest alone where the message is not in the evidence.

    ``content`` is that message where the caller has it (the bytes of the subject): pure Ed25519 signs no digest.
    """
    if signed.message is not None:
        return verify(key, signed.signature, signed.message)
    digest = bytes.fromhex(signed.message_digest or "")
    if verify_digest(key, signed.signature, digest, signed.digest_algorithm):
        return True
    return content is not None and verify(key, signed.signature, content)
