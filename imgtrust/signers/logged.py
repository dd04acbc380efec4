"""What a transparency log is told of a signature, as both generations of Rekor want it said.

Knows how they name kinds of keys and write digests, keys and certificates; asks no log.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from imgtrust.trust.keys import PublicKey

__all__ = ["DETAILS", "Logged"]

DETAILS: Final = {
    "p256": ("PKIX_ECDSA_P256_SHA_256", "sha256"),
    "p384": ("PKIX_ECDSA_P384_SHA_384", "sha384"),
    "p521": ("PKIX_ECDSA_P521_SHA_512", "sha512"),
    "rsa2048": ("PKIX_RSA_PKCS1V15_2048_SHA256", "sha256"),
    "rsa3072": ("PKIX_RSA_PKCS1V15_3072_SHA256", "sha256"),
    "rsa4096": ("PKIX_RSA_PKCS1V15_4096_SHA256", "sha256"),
}
"""Name (``PublicKeyDetails`` of protobuf-specs) and digest of the kinds of keys whose signatures logs can check.

Pure Ed25519 signs no digest, and is in no entry that has one.
"""
_LINE: Final = 64


@dataclass(frozen=True, slots=True)
class Logged:
    """What is written into a log: a signature over ``message``, and the key that made it.

    ``certificate`` (DER) stands for the key where it has one. ``statement`` is set where the message is the PAE of an
    envelope around it.
    """

    message: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    key: PublicKey
    certificate: bytes | None = field(repr=False, default=None)
    statement: bytes | None = field(repr=False, default=None)

    @property
    def algorithm(self) -> str:
        """The digest that the key signs."""
        return DETAILS.get(self.key.kind, ("", "sha256"))[1]

    @property
    def digest(self) -> bytes:
        """The digest of the message."""
        return hashlib.new(self.algorithm, self.message).digest()

    @property
    def pem(self) -> bytes:
        """What made it, as version 1 takes it."""
        return self.key.pem if self.certificate is None else _pem(self.certificate)

    @property
    def verifier(self) -> dict[str, Any]:
        """What made it, as version 2 takes it."""
        details = DETAILS.get(self.key.kind, ("",))[0]
        if self.certificate is None:
            return {"publicKey": {"rawBytes": _base64(self.key.der)}, "keyDetails": details}
        return {"x509Certificate": {"rawBytes": _base64(self.certificate)}, "keyDetails": details}


def _pem(der: bytes) -> bytes:
    """A certificate in the lines of 64 that RFC 7468 wants: sigstore-python compares what was logged with that."""
    text = _base64(der)
    lines = "".join(f"{text[at : at + _LINE]}\n" for at in range(0, len(text), _LINE))
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n".encode("ascii")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
