"""The implementations that the contract suite runs over: one row each. A new store is one row here.

A row starts its implementation through pytest's fixtures, so that a server is shared as its fixture says, and tells in
which points its store differs from the others (each with a reason in a comment).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.reference import LayoutRepository
from imgtrust.stores import StoreOptions, open_store
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["IMPLEMENTATIONS", "Implementation"]


@dataclass(frozen=True)
class Implementation:
    """How a store is opened, and what it can.

    ``start`` gives a function that opens the store of a repository by its path (``team/app``), as often as asked, all
    of one endpoint that is empty under that path; the suite closes what it opened. ``tamper`` replaces the bytes that
    the store keeps under a digest (None: removes them), behind its back; None where that cannot be done.
    ``empty_index``: takes an index whose ``manifests`` is null. ``sha512``: keeps blobs under sha512.
    ``needs_children``: refuses an index whose children it does not have. ``cannot``: names of tests that it cannot
    pass whatever the client does, each with the reason.
    """

    name: str
    start: Callable[[pytest.FixtureRequest], Callable[[str], Store]]
    tamper: Callable[[Store, Digest, bytes | None], None] | None = None
    empty_index: bool = True
    sha512: bool = True
    needs_children: bool = False
    cannot: Mapping[str, str] = field(default_factory=dict)


def _layout(request: pytest.FixtureRequest) -> Callable[[str], Store]:
    home: Path = request.getfixturevalue("tmp_path")
    return lambda path: open_store(LayoutRepository(str(home / path)), StoreOptions())


def _tamper_layout(store: Store, digest: Digest, data: bytes | None) -> None:
    repository = store.repository
    assert isinstance(repository, LayoutRepository)
    file = Path(repository.directory) / "blobs" / digest.algorithm / digest.encoded
    file.unlink()
    if data is not None:
        file.write_bytes(data)


def _memory(_: pytest.FixtureRequest) -> Callable[[str], Store]:
    stores: dict[str, Store] = {}
    return lambda path: stores.setdefault(path, MemoryStore(path))


def _tamper_memory(store: Store, digest: Digest, data: bytes | None) -> None:
    assert isinstance(store, MemoryStore)
    del store.blobs[digest]
    if data is not None:
        store.blobs[digest] = data


IMPLEMENTATIONS: Final[tuple[Implementation, ...]] = (
    Implementation("layout", _layout, _tamper_layout),
    Implementation("memory", _memory, _tamper_memory),
)
