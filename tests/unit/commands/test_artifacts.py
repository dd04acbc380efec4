"""Files attached and pulled: nothing leaves its directory, nothing is half there."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.artifacts import _of_type, attach_files, pull_artifact
from imgtrust.commands.many import Failed
from imgtrust.commands.packing import CONTENT_DIGEST, DIRECTORY_TYPE, FILE_TYPE, UNPACK, packed
from imgtrust.commands.unpacking import Destination, _give
from imgtrust.content import Descriptor, Manifest, describe, parse_manifest
from imgtrust.errors import (
    ContentMalformed,
    ContentMismatch,
    InputFileError,
    LimitExceeded,
    NotFound,
    OutputFileError,
    UsageError,
)
from imgtrust.formats.attachments import TITLE
from imgtrust.reference import Digest
from tests.simulators.gate import NOON, layout
from tests.simulators.images import artifact, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.reports.results import AttachedResult
    from imgtrust.stores.port import Store

KIND = "application/vnd.acme.notes"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = layout(tmp_path / "ci")
    push(found, image("app"), "1")
    yield found
    found.close()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a file and a directory in it."""
    folder = tmp_path / "work"
    (folder / "docs" / "deep").mkdir(parents=True)
    (folder / "docs" / "empty").mkdir()
    (folder / "note.txt").write_text("note")
    (folder / "docs" / "a.md").write_text("a")
    (folder / "docs" / "deep" / "run.sh").write_text("#!/bin/sh")
    (folder / "docs" / "deep" / "run.sh").chmod(0o755)
    monkeypatch.chdir(folder)
    return folder


def attach(store: Store, *files: str, kind: str = KIND, **options: Any) -> AttachedResult:
    (outcome,) = attach_files([f"{store.repository}:1"], files, kind, now=lambda: NOON, **options)
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome


def manifest_of(store: Store, digest: Digest) -> Manifest:
    found = store.resolve(digest)
    manifest = parse_manifest(store.fetch(found), found.media_type)
    assert isinstance(manifest, Manifest)
    return manifest


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_files_and_directories_come_back_as_they_were(store: Store, work: Path, tmp_path: Path) -> None:
    made = attach(store, "note.txt:text/plain", "docs")
    pulled = pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
    assert pulled.evidence == made.evidence
    assert pulled.files == made.files
    assert tree(tmp_path / "out") == tree(work)
    assert (tmp_path / "out" / "docs" / "deep" / "run.sh").stat().st_mode & 0o111
    assert not (tmp_path / "out" / "docs" / "a.md").stat().st_mode & 0o111


@pytest.mark.usefixtures("work")
def test_layers_follow_the_conventions_of_oras(store: Store) -> None:
    made = attach(store, "note.txt", "docs", annotations={"a": "b"})
    manifest = manifest_of(store, made.evidence)
    assert manifest.artifact_type == KIND
    assert dict(manifest.annotations)["a"] == "b"
    file, directory = manifest.layers
    assert (file.media_type, dict(file.annotations)) == (FILE_TYPE, {TITLE: "note.txt"})
    assert directory.media_type == DIRECTORY_TYPE
    plain = gzip.decompress(store.fetch(directory))
    assert dict(directory.annotations) == {TITLE: "docs", CONTENT_DIGEST: str(Digest.of(plain)), UNPACK: "true"}
    assert len(plain) % 10240 != 0, "oras reads no further than two empty blocks, and checks what it read"


def test_an_archive_depends_on_names_contents_and_the_executable_bit_alone(work: Path) -> None:
    def digest() -> Digest:
        with packed(["docs"]) as (layer,):
            return layer.descriptor.digest

    before = digest()
    os.utime(work / "docs" / "a.md", (1, 1))
    (work / "docs" / "a.md").chmod(0o600)
    assert digest() == before
    (work / "docs" / "a.md").chmod(0o700)
    assert digest() != before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/etc/hostname", "absolute"),
        ("../outside", "leads out"),
        ("absent.txt", "No such file"),
        ("", "empty"),
        ("pipe", "neither a file nor a directory"),
        ("linked", "link"),
    ],
)
def test_what_cannot_be_attached_is_refused_before_anything_is(store: Store, work: Path, name: str, words: str) -> None:
    os.mkfifo(work / "pipe")
    (work / "linked").mkdir()
    (work / "linked" / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputFileError, match=words):
        attach(store, "note.txt", name)
    assert list(store.referrers(store.resolve("1"))) == []


