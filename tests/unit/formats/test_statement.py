"""in-toto statements and the DSSE envelope around them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgtrust.errors import Refused
from imgtrust.evidence import Kind, Statement
from imgtrust.formats.dsse import PAYLOAD_TYPE, Envelope, envelope_members, pae, read_envelope, write_envelope
from imgtrust.formats.members import Members, read_object
from imgtrust.formats.statement import (
    MAX_SUBJECTS,
    SIGN_PREDICATE,
    TYPE_V01,
    kind_of,
    parse_statement,
    write_statement,
)
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import IMAGE, statement

OTHER = Digest.of(b"other")


def judge(payload: bytes) -> Statement | RefusalCode:
    try:
        return parse_statement(payload)
    except Refused as exc:
        return exc.code


def test_pae_is_that_of_the_protocol() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes_not_characters() -> None:
    assert pae("é", "é".encode()) == "DSSEv1 2 é 2 é".encode()


def test_an_envelope_is_read_as_it_was_written() -> None:
    members = read_object(write_envelope(b"{}", b"sig"), "envelope", RefusalCode.DSSE_MALFORMED)
    found = read_envelope(members, count_code=RefusalCode.BUNDLE_SIGNATURES)
    assert found == Envelope(b"{}", b"sig")
    assert found.signed == b"DSSEv1 28 application/vnd.in-toto+json 2 {}"


def test_an_envelope_of_another_payload_type_is_refused() -> None:
    for kind in ("application/json", "application/vnd.in-toto+json; charset=utf-8", "Application/vnd.in-toto+json"):
        values = {**envelope_members(b"{}", b"sig"), "payloadType": kind}
        with pytest.raises(Refused) as caught:
            read_envelope(
                Members(values, "envelope", RefusalCode.DSSE_MALFORMED), count_code=RefusalCode.DSSE_MALFORMED
            )
        assert caught.value.code is RefusalCode.DSSE_PAYLOAD_TYPE
    assert PAYLOAD_TYPE == "application/vnd.in-toto+json"


@pytest.mark.parametrize("kind", ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"])
def test_both_versions_of_the_statement_are_read(kind: str) -> None:
    found = judge(statement(_type=kind))
    assert found == Statement(SIGN_PREDICATE, (IMAGE.encoded,), {})


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        1,
        "https://in-toto.io/Statement/v2",
        "https://in-toto.io/Statement/v1.0",
        "https://in-toto.io/Statement/v0.1 ",
    ],
)
def test_another_type_is_refused(kind: object) -> None:
    code = RefusalCode.STATEMENT_MALFORMED if kind == 1 else RefusalCode.STATEMENT_TYPE
    assert judge(statement(_type=kind)) is code


@pytest.mark.parametrize("predicate_type", [None, ""])
def test_a_predicate_type_is_needed(predicate_type: object) -> None:
    assert judge(statement(predicateType=predicate_type)) is RefusalCode.STATEMENT_PREDICATE


@pytest.mark.parametrize("predicate", [None, {}, "SPDXVersion: SPDX-2.2", [1], 7, {"a": {"b": None}}])
def test_a_predicate_may_be_anything_or_absent(predicate: object) -> None:
    found = judge(statement(predicate=predicate))
    assert isinstance(found, Statement)
    assert found.predicate == predicate


def test_every_canonical_sha256_among_the_subjects_is_kept() -> None:
    subject = [
        {"digest": {"sha256": OTHER.encoded}},
        {"name": "app", "digest": {"sha256": IMAGE.encoded, "sha512": "00"}},
        {"digest": {"sha512": "ab"}},
        {"digest": {"sha256": IMAGE.encoded.upper()}},
        {"digest": {"sha256": IMAGE.encoded[:63]}},
        {"digest": {"sha256": f"sha256:{IMAGE.encoded}"}},
        {"digest": {"SHA256": IMAGE.encoded}},
        {"digest": {}},
        {"name": "no digest"},
    ]
    found = judge(statement(subject=subject))
    assert isinstance(found, Statement)
    assert found.subjects == (OTHER.encoded, IMAGE.encoded)


@pytest.mark.parametrize(
    "subject",
    [
        {"digest": {}},
        ["x"],
        [{"digest": "x"}],
        [{"digest": {"sha256": 1}}],
        [{"digest": {"sha256": "0" * 64}}] * (MAX_SUBJECTS + 1),
    ],
)
def test_subjects_of_another_shape_are_refused(subject: object) -> None:
    assert judge(statement(subject=subject)) is RefusalCode.STATEMENT_MALFORMED


def test_the_most_subjects_are_read() -> None:
    found = judge(statement(subject=[{"digest": {"sha256": IMAGE.encoded}}] * MAX_SUBJECTS))
    assert isinstance(found, Statement)


@pytest.mark.parametrize("subject", [None, []])
def test_a_statement_without_subjects_is_about_nothing(subject: object) -> None:
    found = judge(statement(subject=subject))
    assert isinstance(found, Statement)
    assert found.subjects == ()


def test_duplicate_keys_are_refused() -> None:
    payload = statement().replace(b'"predicateType":', b'"predicateType":"x","predicateType":')
    assert judge(payload) is RefusalCode.STATEMENT_MALFORMED


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{", b"\xff\xfe"])
def test_what_is_no_object_is_refused(payload: bytes) -> None:
    assert judge(payload) is RefusalCode.STATEMENT_MALFORMED


def test_unknown_members_are_ignored() -> None:
    assert isinstance(judge(statement(extra=1)), Statement)


def test_annotations_of_a_single_subject_are_kept_where_they_are_text() -> None:
    one: dict[str, Any] = {"digest": {"sha256": IMAGE.encoded}, "annotations": {"env": "prod", "n": 1}}
    found = judge(statement(subject=[one]))
    assert isinstance(found, Statement)
    assert found.annotations == (("env", "prod"),)
    found = judge(statement(subject=[one, {"digest": {"sha256": OTHER.encoded}}]))
    assert isinstance(found, Statement)
    assert found.annotations == ()


def test_only_the_sign_predicate_is_a_signature() -> None:
    assert kind_of(Statement(SIGN_PREDICATE, ())) is Kind.SIGNATURE
    assert kind_of(Statement(SIGN_PREDICATE.upper(), ())) is Kind.ATTESTATION


def test_a_statement_is_written_as_cosign_writes_it() -> None:
    assert json.loads(write_statement(IMAGE, SIGN_PREDICATE, {})) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": IMAGE.encoded}}],
        "predicateType": SIGN_PREDICATE,
        "predicate": {},
    }


def test_what_is_written_is_read_again() -> None:
    payload = write_statement(
        IMAGE, "https://x.example/y", "text", name="registry/app", annotations={"a": "b"}, statement_type=TYPE_V01
    )
    assert judge(payload) == Statement("https://x.example/y", (IMAGE.encoded,), "text", (("a", "b"),))
    assert json.loads(payload)["subject"][0]["name"] == "registry/app"
    assert json.loads(payload)["_type"] == TYPE_V01
