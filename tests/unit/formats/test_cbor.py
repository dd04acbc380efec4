"""CBOR has exactly one reading, or none."""

from __future__ import annotations

from typing import Any

import pytest

from imgtrust.formats.cbor import MAX_DEPTH, MAX_ITEMS, CborError, Tag, loads
from tests.simulators.notaryenvelopes import Tagged, cbor

VALUES: list[Any] = [
    0,
    23,
    24,
    255,
    256,
    65535,
    65536,
    (1 << 32) - 1,
    1 << 32,
    (1 << 64) - 1,
    -1,
    -24,
    -25,
    -(1 << 64),
    b"",
    b"x" * 300,
    "",
    "\N{SNOWMAN}" * 30,
    [],
    [1, [2, b"3"], "4"],
    {},
    {1: "a", "1": 2, -1: [True, False, None]},
]


@pytest.mark.parametrize("value", VALUES, ids=[f"value-{number}" for number in range(len(VALUES))])
def test_what_was_written_is_read(value: Any) -> None:
    assert loads(cbor(value)) == value


def test_a_tag_keeps_its_number_and_its_value() -> None:
    assert loads(cbor(Tagged(18, [1]))) == Tag(18, [1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "cut short"),
        ("18", "cut short"),
        ("4261", "cut short"),
        ("1817", "shortest form"),
        ("1900ff", "shortest form"),
        ("1a0000ffff", "shortest form"),
        ("1b00000000ffffffff", "shortest form"),
        ("5801" + "00", "shortest form"),
        ("5f4100ff", "indefinite"),
        ("9fff", "indefinite"),
        ("bfff", "indefinite"),
        ("1c", "reserved"),
        ("61ff", "not UTF-8 at byte 0"),
        ("0000", "at the end"),
        ("f93c00", "a float or simple value"),
        ("f820", "a float or simple value"),
        ("f7", "a float or simple value"),
        ("a20001" + "0002", "twice"),
        ("a2616101616102", "twice"),
        ("a1f401", "neither a number nor a text"),
        ("a1410001", "neither a number nor a text"),
        ("9affffffff", "cut short"),
        ("bb7fffffffffffffff", "cut short"),
        ("5b7fffffffffffffff", "cut short"),
        ("82f7", "cut short"),
        ("a2f7", "cut short"),
        ("81f7", "a float or simple value"),
        ("a1f7", "a float or simple value"),
    ],
)
def test_bytes_with_another_reading_are_refused(data: str, reason: str) -> None:
    with pytest.raises(CborError, match=reason):
        loads(bytes.fromhex(data))


def test_nesting_and_size_have_a_limit() -> None:
    assert (MAX_DEPTH, MAX_ITEMS) == (16, 10_000)
    assert loads(b"\xc1" * MAX_DEPTH + b"\x00")
    assert loads(b"\xa1\x00" * MAX_DEPTH + b"\x00")
    assert loads(b"\x81" * MAX_DEPTH + b"\x00")
    for data in (
        b"\xa1" * 2_000 + b"\x00",
        b"\x81" * (MAX_DEPTH + 1) + b"\x00",
        b"\xc1" * (MAX_DEPTH + 1) + b"\x00",
        b"\xa1\x00" * 17 + b"\x00",
    ):
        with pytest.raises(CborError, match="nested deeper"):
            loads(data)
    assert loads(cbor([0] * (MAX_ITEMS - 1)))
    with pytest.raises(CborError, match="nested deeper"):
        loads(cbor([0] * MAX_ITEMS))
