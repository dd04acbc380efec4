"""A private key with its X.509 chain, which signs envelopes of the Notary Project (JWS, scheme ``notary.x509``).

Knows notary.md 3 and 5, and refuses a chain that no verifier would take; knows nothing of where an envelope goes. The
key is in no ``repr`` and no message.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from imgtrust.errors import KeyUnusable, Refused
from imgtrust.formats import notary, notaryjws
from imgtrust.trust.certificatefiles import read_roots
from imgtrust.trust.der import SEQUENCE as DER_SEQUENCE
from imgtrust.trust.der import DerError, read_one
from imgtrust.trust.notary.envelopes import algorithm_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from imgtrust.content import Descriptor
    from imgtrust.signers.keyfile import PrivateKey
    from imgtrust.signers.passphrase import PassphraseSource
    from imgtrust.signers.port import Timestamper

__all__ = ["EnvelopeSigner", "bare_token", "open_envelope_signer"]

_MAX_CHAIN: Final = 256 * 1024


class EnvelopeSigner:
    """Signs Notary envelopes; safe to use from several threads."""

    __slots__ = ("_algorithm", "_chain", "_key", "_subject")

    def __init__(self, key: PrivateKey, chain: Sequence[bytes]) -> None:
        """``chain`` is DER, the certificate of the key first, the root last.

        Raises:
            KeyUnusable: the chain breaks a rule of the Notary Project, or its first certificate is another key's.
        """
        from imgtrust.trust.notary.chain import read_chain  # noqa: PLC0415 - X.509 is slow to import

        try:
            certificates = read_chain(chain)
        except Refused as exc:
            message = f"the key cannot sign for Notary: {exc.reason}"
            raise KeyUnusable(message) from exc
        algorithm = algorithm_of(key.public_key())
        if algorithm is None or isinstance(key, ed25519.Ed25519PrivateKey):
            message = "the key cannot sign for Notary: expected EC P-256, P-384, P-521, or RSA 2048, 3072, 4096"
            raise KeyUnusable(message)
        if certificates[0].public_key() != key.public_key():
            message = "the first certificate of the chain is not that of the key: give it leaf first, root last"
            raise KeyUnusable(message)
        self._key = key
        self._algorithm = algorithm
        self._chain = tuple(chain)
        self._subject = certificates[0].subject.rfc4514_string()

    @property
    def name(self) -> str:
        """Who signs, for people: the subject of the certificate."""
        return self._subject

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates as DER, leaf first."""
        return self._chain

    def sign_target(self, target: Descriptor, agent: str, *, at: datetime, stamper: Timestamper | None) -> bytes:
        """The JWS envelope about an image, time-stamped where there is an authority; ``at`` is aware.

        ``agent`` names the tool, which nobody signs. ``at`` is the time of signing that the envelope claims.

        Raises:
            TimestampError: the authority gave no token.
            KeyUnusable: the authority's answer holds no token that an envelope can carry.
        """
        header = {
            "alg": self._algorithm.name,
            "crit": [notary.SCHEME],
            "cty": notary.PAYLOAD_TYPE,
            notary.SCHEME: notary.SCHEME_X509,
            notary.SIGNING_TIME: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        signed = notaryjws.signing_input(header, notary.write_target(target))
        signature = self._sign(signed)
        token = None if stamper is None else bare_token(stamper.stamp(signature))
        return notaryjws.write(signed, signature, self._chain, token, agent)

    def _sign(self, message: bytes) -> bytes:
        """PSS with a salt as long as the digest, or r and s (RFC 7518 sections 3.4 and 3.5)."""
        chosen = self._algorithm.hash
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(message, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
        size = (self._key.curve.key_size + 7) // 8
        pair = decode_dss_signature(self._key.sign(message, ec.ECDSA(chosen)))
        return b"".join(number.to_bytes(size, "big") for number in pair)

    def __repr__(self) -> str:
        """Only the subject."""
        return f"EnvelopeSigner({self._subject!r})"


def open_envelope_signer(
    key_reference: str, chain_path: str, *, passphrase: PassphraseSource, environment: Mapping[str, str]
) -> EnvelopeSigner:
    """The signer behind a key (as in ``open_signer``) and a PEM file of its chain, leaf first, root last.

    Raises:
        KeyUnusable: the key cannot be used, or the chain is not its own.
        InputFileError: the chain cannot be read.
        Undecided: AWS did not answer.
    """
    from imgtrust.signers.keyfile import parse_private_key  # noqa: PLC0415 - only where one is opened
    from imgtrust.signers.material import read_limited, read_material  # noqa: PLC0415 - as above

    chain = read_roots(read_limited(chain_path, "certificate chain", _MAX_CHAIN), chain_path)
    data = read_material(key_reference, environment)
    key = parse_private_key(data, key_reference, lambda: passphrase.read(f"the key {key_reference}"))
    return EnvelopeSigner(key, chain)


def bare_token(response: bytes) -> bytes:
    """The TimeStampToken in a TimeStampResp that was checked: Notary keeps the token alone.

    Raises:
        KeyUnusable: there is none.
    """
    try:
        members = read_one(response)
        members.next(DER_SEQUENCE)
        return members.next(DER_SEQUENCE).raw
    except DerError as exc:
        message = f"the time-stamp authority's answer holds no token: {exc}"
        raise KeyUnusable(message) from exc
