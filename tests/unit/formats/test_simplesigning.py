"""cosign's legacy layers: payloads with their annotations, and envelopes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Evidence, Format, Kind, LogEntry, Signed
from imgtrust.formats import read, simplesigning
from imgtrust.formats.mediatypes import DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.formats.simplesigning import (
    REFERENCE_ANNOTATION,
    SIGNATURE_ANNOTATION,
    TIMESTAMP_ANNOTATION,
    signature_annotations,
    write_payload,
)
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import (
    IMAGE,
    SIGN,
    Key,
    attestation_layer,
    b64,
    evidence,
    pae,
    signature_layer,
    simple_payload,
    statement,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = Key.new()
PREDICATE = "https://slsa.dev/provenance/v1"
MAKERS: tuple[Any, ...] = (signature_layer, attestation_layer)


def judge(candidate: Evidence) -> Signed | RefusalCode:
    try:
        return read(candidate)
    except Refused as exc:
        return exc.code


def test_a_payload_is_read_with_the_signature_beside_it() -> None:
    candidate = signature_layer(KEY)
    found = judge(candidate)
    assert isinstance(found, Signed)
    assert found.format is Format.SIMPLESIGNING
    assert found.kind is Kind.SIGNATURE
    assert found.message == candidate.payload
    assert found.subjects == (IMAGE.encoded,)
    assert found.stamped == (found.signature,)
    assert found.statement is None
    assert (found.timestamps, found.log_entries) == ((), ())
    assert found.annotations == ((REFERENCE_ANNOTATION, "registry.example/app"),)


def test_the_signed_annotations_are_kept_and_the_reference_cannot_be_forged_among_them() -> None:
    payload = simple_payload(optional={"env": "prod", "n": 1, REFERENCE_ANNOTATION: "other/app"})
    found = judge(signature_layer(KEY, payload))
    assert isinstance(found, Signed)
    assert found.annotations == (("env", "prod"), (REFERENCE_ANNOTATION, "registry.example/app"))


def test_a_payload_without_a_reference_is_read() -> None:
    critical = {"image": {"docker-manifest-digest": str(IMAGE)}, "type": "cosign container image signature"}
    identities: tuple[dict[str, Any], ...] = ({}, {"identity": {}}, {"identity": {"docker-reference": ""}})
    for identity in identities:
        found = judge(signature_layer(KEY, strict_json.dumps({"critical": {**critical, **identity}})))
        assert isinstance(found, Signed)
        assert found.annotations == ()


def test_a_reference_among_the_annotations_is_none_even_where_no_other_is() -> None:
    critical = {"image": {"docker-manifest-digest": str(IMAGE)}, "type": "cosign container image signature"}
    payload = {"critical": critical, "optional": {REFERENCE_ANNOTATION: "other/app", "env": "prod"}}
    found = judge(signature_layer(KEY, strict_json.dumps(payload)))
    assert isinstance(found, Signed)
    assert found.annotations == (("env", "prod"),)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(expires="2026-01-01"),
        lambda document: document["critical"].update(expires="2026-01-01"),
        lambda document: document["critical"]["image"].update({"docker-manifest-digests": []}),
        lambda document: document["critical"]["identity"].update({"docker-repository": "other/app"}),
    ],
    ids=["beside critical", "critical", "image", "identity"],
)
def test_a_critical_member_that_is_not_known_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(simple_payload())
    change(document)
    assert judge(signature_layer(KEY, strict_json.dumps(document))) is RefusalCode.SIMPLESIGNING_MALFORMED


@pytest.mark.parametrize(
    "kind", ["atomic container signature", "", "Cosign container image signature", "cosign container image signature "]
)
def test_a_payload_of_another_type_is_refused(kind: str) -> None:
    assert judge(signature_layer(KEY, simple_payload(kind=kind))) is RefusalCode.SIMPLESIGNING_TYPE


@pytest.mark.parametrize("digest", ["", IMAGE.encoded, str(IMAGE).upper(), "sha256:00", "md5:" + "0" * 32])
def test_a_payload_with_another_form_of_digest_is_refused(digest: str) -> None:
    assert judge(signature_layer(KEY, simple_payload(digest))) is RefusalCode.SIMPLESIGNING_MALFORMED


def test_a_sha512_digest_is_read() -> None:
    digest = Digest.of(b"image", "sha512")
    found = judge(signature_layer(KEY, simple_payload(str(digest))))
    assert isinstance(found, Signed)
    assert found.subjects == (digest.encoded,)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"critical":[]}',
        b'{"critical":{"type":"cosign container image signature"}}',
        b'{"critical":{"type":"cosign container image signature","image":"x"}}',
        b'{"critical":{"type":1}}',
        simple_payload().replace(b'"type":', b'"type":"x","type":'),
        simple_payload(optional=[]),
        simple_payload().replace(b'{"docker-reference":"registry.example/app"}', b"7"),
    ],
)
def test_payloads_of_another_shape_are_refused(payload: bytes) -> None:
    assert judge(signature_layer(KEY, payload)) is RefusalCode.SIMPLESIGNING_MALFORMED


@pytest.mark.parametrize("text", [None, "", "!", "AAA", "AAAA\n", "AB=="])
def test_the_signature_has_to_be_there_in_strict_base64(text: str | None) -> None:
    annotations = {} if text is None else {SIGNATURE_ANNOTATION: text}
    candidate = evidence(simple_payload(), SIMPLESIGNING_LAYER, annotations)
    assert judge(candidate) is RefusalCode.SIMPLESIGNING_MALFORMED


PEM = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
LEAF, ISSUER = PEM % b64(b"leaf"), PEM % b64(b"issuer")
CERTIFICATE, CHAIN = "dev.sigstore.cosign/certificate", "dev.sigstore.cosign/chain"


@pytest.mark.parametrize("prefix", ["dev.sigstore.cosign/", "dev.cosignproject.cosign/"])
def test_certificate_and_chain_are_read_from_their_annotations(prefix: str) -> None:
    for make in MAKERS:
        found = judge(make(KEY, more={f"{prefix}certificate": LEAF, f"{prefix}chain": ISSUER + "\n" + ISSUER}))
        assert isinstance(found, Signed)
        assert found.certificates == (b"leaf", b"issuer", b"issuer")
        found = judge(make(KEY, more={f"{prefix}certificate": LEAF, f"{prefix}chain": ""}))
        assert isinstance(found, Signed)
        assert found.certificates == (b"leaf",)
        found = judge(make(KEY, more={f"{prefix}certificate": ""}))
        assert isinstance(found, Signed)
        assert found.certificates == ()


@pytest.mark.parametrize(
    "annotations",
    [
        {CERTIFICATE: "-----BEGIN CERTIFICATE-----"},
        {CERTIFICATE: LEAF + ISSUER},
        {CERTIFICATE: LEAF, CHAIN: "x"},
        {CERTIFICATE: LEAF, "dev.cosignproject.cosign/certificate": ISSUER},
    ],
)
def test_certificates_that_cannot_be_read_in_one_way_are_refused(annotations: dict[str, str]) -> None:
    for make in MAKERS:
        assert judge(make(KEY, more=annotations)) is RefusalCode.CERTIFICATE_MALFORMED


def test_a_chain_without_a_certificate_is_refused() -> None:
    for make in MAKERS:
        assert judge(make(KEY, more={CHAIN: ISSUER})) is RefusalCode.SIMPLESIGNING_UNSUPPORTED


def test_the_envelope_of_an_attestation_is_kept_with_its_payload() -> None:
    candidate = attestation_layer(KEY)
    found = judge(candidate)
    assert isinstance(found, Signed)
    assert found.envelope == candidate.payload
    assert found.payload is not None
    assert found.message == pae(found.payload)


def test_the_time_stamp_is_taken_out_of_its_annotation() -> None:
    text = signature_annotations(b"sig", b"token")[TIMESTAMP_ANNOTATION]
    assert json.loads(text) == {"SignedRFC3161Timestamp": b64(b"token")}
    for make in MAKERS:
        found = judge(make(KEY, more={TIMESTAMP_ANNOTATION: text}))
        assert isinstance(found, Signed)
        assert found.timestamps == (b"token",)
        found = judge(make(KEY, more={TIMESTAMP_ANNOTATION: ""}))
        assert isinstance(found, Signed)
        assert found.timestamps == ()


@pytest.mark.parametrize("text", ["x", "[]", '{"SignedRFC3161Timestamp":"!"}', "\ud800"])
def test_an_annotation_that_holds_no_time_stamp_is_handed_on_to_be_refused_as_one(text: str) -> None:
    found = judge(signature_layer(KEY, timestamp=text))
    assert isinstance(found, Signed)
    assert found.timestamps == (text.encode("utf-8", "replace"),)


def test_an_envelope_is_an_attestation_whose_time_stamp_may_be_over_either_thing() -> None:
    payload = statement(predicate_type=PREDICATE)
    candidate = attestation_layer(KEY, payload, more={"predicateType": "https://lies.example/"})
    found = judge(candidate)
    assert isinstance(found, Signed)
    assert found.format is Format.SIMPLESIGNING
    assert found.kind is Kind.ATTESTATION
    assert found.message == pae(payload)
    assert found.stamped == (found.signature, candidate.payload)
    assert found.statement is not None
    assert found.statement.predicate_type == PREDICATE


def test_a_sign_statement_in_a_legacy_envelope_is_a_signature() -> None:
    found = judge(attestation_layer(KEY, statement(predicate_type=SIGN)))
    assert isinstance(found, Signed)
    assert found.kind is Kind.SIGNATURE


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (b"", RefusalCode.DSSE_MALFORMED),
        (b"{}", RefusalCode.DSSE_PAYLOAD_TYPE),
        (b'{"payloadType":"application/vnd.in-toto+json","payload":"e30="}', RefusalCode.DSSE_MALFORMED),
        (
            b'{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="},{"sig":"AA=="}]}',
            RefusalCode.DSSE_MALFORMED,
        ),
        (
            b'{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}',
            RefusalCode.STATEMENT_TYPE,
        ),
    ],
)
def test_broken_envelopes_are_refused(envelope: bytes, code: RefusalCode) -> None:
    assert judge(evidence(envelope, DSSE_LAYER)) is code


def test_layers_as_large_as_allowed_are_read() -> None:
    payload = simple_payload().ljust(simplesigning._MAX_PAYLOAD)
    assert isinstance(judge(signature_layer(KEY, payload)), Signed)
    envelope = attestation_layer(KEY).payload.ljust(simplesigning._MAX_ENVELOPE)
    assert isinstance(judge(evidence(envelope, DSSE_LAYER)), Signed)


def test_huge_layers_are_not_parsed() -> None:
    large = b" " * (simplesigning._MAX_PAYLOAD + 1)
    with pytest.raises(Refused, match=r"payload: .*at most") as caught:
        read(evidence(large, SIMPLESIGNING_LAYER, {SIGNATURE_ANNOTATION: "AAAA"}))
    assert caught.value.code is RefusalCode.SIMPLESIGNING_MALFORMED
    huge = b" " * (simplesigning._MAX_ENVELOPE + 1)
    with pytest.raises(Refused, match=r"envelope: .*at most") as caught:
        read(evidence(huge, DSSE_LAYER))
    assert caught.value.code is RefusalCode.DSSE_MALFORMED


def test_a_payload_is_written_as_cosign_writes_it() -> None:
    assert write_payload("registry.example/app", IMAGE) == (
        b'{"critical":{"identity":{"docker-reference":"registry.example/app"},'
        b'"image":{"docker-manifest-digest":"' + str(IMAGE).encode() + b'"},'
        b'"type":"cosign container image signature"},"optional":null}'
    )
    assert json.loads(write_payload("r.example/a", IMAGE, {"env": "prod"}))["optional"] == {"env": "prod"}


def test_what_is_written_is_read_again() -> None:
    payload = write_payload("registry.example/app", IMAGE, {"env": "prod"})
    found = judge(evidence(payload, SIMPLESIGNING_LAYER, signature_annotations(b"sig", b"token")))
    assert isinstance(found, Signed)
    assert (found.signature, found.timestamps, found.subjects) == (b"sig", (b"token",), (IMAGE.encoded,))
    assert signature_annotations(b"") == {SIGNATURE_ANNOTATION: ""}


def test_the_promise_of_a_log_is_written_beside_the_signature_and_read_again() -> None:
    payload = write_payload("registry.example/app", IMAGE)
    entry = LogEntry("hashedrekord", "0.0.1", bytes(32), 7, 1_700_000_000, b'{"a": 1}', b"promise")
    found = judge(evidence(payload, SIMPLESIGNING_LAYER, signature_annotations(b"sig", None, entry)))
    assert isinstance(found, Signed)
    assert found.log_entries == (replace(entry, kind="", version=""),)
    assert found.timestamps == ()


def test_an_entry_without_a_promise_has_no_place_beside_a_signature() -> None:
    with pytest.raises(ValueError, match="without a promise"):
        signature_annotations(b"sig", None, LogEntry("hashedrekord", "0.0.2", bytes(32), 7, 0, b"{}"))
