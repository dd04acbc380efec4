"""What many verdicts mean together: one outcome, one exit status. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.policy.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.policy.verdict import Verdict

__all__ = ["STATUS_WORDS", "exit_status", "outcome_of", "tally"]

_OK, _NO, _USAGE, _UNDECIDED = 0, 1, 2, 3

STATUS_WORDS: Final = {
    _OK: "accepted",
    _NO: "rejected",
    _USAGE: "no such image",
    _UNDECIDED: "could not tell: run it again",
}
"""The exit status of a judgement in words."""


def outcome_of(verdicts: Iterable[Verdict]) -> Outcome:
    """Undecided if any is (or there is none at all), else rejected if any is, else accepted."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if not outcomes or Outcome.UNDECIDED in outcomes:
        return Outcome.UNDECIDED
    return Outcome.REJECTED if Outcome.REJECTED in outcomes else Outcome.ACCEPTED


def exit_status(verdicts: Iterable[Verdict]) -> int:
    """The exit status of CLI.md section 2: 3 if any is undecided, else 1 if any is rejected, else 0.

    2 where no image was found: there is none, or the store says of every one that it has no such name.
    """
    seen = tuple(verdicts)
    if all(verdict.not_found for verdict in seen):
        return _USAGE
    return {Outcome.ACCEPTED: _OK, Outcome.REJECTED: _NO, Outcome.UNDECIDED: _UNDECIDED}[outcome_of(seen)]


def tally(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many of each outcome, every outcome named."""
    counts = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    return counts
