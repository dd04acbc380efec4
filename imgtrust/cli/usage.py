"""What is said when a command was typed wrongly. Knows typer's errors, what comes later and what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.cli import cannot, later

if TYPE_CHECKING:
    from typer.exceptions import TyperException

    from imgtrust.cli.console import Console

__all__ = ["explain"]

_ANYWHERE = frozenset({"-o", "--output", "--report", "-q", "--quiet", "-v", "--verbose", "--timeout", "--jobs"})


def explain(error: TyperException, console: Console) -> None:
    """Say what is wrong and where help is: one paragraph on stderr, or the help itself where nothing was typed."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        console.talk(error.format_message())
        return
    message = error.format_message().rstrip(".")
    option = getattr(error, "option_name", None)
    if option is not None and message.startswith("No such option"):
        words = ["imgtrust"] if context is None else context.command_path.split()
        message = _option(option, message, " ".join(words[1:]))
    path = context.command_path if context is not None else "imgtrust"
    console.error(f"{message}{'' if message.endswith('?') else '.'} Help: {path} --help")


def _option(option: str, message: str, command: str) -> str:
    """A clearer message for an option that cannot be, is promised for later, or stands in the wrong place."""
    reason = cannot.impossible_option(option, command)
    if reason is not None:
        return f"{command} {option} cannot be: {reason}".lstrip()
    reason = later.later_option(option, command)
    if reason is not None:
        return f"{option} is not in this version; it comes with {reason}"
    if not command and option in _ANYWHERE:
        return f"{option} belongs after the command, as in: imgtrust verify {option} …"
    return message
