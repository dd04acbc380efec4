"""What may be asked of an image: one value per rule, already checked. Pure.

Knows the vocabulary of the rules; knows nothing of policies, scopes or files (``policy.values`` puts these together).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from imgtrust.trust.times import TimeSource

__all__ = ["EvidenceRule", "PublishRule", "SignatureRule"]


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
