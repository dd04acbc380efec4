"""Manifests, indexes, configs and descriptors: what is read, and each thing that breaks the specification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgtrust.content import (
    CONFIG_TYPES,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MAX_CHILDREN,
    MAX_LAYERS,
    MAX_MANIFEST_BYTES,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    Platform,
    describe,
    parse_config,
    parse_descriptor,
    parse_manifest,
)
from imgtrust.errors import ContentMalformed
from imgtrust.reference import Digest

BLOB = describe(b"blob", "application/x")
PLAIN = BLOB.to_json()


def document(**changes: Any) -> dict[str, Any]:
    whole = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": describe(b"{}", OCI_CONFIG).to_json(),
        "layers": [PLAIN],
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}


def listing(**changes: Any) -> dict[str, Any]:
    whole = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [PLAIN], **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def parse(members: object, media_type: str = OCI_MANIFEST) -> Manifest | Index:
    return parse_manifest(json.dumps(members).encode(), media_type)


# --- descriptors ------------------------------------------------------------------------------------------------------


def test_a_descriptor_is_read_with_all_that_it_says_and_written_again() -> None:
    given = {
        "mediaType": OCI_MANIFEST,
        "digest": str(BLOB.digest),
        "size": 4,
        "annotations": {"a": "b", "c": ""},
        "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
        "artifactType": "application/vnd.example",
    }
    found = parse_descriptor(given, "it")
    assert found.annotation("a") == "b"
    assert found.annotation("x") is None
    assert str(found.platform) == "linux/arm64/v8"
    assert found.is_manifest
    assert found.to_json() == given
    assert not BLOB.is_manifest


def test_a_platform_without_a_variant_has_none() -> None:
    found = parse_descriptor({**PLAIN, "platform": {"os": "linux", "architecture": "amd64", "variant": ""}}, "it")
    assert found.platform == Platform("linux", "amd64")
    assert str(found.platform) == "linux/amd64"
    assert found.to_json()["platform"] == {"architecture": "amd64", "os": "linux"}
    assert parse_descriptor({**PLAIN, "platform": {}}, "it").platform == Platform("unknown", "unknown")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mediaType": None}, "mediaType is absent"),
        ({"mediaType": ""}, "mediaType is absent"),
        ({"mediaType": 1}, "mediaType is a int"),
        ({"size": None}, "size is None"),
        ({"size": -1}, "size is -1"),
        ({"size": True}, "size is True"),
        ({"size": 1.0}, "size is 1.0"),
        ({"size": "4"}, "size is 4"),
        ({"size": (1 << 50) + 1}, "size is 1125899906842625"),
        ({"digest": None}, "is not a digest"),
        ({"digest": 1}, "digest is a int"),
        ({"digest": "sha256:00"}, "is not a digest"),
        ({"annotations": []}, "expected a JSON object"),
        ({"annotations": {"a": 1}}, "a is a int"),
        ({"platform": "linux"}, "expected a JSON object"),
        ({"platform": {"os": 1}}, "os is a int"),
        ({"artifactType": 1}, "artifactType is a int"),
    ],
)
def test_each_broken_member_of_a_descriptor_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ContentMalformed, match=f"the layer: .*{said}|of the layer: .*{said}"):
        parse_descriptor({**PLAIN, **changes}, "the layer")


def test_the_largest_size_and_none_are_read() -> None:
    assert parse_descriptor({**PLAIN, "size": 1 << 50}, "it").size == 1 << 50
    assert parse_descriptor({**PLAIN, "size": 0}, "it").size == 0


def test_what_is_no_object_is_no_descriptor() -> None:
    others: tuple[object, ...] = (None, [], "x", 1)
    for given in others:
        with pytest.raises(ContentMalformed, match="expected a JSON object"):
            parse_descriptor(given, "it")


# --- manifests --------------------------------------------------------------------------------------------------------


def test_a_manifest_is_read_with_its_raw_bytes() -> None:
    raw = json.dumps(document(artifactType="a/b", subject=PLAIN, annotations={"x": "y"})).encode()
    found = parse_manifest(raw, OCI_MANIFEST)
    assert isinstance(found, Manifest)
    assert found.raw == raw
    assert found.config.media_type in CONFIG_TYPES
    assert (found.layers, found.subject) == ((BLOB,), BLOB)
    assert (found.artifact_type, found.annotations) == ("a/b", (("x", "y"),))


def test_an_index_is_read_with_its_raw_bytes() -> None:
    raw = json.dumps(listing(artifactType="a/b", subject=PLAIN, annotations={"x": "y"})).encode()
    found = parse_manifest(raw, OCI_INDEX)
    assert isinstance(found, Index)
    assert (found.raw, found.manifests, found.subject) == (raw, (BLOB,), BLOB)
    assert (found.artifact_type, found.annotations) == ("a/b", (("x", "y"),))


def test_dockers_types_are_read_and_must_name_themselves() -> None:
    assert isinstance(parse(document(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST), Manifest)
    assert isinstance(parse(listing(mediaType=DOCKER_LIST), DOCKER_LIST), Index)
    for members, media_type in ((document(mediaType=...), DOCKER_MANIFEST), (listing(mediaType=...), DOCKER_LIST)):
        with pytest.raises(ContentMalformed, match="mediaType is absent"):
            parse(members, media_type)


def test_an_oci_manifest_may_leave_its_type_out() -> None:
    assert isinstance(parse(document(mediaType=...)), Manifest)
    assert isinstance(parse(listing(mediaType=...), OCI_INDEX), Index)


def test_null_lists_are_empty() -> None:
    found = parse(document(layers=None))
    assert isinstance(found, Manifest)
    assert found.layers == ()
    found = parse(listing(manifests=None), OCI_INDEX)
    assert isinstance(found, Index)
    assert found.manifests == ()


@pytest.mark.parametrize(
    ("members", "media_type", "said"),
    [
        ([], OCI_MANIFEST, "expected a JSON object"),
        (document(schemaVersion=1), OCI_MANIFEST, "schemaVersion is 1"),
        (document(schemaVersion=...), OCI_MANIFEST, "schemaVersion is None"),
        (document(schemaVersion=True), OCI_MANIFEST, "schemaVersion is True"),
        (document(schemaVersion="2"), OCI_MANIFEST, "schemaVersion is 2, expected 2"),
        (document(), "application/json", "is not that of a manifest"),
        (document(), OCI_INDEX, "mediaType is .*promised"),
        (document(), DOCKER_MANIFEST, "mediaType is .*promised"),
        (document(mediaType=1), OCI_MANIFEST, "mediaType is a int"),
        (document(mediaType=""), OCI_MANIFEST, "mediaType is ''"),
        (document(manifests=[]), OCI_MANIFEST, "with 'manifests'"),
        (listing(layers=[]), OCI_INDEX, "with 'layers'"),
        (listing(config={}), OCI_INDEX, "with 'config'"),
        (document(config=...), OCI_MANIFEST, "config of manifest: expected a JSON object"),
        (document(layers={}), OCI_MANIFEST, "layers is a dict"),
        (document(layers=[1]), OCI_MANIFEST, r"layers\[0\] of manifest: expected a JSON object"),
        (document(layers=[PLAIN] * (MAX_LAYERS + 1)), OCI_MANIFEST, "1001 layers, expected at most 1000"),
        (listing(manifests=[PLAIN] * (MAX_CHILDREN + 1)), OCI_INDEX, "1001 manifests, expected at most 1000"),
        (document(subject=[]), OCI_MANIFEST, "subject of manifest"),
        (document(artifactType=1), OCI_MANIFEST, "artifactType is a int"),
        (document(annotations={"a": None, "b": []}), OCI_MANIFEST, "b is a list"),
    ],
)
def test_each_thing_that_breaks_the_specification_is_named(members: object, media_type: str, said: str) -> None:
    with pytest.raises(ContentMalformed, match=said):
        parse(members, media_type)


def test_the_most_layers_and_children_are_read() -> None:
    found = parse(document(layers=[PLAIN] * MAX_LAYERS))
    assert isinstance(found, Manifest)
    assert len(found.layers) == MAX_LAYERS
    index = parse(listing(manifests=[PLAIN] * MAX_CHILDREN), OCI_INDEX)
    assert isinstance(index, Index)
    assert len(index.manifests) == MAX_CHILDREN


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"[" * 100_000, b'{"schemaVersion":NaN}', b'{"schemaVersion":2,"schemaVersion":2}', b"<html>"]
)
def test_what_is_no_json_with_one_reading_is_refused(raw: bytes) -> None:
    with pytest.raises(ContentMalformed, match="the referrer: "):
        parse_manifest(raw, OCI_MANIFEST, "the referrer")


def test_a_manifest_of_more_than_4_mib_is_not_parsed() -> None:
    raw = json.dumps(document()).encode()
    assert isinstance(parse_manifest(raw.ljust(MAX_MANIFEST_BYTES), OCI_MANIFEST), Manifest)
    with pytest.raises(ContentMalformed, match="4194305 bytes, expected at most 4194304"):
        parse_manifest(raw.ljust(MAX_MANIFEST_BYTES + 1), OCI_MANIFEST)


# --- configs ----------------------------------------------------------------------------------------------------------


def test_a_config_is_read() -> None:
    raw = json.dumps(
        {
            "os": "linux",
            "architecture": "arm64",
            "variant": "v8",
            "created": "2026-01-01T00:00:00Z",
            "config": {"User": "1"},
        }
    ).encode()
    found = parse_config(raw)
    assert (found.os, found.architecture, found.variant) == ("linux", "arm64", "v8")
    assert (found.created, found.user, found.raw) == ("2026-01-01T00:00:00Z", "1", raw)


def test_absent_members_of_a_config_are_empty() -> None:
    for raw in (b"{}", b'{"config":null}', b'{"config":{}}'):
        found = parse_config(raw)
        assert (found.os, found.architecture, found.variant, found.created, found.user) == ("", "", None, None, "")


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"os":1}', b'{"config":[]}', b'{"config":{"User":0}}', b'{"created":1}'])
def test_a_broken_config_is_refused(raw: bytes) -> None:
    with pytest.raises(ContentMalformed):
        parse_config(raw, "the config")


def test_bytes_at_hand_are_described() -> None:
    assert describe(b"blob", "a/b", artifact_type="c/d") == Descriptor("a/b", Digest.of(b"blob"), 4, "c/d")
