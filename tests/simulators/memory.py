"""A store in memory that answers at once, counts what it is asked, and fails where it is told to.

Knows the port only. It keeps the contract (it is a row of the contract suite) unless a test makes it lie.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from imgtrust.content import MAX_MANIFEST_BYTES, Descriptor, Index, Manifest, parse_manifest
from imgtrust.errors import ContentMalformed, ContentMismatch, ContentMissing, LimitExceeded, NotFound
from imgtrust.reference import Digest, RegistryRepository
from imgtrust.stores.port import MAX_FETCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.reference import Repository
    from imgtrust.stores.port import BlobSource

__all__ = ["MemoryStore"]

_PIECE = 64 * 1024


@dataclass
class MemoryStore:
    """One repository.

    ``failing``: what is raised when a digest is fetched or streamed, a tag resolved, or (``"referrers"``) the
    referrers of anything listed. ``listed``: what the store says in ``referrers`` beside what is true.
    ``asked`` counts the digests that were fetched or streamed.
    """

    path: str = "team/app"
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, Descriptor] = field(default_factory=dict)
    names: dict[str, Digest] = field(default_factory=dict)
    failing: dict[str | Digest, Exception] = field(default_factory=dict)
    listed: list[Descriptor] = field(default_factory=list)
    asked: Counter[Digest] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    @property
    def repository(self) -> Repository:
        return RegistryRepository("registry.test", self.path)

    def resolve(self, name: str | Digest) -> Descriptor:
        if name in self.failing:
            raise self.failing[name]
        digest = self.names.get(name) if isinstance(name, str) else name
        if digest is None or digest not in self.manifests:
            message = f"{self.repository} has no {name}"
            raise NotFound(message)
        return self.manifests[digest]

    def fetch(self, descriptor: Descriptor) -> bytes:
        if descriptor.size > MAX_FETCH:
            message = f"{descriptor.digest}: {descriptor.size} bytes"
            raise LimitExceeded(message)
        return b"".join(bytes(piece) for piece in self.stream(descriptor))

    def stream(self, descriptor: Descriptor) -> Iterator[memoryview]:
        digest = descriptor.digest
        with self._lock:
            self.asked[digest] += 1
        if digest in self.failing:
            raise self.failing[digest]
        data = self.blobs.get(digest)
        if data is None:
            message = f"{digest}: not in {self.repository}"
            raise ContentMissing(message)
        self._check(descriptor, data)
        for at in range(0, len(data), _PIECE):
            yield memoryview(data)[at : at + _PIECE]

    def has(self, descriptor: Descriptor) -> bool:
        return len(self.blobs.get(descriptor.digest, b"")) == descriptor.size and descriptor.digest in self.blobs

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        with self._lock:
            known = list(self.manifests.values())
        for descriptor in known:
            manifest = self._parsed(descriptor)
            if manifest is not None and manifest.subject is not None and manifest.subject.digest == subject.digest:
                kind = manifest.artifact_type
                yield Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, kind, manifest.annotations)
        yield from self.listed
        if "referrers" in self.failing:
            raise self.failing["referrers"]

    def tags(self) -> Iterator[str]:
        yield from list(self.names)

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        data = content if isinstance(content, bytes) else b"".join(bytes(piece) for piece in content())
        self._check(descriptor, data)
        with self._lock:
            self.blobs[descriptor.digest] = data
            if descriptor.is_manifest:
                self.manifests[descriptor.digest] = Descriptor(
                    descriptor.media_type, descriptor.digest, descriptor.size
                )

    def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        del descriptor, origin
        return False

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        self.push(descriptor, manifest)
        self.names[tag] = descriptor.digest

    def close(self) -> None:
        """Nothing to give back."""

    def _parsed(self, descriptor: Descriptor) -> Manifest | Index | None:
        raw = self.blobs.get(descriptor.digest, b"")
        if len(raw) > MAX_MANIFEST_BYTES:
            return None
        try:
            return parse_manifest(raw, descriptor.media_type)
        except ContentMalformed:
            return None

    def _check(self, descriptor: Descriptor, data: bytes) -> None:
        if len(data) != descriptor.size:
            message = f"{descriptor.digest}: expected {descriptor.size} bytes, found {len(data)}"
            raise ContentMismatch(message)
        descriptor.digest.check(data)
