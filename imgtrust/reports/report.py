"""The report as a value: many verdicts under one policy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from imgtrust.reports.outcome import outcome_of

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.policy.verdict import Outcome, PolicyId, Verdict

__all__ = ["Report", "ReportFormat"]


class ReportFormat(StrEnum):
    """The formats of ``--output`` and ``--report``."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Report:
    """Verdicts in the order of their names. ``version`` is that of imgtrust; ``judged_at`` is aware UTC."""

    verdicts: tuple[Verdict, ...]
    policy: PolicyId
    judged_at: datetime
    version: str

    @property
    def outcome(self) -> Outcome:
        """The outcome of all together."""
        return outcome_of(self.verdicts)
