"""Which policy judged: its source and the digest of its exact text. Pure."""

from __future__ import annotations

from imgtrust.policy.verdict import PolicyId
from imgtrust.reference import Digest

__all__ = ["policy_id"]


def policy_id(text: bytes, source: str) -> PolicyId:
    """Name a policy by where it came from and the sha256 of its bytes.

    For a file: its bytes and its name. For flags: what ``policy.writing.write_policy`` writes, and ``flags``.
    """
    return PolicyId(source, Digest.of(text))
