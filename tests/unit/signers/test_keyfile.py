"""Private keys: every form that is read, and everything that is refused."""

from __future__ import annotations

import base64
import json
import subprocess
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from imgtrust.errors import KeyUnusable, WrongPassphrase
from imgtrust.signers import keyfile, sealed
from imgtrust.signers.keyfile import KEY_TYPES, PrivateKey, generate, parse_private_key, public_der
from imgtrust.signers.local import LocalSigner
from imgtrust.trust.keys import PublicKey, verify

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = b"correct horse"
LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY"


def no_passphrase() -> bytes:
    pytest.fail("a passphrase was asked for although the key is not encrypted")


def parse(data: bytes, passphrase: bytes | None = PASSPHRASE) -> PrivateKey:
    return parse_private_key(data, "k.key", no_passphrase if passphrase is None else lambda: passphrase)


def pem(key: Any, form: PrivateFormat, passphrase: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    data: bytes = key.private_bytes(Encoding.PEM, form, encryption)
    return data


def seal_json(document: object, label: str = LABEL) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(json.dumps(document).encode()).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def document(**changes: Any) -> dict[str, Any]:
    """The JSON of a sealed key, with members replaced."""
    sealed_pem = keyfile.write_sealed(generate("p256"), PASSPHRASE)
    body = b"".join(sealed_pem.splitlines()[1:-1])
    found: dict[str, Any] = json.loads(base64.b64decode(body))
    found.update(changes)
    return found


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def sealed_key() -> tuple[PrivateKey, bytes]:
    key = generate("p256")
    return key, keyfile.write_sealed(key, PASSPHRASE)


@pytest.mark.parametrize("kind", list(KEY_TYPES))
def test_what_is_sealed_opens_again_and_signs_what_verifies(kind: str) -> None:
    key = generate(kind)
    again = parse(keyfile.write_sealed(key, PASSPHRASE))
    signer = LocalSigner(again)
    assert signer.public_key == PublicKey(public_der(key))
    assert signer.public_key.kind == kind
    assert verify(signer.public_key, signer.sign(b"message"), b"message")
    assert not verify(signer.public_key, signer.sign(b"message"), b"other")


@pytest.mark.parametrize("kind", list(KEY_TYPES))
@pytest.mark.parametrize("passphrase", [b"", PASSPHRASE])
def test_pkcs8_is_written_and_read(kind: str, passphrase: bytes) -> None:
    key = generate(kind)
    data = keyfile.write_pkcs8(key, passphrase)
    assert data.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY" if passphrase else b"-----BEGIN PRIVATE KEY")
    assert public_der(parse(data, passphrase or None)) == public_der(key)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("passphrase", [b"", PASSPHRASE])
def test_curves_are_read_in_pkcs8_and_sec1(curve: ec.EllipticCurve, form: PrivateFormat, passphrase: bytes) -> None:
    key = ec.generate_private_key(curve)
    signer = LocalSigner(parse(pem(key, form, passphrase), passphrase or None))
    assert verify(signer.public_key, signer.sign(b"m"), b"m")


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("passphrase", [b"", PASSPHRASE])
def test_rsa_is_read_in_pkcs8_and_pkcs1(rsa_key: rsa.RSAPrivateKey, form: PrivateFormat, passphrase: bytes) -> None:
    signer = LocalSigner(parse(pem(rsa_key, form, passphrase), passphrase or None))
    assert verify(signer.public_key, signer.sign(b"m"), b"m")


def test_the_curve_that_openssl_writes_before_a_key_is_passed_over(tmp_path: Path) -> None:
    target = tmp_path / "k"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", target], check=True, timeout=20)
    assert b"EC PARAMETERS" in target.read_bytes()
    assert isinstance(parse(target.read_bytes(), None), ec.EllipticCurvePrivateKey)


def test_text_around_the_block_and_windows_line_ends_do_no_harm(sealed_key: tuple[PrivateKey, bytes]) -> None:
    key, data = sealed_key
    noted = b"my key, do not share\r\n" + data.replace(b"\n", b"\r\n") + b"\r\nend"
    assert public_der(parse(noted)) == public_der(key)


def test_the_older_label_of_cosign_is_read(sealed_key: tuple[PrivateKey, bytes]) -> None:
    key, data = sealed_key
    assert public_der(parse(data.replace(b"SIGSTORE", b"COSIGN"))) == public_der(key)


def test_an_empty_passphrase_seals_and_opens() -> None:
    key = generate("p256")
    data = keyfile.write_sealed(key, b"")
    assert public_der(parse(data, b"")) == public_der(key)
    with pytest.raises(WrongPassphrase):
        parse(data, PASSPHRASE)


def test_two_seals_of_one_key_share_no_salt_and_no_nonce() -> None:
    first, second = document(), document()
    assert first["kdf"]["salt"] != second["kdf"]["salt"]
    assert first["cipher"]["nonce"] != second["cipher"]["nonce"]


def test_the_wrong_passphrase_is_told_as_such(sealed_key: tuple[PrivateKey, bytes]) -> None:
    with pytest.raises(WrongPassphrase, match=r"does not open the key k\.key") as caught:
        parse(sealed_key[1], b"wr0ng")
    assert "wr0ng" not in str(caught.value)
    assert caught.value.__suppress_context__
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        data = pem(generate("p256"), form, PASSPHRASE)
        with pytest.raises(WrongPassphrase, match="does not open"):
            parse(data, b"wr0ng")
        with pytest.raises(WrongPassphrase, match="empty"):
            parse(data, b"")


def test_an_altered_ciphertext_does_not_open() -> None:
    found = document()
    altered = bytearray(base64.b64decode(found["ciphertext"]))
    altered[20] ^= 1
    with pytest.raises(WrongPassphrase):
        parse(seal_json({**found, "ciphertext": base64.b64encode(bytes(altered)).decode()}))


@pytest.mark.parametrize(
    "params",
    [
        {"N": 1 << 30, "r": 8, "p": 1},
        {"N": 65536, "r": 1 << 20, "p": 1},
        {"N": 65536, "r": 8, "p": 1 << 20},
        {"N": 2, "r": 8, "p": 1},
        {"N": 65536.0, "r": 8, "p": 1},
        {"N": 65536, "r": 8, "p": True},
        {"N": "65536", "r": 8, "p": 1},
        {"N": [65536], "r": 8, "p": 1},
    ],
)
def test_no_derivation_but_the_allowed_ones_is_computed(params: dict[str, Any]) -> None:
    found = document()
    found["kdf"]["params"] = params
    with pytest.raises(KeyUnusable, match="scrypt parameters"):
        parse(seal_json(found))


@pytest.mark.parametrize("cost", [32768, 131072])
def test_the_other_allowed_costs_are_computed(cost: int) -> None:
    found = document()
    found["kdf"]["params"]["N"] = cost
    with pytest.raises(WrongPassphrase):
        parse(seal_json(found))


@pytest.mark.parametrize(
    "broken",
    [
        [],
        "text",
        {},
        document(kdf=None),
        document(kdf={"name": "argon2", "params": {}, "salt": ""}),
        document(cipher={"name": "aes", "nonce": ""}),
        document(cipher={"name": "nacl/secretbox", "nonce": "AAAA"}),
        document(ciphertext="AAAA"),
        document(ciphertext="%%%%"),
        document(ciphertext=7),
        document(ciphertext="ü"),
    ],
)
def test_a_sealed_key_in_another_form_is_refused(broken: object) -> None:
    with pytest.raises(KeyUnusable, match="encrypted key") as caught:
        parse(seal_json(broken))
    assert not isinstance(caught.value, WrongPassphrase)


def test_a_sealed_key_with_a_member_twice_is_refused() -> None:
    text = json.dumps(document())
    twice = text[:-1] + ',"ciphertext":"AAAA"}'
    body = base64.b64encode(twice.encode()).decode()
    with pytest.raises(KeyUnusable):
        parse(f"-----BEGIN {LABEL}-----\n{body}\n-----END {LABEL}-----\n".encode())


def test_a_seal_around_something_else_than_a_key_is_refused() -> None:
    with pytest.raises(KeyUnusable, match="damaged"):
        parse(sealed.seal(b"hello", PASSPHRASE))


def test_a_public_key_is_not_a_private_one() -> None:
    data = generate("p256").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyUnusable, match="it is a public key; a private key is needed here"):
        parse(data)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("CERTIFICATE", "it is a certificate"),
        ("RSA PUBLIC KEY", "it is a public key"),
        ("OPENSSH PRIVATE KEY", "ssh-keygen -p -m PKCS8"),
        ("PGP PRIVATE KEY BLOCK", "no private key that is read here"),
    ],
)
def test_other_things_in_pem_are_named(label: str, words: str) -> None:
    with pytest.raises(KeyUnusable, match=words):
        parse(f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode())


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"-----BEGIN PRIVATE KEY-----", b"{}"])
def test_what_is_no_pem_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(KeyUnusable, match="no PEM block"):
        parse(data)


