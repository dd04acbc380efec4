"""From verdicts to what is shown: one at a time while they are decided, and whole reports at the end.

Knows when which part is shown; ``reports`` knows how it looks and which exit status it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from imgtrust.cli.work import Work
    from imgtrust.policy.verdict import PolicyId, Verdict
    from imgtrust.reports import Style

__all__ = ["NOT_FINISHED", "plain_style", "report_all", "report_one", "style_of", "tell_decision"]

NOT_FINISHED = 3


def plain_style() -> Style:
    """How text looks in a file: no colour, a page wide, with every mark."""
    from imgtrust.reports import Style  # noqa: PLC0415 - reports are imported when there is one

    return Style(verbose=True)


def style_of(work: Work) -> Style:
    """How text may look on this command's standard output."""
    from imgtrust.reports import Style  # noqa: PLC0415 - reports are imported when there is one

    console = work.console
    return Style(colour=console.colour, unicode=console.unicode, verbose=work.verbose, width=console.width)


def tell_decision(work: Work, verdict: Verdict) -> None:
    """With ``-v``: what was decided, rule by rule, beside the requests that led to it.

    A rule with the same outcome for the image and its platforms stands there once.
    """
    if work.verbose:
        rules = ", ".join(dict.fromkeys(f"{each.rule} {each.outcome.value}" for each in verdict.findings))
        work.console.talk(
            f"[decided] {verdict.name} {verdict.digest or ''}: {verdict.outcome.value}; {rules or verdict.error}"
        )


def report_one(work: Work, verdict: Verdict, policy: PolicyId, at: datetime) -> int:
    """Report one verdict in the command's format; returns the exit status."""
    tell_decision(work, verdict)
    return _finish(work, [verdict], policy, at, whole=True)


def report_all(work: Work, verdicts: Iterator[Verdict], policy: PolicyId, at: datetime) -> int:
    """Report many verdicts, each as soon as it is there where the format allows; returns the exit status.

    Text shows one line each, then what failed in full, then one line that sums up.
    """
    from imgtrust.reports import jsonl_line  # noqa: PLC0415 - as above
    from imgtrust.reports.text import one_line  # noqa: PLC0415 - as above

    style = style_of(work)
    done: list[Verdict] = []
    for verdict in verdicts:
        done.append(verdict)
        tell_decision(work, verdict)
        if work.output == "text" and not work.stream(one_line(verdict, style)):
            return NOT_FINISHED
        if work.output == "jsonl" and not work.stream(jsonl_line(verdict)):
            return NOT_FINISHED
    return _finish(work, done, policy, at, whole=work.output not in {"text", "jsonl"})


def _finish(work: Work, verdicts: list[Verdict], policy: PolicyId, at: datetime, *, whole: bool) -> int:
    """Write what is still to be written and find the exit status."""
    from imgtrust.reports import Report, ReportFormat, exit_status, render  # noqa: PLC0415 - as above

    report = Report(tuple(verdicts), policy, at, __version__)
    style = style_of(work)
    if whole:
        work.print(render(ReportFormat(work.output), report, style))
    elif work.output == "text":
        from imgtrust.reports.text import render_failures, summary  # noqa: PLC0415 - as above

        work.print(render_failures(verdicts, style) + summary(verdicts, style))
    work.write_reports(lambda name: render(ReportFormat(name), report, plain_style()))
    return exit_status(verdicts)
