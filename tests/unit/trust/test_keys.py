"""Public keys: which are read, how they are named, and which signatures they say yes to."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from imgtrust.errors import KeyUnusable
from imgtrust.trust import ed25519ph
from imgtrust.trust.keys import MAX_KEY_BYTES, PublicKey, TrustedKey, parse_public_key, verify, verify_digest
from tests.simulators.evidence import Key
from tests.simulators.timestamps import certify
from tests.unit.trust.test_ed25519ph import PUBLIC, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = b"what was signed"


def spki(private: Any) -> bytes:
    """The DER SubjectPublicKeyInfo of a private key."""
    der: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


@pytest.fixture(scope="module")
def rsa2048() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("curve", "kind"), [(ec.SECP256R1(), "p256"), (ec.SECP384R1(), "p384"), (ec.SECP521R1(), "p521")]
)
def test_keys_of_three_curves_are_read(curve: ec.EllipticCurve, kind: str) -> None:
    der = spki(ec.generate_private_key(curve))
    key = parse_public_key(der, "key")
    assert (key.kind, key.der) == (kind, der)
    assert parse_public_key(key.pem, "key") == key


def test_rsa_and_ed25519_are_read(rsa2048: rsa.RSAPrivateKey) -> None:
    assert parse_public_key(spki(rsa2048), "key").kind == "rsa2048"
    assert parse_public_key(spki(ed25519.Ed25519PrivateKey.generate()), "key").kind == "ed25519"


def test_fingerprint_and_hint_are_those_of_the_der() -> None:
    key = Key.new().public
    assert key.fingerprint == hashlib.sha256(key.der).hexdigest()
    assert key.hint == base64.b64encode(hashlib.sha256(key.der).digest()).decode()


def test_a_key_is_shown_by_its_kind_and_fingerprint() -> None:
    key = Key.new().public
    assert repr(key) == f"PublicKey(kind='p256', fingerprint='{key.fingerprint}')"


def test_pem_is_a_public_key_as_openssl_writes_it() -> None:
    assert Key.new().public.pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")


def test_a_compressed_point_is_the_same_key_with_the_same_fingerprint() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    full = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    prefix = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    compressed = prefix + point
    assert parse_public_key(compressed, "key") == parse_public_key(full, "key")
    with pytest.raises(KeyUnusable, match="another form"):
        PublicKey(compressed)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda: ec.generate_private_key(ec.SECP256K1()), "secp256k1", id="curve"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP224R1()), "secp224r1", id="weak curve"),
        pytest.param(lambda: rsa.generate_private_key(65537, 1024), "1024 bits", id="weak RSA"),
        pytest.param(lambda: rsa.generate_private_key(65537, 2047), "2047 bits", id="just too weak RSA"),
        pytest.param(ed448.Ed448PrivateKey.generate, "Ed448", id="Ed448"),
        pytest.param(x25519.X25519PrivateKey.generate, "X25519", id="no signing key"),
        pytest.param(lambda: dsa.generate_private_key(1024), "DSA", id="DSA"),
    ],
)
def test_other_kinds_of_keys_are_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(KeyUnusable, match=said):
        parse_public_key(spki(make()), "the key")


def test_rsa_of_more_than_4096_bits_is_refused_and_4096_is_read() -> None:
    assert parse_public_key(_rsa_spki(4096), "key").kind == "rsa4096"
    with pytest.raises(KeyUnusable, match="4104 bits, expected 2048 to 4096"):
        parse_public_key(_rsa_spki(4104), "key")


def _rsa_spki(bits: int) -> bytes:
    """A key of that size without looking for primes: only its modulus is read."""
    numbers = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) | 1)
    return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_an_ed25519_key_of_small_order_is_refused() -> None:
    der = spki(ed25519.Ed25519PrivateKey.generate())[:-32] + (1).to_bytes(32, "little")
    with pytest.raises(KeyUnusable, match="small order"):
        parse_public_key(der, "key")


def test_a_private_key_is_named_as_such() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyUnusable, match=r"release\.key is a private key, expected the public one"):
        parse_public_key(pem, "release.key")


def test_a_certificate_is_named_as_such() -> None:
    with pytest.raises(KeyUnusable, match="is a certificate"):
        parse_public_key(certify("somebody").pem, "release.pub")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x30\x03\x02\x01\x01",
        b"-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN NOTHING-----\n",
    ],
)
def test_what_is_no_key_is_refused_with_the_name_of_the_file(data: bytes) -> None:
    with pytest.raises(KeyUnusable, match=r"release\.pub"):
        parse_public_key(data, "release.pub")


def test_a_huge_file_is_not_parsed() -> None:
    key = Key.new().public
    assert parse_public_key(key.pem.ljust(MAX_KEY_BYTES), "key") == key
    assert parse_public_key(key.der, "key") == key
    with pytest.raises(KeyUnusable, match="at most"):
        parse_public_key(Key.new().public.pem + b"\n" * MAX_KEY_BYTES, "key")


@pytest.mark.parametrize(
    ("curve", "algorithms"),
    [
        (ec.SECP256R1(), {"sha256"}),
        (ec.SECP384R1(), {"sha384", "sha256"}),
        (ec.SECP521R1(), {"sha512", "sha256"}),
    ],
)
def test_a_curve_signs_with_its_own_hash_and_with_sha256_only(curve: ec.EllipticCurve, algorithms: set[str]) -> None:
    key = Key(ec.generate_private_key(curve))
    for name, algorithm in (("sha256", hashes.SHA256()), ("sha384", hashes.SHA384()), ("sha512", hashes.SHA512())):
        signature = key.sign(MESSAGE, algorithm)
        assert verify(key.public, signature, MESSAGE) is (name in algorithms)
        digest = hashlib.new(name, MESSAGE).digest()
        assert verify_digest(key.public, signature, digest, name) is (name in algorithms)
        assert not verify(key.public, signature, MESSAGE + b".")


def test_sha1_is_taken_from_nobody(rsa2048: rsa.RSAPrivateKey) -> None:
    for key in (Key(rsa2048), Key.new()):
        signature = key.sign(MESSAGE, hashes.SHA1())  # noqa: S303 - to see it refused
        assert not verify(key.public, signature, MESSAGE)
        assert not verify_digest(key.public, signature, hashlib.sha1(MESSAGE).digest(), "sha1")  # noqa: S324 - as above


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("scheme", ["pkcs1", "pss", "pss-longest-salt"])
def test_rsa_signs_in_both_schemes(rsa2048: rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm, scheme: str) -> None:
    schemes: dict[str, Any] = {
        "pkcs1": padding.PKCS1v15(),
        "pss": padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH),
        "pss-longest-salt": padding.PSS(padding.MGF1(algorithm), padding.PSS.MAX_LENGTH),
    }
    signature = rsa2048.sign(MESSAGE, schemes[scheme], algorithm)
    public = Key(rsa2048).public
    assert verify(public, signature, MESSAGE)
    assert not verify(public, signature, MESSAGE + b".")
    digest = hashlib.new(algorithm.name, MESSAGE).digest()
    assert verify_digest(public, signature, digest, algorithm.name)


def test_ed25519_signs_pure_and_prehashed() -> None:
    key = Key(ed25519.Ed25519PrivateKey.generate())
    signature = key.sign(MESSAGE)
    assert verify(key.public, signature, MESSAGE)
    assert not verify(key.public, signature, MESSAGE + b".")
    der = key.public.der[:-32] + PUBLIC
    assert verify(PublicKey(der), SIGNATURE, b"abc")
    assert not verify(PublicKey(der), SIGNATURE, b"abd")
    assert not ed25519ph.verify(PUBLIC, signature, hashlib.sha512(MESSAGE).digest())


def test_ed25519_by_digest_is_the_prehashed_variant_with_sha512_only() -> None:
    key = PublicKey(Key(ed25519.Ed25519PrivateKey.generate()).public.der[:-32] + PUBLIC)
    digest = hashlib.sha512(b"abc").digest()
    assert verify_digest(key, SIGNATURE, digest, "sha512")
    assert not verify_digest(key, SIGNATURE, digest[:32], "sha256")
    assert not verify_digest(key, SIGNATURE, digest[:63], "sha512")


def test_a_digest_of_the_wrong_length_or_algorithm_is_refused_without_an_exception() -> None:
    key = Key.new()
    signature = key.sign(MESSAGE)
    digest = hashlib.sha256(MESSAGE).digest()
    assert verify_digest(key.public, signature, digest, "sha256")
    assert not verify_digest(key.public, signature, digest + b"\0", "sha256")
    assert not verify_digest(key.public, signature, digest, "sha384")
    assert not verify_digest(key.public, signature, digest, "md5")


@pytest.mark.parametrize("signature", [b"", b"\0", b"\x30\x00", bytes(64), bytes(256), bytes(10_000)], ids=len)
def test_garbage_for_a_signature_is_a_no(signature: bytes, rsa2048: rsa.RSAPrivateKey) -> None:
    for key in (Key.new(), Key(rsa2048), Key(ed25519.Ed25519PrivateKey.generate())):
        assert not verify(key.public, signature, MESSAGE)


def test_a_window_has_its_ends_inside() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    key = Key.new().public
    both = TrustedKey("both", key, start, end)
    assert both.bounded
    assert both.speaks_at(start)
    assert both.speaks_at(end)
    assert not both.speaks_at(start - tick)
    assert not both.speaks_at(end + tick)
    assert TrustedKey("open end", key, start).speaks_at(end + tick)
    assert not TrustedKey("open end", key, start).speaks_at(start - tick)
    assert TrustedKey("open start", key, None, end).speaks_at(start - tick)
    assert not TrustedKey("open start", key, None, end).speaks_at(end + tick)
    assert TrustedKey("open start", key, None, end).bounded
    assert TrustedKey("open end", key, start).bounded
    assert not TrustedKey("always", key).bounded
