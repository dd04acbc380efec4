"""What one rule says of one manifest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.reference import Digest

__all__ = ["Finding", "Level", "RuleOutcome"]


class RuleOutcome(StrEnum):
    """The outcome of a rule; ``unknown`` is "could not tell" (evidence that could not be read might decide)."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    EXCEPTED = "excepted"


class Level(StrEnum):
    """Whether a rule decides, or only advises."""

    REQUIRED = "required"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of a report. ``changes_at``: when this outcome would be another one with nothing new attached."""

    rule: str
    outcome: RuleOutcome
    level: Level
    subject: Digest
    required: str
    observed: str
    why: str = ""
    fix: str = ""
    changes_at: datetime | None = None
