"""The rows of a verdict's text: one per rule, with why and fix where it fails. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.reports.page import Mark, Tone, columns
from imgtrust.reports.who import date
from imgtrust.rules.finding import Level, RuleOutcome
from imgtrust.rules.integrity import INTEGRITY

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.page import Page, Style
    from imgtrust.rules.finding import Finding

__all__ = ["put_rules", "shown_findings"]

_MARKS: Final = {
    RuleOutcome.PASS: (Mark.PASS, Tone.GOOD),
    RuleOutcome.FAIL: (Mark.FAIL, Tone.BAD),
    RuleOutcome.UNKNOWN: (Mark.UNKNOWN, Tone.WARN),
    RuleOutcome.EXCEPTED: (Mark.ADVICE, Tone.WARN),
}
_WORDS: Final = {RuleOutcome.UNKNOWN: "could not tell: ", RuleOutcome.EXCEPTED: "excepted: "}
_WIDEST: Final = 28
_ORDER: Final = {RuleOutcome.FAIL: 0, RuleOutcome.UNKNOWN: 1, RuleOutcome.EXCEPTED: 2, RuleOutcome.PASS: 3}
_LABEL: Final = 6


def put_rules(page: Page, verdict: Verdict, style: Style) -> None:
    """What fails first, each with why and how to fix it; the same way out is shown once."""
    rows = shown_findings(verdict, everything=style.verbose)
    platforms = _platforms(verdict)
    names = {id(row): _name(row, verdict, platforms) for row in rows}
    widest = min(_WIDEST, max(columns(page.clean(name)) for name in names.values()))
    fixes: set[str] = set()
    for row in sorted(rows, key=lambda item: _ORDER[item.outcome]):
        mark, tone = _MARKS[row.outcome]
        if row.level is Level.ADVICE and row.outcome is RuleOutcome.FAIL:
            mark, tone = Mark.ADVICE, Tone.WARN
        cell = page.mark(mark, tone)
        hang = 2 + len(cell[0]) + widest + 2
        page.put(2, cell, (names[id(row)], Tone.NONE), body=_told(row), hang=hang)
        for label, text in (("why", row.why), ("fix", "" if row.fix in fixes else row.fix)):
            if text:
                page.put(_LABEL, (label, Tone.FAINT), body=text.split("\n"), hang=_LABEL + 6)
        fixes.add(row.fix)


def shown_findings(verdict: Verdict, *, everything: bool = False) -> list[Finding]:
    """The rows that a person needs: those of the image, and of its platforms what differs and does not pass."""
    rows: list[Finding] = []
    root: dict[str, list[Finding]] = {}
    for finding in verdict.findings:
        if finding.subject == verdict.digest:
            root.setdefault(finding.rule, []).append(finding)
            rows.append(finding)
        elif everything or (
            finding.outcome is not RuleOutcome.PASS and not _repeats(finding, root.get(finding.rule, []))
        ):
            rows.append(finding)
    return rows


def _repeats(finding: Finding, others: list[Finding]) -> bool:
    """Whether a row says of a platform what a row of the index says already."""
    return any(
        (finding.outcome, finding.observed, finding.why) == (item.outcome, item.observed, item.why) for item in others
    )


def _told(row: Finding) -> str:
    """What was observed, what was required where that says more, and when it changes."""
    passes = row.outcome is RuleOutcome.PASS
    obvious = row.rule == INTEGRITY or (passes and row.rule.startswith("evidence."))
    told = row.observed if obvious else f"{row.observed}, {row.required}"
    word = "advice: " if row.level is Level.ADVICE else ""
    return f"{word}{_WORDS.get(row.outcome, '')}{told}{_change(row.changes_at, passes=passes)}"


def _change(when: datetime | None, *, passes: bool) -> str:
    return "" if when is None else f"   {'fails' if passes else 'passes'} from {date(when)}"


def _platforms(verdict: Verdict) -> dict[str, str]:
    if verdict.facts is None:
        return {}
    return {str(item.descriptor.digest): str(item.platform or "a platform") for item in verdict.facts.children}


def _name(row: Finding, verdict: Verdict, platforms: dict[str, str]) -> str:
    """The rule, and of which platform where it is not about the image as a whole."""
    if row.subject == verdict.digest:
        return row.rule
    return f"{row.rule} {platforms.get(str(row.subject), str(row.subject))}"
