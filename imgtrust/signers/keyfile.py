"""Private keys as text: the PEM forms that are read, and the two that are written. Pure but for its random salt.

Knows cosign's encrypted key (cosign.md 1c), PKCS#8, SEC1 and PKCS#1; knows nothing of files or where a passphrase
comes from. Secrets are in no message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from imgtrust.errors import KeyUnusable, WrongPassphrase
from imgtrust.signers import sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["KEY_TYPES", "PrivateKey", "generate", "parse_private_key", "public_der", "write_pkcs8", "write_sealed"]

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_RSA_BITS: Final = range(2048, 4097)
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_PEM: Final = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]{1,64})-----\s(?P<body>[^-]*(?:-(?!----)[^-]*)*)-----END (?P=label)-----"
)
_PRIVATE: Final = frozenset({b"ENCRYPTED PRIVATE KEY", b"PRIVATE KEY", b"EC PRIVATE KEY", b"RSA PRIVATE KEY"})
_SKIPPED: Final = frozenset({b"EC PARAMETERS"})
"""openssl writes the curve before a SEC1 key; the key names its curve itself."""
_NOT_A_PRIVATE_KEY: Final = {
    b"PUBLIC KEY": "it is a public key; a private key is needed here",
    b"RSA PUBLIC KEY": "it is a public key; a private key is needed here",
    b"CERTIFICATE": "it is a certificate; a private key is needed here",
    b"OPENSSH PRIVATE KEY": "it is an OpenSSH key; convert it with: ssh-keygen -p -m PKCS8 -f FILE",
}

KEY_TYPES: Final[dict[str, Callable[[], PrivateKey]]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa3072": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
}
"""What ``keys generate --type`` takes."""


def generate(kind: str) -> PrivateKey:
    """A new key of one of ``KEY_TYPES``.

    Raises:
        KeyUnusable: no such type.
    """
    if kind not in KEY_TYPES:
        message = f"keys of type {kind[:32]!r} are not made here; expected {', '.join(KEY_TYPES)}"
        raise KeyUnusable(message)
    return KEY_TYPES[kind]()


def parse_private_key(data: bytes, what: str, passphrase: Callable[[], bytes]) -> PrivateKey:
    """Read a private key from PEM. ``passphrase`` is called once, and only for an encrypted key.

    Raises:
        KeyUnusable: not one private key of a kind that signs images; ``what`` says in the message which key.
        WrongPassphrase: it is encrypted and the passphrase does not open it.
    """
    label, body, block = _block(data, what)
    if label in sealed.LABELS:
        key = _load_der(sealed.open_sealed(body, passphrase(), what), what)
    elif label == b"ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in body:
        key = _load_encrypted(block, what, passphrase())
    else:
        key = _load_pem(block, what)
    return _suitable(key, what)


def public_der(key: PrivateKey) -> bytes:
    """The public half as DER SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def write_sealed(key: PrivateKey, passphrase: bytes) -> bytes:
    """The key as cosign's encrypted PEM, which cosign reads (an empty passphrase included)."""
    return sealed.seal(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), passphrase)


def write_pkcs8(key: PrivateKey, passphrase: bytes) -> bytes:
    """The key as PKCS#8 PEM: encrypted, or plain where the passphrase is empty (PKCS#8 knows no empty one)."""
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _block(data: bytes, what: str) -> tuple[bytes, bytes, bytes]:
    """The one key in the text: its label, its body, and the whole block."""
    blocks = [match for match in _PEM.finditer(data) if match["label"] not in _SKIPPED]
    if not blocks:
        message = f"the key {what} holds no PEM block; expected a private key as cosign or openssl write it"
        raise KeyUnusable(message)
    if len(blocks) > 1:
        message = f"the key {what} holds {len(blocks)} PEM blocks; expected one private key and nothing else"
        raise KeyUnusable(message)
    label: bytes = blocks[0]["label"]
    if label in _NOT_A_PRIVATE_KEY:
        message = f"the key {what} cannot sign: {_NOT_A_PRIVATE_KEY[label]}"
        raise KeyUnusable(message)
    if label not in _PRIVATE and label not in sealed.LABELS:
        message = f"the key {what} is a PEM block {label.decode()!r}, which is no private key that is read here"
        raise KeyUnusable(message)
    return label, blocks[0]["body"], blocks[0].group() + b"\n"


def _load_encrypted(block: bytes, what: str, passphrase: bytes) -> PrivateKeyTypes:
    """Open an encrypted PKCS#8, SEC1 or PKCS#1 block."""
    if not passphrase:
        message = f"the passphrase given for the key {what} is empty, and the key is encrypted"
        raise WrongPassphrase(message)
    try:
        return load_pem_private_key(block, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        # Which of the two it is cannot always be told: garbage after decryption may be a damaged file.
        if "password" in str(exc).lower():
            message = f"the passphrase does not open the key {what}"
            raise WrongPassphrase(message) from None
        raise _damaged(what) from None


def _load_pem(block: bytes, what: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(block, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _damaged(what) from None


def _load_der(data: bytes, what: str) -> PrivateKeyTypes:
    try:
        return load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _damaged(what) from None


def _suitable(key: PrivateKeyTypes, what: str) -> PrivateKey:
    """The key, if images are signed with keys of its kind."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name in _CURVES:
            return key
        found = f"an EC key on {key.curve.name}"
    elif isinstance(key, rsa.RSAPrivateKey):
        if key.key_size in _RSA_BITS:
            return key
        found = f"an RSA key of {key.key_size} bits"
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    else:
        found = f"a key of another kind ({type(key).__name__.removesuffix('PrivateKey').lstrip('_')})"
    message = f"the key {what} is {found}; expected EC P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 4096 bits"
    raise KeyUnusable(message)


def _damaged(what: str) -> KeyUnusable:
    return KeyUnusable(f"the key {what} cannot be read: its PEM block does not hold a private key, or is damaged")
