"""A time-stamp authority of one's own, made in memory and thrown away: for the demo and for tests.

Knows how an RFC 3161 token is written; must not be taken for a proof of time, for it says what its clock says.
Whoever judges trusts it only where its chain was named as an anchor.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imgtrust.signers import der
from imgtrust.trust.times import TimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GRANTED", "POLICY", "REJECTION", "LocalAuthority", "TimeQuery", "read_query"]

GRANTED: Final = 0
REJECTION: Final = 2
POLICY: Final = "1.3.6.1.4.1.57264.2"
"""The TSA policy that the tokens name (the one that sigstore's timestamp-authority uses)."""

_HASHES: Final = {
    "sha256": ("2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2", hashes.SHA256),
    "sha384": ("2.16.840.1.101.3.4.2.2", "1.2.840.10045.4.3.3", hashes.SHA384),
    "sha512": ("2.16.840.1.101.3.4.2.3", "1.2.840.10045.4.3.4", hashes.SHA512),
}
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
_LONG_AGO: Final = datetime(2015, 1, 1, tzinfo=UTC)
_FAR_AHEAD: Final = datetime(2045, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeQuery:
    """What a time-stamp request asks for (RFC 3161, 2.4.1).

    ``algorithm`` is the name of the hash that ``imprint`` is of; ``certificates`` is its certReq.
    """

    imprint: bytes
    algorithm: str = "sha256"
    nonce: int | None = None
    certificates: bool = False


class LocalAuthority:
    """A ``Timestamper`` over a fresh certificate authority (P-256), which lives as long as this object.

    ``clock`` gives the time that goes into a token (aware; whole seconds are written). ``certificates``: whether a
    token that ``stamp`` makes holds its chain (cosign asks for none, so the default is none). ``intermediate``: a
    certificate between leaf and root. ``algorithm``: the hash of the authority's own signature; ``imprint``: the hash
    of the stamped message. ``accuracy`` is written into the token where given. The certificates are valid from
    ``not_before`` to ``not_after``. May be called from several threads.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        name: str = "imgtrust throw-away time-stamp authority",
        certificates: bool = False,
        intermediate: bool = False,
        algorithm: str = "sha256",
        imprint: str = "sha256",
        accuracy: timedelta | None = None,
        not_before: datetime = _LONG_AGO,
        not_after: datetime = _FAR_AHEAD,
    ) -> None:
        self._clock = clock
        self._name = name
        self._certificates = certificates
        self._algorithm = algorithm
        self._imprint = imprint
        self._accuracy = accuracy
        self._serials = itertools.count(1)
        window = (not_before, not_after)
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = _authority(f"{name} root", root_key, None, window)
        chain = [root]
        issuer, issuer_key = root, root_key
        if intermediate:
            issuer_key = ec.generate_private_key(ec.SECP256R1())
            issuer = _authority(f"{name} intermediate", issuer_key, (root, root_key), window)
            chain.insert(0, issuer)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf = _leaf(name, self._key, (issuer, issuer_key), window)
        chain.insert(0, self._leaf)
        self._chain = tuple(certificate.public_bytes(Encoding.DER) for certificate in chain)
        self._pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)

    @property
    def name(self) -> str:
        """Who it is, for people."""
        return self._name

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates as DER: leaf, intermediate where there is one, root."""
        return self._chain

    @property
    def pem(self) -> bytes:
        """The same chain as PEM, as ``--tsa-roots`` reads it."""
        return self._pem

    @property
    def authority(self) -> TimestampAuthority:
        """The anchor under which its tokens verify, with the leaf."""
        return TimestampAuthority(self._name, self._chain[-1:], self._chain[1:-1], self._chain[0])

    def stamp(self, message: bytes) -> bytes:
        """A DER TimeStampResp over the message, without a nonce."""
        digest = hashlib.new(self._imprint, message).digest()
        return self.issue(TimeQuery(digest, self._imprint, None, certificates=self._certificates))

    def respond(self, request: bytes) -> bytes:
        """The DER TimeStampResp to a DER TimeStampReq; a rejection where the request cannot be read."""
        try:
            query = read_query(request)
        except der.DerError as exc:
            return self.refuse(str(exc))
        return self.issue(query)

    def refuse(self, reason: str) -> bytes:
        """A DER TimeStampResp that grants nothing and says why (RFC 3161, 2.4.2)."""
        return der.sequence(der.sequence(der.integer(REJECTION), der.sequence(der.utf8(reason))))

    def issue(self, query: TimeQuery) -> bytes:
        """A DER TimeStampResp that grants what is asked."""
        info = self._info(query)
        digest_oid, signature_oid, algorithm = _HASHES[self._algorithm]
        attributes = self._attributes(info)
        signature = self._key.sign(der.set_of(attributes), ec.ECDSA(algorithm()))
        signer = der.sequence(
            der.integer(1),
            der.sequence(self._leaf.issuer.public_bytes(), der.integer(self._leaf.serial_number)),
            der.sequence(der.oid(digest_oid)),
            der.context(0, b"".join(sorted(attributes))),
            der.sequence(der.oid(signature_oid)),
            der.octets(signature),
        )
        signed = der.sequence(
            der.integer(3),
            der.set_of([der.sequence(der.oid(digest_oid))]),
            der.sequence(der.oid(_TST_INFO), der.context(0, der.octets(info))),
            der.context(0, b"".join(sorted(self._chain))) if query.certificates else b"",
            der.set_of([signer]),
        )
        token = der.sequence(der.oid(_SIGNED_DATA), der.context(0, signed))
        return der.sequence(der.sequence(der.integer(GRANTED)), token)

    def _info(self, query: TimeQuery) -> bytes:
        """The TSTInfo (RFC 3161, 2.4.2)."""
        return der.sequence(
            der.integer(1),
            der.oid(POLICY),
            der.sequence(
                der.sequence(der.oid(_HASHES[query.algorithm][0]), der.null()),
                der.octets(query.imprint),
            ),
            der.integer(next(self._serials)),
            der.generalized_time(self._clock().astimezone(UTC)),
            b"" if self._accuracy is None else _accuracy(self._accuracy),
            b"" if query.nonce is None else der.integer(query.nonce),
        )

    def _attributes(self, info: bytes) -> list[bytes]:
        """The signed attributes: content type, digest, and the certificate that signs (RFC 5816)."""
        digest = hashlib.new(self._algorithm, info).digest()
        certificate = der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha256(self._chain[0]).digest()))))
        return [
            der.sequence(der.oid(_CONTENT_TYPE), der.set_of([der.oid(_TST_INFO)])),
            der.sequence(der.oid(_MESSAGE_DIGEST), der.set_of([der.octets(digest)])),
            der.sequence(der.oid(_SIGNING_CERTIFICATE_V2), der.set_of([certificate])),
        ]


