"""A store over another store, which passes every question on: the base of those that answer some of them themselves.

Knows the port; adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Repository
    from imgtrust.stores.port import BlobSource, Store

__all__ = ["Passing"]


class Passing:
    """A ``Store`` that asks another one, which stays the caller's to close."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def repository(self) -> Repository:
        """The name of the repository."""
        return self._store.repository

    def resolve(self, name: str | Digest) -> Descriptor:
        """As the store's ``resolve``."""
        return self._store.resolve(name)

    def fetch(self, descriptor: Descriptor) -> bytes:
        """As the store's ``fetch``."""
        return self._store.fetch(descriptor)

    def stream(self, descriptor: Descriptor) -> Iterator[memoryview]:
        """As the store's ``stream``."""
        return self._store.stream(descriptor)

    def has(self, descriptor: Descriptor) -> bool:
        """As the store's ``has``."""
        return self._store.has(descriptor)

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        """As the store's ``referrers``."""
        return self._store.referrers(subject)

    def tags(self) -> Iterator[str]:
        """As the store's ``tags``."""
        return self._store.tags()

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        """As the store's ``push``."""
        self._store.push(descriptor, content)

    def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """As the store's ``mount``."""
        return self._store.mount(descriptor, origin)

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        """As the store's ``tag``."""
        self._store.tag(tag, descriptor, manifest)

    def close(self) -> None:
        """Nothing: the store is closed by whoever opened it."""
