"""Certificate authorities and signers that can be told to break any one rule of the Notary Project.

Every part of a certificate can be replaced; what is not replaced is right. Independent of imgtrust's own signers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from imgtrust.signers import der

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

__all__ = [
    "END",
    "START",
    "SUBJECT",
    "Certified",
    "Shape",
    "as_sha1",
    "authority",
    "chain",
    "issue",
    "leaf",
    "new_key",
    "odd_leaf",
    "points",
    "remade",
    "says_sha1",
    "usage",
]

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
END: Final = datetime(2027, 1, 1, tzinfo=UTC)
SUBJECT: Final = (("C", "US"), ("ST", "WA"), ("O", "Acme"))
_OIDS: Final = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}


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


@functools.lru_cache(maxsize=64)
def new_key(kind: str = "p256", number: int = 0) -> PrivateKey:
    """A key by kind; the same one for the same ``number``, for RSA keys are slow to make."""
    assert number >= 0
    match kind:
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "p521":
            return ec.generate_private_key(ec.SECP521R1())
        case "k256":
            return ec.generate_private_key(ec.SECP256K1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def usage(*names: str) -> x509.KeyUsage:
    """A key usage with these bits."""
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


@dataclass(frozen=True)
class Shape:
    """How a certificate looks. ``extensions`` are added as they are, after the usual ones; None leaves one out.

    ``ocsp``, ``crl`` and ``delta`` are addresses.
    """

    subject: tuple[tuple[str, str], ...] = (*SUBJECT, ("CN", "leaf"))
    name: x509.Name | None = None
    window: tuple[datetime, datetime] = (START, END)
    ca: bool | None = None
    path_length: int | None = None
    constraints_critical: bool = True
    usage: x509.KeyUsage | None = field(default_factory=lambda: usage("digital_signature"))
    usage_critical: bool = True
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    ocsp: tuple[str, ...] = ()
    crl: tuple[str, ...] = ()
    delta: tuple[str, ...] = ()
    hash: Any = field(default_factory=hashes.SHA256)
    serial: int | None = None


def issue(shape: Shape, issuer: Certified | None = None, key: PrivateKey | None = None) -> Certified:
    """A certificate; signed by itself without an issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = shape.name or x509.Name([x509.NameAttribute(_OIDS[kind], value) for kind, value in shape.subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(shape.serial or x509.random_serial_number())
        .not_valid_before(shape.window[0])
        .not_valid_after(shape.window[1])
    )
    if shape.ca is not None:
        constraints = x509.BasicConstraints(ca=shape.ca, path_length=shape.path_length)
        builder = builder.add_extension(constraints, critical=shape.constraints_critical)
    if shape.usage is not None:
        builder = builder.add_extension(shape.usage, critical=shape.usage_critical)
    if shape.purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(shape.purposes), critical=False)
    if shape.ocsp:
        places = [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
            for url in shape.ocsp
        ]
        builder = builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)
    if shape.crl:
        builder = builder.add_extension(x509.CRLDistributionPoints(points(shape.crl)), critical=False)
    if shape.delta:
        builder = builder.add_extension(x509.FreshestCRL(points(shape.delta)), critical=False)
    for extension, critical in shape.extensions:
        builder = builder.add_extension(extension, critical=critical)
    signing = key if issuer is None else issuer.key
    algorithm = None if isinstance(signing, ed25519.Ed25519PrivateKey) else shape.hash
    return Certified(builder.sign(signing, algorithm), key)


def points(urls: Sequence[str]) -> list[x509.DistributionPoint]:
    """Distribution points, one for each address."""
    return [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]


def authority(name: str = "root", issuer: Certified | None = None, **changes: Any) -> Certified:
    """A certificate that may sign others."""
    shape = Shape(subject=(*SUBJECT, ("CN", name)), ca=True, usage=usage("key_cert_sign", "crl_sign"))
    key = changes.pop("key", None)
    return issue(replace(shape, **changes), issuer, key)


def leaf(issuer: Certified | None, **changes: Any) -> Certified:
    """A certificate that signs images."""
    key = changes.pop("key", None)
    return issue(replace(Shape(), **changes), issuer, key)


def remade(data: bytes, signer: Certified, edit: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """A certificate or list (DER) whose signed members were edited, signed again with SHA-256 and a P-256 key."""
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    ((_, body),) = der.read(data)
    inside, algorithm, _ = der.read(body)
    members = der.sequence(*edit([der.tagged(tag, content) for tag, content in der.read(inside[1])]))
    signature = signer.key.sign(members, ec.ECDSA(hashes.SHA256()))
    return der.sequence(members, der.tagged(*algorithm), der.tagged(0x03, b"\x00" + signature))


def odd_leaf(edit: Callable[[list[bytes]], list[bytes]], issuer: Certified | None = None) -> Certified:
    """A signing certificate that no library would write; signed by itself without an issuer."""
    plain = leaf(issuer)
    data = remade(plain.der, issuer or plain, edit)
    return Certified(x509.load_der_x509_certificate(data), plain.key)


def as_sha1(data: bytes, signer: Certified) -> bytes:
    """A certificate or list (DER) that RSA and SHA-256 signed, signed again with SHA-1; nobody makes such any more."""
    assert isinstance(signer.key, rsa.RSAPrivateKey)
    changed = says_sha1(data)
    ((_, body),) = der.read(changed)
    inside, algorithm, _ = (der.tagged(tag, content) for tag, content in der.read(body))
    signature = signer.key.sign(inside, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - made to see it refused
    return der.sequence(inside, algorithm, der.tagged(0x03, b"\x00" + signature))


def says_sha1(data: bytes) -> bytes:
    """DER that says that RSA and SHA-1 signed it, from one that RSA and SHA-256 signed."""
    return data.replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))


def chain(*certified: Certified) -> tuple[bytes, ...]:
    """The certificates as DER."""
    return tuple(each.der for each in certified)
