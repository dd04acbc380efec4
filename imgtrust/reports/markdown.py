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
from imgtrust.reports.rows import Reasons, platform_names
from imgtrust.reports.who import bare_name
from imgtrust.rules.finding import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.report import Report
    from imgtrust.rules.finding import Finding

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
_ACTIVE: Final = re.compile(
    r"""
    ^(?:[-+=:] | [0-9](?=[0-9]*[.)](?:\s|$)))   # a list, a heading's underline, a table's delimiter
    | :(?=/) | (?<!\w):(?=[\w+-]+:)            # a link, an emoji
    | (?<!\w)@ | @(?!sha(?:256|512):)          # a mention, an address; but for the digest of a name
    | www(?=\.)
    | (?<![^\W_])_ | _(?![^\W_])               # emphasis; in the middle of a word there is none
    | [^\w .,;:()/=+?"'@…-]
    """,
    re.ASCII | re.VERBOSE,
)
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
    lines = [f"### {_ANSWERS[verdict.outcome]}: {escape(bare_name(verdict))}", ""]
    if verdict.digest is not None:
        lines += [escape(str(verdict.digest)), ""]
    if verdict.error is not None:
        lines += [escape(verdict.error), ""]
    if verdict.findings:
        lines += _table(("", "rule", "observed", "required", "why", "fix"), _rule_rows(verdict))
    if verdict.changes_at is not None:
        lines += [f"The answer changes at {show_time(verdict.changes_at)} with nothing new attached.", ""]
    if verdict.not_checked:
        lines += ["Not checked:", "", *(f"- {escape(item)}" for item in verdict.not_checked), ""]
    return lines


def _rule_rows(verdict: Verdict) -> Iterable[tuple[str, ...]]:
    """One row for all manifests of which a rule says the same, each reason told once."""
    same: dict[tuple[str, ...], list[Finding]] = {}
    every: dict[str, set[str]] = {}
    for item in verdict.findings:
        says = (item.rule, item.outcome.value, item.observed, item.required, item.why, item.fix)
        same.setdefault(says, []).append(item)
        every.setdefault(item.rule, set()).add(str(item.subject))
    names = {str(verdict.digest): "index", **platform_names(verdict)}
    reasons = Reasons(verdict)
    for found in same.values():
        first, about = found[0], dict.fromkeys(str(item.subject) for item in found)
        of = ""
        if len(about) < len(every[first.rule]):
            of = f", {', '.join(names.get(each, each) for each in about)}"
        elif len(about) > 1:
            of = ", all platforms"
        cells = (first.rule + of, first.observed, first.required, reasons.tell(first.why), first.fix)
        yield (_MARKS[first.outcome], *map(escape, cells))


def _image_row(verdict: Verdict) -> tuple[str, ...]:
    earliest = verdict.published.earliest
    return (
        _ANSWERS[verdict.outcome],
        escape(bare_name(verdict)),
        "" if verdict.digest is None else escape(verdict.digest.short),
        "" if earliest is None else show_time(earliest),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(head), _row(("---",) * len(head)), *map(_row, rows), ""]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
