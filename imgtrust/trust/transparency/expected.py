"""What an entry has to be about: the signature that is judged, as entries of any kind state it. Pure.

Knows how Rekor's entries write keys, certificates, digests and signatures; knows nothing of any one kind.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from imgtrust.errors import KeyUnusable, Refused
from imgtrust.formats.certificates import pem_block
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keydetails
from imgtrust.trust.keys import PublicKey, parse_public_key

if TYPE_CHECKING:
    from imgtrust.evidence import Signed
    from imgtrust.formats.members import Members

__all__ = ["Expected", "disagree", "required"]

_V2_HASHES: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_HASHES: Final = frozenset(_V2_HASHES.values())


@dataclass(frozen=True, slots=True)
class Expected:
    """A signature with the key that made it, and the certificate of that key where there is one.

    ``content`` is the signed message of a message signature where the caller has it.
    """

    signed: Signed
    key: PublicKey
    certificate: bytes | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)

    def check_signature(self, signature: bytes) -> None:
        """The entry has this signature.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        if signature != self.signed.signature:
            disagree("has another signature")

    def check_hash(self, members: Members) -> None:
        """``{algorithm, value}`` of version 1 is the digest of what was signed.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        if not self._is_digest(members.text("algorithm"), members.text("value")):
            disagree("has another digest")

    def check_digest(self, members: Members) -> None:
        """``{algorithm, digest}`` of version 2 is the digest of what was signed.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        if not self._is_digest(_V2_HASHES.get(members.text("algorithm"), ""), members.data("digest").hex()):
            disagree("has another digest")

    def check_pem(self, pem: bytes) -> None:
        """PEM of version 1 is the certificate, or the key where there is none.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        text = pem.decode("ascii", "replace")
        if self.certificate is None:
            self._check_key(pem_block(text, "PUBLIC KEY"))
        elif pem_block(text, "CERTIFICATE") != self.certificate:
            disagree("has another certificate")

    def check_verifier(self, members: Members) -> None:
        """``verifier`` of version 2 is the certificate, or the key where there is none, by its right name.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        certificate, key = members.child("x509Certificate"), members.child("publicKey")
        if self.certificate is None:
            self._check_key(None if key is None or certificate is not None else key.data("rawBytes"))
        elif certificate is None or key is not None or certificate.data("rawBytes") != self.certificate:
            disagree("has another certificate")
        if not keydetails.fits(members.text("keyDetails"), self.key.kind):
            disagree("names another kind of key")

    def check_payload(self, algorithm: str, value: str) -> None:
        """The digest (hex) of the payload inside a DSSE envelope.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        payload = self.signed.payload
        if payload is None or algorithm not in _HASHES or hashlib.new(algorithm, payload).hexdigest() != value:
            disagree("has another payload")

    def check_payload_digest(self, members: Members) -> None:
        """``{algorithm, digest}`` of version 2 is the digest of the payload inside a DSSE envelope.

        Raises:
            Refused: LOG_INCONSISTENT.
        """
        self.check_payload(_V2_HASHES.get(members.text("algorithm"), ""), members.data("digest").hex())

    def is_envelope(self, members: Members) -> bool:
        """Whether ``{algorithm, value}`` is the digest of the envelope's own bytes, where these are known."""
        envelope, algorithm = self.signed.envelope, members.text("algorithm")
        if envelope is None or algorithm not in _HASHES:
            return False
        return hashlib.new(algorithm, envelope).hexdigest() == members.text("value")

    def is_signature(self, text: bytes) -> bool:
        """Whether bytes are this signature in base64, as ``intoto`` entries have it."""
        return text == base64.b64encode(self.signed.signature)

    def _check_key(self, der: bytes | None) -> None:
        try:
            found = None if der is None else parse_public_key(der, "the entry's key")
        except KeyUnusable:
            found = None
        if found != self.key:
            disagree("has another key")

    def _is_digest(self, algorithm: str, value: str) -> bool:
        """Whether a digest (hex) is that of the signed message, or the one that stands for it in the signature."""
        message = self.content if self.signed.message is None else self.signed.message
        if message is None:
            return (algorithm, value) == (self.signed.digest_algorithm, self.signed.message_digest)
        return algorithm in _HASHES and hashlib.new(algorithm, message).hexdigest() == value


def disagree(fault: str) -> NoReturn:
    """Refuse an entry that is about something else.

    Raises:
        Refused: LOG_INCONSISTENT.
    """
    raise Refused(RefusalCode.LOG_INCONSISTENT, f"the log entry is about another signature: it {fault}")


def required(members: Members, *path: str) -> Members:
    """The object at a path of members.

    Raises:
        Refused: one of them is absent (the code of ``members``).
    """
    for name in path:
        found = members.child(name)
        if found is None:
            message = f"{name} is absent"
            raise members.refuse(message)
        members = found
    return members
