"""Layouts on a real file system: links, pipes, permissions, full disks, two writers, and writers that are killed."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from imgtrust.content import Descriptor, describe
from imgtrust.errors import ContentMismatch, LimitExceeded, NotFound, StoreUnavailable
from imgtrust.formats.attachments import fallback_tag
from imgtrust.reference import Digest, LayoutRepository
from imgtrust.stores.hashing import HashedPieces
from imgtrust.stores.layout import LayoutStore
from imgtrust.stores.layoutfiles import LayoutFiles
from imgtrust.stores.layoutindex import parse_entries
from imgtrust.stores.layoutwriter import LOCK_NAME, LayoutWriter
from imgtrust.stores.options import StoreOptions
from tests.simulators.images import artifact, image, push

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[3]
_BLOB_TYPE = "application/octet-stream"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "layout"


@pytest.fixture
def store(home: Path) -> LayoutStore:
    return LayoutStore(LayoutRepository(str(home)), StoreOptions())


def _temporaries(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob(".imgtrust-*"))


_BEGIN = """
import os, resource, sys
from imgtrust.content import describe
from imgtrust.errors import StoreUnavailable, AccessDenied
from imgtrust.reference import LayoutRepository
from imgtrust.stores.layout import LayoutStore
from imgtrust.stores.options import StoreOptions
from tests.simulators.images import artifact, image, push
home = sys.argv[1]
store = LayoutStore(LayoutRepository(home), StoreOptions())
"""
_UNPRIVILEGED = """
image(), image("new")
os.chdir(home)
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
home = "."
store = LayoutStore(LayoutRepository(home), StoreOptions())
def refuses(ask, kind):
    try:
        ask()
    except kind as exc:
        assert "ermission denied" in str(exc), exc
    else:
        raise SystemExit("it was done")
