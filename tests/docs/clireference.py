"""The page of all commands, made from their ``--help``."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Final

from imgtrust.cli.app import COMMANDS, root_command
from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from tests.docs.examples import DOCS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGE", "command_lines", "reference"]

PAGE: Final = DOCS / "reference" / "cli.md"

_HEAD: Final = """\
# The command line

Made from `--help` by `python -m tests.docs.update`; a test compares. What exit statuses mean:
[exit-status.md](exit-status.md). What comes with a later version is named by the message that it gets.
"""


def command_lines() -> tuple[tuple[str, ...], ...]:
    """Every command, groups before their members."""
    root = root_command()
    context = root.make_context("imgtrust", ["verify"], resilient_parsing=True)
    return (), *(line for name in COMMANDS for line in _below((name,), root.get_command(context, name)))


def _below(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    """A command, and those that are in it where it is a group."""
    yield words
    for member, each in getattr(command, "commands", {}).items():
        yield from _below((*words, member), each)


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    for words in command_lines():
        title = " ".join(("imgtrust", *words))
        parts.append(f"\n## {title}\n\n```text\n{_help(words)}\n```\n")
    return "".join(parts)


def _help(words: tuple[str, ...]) -> str:
    """What ``--help`` prints, 100 columns wide."""
    out = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "102"
    try:
        with redirect_stdout(out):
            status = run([*words, "--help"], Session({}, stdout=out, stderr=sys.stderr))
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    assert status == 0
    return out.getvalue().strip()
