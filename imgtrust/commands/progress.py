"""What a long command tells while it runs: steps that are done, and bytes that moved.

Knows the few events that are worth a line or a bar; knows nothing of terminals (``cli`` draws them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imgtrust.content import Descriptor

__all__ = ["SILENT", "Progress", "Silent"]


class Progress(Protocol):
    """A listener. Methods may be called from several threads at once, and must be quick."""

    def step(self, name: str, detail: str) -> None:
        """One step is done: ``name`` as in ``judged at the source``, ``detail`` in words."""
        ...

    def expect(self, blobs: int, size: int) -> None:
        """So many blobs follow, ``size`` bytes together."""
        ...

    def moved(self, blob: Descriptor, count: int) -> None:
        """``count`` more bytes of a blob were copied or re-read."""
        ...

    def finished(self, blob: Descriptor, how: str) -> None:
        """A blob is done; ``how`` is ``copied``, ``mounted`` or ``present``."""
        ...


class Silent:
    """Listens and says nothing."""

    def step(self, name: str, detail: str) -> None:
        """Nothing."""

    def expect(self, blobs: int, size: int) -> None:
        """Nothing."""

    def moved(self, blob: Descriptor, count: int) -> None:
        """Nothing."""

    def finished(self, blob: Descriptor, how: str) -> None:
        """Nothing."""


SILENT = Silent()
