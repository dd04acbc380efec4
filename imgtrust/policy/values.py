"""What a policy says, as values. Pure.

Knows the vocabulary of DESIGN section 7 and nothing of TOML, flags or files: ``policy.document`` reads a file into
these values, ``policy.flags`` builds them from the shorthand, ``policy.writing`` prints them again. There is one
judgement over them (``policy.evaluate``), never two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from imgtrust.trust.times import TimeSource

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
class SignatureRule:
    """``signatures = { any_of = […], count = N }``: that many distinct signers of those named."""

    any_of: tuple[str, ...]
    count: int = 1


@dataclass(frozen=True, slots=True)
class PublishRule:
    """``[scopes.publish]``. ``trusted_time``: the sources that count, empty where no time is required.

    The reader fills ``trusted_time`` with every source where an age, a soak or a window implies it.
    """

    trusted_time: tuple[TimeSource, ...] = ()
    max_age: timedelta | None = None
    min_soak: timedelta | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """``[[scopes.evidence]]``: an attestation of ``type`` (an alias or a URI, as written) by one of ``signed_by``.

    ``max_age`` is of the newest such attestation, by its trusted time. ``builder`` is the exact SLSA builder id.
    """

    type: str
    signed_by: tuple[str, ...]
    max_age: timedelta | None = None
    builder: str | None = None


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
