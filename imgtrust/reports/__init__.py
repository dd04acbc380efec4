"""Verdicts and results as text and data. Pure.

One function for each format, over the same ``Verdict``, so that no two can disagree.
"""

from __future__ import annotations

from imgtrust.reports.document import document, entry, jsonl_line, pretty
from imgtrust.reports.outcome import exit_status
from imgtrust.reports.page import Style
from imgtrust.reports.report import Report, ReportFormat

__all__ = ["Report", "ReportFormat", "Style", "entry", "exit_status", "jsonl_line", "render"]


def render(report_format: ReportFormat, report: Report, style: Style = Style()) -> str:  # noqa: B008 - a frozen value
    """The whole report in one format, ending in a newline. ``style`` is for text only."""
    match report_format:
        case ReportFormat.JSON:
            return pretty(document(report))
        case ReportFormat.JSONL:
            return "".join(map(jsonl_line, report.verdicts))
        case ReportFormat.MARKDOWN:
            from imgtrust.reports.markdown import render_markdown  # noqa: PLC0415 - only where it is asked for

            return render_markdown(report)
        case _:
            from imgtrust.reports.text import render_text  # noqa: PLC0415 - machines do not read it

            return render_text(report.verdicts, style)
