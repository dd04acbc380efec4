"""The port that every store answers: one protocol, and the small optional abilities beside it. Pure.

Knows what may be asked of a place where bytes live; knows nothing of how it is done, nor of who is believed.
The behaviour that both implementations must show is the contract suite in ``tests/contract``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Repository

__all__ = ["MAX_FETCH", "BlobSource", "Catalog", "Inventory", "Store"]

MAX_FETCH: Final = 32 * 1024 * 1024
"""The largest blob that ``fetch`` holds in memory; larger ones are streamed."""

BlobSource = Callable[[], Iterator[memoryview]]
"""Opens the bytes of a blob from their beginning; called again for each try. Each view is valid until the next."""


class Store(Protocol):
    """The bytes of one repository.

    Every method may raise a ``StoreError`` (could not tell: retryable) and nothing else but what it names.
    Methods may be called from several threads at once.
    """

    @property
    def repository(self) -> Repository:
        """The name of this repository."""
        ...

    def resolve(self, name: str | Digest) -> Descriptor:
        """The descriptor of the manifest that a tag or a digest names; its digest is computed from the bytes.

        Raises:
            NotFound: the store says that there is none.
            ContentMismatch: the bytes under a digest are others.
        """
        ...

    def fetch(self, descriptor: Descriptor) -> bytes:
        """Bytes that match the descriptor in digest and size: a manifest, or a blob of at most ``MAX_FETCH``.

        Raises:
            ContentMissing: the store does not have them.
            ContentMismatch: it has others.
            LimitExceeded: the descriptor's size is more than may be held in memory (nothing was read).
        """
        ...

    def stream(self, descriptor: Descriptor) -> Iterator[memoryview]:
        """The bytes of a blob, hashed on the way; the last piece is handed out only after digest and size matched.

        Raises:
            ContentMissing: as ``fetch``.
            ContentMismatch: as ``fetch``; raised before the last piece, so a copier never completes a bad copy.
        """
        ...

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the store says that it has this manifest or blob (its bytes are not read)."""
        ...

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        """The manifests that the store lists as referring to ``subject``, all pages, each digest once.

        Media type, artifact type and annotations are what the store says: hints. Fallback tags are read where
        the registry has no Referrers API, and beside it.
        """
        ...

    def tags(self) -> Iterator[str]:
        """All tags, all pages, in the store's order."""
        ...

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        """Store a blob, or a manifest by digest (a manifest is given as bytes). Idempotent; nothing is half-written.

        A manifest with a ``subject`` is made discoverable as its referrer (fallback tag where needed).

        Raises:
            ContentMismatch: the content does not match the descriptor (nothing is stored).
        """
        ...

    def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Have the store take a blob over from another repository of the same store; False if it did not."""
        ...

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        """Point a tag at a manifest that is already stored. The same digest under an immutable tag is success.

        Raises:
            TagConflict: the tag is immutable and points elsewhere.
        """
        ...

    def close(self) -> None:
        """Give back connections and files; the store is not used after this."""
        ...


@runtime_checkable
class Inventory(Protocol):
    """A store that can list every manifest, tagged or not (layouts; ECR)."""

    def manifests(self) -> Iterator[Descriptor]:
        """The descriptors of all top-level manifests, each digest once, referrers excluded."""
        ...


@runtime_checkable
class Catalog(Protocol):
    """A store whose registry can list its repositories."""

    def repositories(self, prefix: str) -> Iterator[str]:
        """The paths of the repositories below ``prefix``, all pages."""
        ...
