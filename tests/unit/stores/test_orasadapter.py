"""oras-py over our stores: its push and pull, with every digest checked and nothing asked behind our back."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.content import Descriptor, Manifest, describe, parse_manifest
from imgtrust.errors import ContentMalformed, ContentMismatch, ContentMissing, InvalidReference, NotFound, StoreProtocol
from imgtrust.formats.attachments import TITLE
from imgtrust.stores.orasadapter import TrustedOras
from tests.simulators.images import Image, artifact, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

NAME = "registry.test/team/app"
DIRECTORY = "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, for oras-py takes only files below it; and a home without credentials."""
    folder = tmp_path / "work"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "a.md").write_text("a")
    (folder / "note.txt").write_text("note")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def titled(title: str, data: bytes, media_type: str = "text/plain") -> Image:
    made = artifact(None, layers=[(media_type, data)])
    document = json.loads(made.manifest)
    document["layers"][0]["annotations"] = {TITLE: title}
    raw = json.dumps(document).encode()
    return Image(describe(raw, made.descriptor.media_type), raw, made.blobs)


def archive(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        made.addfile(entry)
    return buffer.getvalue()


def test_what_oras_py_pushes_it_pulls(work: Path, tmp_path: Path) -> None:
    client = TrustedOras(MemoryStore())
    response = client.push(target=f"{NAME}:notes", files=["note.txt:text/plain", "docs"])
    assert response.headers["Docker-Content-Digest"].startswith("sha256:")
    files = client.pull(target=f"{NAME}:notes", outdir=str(tmp_path / "out"))
    assert sorted(os.path.basename(each) for each in files) == ["docs", "note.txt"]  # noqa: PTH119 - oras gives strings
    assert (tmp_path / "out" / "docs" / "a.md").read_text() == "a"
    assert (tmp_path / "out" / "note.txt").read_text() == (work / "note.txt").read_text()


@pytest.mark.usefixtures("work")
def test_the_manifest_has_the_artifact_type_and_what_else_oras_py_cannot_say() -> None:
    store = MemoryStore()
    subject = push(store, image("app"), "1")
    client = TrustedOras(store, artifact_type="application/vnd.acme.notes")
    client.push(target=NAME, files=["note.txt"], manifest_annotations={"a": "b"}, quiet=True)
    found = next(each for each in store.manifests.values() if each.digest != subject.digest)
    manifest = parse_manifest(store.fetch(found), found.media_type)
    assert isinstance(manifest, Manifest)
    assert (manifest.artifact_type, manifest.annotations) == ("application/vnd.acme.notes", (("a", "b"),))
    assert list(store.tags()) == ["1"], "without a tag it is pushed by digest"


def test_the_latest_is_pulled_where_no_tag_is_named(tmp_path: Path) -> None:
    store = MemoryStore()
    push(store, titled("n", b"x"), "latest")
    TrustedOras(store).pull(target=NAME, outdir=str(tmp_path))
    assert (tmp_path / "n").read_bytes() == b"x"


def test_an_artifact_is_pulled_by_its_digest(tmp_path: Path) -> None:
    store = MemoryStore()
    found = push(store, titled("n", b"x"))
    TrustedOras(store).pull(target=f"{NAME}@{found.digest}", outdir=str(tmp_path))
    assert (tmp_path / "n").read_bytes() == b"x"


def test_an_altered_blob_is_refused_and_not_written(tmp_path: Path) -> None:
    store = MemoryStore()
    made = titled("n", b"right")
    push(store, made, "1")
    store.blobs[made.blobs[1][0].digest] = b"wrong"
    with pytest.raises(ContentMismatch):
        TrustedOras(store).pull(target=f"{NAME}:1", outdir=str(tmp_path / "out"))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("title", ["../escaped", "/srv/escaped", "a/../../b", "a\0b"])
def test_a_title_that_leads_elsewhere_is_refused(tmp_path: Path, title: str) -> None:
    store = MemoryStore()
    push(store, titled(title, b"x"), "1")
    with pytest.raises(ContentMalformed, match="refused"):
        TrustedOras(store).pull(target=f"{NAME}:1", outdir=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "data",
    [
        archive("../x"),
        archive("/x"),
        archive("l", tarfile.SYMTYPE),
        archive("l", tarfile.CHRTYPE),
        b"x",
        gzip.compress(b"x"),
    ],
    ids=["parent", "absolute", "symbolic-link", "device", "no-archive", "no-tar"],
)
def test_an_archive_that_would_write_elsewhere_is_not_unpacked(tmp_path: Path, data: bytes) -> None:
    store = MemoryStore()
    push(store, titled("d", data, DIRECTORY), "1")
    with pytest.raises(ContentMalformed, match="archive"):
        TrustedOras(store).pull(target=f"{NAME}:1", outdir=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_index_holds_no_files(tmp_path: Path) -> None:
    store = MemoryStore()
    push(store, index(image("a")), "1")
    with pytest.raises(ContentMalformed, match="is an index"):
        TrustedOras(store).pull(target=f"{NAME}:1", outdir=str(tmp_path))


def test_what_is_not_there_is_not_found_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        TrustedOras(MemoryStore()).pull(target=f"{NAME}:1", outdir=str(tmp_path))


def test_a_blob_that_the_manifest_does_not_name_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(ContentMissing, match="not named"):
        TrustedOras(MemoryStore()).download_blob(NAME, "sha256:" + "0" * 64, str(tmp_path / "x"))


@pytest.mark.parametrize("target", ["registry.test/other:1", "evil.test/team/app:1", "localhost/foo/bar:1"])
def test_a_target_elsewhere_is_refused(target: str) -> None:
    with pytest.raises(InvalidReference, match="which this client is for"):
        TrustedOras(MemoryStore()).pull(target=target)


def test_nothing_goes_past_the_store() -> None:
    client = TrustedOras(MemoryStore())
    for ask in (lambda: client.do_request("https://registry.test/v2/"), lambda: client.get_tags(NAME)):
        with pytest.raises(StoreProtocol, match="by itself"):
            ask()


def test_a_file_that_is_not_what_its_layer_says_is_not_pushed(work: Path) -> None:
    store, client = MemoryStore(), TrustedOras(MemoryStore())
    layer: dict[str, Any] = describe(b"other", "text/plain").to_json()
    with pytest.raises(ContentMismatch):
        client.upload_blob(str(work / "note.txt"), NAME, layer)
    assert not client.blob_exists(layer, NAME)
    assert store.blobs == {}


def test_a_name_keeps_its_grammar(tmp_path: Path) -> None:
    store = MemoryStore()
    found = push(store, titled("n", b"x"), "1")
    name = TrustedOras(store).get_container(f"{NAME}:1@{found.digest}")
    assert str(name) == f"{NAME}@{found.digest}"
    assert isinstance(found, Descriptor)
    assert tmp_path.exists()


def test_a_layer_without_a_title_is_named_by_its_digest_as_oras_py_does(tmp_path: Path) -> None:
    store = MemoryStore()
    push(store, artifact(None, layers=[("text/plain", b"x")]), "1")
    (name,) = TrustedOras(store).pull(target=f"{NAME}:1", outdir=str(tmp_path))
    assert name.endswith(str(describe(b"x", "text/plain").digest))
