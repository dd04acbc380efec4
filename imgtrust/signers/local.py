"""A private key in this process.

Knows which signature each kind of key makes (cosign.md 1c); knows nothing of where the key came from. The key is in
no ``repr`` and no message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from imgtrust.signers.keyfile import public_der
from imgtrust.trust.keys import PublicKey

if TYPE_CHECKING:
    from imgtrust.signers.keyfile import PrivateKey

__all__ = ["LocalSigner"]

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


class LocalSigner:
    """A ``Signer`` over a key that is already decrypted; safe to use from several threads."""

    __slots__ = ("_key", "_public")

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._public = PublicKey(public_der(key))

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The signature over a whole message.

        P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512 (DER); RSA PKCS#1 v1.5 with SHA-256; Ed25519
        pure, because cosign refuses the pre-hashed form that it writes itself (cosign.md 4.3).
        """
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(message, ec.ECDSA(_HASHES[self._key.curve.name]))
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(message)

    def __repr__(self) -> str:
        """Only the public half."""
        return f"LocalSigner({self._public!r})"
