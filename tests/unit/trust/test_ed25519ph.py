"""Ed25519ph against RFC 8032, and every way in which a signature or a key can be almost right."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from imgtrust.trust import ed25519ph

# RFC 8032 section 7.3, "Test Vectors for Ed25519ph".
SECRET = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
PUBLIC = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
SIGNATURE = bytes.fromhex(
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
)
DIGEST = hashlib.sha512(b"abc").digest()
L = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19


def test_the_vector_of_the_rfc_verifies() -> None:
    assert ed25519ph.verify(PUBLIC, SIGNATURE, DIGEST)


def test_the_key_of_the_vector_belongs_to_its_secret() -> None:
    assert ed25519.Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw() == PUBLIC


def test_another_message_is_refused() -> None:
    assert not ed25519ph.verify(PUBLIC, SIGNATURE, hashlib.sha512(b"abd").digest())


def test_a_pure_signature_over_the_digest_is_no_prehashed_one() -> None:
    pure = ed25519.Ed25519PrivateKey.from_private_bytes(SECRET).sign(DIGEST)
    assert not ed25519ph.verify(PUBLIC, pure, DIGEST)


@pytest.mark.parametrize("position", range(64))
def test_each_byte_of_a_signature_counts(position: int) -> None:
    altered = bytearray(SIGNATURE)
    altered[position] ^= 1
    assert not ed25519ph.verify(PUBLIC, bytes(altered), DIGEST)


@pytest.mark.parametrize("position", range(32))
def test_each_byte_of_a_key_counts(position: int) -> None:
    altered = bytearray(PUBLIC)
    altered[position] ^= 1
    assert not ed25519ph.verify(bytes(altered), SIGNATURE, DIGEST)


def test_s_that_is_larger_than_the_order_is_refused_though_the_equation_holds() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little") + L
    assert not ed25519ph.verify(PUBLIC, SIGNATURE[:32] + s.to_bytes(32, "little"), DIGEST)


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0"], ids=len)
def test_a_signature_of_another_length_is_refused(signature: bytes) -> None:
    assert not ed25519ph.verify(PUBLIC, signature, DIGEST)


@pytest.mark.parametrize("digest", [b"", DIGEST[:32], DIGEST + b"\0"], ids=len)
def test_a_digest_of_another_length_is_refused(digest: bytes) -> None:
    assert not ed25519ph.verify(PUBLIC, SIGNATURE, digest)


def test_a_prehash_of_another_length_is_refused_though_it_was_signed() -> None:
    """Made by hand with the RFC's secret: S = r + k*s over a digest that is no SHA-512."""
    expanded = hashlib.sha512(SECRET).digest()
    scalar = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    short = b"abc"
    nonce = 12345
    point_r = ed25519ph._encode(ed25519ph._sum_of_products(nonce, ed25519ph._BASE, 0, ed25519ph._BASE))
    k = int.from_bytes(hashlib.sha512(ed25519ph._DOMAIN + point_r + PUBLIC + short).digest(), "little") % L
    s = (nonce + k * scalar) % L
    assert not ed25519ph.verify(PUBLIC, point_r + s.to_bytes(32, "little"), short)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param((1).to_bytes(32, "little"), id="neutral"),
        pytest.param((P - 1).to_bytes(32, "little"), id="order 2"),
        pytest.param((0).to_bytes(32, "little"), id="order 4"),
        pytest.param((1 << 255).to_bytes(32, "little"), id="order 4, other sign"),
        pytest.param(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), id="order 8"),
    ],
)
def test_a_key_of_small_order_is_refused_for_anybody_can_sign_with_it(encoded: bytes) -> None:
    assert not ed25519ph.is_usable(encoded)
    neutral = (1).to_bytes(32, "little")
    # S = 0 and R = -[k]A; for the neutral element that is the neutral element itself.
    assert not ed25519ph.verify(encoded, neutral + bytes(32), DIGEST)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param((P + 4).to_bytes(32, "little"), id="y not below p"),
        pytest.param((2).to_bytes(32, "little"), id="not on the curve"),
        pytest.param((1 | 1 << 255).to_bytes(32, "little"), id="minus zero"),
        pytest.param(b"", id="empty"),
        pytest.param(PUBLIC + b"\0", id="too long"),
    ],
)
def test_what_is_no_canonical_point_is_no_key(encoded: bytes) -> None:
    assert not ed25519ph.is_usable(encoded)
    assert not ed25519ph.verify(encoded, SIGNATURE, DIGEST)


def test_y_plus_p_is_another_spelling_of_a_point_and_is_refused() -> None:
    y = 3  # a point of the curve whose second spelling also fits into 255 bits
    assert ed25519ph._decode(y.to_bytes(32, "little")) is not None
    assert ed25519ph._decode((y + P).to_bytes(32, "little")) is None


def test_fresh_keys_are_usable() -> None:
    for _ in range(8):
        public = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert ed25519ph.is_usable(public)


def test_r_is_compared_in_its_canonical_form() -> None:
    """R = neutral spelled as p + 1: [S]B = R + [k]A holds for S = k*s, but the spelling is not canonical."""
    expanded = hashlib.sha512(SECRET).digest()
    scalar = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    for spelling, good in (((1).to_bytes(32, "little"), True), ((P + 1).to_bytes(32, "little"), False)):
        k = int.from_bytes(hashlib.sha512(ed25519ph._DOMAIN + spelling + PUBLIC + DIGEST).digest(), "little") % L
        s = k * scalar % L
        assert ed25519ph.verify(PUBLIC, spelling + s.to_bytes(32, "little"), DIGEST) is good


def test_points_are_decoded_to_the_one_that_was_encoded() -> None:
    for _ in range(16):
        public = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        point = ed25519ph._decode(public)
        assert point is not None
        assert ed25519ph._encode(point) == public


def test_each_point_has_one_spelling() -> None:
    assert ed25519ph._decode((1).to_bytes(32, "little")) == (0, 1, 1, 0)
    assert ed25519ph._decode((1 | 1 << 255).to_bytes(32, "little")) is None
    assert ed25519ph._decode((0).to_bytes(32, "little")) is not None
    assert ed25519ph._decode(P.to_bytes(32, "little")) is None
