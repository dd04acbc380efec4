"""Which reader a layer goes to, and the members that all readers share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgtrust.errors import Refused
from imgtrust.evidence import Format
from imgtrust.formats import format_of, read
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.formats.members import Members, decode_base64, read_object
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import Key, bundle, evidence

CODE = RefusalCode.BUNDLE_MALFORMED


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        (BUNDLE_TYPE, Format.BUNDLE),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", Format.BUNDLE),
        ("application/vnd.dev.sigstore.bundle", Format.BUNDLE),
        ("application/vnd.dev.sigstore.bundle.v0.9+json", Format.BUNDLE),
        ("application/vnd.dev.sigstore.bundles", Format.UNKNOWN),
        ("application/vnd.dev.cosign.simplesigning.v1+json", Format.SIMPLESIGNING),
        ("application/vnd.dsse.envelope.v1+json", Format.SIMPLESIGNING),
        ("application/jose+json", Format.NOTARY_JWS),
        ("application/cose", Format.NOTARY_COSE),
        ("application/vnd.in-toto+json", Format.UNKNOWN),
        ("", Format.UNKNOWN),
    ],
)
def test_a_layers_media_type_names_its_format(media_type: str, expected: Format) -> None:
    assert format_of(media_type) is expected


def test_formats_without_a_reader_are_refused_by_name() -> None:
    with pytest.raises(Refused, match="text/plain") as caught:
        read(evidence(b"x", "text/plain"))
    assert caught.value.code is RefusalCode.FORMAT_UNSUPPORTED


def test_a_problem_that_the_store_found_comes_before_all_parsing() -> None:
    good = evidence(bundle(Key.new()))
    with pytest.raises(Refused, match="the blob is gone") as caught:
        read(replace(good, problem=("blob.missing", "the blob is gone")))
    assert caught.value.code is RefusalCode.BLOB_MISSING


@pytest.mark.parametrize(("text", "data"), [("", b""), ("AA==", b"\0"), ("+/8=", b"\xfb\xff"), ("AAAA", b"\0\0\0")])
def test_base64_is_read_in_its_canonical_spelling(text: str, data: bytes) -> None:
    assert decode_base64(text) == data


@pytest.mark.parametrize(
    "text", ["A", "AA", "AA=", "AB==", "-_8=", "AA==\n", " AA==", "AA==AA==", "é", "\ud800", "===="]
)
def test_every_other_spelling_is_refused(text: str) -> None:
    assert decode_base64(text) is None


def members(**values: object) -> Members:
    return Members(values, "thing", CODE)


def test_absent_and_null_members_are_empty() -> None:
    for given in (members(), members(a=None)):
        assert given.text("a") == ""
        assert given.data("a") == b""
        assert given.child("a") is None
        assert given.children("a", 1) == ()


def test_members_of_another_type_are_refused_with_the_code_and_the_name() -> None:
    for call in (
        lambda: members(a=1).text("a"),
        lambda: members(a=1).data("a"),
        lambda: members(a="#").data("a"),
        lambda: members(a=[]).child("a"),
        lambda: members(a={}).children("a", 1),
        lambda: members(a=[1]).children("a", 1),
        lambda: members(a=[{}, {}]).children("a", 1),
        lambda: members(a=1).only("b"),
    ):
        with pytest.raises(Refused, match="thing") as caught:
            call()
        assert caught.value.code is CODE


def test_only_lets_named_members_pass() -> None:
    members(a=1, b=2).only("a", "b", "c")


def test_a_child_knows_where_it_stands() -> None:
    child = members(a={"b": 1}).child("a")
    assert child is not None
    with pytest.raises(Refused, match="a of thing: b is a int"):
        child.text("b")


def test_bytes_that_are_no_object_are_refused() -> None:
    assert read_object(b'{"a":1}', "thing", CODE).values == {"a": 1}
    for data in (b"", b"[]", b'{"a":1,"a":2}'):
        with pytest.raises(Refused, match="thing") as caught:
            read_object(data, "thing", CODE)
        assert caught.value.code is CODE
