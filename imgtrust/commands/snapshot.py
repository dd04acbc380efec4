"""A source as it was when it was first asked, so that what is judged is what is copied.

Knows that names and lists change while a promotion runs and that content under a digest does not; knows nothing
of what is done with either. Each tag and each list is asked once, whatever the store would answer later.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NoReturn

from imgtrust.commands.passing import Passing
from imgtrust.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Repository
    from imgtrust.stores.port import BlobSource, Store

__all__ = ["Snapshot"]

_KEPT: Final = 16 * 1024 * 1024
"""Bytes of manifests and small blobs that are kept; what is beyond is fetched again, by digest."""


class Snapshot(Passing):
    """A ``Store`` for reading only, over another one that stays the caller's to close."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._lock = threading.Lock()
        self._names: dict[str | Digest, Descriptor | NotFound] = {}
        self._lists: dict[Digest, tuple[Descriptor, ...]] = {}
        self._bytes: dict[tuple[Digest, int], bytes] = {}
        self._kept = 0

    def resolve(self, name: str | Digest) -> Descriptor:
        """What the name meant when it was first asked for; "there is none" is remembered too.

        Raises:
            NotFound: there was none.
            StoreError: as the store; such an answer is not remembered.
        """
        found = self._names.get(name)
        if found is None:
            try:
                answer: Descriptor | NotFound = self._store.resolve(name)
            except NotFound as exc:
                answer = exc
            with self._lock:
                found = self._names.setdefault(name, answer)
        if isinstance(found, NotFound):
            raise NotFound(str(found)) from found
        return found

    def fetch(self, descriptor: Descriptor) -> bytes:
        """Bytes that match the descriptor, as the store's ``fetch``; small ones are kept."""
        key = (descriptor.digest, descriptor.size)
        data = self._bytes.get(key)
        if data is None:
            data = self._store.fetch(descriptor)
            with self._lock:
                if key not in self._bytes and self._kept + len(data) <= _KEPT:
                    self._bytes[key] = data
                    self._kept += len(data)
        return data

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        """The list as it was when it was first asked for, read to its end before the first is handed out."""
        found = self._lists.get(subject.digest)
        if found is None:
            answer = tuple(self._store.referrers(subject))
            with self._lock:
                found = self._lists.setdefault(subject.digest, answer)
        return iter(found)

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> NoReturn:
        """A source is never written to."""
        raise AssertionError(descriptor, content)

    def mount(self, descriptor: Descriptor, origin: Repository) -> NoReturn:
        """A source is never written to."""
        raise AssertionError(descriptor, origin)

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> NoReturn:
        """A source is never written to."""
        raise AssertionError(tag, descriptor, manifest)

    def close(self) -> None:
        """Forget what was kept; the store itself stays open."""
        with self._lock:
            self._bytes.clear()
            self._kept = 0
