"""Stores are opened once, shared, and closed when nobody needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.commands.opening import OpenStores
from imgtrust.commands.passing import Passing
from imgtrust.commands.progress import SILENT
from imgtrust.content import describe
from imgtrust.reference import LayoutRepository
from imgtrust.stores import StoreOptions
from tests.simulators.images import image, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


def test_one_store_serves_all_who_ask_for_a_repository(tmp_path: Path) -> None:
    repository = LayoutRepository(str(tmp_path))
    with OpenStores(StoreOptions()) as stores, stores.use(repository) as one, stores.use(repository) as two:
        assert one is two


def test_stores_that_were_not_used_for_longest_are_closed_and_opened_again(tmp_path: Path) -> None:
    first = LayoutRepository(str(tmp_path / "first"))
    with OpenStores(StoreOptions()) as stores:
        with stores.use(first) as one:
            for number in range(40):
                with stores.use(LayoutRepository(str(tmp_path / str(number)))):
                    pass
            with stores.use(first) as again:
                assert again is one
        for number in range(40):
            with stores.use(LayoutRepository(str(tmp_path / str(number)))):
                pass
        with stores.use(first) as later:
            assert later is not one


def test_a_store_that_passes_on_answers_as_the_one_behind_it() -> None:
    store = MemoryStore()
    passing = Passing(store)
    root = push(passing, image("a"), "1")
    assert passing.repository == store.repository
    assert passing.resolve("1") == store.resolve("1")
    assert passing.has(root)
    assert list(passing.tags()) == ["1"]
    assert list(passing.referrers(root)) == []
    assert not passing.mount(root, store.repository)
    assert b"".join(passing.stream(root)) == passing.fetch(root)
    passing.close()


def test_nobody_listening_is_fine() -> None:
    blob = describe(b"x", "text/plain")
    SILENT.step("a", "b")
    SILENT.expect(1, 2)
    SILENT.moved(blob, 1)
    SILENT.finished(blob, "copied")
