"""Bodies of log entries of each kind, written from scratch for a signature: what Rekor would have logged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.simulators.evidence import b64, pae

if TYPE_CHECKING:
    from imgtrust.trust.keys import PublicKey
    from tests.simulators.timestamps import Certified

__all__ = ["DETAILS", "KINDS", "Logged", "body_of"]

KINDS: Final = (
    ("hashedrekord", "0.0.1"),
    ("dsse", "0.0.1"),
    ("intoto", "0.0.1"),
    ("intoto", "0.0.2"),
    ("hashedrekord", "0.0.2"),
    ("dsse", "0.0.2"),
)
DETAILS: Final = {
    "p256": "PKIX_ECDSA_P256_SHA_256",
    "p384": "PKIX_ECDSA_P384_SHA_384",
    "p521": "PKIX_ECDSA_P521_SHA_512",
    "ed25519": "PKIX_ED25519",
    "rsa2048": "PKIX_RSA_PKCS1V15_2048_SHA256",
}
_STATEMENT: Final = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Logged:
    """A signature that is logged: its key, the certificate of it if there is one, and what was signed.

    ``payload`` is the statement of an envelope, else None and ``message`` was signed as it is; ``envelope`` is the
    envelope's own bytes. ``algorithm`` names the digest.
    """

    key: PublicKey
    signature: bytes
    certificate: Certified | None = None
    payload: bytes | None = None
    message: bytes = b""
    envelope: bytes = b"{}"
    algorithm: str = "sha256"

    @property
    def pem(self) -> str:
        """What made it, as version 1 has it."""
        return b64(self.key.pem if self.certificate is None else self.certificate.pem)

    @property
    def verifier(self) -> dict[str, Any]:
        """What made it, as version 2 has it."""
        own = (
            {"publicKey": {"rawBytes": b64(self.key.der)}}
            if self.certificate is None
            else {"x509Certificate": {"rawBytes": b64(self.certificate.der)}}
        )
        return {"keyDetails": DETAILS[self.key.kind], **own}

    def hash(self, data: bytes) -> dict[str, str]:
        """A digest as version 1 has it."""
        return {"algorithm": self.algorithm, "value": hashlib.new(self.algorithm, data).hexdigest()}

    def digest(self, data: bytes) -> dict[str, str]:
        """A digest as version 2 has it."""
        name = f"SHA2_{self.algorithm.removeprefix('sha')}"
        return {"algorithm": name, "digest": b64(hashlib.new(self.algorithm, data).digest())}


def body_of(kind: tuple[str, str], logged: Logged) -> dict[str, Any]:
    """The body of one kind."""
    signed = logged.message if logged.payload is None else pae(logged.payload)
    payload = logged.payload or b""
    signature = b64(logged.signature)
    spec: dict[str, Any]
    line: dict[str, Any]
    match kind:
        case ("hashedrekord", "0.0.1"):
            spec = {
                "data": {"hash": logged.hash(signed)},
                "signature": {"content": signature, "publicKey": {"content": logged.pem}},
            }
        case ("dsse", "0.0.1"):
            spec = {
                "envelopeHash": logged.hash(logged.envelope),
                "payloadHash": logged.hash(payload),
                "signatures": [{"signature": signature, "verifier": logged.pem}],
            }
        case ("intoto", "0.0.1"):
            content = {"hash": logged.hash(logged.envelope), "payloadHash": logged.hash(payload)}
            spec = {"content": content, "publicKey": logged.pem}
        case ("intoto", "0.0.2"):
            line = {"publicKey": logged.pem, "sig": b64(signature.encode())}
            envelope = {"payloadType": _STATEMENT, "signatures": [line]}
            hashes = {"hash": logged.hash(logged.envelope), "payloadHash": logged.hash(payload)}
            spec = {"content": {"envelope": envelope, **hashes}}
        case ("hashedrekord", _):
            line = {"content": signature, "verifier": logged.verifier}
            spec = {"hashedRekordV002": {"data": logged.digest(signed), "signature": line}}
        case _:
            line = {"content": signature, "verifier": logged.verifier}
            spec = {"dsseV002": {"payloadHash": logged.digest(payload), "signatures": [line]}}
    return {"apiVersion": kind[1], "kind": kind[0], "spec": spec}
