"""The contract of every store: manifests, tags and what is attached."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from imgtrust import strict_json
from imgtrust.content import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    describe,
    parse_manifest,
)
from imgtrust.errors import ContentMismatch, ContentMissing, NotFound
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.reference import Digest
from tests.simulators.images import artifact, image, index, push

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.stores.port import Store
    from tests.contract.implementations import Implementation


def _plain(descriptor: Descriptor) -> Descriptor:
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)


def _digests(found: object) -> list[Digest]:
    return [item.digest for item in found]  # type: ignore[attr-defined]  # an iterator of descriptors


def test_a_store_knows_its_name(store_factory: Callable[[str], Store]) -> None:
    first, again = store_factory("team/app"), store_factory("team/app")
    assert first.repository == again.repository
    assert "team/app" in str(first.repository)


def test_a_manifest_is_resolved_by_digest_and_by_tag_to_the_same(store: Store) -> None:
    root = push(store, image(), "1.0")
    assert store.resolve("1.0") == root
    assert store.resolve(root.digest) == root
    assert store.fetch(root) == image().manifest
    assert store.has(root)


def test_a_manifest_without_a_tag_is_resolved_by_its_digest(store: Store) -> None:
    root = push(store, image())
    assert store.resolve(root.digest) == root


@pytest.mark.parametrize(("docker", "media_type"), [(False, OCI_MANIFEST), (True, DOCKER_MANIFEST)])
def test_both_kinds_of_manifest_keep_their_type_and_bytes(store: Store, media_type: str, *, docker: bool) -> None:
    made = image(docker=docker)
    push(store, made, "1.0")
    found = store.resolve("1.0")
    assert found.media_type == media_type
    assert isinstance(parse_manifest(store.fetch(found), found.media_type), Manifest)


@pytest.mark.parametrize(("docker", "media_type"), [(False, OCI_INDEX), (True, DOCKER_LIST)])
def test_both_kinds_of_index_keep_their_type_and_children(store: Store, media_type: str, *, docker: bool) -> None:
    made = index(image(docker=docker), image(platform="linux/arm64", docker=docker), docker=docker)
    push(store, made, "1.0")
    found = store.resolve("1.0")
    assert found.media_type == media_type
    parsed = parse_manifest(store.fetch(found), found.media_type)
    assert isinstance(parsed, Index)
    for child in parsed.manifests:
        assert store.resolve(child.digest) == _plain(child)
        assert store.fetch(child)


def test_an_index_whose_manifests_are_null_has_none(store: Store, implementation: Implementation) -> None:
    if not implementation.empty_index:
        pytest.skip(f"{implementation.name} takes no empty index")
    raw = strict_json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": None})
    descriptor = describe(raw, OCI_INDEX)
    store.push(descriptor, raw)
    store.tag("empty", descriptor, raw)
    found = parse_manifest(store.fetch(store.resolve("empty")), OCI_INDEX)
    assert isinstance(found, Index)
    assert found.manifests == ()


def test_a_name_that_nobody_gave_is_not_found(store: Store) -> None:
    push(store, image(), "1.0")
    with pytest.raises(NotFound, match=r"2\.0"):
        store.resolve("2.0")
    with pytest.raises(NotFound):
        store.resolve(Digest.of(b"nothing"))


def test_in_a_repository_without_anything_no_name_is_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.resolve("1.0")
    with pytest.raises(NotFound):
        store.resolve(Digest.of(b"nothing"))


def test_a_blob_is_no_manifest(store: Store) -> None:
    made = image()
    push(store, made, "1.0")
    for blob, _ in made.blobs:
        with pytest.raises(NotFound):
            store.resolve(blob.digest)


def test_a_manifest_that_is_not_there_is_missing(store: Store) -> None:
    push(store, image(), "1.0")
    with pytest.raises(ContentMissing):
        store.fetch(_plain(image("another").descriptor))
    assert not store.has(_plain(image("another").descriptor))


def test_a_manifest_that_does_not_match_is_refused(store: Store) -> None:
    made, other = image(), image("other")
    push(store, made, "1.0")
    with pytest.raises(ContentMismatch):
        store.push(_plain(other.descriptor), made.manifest)
    with pytest.raises(ContentMismatch):
        store.tag("1.0", _plain(other.descriptor), made.manifest)
    with pytest.raises(ContentMismatch):
        store.fetch(replace(_plain(made.descriptor), size=made.descriptor.size + 1))
    assert store.resolve("1.0").digest == made.digest
    with pytest.raises(NotFound):
        store.resolve(other.digest)


def test_all_tags_are_listed(store: Store) -> None:
    push(store, image(), "1.0", "latest", "A_b.c-D")
    push(store, image("other"), "2.0")
    assert sorted(store.tags()) == sorted(["1.0", "latest", "A_b.c-D", "2.0"])


def test_several_tags_name_one_image(store: Store) -> None:
    root = push(store, image(), "1.0", "1", "latest")
    assert [store.resolve(tag) for tag in ("1.0", "1", "latest")] == [root] * 3


def test_a_tag_moves_and_the_old_image_stays_under_its_digest(store: Store) -> None:
    old = push(store, image("old"), "1.0", "keeps")
    new = push(store, image("new"), "1.0")
    assert store.resolve("1.0") == new
    assert store.resolve("keeps") == old
    assert store.resolve(old.digest) == old
    store.tag("1.0", old, image("old").manifest)
    assert store.resolve("1.0") == old
    assert sorted(store.tags()) == ["1.0", "keeps"]


def test_the_same_tag_on_the_same_image_again_is_success(store: Store) -> None:
    root = push(store, image(), "1.0")
    store.tag("1.0", root, image().manifest)
    assert store.resolve("1.0") == root
    assert list(store.tags()) == ["1.0"]


def test_pushing_an_image_twice_changes_nothing(store: Store) -> None:
    made = index(image(), image(platform="linux/arm64"))
    assert push(store, made, "1.0") == push(store, made, "1.0")
    assert list(store.tags()) == ["1.0"]


def test_a_legacy_tag_is_a_tag(store: Store) -> None:
    root = push(store, image(), "1.0")
    tag = legacy_tag(root.digest, Suffix.SIG)
    first = push(store, artifact(None, layers=[("text/plain", b"one")]), tag)
    assert store.resolve(tag) == _plain(first)
    second = push(store, artifact(None, layers=[("text/plain", b"one"), ("text/plain", b"two")]), tag)
    assert store.resolve(tag) == _plain(second)


def test_what_is_attached_is_listed_with_type_and_annotations(store: Store) -> None:
    root = push(store, image(), "1.0")
    made = artifact(root, artifact_type="application/vnd.example.scan", annotations={"a": "b"})
    push(store, made)
    (found,) = store.referrers(root)
    assert (found.digest, found.size, found.media_type) == (made.digest, len(made.manifest), OCI_MANIFEST)
    assert found.artifact_type in {"application/vnd.example.scan", None}
    assert store.fetch(found) == made.manifest
    assert list(store.tags()).count("1.0") == 1


def test_each_image_has_its_own_referrers(store: Store) -> None:
    one, two = push(store, image("one"), "1"), push(store, image("two"), "2")
    first = push(store, artifact(one, layers=[("text/plain", b"first")]))
    second = push(store, artifact(one, layers=[("text/plain", b"second")]))
    third = push(store, artifact(two, layers=[("text/plain", b"first")]))
    assert sorted(_digests(store.referrers(one))) == sorted([first.digest, second.digest])
    assert _digests(store.referrers(two)) == [third.digest]


def test_attaching_twice_lists_once(store: Store) -> None:
    root = push(store, image(), "1.0")
    made = artifact(root)
    push(store, made)
    push(store, made)
    assert _digests(store.referrers(root)) == [made.digest]


def test_an_image_without_referrers_has_none(store: Store) -> None:
    root = push(store, image(), "1.0")
    assert list(store.referrers(root)) == []
    assert list(store.referrers(_plain(image("never pushed").descriptor))) == []


def test_in_a_repository_without_anything_nothing_is_attached(store: Store) -> None:
    assert list(store.referrers(_plain(image().descriptor))) == []


def test_children_and_referrers_have_referrers_of_their_own(store: Store) -> None:
    child = image()
    root = push(store, index(child, image(platform="linux/arm64")), "1.0")
    on_child = push(store, artifact(_plain(child.descriptor)))
    on_referrer = push(store, artifact(_plain(on_child), layers=[("text/plain", b"about the note")]))
    assert list(store.referrers(root)) == []
    assert _digests(store.referrers(_plain(child.descriptor))) == [on_child.digest]
    assert _digests(store.referrers(_plain(on_child))) == [on_referrer.digest]


def test_an_index_may_be_attached(store: Store) -> None:
    root = push(store, image(), "1.0")
    inner = image("inner")
    push(store, inner)
    document = strict_json.loads(index(inner).manifest)
    document |= {"artifactType": "application/vnd.example.set", "subject": root.to_json()}
    raw = strict_json.dumps(document)
    store.push(describe(raw, OCI_INDEX), raw)
    assert [(d.digest, d.media_type) for d in store.referrers(root)] == [(Digest.of(raw), OCI_INDEX)]


def test_eight_attachers_at_once_lose_nothing(store_factory: Callable[[str], Store]) -> None:
    root = push(store_factory("team/app"), image(), "1.0")
    notes = [artifact(root, layers=[("text/plain", f"note {n}".encode())]) for n in range(8)]
    stores = [store_factory("team/app") for _ in notes]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(push, stores, notes))
    found = _digests(store_factory("team/app").referrers(root))
    assert sorted(found) == sorted(note.digest for note in notes)
    assert store_factory("team/app").resolve("1.0") == root


def test_eight_taggers_at_once_lose_nothing(store_factory: Callable[[str], Store]) -> None:
    made = image()
    root = push(store_factory("team/app"), made)
    stores = [store_factory("team/app") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: pair[1].tag(f"v{pair[0]}", root, made.manifest), enumerate(stores)))
    assert sorted(store_factory("team/app").tags()) == [f"v{n}" for n in range(8)]
