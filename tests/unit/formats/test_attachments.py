"""Names and shapes of attached manifests: cosign's and the OCI specification's, written and recognised."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from imgtrust import strict_json
from imgtrust.content import (
    EMPTY_BLOB,
    MAX_LAYERS,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    describe,
    parse_manifest,
)
from imgtrust.errors import LimitExceeded, Refused
from imgtrust.formats.attachments import (
    BUNDLE_TYPE,
    CREATED,
    TITLE,
    Attachment,
    Suffix,
    artifact_attachment,
    attached_to,
    bundle_attachment,
    candidates,
    claim_of,
    fallback_tag,
    is_attachment_tag,
    legacy_attachment,
    legacy_tag,
)
from imgtrust.formats.mediatypes import (
    DSSE_LAYER,
    IN_TOTO_LAYER,
    NOTARY_ARTIFACT,
    NOTARY_COSE_LAYER,
    NOTARY_JWS_LAYER,
    SIGNATURE_ARTIFACT,
    SIMPLESIGNING_LAYER,
)
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode

SUBJECT = describe(b"an image", OCI_MANIFEST)
NOW = datetime(2026, 3, 1, 13, 0, 0, 999, tzinfo=timezone(timedelta(hours=1)))
HEX = SUBJECT.digest.encoded
OLD_BUNDLE = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def manifest(
    *layers: str, config: str = OCI_EMPTY, artifact_type: str | None = None, annotations: dict[str, str] | None = None
) -> Manifest:
    pairs = tuple((annotations or {}).items())
    found = tuple(
        Descriptor(name, Digest.of(f"{number}".encode()), 1, annotations=pairs) for number, name in enumerate(layers)
    )
    return Manifest(b"", OCI_MANIFEST, describe(EMPTY_BLOB, config), found, SUBJECT, artifact_type)


def parsed(attachment: Attachment) -> tuple[Manifest, dict[str, Any]]:
    """The manifest as imgtrust reads it, and as JSON; what it names is among the blobs, and its digest is right."""
    attachment.descriptor.digest.check(attachment.manifest)
    found = parse_manifest(attachment.manifest, attachment.descriptor.media_type)
    assert isinstance(found, Manifest)
    blobs = {descriptor.digest: data for descriptor, data in attachment.blobs}
    assert {found.config.digest}.issubset(blobs)
    for digest, data in blobs.items():
        digest.check(data)
    return found, json.loads(attachment.manifest)


# --- tags -------------------------------------------------------------------------------------------------------------


def test_legacy_and_fallback_tags_are_read_back_to_their_digest() -> None:
    tags = [fallback_tag(SUBJECT.digest), *(legacy_tag(SUBJECT.digest, suffix) for suffix in Suffix)]
    assert tags == [f"sha256-{HEX}", f"sha256-{HEX}.sig", f"sha256-{HEX}.att", f"sha256-{HEX}.sbom"]
    for tag in tags:
        assert attached_to(tag) == SUBJECT.digest
        assert is_attachment_tag(tag)


def test_the_fallback_tag_of_a_sha512_digest_is_truncated_and_still_no_image() -> None:
    digest = Digest.of(b"an image", "sha512")
    tag = fallback_tag(digest)
    assert tag == f"sha512-{digest.encoded[:64]}"
    assert attached_to(tag) is None
    assert is_attachment_tag(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "latest",
        f"sha256-{HEX[:63]}",
        f"sha256-{HEX}0",
        f"sha256-{HEX.upper()}",
        f"sha256-{HEX}.sig2",
        f"sha256-{HEX}.",
        f"sha256-{HEX}\n",
        f"v1-sha256-{HEX}.sig",
        f"sha384-{HEX}",
        f"sha256:{HEX}",
    ],
)
def test_other_tags_name_images(tag: str) -> None:
    assert attached_to(tag) is None
    assert not is_attachment_tag(tag)


# --- which layers claim to be signatures ------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [BUNDLE_TYPE, OLD_BUNDLE, SIMPLESIGNING_LAYER, DSSE_LAYER])
@pytest.mark.parametrize("artifact_type", [None, "application/vnd.example.lie", OCI_EMPTY])
def test_one_layer_of_a_signature_type_is_a_candidate_whatever_the_manifest_calls_itself(
    layer: str, artifact_type: str | None
) -> None:
    found = manifest(layer, artifact_type=artifact_type)
    assert candidates(found, legacy=False) == found.layers


@pytest.mark.parametrize("layer", [NOTARY_JWS_LAYER, NOTARY_COSE_LAYER])
def test_an_envelope_of_notary_is_a_candidate_in_both_shapes_of_its_manifest_and_in_no_mix(layer: str) -> None:
    for artifact_type, config in ((NOTARY_ARTIFACT, OCI_EMPTY), (None, NOTARY_ARTIFACT)):
        found = manifest(layer, artifact_type=artifact_type, config=config)
        assert candidates(found, legacy=False) == found.layers
    for artifact_type, config in (
        (NOTARY_ARTIFACT, NOTARY_ARTIFACT),
        (NOTARY_ARTIFACT, OCI_CONFIG),
        (None, OCI_EMPTY),
        (None, OCI_CONFIG),
        ("", NOTARY_ARTIFACT),
        ("application/vnd.example", OCI_EMPTY),
        ("application/vnd.example", NOTARY_ARTIFACT),
    ):
        with pytest.raises(Refused, match="that Notary does not write") as caught:
            candidates(manifest(layer, artifact_type=artifact_type, config=config), legacy=False)
        assert caught.value.code is RefusalCode.MANIFEST_MALFORMED


def test_every_layer_of_cosigns_own_manifests_is_a_candidate() -> None:
    found = manifest(SIMPLESIGNING_LAYER, SIMPLESIGNING_LAYER, DSSE_LAYER, config=SIGNATURE_ARTIFACT)
    assert candidates(found, legacy=False) == found.layers
    assert candidates(found, legacy=True) == found.layers


def test_strangers_under_a_legacy_tag_hide_no_signature() -> None:
    found = manifest("text/plain", SIMPLESIGNING_LAYER, BUNDLE_TYPE, NOTARY_JWS_LAYER, config=OCI_CONFIG)
    assert candidates(found, legacy=True) == found.layers[1:2]
    assert candidates(manifest("text/plain"), legacy=True) == ()


@pytest.mark.parametrize(
    "layers",
    [
        (BUNDLE_TYPE, BUNDLE_TYPE),
        (BUNDLE_TYPE, "text/plain"),
        ("text/plain", BUNDLE_TYPE),
        (NOTARY_JWS_LAYER, NOTARY_JWS_LAYER),
        (SIMPLESIGNING_LAYER, BUNDLE_TYPE),
        (SIMPLESIGNING_LAYER, "text/plain"),
    ],
)
def test_a_referrer_with_more_layers_than_its_format_is_refused(layers: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="exactly one layer, this one has 2") as caught:
        candidates(manifest(*layers), legacy=False)
    assert caught.value.code is RefusalCode.MANIFEST_LAYERS


@pytest.mark.parametrize("layers", [(), ("text/plain",)])
def test_a_referrer_that_claims_to_be_a_signature_and_has_none_is_refused(layers: tuple[str, ...]) -> None:
    for given in (
        manifest(*layers, artifact_type=BUNDLE_TYPE),
        manifest(*layers, artifact_type=OLD_BUNDLE),
        manifest(*layers, config=SIGNATURE_ARTIFACT),
        manifest(*layers, config=NOTARY_ARTIFACT),
        manifest(*layers, config=NOTARY_ARTIFACT, artifact_type="application/vnd.example"),
    ):
        with pytest.raises(Refused, match="without a layer of that type") as caught:
            candidates(given, legacy=False)
        assert caught.value.code is RefusalCode.MANIFEST_LAYERS


def test_anything_else_has_no_candidates() -> None:
    index = Index(b"", OCI_INDEX, (SUBJECT,), artifact_type=BUNDLE_TYPE)
    for legacy in (False, True):
        assert candidates(index, legacy=legacy) == ()
        assert candidates(manifest("application/spdx+json", artifact_type="application/spdx+json"), legacy=legacy) == ()
        assert candidates(manifest(IN_TOTO_LAYER, config=OCI_CONFIG), legacy=legacy) == ()


# --- claims -----------------------------------------------------------------------------------------------------------


def test_a_plain_sbom_is_a_claim() -> None:
    found = manifest("application/spdx+json", artifact_type="application/spdx+json")
    assert claim_of(found) == ("application/spdx+json", "SBOM, SPDX JSON")
    named = manifest("text/spdx", artifact_type="application/vnd.example.sbom")
    assert claim_of(named) == ("application/vnd.example.sbom", "SBOM, SPDX tag-value")
    legacy = manifest("application/vnd.cyclonedx+json", config=OCI_CONFIG)
    assert claim_of(legacy) == ("application/vnd.cyclonedx+json", "SBOM, CycloneDX JSON")


def test_buildkits_statements_are_a_claim() -> None:
    types = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
    found = manifest(IN_TOTO_LAYER, IN_TOTO_LAYER, config=OCI_CONFIG, annotations=types)
    assert claim_of(found) == (IN_TOTO_LAYER, "statements that nobody signed: https://slsa.dev/provenance/v1")
    bare = manifest(IN_TOTO_LAYER, config=OCI_CONFIG)
    assert claim_of(bare) == (IN_TOTO_LAYER, "statements that nobody signed: unknown")
    named = manifest(IN_TOTO_LAYER, artifact_type="application/vnd.docker.attestation")
    assert claim_of(named) == ("application/vnd.docker.attestation", "statements that nobody signed: unknown")
    mixed = manifest(IN_TOTO_LAYER, "text/plain", config=OCI_CONFIG)
    assert claim_of(mixed) is None


def test_any_other_artifact_is_a_claim_of_its_type() -> None:
    titled = manifest("text/plain", artifact_type="application/vnd.example.note", annotations={TITLE: "note.txt"})
    assert claim_of(titled) == ("application/vnd.example.note", "note.txt")
    assert claim_of(manifest("a/b", "c/d", config="application/vnd.example.config")) == (
        "application/vnd.example.config",
        "2 layers",
    )
    assert claim_of(manifest("a/b", artifact_type="x/y")) == ("x/y", "1 layer")
    assert claim_of(manifest(artifact_type="x/y")) == ("x/y", "0 layers")
    index = Index(b"", OCI_INDEX, (SUBJECT,), artifact_type="application/vnd.example.list")
    assert claim_of(index) == ("application/vnd.example.list", "an index of 1 manifests")


def test_images_and_signatures_are_no_claims() -> None:
    assert claim_of(manifest("application/vnd.oci.image.layer.v1.tar", config=OCI_CONFIG)) is None
    assert claim_of(manifest()) is None
    assert claim_of(Index(b"", OCI_INDEX, ())) is None
    assert claim_of(manifest(BUNDLE_TYPE, artifact_type="application/vnd.example")) is None
    assert claim_of(manifest("application/spdx+json", DSSE_LAYER)) is None


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_bundle_is_attached_exactly_as_cosign_does() -> None:
    attachment = bundle_attachment(
        SUBJECT, b"{bundle}", predicate_type="https://x.example/y", content="dsse-envelope", created=NOW
    )
    found, document = parsed(attachment)
    annotations = {
        "org.opencontainers.image.created": "2026-03-01T12:00:00Z",
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://x.example/y",
    }
    assert document == {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE,
        "config": {
            "mediaType": OCI_EMPTY,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
            "artifactType": BUNDLE_TYPE,
        },
        "layers": [describe(b"{bundle}", BUNDLE_TYPE).to_json()],
        "subject": {"mediaType": OCI_MANIFEST, "digest": str(SUBJECT.digest), "size": SUBJECT.size},
        "annotations": annotations,
    }
    assert attachment.descriptor.artifact_type == BUNDLE_TYPE
    assert dict(attachment.descriptor.annotations) == annotations
    assert candidates(found, legacy=False) == found.layers
    assert [data for _, data in attachment.blobs] == [EMPTY_BLOB, b"{bundle}"]


def test_a_bundle_without_a_predicate_names_none() -> None:
    attachment = bundle_attachment(SUBJECT, b"{}", predicate_type=None, content="message-signature", created=NOW)
    _, document = parsed(attachment)
    assert "dev.sigstore.bundle.predicateType" not in document["annotations"]
    assert document["annotations"]["dev.sigstore.bundle.content"] == "message-signature"


def test_only_the_place_of_the_subject_is_written_not_what_the_store_says_of_it() -> None:
    hinted = Descriptor(SUBJECT.media_type, SUBJECT.digest, SUBJECT.size, "hint", (("a", "b"),))
    _, document = parsed(bundle_attachment(hinted, b"{}", predicate_type=None, content="x", created=NOW))
    assert set(document["subject"]) == {"mediaType", "digest", "size"}


def test_an_artifact_is_attached_with_its_layers() -> None:
    layers = [(describe(b"one", "text/plain"), b"one"), (describe(b"two", "text/plain"), b"two")]
    attachment = artifact_attachment(SUBJECT, "application/vnd.x", layers, annotations={"a": "b"}, created=NOW)
    found, document = parsed(attachment)
    assert found.artifact_type == "application/vnd.x"
    assert [each.digest for each in found.layers] == [descriptor.digest for descriptor, _ in layers]
    assert document["annotations"] == {CREATED: "2026-03-01T12:00:00Z", "a": "b"}
    assert "artifactType" not in document["config"]
    given = artifact_attachment(SUBJECT, "a/b", layers, annotations={CREATED: "2020-01-01T00:00:00Z"}, created=NOW)
    assert parsed(given)[1]["annotations"] == {CREATED: "2020-01-01T00:00:00Z"}


def test_an_artifact_without_layers_has_the_empty_one() -> None:
    attachment = artifact_attachment(SUBJECT, "application/vnd.x", [], annotations={}, created=NOW)
    found, _ = parsed(attachment)
    assert found.layers == (describe(EMPTY_BLOB, OCI_EMPTY),)
    assert attachment.blobs == ((describe(EMPTY_BLOB, OCI_EMPTY), EMPTY_BLOB),)


def test_a_legacy_manifest_grows_by_one_layer_and_keeps_what_it_had() -> None:
    first = describe(b"one", SIMPLESIGNING_LAYER)
    attachment = legacy_attachment(None, first, b"one")
    found, document = parsed(attachment)
    assert document["layers"] == [first.to_json()]
    assert "subject" not in document
    assert "annotations" not in document
    grown, document = parsed(legacy_attachment(found, describe(b"x", SIMPLESIGNING_LAYER), b"x"))
    assert len(grown.layers) == 2
    assert "annotations" not in document
    existing = Manifest(
        b"", OCI_MANIFEST, found.config, (*found.layers, describe(b"x", "text/plain")), annotations=(("a", "b"),)
    )
    second = describe(b"two", SIMPLESIGNING_LAYER)
    found, document = parsed(legacy_attachment(existing, second, b"two"))
    assert found.layers == (*existing.layers, second)
    assert document["annotations"] == {"a": "b"}


def test_the_config_of_a_legacy_manifest_is_that_of_cosign() -> None:
    layer = describe(b"one", SIMPLESIGNING_LAYER)
    attachment = legacy_attachment(None, layer, b"one")
    config, data = attachment.blobs[0]
    assert config.media_type == OCI_CONFIG
    assert strict_json.loads(data) == {
        "architecture": "",
        "created": "0001-01-01T00:00:00Z",
        "history": [{"created": "0001-01-01T00:00:00Z"}],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [str(layer.digest)]},
        "config": {},
    }
    assert len(data) == 233


def test_the_same_signature_is_not_added_twice_and_another_over_the_same_payload_is() -> None:
    plain = describe(b"one", SIMPLESIGNING_LAYER)
    first = Descriptor(plain.media_type, plain.digest, plain.size, annotations=(("signature", "a"),))
    second = Descriptor(plain.media_type, plain.digest, plain.size, annotations=(("signature", "b"),))
    existing, _ = parsed(legacy_attachment(None, first, b"one"))
    again, _ = parsed(legacy_attachment(existing, first, b"one"))
    assert again.layers == (first,)
    both, _ = parsed(legacy_attachment(existing, second, b"one"))
    assert both.layers == (first, second)


def test_a_legacy_manifest_holds_no_more_than_cosign_reads() -> None:
    layers = tuple(describe(f"{number}".encode(), SIMPLESIGNING_LAYER) for number in range(MAX_LAYERS))
    config = describe(b"{}", OCI_CONFIG)
    almost = Manifest(b"", OCI_MANIFEST, config, layers[:-1])
    found, _ = parsed(legacy_attachment(almost, layers[-1], b"999"))
    assert len(found.layers) == MAX_LAYERS
    with pytest.raises(LimitExceeded, match="1000 signatures"):
        legacy_attachment(found, describe(b"one more", SIMPLESIGNING_LAYER), b"one more")


def test_dates_are_written_in_utc() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    attachment = artifact_attachment(SUBJECT, "a/b", [], annotations={}, created=moment)
    assert parsed(attachment)[1]["annotations"] == {CREATED: "2026-03-01T12:00:00Z"}
