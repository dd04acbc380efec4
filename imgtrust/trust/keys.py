"""Public keys: reading them, naming them, and checking a signature with one. Pure.

Knows cryptography's key types and which hash belongs to which key (cosign.md 1c); knows nothing of formats, files or
private keys. What a signature is made of decides nothing here but True or False.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from imgtrust.errors import KeyUnusable
from imgtrust.trust import ed25519ph

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = [
    "MAX_KEY_BYTES",
    "PublicKey",
    "TrustedKey",
    "check_digest",
    "parse_public_key",
    "plausible",
    "supported",
    "verify",
    "verify_digest",
]

Loaded = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
"""A key of cryptography's, of a kind that ``supported`` lets pass."""
_Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

MAX_KEY_BYTES: Final = 64 * 1024
"""The largest key file that is read."""

_RSA_BITS: Final = range(2048, 4096 + 1)
_RSA_BYTES: Final = range(256, 512 + 1)
_CURVES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "secp256r1": ("p256", ("sha256",)),
    "secp384r1": ("p384", ("sha384", "sha256")),
    "secp521r1": ("p521", ("sha512", "sha256")),
}
"""Kind and hashes of a curve: its own first, then the SHA-256 that cosign takes for any key (cosign.md 1c)."""
_HASHES: Final[dict[str, _Hash]] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key by its canonical DER SubjectPublicKeyInfo, so that one key has one fingerprint.

    ``kind`` is ``p256``, ``p384``, ``p521``, ``rsa<bits>`` or ``ed25519``. ``fingerprint`` is the SHA-256 of the DER,
    64 hex digits. ``hint`` is base64 of that digest, as bundles carry it (cosign.md 1d). ``pem`` is what cosign reads.
    """

    der: bytes = field(repr=False)
    kind: str = field(init=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        """Hold the invariant for keys that are made without ``parse_public_key``.

        Raises:
            KeyUnusable: not the canonical DER of a key that is supported.
        """
        loaded = _load(self.der)
        if _encode(loaded) != self.der:
            message = "a public key in another form than DER SubjectPublicKeyInfo with named curve and full point"
            raise KeyUnusable(message)
        object.__setattr__(self, "kind", _kind(loaded))
        object.__setattr__(self, "fingerprint", hashlib.sha256(self.der).hexdigest())

    @property
    def hint(self) -> str:
        """Base64 of the SHA-256 of the DER."""
        return base64.b64encode(bytes.fromhex(self.fingerprint)).decode("ascii")

    @property
    def pem(self) -> bytes:
        """The key as PEM SubjectPublicKeyInfo."""
        return _load(self.der).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key that the policy trusts: the name it has there, and the window in which it speaks (ends inclusive)."""

    name: str
    key: PublicKey
    not_before: datetime | None = None
    not_after: datetime | None = None

    @property
    def bounded(self) -> bool:
        """Whether the key speaks only for a while, so that a proven time is needed."""
        return self.not_before is not None or self.not_after is not None

    def speaks_at(self, moment: datetime) -> bool:
        """Whether a moment lies in the window, ends inclusive."""
        after_start = self.not_before is None or self.not_before <= moment
        return after_start and (self.not_after is None or moment <= self.not_after)


def parse_public_key(data: bytes, what: str) -> PublicKey:
    """Read a public key as PEM or DER SubjectPublicKeyInfo; ``what`` names it in messages.

    Raises:
        KeyUnusable: not a public key, or of a kind that is not supported. A private key and a certificate are named
            as such, for they are what people hand over by mistake.
    """
    if len(data) > MAX_KEY_BYTES:
        message = f"{what}: {len(data)} bytes, expected a public key of at most {MAX_KEY_BYTES}"
        raise KeyUnusable(message)
    if b"PRIVATE KEY-----" in data:
        message = f"{what} is a private key, expected the public one; `imgtrust keys public` prints it"
        raise KeyUnusable(message)
    if b"-----BEGIN CERTIFICATE-----" in data:
        message = f"{what} is a certificate, expected a public key; `openssl x509 -pubkey -noout` prints it"
        raise KeyUnusable(message)
    try:
        if b"-----BEGIN" not in data:
            return PublicKey(_encode(_load(data)))
        return PublicKey(_encode(supported(load_pem_public_key(data))))
    except KeyUnusable as exc:
        message = f"{what}: {exc}"
        raise KeyUnusable(message) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        message = f"{what} is not a public key that can be read; expected PEM 'BEGIN PUBLIC KEY' or DER"
        raise KeyUnusable(message) from exc


