"""``imgtrust demo``. No postponed annotations here: typer reads the types at run time."""

import contextlib
import io
import os
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.console import Console
from imgtrust.cli.session import Session
from imgtrust.errors import OutputFileError, Undecided

__all__ = ["Story", "app", "demo"]

app = new_app()

_MARKS = ("─", "-")
_MOST = 1000


@as_command(app)
def demo(
    *,
    session: Session,
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="A new folder for it all; a number is added where it exists already.")
    ] = "imgtrust-demo",
) -> int:
    r"""The whole story on this machine, offline, narrated.

    A small image is built, signed with a time-stamp, given SBOMs and provenance, verified and promoted; then four
    attacks are refused, each with its reason and its way out. The commands are real, and so is what they print.
    Nothing outside the new folder is touched, and it stays for you to play with.

    \b
    Examples:
      imgtrust demo
      imgtrust demo /tmp/demo
    """
    from imgtrust.commands.demo import play  # noqa: PLC0415 - only here

    console = Console(session.stdout, session.stderr, session.environment)
    folder = _new_folder(directory)
    # Nothing of the caller's set-up may change the story: neither a policy, nor an authority, nor a journal elsewhere.
    environment = {
        **{name: value for name, value in session.environment.items() if not name.startswith("IMGTRUST_")},
        "IMGTRUST_CACHE_DIR": ".cache",
    }
    with _inside(folder):
        play(Story(replace(session, environment=environment), console), folder, session.now)
    return 0


def _new_folder(wanted: str) -> str:
    """Make a folder that was not there: ``wanted``, else ``wanted-2`` and so on.

    Raises:
        OutputFileError: it cannot be made.
    """
    for number in range(1, _MOST):
        folder = wanted if number == 1 else f"{wanted}-{number}"
        try:
            Path(folder).mkdir(parents=True)
        except FileExistsError:
            if number == 1 and Path(folder).is_dir() and not any(Path(folder).iterdir()):
                return folder
            continue
        except (OSError, ValueError) as exc:
            message = f"cannot make the folder {folder} for the demo: {getattr(exc, 'strerror', None) or exc}"
            raise OutputFileError(message) from exc
        return folder
    message = f"{wanted} and {_MOST} folders after it exist already; name another one"
    raise OutputFileError(message)


@contextlib.contextmanager
def _inside(folder: str) -> Iterator[None]:
    """Work in a folder for the length of a ``with`` block, so that commands are as short as one would type them."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Story:
    """Tells the story on the console: a ``commands.demo.Stage``."""

    def __init__(self, session: Session, console: Console) -> None:
        """Count the acts."""
        self._session = session
        self._console = console
        self._acts = 0
        self._typed = False
        self._environment = dict(session.environment)

    def act(self, title: str) -> None:
        """A line across, and the title."""
        self._acts += 1
        line = _MARKS[0 if self._console.unicode else 1]
        head = f"{line * 3} {self._acts}. {title} "
        self._put(f"\n{self._bold(head + line * max(3, self._console.width - len(head)))}\n")

    def say(self, text: str) -> None:
        """A paragraph."""
        self._typed = False
        self._put("\n" + "\n".join(textwrap.wrap(text, self._console.width, break_on_hyphens=False)) + "\n")

    def shell(self, line: str) -> None:
        """A line as typed: ``cat`` shows the file, ``export`` holds from here on; lines in a row stay together."""
        gap = "" if self._typed else "\n"
        self._put(f"{gap}  {line}\n" if line.startswith("#") else f"{gap}{self._bold(f'$ {line}')}\n")
        self._typed = True
        word, _, rest = line.partition(" ")
        if word == "cat":
            self._put(textwrap.indent(Path(rest).read_text(encoding="utf-8"), "  "))
        elif word == "export":
            name, _, value = rest.partition("=")
            self._environment[name] = value

    def run(self, *arguments: str, expect: int = 0, quiet: bool = False) -> None:
        """Run the real command in this process."""
        from imgtrust.cli.main import run  # noqa: PLC0415 - main imports the commands

        session = replace(self._session, environment=self._environment)
        if quiet:
            silent = io.StringIO()
            status = run(arguments, replace(session, stdout=silent, stderr=silent))
            shown = silent.getvalue()
        else:
            self._put(f"\n{self._bold('$ imgtrust ' + shlex.join(arguments))}\n")
            self._typed = False
            status = run(arguments, replace(session, stderr=session.stdout))
            shown = ""
        if status != expect:
            message = f"the demo expected exit status {expect} and got {status}. {shown}"
            raise Undecided(message)

    def _bold(self, text: str) -> str:
        """Strong text where there is colour."""
        return f"\033[1m{text}\033[0m" if self._console.colour else text

    def _put(self, text: str) -> None:
        """Write to standard output."""
        self._console.answer(text)
