"""From what a command attached to what is shown: text as it is done, one JSON document at the end.

Knows when which part is shown; ``reports`` knows how it looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.cli.verdicts import NOT_FINISHED, plain_style, style_of
from imgtrust.commands.many import Failed, exit_status
from imgtrust.reports.results import SignedResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.cli.work import Work
    from imgtrust.reports import Style
    from imgtrust.reports.results import AttachedResult

__all__ = ["report_made"]


def report_made(work: Work, outcomes: Iterable[SignedResult | AttachedResult | Failed]) -> int:
    """Report signatures, attestations and artifacts, and failures on stderr; returns the exit status.

    What was made before something failed is reported: it is there.
    """
    made: list[SignedResult | AttachedResult] = []
    failed: list[Failed] = []
    style = style_of(work)
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            failed.append(outcome)
            work.console.error(str(outcome.error))
            continue
        made.append(outcome)
        if work.output == "text" and not work.stream(_text(outcome, style)):
            return NOT_FINISHED
    if work.output == "json":
        work.print(_json(made))
    work.write_reports(lambda name: _json(made) if name == "json" else "".join(_text(m, plain_style()) for m in made))
    return exit_status(failed)


def _text(made: SignedResult | AttachedResult, style: Style) -> str:
    """One thing that was attached, for a person."""
    from imgtrust.reports.told import told_attached, told_signed  # noqa: PLC0415 - where it is text

    return told_signed(made, style) if isinstance(made, SignedResult) else told_attached(made, style)


def _json(made: Sequence[SignedResult | AttachedResult]) -> str:
    """Everything that was attached, for a program: signed things and claims each under their own name."""
    from imgtrust.reports.document import pretty  # noqa: PLC0415 - where it is JSON
    from imgtrust.reports.results import attached_document, signed_document  # noqa: PLC0415 - as above

    signed = [one for one in made if isinstance(one, SignedResult)]
    claims = [one for one in made if not isinstance(one, SignedResult)]
    document = signed_document(signed) if signed or not claims else {}
    return pretty({**document, **(attached_document(claims) if claims else {})})