def read_query(request: bytes) -> TimeQuery:
    """Read a DER TimeStampReq.

    Raises:
        DerError: it is not one, or asks for a hash that is not read here.
    """
    try:
        ((tag, body),) = der.read(request)
        (_, _), (_, imprint), *rest = der.read(body)
        (_, algorithm), (_, digest) = der.read(imprint)
        dotted = der.read_oid(der.read(algorithm)[0][1])
    except (ValueError, IndexError) as exc:
        message = f"not a time-stamp request: {exc}"
        raise der.DerError(message) from exc
    names = {known: name for name, (known, _, _) in _HASHES.items()}
    if tag != der.SEQUENCE or dotted not in names:
        message = f"not a time-stamp request over a hash that is known here ({dotted})"
        raise der.DerError(message)
    nonces = [int.from_bytes(content, "big", signed=True) for found, content in rest if found == der.INTEGER]
    wanted = any(found == der.BOOLEAN and content == b"\xff" for found, content in rest)
    return TimeQuery(digest, names[dotted], nonces[0] if nonces else None, certificates=wanted)


def _accuracy(accuracy: timedelta) -> bytes:
    seconds, rest = divmod(accuracy, timedelta(seconds=1))
    millis, micros = divmod(rest // timedelta(microseconds=1), 1000)
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        der.context(0, der.integer(millis)[2:], constructed=False) if millis else b"",
        der.context(1, der.integer(micros)[2:], constructed=False) if micros else b"",
    )


def _authority(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    window: tuple[datetime, datetime],
) -> x509.Certificate:
    """A certificate that may sign others: the root where ``issuer`` is None."""
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, key, None if issuer is None else issuer[0], window)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    if issuer is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=False)
    return builder.sign(key if issuer is None else issuer[1], hashes.SHA256())


def _leaf(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    window: tuple[datetime, datetime],
) -> x509.Certificate:
    """The certificate that signs tokens: its one purpose is critical (RFC 3161, 2.3)."""
    return (
        _builder(name, key, issuer[0], window)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(issuer[1], hashes.SHA256())
    )


def _builder(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    window: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(window[0])
        .not_valid_after(window[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
