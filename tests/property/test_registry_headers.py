"""Parsers of what registries and files say: no text makes them raise anything but what they promise."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from imgtrust.content import OCI_INDEX
from imgtrust.errors import ContentMalformed, InputFileError, StoreProtocol
from imgtrust.reference import Digest
from imgtrust.stores.addresses import origin_of, resolve_address, shown
from imgtrust.stores.authfiles import auth_keys, parse_auth_file
from imgtrust.stores.fallback import entries_of, merge
from imgtrust.stores.headers import (
    Challenge,
    content_range,
    media_type,
    next_link,
    parse_challenges,
    range_end,
    retry_after,
)

WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
HEADER = st.text(st.characters(codec="latin-1"), max_size=200)
PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
VALUE = st.text(PRINTABLE, max_size=30)
SUBJECT = Digest.of(b"subject")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(HEADER, max_size=3))
@example(['Bearer realm="' + "\\" * 5000])
@example(["," * 16_000])
@example(["a " * 8_000])
def test_any_challenge_header_is_read_or_left(values: list[str]) -> None:
    for challenge in parse_challenges(values):
        assert challenge.scheme == challenge.scheme.lower()


@given(st.lists(st.tuples(WORD, st.dictionaries(WORD.map(str.lower), VALUE, min_size=1, max_size=4)), max_size=3))
def test_challenges_are_read_as_they_were_written(challenges: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    written = ", ".join(
        f"{scheme} {','.join(f'{name}={quoted(value)}' for name, value in parameters.items())}"
        for scheme, parameters in challenges
    )
    assert parse_challenges([written]) == tuple(Challenge(s.lower(), p) for s, p in challenges)


@given(HEADER)
@example("<" * 16_000)
@example("<a>;" * 4_000)
def test_any_link_header_is_read_or_left(value: str) -> None:
    found = next_link([value])
    assert found is None or "<" not in found


@given(st.text([character for character in PRINTABLE if character not in "<>"], max_size=40))
def test_the_next_link_is_read_as_it_was_written(target: str) -> None:
    value = f'<first>; rel="first", <{target}>; title="a, b"; rel="next"'
    assert next_link([value]) == target.strip()
    assert next_link([f"<{target}>; rel=next"]) == target.strip()
    assert next_link([f'<{target}>; rel="prev"']) is None


@given(HEADER, st.floats(0, 4e9))
@example("Fri, 31 Dec 9999 23:59:59 GMT", 0.0)
@example("Mon, 99 Foo 2026 99:99:99", 0.0)
@example("9" * 400, 0.0)
def test_any_retry_after_is_a_time_or_none(value: str, now: float) -> None:
    found = retry_after(value, now)
    assert found is None or found >= 0


@given(HEADER)
def test_any_range_is_read_or_left(value: str) -> None:
    found = content_range(value)
    assert found is None or found[0] <= found[1]
    end = range_end(value)
    assert end is None or end >= 1
    assert media_type(value) == media_type(value).strip()


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_ranges_are_read_as_they_were_written(first: int, more: int, rest: int) -> None:
    last = first + more
    assert content_range(f"bytes {first}-{last}/{last + rest + 1}") == (first, last, last + rest + 1)
    assert content_range(f"bytes {first}-{last}/*") == (first, last, None)
    assert content_range(f"bytes {first}-{last}/{last}") is None
    assert range_end(f"0-{last}") == last + 1
    assert content_range(None) is None
    assert range_end(None) is None


@given(st.text(max_size=100), st.text(max_size=60))
@example("http://[::1", "x")
@example("//evil.example/", "x")
@example("http://registry.example/", "x")
def test_no_target_of_a_registry_leads_to_plain_http_elsewhere(target: str, host: str) -> None:
    for base in ("https://registry.example/v2/", "http://127.0.0.1:5000/v2/"):
        try:
            address = resolve_address(base, target)
        except (StoreProtocol, ValueError) as exc:
            assert isinstance(exc, StoreProtocol)  # noqa: PT017 - urllib's own errors must not come through
            continue
        origin = origin_of(address)
        assert origin.scheme == "https" or (origin.host == "127.0.0.1" and base.startswith("http:"))
        assert "?" not in shown(address)
    assert list(auth_keys(host, ""))


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"auths": {"x": {"auth": "////"}}}')
def test_any_credential_file_is_read_or_refused(data: bytes) -> None:
    for old in (False, True):
        try:
            file = parse_auth_file(data, "file", old=old)
            file.entry_for("x", "y/z")
            file.helper_for("x")
        except InputFileError as exc:
            assert "file" in str(exc)  # noqa: PT017 - both outcomes are fine


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps({"manifests": value}).encode()))
def test_any_fallback_index_is_read_left_or_refused(data: bytes) -> None:
    entry = {"mediaType": "a/b", "digest": str(Digest.of(b"new")), "size": 3}
    try:
        known = entries_of(data, OCI_INDEX, SUBJECT, "x")
        if known is None:
            return
        merged = merge(data, OCI_INDEX, SUBJECT, [entry])
        assert merged is not None
        found = entries_of(merged, OCI_INDEX, SUBJECT, "x")
    except ContentMalformed:
        return
    assert found is not None
    assert found[:-1] == known
    assert found[-1].digest == Digest.of(b"new")
