"""``stores.layout``: layouts that other tools wrote, layouts that lie, and what is created and kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust import strict_json
from imgtrust.content import MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST, Descriptor, describe
from imgtrust.errors import (
    ContentMalformed,
    ContentMismatch,
    ContentMissing,
    InvalidReference,
    LimitExceeded,
    NotFound,
    StoreProtocol,
)
from imgtrust.formats.attachments import fallback_tag
from imgtrust.reference import Digest, LayoutRepository
from imgtrust.stores import open_store
from imgtrust.stores.layout import LayoutStore
from imgtrust.stores.layoutindex import parse_entries
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.port import Inventory
from tests.simulators.images import Image, artifact, image, index, push

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REF = "org.opencontainers.image.ref.name"
_KIND = "dev.cosignproject.cosign/"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "layout"


@pytest.fixture
def store(home: Path) -> LayoutStore:
    return LayoutStore(LayoutRepository(str(home)), StoreOptions())


def _blob(home: Path, digest: Digest) -> Path:
    return home / "blobs" / digest.algorithm / digest.encoded


def _entry(made: Image, name: str | None = None, **members: Any) -> dict[str, Any]:
    entry: dict[str, Any] = made.descriptor.to_json()
    entry.pop("platform", None)
    if name is not None:
        entry["annotations"] = {_REF: name}
    return entry | members


def _write(home: Path, images: list[Image], *entries: dict[str, Any], **members: Any) -> None:
    """A layout as another tool writes it: the content of ``images``, and these entries."""
    for made in images:
        _write(home, list(made.children))
        for descriptor, data in (*made.blobs, (made.descriptor, made.manifest)):
            file = _blob(home, descriptor.digest)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    home.mkdir(parents=True, exist_ok=True)
    (home / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    document = {"schemaVersion": 2, "manifests": list(entries)} | members
    (home / "index.json").write_bytes(strict_json.dumps(document))


def _files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


# What is created


def test_opening_and_reading_create_nothing(store: LayoutStore, home: Path) -> None:
    assert isinstance(open_store(LayoutRepository(str(home))), LayoutStore)
    assert isinstance(store, Inventory)
    assert not store.has(image().descriptor)
    assert list(store.referrers(image().descriptor)) == []
    for ask in (lambda: store.resolve("1"), lambda: list(store.tags()), lambda: list(store.manifests())):
        with pytest.raises(NotFound, match="is not an OCI image layout: it has no oci-layout"):
            ask()
    assert not home.exists()


def test_the_first_push_makes_a_layout(store: LayoutStore, home: Path) -> None:
    root = push(store, image(layers=1), "1.0")
    assert strict_json.loads((home / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert strict_json.loads((home / "index.json").read_bytes()) == {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [root.to_json() | {"annotations": {_REF: "1.0"}}],
    }
    assert _files(home) == sorted(
        [".imgtrust.lock", "index.json", "oci-layout"]
        + [f"blobs/sha256/{d.digest.encoded}" for d, _ in (*image(layers=1).blobs, (root, b""))]
    )


def test_a_referrer_is_listed_as_oras_and_as_regctl_list_it(store: LayoutStore, home: Path) -> None:
    root = push(store, image(), "1.0")
    note = artifact(root, annotations={"a": "b"})
    push(store, note)
    push(store, note)
    entries = strict_json.loads((home / "index.json").read_bytes())["manifests"]
    plain = {"mediaType": OCI_MANIFEST, "digest": str(note.digest), "size": len(note.manifest)}
    entry = plain | {"annotations": {"a": "b"}, "artifactType": "application/vnd.example.note"}
    assert len(entries) == 3
    assert entries[1] == entry
    assert entries[2]["annotations"] == {_REF: fallback_tag(root.digest)}
    listed = strict_json.loads(store.fetch(store.resolve(fallback_tag(root.digest))))
    assert listed == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}


def test_a_fallback_list_is_begun_with_all_that_oras_attached(store: LayoutStore, home: Path) -> None:
    made = image()
    old = artifact(made.descriptor, layers=[("a/b", b"old")])
    _write(home, [made, old], _entry(made, "1"), _entry(old))
    new = artifact(made.descriptor, layers=[("a/b", b"new")])
    push(store, new)
    listed = parse_entries(store.fetch(store.resolve(fallback_tag(made.digest))), "fallback", 10)
    assert [d.digest for d in listed] == [old.digest, new.digest]


def test_a_fallback_list_of_another_tool_is_continued(store: LayoutStore, home: Path) -> None:
    made = image()
    old, new = (artifact(made.descriptor, layers=[("a/b", name)]) for name in (b"old", b"new"))
    lists = index(old)
    _write(home, [made, old, lists], _entry(made, "1"), _entry(lists, fallback_tag(made.digest)))
    push(store, new)
    listed = parse_entries(store.fetch(store.resolve(fallback_tag(made.digest))), "fallback", 10)
    assert [d.digest for d in listed] == [old.digest, new.digest]
    assert sorted(d.digest for d in store.referrers(made.descriptor)) == sorted([old.digest, new.digest])


@pytest.mark.parametrize("how", ["itself", "twice", "altered", "too large"])
def test_what_else_stands_under_the_fallback_tag_is_left_alone(store: LayoutStore, home: Path, how: str) -> None:
    made, lists = image(), index(image("other"))
    tag = fallback_tag(made.digest)
    entries = {
        "itself": [_entry(made, tag)],
        "twice": [_entry(made), _entry(lists, tag), _entry(lists, tag)],
        "too large": [_entry(made), _entry(lists, tag, size=MAX_MANIFEST_BYTES + 1)],
    }.get(how, [_entry(made), _entry(lists, tag)])
    _write(home, [made, lists], *entries)
    if how == "altered":
        _blob(home, lists.digest).write_bytes(b"?")
    note = artifact(made.descriptor)
    push(store, note)
    after = strict_json.loads((home / "index.json").read_bytes())["manifests"]
    assert after[:-1] == entries
    assert after[-1]["digest"] == str(note.digest)


def test_children_are_not_listed_beside_their_index(store: LayoutStore, home: Path) -> None:
    root = push(store, index(image(), image(platform="linux/arm64")), "1.0")
    push(store, index(image(), image(platform="linux/arm64")), "1.0")
    assert [entry["digest"] for entry in strict_json.loads((home / "index.json").read_bytes())["manifests"]] == [
        str(root.digest)
    ]


def test_a_directory_with_other_files_is_not_made_a_layout(store: LayoutStore, home: Path) -> None:
    home.mkdir()
    (home / "notes.txt").write_text("mine")
    with pytest.raises(StoreProtocol, match="not empty and no OCI image layout"):
        push(store, image())
    assert _files(home) == ["notes.txt"]


def test_a_layout_that_was_begun_is_completed(store: LayoutStore, home: Path) -> None:
    (home / "blobs").mkdir(parents=True)
    (home / ".imgtrust.lock").touch()
    push(store, image(), "1.0")
    assert store.resolve("1.0").digest == image().digest


def test_what_other_tools_keep_in_a_layout_stays(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image(), "1", urls=["x"]), annotations={"a": "b"})
    (home / "README").write_text("theirs")
    push(store, image("new"), "2")
    document = strict_json.loads((home / "index.json").read_bytes())
    assert document["annotations"] == {"a": "b"}
    assert document["manifests"][0] == _entry(image(), "1", urls=["x"])
    assert (home / "README").read_text() == "theirs"


def test_a_blob_that_was_altered_is_repaired_by_a_push(store: LayoutStore, home: Path) -> None:
    made = image()
    push(store, made, "1.0")
    for descriptor, _ in made.blobs:
        _blob(home, descriptor.digest).write_bytes(b"?" * descriptor.size)
    _blob(home, made.digest).write_bytes(b"short")
    push(store, made, "1.0")
    assert [store.fetch(descriptor) for descriptor, _ in made.blobs] == [data for _, data in made.blobs]
    assert store.fetch(store.resolve("1.0")) == made.manifest


def test_a_manifest_from_a_source_is_listed_too(store: LayoutStore) -> None:
    made = image()
    plain = Descriptor(OCI_MANIFEST, made.digest, len(made.manifest))
    store.push(plain, lambda: iter([memoryview(made.manifest)]))
    assert list(store.manifests()) == [plain]


def test_a_manifest_that_is_too_large_is_not_pushed(store: LayoutStore, home: Path) -> None:
    data = b" " * (MAX_MANIFEST_BYTES + 1)
    with pytest.raises(LimitExceeded):
        store.push(describe(data, OCI_MANIFEST), data)
    assert not home.exists()


@pytest.mark.parametrize("tag", ["", "a/b", "x" * 129, "docker.io/library/app:1", "a b", "1\n"])
def test_what_is_no_tag_is_not_written(store: LayoutStore, tag: str) -> None:
    root = push(store, image(), "1.0")
    with pytest.raises(InvalidReference, match="is not a tag"):
        store.tag(tag, root, image().manifest)
    assert list(store.tags()) == ["1.0"]


def test_nothing_is_mounted_from_another_layout(store: LayoutStore, tmp_path: Path) -> None:
    assert not store.mount(image().descriptor, LayoutRepository(str(tmp_path)))


# What other tools wrote


def test_a_layout_without_tags_says_what_it_has(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image()))
    with pytest.raises(NotFound, match=rf"has no tag latest; it has without a tag {image().digest}"):
        store.resolve("latest")
    assert store.resolve(image().digest).digest == image().digest


def test_a_layout_with_tags_says_what_it_has(store: LayoutStore, home: Path) -> None:
    many = [image(str(n), layers=0) for n in range(12)]
    _write(home, many, *(_entry(made, f"v{n}") for n, made in enumerate(many)))
    with pytest.raises(NotFound, match=r"has no tag latest; it has the tags v0, .*, v9 and more$"):
        store.resolve("latest")


def test_an_empty_layout_says_so(store: LayoutStore, home: Path) -> None:
    _write(home, [])
    with pytest.raises(NotFound, match="no images at all"):
        store.resolve("latest")
    assert list(store.tags()) == []
    assert list(store.manifests()) == []


def test_a_name_that_is_a_full_reference_is_no_tag(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image(), "docker.io/library/app:1"))
    assert list(store.tags()) == []
    assert [found.digest for found in store.manifests()] == [image().digest]


def test_referrers_under_the_fallback_tag_are_found(store: LayoutStore, home: Path) -> None:
    made, other = image(), image("other")
    note, listed = artifact(made.descriptor), artifact(made.descriptor, layers=[("text/plain", b"listed")])
    lists = index(note, listed)
    stray = index(artifact(other.descriptor))
    _write(
        home,
        [made, other, note, listed, lists, stray],
        _entry(made, "1"),
        _entry(listed),
        _entry(lists, fallback_tag(made.digest)),
        _entry(stray, fallback_tag(other.digest)),
    )
    assert sorted(d.digest for d in store.referrers(made.descriptor)) == sorted([note.digest, listed.digest])
    assert [d.digest for d in store.referrers(other.descriptor)] == [stray.children[0].digest]
    assert [d.digest for d in store.manifests()] == [made.digest]


def test_a_fallback_tag_that_names_the_image_itself_lists_nothing(store: LayoutStore, home: Path) -> None:
    made, lists = image(), index(image())
    _write(home, [made, lists], _entry(made, fallback_tag(made.digest)), _entry(lists, fallback_tag(lists.digest)))
    assert list(store.referrers(made.descriptor)) == []
    assert list(store.referrers(lists.descriptor)) == []


@pytest.mark.parametrize("content", [None, b"{}", b"not json", b"other"])
def test_a_fallback_list_that_cannot_be_read_is_not_an_empty_list(
    store: LayoutStore, home: Path, content: bytes | None
) -> None:
    made = image()
    lists = index(artifact(made.descriptor))
    _write(home, [made, lists], _entry(made, "1"), _entry(lists, fallback_tag(made.digest)))
    file = _blob(home, lists.digest)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreProtocol, match="list of referrers cannot be read"):
        list(store.referrers(made.descriptor))


def _saved_by_cosign(home: Path) -> tuple[Image, Image, Image]:
    """An image with legacy signatures that are listed by kind, and a bundle's manifest that is not listed."""
    made = image()
    signatures = artifact(None, layers=[("application/vnd.dev.cosign.simplesigning.v1+json", b"{}")])
    bundle = artifact(made.descriptor, artifact_type="application/vnd.dev.sigstore.bundle.v0.3+json")
    _write(
        home,
        [made, signatures, bundle],
        _entry(made, annotations={"kind": f"{_KIND}image"}),
        _entry(signatures, annotations={"kind": f"{_KIND}sigs"}),
    )
    return made, signatures, bundle


