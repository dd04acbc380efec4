"""A time-stamp authority that can be told to break any one rule of RFC 3161, for tests of the verifier.

Every part of a token can be replaced; what is not replaced is right, and the signature is always made over what is
written. Good tokens come from ``imgtrust.signers.authority.LocalAuthority`` as well.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imgtrust.signers import der
from imgtrust.trust.times import TimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Sequence

    PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

__all__ = [
    "SHA1",
    "SHA256",
    "TST_INFO",
    "WHEN",
    "Certified",
    "Parts",
    "attribute",
    "authority",
    "certify",
    "chain",
    "respond",
]

WHEN: Final = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""The time in a token that does not say otherwise."""
SHA1: Final = "1.3.14.3.2.26"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_ALGORITHMS: Final[dict[str, tuple[str, str, Any]]] = {
    SHA1: ("sha1", "1.2.840.10045.4.1", hashes.SHA1),
    SHA256: ("sha256", "1.2.840.10045.4.3.2", hashes.SHA256),
    "2.16.840.1.101.3.4.2.2": ("sha384", "1.2.840.10045.4.3.3", hashes.SHA384),
    "2.16.840.1.101.3.4.2.3": ("sha512", "1.2.840.10045.4.3.4", hashes.SHA512),
}
_RSA_SHA256: Final = "1.2.840.113549.1.1.11"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
_TIME_STAMPING: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])


@dataclass(frozen=True)
class Certified:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


def certify(
    name: str,
    issuer: Certified | None = None,
    *,
    key: PrivateKey | None = None,
    authority: bool = False,
    purposes: x509.ExtendedKeyUsage | None = None,
    critical: bool = True,
    window: tuple[datetime, datetime] = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)),
    serial: int | None = None,
) -> Certified:
    """A certificate; self-signed without an issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(window[0])
        .not_valid_after(window[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if purposes is not None:
        builder = builder.add_extension(purposes, critical=critical)
    signer = key if issuer is None else issuer.key
    return Certified(
        builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()), key
    )


def chain(
    name: str = "test time-stamp authority",
    *,
    intermediate: bool = False,
    **leaf: Any,
) -> tuple[Certified, ...]:
    """Leaf, intermediate if asked for, root. Keyword arguments are the leaf's."""
    root = certify(f"{name} root", authority=True)
    middle = (certify(f"{name} middle", root, authority=True),) if intermediate else ()
    options: dict[str, Any] = {"purposes": _TIME_STAMPING, **leaf}
    return (certify(name, middle[0] if middle else root, **options), *middle, root)


def authority(parts: Sequence[Certified], *, leaf: bool = True, **window: datetime) -> TimestampAuthority:
    """The anchor for a chain; ``leaf=False``: only its roots and intermediates are known."""
    middle = tuple(each.der for each in parts[1:-1])
    known = parts[0].der if leaf else None
    return TimestampAuthority("test authority", (parts[-1].der,), middle, known, **window)


def attribute(dotted: str, *values: bytes) -> bytes:
    """One signed attribute."""
    return der.sequence(der.oid(dotted), der.set_of(values))


@dataclass(frozen=True)
class Parts:
    """What goes into a token. None, and an empty tuple, mean: what is right."""

    message: bytes = b"a signature"
    time: datetime = WHEN
    time_der: bytes | None = None
    status: int = 0
    version: int = 1
    policy: str = "1.3.6.1.4.1.57264.2"
    imprint_oid: str = SHA256
    imprint: bytes | None = None
    imprint_after: bytes = b""
    accuracy: bytes = b""
    ordering: bytes = b""
    nonce: bytes = b""
    tsa: bytes = b""
    extensions: bytes = b""
    content_type: str = TST_INFO
    digest_oid: str = SHA256
    certificate_attribute: bytes | None = None
    type_attribute: bytes | None = None
    digest_attribute: bytes | None = None
    more_attributes: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    named: Certified | None = None
    signature: bytes | None = None
    signers: int = 1
    after: bytes = b""

    def but(self, **changes: Any) -> Parts:
        """The same with changes."""
        return replace(self, **changes)


def respond(leaf: Certified, parts: Parts = Parts()) -> bytes:
    """A DER TimeStampResp, signed by the leaf whatever the parts are."""
    if parts.status not in {0, 1}:
        return der.sequence(der.sequence(der.integer(parts.status)))
    info = _info(parts)
    name, signature_oid, algorithm = _ALGORITHMS[parts.digest_oid]
    attributes = _attributes(leaf, parts, info, name)
    signed = der.set_of(attributes)
    if isinstance(leaf.key, ec.EllipticCurvePrivateKey):
        signature = leaf.key.sign(signed, ec.ECDSA(algorithm()))
    elif isinstance(leaf.key, rsa.RSAPrivateKey):
        signature, signature_oid = leaf.key.sign(signed, PKCS1v15(), algorithm()), _RSA_SHA256
    else:
        signature, signature_oid = leaf.key.sign(signed), "1.3.101.112"
    named = (parts.named or leaf).certificate
    signer = der.sequence(
        der.integer(1),
        der.sequence(named.issuer.public_bytes(), der.integer(named.serial_number)),
        der.sequence(der.oid(parts.digest_oid)),
        der.context(0, b"".join(sorted(attributes))),
        der.sequence(der.oid(signature_oid)),
        der.octets(signature if parts.signature is None else parts.signature),
    )
    signed_data = der.sequence(
        der.integer(3),
        der.set_of([der.sequence(der.oid(parts.digest_oid))]),
        der.sequence(der.oid(parts.content_type), der.context(0, der.octets(info))),
        der.context(0, b"".join(sorted(parts.certificates))) if parts.certificates else b"",
        der.set_of([signer] * parts.signers),
    )
    token = der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, signed_data))
    return der.sequence(der.sequence(der.integer(parts.status)), token, parts.after)


def _info(parts: Parts) -> bytes:
    name = _ALGORITHMS[parts.imprint_oid][0]
    imprint = hashlib.new(name, parts.message).digest() if parts.imprint is None else parts.imprint
    return der.sequence(
        der.integer(parts.version),
        der.oid(parts.policy),
        der.sequence(der.sequence(der.oid(parts.imprint_oid), der.null()), der.octets(imprint), parts.imprint_after),
        der.integer(7),
        der.generalized_time(parts.time) if parts.time_der is None else parts.time_der,
        parts.accuracy,
        parts.ordering,
        parts.nonce,
        parts.tsa,
        parts.extensions,
    )


def _attributes(leaf: Certified, parts: Parts, info: bytes, name: str) -> list[bytes]:
    own = der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha256(leaf.der).digest()))))
    written = (
        (parts.type_attribute, attribute(_CONTENT_TYPE, der.oid(TST_INFO))),
        (parts.digest_attribute, attribute(_MESSAGE_DIGEST, der.octets(hashlib.new(name, info).digest()))),
        (parts.certificate_attribute, attribute(_SIGNING_CERTIFICATE_V2, own)),
    )
    chosen = [right if given is None else given for given, right in written]
    return [each for each in (*chosen, *parts.more_attributes) if each]
