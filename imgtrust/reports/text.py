"""A verdict as text: the answer first, then who and when, one line per rule, and what was not checked. Pure.

Knows what a person reads first (ux.md section 1); knows nothing of terminals, which ``reports.page`` does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Kind
from imgtrust.policy.verdict import Outcome
from imgtrust.reports.outcome import STATUS_WORDS, exit_status, tally
from imgtrust.reports.page import Page, Style, Tone
from imgtrust.reports.rows import put_rules
from imgtrust.reports.who import bare_name, date, put_signers, size, stamp
from imgtrust.rules.finding import RuleOutcome
from imgtrust.rules.wording import age, count

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from imgtrust.policy.verdict import PolicyId, Verdict

__all__ = ["Style", "judged_by", "one_line", "render_failures", "render_text", "render_verdict", "summary"]

_ANSWERS: Final = {
    Outcome.ACCEPTED: ("ACCEPTED", Tone.GOOD),
    Outcome.REJECTED: ("REJECTED", Tone.BAD),
    Outcome.UNDECIDED: ("COULD NOT TELL", Tone.WARN),
}
_LABEL: Final = 16
_ENDLESS: Final = 1 << 30


def render_text(verdicts: Iterable[Verdict], style: Style) -> str:
    """The whole report: one verdict at length, or of many one line each, the failures at length and a summary."""
    seen = tuple(verdicts)
    if len(seen) == 1:
        return render_verdict(seen[0], style)
    return "".join(one_line(verdict, style) for verdict in seen) + render_failures(seen, style) + summary(seen, style)


def render_verdict(verdict: Verdict, style: Style) -> str:
    """One verdict at length."""
    page = Page(style)
    answer, tone = _answer(verdict)
    page.put(0, (answer, tone), ("  ", Tone.NONE), body=bare_name(verdict), tone=Tone.STRONG)
    indent = len(answer) + 2
    if verdict.digest is not None:
        page.put(indent, body="  ".join([str(verdict.digest), *_contents(verdict)]))
    if verdict.error is not None:
        page.put(2, body=verdict.error)
        if verdict.outcome is Outcome.UNDECIDED and not verdict.not_found:
            page.put(2, body="Nothing was decided. Run it again.")
    page.blank()
    if verdict.facts is not None:
        put_signers(page, verdict.facts, _LABEL)
        _put_published(page, verdict)
        page.blank()
    if verdict.findings:
        put_rules(page, verdict, style)
        page.blank()
    _put_foot(page, verdict)
    return page.text()


def one_line(verdict: Verdict, style: Style) -> str:
    """One verdict on one line, for many images: the answer, the name, the digest, and who and when, or what fails."""
    answer, tone = _answer(verdict)
    parts = [bare_name(verdict)]
    if verdict.digest is not None:
        parts.append(str(verdict.digest))
    if verdict.outcome is Outcome.ACCEPTED and verdict.facts is not None:
        names = {name for item in verdict.facts.root.signatures if item.kind is Kind.SIGNATURE for name in item.signers}
        parts.append(", ".join(sorted(names)))
        parts += [] if verdict.published.earliest is None else [date(verdict.published.earliest)]
    bad = (
        finding.rule for finding in verdict.findings if finding.outcome not in {RuleOutcome.PASS, RuleOutcome.EXCEPTED}
    )
    parts.append(", ".join(dict.fromkeys(bad)))
    page = Page(replace(style, width=_ENDLESS))
    page.put(0, (f"{answer:<14}  ", tone), body="  ".join(part for part in parts if part))
    return page.text()


def render_failures(verdicts: Iterable[Verdict], style: Style) -> str:
    """Every verdict that is not accepted, at length, each after an empty line."""
    return "".join(f"\n{render_verdict(item, style)}" for item in verdicts if item.outcome is not Outcome.ACCEPTED)


def summary(verdicts: Iterable[Verdict], style: Style) -> str:
    """The end of a report on many images: by what, and how many of each; with ``verbose`` the exit status in words."""
    seen = tuple(verdicts)
    counts = tally(seen)
    words = f"{counts['accepted']} accepted, {counts['rejected']} rejected, {counts['undecided']} could not be told"
    page = Page(style)
    for policy, at in dict.fromkeys((verdict.policy, verdict.judged_at) for verdict in seen):
        page.put(0, body=judged_by(policy, at))
    page.put(0, body=f"{count(len(seen), 'image')}: {words}")
    if style.verbose:
        status = exit_status(seen)
        page.put(0, body=f"exit status {status}: {STATUS_WORDS[status]}")
    return "\n" + page.text()


def judged_by(policy: PolicyId, at: datetime) -> str:
    """By which policy many images were judged, and as of when."""
    return f"judged {stamp(at)} by {policy.source} {policy.digest}"


def _answer(verdict: Verdict) -> tuple[str, Tone]:
    return ("NOT FOUND", Tone.WARN) if verdict.not_found else _ANSWERS[verdict.outcome]


def _contents(verdict: Verdict) -> list[str]:
    """What the image is: its platforms and its size."""
    if verdict.facts is None:
        return []
    platforms = [str(item.platform) for item in verdict.facts.subjects if item.platform is not None]
    return (
        [", ".join(platforms), size(verdict.facts.integrity.size)]
        if platforms
        else [size(verdict.facts.integrity.size)]
    )


def _put_published(page: Page, verdict: Verdict) -> None:
    earliest = verdict.published.earliest
    told = "unknown: no proven time"
    if earliest is not None:
        told = f"{date(earliest)}, {age(verdict.judged_at - earliest)} ago"
    page.put(2, ("published", Tone.FAINT), body=told, hang=_LABEL)


def _put_foot(page: Page, verdict: Verdict) -> None:
    """What was not checked, until when the answer holds, and by what it was judged."""
    if verdict.not_checked:
        page.put(2, ("not checked", Tone.FAINT), body=verdict.not_checked, hang=_LABEL)
    if verdict.changes_at is not None:
        rules = dict.fromkeys(item.rule for item in verdict.findings if item.changes_at == verdict.changes_at)
        label = "holds until" if verdict.outcome is Outcome.ACCEPTED else "changes on"
        page.put(
            2,
            (label, Tone.FAINT),
            body=f"{date(verdict.changes_at)} ({', '.join(rules) or 'several rules'})",
            hang=_LABEL,
        )
    scope = "" if verdict.scope is None else f", scope {verdict.scope}"
    told = f"{verdict.policy.source} {verdict.policy.digest}{scope}, judged {stamp(verdict.judged_at)}"
    page.put(2, ("policy", Tone.FAINT), body=told, hang=_LABEL)