@pytest.mark.usefixtures("work")
def test_a_file_twice_no_file_and_a_type_that_is_none_are_refused(store: Store) -> None:
    with pytest.raises(InputFileError, match="twice"):
        attach(store, "note.txt", "./note.txt")
    with pytest.raises(UsageError, match="no file"):
        attach(store)
    for kind in ("notes", "a/", "/b", "a b/c", "ä/b", ""):
        with pytest.raises(UsageError, match="artifact type"):
            attach(store, "note.txt", kind=kind)
        with pytest.raises(UsageError, match="artifact type"):
            pull_artifact(f"{store.repository}:1", kind, "out")


def test_a_file_that_changes_while_it_is_pushed_fails(store: Store, work: Path) -> None:
    with packed(["note.txt"]) as (layer,):
        (work / "note.txt").write_text("changed")
        with pytest.raises(ContentMismatch):
            store.push(layer.descriptor, layer.source)


def test_a_colon_in_a_file_name_is_part_of_it(work: Path) -> None:
    (work / "a:b").write_text("x")
    (work / "c:d").mkdir()
    with packed(["a:b", "c:d"]) as layers:
        assert [layer.descriptor.annotation(TITLE) for layer in layers] == ["a:b", "c:d"]


def test_the_newest_of_a_type_is_pulled(store: Store, tmp_path: Path) -> None:
    subject = store.resolve("1")
    created = "org.opencontainers.image.created"
    for day, text in ((1, b"old"), (3, b"new"), (2, b"middle")):
        push(store, titled(subject, {"n": text}, {created: f"2026-01-0{day}T00:00:00Z"}))
    push(store, artifact(subject, artifact_type="application/vnd.other"))
    pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
    assert (tmp_path / "out" / "n").read_bytes() == b"new"


def test_an_artifact_that_is_named_itself_is_pulled(store: Store, tmp_path: Path) -> None:
    push(store, titled(None, {"n": b"x"}), "notes")
    pull_artifact(f"{store.repository}:notes", KIND, str(tmp_path / "out"))
    assert tree(tmp_path / "out") == {"n": b"x"}


def test_nothing_of_the_type_is_not_found(store: Store, tmp_path: Path) -> None:
    push(store, index(image("x")), "index")
    for tag in ("1", "index"):
        with pytest.raises(NotFound, match="nothing of type"):
            pull_artifact(f"{store.repository}:{tag}", KIND, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def titled(
    subject: Descriptor | None, files: dict[str, bytes], annotations: dict[str, str] | None = None, **more: str
) -> Any:
    """An artifact whose layers have titles, whatever these say."""
    made = artifact(subject, artifact_type=KIND, layers=[("text/plain", data) for data in files.values()])
    document = json.loads(made.manifest)
    for layer, name in zip(document["layers"], files, strict=True):
        layer["annotations"] = {TITLE: name, **more}
    document["annotations"] = annotations or {}
    raw = json.dumps(document).encode()
    return type(made)(describe(raw, made.descriptor.media_type), raw, made.blobs)


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "a/../../x", "a\\b", "", ".", "..", "a\0b", "a\nb", "x" * 2000],
    ids=lambda name: repr(name)[:20],
)
def test_a_title_that_leads_elsewhere_refuses_the_whole_artifact(store: Store, tmp_path: Path, name: str) -> None:
    push(store, titled(store.resolve("1"), {"good": b"1", name: b"2", "better": b"3"}))
    before = tree(tmp_path)
    if name:
        with pytest.raises(ContentMalformed, match="refused"):
            pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
        assert tree(tmp_path) == {**before, "out": None}
    else:
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
        assert set(tree(tmp_path / "out")) == {"good", "better"}


def test_an_artifact_without_titles_has_no_files(store: Store, tmp_path: Path) -> None:
    push(store, artifact(store.resolve("1"), artifact_type=KIND))
    with pytest.raises(ContentMalformed, match="no layer with a title"):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))


def test_two_layers_of_one_title_are_refused(store: Store, tmp_path: Path) -> None:
    push(store, titled(store.resolve("1"), {"a": b"1", "./a": b"2"}))
    with pytest.raises(ContentMalformed, match="twice"):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))


def test_an_altered_blob_writes_nothing(store: Store, tmp_path: Path) -> None:
    made = titled(store.resolve("1"), {"first": b"1", "second": b"2"})
    push(store, made)
    digest = Digest.of(b"2")
    blob = tmp_path / "ci" / "blobs" / "sha256" / digest.encoded
    blob.chmod(0o644)
    blob.write_bytes(b"3")
    with pytest.raises(ContentMismatch):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
    assert tree(tmp_path / "out") == {}


