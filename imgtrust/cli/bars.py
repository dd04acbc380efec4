"""Progress bars for copying, drawn with rich, only where stderr is a terminal; gone when the work is done.

Knows terminals; what is worth a bar is said by ``commands.progress``.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from imgtrust.commands.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.cli.work import Work
    from imgtrust.commands.progress import Progress
    from imgtrust.content import Descriptor

__all__ = ["progress_of"]

_log = logging.getLogger("imgtrust.promotion")

_SMALL: Final = 1024 * 1024
"""Blobs below this size have no bar of their own: it would only flicker."""


@contextmanager
def progress_of(job: Work) -> Iterator[Progress]:
    """A listener for the length of a ``with`` block: bars on a terminal, lines with ``-v``, else silence."""
    if job.verbose:
        yield _Lines()
        return
    if not job.console.terminal or job.console.quiet or not job.console.unicode:
        yield SILENT
        return
    bars = _Bars(no_color=bool(job.session.environment.get("NO_COLOR")))
    try:
        yield bars
    finally:
        bars.stop()


class _Lines:
    """Each event is one line of ``-v``."""

    def step(self, name: str, detail: str) -> None:
        """One step is done."""
        _log.debug("%s: %s", name, detail)

    def expect(self, blobs: int, size: int) -> None:
        """So many blobs follow."""
        _log.debug("%d blobs follow, %d bytes", blobs, size)

    def moved(self, blob: Descriptor, count: int) -> None:
        """Too many to tell."""

    def finished(self, blob: Descriptor, how: str) -> None:
        """A blob is done."""
        _log.debug("%s %s, %d bytes", how, blob.digest, blob.size)


class _Bars:
    """One bar for all bytes, and one for each large blob that is on its way. rich draws from its own thread."""

    def __init__(self, *, no_color: bool) -> None:
        """Nothing is drawn before the first blob."""
        self._no_color = no_color
        self._progress: Any = None
        self._total: Any = None
        self._tasks: dict[Any, Any] = {}

    def step(self, name: str, detail: str) -> None:
        """The answer will name it."""

    def expect(self, blobs: int, size: int) -> None:
        """Begin to draw."""
        if self._progress is None:
            from rich.console import Console  # noqa: PLC0415 - only where bars are drawn
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

            size_column = DownloadColumn(binary_units=True)
            columns = (TextColumn("{task.description}"), BarColumn(), size_column, TransferSpeedColumn())
            console = Console(stderr=True, no_color=self._no_color)
            self._progress = Progress(*columns, console=console, transient=True)
            self._progress.start()
            self._total = self._progress.add_task(f"{blobs} blobs", total=size)
        else:
            task = self._progress.tasks[0]
            self._progress.update(self._total, total=(task.total or 0) + size)

    def moved(self, blob: Descriptor, count: int) -> None:
        """Some bytes of a blob moved."""
        if self._progress is None:
            return
        self._progress.advance(self._total, count)
        if blob.size < _SMALL:
            return
        if blob.digest not in self._tasks:
            self._tasks[blob.digest] = self._progress.add_task(blob.digest.short, total=blob.size)
        self._progress.advance(self._tasks[blob.digest], count)

    def finished(self, blob: Descriptor, how: str) -> None:  # noqa: ARG002 - the listener's signature
        """A blob needs no bar any more."""
        task = self._tasks.pop(blob.digest, None)
        if task is not None and self._progress is not None:
            self._progress.remove_task(task)

    def stop(self) -> None:
        """Take the bars away."""
        if self._progress is not None:
            self._progress.stop()
