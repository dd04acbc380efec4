"""The words that rules share: counts, times and ages for people. Pure.

Knows English and UTC; knows nothing of any rule. Lines of one text are joined by a newline, and what came from
elsewhere is put on one line first, so that nobody else can begin one.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.evidence import Unread

__all__ = ["age", "command", "count", "listed", "moment", "one_line", "unread_words"]

_LISTED: Final = 5
_LONGEST: Final = 400


def one_line(text: str) -> str:
    """Text from elsewhere on one line, and not longer than a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def count(number: int, what: str, plural: str = "") -> str:
    """``1 signer``, ``2 signers``."""
    return f"{number} {what}" if number == 1 else f"{number} {plural or what + 's'}"


def moment(time: datetime) -> str:
    """``2026-11-20 09:14:03 UTC``; a fraction of a second is left out."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def age(duration: timedelta) -> str:
    """``3 days``, ``3 days 4 hours``, ``12 minutes``: the two largest units; below zero it is ``0 seconds``."""
    seconds = max(0, int(duration.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    parts = ((days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second"))
    first = next((n for n, (number, _) in enumerate(parts) if number), 0)
    return " ".join(count(number, unit) for number, unit in parts[first : first + 2] if number) or "0 seconds"


def listed(lines: Sequence[str]) -> list[str]:
    """The first few of many lines, and how many more there are."""
    shown = list(lines[:_LISTED])
    return [*shown, f"and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else shown


def command(*words: str) -> str:
    """A command as a person types it, quoted where a shell would read it otherwise."""
    return " ".join(shlex.quote(word) for word in words)


def unread_words(unread: Iterable[Unread]) -> str:
    """What could not be read, one line each."""
    lines = [f"could not be read: {one_line(item.what)}: {one_line(item.reason)}" for item in unread]
    return "\n".join(listed(lines))
