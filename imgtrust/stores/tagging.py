"""Tags of a registry: listed over all pages, and moved only after they were compared.

Knows the tag end-points of distribution-spec and how registries paginate; knows nothing of what tags mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.errors import NotFound, StoreProtocol, TagConflict
from imgtrust.reference import TAG
from imgtrust.stores.pagination import MAX_PAGE, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Descriptor
    from imgtrust.stores.manifests import Manifests
    from imgtrust.stores.remote import Remote

__all__ = ["Tags"]

PAGE: Final = 1000
"""How many tags are asked for at once: ECR refuses more."""


class Tags:
    """The tags of one repository."""

    def __init__(self, remote: Remote, manifests: Manifests) -> None:
        """``manifests`` reads and writes what a tag points at."""
        self._remote, self._manifests = remote, manifests

    def list(self) -> Iterator[str]:
        """All tags. A full page without a Link is followed by asking for what comes after its last tag.

        Raises:
            NotFound: the registry says that there is no such repository.
            StoreProtocol: a page is not what it should be.
        """
        what = self._remote.what("tags")
        first = f"/v2/{self._remote.repository.path}/tags/list?n={PAGE}"
        seen: set[str] = set()
        while True:
            fresh, full, last = 0, False, ""
            for document, answer in pages(
                first, lambda t: self._remote.ask("GET", t, what, hold=MAX_PAGE), self._base, what
            ):
                names = _names(document, what)
                for name in names:
                    last = name
                    if name not in seen:
                        seen.add(name)
                        fresh += 1
                        yield name
                full = len(names) >= PAGE and not answer.headers("Link")
            if not full or not fresh:
                return
            first = f"/v2/{self._remote.repository.path}/tags/list?n={PAGE}&last={last}"

    def point(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        """Point a tag at a manifest, unless it already does.

        Raises:
            TagConflict: it is immutable and points elsewhere.
        """
        if self._at(tag) == descriptor.digest:
            return
        try:
            self._manifests.put(tag, descriptor, manifest)
        except TagConflict:
            if self._at(tag) != descriptor.digest:
                raise

    @property
    def _base(self) -> str:
        return self._remote.endpoint.base

    def _at(self, tag: str) -> object:
        """The digest that a tag points at now, or None."""
        try:
            return self._manifests.read(tag)[0].digest
        except NotFound:
            return None


def _names(document: dict[str, object], what: str) -> list[str]:
    names = document.get("tags")
    if names is None:
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) and TAG.fullmatch(name) for name in names):
        message = f"{what}: expected a list of tags, found something else"
        raise StoreProtocol(message)
    return names
