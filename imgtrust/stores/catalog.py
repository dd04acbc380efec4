"""The repositories of a registry: the catalog of distribution-spec's predecessor, and ECR's own list.

Knows how repositories are listed; knows nothing of what is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.errors import InvalidReference, NotFound, StoreProtocol
from imgtrust.reference import RegistryRepository
from imgtrust.stores import endpoints
from imgtrust.stores.auth import CATALOG
from imgtrust.stores.ecrhosts import parse_ecr_host
from imgtrust.stores.pagination import MAX_PAGE, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.stores.ecrhosts import EcrHost
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.wire import Answer

__all__ = ["RegistryCatalog"]

_PAGE: Final = 1000


class RegistryCatalog:
    """A ``Catalog`` over one registry."""

    def __init__(self, host: str, options: StoreOptions) -> None:
        """Nothing is asked yet."""
        self._host, self._options = host, options

    def repositories(self, prefix: str) -> Iterator[str]:
        """See ``Catalog``: paths that are ``prefix`` or lie below it; an empty prefix means all.

        Raises:
            StoreError: the registry does not list its repositories, or not to us.
        """
        wanted = prefix.strip("/")
        ecr = parse_ecr_host(self._host)
        for name in self._listed() if ecr is None else self._listed_by_aws(ecr):
            if not wanted or name == wanted or name.startswith(f"{wanted}/"):
                yield name

    def _listed_by_aws(self, host: EcrHost) -> Iterator[str]:
        from imgtrust.stores.ecr import repositories  # noqa: PLC0415 - boto3 is slow to import

        for name in repositories(host, self._options):
            yield _checked(self._host, name, f"catalog of {self._host}")

    def _listed(self) -> Iterator[str]:
        endpoint = endpoints.lease(self._host, self._options)
        what = f"catalog of {self._host}"

        def ask(target: str) -> Answer:
            return endpoint.send("GET", target, path="", scopes=frozenset({CATALOG}), what=what, hold=MAX_PAGE)

        try:
            for document, _ in pages(f"/v2/_catalog?n={_PAGE}", ask, endpoint.base, what):
                for name in _names(document, what):
                    yield _checked(self._host, name, what)
        except NotFound as exc:
            message = f"{what}: this registry does not list its repositories; name them one by one ({exc})"
            raise StoreProtocol(message) from exc
        finally:
            endpoints.release(endpoint)


def _names(document: dict[str, object], what: str) -> list[object]:
    names = document.get("repositories")
    if names is None:
        return []
    if not isinstance(names, list):
        message = f"{what}: expected a list of repositories, found something else"
        raise StoreProtocol(message)
    return names


def _checked(host: str, name: object, what: str) -> str:
    if not isinstance(name, str):
        message = f"{what}: expected names of repositories, found a {type(name).__name__}"
        raise StoreProtocol(message)
    try:
        return RegistryRepository(host, name).path
    except InvalidReference as exc:
        message = f"{what}: {exc}"
        raise StoreProtocol(message) from exc
