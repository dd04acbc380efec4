"""No bytes make a format raise anything but a refusal, and what is written is read again."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from imgtrust import strict_json
from imgtrust.content import MANIFEST_TYPES, parse_config, parse_manifest
from imgtrust.errors import ContentMalformed, InvalidDigest, InvalidReference, Refused
from imgtrust.formats import read
from imgtrust.formats.attachments import attached_to, candidates, claim_of, is_attachment_tag
from imgtrust.formats.bundle import write_bundle
from imgtrust.formats.mediatypes import BUNDLE_TYPE, DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.formats.members import decode_base64
from imgtrust.formats.simplesigning import signature_annotations, write_payload
from imgtrust.formats.statement import parse_statement, write_statement
from imgtrust.reference import Digest, Reference
from tests.simulators.evidence import IMAGE, Key, attestation_layer, bundle, evidence, message_bundle, signature_layer

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence, Signed

KEY = Key.new()
LAYERS = (BUNDLE_TYPE, SIMPLESIGNING_LAYER, DSSE_LAYER)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
GOOD = (
    evidence(bundle(KEY, timestamps=(b"token",))),
    evidence(message_bundle(KEY)),
    signature_layer(KEY, timestamp='{"SignedRFC3161Timestamp":"AAAA"}'),
    attestation_layer(KEY),
)


def parse(candidate: Evidence) -> Signed | None:
    """None where it is refused; any other exception fails the test."""
    try:
        return read(candidate)
    except Refused:
        return None


@given(st.sampled_from(LAYERS), st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(media_type: str, payload: bytes) -> None:
    assert parse(evidence(payload, media_type, signature_annotations(b"sig"))) is None


@given(st.sampled_from(LAYERS), JSON)
def test_arbitrary_json_is_refused(media_type: str, value: object) -> None:
    assert parse(evidence(strict_json.dumps(value), media_type, signature_annotations(b"sig"))) is None


def paths(value: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all members and items."""
    found = [here] if here else []
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for name, inner in items:
        found += paths(inner, (*here, name))
    return found


@settings(max_examples=400)
@given(st.data())
def test_any_member_may_be_anything(data: st.DataObject) -> None:
    candidate = data.draw(st.sampled_from(GOOD))
    document: Any = json.loads(candidate.payload)
    path = data.draw(st.sampled_from(paths(document)))
    target = document = copy.deepcopy(document)
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = data.draw(JSON)
    parse(replace(candidate, payload=strict_json.dumps(document)))


@given(JSON, st.text(max_size=20), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
def test_statements_are_read_as_they_were_written(predicate: object, name: str, annotations: dict[str, str]) -> None:
    found = parse_statement(write_statement(IMAGE, "https://x.example", predicate, name=name, annotations=annotations))
    assert found.subjects == (IMAGE.encoded,)
    assert found.predicate == predicate
    assert dict(found.annotations) == annotations


@given(st.binary(min_size=1), st.lists(st.binary(min_size=1, max_size=9), max_size=8), st.text(max_size=9))
def test_bundles_are_read_as_they_were_written(signature: bytes, timestamps: list[bytes], hint: str) -> None:
    statement = write_statement(IMAGE, "https://x.example", {})
    written = write_bundle(key_hint=hint, signature=signature, statement=statement, timestamps=timestamps)
    found = parse(evidence(written))
    assert found is not None
    assert (found.signature, found.timestamps, found.key_hint) == (signature, tuple(timestamps), hint or None)
    written = write_bundle(key_hint=hint, signature=signature, message_digest=bytes(32))
    found = parse(evidence(written))
    assert found is not None
    assert (found.signature, found.message_digest) == (signature, "00" * 32)


@given(st.binary(min_size=1), st.none() | st.binary(), st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_legacy_layers_are_read_as_they_were_written(
    signature: bytes, timestamp: bytes | None, optional: dict[str, str]
) -> None:
    payload = write_payload("registry.example/app", IMAGE, optional)
    found = parse(evidence(payload, SIMPLESIGNING_LAYER, signature_annotations(signature, timestamp)))
    assert found is not None
    assert (found.signature, found.message, found.subjects) == (signature, payload, (IMAGE.encoded,))
    assert found.timestamps == (() if timestamp is None else (timestamp,))
    assert dict(found.annotations) == {**optional, "critical.identity.docker-reference": "registry.example/app"}


@given(st.text(max_size=12))
def test_base64_has_one_spelling(text: str) -> None:
    decoded = decode_base64(text)
    assert decoded is None or base64.b64encode(decoded).decode() == text


@given(st.binary())
def test_base64_is_read_as_it_was_written(data: bytes) -> None:
    assert decode_base64(base64.b64encode(data).decode()) == data


# --- names and manifests ----------------------------------------------------------------------------------------------


@given(st.text(max_size=60))
def test_text_is_a_name_that_is_written_the_same_or_refused(text: str) -> None:
    try:
        found = Reference.parse(text)
    except (InvalidReference, InvalidDigest):
        return
    assert str(found) == text


@given(st.from_regex(r"(sha256|sha512)-[0-9a-f]{64}(\.(sig|att|sbom))?|[a-z0-9.]{1,20}", fullmatch=True))
def test_a_tag_with_a_digest_is_no_image(tag: str) -> None:
    found = attached_to(tag)
    assert is_attachment_tag(tag) is tag.startswith(("sha256-", "sha512-"))
    assert found is None or found == Digest("sha256", tag[7:71])


@settings(max_examples=200)
@given(st.sampled_from(sorted(MANIFEST_TYPES)), st.binary(max_size=100) | JSON.map(strict_json.dumps))
def test_no_bytes_crash_the_reading_of_manifests(media_type: str, raw: bytes) -> None:
    for read_one in (lambda: parse_manifest(raw, media_type), lambda: parse_config(raw)):
        try:
            read_one()
        except ContentMalformed:
            continue


DESCRIPTOR = {"mediaType": BUNDLE_TYPE, "digest": str(IMAGE), "size": 1, "annotations": {"a": "b"}}
MANIFEST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "artifactType": "a/b",
    "config": {**DESCRIPTOR, "mediaType": "application/vnd.oci.empty.v1+json", "artifactType": "c/d"},
    "layers": [DESCRIPTOR, {**DESCRIPTOR, "platform": {"os": "linux", "architecture": "amd64"}}],
    "subject": DESCRIPTOR,
    "annotations": {"a": "b"},
}


@settings(max_examples=400)
@given(st.sampled_from(paths(MANIFEST)), JSON)
def test_any_member_of_a_manifest_may_be_anything(path: tuple[str | int, ...], value: object) -> None:
    target = document = copy.deepcopy(MANIFEST)
    for step in path[:-1]:
        target = target[step]  # type: ignore[index]  # JSON has no type
    target[path[-1]] = value  # type: ignore[index]  # JSON has no type
    try:
        found = parse_manifest(strict_json.dumps(document), MANIFEST["mediaType"])
    except ContentMalformed:
        return
    claim_of(found)
    assert candidates(found, legacy=True) == ()
    try:
        candidates(found, legacy=False)
    except Refused:
        return
