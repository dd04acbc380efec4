"""JSON text that has exactly one reading. Pure.

Knows JSON and nothing of images. What two parsers could read differently is refused: duplicate keys, NaN and
infinities, invalid UTF-8, lone surrogates, a byte order mark, nesting beyond a limit (RFC 8259, I-JSON RFC 7493).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, Final

__all__ = ["MAX_DEPTH", "StrictJsonError", "dumps", "loads"]

MAX_DEPTH: Final = 100
"""Deepest nesting of arrays and objects that is read."""

_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string, or what was begun as one: without the last ``?`` a missing quote would cost time squared."""
_BRACKET: Final = re.compile(r"[\[\]{}]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class StrictJsonError(ValueError):
    """The text is not JSON with exactly one reading; the message says what is wrong with it."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        message = f"the key {key[:64]!r} appears twice in one object"
        raise StrictJsonError(message)
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        message = f"the number {text[:32]} is out of range"
        raise StrictJsonError(message)
    return number


def _constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise StrictJsonError(message)


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub('""', text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise StrictJsonError(message)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_constant)


def loads(data: bytes) -> Any:  # noqa: ANN401 - JSON is any of its six kinds; callers convert to a type
    """Read UTF-8 JSON bytes into dicts, lists, strings, numbers, booleans and None.

    Raises:
        StrictJsonError: the bytes are not JSON, or could be read in two ways.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        message = f"not UTF-8 at byte {exc.start}"
        raise StrictJsonError(message) from exc
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except StrictJsonError:
        raise
    except json.JSONDecodeError as exc:
        message = f"not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}"
        raise StrictJsonError(message) from exc
    except (ValueError, RecursionError) as exc:
        message = "not JSON that can be read: a number is too long or nesting too deep"
        raise StrictJsonError(message) from exc
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        message = "a string has half of a surrogate pair"
        raise StrictJsonError(message)
    return value


def dumps(value: Any) -> bytes:  # noqa: ANN401 - the mirror of loads
    """Write compact UTF-8 JSON with the members in the order given, as Go's encoder and the OCI tools do.

    Raises:
        ValueError: the value has a NaN or an infinity.
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
