"""Layouts that cosign and notation really wrote are read, and what is attached in them is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imgtrust.commands.graph import walk
from imgtrust.formats.mediatypes import DSSE_LAYER, NOTARY_JWS_LAYER
from imgtrust.reference import LayoutRepository
from imgtrust.stores.discovery import discover
from imgtrust.stores.layout import LayoutStore
from imgtrust.stores.options import StoreOptions

_DEFAULT = Path(__file__).resolve().parents[4] / "shared" / "vectors"


@pytest.fixture
def layouts() -> Path:
    folder = Path(os.environ.get("IMGTRUST_VECTORS", _DEFAULT))
    if not folder.is_dir():
        pytest.skip("no vectors here: set IMGTRUST_VECTORS to their folder")
    return folder


@pytest.mark.parametrize("version", ["v1.4.0", "v1.9.0", "v2.1.0"])
def test_attestations_in_a_layout_of_cosign_save_are_found(layouts: Path, version: str) -> None:
    folder = layouts / "cosign" / "layouts" / version / "container_workflow_dispatch"
    store = LayoutStore(LayoutRepository(str(folder)), StoreOptions())
    (root,) = store.manifests()
    found = discover(store, root)
    assert [(e.layer.media_type, e.problem) for e in found.evidence] == [(DSSE_LAYER, None)]
    assert found.unread == ()
    assert root.digest in walk(store, root).manifests


@pytest.mark.parametrize("name", ["e2e-valid-signature", "e2e-expired-signature", "e2e-with-timestamped-signature"])
def test_signatures_in_a_layout_of_notation_are_found(layouts: Path, name: str) -> None:
    store = LayoutStore(LayoutRepository(str(layouts / "notary" / "layouts" / name)), StoreOptions())
    root = store.resolve("v1")
    assert [d.digest for d in store.manifests()] == [root.digest]
    found = discover(store, root)
    assert [(e.layer.media_type, e.problem) for e in found.evidence] == [(NOTARY_JWS_LAYER, None)]
    assert walk(store, root).faults == ()
