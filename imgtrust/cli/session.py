"""What a command has from the world: streams, clock, environment and the alarm of ``--timeout``.

Knows nothing of commands. ``main`` fills it from the process; a test or the demo fills it as it likes.
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Session"]


def _now() -> datetime:
    """The clock of the process, aware UTC."""
    return datetime.now(UTC)


def _no_alarm(seconds: float) -> None:
    """In-process runs have no alarm: a signal handler belongs to the process."""


def _open(stream: TextIO | None) -> TextIO:
    """A stream of the process; nothing, where the process was started with it closed."""
    return io.StringIO() if stream is None else stream


def _no_prompt() -> None:
    """In-process runs ask nobody."""


def _no_answer(_question: str) -> None:
    """Nor do they ask yes or no."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command line.

    ``now`` is read once per command. ``alarm`` ends the command after that many seconds (``--timeout``). ``prompt``
    gives a way to ask for a passphrase, or None where there is nobody to ask; ``confirm`` asks yes or no likewise.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    now: Callable[[], datetime] = _now
    stdin: TextIO = field(default_factory=lambda: _open(sys.stdin))
    stdout: TextIO = field(default_factory=lambda: _open(sys.stdout))
    stderr: TextIO = field(default_factory=lambda: _open(sys.stderr))
    alarm: Callable[[float], None] = _no_alarm
    prompt: Callable[[], Callable[[str], str] | None] = _no_prompt
    confirm: Callable[[str], bool | None] = _no_answer
