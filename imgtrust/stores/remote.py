"""One repository of a registry, as the parts of ``registry`` share it: its path, its scopes, its names in messages.

Knows how the addresses of distribution-spec are formed; knows nothing of what stands behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.stores.auth import pull, pull_and_push

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.reference import RegistryRepository
    from imgtrust.stores.endpoint import Endpoint
    from imgtrust.stores.wire import Answer, Body

__all__ = ["Remote"]


class Remote:
    """A repository behind an endpoint."""

    def __init__(self, repository: RegistryRepository, endpoint: Endpoint) -> None:
        """Keep both."""
        self.repository, self.endpoint = repository, endpoint
        self._read = frozenset({pull(repository.path)})
        self._write = frozenset({pull_and_push(repository.path)})

    def what(self, thing: str) -> str:
        """A thing of this repository, for messages."""
        return f"{self.repository} {thing}"

    def ask(
        self,
        method: str,
        tail: str,
        what: str,
        *,
        write: bool = False,
        also: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
        accept: tuple[int, ...] = (200,),
        retry: bool = True,
        hold: int | None = None,
    ) -> Answer:
        """Send a request below ``/v2/<name>/``, or to an absolute address that the registry gave.

        ``write`` asks for the right to push, ``also`` for further scopes. See ``Endpoint.send``.
        """
        target = tail if "://" in tail else f"/v2/{self.repository.path}/{tail}"
        return self.endpoint.send(
            method,
            target,
            path=self.repository.path,
            scopes=(self._write if write else self._read) | also,
            what=what,
            headers=headers,
            body=body,
            accept=accept,
            retry=retry,
            hold=hold,
        )
