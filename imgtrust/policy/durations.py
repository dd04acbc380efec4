"""Durations and times as people write them in a policy or a flag, and back. Pure.

Knows two small grammars (CLI.md section 1): ``90d``, ``12h``, ``30m``, ``45s``, and RFC 3339 with a zone. Knows
nothing of what they are for, and never what time it is now.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from imgtrust.errors import UsageError

__all__ = ["LONGEST", "parse_duration", "parse_time", "show_duration", "show_time"]

LONGEST: Final = timedelta(days=36_525)
"""A hundred years: the longest duration that is read; what is longer is a slip of the finger."""

_DURATION: Final = re.compile(r"([1-9][0-9]{0,9})([dhms])")
_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_SHOWN: Final = 60


def parse_duration(text: str) -> timedelta:
    """Read one whole number above zero with one unit: ``90d``, ``12h``, ``30m`` or ``45s``.

    Raises:
        UsageError: anything else, and more than a hundred years.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        message = (
            f"{text[:_SHOWN]!r} is not a duration: expected a whole number above zero and one unit, "
            "as in 90d, 12h, 30m or 45s"
        )
        raise UsageError(message)
    number, unit = int(found[1]), _UNITS[found[2]]
    if number > LONGEST // unit:
        message = f"the duration {text} is longer than {LONGEST.days}d, the longest that is read"
        raise UsageError(message)
    return number * unit


def show_duration(duration: timedelta) -> str:
    """Write a duration so that ``parse_duration`` reads it, in the largest unit that is exact.

    Raises:
        UsageError: it is not a whole number of seconds, not above zero, or longer than a hundred years.
    """
    for name, unit in _UNITS.items():
        number, rest = divmod(duration, unit)
        if not rest and timedelta(0) < duration <= LONGEST:
            return f"{number}{name}"
    message = f"{duration} cannot be written as a duration: expected whole seconds, above zero, at most {LONGEST.days}d"
    raise UsageError(message)


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with a zone (``2026-11-23T21:00:00Z``); aware, in UTC.

    Raises:
        UsageError: anything else; a time without a zone is refused, for nobody knows which one was meant.
    """
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # a 13th month, or a zone that leads out of the calendar
        pass
    message = (
        f"{text[:_SHOWN]!r} is not a time: expected RFC 3339 with a zone, "
        "as in 2026-11-23T21:00:00Z or 2026-11-23T22:00:00+01:00"
    )
    raise UsageError(message)


def show_time(time: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC, which ``parse_time`` reads; microseconds only where there are any."""
    utc = time.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat() + "Z"
