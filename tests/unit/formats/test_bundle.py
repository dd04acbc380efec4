"""Sigstore bundles: what a good one gives, and each thing that is refused, with its code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind, Signed
from imgtrust.formats import read
from imgtrust.formats.bundle import MAX_BUNDLE_BYTES, MAX_LOG_ENTRIES, MAX_TIMESTAMPS, write_bundle
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


def test_both_spellings_of_version_3_are_read() -> None:
    for media_type in (BUNDLE_TYPE, OLD + "3"):
        assert isinstance(judge(bundle(KEY, mediaType=media_type)), Signed)


@pytest.mark.parametrize(
    "media_type",
    [OLD + "1", OLD + "2", "application/vnd.dev.sigstore.bundle.v0.4+json", BUNDLE_TYPE + " ", OLD + "3.1"],
)
def test_other_versions_are_refused_by_name(media_type: str) -> None:
    assert judge(bundle(KEY, mediaType=media_type)) is RefusalCode.BUNDLE_VERSION


@pytest.mark.parametrize("media_type", [None, "", 3, "application/json"])
def test_another_media_type_is_malformed(media_type: object) -> None:
    assert judge(bundle(KEY, mediaType=media_type)) is RefusalCode.BUNDLE_MALFORMED


@pytest.mark.parametrize("name", ["certificate", "x509CertificateChain"])
def test_a_bundle_with_a_certificate_is_refused_as_not_supported(name: str) -> None:
    materials: tuple[dict[str, Any], ...] = ({name: {}}, {name: {"rawBytes": "AAAA"}, "publicKey": {"hint": ""}})
    for material in materials:
        assert judge(bundle(KEY, verificationMaterial=material)) is RefusalCode.BUNDLE_UNSUPPORTED


def test_the_key_hint_may_be_left_out() -> None:
    keys: tuple[dict[str, Any], ...] = ({}, {"hint": ""}, {"hint": None})
    for key in keys:
        found = judge(bundle(KEY, verificationMaterial={"publicKey": key}))
        assert isinstance(found, Signed)
        assert found.key_hint is None


def test_log_entries_are_counted_and_not_read() -> None:
    for count in (0, 1, MAX_LOG_ENTRIES):
        material: dict[str, Any] = {"publicKey": {}, "tlogEntries": [{"logIndex": "-1", "anything": []}] * count}
        found = judge(bundle(KEY, verificationMaterial=material))
        assert isinstance(found, Signed)
        assert found.log_entries == count


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
        {"messageDigest": {"algorithm": "SHA2_512", "digest": b64(bytes(64))}},
        {"messageDigest": {"algorithm": "SHA2_384", "digest": b64(bytes(32))}},
        {"messageDigest": {"digest": b64(bytes(32))}},
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


def test_a_bundle_with_both_or_neither_content_is_not_written() -> None:
    wrong: tuple[dict[str, Any], ...] = ({}, {"statement": b"{}", "message_digest": bytes(32)})
    for given in wrong:
        with pytest.raises(ValueError, match="exactly one"):
            write_bundle(key_hint="", signature=b"sig", **given)
