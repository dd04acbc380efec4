"""``commands.graph``: what an image consists of, and which of it is at fault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust import strict_json
from imgtrust.commands import graph
from imgtrust.commands.graph import MAX_DEPTH, is_attestation_manifest, walk
from imgtrust.content import (
    MAX_CHILDREN,
    MAX_MANIFEST_BYTES,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Platform,
    describe,
)
from imgtrust.errors import ContentMismatch, LimitExceeded, StoreUnavailable
from imgtrust.reference import Digest, LayoutRepository
from imgtrust.stores import open_store
from tests.simulators.images import OCI_LAYER, Image, artifact, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def _push(store: MemoryStore, document: dict[str, Any], media_type: str) -> Descriptor:
    raw = strict_json.dumps({"schemaVersion": 2, "mediaType": media_type} | document)
    descriptor = describe(raw, media_type)
    store.push(descriptor, raw)
    return descriptor


def _index(store: MemoryStore, *entries: Descriptor) -> Descriptor:
    return _push(store, {"manifests": [entry.to_json() for entry in entries]}, OCI_INDEX)


def _with_layers(store: MemoryStore, *layers: Descriptor) -> Descriptor:
    config = describe(b"{}", OCI_CONFIG)
    document = {"config": config.to_json(), "layers": [layer.to_json() for layer in layers]}
    return _push(store, document, OCI_MANIFEST)


def test_an_image_of_one_platform_is_its_manifest_and_blobs(store: MemoryStore) -> None:
    made = image(layers=3)
    root = push(store, made)
    found = walk(store, root)
    assert (found.root, found.children, found.attestation_manifests, found.faults) == (root, (), (), ())
    assert list(found.manifests) == [root.digest]
    assert found.manifests[root.digest].raw == made.manifest
    assert found.blobs == tuple(descriptor for descriptor, _ in made.blobs)


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_has_children_with_their_platforms(store: MemoryStore, *, docker: bool) -> None:
    amd, arm = image(docker=docker), image(platform="linux/arm64/v8", docker=docker)
    root = push(store, index(amd, arm, docker=docker))
    found = walk(store, root)
    assert [(d.digest, p) for d, p in found.children] == [
        (amd.digest, Platform("linux", "amd64")),
        (arm.digest, Platform("linux", "arm64", "v8")),
    ]
    assert set(found.manifests) == {root.digest, amd.digest, arm.digest}
    assert found.faults == ()


def test_what_is_shared_is_read_and_listed_once(store: MemoryStore) -> None:
    one = image("same", layers=2)
    two = image("same", layers=2, platform="linux/arm64")
    root = push(store, index(one, two, one))
    found = walk(store, root)
    shared = {d.digest for d, _ in one.blobs[1:]}
    assert len(found.blobs) == 4
    assert shared <= {blob.digest for blob in found.blobs}
    assert [d.digest for d, _ in found.children] == [one.digest, two.digest]
    assert set(store.asked.values()) == {1}


def test_indexes_may_be_nested(store: MemoryStore) -> None:
    one, two = image("one"), image("two")
    inner = index(one)
    root = push(store, index(inner, two))
    found = walk(store, root)
    assert [d.digest for d, _ in found.children] == [two.digest, one.digest]
    assert len(found.manifests) == 4


def test_an_artifact_is_walked_like_an_image(store: MemoryStore) -> None:
    made = artifact(None)
    assert len(walk(store, push(store, made)).blobs) == 2


def test_an_empty_index_has_nothing(store: MemoryStore) -> None:
    found = walk(store, _push(store, {"manifests": None}, OCI_INDEX))
    assert (found.children, found.blobs, found.faults) == ((), (), ())


def test_attestation_manifests_of_buildkit_are_no_platform(store: MemoryStore) -> None:
    made, attestation = image(), artifact(None)
    notes = (("vnd.docker.reference.type", "attestation-manifest"),)
    push(store, made)
    push(store, attestation)
    entry = replace(attestation.descriptor, annotations=notes, platform=Platform("unknown", "unknown"))
    found = walk(store, _index(store, made.descriptor, entry))
    assert [d.digest for d, _ in found.children] == [made.digest]
    assert found.attestation_manifests == (replace(entry, artifact_type=entry.artifact_type),)
    assert len(found.manifests) == 3
    assert len(found.blobs) == 5


def test_an_image_cannot_hide_as_an_attestation() -> None:
    notes = (("vnd.docker.reference.type", "attestation-manifest"),)
    assert is_attestation_manifest(replace(image().descriptor, annotations=notes, platform=None))
    assert not is_attestation_manifest(replace(image().descriptor, annotations=notes))
    assert not is_attestation_manifest(replace(image().descriptor, platform=None))


# Faults


def test_a_root_that_is_missing_or_altered_is_a_fault(store: MemoryStore) -> None:
    absent = walk(store, image().descriptor)
    assert [fault.digest for fault in absent.faults] == [image().digest]
    assert (absent.manifests, absent.children, absent.blobs) == ({}, (), ())
    root = push(store, image())
    assert "expected 1 bytes" in walk(store, replace(root, size=1)).faults[0].reason


@pytest.mark.parametrize("how", ["missing", "altered", "not a manifest", "another type", "too large"])
def test_a_child_at_fault_does_not_hide_the_others(store: MemoryStore, how: str) -> None:
    good, bad = image("good"), image("bad")
    push(store, good)
    push(store, bad)
    entry = bad.descriptor
    if how == "missing":
        del store.blobs[bad.digest]
    elif how == "altered":
        store.failing[bad.digest] = ContentMismatch("other bytes")
    elif how == "not a manifest":
        entry = describe(b'{"schemaVersion":2}', OCI_MANIFEST)
        store.push(entry, b'{"schemaVersion":2}')
    elif how == "another type":
        entry = replace(entry, media_type=OCI_INDEX)
    else:
        entry = replace(entry, size=MAX_MANIFEST_BYTES + 1)
    root = _index(store, entry, good.descriptor)
    found = walk(store, root)
    assert [fault.digest for fault in found.faults] == [entry.digest]
    assert good.digest in found.manifests
    assert {blob.digest for blob in found.blobs} == {d.digest for d, _ in good.blobs}
    if how == "too large":
        assert store.asked[entry.digest] == 0


def test_more_children_than_the_limit_are_a_fault(store: MemoryStore) -> None:
    entries = [Descriptor(OCI_MANIFEST, Digest("sha256", f"{n:064x}"), 1) for n in range(10_000)]
    root = _index(store, *entries)
    assert len(store.blobs[root.digest]) < MAX_MANIFEST_BYTES
    (fault,) = walk(store, root).faults
    assert f"10000 manifests, expected at most {MAX_CHILDREN}" in fault.reason
    assert len(store.asked) == 1


def test_an_entry_of_an_unknown_type_is_a_fault(store: MemoryStore) -> None:
    entry = Descriptor("application/vnd.example.thing", Digest.of(b"x"), 1)
    (fault,) = walk(store, _index(store, entry)).faults
    assert fault.digest == entry.digest
    assert "'application/vnd.example.thing', which cannot be checked" in fault.reason


def test_content_that_is_described_in_two_ways_is_a_fault(store: MemoryStore) -> None:
    made = image()
    push(store, made)
    entry = made.descriptor
    sizes = walk(store, _index(store, entry, replace(entry, size=entry.size + 1)))
    assert [fault.reason for fault in sizes.faults] == [
        f"described as {entry.size} bytes and as {entry.size + 1} bytes"
    ]
    types = walk(store, _index(store, entry, replace(entry, media_type=OCI_INDEX)))
    assert [fault.reason for fault in types.faults] == [f"described as {OCI_MANIFEST} and as {OCI_INDEX}"]
    layer = Descriptor(OCI_LAYER, Digest.of(b"layer"), 5)
    blobs = walk(store, _with_layers(store, layer, replace(layer, size=6), replace(layer, media_type="a/b")))
    assert [(fault.digest, fault.reason) for fault in blobs.faults] == [
        (layer.digest, "described as 5 bytes and as 6 bytes")
    ]


class _Lying(MemoryStore):
    """A store that does not check: only so can an index contain itself."""

    def fetch(self, descriptor: Descriptor) -> bytes:
        return self.blobs[descriptor.digest]


def test_an_index_that_contains_itself_is_a_fault() -> None:
    store = _Lying()
    one, two = (Descriptor(OCI_INDEX, Digest.of(name), 100) for name in (b"one", b"two"))
    for at, entries in ((one, [one, two]), (two, [one])):
        document = {"schemaVersion": 2, "manifests": [entry.to_json() for entry in entries]}
        store.blobs[at.digest] = strict_json.dumps(document)
    found = walk(store, one)
    assert [(f.digest, f.reason) for f in found.faults] == [(one.digest, "this index contains itself")] * 2


# Could not tell


def test_a_store_that_does_not_answer_is_no_fault(store: MemoryStore) -> None:
    child = image()
    root = push(store, index(child))
    store.failing[child.digest] = StoreUnavailable("gone")
    with pytest.raises(StoreUnavailable):
        walk(store, root)


def _nested(levels: int) -> Image:
    made = image()
    for _ in range(levels):
        made = index(made)
    return made


def test_indexes_that_are_nested_too_deep_are_not_read(store: MemoryStore) -> None:
    deepest = _nested(MAX_DEPTH - 1)
    assert walk(store, push(store, deepest)).faults == ()
    with pytest.raises(LimitExceeded, match="nested deeper than 8 levels"):
        walk(store, push(store, index(deepest)))


def test_more_manifests_than_the_limit_are_not_read(store: MemoryStore) -> None:
    wide = [
        _index(store, *(Descriptor(OCI_MANIFEST, Digest.of(f"{n} {m}".encode()), 1) for m in range(999)))
        for n in range(6)
    ]
    with pytest.raises(LimitExceeded, match=f"more than {graph.MAX_MANIFESTS} manifests"):
        walk(store, _index(store, *wide))


def test_a_layout_is_walked_too(tmp_path: Path) -> None:
    store = open_store(LayoutRepository(str(tmp_path / "layout")))
    root = push(store, index(image(), image(platform="linux/arm64")), "1.0")
    found = walk(store, store.resolve("1.0"))
    assert (found.root, len(found.children), found.faults) == (root, 2, ())