def test_what_is_there_already_stays_unless_it_may_be_overwritten(store: Store, tmp_path: Path) -> None:
    push(store, titled(store.resolve("1"), {"a": b"new", "b": b"new"}))
    out = tmp_path / "out"
    out.mkdir()
    (out / "b").write_bytes(b"mine")
    with pytest.raises(OutputFileError, match="exists already"):
        pull_artifact(f"{store.repository}:1", KIND, str(out))
    assert tree(out) == {"b": b"mine"}
    pull_artifact(f"{store.repository}:1", KIND, str(out), overwrite=True)
    assert tree(out) == {"a": b"new", "b": b"new"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("link", ["d", "d/f"])
def test_nothing_is_written_through_a_link(store: Store, tmp_path: Path, link: str, *, overwrite: bool) -> None:
    push(store, titled(store.resolve("1"), {"d/f": b"new"}))
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"theirs")
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(outside if link == "d" else outside / "f")
    with pytest.raises(OutputFileError, match="symbolic link"):
        pull_artifact(f"{store.repository}:1", KIND, str(out), overwrite=overwrite)
    assert (outside / "f").read_bytes() == b"theirs"


def test_a_directory_in_the_place_of_a_file_stays(store: Store, tmp_path: Path) -> None:
    push(store, titled(store.resolve("1"), {"a": b"new"}))
    (tmp_path / "out" / "a").mkdir(parents=True)
    with pytest.raises(OutputFileError, match="in the place"):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"), overwrite=True)


def test_a_file_in_the_place_of_a_directory_stays(store: Store, tmp_path: Path) -> None:
    push(store, titled(store.resolve("1"), {"a/b": b"new"}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(b"mine")
    with pytest.raises(OutputFileError, match="cannot write"):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"), overwrite=True)
    assert tree(tmp_path / "out") == {"a": b"mine"}


@pytest.mark.parametrize("name", ["file/x", "a\0b"])
def test_a_directory_that_cannot_be_made_is_said(store: Store, tmp_path: Path, name: str) -> None:
    push(store, titled(store.resolve("1"), {"a": b"new"}))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputFileError, match="cannot write to"):
        pull_artifact(f"{store.repository}:1", KIND, f"{tmp_path}/{name}")


def archive(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                made.addfile(member)
            else:
                entry = tarfile.TarInfo(member[0])
                entry.size = len(member[1])
                made.addfile(entry, io.BytesIO(member[1]))
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def huge_header() -> bytes:
    """A PAX header that says it has four gigabytes."""
    entry = special("d/pax", tarfile.XHDTYPE)
    entry.size = 1 << 32
    return entry.tobuf(tarfile.GNU_FORMAT) + bytes(4096)


def negative() -> bytes:
    """A file of less than no bytes."""
    entry = tarfile.TarInfo("d/a")
    entry.size = -512
    return entry.tobuf(tarfile.GNU_FORMAT) + bytes(4096)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: archive(("d/ok", b"1"), ("../x", b"2")), "refused"),
        (lambda: archive(("/x", b"2")), "refused"),
        (lambda: archive(("d/../../x", b"2")), "refused"),
        (lambda: archive(("other/x", b"2")), "not below d"),
        (lambda: archive(special("d/l", tarfile.SYMTYPE, "/etc/passwd")), "no file"),
        (lambda: archive(("d/a", b"1"), special("d/h", tarfile.LNKTYPE, "d/a")), "no file"),
        (lambda: archive(special("d/dev", tarfile.CHRTYPE)), "no file"),
        (lambda: archive(special("d/fifo", tarfile.FIFOTYPE)), "no file"),
        (lambda: archive(("d/a", b"1"), ("d/a", b"2")), "twice"),
        (lambda: b"no archive at all", "cannot be read"),
        (lambda: archive(("d/a", b"1" * 5000))[:40], "cannot be read"),
        (lambda: gzip.compress(b"no tar" * 1000), "cannot be read"),
        (lambda: archive(("d/a", os.urandom(9000)))[:5000], "cannot be read"),
        (lambda: archive(("d/" + "n" * 2_000_000, b"1")), "a header of"),
        (lambda: gzip.compress(huge_header()), "a header of"),
        (lambda: gzip.compress(negative()), "d"),
    ],
)
def test_an_archive_that_would_write_elsewhere_or_is_none_writes_nothing(
    store: Store, tmp_path: Path, make: Callable[[], bytes], words: str
) -> None:
    push(store, titled(store.resolve("1"), {"d": make()}, None, **{UNPACK: "true"}))
    with pytest.raises(ContentMalformed, match=words):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
    assert tree(tmp_path / "out") == {}