def test_two_keys_in_one_file_are_one_too_many(sealed_key: tuple[PrivateKey, bytes]) -> None:
    with pytest.raises(KeyUnusable, match="2 PEM blocks"):
        parse(sealed_key[1] * 2)


@pytest.mark.parametrize("label", ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
def test_a_damaged_block_is_said_to_be_damaged(label: str) -> None:
    with pytest.raises(KeyUnusable, match="damaged"):
        parse(f"-----BEGIN {label}-----\nMIIB\n-----END {label}-----\n".encode())


def test_a_plain_key_under_the_label_of_an_encrypted_one_is_refused() -> None:
    data = pem(generate("p256"), PrivateFormat.PKCS8).replace(b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY")
    with pytest.raises(KeyUnusable):
        parse(data)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
        (x25519.X25519PrivateKey.generate(), "another kind"),
        (dsa.generate_private_key(1024), "another kind"),
    ],
)
def test_keys_that_sign_no_images_are_refused_by_name(key: Any, words: str) -> None:
    with pytest.raises(KeyUnusable, match=words):
        parse(pem(key, PrivateFormat.PKCS8))


def test_a_key_type_that_is_not_made_is_refused() -> None:
    with pytest.raises(KeyUnusable, match="p256, p384, ed25519, rsa3072"):
        generate("dsa")


def test_ed25519_signs_pure_because_cosign_refuses_its_own_prehashed_form() -> None:
    key = generate("ed25519")
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert LocalSigner(key).sign(b"m") == key.sign(b"m")


def test_a_signer_shows_only_its_public_half() -> None:
    key = generate("ed25519")
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    shown = repr(LocalSigner(key))
    assert key.private_bytes_raw().hex() not in shown
    assert LocalSigner(key).public_key.fingerprint in shown


def test_a_cipher_that_nobody_knows_is_a_damaged_key() -> None:
    data = pem(generate("p256"), PrivateFormat.TraditionalOpenSSL, PASSPHRASE)
    with pytest.raises(KeyUnusable, match="damaged"):
        parse(data.replace(b"AES-256-CBC", b"ROT-13-CBC"))
