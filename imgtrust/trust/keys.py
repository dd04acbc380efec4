"""Public keys: reading them, naming them, and checking a signature with one. Pure.

Knows cryptography's key types; knows nothing of formats, files or private keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["PublicKey", "TrustedKey"]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key by its DER SubjectPublicKeyInfo.

    (Interface; the body is the trust owner's work.)
    ``fingerprint``: SHA-256 of the DER, 64 hex digits. ``hint``: base64 of that digest (cosign.md 1d).
    """

    der: bytes


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key that the policy trusts: the name it has there, and the window in which it speaks (ends inclusive)."""

    name: str
    key: PublicKey
    not_before: datetime | None = None
    not_after: datetime | None = None
