"""A certificate transparency log in memory: it signs timestamps over what it is told, good and bad (RFC 6962, 3.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.simulators.evidence import Key

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

__all__ = ["CtLog", "timestamp_list"]


@dataclass(frozen=True)
class CtLog:
    """A log by its key (P-256 unless given)."""

    key: Key = field(default_factory=Key.new)

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the key."""
        return hashlib.sha256(self.key.public.der).digest()

    def timestamp(
        self,
        precertificate: x509.Certificate,
        issuer: x509.Certificate,
        when: datetime,
        *,
        extensions: bytes = b"",
        altered: bool = False,
    ) -> bytes:
        """A serialized timestamp over a certificate that has none yet."""
        spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        body = precertificate.tbs_certificate_bytes
        milliseconds = int(when.timestamp() * 1000).to_bytes(8, "big")
        tail = len(extensions).to_bytes(2, "big") + extensions
        signed = b"".join(
            (
                b"\x00\x00",
                milliseconds,
                b"\x00\x01",
                hashlib.sha256(spki).digest(),
                len(body).to_bytes(3, "big"),
                body,
                tail,
            )
        )
        signature = self.key.sign(signed + (b"x" if altered else b""))
        algorithm = b"\x04\x03" if self.key.public.kind.startswith("p") else b"\x04\x01"
        return b"".join(
            (b"\x00", self.log_id, milliseconds, tail, algorithm, len(signature).to_bytes(2, "big"), signature)
        )


def timestamp_list(*timestamps: bytes) -> bytes:
    """The TLS list that is embedded in a certificate."""
    items = b"".join(len(each).to_bytes(2, "big") + each for each in timestamps)
    return len(items).to_bytes(2, "big") + items
