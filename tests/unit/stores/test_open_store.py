"""``stores.open_store``: which store a name asks for, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imgtrust.reference import Reference
from imgtrust.stores import StoreOptions, open_store

_ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["oci:some/layout:1", "127.0.0.1:5000/team/app:1"])
def test_a_store_is_opened_by_name_and_nothing_is_asked_of_it(name: str) -> None:
    repository = Reference.parse(name).repository
    for store in (open_store(repository), open_store(repository, StoreOptions(timeout=1))):
        assert store.repository == repository
        store.close()


def test_a_layout_needs_no_http() -> None:
    code = """
import sys
from imgtrust.reference import LayoutRepository
from imgtrust.stores import open_store
import imgtrust.commands.gather
list(open_store(LayoutRepository("nowhere")).referrers(None))
assert not {"httpx", "urllib3", "boto3", "http.client"} & sys.modules.keys(), sorted(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=_ROOT, check=True, timeout=60)