"""


def _python(home: Path, code: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + code, str(home)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@contextmanager
def _child(home: Path, code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs ``code`` and waits wherever it reads its stdin."""
    child = subprocess.Popen(
        [sys.executable, "-c", _BEGIN + code, str(home)], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        yield child
        child.kill()


# Links and things that are no files


@pytest.mark.parametrize("what", ["blob", "algorithm", "blobs", "index.json", "oci-layout"])
def test_a_symbolic_link_inside_a_layout_is_not_followed(store: LayoutStore, home: Path, what: str) -> None:
    root = push(store, image(), "1.0")
    place = {
        "blob": home / "blobs" / "sha256" / root.digest.encoded,
        "algorithm": home / "blobs" / "sha256",
        "blobs": home / "blobs",
    }.get(what, home / what)
    moved = home.parent / "elsewhere"
    place.rename(moved)
    place.symlink_to(moved)
    fresh = LayoutStore(LayoutRepository(str(home)), StoreOptions())
    with pytest.raises(ContentMismatch, match="found a link or something else"):
        fresh.resolve("1.0")


def test_a_layout_may_itself_be_reached_through_a_link(store: LayoutStore, home: Path) -> None:
    root = push(store, image(), "1.0")
    link = home.parent / "link"
    link.symlink_to(home)
    assert LayoutStore(LayoutRepository(str(link)), StoreOptions()).resolve("1.0") == root


@pytest.mark.parametrize("kind", ["directory", "pipe", "socket", "link to nothing"])
def test_what_is_no_regular_file_is_no_blob(store: LayoutStore, home: Path, kind: str) -> None:
    made = image()
    push(store, made, "1.0")
    descriptor, data = made.blobs[0]
    file = home / "blobs" / "sha256" / descriptor.digest.encoded
    file.unlink()
    if kind == "directory":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            here = Path.cwd()
            os.chdir(file.parent)  # the path of a socket has at most 107 bytes
            try:
                listener.bind("s")
            finally:
                os.chdir(here)
        (file.parent / "s").rename(file)
    else:
        file.symlink_to("nothing")
    assert not store.has(descriptor)
    with pytest.raises((ContentMismatch, StoreUnavailable)):
        store.fetch(descriptor)
    with pytest.raises((ContentMismatch, StoreUnavailable)):
        list(store.stream(descriptor))
    if kind in {"pipe", "link to nothing"}:
        store.push(descriptor, data)
        assert store.fetch(descriptor) == data


def test_a_file_is_no_layout(home: Path) -> None:
    home.write_text("a file")
    store = LayoutStore(LayoutRepository(str(home)), StoreOptions())
    with pytest.raises(NotFound, match="not a directory"):
        store.resolve("1.0")
    with pytest.raises(NotFound, match="not a directory"):
        push(store, image())
    assert home.read_text() == "a file"


def test_a_file_that_grew_too_large_is_not_read(home: Path) -> None:
    home.mkdir()
    (home / "file").write_bytes(b"12345")
    files = LayoutFiles(str(home))
    assert files.read("file", limit=5) == b"12345"
    with pytest.raises(LimitExceeded, match="5 bytes"):
        files.read("file", limit=4)


def test_a_directory_that_is_not_there_has_no_names(home: Path) -> None:
    assert LayoutFiles(str(home)).names("blobs") == ([], 0)
    home.mkdir()
    assert LayoutFiles(str(home)).names("blobs") == ([], 0)


# Permissions and full disks


def test_a_layout_that_may_not_be_written_is_read_and_left_as_it_is(store: LayoutStore, home: Path) -> None:
    made = image()
    push(store, made, "1.0")
    before = sorted(path for path in home.rglob("*"))
    for path in (*before, home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = """
root = store.resolve("1.0")
assert list(store.tags()) == ["1.0"] and list(store.referrers(root)) == []
assert all(store.fetch(d) == data for d, data in image().blobs)
refuses(lambda: push(store, image("new"), "2"), StoreUnavailable)
refuses(lambda: store.tag("3", root, image().manifest), StoreUnavailable)
"""
    try:
        _python(home, _UNPRIVILEGED + code)
    finally:
        for path in (home, *before):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert sorted(path for path in home.rglob("*")) == before


def test_a_layout_that_may_not_be_read_is_no_answer(store: LayoutStore, home: Path) -> None:
    push(store, image(), "1.0")
    (home / "index.json").chmod(0)
    code = """
refuses(lambda: store.resolve("1.0"), AccessDenied)
refuses(lambda: list(store.tags()), AccessDenied)
refuses(lambda: list(store.referrers(image().descriptor)), AccessDenied)
"""
    _python(home, _UNPRIVILEGED + code)


def test_a_directory_that_may_not_be_listed_is_no_answer(home: Path) -> None:
    (home / "blobs").mkdir(parents=True)
    (home / "blobs").chmod(0)
    code = """
from imgtrust.stores.layoutfiles import LayoutFiles
refuses(lambda: LayoutFiles(home).names("blobs"), AccessDenied)
"""
    _python(home, "from imgtrust.stores import layoutfiles" + _UNPRIVILEGED + code)
    (home / "blobs").chmod(0o755)


def test_where_no_directory_can_be_made_nothing_is_written() -> None:
    store = LayoutStore(LayoutRepository("/proc/imgtrust-layout"), StoreOptions())
    with pytest.raises(StoreUnavailable, match="cannot create in this layout"):
        push(store, image())


def test_a_full_disk_leaves_nothing_half_written(store: LayoutStore, home: Path) -> None:
    made = image(layers=1)
    push(store, made, "1.0")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    code = """
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
data = b"x" * 50_000
descriptor = describe(data, "a/b")
for content in (data, lambda: iter([memoryview(data)[:15_000], memoryview(data)[15_000:]])):
    try:
        store.push(descriptor, content)
    except StoreUnavailable as exc:
        assert "File too large; nothing was left half-written" in str(exc), exc
    else:
        raise SystemExit("it was written")
assert not store.has(descriptor)
"""
    _python(home, code)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_disk_that_is_full_when_the_index_is_written_keeps_the_old_index(store: LayoutStore, home: Path) -> None:
    made = image(layers=1)
    for n in range(30):
        push(store, made, f"version-{n}")
    code = """
size = os.path.getsize(os.path.join(home, "index.json"))
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, size + 10))
try:
    push(store, image(layers=1), "one-more")
except StoreUnavailable as exc:
    assert "File too large" in str(exc), exc
else:
    raise SystemExit("it was written")
"""
    _python(home, code)
    assert len(list(store.tags())) == 30
    assert _temporaries(home) == []


# Several writers


def test_two_processes_that_write_at_once_lose_nothing(store: LayoutStore, home: Path) -> None:
    root = push(store, image(), "1.0")
    code = """
root = store.resolve("1.0")
me = sys.stdin.readline().strip()
for n in range(50):
    store.tag(f"{me}-{n}", root, image().manifest)
    push(store, artifact(root, layers=[("text/plain", f"{me} {n}".encode())]))
"""
    with _child(home, code) as one, _child(home, code) as two:
        for child, name in ((one, b"one\n"), (two, b"two\n")):
            assert child.stdin is not None
            child.stdin.write(name)
            child.stdin.flush()
        assert (one.wait(60), two.wait(60)) == (0, 0)
    listed = fallback_tag(root.digest)
    assert set(store.tags()) == {"1.0", listed} | {f"{who}-{n}" for who in ("one", "two") for n in range(50)}
    assert len(list(store.referrers(root))) == 100
    fallback = store.resolve(listed)
    assert len(parse_entries(store.fetch(fallback), "fallback", 1000)) == 100
    assert _temporaries(home) == []


def test_a_writer_does_not_wait_for_ever(store: LayoutStore, home: Path) -> None:
    root = push(store, image(), "1.0")
    impatient = LayoutStore(LayoutRepository(str(home)), StoreOptions(timeout=0.02))
    with (home / LOCK_NAME).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable, match=r"another writer has kept the layout locked for 0\.02 s"):
            impatient.tag("2", root, image().manifest)
        assert impatient.resolve("1.0") == root
    impatient.tag("2", root, image().manifest)


def test_a_thread_does_not_wait_for_ever_either(home: Path) -> None:
    home.mkdir()
    writer = LayoutWriter(str(home), 0.02)
    with writer.locked(), pytest.raises(StoreUnavailable, match="another writer"), writer.locked():
        pass
    with writer.locked():
        pass


def test_a_lock_that_is_a_link_is_not_followed(home: Path) -> None:
    home.mkdir()
    (home / LOCK_NAME).symlink_to("elsewhere")
    with pytest.raises(StoreUnavailable, match="cannot lock"), LayoutWriter(str(home)).locked():
        pass
    assert not (home / "elsewhere").exists()


# Writers that are killed

_HANGING = """
data = b"x" * 3_000_000
def pieces():
    yield memoryview(data)[:2_000_000]
    print("half", flush=True)
    sys.stdin.readline()
    yield memoryview(data)[2_000_000:]
store.push(describe(data, "application/octet-stream"), pieces)
"""


def test_a_writer_that_is_killed_leaves_only_what_the_next_one_clears_away(store: LayoutStore, home: Path) -> None:
    descriptor = describe(b"x" * 3_000_000, _BLOB_TYPE)
    with _child(home, _HANGING) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half\n"
        push(store, image("meanwhile"), "1.0")
        assert len(_temporaries(home)) == 1, "the file of a writer that lives is left alone"
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert not store.has(descriptor)
    assert len(_temporaries(home)) == 1
    foreign = home / "blobs" / "sha256" / "upload.tmp"
    foreign.touch()
    later = LayoutStore(LayoutRepository(str(home)), StoreOptions())
    later.push(descriptor, b"x" * 3_000_000)
    assert _temporaries(home) == []
    assert foreign.exists()
    assert later.has(descriptor)
    assert later.resolve("1.0").digest == image("meanwhile").digest


def test_a_writer_that_is_interrupted_clears_away_its_own_file(store: LayoutStore, home: Path) -> None:
    push(store, image(), "1.0")
    descriptor = describe(b"x" * 3_000_000, _BLOB_TYPE)

    def pieces() -> Iterator[memoryview]:
        yield memoryview(b"x" * 2_000_000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.push(descriptor, pieces)
    assert _temporaries(home) == []
    assert not store.has(descriptor)


def test_clearing_away_passes_over_what_cannot_be_opened(store: LayoutStore, home: Path) -> None:
    push(store, image())
    link = home / ".imgtrust-1.tmp"
    link.symlink_to("nothing")
    (home / ".imgtrust-2.tmp").touch()
    LayoutWriter(str(home)).clean()
    assert _temporaries(home) == [link]


def test_cleaners_that_run_all_the_time_harm_no_writer(home: Path) -> None:
    """A file may be taken away after it was made and before it was locked: the writer sees that and makes another."""
    home.mkdir()
    writer = LayoutWriter(str(home))
    done = Event()

    def clean() -> None:
        while not done.is_set():
            LayoutWriter(str(home)).clean()

    with ThreadPoolExecutor(2) as pool:
        cleaning = [pool.submit(clean) for _ in range(2)]
        try:
            for n in range(150):
                writer.write((), f"file-{n}", [str(n).encode()])
        finally:
            done.set()
        for each in cleaning:
            each.result()
    assert [(home / f"file-{n}").read_text() for n in range(150)] == [str(n) for n in range(150)]
    assert _temporaries(home) == []


# Bytes on their way


def test_pieces_that_prove_something_else_are_proven_again(store: LayoutStore) -> None:
    data, other = b"content", b"another"
    lying = HashedPieces(describe(other, _BLOB_TYPE), [other], "elsewhere")
    with pytest.raises(ContentMismatch):
        store.push(describe(data, _BLOB_TYPE), lambda: lying)
    under512 = Descriptor(_BLOB_TYPE, Digest.of(data, "sha512"), len(data))
    store.push(under512, lambda: HashedPieces(describe(data, _BLOB_TYPE), [data], "elsewhere"))
    assert store.fetch(under512) == data


def test_a_directory_that_vanishes_is_no_answer(store: LayoutStore, home: Path) -> None:
    made = image()
    root = push(store, made, "1.0")
    note = artifact(root)
    (home / "index.json").unlink()
    with pytest.raises(NotFound, match="no index"):
        push(store, note)
