"""A report as Markdown, for a job's summary or a merge request. Pure.

Knows tables and escaping: every value is written so that it can neither end its cell nor become markup, a link, a
mention or HTML (CommonMark, and GitHub's and GitLab's tables).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imgtrust.policy.durations import show_time
from imgtrust.policy.verdict import Outcome
from imgtrust.reports.outcome import tally
from imgtrust.reports.page import plain
from imgtrust.reports.rows import shown_findings
from imgtrust.rules.finding import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.report import Report

__all__ = ["escape", "render_markdown"]

_ANSWERS: Final = {
    Outcome.ACCEPTED: "✅ accepted",
    Outcome.REJECTED: "❌ rejected",
    Outcome.UNDECIDED: "❔ could not tell",
}
_MARKS: Final = {
    RuleOutcome.PASS: "✅ pass",
    RuleOutcome.FAIL: "❌ fail",
    RuleOutcome.UNKNOWN: "❔ could not tell",
    RuleOutcome.EXCEPTED: "✅ excepted",
}
_ACTIVE: Final = re.compile(r"^(?:[-+=]|[0-9](?=[0-9]*[.)]))|(?<!\w)@|www(?=\.)|[^\w .,;()/=+…-]|_", re.ASCII)
_JOINER: Final = "&#8288;"
"""An invisible word joiner: no forge finds a mention in ``@`` followed by it."""


def escape(text: str) -> str:
    """A value as Markdown that shows exactly it: markup as character references, lines joined by ``<br>``."""
    return "<br>".join(_ACTIVE.sub(_reference, plain(line.strip())) for line in text.split("\n"))


def _reference(found: re.Match[str]) -> str:
    """A character reference; what is beyond ASCII and passed ``plain`` is no markup."""
    first, rest = found[0][0], found[0][1:]
    if not first.isascii():
        return first
    mention = first == "@" and not found.string[: found.start()][-1:].isalnum()
    return f"&#{ord(first)};{_JOINER if mention else ''}{rest}"


def render_markdown(report: Report) -> str:
    """The whole report: a heading with the answer, one table of images where there are many, then each image."""
    counts = tally(report.verdicts)
    lines = [f"## {_ANSWERS[report.outcome]}", ""]
    if len(report.verdicts) != 1:
        lines += [
            f"{counts['accepted']} accepted, {counts['rejected']} rejected, {counts['undecided']} could not be told",
            "",
            *_table(("", "image", "digest", "published"), (_image_row(verdict) for verdict in report.verdicts)),
        ]
    for verdict in report.verdicts:
        lines += _section(verdict)
    digest = escape(str(report.policy.digest))
    judged = f"judged {show_time(report.judged_at)}, imgtrust {escape(report.version)}"
    lines.append(f"Policy {escape(report.policy.source)} {digest}, {judged}")
    return "\n".join(lines) + "\n"


def _section(verdict: Verdict) -> list[str]:
    lines = [f"### {_ANSWERS[verdict.outcome]}: {escape(verdict.name)}", ""]
    if verdict.digest is not None:
        lines += [escape(str(verdict.digest)), ""]
    if verdict.error is not None:
        lines += [escape(verdict.error), ""]
    if verdict.findings:
        rows = (
            (
                _MARKS[row.outcome],
                escape(row.rule),
                escape(row.observed),
                escape(row.required),
                escape(row.why),
                escape(row.fix),
            )
            for row in shown_findings(verdict, everything=True)
        )
        lines += _table(("", "rule", "observed", "required", "why", "fix"), rows)
    if verdict.changes_at is not None:
        lines += [f"The answer changes at {show_time(verdict.changes_at)} with nothing new attached.", ""]
    if verdict.not_checked:
        lines += ["Not checked:", "", *(f"- {escape(item)}" for item in verdict.not_checked), ""]
    return lines


def _image_row(verdict: Verdict) -> tuple[str, ...]:
    earliest = verdict.published.earliest
    return (
        _ANSWERS[verdict.outcome],
        escape(verdict.name),
        "" if verdict.digest is None else escape(verdict.digest.short),
        "" if earliest is None else show_time(earliest),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(head), _row(("---",) * len(head)), *map(_row, rows), ""]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
