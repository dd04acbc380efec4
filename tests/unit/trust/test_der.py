"""DER has one spelling for each value; every other one is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from imgtrust.signers import der as writer
from imgtrust.trust.der import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    DerError,
    Reader,
    Value,
    context,
    oid,
    read_one,
)


def value(data: bytes) -> Value:
    reader = Reader(data)
    found = reader.next()
    reader.end()
    return found


def test_values_are_read_one_after_the_other_with_their_whole_encoding() -> None:
    reader = read_one(writer.sequence(writer.integer(5), writer.octets(b"ab")))
    first, second = reader.next(INTEGER), reader.next(OCTET_STRING)
    assert (first.integer(), first.raw) == (5, b"\x02\x01\x05")
    assert (second.content, second.raw) == (b"ab", b"\x04\x02ab")
    assert not reader.more
    reader.end()


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 70_000])
def test_lengths_are_read_in_their_shortest_form(size: int) -> None:
    assert value(writer.octets(bytes(size))).content == bytes(size)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02", id="only a tag"),
        pytest.param(b"\x02\x02\x01", id="content cut short"),
        pytest.param(b"\x04\x82\x01", id="length cut short"),
        pytest.param(b"\x30\x80\x00\x00", id="indefinite length"),
        pytest.param(b"\x04\x81\x05abcde", id="long form for a short length"),
        pytest.param(b"\x04\x82\x00\x80" + bytes(128), id="length with a leading zero"),
        pytest.param(b"\x04\x85\x01\x00\x00\x00\x00", id="length of five bytes"),
        pytest.param(b"\x04\xff" + bytes(8), id="reserved length"),
    ],
)
def test_what_is_not_der_is_refused(data: bytes) -> None:
    with pytest.raises(DerError):
        Reader(data).next()


@pytest.mark.parametrize("data", [b"\x1f\x81\x01\x00", b"\xbf\x81\x01\x00", b"\x1f\x00"])
def test_a_tag_of_several_bytes_is_refused_for_that(data: bytes) -> None:
    with pytest.raises(DerError, match="tag of several bytes"):
        Reader(data).next()


@pytest.mark.parametrize("length", [b"\x80", b"\x85\1\0\0\0\0", b"\xff" + bytes(8)])
def test_a_length_that_is_indefinite_or_of_more_than_four_bytes_is_refused_for_that(length: bytes) -> None:
    with pytest.raises(DerError, match="indefinite or too large"):
        Reader(b"\x04" + length).next()


def test_a_length_of_four_bytes_is_read_as_one() -> None:
    with pytest.raises(DerError, match="cut short"):
        Reader(b"\x04\x84\x01\x00\x00\x00").next()


def test_nothing_may_follow_where_nothing_is_expected() -> None:
    with pytest.raises(DerError, match="at the end"):
        read_one(writer.sequence() + b"\0")
    with pytest.raises(DerError, match="at the end"):
        Reader(b"\0").end()


def test_another_tag_than_the_expected_one_is_refused() -> None:
    with pytest.raises(DerError, match="expected 0x30"):
        read_one(writer.integer(1))
    with pytest.raises(DerError, match="expected 0x02"):
        Reader(writer.octets(b"")).next(INTEGER)
    with pytest.raises(DerError, match="expected 0x31"):
        value(writer.sequence()).reader(SET)


def test_an_optional_value_is_read_only_if_it_is_there() -> None:
    reader = Reader(writer.integer(1) + writer.octets(b"x"))
    assert reader.optional(SEQUENCE) is None
    found = reader.optional(INTEGER)
    assert found is not None
    assert found.integer() == 1
    assert reader.optional(INTEGER) is None
    reader.next(OCTET_STRING)
    assert reader.optional(INTEGER) is None


def test_the_rest_is_bounded() -> None:
    three = writer.integer(1) * 3
    assert len(Reader(three).rest(3)) == 3
    with pytest.raises(DerError, match="more than 2"):
        Reader(three).rest(2)


@pytest.mark.parametrize(
    ("content", "number"), [(b"\0", 0), (b"\x7f", 127), (b"\0\x80", 128), (b"\xff", -1), (b"\x80", -128)]
)
def test_numbers_are_read_with_their_sign(content: bytes, number: int) -> None:
    assert value(writer.tagged(INTEGER, content)).integer() == number


@pytest.mark.parametrize("content", [b"", b"\0\0", b"\0\x7f", b"\xff\xff", b"\xff\x80"])
def test_empty_and_padded_numbers_are_refused(content: bytes) -> None:
    with pytest.raises(DerError, match="empty or padded"):
        value(writer.tagged(INTEGER, content)).integer()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20260301120000Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("20260301120000.5Z", datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("20260301120000.123456789Z", datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("20260301120000.000001Z", datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_to_the_microsecond(text: str, moment: datetime) -> None:
    assert value(writer.tagged(0x18, text.encode())).time() == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "202603011200Z",
        "20260301120000",
        "20260301120000+0100",
        "20260301120000.Z",
        "20260301120000.10Z",
        "20261301120000Z",
        "20260230120000Z",
        "20260301240000Z",
        "00000101000000Z",
        "2026030112000éZ",
        " 20260301120000Z",
        "20260301120000Z\n",
    ],
)
def test_times_in_another_form_and_impossible_ones_are_refused(text: str) -> None:
    with pytest.raises(DerError, match="time"):
        value(writer.tagged(0x18, text.encode("latin-1"))).time()


def test_a_time_of_another_type_is_refused() -> None:
    with pytest.raises(DerError, match="tag"):
        value(writer.tagged(0x17, b"260301120000Z")).time()


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.2", "0.4.0.2023.1.1", "2.16.840.1.101.3.4.2.1", "1.3"])
def test_object_identifiers_are_written_as_others_do(dotted: str) -> None:
    assert oid(*map(int, dotted.split("."))) == writer.oid(dotted)[2:]


def test_context_tags() -> None:
    assert context(0) == 0xA0
    assert context(1, constructed=False) == 0x81