def test_what_cosign_save_leaves_out_is_found(store: LayoutStore, home: Path) -> None:
    made, signatures, bundle = _saved_by_cosign(home)
    assert store.resolve(f"sha256-{made.digest.encoded}.sig").digest == signatures.digest
    (found,) = store.referrers(made.descriptor)
    assert found == Descriptor(OCI_MANIFEST, bundle.digest, len(bundle.manifest), bundle.descriptor.artifact_type)
    assert [d.digest for d in store.manifests()] == [made.digest]
    assert [d.digest for d in store.referrers(made.descriptor)] == [bundle.digest]


def test_the_blobs_are_scanned_again_when_something_was_added(store: LayoutStore, home: Path) -> None:
    made, _, bundle = _saved_by_cosign(home)
    assert len(list(store.referrers(made.descriptor))) == 1
    later = artifact(made.descriptor, layers=[("text/plain", b"later")])
    for descriptor, data in (*later.blobs, (later.descriptor, later.manifest)):
        _blob(home, descriptor.digest).write_bytes(data)
    os.utime(home / "blobs" / "sha256", ns=(1, 1))
    assert sorted(d.digest for d in store.referrers(made.descriptor)) == sorted([bundle.digest, later.digest])


def test_the_scan_passes_over_what_is_no_manifest(store: LayoutStore, home: Path) -> None:
    made, _, bundle = _saved_by_cosign(home)
    blobs = home / "blobs" / "sha256"
    (blobs / "not-a-digest").write_bytes(bundle.manifest)
    (blobs / ("0" * 64)).symlink_to(bundle.digest.encoded)
    (blobs / ("1" * 64)).mkdir()
    (blobs / ("2" * 64)).write_bytes(b'{"subject": [')
    (blobs / ("3" * 64)).write_bytes(b'{"subject": {"digest": "md5:1"}, "schemaVersion": 2}')
    (blobs / ("4" * 64)).write_bytes(b'{"subject": {"digest": 1}}')
    (blobs / ("5" * 64)).write_bytes(b"{" + b" " * (1024 * 1024) + b'"subject": 1}')
    (blobs / ("6" * 64)).write_bytes(b'{"subject": {"digest": "' + str(made.digest).encode() + b'"}}')
    assert [d.digest for d in store.referrers(made.descriptor)] == [bundle.digest]


