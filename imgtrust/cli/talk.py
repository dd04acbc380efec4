"""``-v``: what imgtrust's own loggers say, on stderr, with secrets masked. Knows what a secret looks like in a line."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imgtrust.cli.console import Console

__all__ = ["masked", "tell"]

_SECRETS: Final = (
    re.compile(r"(?i)\b((?:proxy-)?authorization\s*[:=]\s*['\"]?(?:basic|bearer|[a-z0-9-]+)\s+)[^\s'\",]+"),
    re.compile(r"(?i)\b((?:basic|bearer)\s+)[A-Za-z0-9+/=._~-]{8,}"),
    re.compile(
        r"(?i)([\"']?\b(?:password|passphrase|secret|(?:access_|refresh_|identity)?token)\b[\"']?\s*[:=]\s*[\"']?)[^\s\"',&}]+"
    ),
    re.compile(r"(?i)([?&](?:x-amz-[a-z-]+|sig|signature|token|access_token|key|se|sp|sv)=)[^&\s\"']+"),
    re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)"),
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|$)", re.DOTALL),
    re.compile(r"\b(eyJ[A-Za-z0-9_-]{6})[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
)


def masked(line: str) -> str:
    """A line without what must not be read over a shoulder: credentials, tokens, signed query strings, keys."""
    for secret in _SECRETS:
        line = secret.sub(r"\1***", line)
    return line


class _ToConsole(logging.Handler):
    """Writes records as ``[seconds] text`` through the console."""

    def __init__(self, console: Console) -> None:
        """Keep the console; its stderr may be a test's."""
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        thread = "" if record.thread == threading.main_thread().ident else f" {record.threadName}"
        room = record.name.removeprefix("imgtrust.")
        self._console.talk(masked(f"[{record.relativeCreated / 1000:.3f}{thread} {room}] {record.getMessage()}"))


class tell:  # noqa: N801 - used as a verb: with tell(console)
    """Lets the loggers of imgtrust speak for the length of a ``with`` block."""

    def __init__(self, console: Console) -> None:
        """Nothing is changed yet."""
        self._handler = _ToConsole(console)
        self._logger = logging.getLogger("imgtrust")
        self._before = (self._logger.level, self._logger.propagate)

    def __enter__(self) -> None:
        """Attach."""
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False

    def __exit__(self, *_: object) -> None:
        """Leave the logger as it was."""
        self._logger.removeHandler(self._handler)
        level, self._logger.propagate = self._before
        self._logger.setLevel(level)
