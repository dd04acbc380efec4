"""When: times that are proven, and times that are merely claimed. Pure.

A ``VerifiedTime`` exists only after its proof: it is made in this module and nowhere else
(``tests/test_architecture.py``). RFC 3161, and policy.md section 3 for what each source proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from imgtrust.refusals import RefusalCode

__all__ = ["ClaimedTime", "TimeClass", "TimeSource", "TimestampAuthority", "VerifiedTime"]


class TimeClass(StrEnum):
    """What a time is worth (DESIGN section 6)."""

    TRUSTED = "trusted"
    REGISTRY = "registry"
    CLAIMED = "claimed"


class TimeSource(StrEnum):
    """Who vouches for a verified time; the value is ``published.source`` of the report."""

    RFC3161 = "rfc3161"
    REKOR = "rekor"
    SIGNING_AUTHORITY = "signing-authority"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """A TSA that is believed: its chain as DER, leaf first where known, the root last, and when it may speak.

    ``leaf`` is None where only roots are given (``--tsa-roots``); the token then has to carry its certificate.
    """

    name: str
    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    leaf: bytes | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerifiedTime:
    """A proven time: aware UTC; the bytes existed at or before ``time + accuracy``."""

    time: datetime
    source: TimeSource
    authority: str
    accuracy: timedelta
    time_class: TimeClass = TimeClass.TRUSTED


@dataclass(frozen=True, slots=True)
class ClaimedTime:
    """A time that somebody wrote down; shown, never used to pass.

    A time-stamp that could not be proven is here too, with the refusal code and the reason; its ``time`` is None
    where not even a time could be read from it.
    """

    time: datetime | None
    source: str
    authority: str
    code: RefusalCode | None = None
    reason: str = ""
