"""The rows of a verdict's text: one per rule, with why and fix where it fails. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.reports.page import Mark, Tone, columns
from imgtrust.reports.who import date
from imgtrust.rules.finding import Level, RuleOutcome
from imgtrust.rules.integrity import INTEGRITY
from imgtrust.rules.wording import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.page import Page, Style
    from imgtrust.rules.finding import Finding

__all__ = ["Reasons", "platform_names", "put_rules", "shown_findings"]

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
    platforms = platform_names(verdict)
    names = {id(row): _name(row, verdict, platforms) for row in rows}
    widest = min(_WIDEST, max(columns(page.clean(name)) for name in names.values()))
    fixes: set[str] = set()
    reasons = Reasons(verdict)
    for row in sorted(rows, key=lambda item: _ORDER[item.outcome]):
        mark, tone = _MARKS[row.outcome]
        if row.level is Level.ADVICE and row.outcome is RuleOutcome.FAIL:
            mark, tone = Mark.ADVICE, Tone.WARN
        cell = page.mark(mark, tone)
        hang = 2 + len(cell[0]) + widest + 2
        page.put(2, cell, (names[id(row)], Tone.NONE), body=_told(row), hang=hang)
        for label, text in (("why", reasons.tell(row.why)), ("fix", "" if row.fix in fixes else row.fix)):
            if text:
                page.put(_LABEL, (label, Tone.FAINT), body=text.split("\n"), hang=_LABEL + 6)
        fixes.add(row.fix)


class Reasons:
    """Why rules fail, each reason told once: later rows say ``see above``. One for each report of a verdict."""

    def __init__(self, verdict: Verdict) -> None:
        refusals = [] if verdict.facts is None else [item for each in verdict.facts.subjects for item in each.refusals]
        self._refused = {(str(item.evidence), f": {one_line(item.reason)} [{item.code}]") for item in refusals}
        self._told: set[str | tuple[str, str]] = set()

    def tell(self, why: str) -> str:
        """The lines of ``why`` that are new, and in few words what was told before."""
        if why in self._told:
            return "see above"
        lines: list[str] = []
        again: list[str] = []
        for line in why.split("\n"):
            refused = self._refusal(line)
            if refused is None or refused not in self._told:
                lines.append(line)
                continue
            again.append(refused[0])
            if lines and lines[-1].endswith(" not believed:"):
                lines.pop()
        if why:
            self._told |= {why, *(refused for line in why.split("\n") if (refused := self._refusal(line)) is not None)}
        if again:
            lines.insert(0, f"not believed, see above: {', '.join(again)}")
        return "\n".join(lines)

    def _refusal(self, line: str) -> tuple[str, str] | None:
        """Which piece of evidence a line says is not believed, and its reason; None for any other line."""
        return next((item for item in self._refused if line.startswith(item[0]) and line.endswith(item[1])), None)


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


def platform_names(verdict: Verdict) -> dict[str, str]:
    """The platforms of an index, by their digests."""
    if verdict.facts is None:
        return {}
    return {str(item.descriptor.digest): str(item.platform or "a platform") for item in verdict.facts.children}


def _name(row: Finding, verdict: Verdict, platforms: dict[str, str]) -> str:
    """The rule, and of which platform where it is not about the image as a whole."""
    if row.subject == verdict.digest:
        return row.rule
    return f"{row.rule} {platforms.get(str(row.subject), str(row.subject))}"
