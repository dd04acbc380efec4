"""Fixtures of the contract suite: one store after the other, through the same tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.implementations import IMPLEMENTATIONS, Implementation
from tests.contract.registries import REGISTRIES
from tests.contract.simulated import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store


@pytest.fixture(params=(*IMPLEMENTATIONS, *SIMULATED, *REGISTRIES), ids=lambda row: row.name)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    row = request.param
    assert isinstance(row, Implementation)
    if reason := row.cannot.get(getattr(request.node, "originalname", "")):
        pytest.skip(f"{row.name}: {reason}")
    return row


@pytest.fixture
def store_factory(implementation: Implementation, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Store]]:
    """Opens the store of a repository by its path; all are closed after the test."""
    begin = implementation.start(request)
    opened: list[Store] = []

    def factory(path: str) -> Store:
        store = begin(path)
        opened.append(store)
        return store

    yield factory
    for store in opened:
        store.close()


@pytest.fixture
def store(store_factory: Callable[[str], Store]) -> Store:
    """One empty repository."""
    return store_factory("team/app")


@pytest.fixture
def tamper(implementation: Implementation) -> Callable[[Store, Digest, bytes | None], None]:
    """Changes what a store keeps, behind its back."""
    if implementation.tamper is None:
        pytest.skip(f"what {implementation.name} keeps cannot be changed from outside")
    return implementation.tamper