def test_a_directory_of_too_many_blobs_is_not_scanned(store: LayoutStore, home: Path) -> None:
    made, _, _ = _saved_by_cosign(home)
    for n in range(20_001):
        _blob(home, Digest("sha256", f"{n:064x}")).touch()
    with pytest.raises(LimitExceeded, match="looks for referrers in 20000 at most"):
        list(store.referrers(made.descriptor))


def test_too_many_bytes_of_json_are_not_scanned(store: LayoutStore, home: Path) -> None:
    made, _, _ = _saved_by_cosign(home)
    for n in range(65):
        _blob(home, Digest("sha256", f"{n:064x}")).write_bytes(b"{" + b" " * (1024 * 1024 - 1))
    with pytest.raises(LimitExceeded, match="bytes of JSON"):
        list(store.referrers(made.descriptor))


def test_an_inventory_lists_each_image_once_and_nothing_else(store: LayoutStore, home: Path) -> None:
    tagged, twice, untagged = image("tagged"), image("twice"), image("untagged")
    child, arm = image("child"), image("child", platform="linux/arm64")
    parent, note = index(child, arm), artifact(tagged.descriptor)
    signature, tagged_note = (
        artifact(None, layers=[("a/b", b"sig")]),
        artifact(tagged.descriptor, layers=[("a/b", b"")]),
    )
    _write(
        home,
        [tagged, twice, untagged, parent, note, signature, tagged_note],
        _entry(parent, "p"),
        _entry(child),
        _entry(arm, "arm"),
        _entry(tagged, "1"),
        _entry(twice, "2"),
        _entry(twice, "3"),
        _entry(twice),
        _entry(untagged),
        _entry(note),
        _entry(signature, f"sha256-{tagged.digest.encoded}.sig"),
        _entry(tagged_note, "hidden-by-a-subject"),
    )
    found = [d.digest for d in store.manifests()]
    assert found == [x.digest for x in (parent, arm, tagged, twice, untagged, tagged_note)]


