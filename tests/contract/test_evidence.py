"""The contract of every store: what is attached is discovered, whatever the way in which it is attached."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imgtrust.content import Descriptor, Manifest, describe, parse_manifest
from imgtrust.evidence import Format, Origin
from imgtrust.formats import format_of
from imgtrust.formats.attachments import Suffix, artifact_attachment, bundle_attachment, legacy_attachment, legacy_tag
from imgtrust.formats.mediatypes import DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.refusals import RefusalCode
from imgtrust.stores.discovery import discover
from tests.simulators.images import image, index, push

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.formats.attachments import Attachment
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_BUNDLE = b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}'


def _attach(store: Store, made: Attachment, tag: str | None = None) -> Descriptor:
    for descriptor, data in made.blobs:
        store.push(descriptor, data)
    plain = Descriptor(made.descriptor.media_type, made.descriptor.digest, made.descriptor.size)
    store.push(plain, made.manifest)
    if tag is not None:
        store.tag(tag, plain, made.manifest)
    return plain


def _bundle(root: Descriptor, content: bytes = _BUNDLE) -> Attachment:
    return bundle_attachment(root, content, predicate_type=None, content="dsse-envelope", created=_NOW)


def test_an_image_without_evidence_has_none(store: Store) -> None:
    root = push(store, image(), "1.0")
    found = discover(store, root)
    assert (found.evidence, found.claims, found.unread) == ((), (), ())
    assert found.subject == root.digest


def test_a_bundle_is_found_as_referrer_with_its_bytes(store: Store) -> None:
    root = push(store, image(), "1.0")
    at = _attach(store, _bundle(root))
    (evidence,) = discover(store, root).evidence
    assert (evidence.digest, evidence.origin, evidence.payload) == (at.digest, Origin.REFERRER, _BUNDLE)
    assert format_of(evidence.layer.media_type) is Format.BUNDLE
    assert evidence.problem is None


def test_signatures_under_legacy_tags_are_found_one_by_one(store: Store) -> None:
    root = push(store, image(), "1.0")
    payload = b'{"critical":{}}'
    manifest: Manifest | None = None
    for signature in ("one", "two"):
        plain = describe(payload, SIMPLESIGNING_LAYER)
        notes = (("dev.cosignproject.cosign/signature", signature),)
        layer = Descriptor(plain.media_type, plain.digest, plain.size, annotations=notes)
        made = legacy_attachment(manifest, layer, payload)
        _attach(store, made, legacy_tag(root.digest, Suffix.SIG))
        read = parse_manifest(made.manifest, made.descriptor.media_type)
        assert isinstance(read, Manifest)
        manifest = read
    envelope = b'{"payload":""}'
    att = legacy_attachment(None, describe(envelope, DSSE_LAYER), envelope)
    _attach(store, att, legacy_tag(root.digest, Suffix.ATT))
    found = discover(store, root)
    assert [(e.origin, e.payload) for e in found.evidence] == [
        (Origin.LEGACY_TAG, payload),
        (Origin.LEGACY_TAG, payload),
        (Origin.LEGACY_TAG, envelope),
    ]
    names = [e.layer.annotation("dev.cosignproject.cosign/signature") for e in found.evidence]
    assert names == ["one", "two", None]
    assert all(e.digest == e.layer.digest for e in found.evidence)


def test_a_plain_sbom_is_a_claim(store: Store) -> None:
    root = push(store, image(), "1.0")
    sbom = b'{"bomFormat":"CycloneDX"}'
    layer = (describe(sbom, "application/vnd.cyclonedx+json"), sbom)
    at = _attach(store, artifact_attachment(root, layer[0].media_type, [layer], annotations={}, created=_NOW))
    found = discover(store, root)
    assert [claim.digest for claim in found.claims] == [at.digest]
    assert "CycloneDX" in found.claims[0].description
    assert found.evidence == ()


def test_evidence_of_a_child_is_not_evidence_of_the_index(store: Store) -> None:
    child = image()
    root = push(store, index(child, image(platform="linux/arm64")), "1.0")
    plain = Descriptor(child.descriptor.media_type, child.digest, child.descriptor.size)
    _attach(store, _bundle(plain))
    assert discover(store, root).evidence == ()
    assert len(discover(store, child.descriptor).evidence) == 1
    assert discover(store, child.descriptor).platform == child.descriptor.platform


def test_thirty_bundles_are_all_found(store: Store) -> None:
    root = push(store, image(), "1.0")
    made = [_bundle(root, _BUNDLE + b" " * n) for n in range(30)]
    at = [_attach(store, each).digest for each in made]
    assert sorted(evidence.digest for evidence in discover(store, root).evidence) == sorted(at)


def test_evidence_that_was_altered_is_a_problem_and_hides_no_other(
    store: Store, tamper: Callable[[Store, Digest, bytes | None], None]
) -> None:
    root = push(store, image(), "1.0")
    altered, removed, good = (_bundle(root, _BUNDLE + b" " * n) for n in range(3))
    for each in (altered, removed, good):
        _attach(store, each)
    tamper(store, altered.blobs[-1][0].digest, b"something else")
    tamper(store, removed.blobs[-1][0].digest, None)
    found = discover(store, root)
    problems = {e.digest: e.problem[0] if e.problem else None for e in found.evidence}
    assert problems == {
        altered.descriptor.digest: RefusalCode.BLOB_MISMATCH,
        removed.descriptor.digest: RefusalCode.BLOB_MISSING,
        good.descriptor.digest: None,
    }
    assert found.unread == ()
