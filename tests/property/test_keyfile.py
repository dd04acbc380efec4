"""No bytes make the reader of private keys do anything but read a key or say what is wrong, and quickly."""

from __future__ import annotations

import base64
import functools
import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from imgtrust.errors import KeyUnusable
from imgtrust.signers import der
from imgtrust.signers.keyfile import generate, parse_private_key, public_der, write_pkcs8, write_sealed

if TYPE_CHECKING:
    from imgtrust.signers.keyfile import PrivateKey

LABELS = [
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PARAMETERS",
    "PUBLIC KEY",
    "CERTIFICATE",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


BASE64 = st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode())


@functools.cache
def samples() -> tuple[PrivateKey, bytes, bytes, bytes]:
    key = generate("p256")
    return key, write_sealed(key, b"pw"), write_pkcs8(key, b""), write_pkcs8(key, b"pw")


def read(data: bytes) -> PrivateKey | None:
    try:
        return parse_private_key(data, "k", lambda: b"pw")
    except KeyUnusable as exc:
        assert str(exc)  # noqa: PT017 - any reason will do, none will not
        return None


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    assert read(data) is None


@given(st.sampled_from(LABELS), st.sampled_from(LABELS), st.binary(max_size=300))
def test_any_bytes_in_any_block(begin: str, end: str, body: bytes) -> None:
    text = base64.encodebytes(body)
    assert read(b"-----BEGIN %b-----\n%b-----END %b-----\n" % (begin.encode(), text, end.encode())) is None


@given(JSON)
def test_any_json_in_a_sealed_block(document: Any) -> None:
    body = base64.encodebytes(json.dumps(document).encode())
    assert read(b"-----BEGIN %b-----\n%b-----END %b-----\n" % (LABELS[0].encode(), body, LABELS[0].encode())) is None


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "kdf": st.fixed_dictionaries(
                {
                    "name": st.sampled_from(["scrypt", "pbkdf2"]),
                    "params": st.fixed_dictionaries(
                        {"N": st.integers(0, 1 << 40), "r": st.integers(0, 1 << 30), "p": st.integers(0, 1 << 30)}
                    ),
                    "salt": BASE64,
                }
            ),
            "cipher": st.fixed_dictionaries(
                {
                    "name": st.just("nacl/secretbox"),
                    "nonce": BASE64,
                }
            ),
            "ciphertext": BASE64,
        }
    )
)
def test_any_parameters_of_a_sealed_block(document: dict[str, Any]) -> None:
    body = base64.encodebytes(json.dumps(document).encode())
    assert read(b"-----BEGIN %b-----\n%b-----END %b-----\n" % (LABELS[0].encode(), body, LABELS[0].encode())) is None


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([1, 2, 3]), st.data())
def test_a_key_with_one_byte_changed_is_the_same_key_or_none(which: int, data: st.DataObject) -> None:
    key, *files = samples()
    original = files[which - 1]
    at = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[at] = data.draw(st.integers(0, 255))
    found = read(bytes(changed))
    # An altered plain key may be another valid key of the same form: then its public half is another too.
    if found is not None and which == 1:
        assert public_der(found) == public_der(key)


@given(st.binary(max_size=60))
def test_walking_over_any_bytes_ends_in_values_or_an_error(data: bytes) -> None:
    try:
        values = der.read(data)
    except der.DerError:
        return
    assert b"".join(der.tagged(tag, content) for tag, content in values) == data


@given(st.binary(max_size=60), st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F))  # no tag of several bytes
def test_what_is_written_is_walked_over(content: bytes, tag: int) -> None:
    assert der.read(der.tagged(tag, content) * 2) == [(tag, content)] * 2


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 70), max_size=6))
def test_identifiers_read_back(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.read_oid(der.read(der.oid(dotted))[0][1]) == dotted
