"""Sigstore bundles: what a good one gives, and each thing that is refused, with its code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind, Signed
from imgtrust.formats import read
from imgtrust.formats.bundle import MAX_BUNDLE_BYTES, MAX_LOG_ENTRIES, MAX_TIMESTAMPS, write_bundle
from imgtrust.formats.certificates import MAX_CERTIFICATE_BYTES, MAX_CERTIFICATES
from imgtrust.formats.logentries import write_entry
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import (
    IMAGE,
    Key,
    b64,
    bundle,
    envelope_bundle,
    evidence,
    message_bundle,
    pae,
    statement,
)
from tests.simulators.sigstore import V1, V2, VirtualSigstore

KEY = Key.new()
OLD = "application/vnd.dev.sigstore.bundle+json;version=0."
PROVENANCE = "https://slsa.dev/provenance/v1"


def judge(payload: bytes) -> Signed | RefusalCode:
    try:
        return read(evidence(payload))
    except Refused as exc:
        return exc.code


def changed(payload: bytes, *path: str | int, value: Any = None) -> bytes:
    """The same JSON with one member set; left out where the value is None."""
    document = json.loads(payload)
    target = document
    for step in path[:-1]:
        target = target[step]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return json.dumps(document).encode()


def test_an_envelope_is_read_whole() -> None:
    payload = statement()
    signature = KEY.sign(pae(payload))
    found = judge(envelope_bundle(KEY.public.hint, payload, signature, (b"token",)))
    assert isinstance(found, Signed)
    assert found.format is Format.BUNDLE
    assert found.kind is Kind.SIGNATURE
    assert (found.signature, found.message, found.stamped) == (signature, pae(payload), (signature,))
    assert found.subjects == (IMAGE.encoded,)
    assert found.key_hint == KEY.public.hint
    assert found.timestamps == (b"token",)
    assert found.statement is not None
    assert found.message_digest is None


def test_a_message_signature_is_known_by_its_digest() -> None:
    found = judge(message_bundle(KEY))
    assert isinstance(found, Signed)
    assert found.kind is Kind.SIGNATURE
    assert found.message is None
    assert found.statement is None
    assert (found.message_digest, found.subjects) == (IMAGE.encoded, (IMAGE.encoded,))
    assert found.stamped == (found.signature,)


def test_only_the_sign_predicate_is_a_signature() -> None:
    for predicate_type in (PROVENANCE, "https://sigstore.dev/cosign/sign/v1/", "https://sigstore.dev/cosign/sign/v2"):
        found = judge(bundle(KEY, statement(predicate_type=predicate_type)))
        assert isinstance(found, Signed)
        assert found.kind is Kind.ATTESTATION


def test_all_versions_are_read_and_version_3_in_both_spellings() -> None:
    for media_type in (BUNDLE_TYPE, OLD + "1", OLD + "2", OLD + "3"):
        assert isinstance(judge(bundle(KEY, mediaType=media_type)), Signed)


@pytest.mark.parametrize(
    "media_type",
    [OLD + "0", OLD + "4", "application/vnd.dev.sigstore.bundle.v0.4+json", BUNDLE_TYPE + " ", OLD + "3.1"],
)
def test_other_versions_are_refused_by_name(media_type: str) -> None:
    assert judge(bundle(KEY, mediaType=media_type)) is RefusalCode.BUNDLE_VERSION


@pytest.mark.parametrize("media_type", [None, "", 3, "application/json"])
def test_another_media_type_is_malformed(media_type: object) -> None:
    assert judge(bundle(KEY, mediaType=media_type)) is RefusalCode.BUNDLE_MALFORMED


LEAF: dict[str, Any] = {"rawBytes": b64(b"leaf")}
CHAIN: dict[str, Any] = {"certificates": [LEAF, {"rawBytes": b64(b"issuer")}]}


def test_a_certificate_is_handed_on_as_it_is() -> None:
    found = judge(bundle(KEY, verificationMaterial={"certificate": LEAF}))
    assert isinstance(found, Signed)
    assert (found.certificates, found.key_hint) == ((b"leaf",), None)


def test_a_chain_is_read_before_version_3_only() -> None:
    for version in "12":
        found = judge(bundle(KEY, mediaType=OLD + version, verificationMaterial={"x509CertificateChain": CHAIN}))
        assert isinstance(found, Signed)
        assert found.certificates == (b"leaf", b"issuer")
    assert judge(bundle(KEY, verificationMaterial={"x509CertificateChain": CHAIN})) is RefusalCode.BUNDLE_MALFORMED


@pytest.mark.parametrize(
    "material",
    [
        {"certificate": {}},
        {"certificate": {"rawBytes": ""}},
        {"certificate": {"rawBytes": "!"}},
        {"certificate": {**LEAF, "extra": 1}},
        {"certificate": {"rawBytes": b64(bytes(MAX_CERTIFICATE_BYTES + 1))}},
        {"certificate": LEAF, "publicKey": {"hint": ""}},
        {"certificate": LEAF, "x509CertificateChain": CHAIN},
        {"x509CertificateChain": CHAIN, "publicKey": {}},
        {"x509CertificateChain": {}},
        {"x509CertificateChain": {"certificates": []}},
        {"x509CertificateChain": {**CHAIN, "extra": 1}},
        {"x509CertificateChain": {"certificates": [LEAF] * (MAX_CERTIFICATES + 1)}},
    ],
)
def test_what_signed_is_named_once_and_can_be_read(material: dict[str, Any]) -> None:
    changed_bundle = bundle(KEY, mediaType=OLD + "2", verificationMaterial=material)
    assert judge(changed_bundle) is RefusalCode.BUNDLE_MALFORMED


def test_a_certificate_of_the_largest_size_is_read() -> None:
    material = {"certificate": {"rawBytes": b64(bytes(MAX_CERTIFICATE_BYTES))}}
    assert isinstance(judge(bundle(KEY, verificationMaterial=material)), Signed)


@pytest.mark.parametrize(("stated", "name", "length"), [("SHA2_384", "sha384", 48), ("SHA2_512", "sha512", 64)])
def test_a_message_may_be_named_by_a_longer_digest(stated: str, name: str, length: int) -> None:
    value = hashlib.new(name, b"message").digest()
    assert len(value) == length
    found = judge(message_bundle(KEY, messageDigest={"algorithm": stated, "digest": b64(value)}))
    assert isinstance(found, Signed)
    assert (found.message_digest, found.digest_algorithm) == (value.hex(), name)
    short = message_bundle(KEY, messageDigest={"algorithm": stated, "digest": b64(value[1:])})
    assert judge(short) is RefusalCode.BUNDLE_MALFORMED


@pytest.mark.parametrize("stated", ["", "SHA3_256", "sha256", "HASH_ALGORITHM_UNSPECIFIED"])
def test_a_message_digest_of_another_algorithm_is_refused_by_name(stated: str) -> None:
    given = message_bundle(KEY, messageDigest={"algorithm": stated, "digest": b64(bytes(32))})
    assert judge(given) is RefusalCode.BUNDLE_UNSUPPORTED


def test_the_key_hint_may_be_left_out() -> None:
    keys: tuple[dict[str, Any], ...] = ({}, {"hint": ""}, {"hint": None})
    for key in keys:
        found = judge(bundle(KEY, verificationMaterial={"publicKey": key}))
        assert isinstance(found, Signed)
        assert found.key_hint is None


def test_zero_values_may_be_left_out_or_null() -> None:
    materials: tuple[dict[str, Any], ...] = (
        {"publicKey": {}, "tlogEntries": None, "timestampVerificationData": None, "certificate": None},
        {"publicKey": {}, "timestampVerificationData": {}},
    )
    for given in materials:
        found = judge(
            strict_json.dumps({**json.loads(bundle(KEY)), "verificationMaterial": given, "messageSignature": None})
        )
        assert isinstance(found, Signed)
        assert found.timestamps == ()


def test_time_stamps_are_handed_on_as_they_are() -> None:
    tokens = tuple(bytes([number]) for number in range(MAX_TIMESTAMPS))
    found = judge(bundle(KEY, timestamps=tokens))
    assert isinstance(found, Signed)
    assert found.timestamps == tokens


GOOD = bundle(KEY, timestamps=(b"token",))
MATERIAL = ("verificationMaterial",)
TIMES = (*MATERIAL, "timestampVerificationData")
ENVELOPE = ("dsseEnvelope",)
BROKEN: list[tuple[tuple[str | int, ...], Any, RefusalCode]] = [
    (("extra",), 1, RefusalCode.BUNDLE_MALFORMED),
    (("dsse_envelope",), {}, RefusalCode.BUNDLE_MALFORMED),
    (MATERIAL, None, RefusalCode.BUNDLE_MALFORMED),
    (MATERIAL, [], RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "extra"), 1, RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "publicKey"), None, RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "publicKey"), "x", RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "publicKey", "hint"), 1, RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "publicKey", "rawBytes"), "AAAA", RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "tlogEntries"), {}, RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "tlogEntries"), [1], RefusalCode.BUNDLE_MALFORMED),
    ((*MATERIAL, "tlogEntries"), [{}] * (MAX_LOG_ENTRIES + 1), RefusalCode.BUNDLE_MALFORMED),
    (TIMES, 1, RefusalCode.BUNDLE_MALFORMED),
    ((*TIMES, "extra"), 1, RefusalCode.BUNDLE_MALFORMED),
    ((*TIMES, "rfc3161Timestamps"), [{}] * (MAX_TIMESTAMPS + 1), RefusalCode.BUNDLE_MALFORMED),
    ((*TIMES, "rfc3161Timestamps", 0, "extra"), 1, RefusalCode.BUNDLE_MALFORMED),
    ((*TIMES, "rfc3161Timestamps", 0, "signedTimestamp"), "!", RefusalCode.BUNDLE_MALFORMED),
    (ENVELOPE, None, RefusalCode.BUNDLE_MALFORMED),
    (("messageSignature",), {"signature": "AAAA"}, RefusalCode.BUNDLE_MALFORMED),
    ((*ENVELOPE, "extra"), 1, RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "payloadType"), None, RefusalCode.DSSE_PAYLOAD_TYPE),
    ((*ENVELOPE, "payloadType"), "application/vnd.in-toto+json ", RefusalCode.DSSE_PAYLOAD_TYPE),
    ((*ENVELOPE, "payload"), "e30", RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "payload"), None, RefusalCode.STATEMENT_MALFORMED),
    ((*ENVELOPE, "signatures"), None, RefusalCode.BUNDLE_SIGNATURES),
    ((*ENVELOPE, "signatures"), [], RefusalCode.BUNDLE_SIGNATURES),
    ((*ENVELOPE, "signatures"), [{"sig": "AAAA"}] * 2, RefusalCode.BUNDLE_SIGNATURES),
    ((*ENVELOPE, "signatures"), [{"sig": "AAAA"}] * 17, RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "signatures"), {"sig": "AAAA"}, RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "signatures", 0, "sig"), None, RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "signatures", 0, "sig"), "", RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "signatures", 0, "sig"), "A===", RefusalCode.DSSE_MALFORMED),
    ((*ENVELOPE, "signatures", 0, "extra"), "", RefusalCode.DSSE_MALFORMED),
]


@pytest.mark.parametrize(("path", "value", "code"), BROKEN)
def test_each_broken_member_is_refused(path: tuple[str | int, ...], value: object, code: RefusalCode) -> None:
    assert judge(changed(GOOD, *path, value=value)) is code


def test_a_keyid_beside_the_signature_is_read_and_ignored() -> None:
    assert isinstance(judge(changed(GOOD, *ENVELOPE, "signatures", 0, "keyid", value="x")), Signed)


@pytest.mark.parametrize(
    "changes",
    [
        {"messageDigest": None},
        {"messageDigest": {"algorithm": "SHA2_384", "digest": b64(bytes(32))}},
        {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(bytes(31))}},
        {"messageDigest": {"algorithm": "SHA2_256"}},
        {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(bytes(32)), "extra": 1}},
        {"signature": None},
        {"signature": ""},
        {"signature": "#"},
        {"extra": "x"},
    ],
)
def test_each_broken_member_of_a_message_signature_is_refused(changes: dict[str, Any]) -> None:
    assert judge(message_bundle(KEY, **changes)) is RefusalCode.BUNDLE_MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"mediaType":"a","mediaType":"b"}',
        b"[" * 100_000,
        b'{"a":NaN}',
    ],
)
def test_what_is_no_json_object_with_one_reading_is_refused(payload: bytes) -> None:
    assert judge(payload) is RefusalCode.BUNDLE_MALFORMED


def test_a_huge_bundle_is_not_parsed() -> None:
    assert isinstance(read(evidence(bundle(KEY).ljust(MAX_BUNDLE_BYTES))), Signed)
    with pytest.raises(Refused, match="at most") as caught:
        read(evidence(b" " * (MAX_BUNDLE_BYTES + 1)))
    assert caught.value.code is RefusalCode.BUNDLE_MALFORMED


def test_what_is_written_is_read_again() -> None:
    payload, signature = statement(), KEY.sign(pae(statement()))
    written = write_bundle(key_hint="hint", signature=signature, statement=payload, timestamps=[b"one", b"two"])
    found = judge(written)
    assert isinstance(found, Signed)
    assert (found.signature, found.message, found.key_hint) == (signature, pae(payload), "hint")
    assert found.timestamps == (b"one", b"two")
    digest = bytes.fromhex(IMAGE.encoded)
    found = judge(write_bundle(key_hint="hint", signature=b"sig", message_digest=digest))
    assert isinstance(found, Signed)
    assert (found.signature, found.message_digest) == (b"sig", IMAGE.encoded)


def test_a_bundle_is_written_as_cosign_writes_it() -> None:
    written = json.loads(write_bundle(key_hint="aGludA==", signature=b"sig", statement=b"{}"))
    assert written == {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "aGludA=="}},
        "dsseEnvelope": {
            "payload": "e30=",
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": "c2ln"}],
        },
    }


@pytest.mark.parametrize("kind", [V1, V2, None])
def test_certificate_and_log_entries_are_written_as_they_were_read(kind: tuple[str, str] | None) -> None:
    first = read(VirtualSigstore().evidence(kind=kind))
    assert first.payload is not None
    written = write_bundle(
        certificate=first.certificates[0],
        signature=first.signature,
        statement=first.payload,
        timestamps=first.timestamps,
        log_entries=first.log_entries,
    )
    assert judge(written) == first


def test_an_entry_without_promise_and_checkpoint_has_neither_member() -> None:
    entry = read(VirtualSigstore().evidence(kind=V2)).log_entries[0]
    assert entry.proof is not None
    assert "inclusionPromise" not in write_entry(entry)
    assert (
        "checkpoint" not in write_entry(replace(entry, proof=replace(entry.proof, checkpoint=None)))["inclusionProof"]
    )
    assert "inclusionProof" not in write_entry(replace(entry, proof=None))


@pytest.mark.parametrize("named", [{}, {"key_hint": "hint", "certificate": b"der"}])
def test_a_bundle_of_both_or_neither_key_and_certificate_is_not_written(named: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a key or a certificate, exactly one"):
        write_bundle(signature=b"sig", statement=b"{}", **named)


def test_a_bundle_with_both_or_neither_content_is_not_written() -> None:
    wrong: tuple[dict[str, Any], ...] = ({}, {"statement": b"{}", "message_digest": bytes(32)})
    for given in wrong:
        with pytest.raises(ValueError, match="exactly one"):
            write_bundle(key_hint="", signature=b"sig", **given)
