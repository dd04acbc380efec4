"""oras-py: what imgtrust attached it pulls byte for byte, the other way round, and its client over our stores."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.artifacts import attach_files, pull_artifact
from imgtrust.commands.many import Failed
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from imgtrust.stores.orasadapter import TrustedOras
from tests.simulators.images import image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Place
    from tests.fixtures.registries import Registry

pytestmark = pytest.mark.interop

NOTE = "application/vnd.acme.notes"
CONFIG = "application/vnd.unknown.config.v1+json"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a file and a directory, and a home without credentials."""
    folder = tmp_path / "work"
    (folder / "docs" / "deep").mkdir(parents=True)
    (folder / "docs" / "deep" / "a.md").write_bytes(os.urandom(3000))
    (folder / "note.txt").write_text("note")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def oras_py() -> Iterator[Any]:
    """oras-py's own client, over plain HTTP."""
    from oras.provider import Registry as OrasPy  # noqa: PLC0415 - slow to import

    client = OrasPy(insecure=True)
    yield client
    client.session.close()


def same(work: Path, out: Path) -> None:
    for name in ("note.txt", "docs/deep/a.md"):
        assert (out / name).read_bytes() == (work / name).read_bytes()


def test_oras_py_pulls_what_imgtrust_attached(registry: Registry, oras_py: Any, work: Path, tmp_path: Path) -> None:
    name = pushed(registry)
    (made,) = attach_files([name], ["note.txt", "docs"], NOTE)
    assert not isinstance(made, Failed)
    oras_py.pull(target=f"{name.rpartition(':')[0]}@{made.evidence}", outdir=str(tmp_path / "out"))
    same(work, tmp_path / "out")


def test_imgtrust_pulls_what_oras_py_pushed(registry: Registry, oras_py: Any, work: Path, tmp_path: Path) -> None:
    name = f"{registry.fresh('oraspy')}:notes"
    oras_py.push(target=name, files=["note.txt:text/plain"])
    pull_artifact(name, CONFIG, str(tmp_path / "out"))
    assert (tmp_path / "out" / "note.txt").read_bytes() == (work / "note.txt").read_bytes()


def test_its_client_over_our_store_and_the_command_line_of_oras_read_each_other(
    place: Place, oras: Peer, work: Path, tmp_path: Path
) -> None:
    theirs, ours = place.fresh(), place.fresh()
    oras("push", *theirs.oras(), "--artifact-type", NOTE, "note.txt", "docs", cwd=work)
    reference = Reference.parse(str(theirs))
    with closing(open_store(reference.repository)) as store:
        TrustedOras(store).pull(target=str(reference), outdir=str(tmp_path / "ours"))
    same(work, tmp_path / "ours")
    reference = Reference.parse(str(ours))
    with closing(open_store(reference.repository)) as store:
        TrustedOras(store, artifact_type=NOTE).push(target=str(reference), files=["note.txt", "docs"])
    oras("pull", *ours.oras(), "-o", tmp_path / "theirs")
    assert (tmp_path / "theirs" / "note.txt").read_bytes() == (work / "note.txt").read_bytes()


def pushed(registry: Registry) -> str:
    """A small image on a registry."""
    from tests.simulators.images import push  # noqa: PLC0415

    name = f"{registry.fresh('oraspy')}:1"
    with closing(open_store(Reference.parse(name).repository)) as store:
        push(store, image("app"), "1")
    return name
