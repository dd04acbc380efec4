"""What every command does around its one call: set the alarm, open report files, tell with ``-v``, answer.

Knows streams and files; knows nothing of verdicts (``answers`` renders them).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from imgtrust.cli.console import Console
from imgtrust.cli.reportfiles import ReportFiles, check_format
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imgtrust.cli.options import ResultTalk
    from imgtrust.cli.session import Session

__all__ = ["MACHINE", "RESULTS", "VERDICTS", "Work", "work"]

VERDICTS = ("text", "json", "jsonl", "markdown")
"""Formats of the commands that give verdicts."""

RESULTS = ("text", "json")
"""Formats of the commands that make something."""

MACHINE = frozenset({"json", "jsonl"})
"""Formats for programs: always UTF-8, never wrapped."""


class Work:
    """One command at work: where it answers and in which format."""

    def __init__(self, session: Session, console: Console, output: str, reports: ReportFiles, *, verbose: bool) -> None:
        """``output`` is the format of standard output."""
        self.session = session
        self.console = console
        self.output = output
        self.verbose = verbose
        self._reports = reports

    def answer(self, render: Callable[[str], str]) -> None:
        """Give the whole answer: standard output first, then the files; ``render`` gives the text for a format.

        A reader that went away does not cost the files their reports.
        """
        self.print(render(self.output))
        self.write_reports(render)

    def print(self, text: str) -> None:
        """Write a part of the answer; if nobody reads it any more the command still ends as it should."""
        try:
            self.console.answer(text, machine=self.output in MACHINE)
        except BrokenPipeError:
            self.console.abandon_stdout()

    def stream(self, text: str) -> bool:
        """Write a part of a long answer; False if nobody reads it any more, and so the work can stop."""
        try:
            self.console.answer(text, machine=self.output in MACHINE)
        except BrokenPipeError:
            self.console.abandon_stdout()
            return False
        return True

    def write_reports(self, render: Callable[[str], str]) -> None:
        """Write the files of ``--report``."""
        self._reports.write(render)


@contextmanager
def work(session: Session, talk: ResultTalk, formats: Sequence[str]) -> Iterator[Work]:
    """Everything around the work of one command, which has these formats.

    Raises:
        UsageError: a format or the time-out is none.
        OutputFileError: a report cannot be written; nothing was done yet.
    """
    output = check_format("--output", talk.output, formats)
    console = Console(session.stdout, session.stderr, session.environment, quiet=talk.quiet)
    with ExitStack() as stack:
        reports = stack.enter_context(ReportFiles(talk.report, formats))
        if talk.timeout is not None:
            if not 0 < talk.timeout < float("inf"):
                message = f"--timeout {talk.timeout:g}: expected seconds, more than 0"
                raise UsageError(message)
            session.alarm(talk.timeout)
            stack.callback(session.alarm, 0.0)
        if talk.verbose:
            from imgtrust.cli.talk import tell  # noqa: PLC0415 - logging is not needed otherwise

            stack.enter_context(tell(console))
        yield Work(session, console, output, reports, verbose=talk.verbose)