def test_an_inventory_lists_what_cannot_be_read(store: LayoutStore, home: Path) -> None:
    gone, altered = image("gone"), index(image("altered"))
    large = Descriptor(OCI_MANIFEST, Digest.of(b"large"), MAX_MANIFEST_BYTES + 1)
    _write(home, [altered], _entry(gone), _entry(altered), large.to_json())
    _blob(home, altered.digest).write_bytes(b'{"manifests": 1}')
    _blob(home, large.digest).write_bytes(b" " * large.size)
    assert [d.digest for d in store.manifests()] == [gone.digest, altered.digest, large.digest]


# Layouts that lie


def test_a_tag_that_two_entries_bear_names_nothing(store: LayoutStore, home: Path) -> None:
    _write(home, [image("a"), image("b")], _entry(image("a"), "1"), _entry(image("b"), "1"))
    with pytest.raises(ContentMalformed, match="2 entries bear the tag 1"):
        store.resolve("1")
    assert list(store.tags()) == ["1"]
    assert store.resolve(image("a").digest).digest == image("a").digest


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_manifest_that_the_index_names_and_that_is_not_there_is_missing(
    store: LayoutStore, home: Path, by: str
) -> None:
    _write(home, [], _entry(image(), "1"))
    with pytest.raises(ContentMissing, match="not in this layout"):
        store.resolve("1" if by == "tag" else image().digest)


