"""A certificate transparency log on loopback that answers Fulcio's one question. Knows RFC 6962, sections 3.2 and 4.2.

It keeps no tree: a verifier of an embedded SCT wants its signature only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imgtrust.signers import der
from tests.simulators.loopback import Loopback, Reply

if TYPE_CHECKING:
    from tests.simulators.loopback import Request

__all__ = ["CtLogServer", "precertificate_message"]

_POISON: Final = "1.3.6.1.4.1.11129.2.4.3"
_EXTENSIONS_TAG: Final = 0xA3


class CtLogServer(Loopback):
    """The log. ``clock`` gives milliseconds since 1970; ``public_pem`` is what a trusted root names."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.chains: list[list[bytes]] = []

    @property
    def public_pem(self) -> bytes:
        """Its key."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def public_der(self) -> bytes:
        """The same as DER."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def log_id(self) -> bytes:
        """SHA-256 of its key."""
        return hashlib.sha256(self.public_der).digest()

    def _answer(self, request: Request) -> Reply:
        if request.path != "/ct/v1/add-pre-chain":
            return Reply(404)
        chain = [base64.b64decode(each) for each in json.loads(request.body)["chain"]]
        self.chains.append(chain)
        now = int(time.time() * 1000)
        signature = self._key.sign(precertificate_message(chain[0], chain[1], now), ec.ECDSA(hashes.SHA256()))
        document = {
            "sct_version": 0,
            "id": base64.b64encode(self.log_id).decode(),
            "timestamp": now,
            "extensions": "",
            "signature": base64.b64encode(b"\x04\x03" + len(signature).to_bytes(2, "big") + signature).decode(),
        }
        return Reply(200, (("Content-Type", "application/json"),), json.dumps(document).encode())


def precertificate_message(precertificate: bytes, issuer: bytes, milliseconds: int) -> bytes:
    """What the log signs: the certificate to be, without the poison, and the key of who will issue it."""
    issuer_key = x509.load_der_x509_certificate(issuer).public_key()
    spki = issuer_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs = _without_poison(x509.load_der_x509_certificate(precertificate))
    return b"".join(
        (
            b"\x00\x00",
            milliseconds.to_bytes(8, "big"),
            b"\x00\x01",
            hashlib.sha256(spki).digest(),
            len(tbs).to_bytes(3, "big"),
            tbs,
            b"\x00\x00",
        )
    )


def _without_poison(certificate: x509.Certificate) -> bytes:
    """The TBSCertificate without the extension that spoils a precertificate."""
    ((_, fields),) = der.read(certificate.tbs_certificate_bytes)
    parts = []
    for tag, content in der.read(fields):
        if tag == _EXTENSIONS_TAG:
            ((_, extensions),) = der.read(content)
            kept = [
                der.tagged(found, body)
                for found, body in der.read(extensions)
                if der.read_oid(der.read(body)[0][1]) != _POISON
            ]
            content = der.sequence(*kept)  # noqa: PLW2901 - the same field, without the poison
        parts.append(der.tagged(tag, content))
    return der.sequence(*parts)
