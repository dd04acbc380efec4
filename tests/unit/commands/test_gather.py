"""``commands.integrity`` and ``commands.gather``: every byte hashed once, and the facts of an image."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust import strict_json
from imgtrust.commands.gather import gather
from imgtrust.commands.graph import walk
from imgtrust.commands.integrity import check_blobs
from imgtrust.content import MAX_MANIFEST_BYTES, OCI_CONFIG, OCI_MANIFEST, Descriptor, Platform, describe
from imgtrust.errors import ContentMismatch, StoreUnavailable
from imgtrust.evidence import Kind
from imgtrust.formats.attachments import Suffix, bundle_attachment, legacy_tag
from imgtrust.reference import Digest, LayoutRepository, Reference
from imgtrust.refusals import RefusalCode
from imgtrust.rules.facts import IntegrityMode
from imgtrust.stores import open_store
from tests.simulators.evidence import AT, Key, bundle, statement, trusting
from tests.simulators.images import OCI_LAYER, Image, artifact, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.rules.facts import ImageFacts
    from imgtrust.stores.port import Store
    from imgtrust.trust.roots import TrustRoot

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def _sign(store: Store, subject: Descriptor, key: Key) -> Digest:
    content = bundle(key, statement(subject.digest))
    plain = Descriptor(subject.media_type, subject.digest, subject.size)
    made = bundle_attachment(plain, content, predicate_type=None, content="dsse-envelope", created=_NOW)
    for descriptor, data in (*made.blobs, (made.descriptor, made.manifest)):
        store.push(descriptor, data)
    return made.descriptor.digest


def _gather(store: Store, root: Descriptor, trust: TrustRoot | None = None, **options: Any) -> ImageFacts:
    return gather(store, Reference(store.repository, "1.0"), root, trust or trusting(), at=AT, **options)


def _image_of(store: MemoryStore, config: bytes, *layers: Descriptor, media_type: str = OCI_CONFIG) -> Descriptor:
    described = describe(config, media_type)
    store.push(described, config)
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described.to_json()}
    raw = strict_json.dumps(document | {"layers": [layer.to_json() for layer in layers]})
    descriptor = describe(raw, OCI_MANIFEST)
    store.push(descriptor, raw)
    return descriptor


# Integrity


@pytest.mark.parametrize("jobs", [1, 8])
def test_every_blob_of_a_whole_image_is_hashed_once(store: MemoryStore, jobs: int) -> None:
    root = push(store, index(image(), image(platform="linux/arm64"), image("other", docker=True)))
    facts = _gather(store, root, jobs=jobs).integrity
    assert (facts.mode, facts.manifests, facts.blobs, facts.blobs_checked, facts.faults) == (
        IntegrityMode.FULL,
        4,
        7,
        7,
        (),
    )
    known = walk(store, root).blobs
    assert facts.size == sum(blob.size for blob in known)
    assert {store.asked[blob.digest] for blob in known} == {1}


def test_with_manifests_only_no_blob_is_read(store: MemoryStore) -> None:
    made = image()
    root = push(store, made)
    facts = _gather(store, root, mode=IntegrityMode.MANIFESTS)
    assert (facts.integrity.blobs, facts.integrity.blobs_checked, facts.integrity.faults) == (3, 0, ())
    assert facts.root.platform is None
    assert all(store.asked[d.digest] == 0 for d, _ in made.blobs)


@pytest.mark.parametrize("which", ["config", "layer"])
@pytest.mark.parametrize("how", ["missing", "altered", "truncated"])
def test_a_blob_at_fault_is_named(store: MemoryStore, which: str, how: str) -> None:
    made = image()
    root = push(store, made)
    at, data = made.blobs[0 if which == "config" else 2]
    if how == "missing":
        del store.blobs[at.digest]
    else:
        store.blobs[at.digest] = data[:-1] if how == "truncated" else bytes(len(data))
    found = _gather(store, root).integrity
    assert [fault.digest for fault in found.faults] == [at.digest]
    assert (found.blobs, found.blobs_checked) == (3, 2)
    expected = {"missing": "not in registry.test", "altered": "the bytes that came are", "truncated": "expected"}
    assert expected[how] in found.faults[0].reason


def test_a_blob_that_is_described_too_large_or_small_is_a_fault(store: MemoryStore) -> None:
    layer = describe(b"layer", OCI_LAYER)
    store.push(layer, b"layer")
    for size in (4, 6, 10**12):
        root = _image_of(store, b"{}", replace(layer, size=size))
        assert [f.digest for f in _gather(store, root).integrity.faults] == [layer.digest]


def test_a_layer_that_may_be_absent_is_a_fault_of_its_own_kind_only_if_it_is(store: MemoryStore) -> None:
    foreign = describe(b"windows", _FOREIGN)
    root = _image_of(store, b"{}", foreign)
    (fault,) = _gather(store, root).integrity.faults
    assert (fault.digest, fault.reason) == (foreign.digest, "non-distributable layer is not stored here")
    store.push(foreign, b"windows")
    assert _gather(store, root).integrity.faults == ()


def test_a_store_that_does_not_answer_is_no_fault(store: MemoryStore) -> None:
    made = image()
    root = push(store, made)
    for at, _ in made.blobs:
        store.failing = {at.digest: StoreUnavailable("gone")}
        with pytest.raises(StoreUnavailable):
            _gather(store, root)


@pytest.mark.parametrize("config", [b"[]", b"{", b'{"os":1}', b'{"os":"linux","os":"windows"}'])
def test_a_config_that_is_none_is_a_fault(store: MemoryStore, config: bytes) -> None:
    root = _image_of(store, config)
    (fault,) = _gather(store, root).integrity.faults
    assert fault.digest == Digest.of(config)


def test_a_config_that_is_too_large_is_a_fault_and_is_not_read(store: MemoryStore) -> None:
    data = b" " * (MAX_MANIFEST_BYTES + 1)
    root = _image_of(store, data)
    (fault,) = _gather(store, root).integrity.faults
    assert f"config of {len(data)} bytes" in fault.reason
    assert store.asked[Digest.of(data)] == 0


def test_the_config_of_an_artifact_is_only_hashed(store: MemoryStore) -> None:
    root = _image_of(store, b"not json", media_type="application/vnd.example.config")
    facts = _gather(store, root)
    assert (facts.integrity.faults, facts.integrity.blobs_checked, facts.root.platform) == ((), 1, None)


@pytest.mark.parametrize(
    ("platform", "fault"),
    [
        ("linux/amd64", None),
        ("linux/amd64/v2", None),
        ("unknown/unknown", None),
        ("linux/arm64", "the index says architecture arm64, the image's config amd64"),
        ("windows/amd64", "the index says os windows, the image's config linux"),
    ],
)
def test_an_index_that_contradicts_a_config_is_a_fault(store: MemoryStore, platform: str, fault: str | None) -> None:
    made = image(platform="linux/amd64")
    os, architecture, *variant = platform.split("/")
    entry = replace(made.descriptor, platform=Platform(os, architecture, variant[0] if variant else None))
    root = push(store, index(Image(entry, made.manifest, made.blobs)))
    faults = _gather(store, root).integrity.faults
    assert [(f.digest, f.reason) for f in faults] == ([(made.digest, fault)] if fault else [])


def test_a_variant_is_compared_where_both_name_one(store: MemoryStore) -> None:
    made = image(platform="linux/arm/v7")
    entry = replace(made.descriptor, platform=Platform("linux", "arm", "v6"))
    (fault,) = _gather(store, push(store, index(Image(entry, made.manifest, made.blobs)))).integrity.faults
    assert fault.reason == "the index says variant v6, the image's config v7"


def test_a_config_that_names_no_platform_contradicts_nothing(store: MemoryStore) -> None:
    child = _image_of(store, b"{}")
    entry = replace(child, platform=Platform("linux", "amd64"))
    facts = _gather(store, push(store, index(Image(entry, store.blobs[child.digest], ()))))
    assert facts.integrity.faults == ()
    assert facts.children[0].platform == Platform("linux", "amd64")


def test_what_was_hashed_before_is_not_read_again(store: MemoryStore) -> None:
    made = image()
    root = push(store, made)
    layers = [d.digest for d, _ in made.blobs[1:]]
    told: list[Digest] = []
    lock = Lock()

    def note(digest: Digest) -> None:
        with lock:
            told.append(digest)

    first = check_blobs(store, walk(store, root), jobs=4, hashed=layers[:1], on_hashed=note)
    assert (first.checked, first.faults) == (3, ())
    assert sorted(told) == sorted([made.blobs[0][0].digest, layers[1]])
    assert store.asked[layers[0]] == 0
    store.blobs[layers[1]] = b""
    told.clear()
    second = _gather(store, root, hashed=layers[:1], on_hashed=note, graph=walk(store, root))
    assert [fault.digest for fault in second.integrity.faults] == [layers[1]]
    assert told == [made.blobs[0][0].digest]


def test_a_layout_is_hashed_too(tmp_path: Path) -> None:
    store = open_store(LayoutRepository(str(tmp_path / "layout")))
    root = push(store, index(image(size=5_000_000), image(size=5_000_000, platform="linux/arm64")), "1.0")
    facts = _gather(store, root)
    assert (facts.integrity.blobs, facts.integrity.blobs_checked, facts.integrity.faults) == (4, 4, ())
    file = tmp_path / "layout" / "blobs" / "sha256" / image(size=5_000_000).blobs[1][0].digest.encoded
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    (fault,) = _gather(store, root).integrity.faults
    assert hashlib.sha256(data).hexdigest() in fault.reason


# Facts


def test_an_unsigned_image_has_no_signature_and_its_platform(store: MemoryStore) -> None:
    root = push(store, image(platform="linux/arm64/v8"))
    facts = _gather(store, root)
    assert (facts.reference, facts.at, facts.children) == (Reference(store.repository, "1.0"), AT, ())
    assert (facts.root.descriptor, facts.root.platform) == (root, Platform("linux", "arm64", "v8"))
    assert (facts.root.signatures, facts.root.refusals, facts.root.claims, facts.root.unread) == ((), (), (), ())


def test_signatures_are_believed_or_refused_with_a_reason(store: MemoryStore) -> None:
    root = push(store, image())
    key, stranger = Key.new(), Key.new()
    good, bad = _sign(store, root, key), _sign(store, root, stranger)
    facts = _gather(store, root, trusting(key)).root
    assert [(s.kind, s.evidence, s.signers) for s in facts.signatures] == [(Kind.SIGNATURE, good, ("key1",))]
    assert [(r.evidence, r.code) for r in facts.refusals] == [(bad, RefusalCode.BUNDLE_UNTRUSTED_KEY)]


def test_a_signature_that_was_moved_to_another_image_is_refused(store: MemoryStore) -> None:
    one, two = push(store, image("one")), push(store, image("two"))
    key = Key.new()
    at = _sign(store, one, key)
    store.listed = [store.manifests[at]]
    facts = _gather(store, two, trusting(key)).root
    assert facts.signatures == ()
    assert [(r.evidence, r.code) for r in facts.refusals] == [(at, RefusalCode.MANIFEST_SUBJECT)]


@pytest.mark.parametrize("jobs", [1, 8])
def test_each_subject_has_its_own_evidence(store: MemoryStore, jobs: int) -> None:
    amd, arm = image(), image(platform="linux/arm64")
    root = push(store, index(amd, arm))
    key = Key.new()
    on_root, on_arm = _sign(store, root, key), _sign(store, arm.descriptor, key)
    facts = _gather(store, root, trusting(key), jobs=jobs)
    assert [(str(s.platform), [v.evidence for v in s.signatures]) for s in facts.subjects] == [
        ("None", [on_root]),
        ("linux/amd64", []),
        ("linux/arm64", [on_arm]),
    ]
    assert [s.descriptor.digest for s in facts.subjects] == [root.digest, amd.digest, arm.digest]


def test_evidence_that_could_not_be_read_is_said_and_hides_no_other(store: MemoryStore) -> None:
    root = push(store, image())
    key = Key.new()
    _sign(store, root, key)
    store.failing[legacy_tag(root.digest, Suffix.SIG)] = StoreUnavailable("gone")
    facts = _gather(store, root, trusting(key)).root
    assert len(facts.signatures) == 1
    assert [unread.reason for unread in facts.unread] == ["gone"]


def test_an_image_at_fault_still_has_its_evidence(store: MemoryStore) -> None:
    root = push(store, image())
    key = Key.new()
    _sign(store, root, key)
    store.failing[root.digest] = ContentMismatch("altered")
    facts = _gather(store, root, trusting(key))
    assert [fault.reason for fault in facts.integrity.faults] == ["altered"]
    assert len(facts.root.signatures) == 1


def test_what_buildkit_attached_is_a_claim_of_its_child(store: MemoryStore) -> None:
    amd, arm = image(), image(platform="linux/arm64")
    kinds = ("amd", "arm", "stray", "odd", "image", "gone")
    attestations = {
        kind: artifact(None, artifact_type="", layers=[("application/vnd.in-toto+json", kind.encode())])
        for kind in kinds
    }
    attestations["image"] = image("no attestation")
    about = {
        "amd": str(amd.digest),
        "arm": str(arm.digest),
        "stray": str(image("another").digest),
        "odd": "not a digest",
        "image": str(amd.digest),
        "gone": str(amd.digest),
    }
    entries = []
    for kind, made in attestations.items():
        notes = (("vnd.docker.reference.type", "attestation-manifest"), ("vnd.docker.reference.digest", about[kind]))
        entries.append(
            Image(
                replace(
                    made.descriptor, annotations=notes, platform=Platform("unknown", "unknown"), artifact_type=None
                ),
                made.manifest,
                made.blobs,
            )
        )
    root = push(store, index(amd, arm, *entries))
    del store.blobs[attestations["gone"].digest]
    facts = _gather(store, root)
    claims = {s.descriptor.digest: [c.digest for c in s.claims] for s in facts.subjects}
    assert claims == {
        root.digest: [attestations["stray"].digest, attestations["odd"].digest],
        amd.digest: [attestations["amd"].digest],
        arm.digest: [attestations["arm"].digest],
    }
    assert all(c.subject == s.descriptor.digest for s in facts.subjects for c in s.claims)
    assert "nobody signed" in facts.children[0].claims[0].description
    assert [fault.digest for fault in facts.integrity.faults] == [attestations["gone"].digest]
