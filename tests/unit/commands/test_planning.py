"""The plan of a promotion: everything that belongs to an image, in an order in which it can arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imgtrust import strict_json
from imgtrust.commands.promotion.plan import Plan, plan_digest
from imgtrust.commands.promotion.planning import choose_platform, make_plan
from imgtrust.commands.promotion.told import objects
from imgtrust.commands.snapshot import Snapshot
from imgtrust.content import OCI_INDEX, Descriptor, describe
from imgtrust.errors import ContentMalformed, NotFound, UsageError
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.policy.verdict import PolicyId
from imgtrust.reference import Digest, LayoutRepository, Reference
from imgtrust.stores import StoreOptions
from imgtrust.stores.layout import LayoutStore
from tests.simulators.images import Image, artifact, image, index, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROD = LayoutRepository("prod")
TWO = index(image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LayoutStore]:
    layout = LayoutStore(LayoutRepository(str(tmp_path / "ci")), StoreOptions())
    yield layout
    layout.close()


def plain(item: Image) -> Descriptor:
    found = item.descriptor
    return Descriptor(found.media_type, found.digest, found.size)


def planned(store: LayoutStore, root: Descriptor, *, jobs: int = 4) -> Plan:
    reference = Reference(store.repository, "1.4")
    return make_plan(Snapshot(store), reference, root, PROD, tags=["1.4"], jobs=jobs)


def test_children_come_before_the_index_and_every_blob_is_there_once(store: LayoutStore) -> None:
    plan = planned(store, push(store, TWO, "1.4"))
    assert [[item.digest for item in level] for level in plan.levels] == [
        [child.digest for child in TWO.children],
        [TWO.digest],
    ]
    blobs = {descriptor.digest for child in TWO.children for descriptor, _ in child.blobs}
    assert {blob.digest for blob in plan.blobs} == blobs
    assert len(plan.blobs) == len(blobs)
    assert plan.configs == {child.blobs[0][0].digest for child in TWO.children}
    assert str(plan.target) == f"oci:prod:1.4@{TWO.digest}"


def test_an_index_in_an_index_comes_after_its_children_and_before_its_parent(store: LayoutStore) -> None:
    inner = index(image("c", platform="linux/s390x"))
    outer = index(inner, *TWO.children)
    plan = planned(store, push(store, outer, "1.4"))
    order = [item.digest for level in plan.levels for item in level]
    assert order.index(inner.children[0].digest) < order.index(inner.digest) < order.index(outer.digest)
    assert order[-1] == outer.digest


def test_referrers_of_index_child_and_referrer_are_found(store: LayoutStore) -> None:
    root = push(store, TWO, "1.4")
    on_index = push(store, artifact(root, layers=[("text/plain", b"on the index")]))
    on_child = push(store, artifact(plain(TWO.children[0]), layers=[("text/plain", b"on the child")]))
    on_both = push(store, artifact(on_index, layers=[("text/plain", b"on the referrer")]))
    plan = planned(store, root)
    assert {(item.descriptor.digest, item.subject.digest, item.depth) for item in plan.attached} == {
        (on_index.digest, root.digest, 0),
        (on_child.digest, TWO.children[0].digest, 0),
        (on_both.digest, on_index.digest, 1),
    }
    assert {blob.digest for blob in plan.evidence_blobs} >= {Digest.of(b"on the index"), Digest.of(b"on the referrer")}
    assert not {blob.digest for blob in plan.evidence_blobs} & {blob.digest for blob in plan.blobs}


def test_a_circle_of_referrers_ends(store: LayoutStore) -> None:
    child = image("a")
    root = push(store, child, "1.4")
    note = push(store, artifact(root))
    about_note = push(store, artifact(note, layers=[("text/plain", b"two")]))
    plan = planned(store, root)
    assert [item.descriptor.digest for item in plan.attached] == [note.digest, about_note.digest]


def test_the_tags_of_cosign_come_along(store: LayoutStore) -> None:
    root = push(store, TWO, "1.4")
    signature = artifact(None, layers=[("application/vnd.dev.cosign.simplesigning.v1+json", b"{}")])
    push(store, signature, legacy_tag(root.digest, Suffix.SIG), legacy_tag(TWO.children[1].digest, Suffix.ATT))
    plan = planned(store, root)
    assert {item.tag for item in plan.legacy} == {
        legacy_tag(root.digest, Suffix.SIG),
        legacy_tag(TWO.children[1].digest, Suffix.ATT),
    }


def test_an_index_under_a_tag_of_cosign_stays_behind(store: LayoutStore) -> None:
    root = push(store, image("a"), "1.4")
    push(store, index(image("x")), legacy_tag(root.digest, Suffix.SIG))
    plan = planned(store, root)
    assert plan.legacy == ()
    assert "holds an index" in plan.left_behind[0].reason


def test_what_is_attached_and_broken_stays_behind_and_is_named(store: LayoutStore, tmp_path: Path) -> None:
    root = push(store, image("a"), "1.4")
    good = push(store, artifact(root))
    bad = push(store, artifact(root, layers=[("text/plain", b"other")]))
    found = tmp_path / "ci" / "blobs" / "sha256" / bad.digest.encoded
    found.chmod(0o644)
    found.write_bytes(found.read_bytes().replace(b"schemaVersion", b"schemaversion"))
    plan = planned(store, root)
    assert [item.descriptor.digest for item in plan.attached] == [good.digest]
    assert [item.digest for item in plan.left_behind] in ([bad.digest], [])


def test_a_broken_image_has_no_plan(store: LayoutStore, tmp_path: Path) -> None:
    root = push(store, TWO, "1.4")
    (tmp_path / "ci" / "blobs" / "sha256" / TWO.children[0].digest.encoded).unlink()
    with pytest.raises(ContentMalformed):
        planned(store, root)


def test_the_plan_is_another_where_anything_is_another(store: LayoutStore) -> None:
    root = push(store, TWO, "1.4")
    policy = PolicyId("flags", Digest.of(b"p"))
    first = plan_digest(planned(store, root), policy)
    assert first == plan_digest(planned(store, root), policy)
    assert first != plan_digest(planned(store, root), PolicyId("flags", Digest.of(b"q")))
    push(store, artifact(root))
    assert first != plan_digest(planned(store, root), policy)


def test_without_platforms_the_whole_image_is_chosen(store: LayoutStore) -> None:
    root = push(store, TWO, "1.4")
    assert choose_platform(Snapshot(store), root, []) == root
    assert choose_platform(Snapshot(store), root, ["linux/arm64", "linux/amd64"]) == root


def test_one_platform_is_its_own_manifest(store: LayoutStore) -> None:
    root = push(store, TWO, "1.4")
    assert choose_platform(Snapshot(store), root, ["linux/arm64"]) == plain(TWO.children[1])


def test_some_platforms_but_not_all_are_refused_with_the_reason(store: LayoutStore) -> None:
    three = index(*TWO.children, image("c", platform="linux/s390x"))
    root = push(store, three, "1.4")
    with pytest.raises(UsageError, match="cannot be cut without changing its digest"):
        choose_platform(Snapshot(store), root, ["linux/amd64", "linux/arm64"])


@pytest.mark.parametrize("item", [TWO, image("single")])
def test_a_platform_that_is_not_there_is_named_with_those_that_are(store: LayoutStore, item: Image) -> None:
    root = push(store, item, "1.4")
    with pytest.raises(UsageError, match=r"has no platform windows/amd64; it has (linux/amd64, linux/arm64|none)"):
        choose_platform(Snapshot(store), root, ["windows/amd64"])


def test_a_snapshot_answers_as_it_did_the_first_time(store: LayoutStore) -> None:
    first = push(store, image("first"), "1.4")
    snapshot = Snapshot(store)
    assert snapshot.resolve("1.4").digest == first.digest
    assert list(snapshot.referrers(first)) == []
    with pytest.raises(NotFound):
        snapshot.resolve("later")
    push(store, image("second"), "1.4", "later")
    push(store, artifact(first))
    assert snapshot.resolve("1.4").digest == first.digest
    assert list(snapshot.referrers(first)) == []
    with pytest.raises(NotFound):
        snapshot.resolve("later")
    snapshot.close()
    assert snapshot.fetch(first) == image("first").manifest


def test_a_broken_index_has_no_platforms_to_choose_from(store: LayoutStore, tmp_path: Path) -> None:
    root = push(store, TWO, "1.4")
    (tmp_path / "ci" / "blobs" / "sha256" / root.digest.encoded).unlink()
    with pytest.raises(ContentMalformed):
        choose_platform(Snapshot(store), root, ["linux/amd64"])


def test_an_attached_index_brings_its_own_manifests(store: LayoutStore) -> None:
    root = push(store, image("a"), "1.4")
    inner = image("attached")
    push(store, inner)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "artifactType": "application/vnd.example.bundle",
        "manifests": [plain(inner).to_json()],
        "subject": root.to_json(),
    }
    raw = strict_json.dumps(document)
    store.push(describe(raw, OCI_INDEX), raw)
    [attached] = planned(store, root).attached
    assert [item.digest for item in attached.manifests] == [inner.digest, Digest.of(raw)]
    assert {blob.digest for blob in attached.blobs} == {blob.digest for blob, _ in inner.blobs}
    kinds = [kind for kind, item in objects(planned(store, root)) if item.digest in {inner.digest, Digest.of(raw)}]
    assert kinds == ["manifest", "referrer"]