def verify(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the key signed the message; never raises, whatever the signature is.

    ECDSA with the curve's own hash, then with SHA-256; RSA PKCS#1 v1.5 and PSS with SHA-256, 384 or 512; Ed25519 pure,
    and Ed25519ph, which cosign writes (RFC 8032 section 5.1).
    """
    loaded = _load(key.der)
    if isinstance(loaded, ed25519.Ed25519PublicKey) and _holds(lambda: loaded.verify(signature, message)):
        return True
    return any(
        check_digest(loaded, signature, hashlib.new(name, message).digest(), name) for name in _hashes_of(loaded)
    )


def verify_digest(key: PublicKey, signature: bytes, digest: bytes, algorithm: str) -> bool:
    """As ``verify`` for a message that is known only by its digest (``algorithm``: ``sha256``, ``sha384``, ``sha512``).

    Pure Ed25519 needs the message itself; the digest that Ed25519ph signs is SHA-512.
    """
    loaded = _load(key.der)
    if algorithm not in _hashes_of(loaded) or len(digest) != _HASHES[algorithm].digest_size:
        return False
    return check_digest(loaded, signature, digest, algorithm)


def plausible(signature: bytes) -> bool:
    """Whether any key that is read here could have made these bytes: ECDSA in DER, or the length of Ed25519 or RSA."""
    if len(signature) == ed25519ph.SIGNATURE_BYTES or len(signature) in _RSA_BYTES:
        return True
    try:
        decode_dss_signature(signature)
    except ValueError:
        return False
    return True


def check_digest(loaded: Loaded, signature: bytes, digest: bytes, algorithm: str) -> bool:
    """Check one signature of a loaded key over one digest; ``algorithm`` is ``sha256``, ``sha384`` or ``sha512``."""
    if isinstance(loaded, ed25519.Ed25519PublicKey):
        return ed25519ph.verify(loaded.public_bytes_raw(), signature, digest)
    chosen = _HASHES[algorithm]
    prehashed = Prehashed(chosen)
    if isinstance(loaded, ec.EllipticCurvePublicKey):
        return _holds(lambda: loaded.verify(signature, digest, ec.ECDSA(prehashed)))
    pss = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
    return _holds(lambda: loaded.verify(signature, digest, padding.PKCS1v15(), prehashed)) or _holds(
        lambda: loaded.verify(signature, digest, pss, prehashed)
    )


def _hashes_of(loaded: Loaded) -> tuple[str, ...]:
    """The hashes that a key may be used with, the likeliest first."""
    match loaded:
        case ec.EllipticCurvePublicKey():
            return _CURVES[loaded.curve.name][1]
        case rsa.RSAPublicKey():
            return tuple(_HASHES)
        case _:
            return ("sha512",)


def _holds(check: Callable[[], None]) -> bool:
    """Turn cryptography's way of saying no into False."""
    try:
        check()
    except InvalidSignature:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _load(der: bytes) -> Loaded:
    """Read DER once per key; one command checks many signatures with the same few keys."""
    try:
        return supported(load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm) as exc:
        message = "not a public key that can be read; expected DER SubjectPublicKeyInfo"
        raise KeyUnusable(message) from exc


def supported(loaded: object) -> Loaded:
    """The same key, if it is of a kind that signatures are checked with.

    Raises:
        KeyUnusable: another kind or curve, RSA of another size, an Ed25519 key that is no secret.
    """
    match loaded:
        case ec.EllipticCurvePublicKey():
            if loaded.curve.name in _CURVES:
                return loaded
            fault = f"the curve {loaded.curve.name}, expected P-256, P-384 or P-521"
        case rsa.RSAPublicKey():
            if loaded.key_size in _RSA_BITS:
                return loaded
            fault = f"RSA with {loaded.key_size} bits, expected {_RSA_BITS.start} to {_RSA_BITS.stop - 1}"
        case ed25519.Ed25519PublicKey():
            if ed25519ph.is_usable(loaded.public_bytes_raw()):
                return loaded
            fault = "an Ed25519 key of small order or in no canonical form, under which anybody can sign"
        case _:
            fault = f"a key of type {type(loaded).__name__}, expected ECDSA, RSA or Ed25519"
    message = f"unsupported public key: {fault}"
    raise KeyUnusable(message)


def _encode(loaded: Loaded) -> bytes:
    return loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _kind(loaded: Loaded) -> str:
    match loaded:
        case ec.EllipticCurvePublicKey():
            return _CURVES[loaded.curve.name][0]
        case rsa.RSAPublicKey():
            return f"rsa{loaded.key_size}"
        case _:
            return "ed25519"
