"""Asking a person for a passphrase, on the terminal itself and never through a pipe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from imgtrust.errors import KeyUnusable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["terminal_confirm", "terminal_prompt"]


def terminal_prompt() -> Callable[[str], str] | None:
    """A way to ask for a hidden line, or None where the process has no terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return None
    return _ask


def _ask(question: str) -> str:
    """Ask on the terminal; standard input may be a list of names."""
    from getpass import getpass  # noqa: PLC0415 - only where somebody is asked

    try:
        return getpass(question)
    except EOFError as exc:
        message = "no passphrase was typed"
        raise KeyUnusable(message) from exc


def terminal_confirm(question: str) -> bool | None:
    """Ask a person yes or no; anything but yes is no. None where the process has no terminal."""
    try:
        with open("/dev/tty", "r+b", buffering=0) as terminal:  # noqa: PTH123 - pathlib is not needed otherwise
            terminal.write(f"{question} [y/N] ".encode())
            return terminal.readline().strip().lower() in {b"y", b"yes"}
    except OSError:
        return None