def test_a_manifest_of_another_digest_or_size_is_refused(store: LayoutStore, home: Path) -> None:
    made = image()
    _write(home, [made], _entry(made, "1"), _entry(made, "2", size=1, annotations={_REF: "2"}))
    with pytest.raises(ContentMismatch, match=r"expected 1 bytes, found \d+ \(oversized\)"):
        store.resolve("2")
    _blob(home, made.digest).write_bytes(made.manifest.replace(b"2", b"3"))
    with pytest.raises(ContentMismatch, match="the bytes that came are"):
        store.resolve("1")
    _blob(home, made.digest).write_bytes(made.manifest[:-1])
    with pytest.raises(ContentMismatch, match="truncated"):
        store.resolve("1")


def test_a_media_type_that_contradicts_the_manifest_is_refused(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image(), "1", mediaType=OCI_INDEX))
    for name in ("1", image().digest):
        with pytest.raises(ContentMalformed, match=r"the index says .*, the manifest itself "):
            store.resolve(name)


def test_an_entry_that_is_no_manifest_is_refused_by_name(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image(), "1", mediaType="application/xml"))
    with pytest.raises(ContentMalformed, match="'application/xml', which is not the type of a manifest"):
        store.resolve("1")
    assert list(store.referrers(image().descriptor)) == []


