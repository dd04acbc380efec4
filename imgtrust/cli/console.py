"""Where text goes: stdout carries the answer, stderr the talk. Finds out what a terminal can show.

Knows streams and terminals; knows nothing of verdicts or commands.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import textwrap
from typing import TYPE_CHECKING, Final, TextIO

from imgtrust.errors import OutputFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NAME", "Console", "is_utf8", "wants_colour"]

NAME: Final = "imgtrust"

_COERCED: Final = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python itself puts into LC_CTYPE when the locale is C (PEP 538); it says nothing about the terminal."""

_UNSET: Final = frozenset({"", "C", "POSIX"})
_NARROWEST: Final = 40
_PAGE: Final = 100


def is_utf8(environment: Mapping[str, str], encoding: str | None) -> bool:
    """Whether a stream may be given more than ASCII: by its encoding, and by the locale that the user set."""
    if (encoding or "").lower().replace("-", "") != "utf8":
        return False
    ctype = environment.get("LC_CTYPE", "")
    language = environment.get("LANG", "")
    if ctype in _COERCED and language in _UNSET:
        ctype = ""
    locale = environment.get("LC_ALL") or ctype or language
    return locale.lower().replace("-", "").partition(".")[2].startswith("utf8")


def wants_colour(environment: Mapping[str, str], stream: TextIO) -> bool:
    """Colour only on a terminal, and never where NO_COLOR is set or the terminal is dumb."""
    return _is_terminal(stream) and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def _is_terminal(stream: TextIO) -> bool:
    """``isatty`` that answers False for a closed stream as well."""
    try:
        return stream.isatty()
    except ValueError:
        return False


class Console:
    """The two streams of one command."""

    def __init__(self, stdout: TextIO, stderr: TextIO, environment: Mapping[str, str], *, quiet: bool = False) -> None:
        """Look at the streams once."""
        self._stdout = stdout
        self._stderr = stderr
        self.quiet = quiet
        self.colour = wants_colour(environment, stdout)
        self.unicode = is_utf8(environment, getattr(stdout, "encoding", None))
        self.terminal = _is_terminal(stderr)
        self.width = self._columns(environment) if _is_terminal(stdout) else _PAGE
        self._talk_width = self._columns(environment) if self.terminal else None
        for stream in (stdout, stderr):
            _never_fail_on_a_character(stream)

    @staticmethod
    def _columns(environment: Mapping[str, str]) -> int:
        """The width of the terminal, COLUMNS first; at most a page, at least enough for a digest's short form."""
        given = environment.get("COLUMNS", "")
        columns = int(given) if given.isdecimal() else shutil.get_terminal_size((80, 24)).columns
        return max(_NARROWEST, min(columns, _PAGE))

    def answer(self, text: str, *, machine: bool = False) -> None:
        """Write a part of the answer and flush it; ``machine``: a format for programs, always UTF-8.

        Raises:
            BrokenPipeError: nobody reads any more.
            OutputFileError: stdout cannot be written (a full disk).
        """
        if machine:
            _reconfigure(self._stdout, encoding="utf-8")
        if text and not text.endswith("\n"):
            text += "\n"
        try:
            self._stdout.write(text)
            self._stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as exc:
            self.abandon_stdout()
            message = f"cannot write the answer to standard output: {exc.strerror or exc}"
            raise OutputFileError(message) from exc

    def talk(self, text: str) -> None:
        """Say something beside the answer, unless ``-q`` was given."""
        if not self.quiet:
            self._err(text if text.endswith("\n") else f"{text}\n")

    def warn(self, text: str) -> None:
        """Say something that matters although the command goes on; ``-q`` silences it too."""
        self.talk(self._paragraph(text))

    def say(self, text: str) -> None:
        """Say something that a person was asked to see; ``-q`` does not silence it."""
        self._err(text if text.endswith("\n") else f"{text}\n")

    def error(self, text: str) -> None:
        """Say why the command ended; never silenced. One paragraph, wrapped where a person reads it."""
        self._err(self._paragraph(text))

    def _paragraph(self, text: str) -> str:
        """``imgtrust: …`` with hanging indent on a terminal, one line per line of text elsewhere."""
        lead = f"{NAME}: "
        first, *rest = text.strip().splitlines() or [""]
        if self._talk_width is None:
            return "\n".join([lead + first, *(" " * len(lead) + line for line in rest)]) + "\n"
        out = []
        for number, line in enumerate([first, *rest]):
            indent = lead if number == 0 else " " * len(lead)
            out += textwrap.wrap(
                line,
                self._talk_width,
                initial_indent=indent,
                subsequent_indent=" " * len(lead),
                break_long_words=False,
                break_on_hyphens=False,
            ) or [""]
        return "\n".join(out) + "\n"

    def _err(self, text: str) -> None:
        """Write to stderr; if that is gone there is nobody to tell."""
        with contextlib.suppress(OSError, ValueError):
            self._stderr.write(text)
            self._stderr.flush()

    def abandon_stdout(self) -> None:
        """After a broken pipe or a full disk: the interpreter shall not fail when it flushes stdout at its end."""
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stdout.fileno())
            os.close(null)


def _reconfigure(stream: TextIO, **settings: str) -> None:
    """Change encoding or error handling of a real text stream; others (StringIO) need none."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        with contextlib.suppress(OSError, ValueError):
            reconfigure(**settings)


def _never_fail_on_a_character(stream: TextIO) -> None:
    """A name with a character that the terminal cannot show is shown escaped."""
    if getattr(stream, "errors", "backslashreplace") != "backslashreplace":
        _reconfigure(stream, errors="backslashreplace")
