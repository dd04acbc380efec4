"""The copying itself: blobs in threads, each hashed once, then manifests, by digest.

Knows how bytes get from one store to another; judges nothing and sets no tag. A blob that streams through is
hashed on its way by the source's store; one that was mounted or already there is read back from the destination,
unless the journal says that this was done lately.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from imgtrust.errors import ImgtrustError, IntegrityError
from imgtrust.reference import RegistryRepository
from imgtrust.reports.results import Fate
from imgtrust.stores.hashing import HashedPieces, proven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from imgtrust.commands.progress import Progress
    from imgtrust.commands.promotion.journal import Journal
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Repository
    from imgtrust.stores.port import Store

__all__ = ["BlobFault", "Copier", "Moved", "same_registry"]


_Item = TypeVar("_Item")


class _Stopped(Exception):
    """This copy is given up."""


@dataclass(frozen=True, slots=True)
class BlobFault:
    """A blob that is absent or altered; ``at_source`` says on which side."""

    blob: Descriptor
    reason: str
    at_source: bool


@dataclass(slots=True)
class Moved:
    """What became of each blob and manifest, and what is broken; ``read_back`` are bytes hashed at the destination."""

    fates: dict[Digest, Fate] = field(default_factory=dict)
    faults: list[BlobFault] = field(default_factory=list)
    read_back: int = 0


class Watched(HashedPieces):
    """Pieces that prove themselves, each told of before it is handed on; whoever takes them need not hash again."""

    def __init__(
        self,
        pieces: HashedPieces,
        saw: Callable[[Descriptor, int], None],
        failed: Callable[[IntegrityError], object],
    ) -> None:
        """``saw`` is told of each piece and may raise; ``failed`` of bytes that are not what was promised."""
        self.descriptor = pieces.descriptor
        self._inner = pieces
        self._saw = saw
        self._failed = failed

    def __next__(self) -> memoryview:
        try:
            piece = next(self._inner)
        except IntegrityError as exc:
            self._failed(exc)
            raise
        self._saw(self.descriptor, len(piece))
        return piece

    def close(self) -> None:
        """Give back what the pieces come from."""
        self._inner.close()


def same_registry(one: Repository, other: Repository) -> bool:
    """Whether a blob of one repository could be mounted into the other."""
    return (
        isinstance(one, RegistryRepository)
        and isinstance(other, RegistryRepository)
        and one.host == other.host
        and one.path != other.path
    )


class Copier:
    """Copies from one store to another with up to ``jobs`` threads; a context manager that gives the threads back."""

    def __init__(self, source: Store, destination: Store, journal: Journal, progress: Progress, jobs: int) -> None:
        self._source = source
        self._destination = destination
        self._journal = journal
        self._progress = progress
        self._jobs = max(1, jobs)
        self._stop = threading.Event()
        self._give_up = False
        self._read_later: frozenset[Digest] = frozenset()
        self._lock = threading.Lock()
        self.moved = Moved()

    def blobs(
        self, wanted: Iterable[Descriptor], *, give_up: bool, read_later: frozenset[Digest] = frozenset()
    ) -> None:
        """Bring blobs to the destination, the largest first. Integrity faults are collected in ``moved.faults``.

        ``give_up``: the first fault ends the copying of all of them. ``read_later``: blobs that the judgement at the
        destination reads anyway.

        Raises:
            StoreError: a store did not do its part; the journal has what is done.
        """
        todo = sorted({blob.digest: blob for blob in wanted}.values(), key=lambda blob: -blob.size)
        self._progress.expect(len(todo), sum(blob.size for blob in todo))
        self._give_up = give_up
        self._read_later = read_later
        try:
            self.in_threads(self._blob, todo)
        except _Stopped:
            if not self.moved.faults:
                raise
        finally:
            self._give_up = False

    def in_threads(self, work: Callable[[_Item], None], items: Sequence[_Item]) -> None:
        """Call ``work`` for each item; the first error (or Ctrl-C) stops the others at their next piece."""
        if len(items) <= 1 or self._jobs == 1:
            for item in items:
                work(item)
            return

        def guarded(item: _Item) -> None:
            try:
                work(item)
            except BaseException:
                self._stop.set()
                raise

        with ThreadPoolExecutor(min(self._jobs, len(items)), thread_name_prefix="copy") as pool:
            futures = [pool.submit(guarded, item) for item in items]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            except BaseException:
                self._stop.set()
                raise
            finally:
                for future in futures:
                    future.cancel()
        errors = [error for future in futures if not future.cancelled() and (error := future.exception()) is not None]
        for error in sorted(errors, key=lambda found: isinstance(found, _Stopped)):
            raise error

    def _blob(self, blob: Descriptor) -> None:
        """Bring one blob over, and have its bytes at the destination hashed once."""
        if self._stop.is_set():
            raise _Stopped
        fate = Fate.SKIP
        origin = self._source.repository
        if not self._destination.has(blob):
            near = same_registry(origin, self._destination.repository)
            fate = Fate.MOUNT if near and self._destination.mount(blob, origin) else Fate.COPY
        if fate is Fate.COPY:
            arrived = self._copy(blob)
        elif blob.digest in self._journal.hashed or blob.digest in self._read_later:
            self._done(blob, fate)
            return
        else:
            arrived = self._read_back(blob) is None
            if not arrived:
                fate, arrived = Fate.COPY, self._replace(blob)
        if arrived:
            self._journal.blob(blob.digest, fate)
            self._done(blob, fate)

    def _done(self, blob: Descriptor, fate: Fate) -> None:
        with self._lock:
            self.moved.fates[blob.digest] = fate
        self._progress.finished(blob, fate)

    def _replace(self, blob: Descriptor) -> bool:
        """Write a blob anew that is false or half at the destination, and read it back: what stays false is a fault."""
        if not self._copy(blob):
            return False
        fault = self._read_back(blob)
        if fault is not None:
            self._fault(fault)
        return fault is None

    def _copy(self, blob: Descriptor) -> bool:
        """Stream a blob through; False (and a fault) where the source's bytes are not what the descriptor says."""
        faults: list[BlobFault] = []

        def pieces() -> Watched:
            found = proven(blob, self._source.stream(blob), f"{self._source.repository} blob {blob.digest}")
            return Watched(found, self._saw, lambda exc: faults.append(BlobFault(blob, str(exc), at_source=True)))

        try:
            self._destination.push(blob, pieces)
        except ImgtrustError:
            if not faults:
                raise
            self._fault(faults[0])
            return False
        return True

    def _read_back(self, blob: Descriptor) -> BlobFault | None:
        """Hash a blob at the destination; a fault where it is absent or altered there."""
        try:
            for piece in self._destination.stream(blob):
                self._saw(blob, len(piece))
        except IntegrityError as exc:
            return BlobFault(blob, str(exc), at_source=False)
        with self._lock:
            self.moved.read_back += blob.size
        return None

    def _saw(self, blob: Descriptor, count: int) -> None:
        """Tell the progress of a piece, and stop where another thread failed."""
        if self._stop.is_set():
            raise _Stopped
        self._progress.moved(blob, count)

    def _fault(self, fault: BlobFault) -> None:
        with self._lock:
            self.moved.faults.append(fault)
        if self._give_up:
            self._stop.set()

    def manifests(self, levels: Iterable[Sequence[Descriptor]]) -> None:
        """Push manifests by digest, each level after the one before.

        Raises:
            StoreError: a store did not do its part.
            IntegrityError: a manifest is gone or altered at the source.
        """
        for level in levels:
            self.in_threads(self.manifest, level)

    def manifest(self, descriptor: Descriptor, *, again: bool = False) -> None:
        """Push one manifest by digest if it is not there; ``again``: also if it is (it may not be listed).

        Being there means that its bytes are: a registry may keep half a manifest of a push that was cut off.
        """
        if self._stop.is_set():
            raise _Stopped
        if not again and self._has_manifest(descriptor):
            with self._lock:
                self.moved.fates.setdefault(descriptor.digest, Fate.SKIP)
            return
        self._destination.push(descriptor, self._source.fetch(descriptor))
        with self._lock:
            self.moved.fates[descriptor.digest] = Fate.COPY

    def _has_manifest(self, descriptor: Descriptor) -> bool:
        try:
            self._destination.fetch(descriptor)
        except IntegrityError:
            return False
        return True