def test_an_entry_that_is_larger_than_any_manifest_is_not_read(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image(), "1", size=MAX_MANIFEST_BYTES + 1))
    with pytest.raises(ContentMalformed, match="expected at most"):
        store.resolve("1")


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (b'{"schemaVersion":2,"config":{},"layers":[]}', OCI_MANIFEST),
        (b'{"schemaVersion":2,"manifests":[]}', OCI_INDEX),
        (b'{"schemaVersion":2,"mediaType":"' + OCI_INDEX.encode() + b'"}', OCI_INDEX),
    ],
)
def test_the_kind_of_an_unlisted_manifest_is_told_from_its_bytes(
    store: LayoutStore, home: Path, raw: bytes, media_type: str
) -> None:
    _write(home, [])
    file = _blob(home, Digest.of(raw))
    file.parent.mkdir(parents=True)
    file.write_bytes(raw)
    assert store.resolve(Digest.of(raw)) == Descriptor(media_type, Digest.of(raw), len(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"schemaVersion":2}',
        b'{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}',
        b'{"schemaVersion":2,"manifests":[],"layers":[]}',
        b'{"schemaVersion":2,"manifests":null}',
        b'{"schemaVersion":2,"mediaType":"text/plain","manifests":[]}',
        b'{"schemaVersion":2,"mediaType":1,"manifests":[]}',
        b'{"schemaVersion":1,"manifests":[]}',
    ],
)
def test_an_unlisted_manifest_that_could_be_anything_is_refused(store: LayoutStore, home: Path, raw: bytes) -> None:
    _write(home, [image()])
    _blob(home, Digest.of(raw)).write_bytes(raw)
    with pytest.raises(ContentMalformed, match="what kind of manifest"):
        store.resolve(Digest.of(raw))


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"", b"\x1f\x8b", b'{"a":1,"a":2}', b" " * (MAX_MANIFEST_BYTES + 1)])
def test_an_unlisted_blob_is_no_manifest(store: LayoutStore, home: Path, raw: bytes) -> None:
    _write(home, [image()])
    _blob(home, Digest.of(raw)).write_bytes(raw)
    with pytest.raises(NotFound):
        store.resolve(Digest.of(raw))


def test_an_unlisted_manifest_that_was_altered_is_refused(store: LayoutStore, home: Path) -> None:
    _write(home, [image()])
    _blob(home, image().digest).write_bytes(image("other").manifest)
    with pytest.raises(ContentMismatch):
        store.resolve(image().digest)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"schemaVersion":2,"manifests":[],"manifests":[]}'])
def test_an_index_that_is_no_index_is_refused_and_not_overwritten(store: LayoutStore, home: Path, raw: bytes) -> None:
    _write(home, [image()])
    (home / "index.json").write_bytes(raw)
    asked: list[Callable[[], object]] = [
        lambda: store.resolve("1"),
        lambda: list(store.tags()),
        lambda: list(store.manifests()),
        lambda: list(store.referrers(image().descriptor)),
        lambda: push(store, image(), "1"),
    ]
    for ask in asked:
        with pytest.raises(ContentMalformed):
            ask()
    assert (home / "index.json").read_bytes() == raw


def test_an_index_that_is_too_large_is_not_read(store: LayoutStore, home: Path) -> None:
    _write(home, [image()])
    with (home / "index.json").open("r+b") as file:
        file.truncate(32 * 1024 * 1024 + 1)
    with pytest.raises(LimitExceeded, match="33554433 bytes"):
        store.resolve("1")


def test_a_layout_of_another_version_is_refused(store: LayoutStore, home: Path) -> None:
    _write(home, [image()], _entry(image(), "1"))
    (home / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}')
    with pytest.raises(ContentMalformed, match=r"imageLayoutVersion is 2\.0\.0"):
        store.resolve("1")


def test_a_layout_without_an_index_is_none(store: LayoutStore, home: Path) -> None:
    _write(home, [image()])
    (home / "index.json").unlink()
    with pytest.raises(NotFound, match=r"it has no index\.json"):
        store.resolve("1")


def test_an_index_that_is_replaced_is_read_again(store: LayoutStore, home: Path) -> None:
    _write(home, [image("a"), image("b")], _entry(image("a"), "1"))
    os.utime(home / "index.json", (1, 1))
    assert store.resolve("1").digest == image("a").digest
    assert store.resolve("1").digest == image("a").digest
    _write(home, [], _entry(image("b"), "1"))
    assert store.resolve("1").digest == image("b").digest


def test_bytes_that_are_altered_between_two_readings_are_refused(store: LayoutStore, home: Path) -> None:
    made = image(size=3_000_000)
    push(store, made, "1")
    layer, data = made.blobs[-1]
    pieces = store.stream(layer)
    got = len(next(pieces))
    file = _blob(home, layer.digest)
    with file.open("r+b") as open_file:
        open_file.truncate(2_500_000)
    with pytest.raises(ContentMismatch):
        got += sum(len(piece) for piece in pieces)
    assert got < len(data)
