"""The time-stamps of one signature: those that are proven, and those that are not, with the reason. Pure.

Knows that a token given twice counts once, and that a bad token takes nothing from a signature but the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.errors import Refused
from imgtrust.trust.times import ClaimedTime, TimeSource, read_token, verify_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from imgtrust.evidence import Signed
    from imgtrust.trust.times import TimestampAuthority, VerifiedTime

__all__ = ["stamped_times"]


def stamped_times(
    signed: Signed, authorities: Sequence[TimestampAuthority], *, at: datetime
) -> tuple[list[VerifiedTime], list[ClaimedTime]]:
    """Judge each RFC 3161 token of a signature; ``at`` is the time of judgement."""
    times: list[VerifiedTime] = []
    claims: list[ClaimedTime] = []
    for token in dict.fromkeys(signed.timestamps):
        try:
            times.append(verify_timestamp(token, signed.stamped, authorities, at=at))
        except Refused as exc:
            claims.append(ClaimedTime(_claimed(token), TimeSource.RFC3161, "", exc.code, exc.reason))
    return times, claims


def _claimed(token: bytes) -> datetime | None:
    """The time that an unproven token says, or None where not even that can be read."""
    try:
        return read_token(token).time
    except Refused:
        return None
