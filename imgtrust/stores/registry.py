"""A repository of a registry as a store: the port's methods, each handed to the part that knows how.

Knows which part answers what; the manners of HTTP are in ``endpoint``. distribution-spec 1.1 throughout.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from imgtrust.content import EMPTY_BLOB, MAX_MANIFEST_BYTES
from imgtrust.errors import ContentMismatch, LimitExceeded
from imgtrust.reference import Digest, RegistryRepository
from imgtrust.stores import endpoints
from imgtrust.stores.catalog import RegistryCatalog
from imgtrust.stores.downloads import Downloads
from imgtrust.stores.manifests import Manifests
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.port import MAX_FETCH
from imgtrust.stores.referrers import Referrers
from imgtrust.stores.remote import Remote
from imgtrust.stores.tagging import Tags
from imgtrust.stores.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.reference import Repository
    from imgtrust.stores.credentials import Credential
    from imgtrust.stores.port import BlobSource, Catalog
    from imgtrust.stores.retry import Waiter
    from imgtrust.stores.wire import Wire

__all__ = ["RegistryStore", "catalog"]

_HELD_MANIFESTS: Final = 32


class RegistryStore:
    """A ``Store`` over one repository of a registry."""

    def __init__(
        self,
        repository: RegistryRepository,
        options: StoreOptions | None = None,
        *,
        wire: Wire | None = None,
        waiter: Waiter | None = None,
        credential: Credential | None = None,
    ) -> None:
        """Nothing is asked yet. ``credential`` goes before all that would be found; the rest is for tests."""
        self._repository = repository
        self._endpoint = endpoints.lease(
            repository.host, options or StoreOptions(), wire=wire, waiter=waiter, credential=credential
        )
        remote = Remote(repository, self._endpoint)
        self._manifests = Manifests(remote, self._endpoint.pace)
        self._downloads = Downloads(remote)
        self._uploads = Uploads(remote)
        self._referrers = Referrers(remote, self._manifests)
        self._tags = Tags(remote, self._manifests)
        self._lock = threading.Lock()
        self._held: OrderedDict[Digest, bytes] = OrderedDict()
        self._closed = False

    @property
    def repository(self) -> Repository:
        """See ``Store``."""
        return self._repository

    def resolve(self, name: str | Digest) -> Descriptor:
        """See ``Store``. The bytes are kept for the one ``fetch`` that usually follows."""
        found, data = self._manifests.read(name)
        with self._lock:
            self._held[found.digest] = data
            if len(self._held) > _HELD_MANIFESTS:
                self._held.popitem(last=False)
        return found

    def fetch(self, descriptor: Descriptor) -> bytes:
        """See ``Store``."""
        if descriptor.is_manifest:
            with self._lock:
                held = self._held.pop(descriptor.digest, None)
            if held is not None and len(held) == descriptor.size:
                return held
            return self._manifests.fetch(descriptor)
        if descriptor.size > MAX_FETCH:
            message = (
                f"{self._repository} blob {descriptor.digest}: {descriptor.size} bytes, at most {MAX_FETCH} are held"
            )
            raise LimitExceeded(message)
        return b"".join(self._downloads.stream(descriptor))

    def stream(self, descriptor: Descriptor) -> Iterator[memoryview]:
        """See ``Store``; what comes back is a ``HashedPieces``, which a push does not hash again."""
        return self._downloads.stream(descriptor)

    def has(self, descriptor: Descriptor) -> bool:
        """See ``Store``."""
        return (self._manifests if descriptor.is_manifest else self._downloads).has(descriptor)

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        """See ``Store``."""
        return self._referrers.list(subject)

    def tags(self) -> Iterator[str]:
        """See ``Store``."""
        return self._tags.list()

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        """See ``Store``."""
        if not descriptor.is_manifest:
            self._push_blob(descriptor, content)
            return
        data = content if isinstance(content, bytes) else b"".join(content())
        what = f"{self._repository} manifest {descriptor.digest}"
        descriptor.digest.check(data, what)
        if len(data) != descriptor.size:
            message = f"{what}: expected {descriptor.size} bytes, {len(data)} were given"
            raise ContentMismatch(message)
        if len(data) > MAX_MANIFEST_BYTES:
            message = f"{what}: {len(data)} bytes, registries need not take more than {MAX_MANIFEST_BYTES}"
            raise LimitExceeded(message)
        with self._lock:
            self._held.pop(descriptor.digest, None)
        told = self._manifests.put(descriptor.digest, descriptor, data)
        self._referrers.attach(descriptor, data, told)

    def _push_blob(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        """Upload a blob, but for the empty one of artifacts, which is nearly always there already."""
        if isinstance(content, bytes):
            if content == EMPTY_BLOB and self._downloads.has(descriptor):
                descriptor.digest.check(content, f"{self._repository} blob {descriptor.digest}")
                return
            self._uploads.push(descriptor, lambda: iter((memoryview(content),)))
        else:
            self._uploads.push(descriptor, content)

    def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """See ``Store``."""
        if not isinstance(origin, RegistryRepository) or origin.host != self._repository.host:
            return False
        if descriptor.is_manifest or origin == self._repository:
            return False
        return self._uploads.mount(descriptor, origin)

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        """See ``Store``."""
        descriptor.digest.check(manifest, f"{self._repository} manifest for tag {tag}")
        self._tags.point(tag, descriptor, manifest)

    def close(self) -> None:
        """See ``Store``."""
        if not self._closed:
            self._closed = True
            endpoints.release(self._endpoint)


def catalog(host: str, options: StoreOptions | None = None) -> Catalog:
    """The repositories of a registry.

    Raises:
        UsageError: the host is none.
    """
    return RegistryCatalog(host, options or StoreOptions())
