"""What a policy says, as values. Pure.

Knows the vocabulary of DESIGN section 7 and nothing of TOML, flags or files: ``policy.document`` reads a file into
these values, ``policy.flags`` builds them from the shorthand, ``policy.writing`` prints them again. There is one
judgement over them (``policy.evaluate``), never two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["EvidenceRule", "KeySigner", "Policy", "PublishRule", "Scope", "SignatureRule", "TimeTrust"]


@dataclass(frozen=True, slots=True)
class KeySigner:
    """``[signers.NAME]`` with ``key``: a public key by name, and the window in which it speaks (ends inclusive).

    ``key`` is as written: a path (relative to the policy file), ``env://NAME``, a KMS name, or PEM text.
    """

    name: str
    key: str
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimeTrust:
    """``[time]``: who may time-stamp. Paths as written: PEM chains, and one Sigstore trusted root (JSON)."""

    tsa_roots: tuple[str, ...] = ()
    trusted_root: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """``[[scopes]]``: which images, what they need, and where they may go. ``name`` is what reports call it."""

    name: str
    images: tuple[str, ...]
    signatures: SignatureRule
    promote_to: tuple[str, ...] = ()
    publish: PublishRule = field(default_factory=PublishRule)
    evidence: tuple[EvidenceRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, already checked: every signer that a scope names exists, counts can be reached."""

    signers: tuple[KeySigner, ...]
    scopes: tuple[Scope, ...]
    time: TimeTrust = field(default_factory=TimeTrust)
    version: int = 1
