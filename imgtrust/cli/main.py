"""One run of the command line: errors become exit statuses, signals end it cleanly, nothing is a traceback."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import warnings
from typing import TYPE_CHECKING

from imgtrust.cli.console import NAME, Console
from imgtrust.cli.interrupts import Expired, Interrupts
from imgtrust.cli.prompting import terminal_confirm, terminal_prompt
from imgtrust.cli.session import Session
from imgtrust.errors import ImgtrustError, NotFound, TimedOut

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["INTERRUPTED", "main", "run"]

INTERRUPTED = 130
_ALLOCATIONS = (100_000, 20, 20)
"""When cycles are looked for: importing makes many objects and no garbage, and looking takes a tenth of a short run."""
_NOT_FINISHED = 3
_USAGE = 2


def main() -> int:
    """Run the command line of this process; returns the exit status (CLI.md section 2)."""
    gc.set_threshold(*_ALLOCATIONS)
    if not sys.warnoptions:  # libraries warn of what strangers wrote, and stderr is for the person who asked
        warnings.simplefilter("ignore")
    interrupts = Interrupts()
    interrupts.install()
    session = Session(alarm=interrupts.alarm, prompt=terminal_prompt, confirm=terminal_confirm)
    status = run(sys.argv[1:], session)
    if interrupts.fired:  # threads may still wait for a registry: nothing of theirs is needed
        with contextlib.suppress(OSError, ValueError):
            session.stdout.flush()
            session.stderr.flush()
        os._exit(status)
    return status


def run(arguments: Sequence[str], session: Session) -> int:
    """Run one command in this process, with the given streams, clock and environment; returns the exit status."""
    console = Console(session.stdout, session.stderr, session.environment)
    try:
        return _invoke(arguments, session, console)
    except BrokenPipeError:
        console.abandon_stdout()
        return _NOT_FINISHED
    except (Exception, KeyboardInterrupt, Expired) as exc:  # noqa: BLE001 - the last resort: it is never "accepted"
        status, text = _ended(exc)
        if status == INTERRUPTED and console.terminal:
            console.say("")  # a new line after the ^C, or after a question
        console.error(text)
        return status


def _ended(exc: BaseException) -> tuple[int, str]:
    """The exit status for an exception, and the paragraph that says why the command ended."""
    notes = "".join(f"\n{note}" for note in getattr(exc, "__notes__", ()))
    match exc:
        case NotFound():  # what a person named is not there: asking again will not help
            return _USAGE, str(exc) + notes
        case ImgtrustError():
            return exc.exit_status, str(exc) + notes
        case Expired():
            return TimedOut.exit_status, (
                f"the {exc.seconds:g} seconds of --timeout ran out before the command was done; nothing is "
                "half-written. Give it more time, or run it again"
            ) + notes
        case KeyboardInterrupt():
            return INTERRUPTED, "interrupted; nothing is half-written" + (
                notes or ". The same command can be run again"
            )
        case RecursionError():
            return _NOT_FINISHED, "the input is nested too deeply to be read"
        case _:
            return _NOT_FINISHED, _unexpected(exc)


def _invoke(arguments: Sequence[str], session: Session, console: Console) -> int:
    """Parse and run; usage errors are said here."""
    from typer import Exit  # noqa: PLC0415 - after the signal handlers: a Ctrl-C while typer loads is quiet too
    from typer.exceptions import TyperException  # noqa: PLC0415 - after the signal handlers: a Ctrl-C while typer loads is quiet too

    from imgtrust.cli.app import root_command  # noqa: PLC0415 - after the signal handlers: a Ctrl-C while typer loads is quiet too
    from imgtrust.cli.usage import explain  # noqa: PLC0415 - after the signal handlers: a Ctrl-C while typer loads is quiet too

    try:
        command = root_command()
        with command.make_context(NAME, list(arguments), obj=session) as context:
            status = command.invoke(context)
    except Exit as exc:
        return exc.exit_code
    except TyperException as exc:
        explain(exc, console)
        return _USAGE
    return int(status)


def _unexpected(exc: BaseException) -> str:
    """One paragraph for an error that nobody foresaw: what it is, where, and how to report it."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    return (
        f"something went wrong that imgtrust did not expect ({type(exc).__name__}: {exc}{place}). Nothing was decided. "
        "This is a mistake in imgtrust: please report it with the command that you ran and this line "
        "(see SECURITY.md if it could be used to get an image accepted)"
    )
