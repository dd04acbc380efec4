"""``stores.discovery``: what is attached, what is wrong with it, and what could not be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust import strict_json
from imgtrust.content import MAX_MANIFEST_BYTES, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Platform, describe
from imgtrust.errors import (
    AccessDenied,
    ContentMalformed,
    ContentMismatch,
    ContentMissing,
    LimitExceeded,
    StoreProtocol,
    StoreUnavailable,
    TimedOut,
    TooManyRequests,
)
from imgtrust.evidence import Origin
from imgtrust.formats.attachments import BUNDLE_TYPE, Suffix, bundle_attachment, legacy_tag
from imgtrust.formats.mediatypes import DSSE_LAYER, NOTARY_ARTIFACT, NOTARY_JWS_LAYER, SIMPLESIGNING_LAYER
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.stores import discovery
from imgtrust.stores.discovery import MAX_LISTED, MAX_OPENED, discover
from imgtrust.stores.port import MAX_FETCH
from tests.simulators.images import Image, artifact, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.stores.port import Store

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def root(store: MemoryStore) -> Descriptor:
    return push(store, image(), "1.0")


def _bundle(store: Store, root: Descriptor, content: bytes = b"{}") -> Descriptor:
    made = bundle_attachment(root, content, predicate_type=None, content="dsse-envelope", created=_NOW)
    for descriptor, data in (*made.blobs, (made.descriptor, made.manifest)):
        store.push(descriptor, data)
    return made.descriptor


def _push_manifest(store: MemoryStore, document: dict[str, Any], media_type: str = OCI_MANIFEST) -> Descriptor:
    raw = strict_json.dumps(document)
    descriptor = describe(raw, media_type)
    store.push(descriptor, raw)
    return descriptor


def _manifest(root: Descriptor | None, *layers: Descriptor, **members: Any) -> dict[str, Any]:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": describe(b"{}", OCI_CONFIG).to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    if root is not None:
        document["subject"] = root.to_json()
    return document | members


def test_a_bundle_comes_with_all_that_its_manifest_says(store: MemoryStore, root: Descriptor) -> None:
    at = _bundle(store, root)
    (found,) = discover(store, root).evidence
    assert (found.subject, found.digest, found.origin) == (root.digest, at.digest, Origin.REFERRER)
    assert (found.payload, found.artifact_type, found.problem) == (b"{}", BUNDLE_TYPE, None)
    assert found.layer == describe(b"{}", BUNDLE_TYPE)
    assert dict(found.annotations)["dev.sigstore.bundle.content"] == "dsse-envelope"


def test_the_platform_asked_about_is_kept(store: MemoryStore, root: Descriptor) -> None:
    platform = Platform("linux", "arm64", "v8")
    assert discover(store, replace(root, platform=platform)).platform == platform
    assert discover(store, root).platform is None


@pytest.mark.parametrize("jobs", [1, 2, 16])
def test_the_order_is_that_of_the_store_however_many_threads_ask(
    store: MemoryStore, root: Descriptor, jobs: int
) -> None:
    at = [_bundle(store, root, b"{}" + b" " * n).digest for n in range(20)]
    sig = _push_manifest(store, _manifest(None, describe(b"{}", SIMPLESIGNING_LAYER)))
    store.names[legacy_tag(root.digest, Suffix.SIG)] = sig.digest
    found = [evidence.digest for evidence in discover(store, root, jobs=jobs).evidence]
    assert found == [*at, Digest.of(b"{}")]


def test_a_manifest_of_notary_is_evidence(store: MemoryStore, root: Descriptor) -> None:
    push(store, artifact(root, artifact_type=NOTARY_ARTIFACT, layers=[(NOTARY_JWS_LAYER, b"{}")]))
    (found,) = discover(store, root).evidence
    assert found.layer.media_type == NOTARY_JWS_LAYER


# Referrers that lie


def test_a_manifest_that_is_about_another_image_is_refused(store: MemoryStore, root: Descriptor) -> None:
    other = push(store, image("other"))
    moved = _bundle(store, other)
    store.listed = [moved, Descriptor(OCI_MANIFEST, image("other").digest, image("other").descriptor.size)]
    found = discover(store, root).evidence
    assert [(e.digest, e.problem) for e in found] == [
        (
            moved.digest,
            (
                RefusalCode.MANIFEST_SUBJECT,
                f"listed as a referrer of {root.digest}, the manifest itself is about {other.digest}",
            ),
        ),
        (
            other.digest,
            (
                RefusalCode.MANIFEST_SUBJECT,
                f"listed as a referrer of {root.digest}, the manifest itself names no subject",
            ),
        ),
    ]
    assert all(e.payload == b"" for e in found)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"schemaVersion": 2}, RefusalCode.MANIFEST_MALFORMED),
        (_manifest(None, manifests=[]), RefusalCode.MANIFEST_MALFORMED),
        (_manifest(None, mediaType=OCI_INDEX), RefusalCode.MANIFEST_MALFORMED),
        (
            _manifest(image().descriptor, describe(b"a", BUNDLE_TYPE), describe(b"b", BUNDLE_TYPE)),
            RefusalCode.MANIFEST_LAYERS,
        ),
        (
            _manifest(image().descriptor, describe(b"a", "text/plain"), artifactType=BUNDLE_TYPE),
            RefusalCode.MANIFEST_LAYERS,
        ),
    ],
)
def test_a_manifest_that_breaks_its_specification_is_refused(
    store: MemoryStore, root: Descriptor, document: dict[str, Any], code: RefusalCode
) -> None:
    store.listed = [_push_manifest(store, document)]
    first = discover(store, root).evidence[0]
    assert first.digest == store.listed[0].digest
    assert first.problem is not None
    assert first.problem[0] == code


def test_a_manifest_with_two_readings_is_refused(store: MemoryStore, root: Descriptor) -> None:
    raw = b'{"schemaVersion":2,"schemaVersion":2}'
    store.listed = [describe(raw, OCI_MANIFEST)]
    store.push(store.listed[0], raw)
    (found,) = discover(store, root).evidence
    assert found.problem is not None
    assert found.problem[0] == RefusalCode.MANIFEST_MALFORMED
    assert "twice" in found.problem[1]


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (Descriptor("text/plain", Digest.of(b""), 1), RefusalCode.MANIFEST_MALFORMED),
        (Descriptor(OCI_MANIFEST, Digest.of(b""), MAX_MANIFEST_BYTES + 1), RefusalCode.MANIFEST_MALFORMED),
        (Descriptor(OCI_MANIFEST, Digest.of(b"absent"), 6), RefusalCode.BLOB_MISSING),
        (replace(image().descriptor, size=1), RefusalCode.BLOB_MISMATCH),
    ],
)
def test_what_the_list_says_is_checked(
    store: MemoryStore, root: Descriptor, listed: Descriptor, code: RefusalCode
) -> None:
    store.listed = [listed]
    (found,) = discover(store, root).evidence
    assert (found.digest, found.layer) == (listed.digest, listed)
    assert found.problem is not None
    assert found.problem[0] == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ContentMissing("gone"), RefusalCode.BLOB_MISSING),
        (ContentMismatch("altered"), RefusalCode.BLOB_MISMATCH),
        (ContentMalformed("odd"), RefusalCode.BLOB_MISMATCH),
    ],
)
def test_a_layer_that_is_absent_or_altered_is_a_problem(
    store: MemoryStore, root: Descriptor, error: Exception, code: RefusalCode
) -> None:
    at = _bundle(store, root)
    good = _bundle(store, root, b"{ }")
    store.failing[Digest.of(b"{}")] = error
    found = discover(store, root)
    assert [(e.digest, e.problem) for e in found.evidence] == [(at.digest, (code, str(error))), (good.digest, None)]
    assert found.unread == ()


def test_a_layer_that_is_too_large_is_a_problem_and_is_not_read(store: MemoryStore, root: Descriptor) -> None:
    layer = Descriptor(BUNDLE_TYPE, Digest.of(b"large"), MAX_FETCH + 1)
    _push_manifest(store, _manifest(root, layer))
    (found,) = discover(store, root).evidence
    assert found.problem == (
        RefusalCode.MANIFEST_UNREADABLE,
        f"a layer of {MAX_FETCH + 1} bytes, at most {MAX_FETCH} are read",
    )
    assert store.asked[layer.digest] == 0


# What could not be told is never "none"


@pytest.mark.parametrize(
    "error",
    [AccessDenied("no"), TooManyRequests("slow"), StoreUnavailable("gone"), StoreProtocol("odd"), LimitExceeded("x")],
)
@pytest.mark.parametrize("place", ["list", "manifest", "layer", "legacy", "legacy manifest"])
def test_a_store_that_does_not_answer_leaves_it_unread(
    store: MemoryStore, root: Descriptor, error: Exception, place: str
) -> None:
    at = _bundle(store, root)
    tag = legacy_tag(root.digest, Suffix.SIG)
    sig = _push_manifest(store, _manifest(None, describe(b"{ }", SIMPLESIGNING_LAYER)))
    store.blobs[Digest.of(b"{ }")] = b"{ }"
    store.names[tag] = sig.digest
    where: dict[str, str | Digest] = {
        "list": "referrers",
        "manifest": at.digest,
        "layer": Digest.of(b"{}"),
        "legacy": tag,
        "legacy manifest": sig.digest,
    }
    store.failing[where[place]] = error
    if place == "legacy manifest":
        store.names[tag] = sig.digest
    found = discover(store, root)
    what = {
        "list": f"the referrers of {root.digest}",
        "manifest": f"the referrer {at.digest}",
        "layer": f"the evidence {at.digest}",
        "legacy": f"the tag {tag}",
    }
    problems = [(u.what, u.reason) for u in found.unread]
    assert problems == [(what.get(place, f"the tag {tag}"), str(error))]
    assert len(found.evidence) == (2 if place == "list" else 1)


@pytest.mark.parametrize(
    "error", [ContentMissing("gone"), ContentMalformed("two entries bear it"), ContentMismatch("x")]
)
def test_names_that_the_store_cannot_make_sense_of_are_unread(
    store: MemoryStore, root: Descriptor, error: Exception
) -> None:
    store.failing[legacy_tag(root.digest, Suffix.ATT)] = error
    store.failing["referrers"] = error
    assert {unread.reason for unread in discover(store, root).unread} == {str(error)}
    assert len(discover(store, root).unread) == 2


def test_running_out_of_time_is_passed_on(store: MemoryStore, root: Descriptor) -> None:
    store.failing["referrers"] = TimedOut("--timeout")
    with pytest.raises(TimedOut):
        discover(store, root)


# Limits


def test_ten_thousand_referrers_are_listed_and_not_all_are_opened(store: MemoryStore, root: Descriptor) -> None:
    note = push(store, artifact(root))
    store.manifests = {root.digest: root}
    store.listed = [Descriptor(OCI_MANIFEST, Digest("sha256", f"{n:064x}"), 1) for n in range(MAX_LISTED - 1)]
    store.listed.append(note)
    found = discover(store, root, jobs=2)
    assert [(u.what, u.reason) for u in found.unread] == [
        (
            f"the referrers of {root.digest}",
            f"{MAX_LISTED} are listed, {MAX_OPENED} of them were opened; {MAX_LISTED - MAX_OPENED} were not looked at",
        )
    ]
    assert len(found.evidence) == MAX_OPENED
    store.listed.insert(0, note)
    reasons = [unread.reason for unread in discover(store, root, jobs=2).unread]
    told = f"more than {MAX_LISTED} are listed, {MAX_OPENED} of them were opened; the others were not looked at"
    assert reasons == [told]


def test_an_endless_list_is_left(store: MemoryStore, root: Descriptor) -> None:
    def endless(subject: Descriptor) -> Iterator[Descriptor]:
        for n in count():
            assert subject == root
            yield Descriptor("text/plain", Digest("sha256", f"{n:064x}"), 1)

    store.referrers = endless  # type: ignore[method-assign]  # a registry that never stops
    assert len(discover(store, root).unread) == 1


def test_what_the_list_calls_a_signature_is_opened_first(store: MemoryStore, root: Descriptor) -> None:
    at = _bundle(store, root)
    stray = [Descriptor(OCI_MANIFEST, Digest("sha256", f"{n:064x}"), 1) for n in range(MAX_OPENED + 5)]
    store.manifests = {root.digest: root}
    store.listed = [*stray, replace(at, artifact_type=BUNDLE_TYPE)]
    found = discover(store, root, jobs=2)
    assert found.evidence[0].digest == at.digest
    assert found.evidence[0].problem is None


def test_more_bytes_than_may_be_held_are_unread(store: MemoryStore, root: Descriptor) -> None:
    layers = [Descriptor(SIMPLESIGNING_LAYER, Digest.of(str(n).encode()), MAX_FETCH) for n in range(9)]
    sig = _push_manifest(store, _manifest(None, *layers))
    store.names[legacy_tag(root.digest, Suffix.SIG)] = sig.digest
    found = discover(store, root, jobs=1)
    assert [e.problem and e.problem[0] for e in found.evidence] == [RefusalCode.BLOB_MISSING] * 8
    assert [(u.what, u.reason) for u in found.unread] == [
        (
            f"the evidence {layers[8].digest}",
            f"more than {discovery.MAX_EVIDENCE_BYTES} bytes of evidence for one image",
        )
    ]


# Legacy tags


def test_signatures_with_one_payload_are_fetched_once_and_are_several(store: MemoryStore, root: Descriptor) -> None:
    payload = b'{"critical":{}}'
    plain = describe(payload, SIMPLESIGNING_LAYER)
    layers = [replace(plain, annotations=(("dev.cosignproject.cosign/signature", text),)) for text in ("a", "b", "c")]
    store.push(plain, payload)
    sig = _push_manifest(store, _manifest(None, *layers, annotations={"x": "y"}))
    store.names[legacy_tag(root.digest, Suffix.SIG)] = sig.digest
    found = discover(store, root).evidence
    assert [e.layer for e in found] == layers
    assert {(e.digest, e.payload, e.origin, e.annotations) for e in found} == {
        (plain.digest, payload, Origin.LEGACY_TAG, (("x", "y"),))
    }
    assert store.asked[plain.digest] == 1


@pytest.mark.parametrize("suffix", list(Suffix))
def test_a_legacy_manifest_that_is_malformed_is_refused(store: MemoryStore, root: Descriptor, suffix: Suffix) -> None:
    at = _push_manifest(store, {"schemaVersion": 2, "mediaType": OCI_MANIFEST})
    store.names[legacy_tag(root.digest, suffix)] = at.digest
    (found,) = discover(store, root).evidence
    assert (found.digest, found.origin) == (at.digest, Origin.LEGACY_TAG)
    assert found.problem is not None
    assert found.problem[0] == RefusalCode.MANIFEST_MALFORMED


def test_a_legacy_sbom_is_a_claim_and_never_a_signature(store: MemoryStore, root: Descriptor) -> None:
    plain = _push_manifest(store, _manifest(None, describe(b"{}", "text/spdx+json")))
    store.names[legacy_tag(root.digest, Suffix.SBOM)] = plain.digest
    (claim,) = discover(store, root).claims
    assert (claim.subject, claim.digest, claim.description) == (root.digest, plain.digest, "SBOM, SPDX JSON")
    signed = _push_manifest(store, _manifest(None, describe(b"{}", SIMPLESIGNING_LAYER)))
    store.names[legacy_tag(root.digest, Suffix.SBOM)] = signed.digest
    found = discover(store, root)
    assert (found.evidence, found.claims) == ((), ())


def test_an_attestation_tag_is_read(store: MemoryStore, root: Descriptor) -> None:
    store.push(describe(b"{}", DSSE_LAYER), b"{}")
    att = _push_manifest(store, _manifest(None, describe(b"{}", DSSE_LAYER), describe(b"x", "text/plain")))
    store.names[legacy_tag(root.digest, Suffix.ATT)] = att.digest
    assert [e.layer.media_type for e in discover(store, root).evidence] == [DSSE_LAYER]


def test_an_image_with_a_long_digest_has_no_legacy_tags(store: MemoryStore) -> None:
    made = image()
    root = Descriptor(OCI_MANIFEST, Digest.of(made.manifest, "sha512"), len(made.manifest))
    store.push(root, made.manifest)
    store.failing = {legacy_tag(root.digest, suffix): AssertionError() for suffix in Suffix}
    at = _bundle(store, root)
    assert [e.digest for e in discover(store, root).evidence] == [at.digest]


# Claims


def test_what_nobody_signed_is_a_claim(store: MemoryStore, root: Descriptor) -> None:
    sbom = push(
        store,
        artifact(
            root, artifact_type="application/vnd.cyclonedx+json", layers=[("application/vnd.cyclonedx+json", b"{}")]
        ),
    )
    note = push(store, artifact(root))
    inner = index(image("inner"))
    document = strict_json.loads(inner.manifest) | {"subject": root.to_json(), "artifactType": "a/set"}
    attached = _push_manifest(store, document, OCI_INDEX)
    found = discover(store, root)
    assert [(c.digest, c.artifact_type) for c in found.claims] == [
        (sbom.digest, "application/vnd.cyclonedx+json"),
        (note.digest, "application/vnd.example.note"),
        (attached.digest, "a/set"),
    ]
    assert found.evidence == ()


def test_an_image_that_is_attached_and_says_nothing_more_is_passed_over(store: MemoryStore, root: Descriptor) -> None:
    made: Image = image("attached")
    document = strict_json.loads(made.manifest) | {"subject": root.to_json()}
    _push_manifest(store, document)
    found = discover(store, root)
    assert (found.evidence, found.claims, found.unread) == ((), (), ())