def test_an_archive_that_unpacks_to_too_much_stops(tmp_path: Path) -> None:
    members, size = archive(("d/1", b"1"), ("d/2", b"2"), ("d/3", b"3")), archive(("d/1", bytes(5000)))
    for data, limits in ((members, {"members": 2}), (size, {"unpacked": 4000})):
        layer = describe(data, DIRECTORY_TYPE)
        named = Descriptor(layer.media_type, layer.digest, layer.size, annotations=((TITLE, "d"), (UNPACK, "true")))
        with (
            pytest.raises(LimitExceeded, match="unpacks to more"),
            Destination(str(tmp_path / "out"), overwrite=False, **limits) as destination,
        ):
            destination.add(named, iter((memoryview(data),)))
        assert tree(tmp_path / "out") == {}


def test_a_blob_of_a_directory_without_the_annotation_stays_an_archive(store: Store, tmp_path: Path) -> None:
    data = archive(("d/a", b"1"))
    push(store, titled(store.resolve("1"), {"d.tar.gz": data}))
    pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
    assert tree(tmp_path / "out") == {"d.tar.gz": data}


def test_a_file_system_without_links_gets_its_files_too(tmp_path: Path) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(source), None, str(target))

    (tmp_path / "aside").write_bytes(b"x")
    with pytest.raises(FileExistsError):
        _give(tmp_path / "aside", tmp_path / "aside")
    _give(tmp_path / "aside", tmp_path / "final", no_links)
    assert tree(tmp_path) == {"final": b"x"}


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a")])
def test_a_file_cannot_be_a_directory_too(store: Store, tmp_path: Path, names: tuple[str, str]) -> None:
    push(store, titled(store.resolve("1"), {names[0]: b"1", names[1]: b"2"}))
    with pytest.raises(ContentMalformed, match="file and a directory"):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))
    assert tree(tmp_path / "out") == {}


def test_a_name_that_the_disk_cannot_hold_is_said(store: Store, tmp_path: Path) -> None:
    push(store, titled(store.resolve("1"), {"x" * 300: b"1"}))
    with pytest.raises(OutputFileError, match="File name too long"):
        pull_artifact(f"{store.repository}:1", KIND, str(tmp_path / "out"))


def test_a_disk_that_fills_up_is_said_and_nothing_stays(tmp_path: Path) -> None:
    def full() -> Iterator[memoryview]:
        yield memoryview(b"x")
        raise OSError(errno.ENOSPC, "No space left on device")

    plain = describe(b"xy", "text/plain")
    layer = Descriptor(plain.media_type, plain.digest, plain.size, annotations=((TITLE, "a"),))
    with Destination(str(tmp_path / "out"), overwrite=False) as destination:
        with pytest.raises(OutputFileError, match="No space left"):
            destination.add(layer, full())
        destination.add(Descriptor(*_three(plain), annotations=((TITLE, "b"),)), iter((memoryview(b"xy"),)))
        destination._staged[Path("c")] = tmp_path / "gone"
        with pytest.raises(OutputFileError, match="No such file"):
            destination.finish()
    assert tree(tmp_path / "out") == {"b": b"xy"}


def _three(descriptor: Descriptor) -> tuple[str, Digest, int]:
    return descriptor.media_type, descriptor.digest, descriptor.size


def test_what_a_registry_lists_that_is_no_manifest_is_passed_over() -> None:
    memory = MemoryStore()
    subject = push(memory, image("app"), "1")
    memory.listed = [describe(b"x", "text/plain")]
    push(memory, artifact(subject, artifact_type=KIND))
    ((_, found),) = _of_type(memory, subject, KIND)
    assert found.artifact_type == KIND


def test_a_referrer_that_lies_about_its_subject_is_passed_over() -> None:
    memory = MemoryStore()
    subject, other = push(memory, image("app"), "1"), push(memory, image("other"))
    memory.listed = [push(memory, artifact(other, artifact_type=KIND))]
    assert _of_type(memory, subject, KIND) == []


@pytest.mark.usefixtures("work")
def test_the_date_of_an_artifact_is_now_unless_said(store: Store) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    (made,) = attach_files([f"{store.repository}:1"], ["note.txt"], KIND)
    assert not isinstance(made, Failed)
    created = dict(manifest_of(store, made.evidence).annotations)["org.opencontainers.image.created"]
    assert datetime.fromisoformat(created) >= before
