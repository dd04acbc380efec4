"""JSON with exactly one reading: what two parsers could read differently is refused."""

from __future__ import annotations

import json
import math

import pytest

from imgtrust.strict_json import MAX_DEPTH, StrictJsonError, dumps, loads


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**70, 1.5, "", 'é \U0001f600 \n"\\', [], [1, [2]], {}, {"a": {"b": [None]}}],
)
def test_what_is_written_is_read_again(value: object) -> None:
    assert loads(dumps(value)) == value
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not JSON: Extra data at line 1, column 4"),
        (b"'a'", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b'"ab\xc3"', "not UTF-8 at byte 3"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ('"\u00e9"'.encode("utf-16"), "not UTF-8"),
        (b'{"a":1,"a":1}', "'a' appears twice"),
        (b'{"x":{"b":1,"a":2,"b":3}}', "'b' appears twice"),
        (b'{"a":1,"\\u0061":2}', "'a' appears twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "1e999 is out of range"),
        (b"-1e999", "out of range"),
        (b"9" * 10_000, "too long"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'"\x00"', "not JSON"),
    ],
)
def test_what_has_no_single_reading_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(StrictJsonError, match=said):
        loads(data)


def test_a_whole_surrogate_pair_is_read() -> None:
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_bounded_and_not_by_the_stack(opening: str, closing: str) -> None:
    def nested(depth: int) -> bytes:
        return (opening * depth + "1" + closing * depth).encode()

    loads(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(StrictJsonError, match="deeper than 100"):
            loads(nested(depth))
    with pytest.raises(StrictJsonError, match="deeper than 100"):
        loads(b"[" * 100_000)


def test_brackets_in_strings_and_beside_each_other_are_no_depth() -> None:
    assert loads(json.dumps(["[" * 500, '"[' * 500, "\\[" * 500]).encode()) == ["[" * 500, '"[' * 500, "\\[" * 500]
    assert loads(b"[" + b",".join([b"[]"] * 500) + b"]") == [[]] * 500


def test_unbalanced_brackets_are_no_crash() -> None:
    with pytest.raises(StrictJsonError):
        loads(b"]" * 500 + b"[" * 500)


def test_a_string_without_an_end_is_refused_in_no_time() -> None:
    for end in (b"", b"\\", b'"'):
        with pytest.raises(StrictJsonError):
            loads(b"[" * (MAX_DEPTH + 1) + b'"' + b'\\"' * 200_000 + end)


def test_numbers_that_are_not_finite_are_not_written() -> None:
    for number in (math.nan, math.inf):
        with pytest.raises(ValueError, match="JSON compliant"):
            dumps(number)


def test_text_is_compact_utf8_in_the_order_given() -> None:
    assert dumps({"b": 1, "a": ["é", None]}) == '{"b":1,"a":["é",null]}'.encode()
