"""A Fulcio-like authority in memory: signing certificates with any name, extension, usage, window and timestamps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imgtrust.signers import der
from tests.simulators.ctlog import CtLog, timestamp_list
from tests.simulators.timestamps import Certified

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulators.evidence import PrivateKey

__all__ = [
    "CODE_SIGNING",
    "EMAIL",
    "ISSUER",
    "WHEN",
    "Fulcio",
    "ca_certificate",
    "ca_chain",
    "extension",
    "usage",
    "utf8",
]

WHEN: Final = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""When certificates are issued that do not say otherwise; they are valid for ten minutes."""
EMAIL: Final = "release@acme.test"
ISSUER: Final = "https://accounts.acme.test"
CODE_SIGNING: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
_ARC: Final = "1.3.6.1.4.1.57264.1"
_SCT_LIST: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_AGES: Final = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))


def utf8(text: str) -> bytes:
    """DER UTF8String."""
    return der.utf8(text)


def extension(number: int, value: bytes, *, critical: bool = False) -> x509.Extension[x509.UnrecognizedExtension]:
    """One of Fulcio's extensions by the last number of its identifier."""
    oid = x509.ObjectIdentifier(f"{_ARC}.{number}")
    return x509.Extension(oid, critical, x509.UnrecognizedExtension(oid, value))


def usage(*names: str) -> x509.KeyUsage:
    """Key usage with these bits."""
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


_SIGNING: Final = usage("digital_signature")


def ca_chain(
    *,
    root_window: tuple[datetime, datetime] = _AGES,
    window: tuple[datetime, datetime] = _AGES,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] | None = None,
    intermediate: bool = True,
    renewed: tuple[Certified, ...] = (),
) -> tuple[Certified, ...]:
    """The issuing authority and its root; ``extensions`` replace those of the issuing one.

    ``renewed``: the chain whose keys get new certificates.
    """
    usual: list[tuple[x509.ExtensionType, bool]] = [(usage("key_cert_sign", "crl_sign"), True)]
    root = ca_certificate(
        "acme root",
        None,
        root_window,
        [(x509.BasicConstraints(ca=True, path_length=1), True), *usual],
        renewed[-1].key if renewed else None,
    )
    if not intermediate:
        return (root,)
    usual += [(x509.BasicConstraints(ca=True, path_length=0), True), (CODE_SIGNING, False)]
    own = usual if extensions is None else extensions
    return (ca_certificate("acme issuing", root, window, own, renewed[0].key if renewed else None), root)


def ca_certificate(
    name: str,
    issuer: Certified | None,
    window: tuple[datetime, datetime],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    key: PrivateKey | None = None,
) -> Certified:
    """A certificate of an authority; self-signed without an issuer. With ``key`` one that it had before is renewed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(window[0])
        .not_valid_after(window[1])
    )
    signing = key if issuer is None else issuer.key
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    for each, critical in (*extensions, (own, False), (above, False)):
        builder = builder.add_extension(each, critical=critical)
    return Certified(builder.sign(signing, hashes.SHA256()), key)


@dataclass(frozen=True)
class Fulcio:
    """An authority with the CT log that it shows its certificates to."""

    chain: tuple[Certified, ...] = field(default_factory=ca_chain)
    log: CtLog = field(default_factory=CtLog)

    def issue(
        self,
        key: PrivateKey,
        *,
        names: Sequence[x509.GeneralName] = (x509.RFC822Name(EMAIL),),
        issuer_v1: str | bytes | None = ISSUER,
        issuer_v2: str | bytes | None = ISSUER,
        more: Sequence[x509.Extension[Any]] = (),
        key_usage: x509.KeyUsage | None = _SIGNING,
        purposes: x509.ExtendedKeyUsage | None = CODE_SIGNING,
        authority: bool | None = None,
        when: datetime = WHEN,
        lasting: timedelta = timedelta(minutes=10),
        timestamps: Callable[[x509.Certificate, x509.Certificate], Sequence[bytes]] | None = None,
        signer: Certified | None = None,
    ) -> Certified:
        """A signing certificate; what is None is left out. ``timestamps`` makes others than the log's one."""
        issuing = signer or self.chain[0]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuing.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(when)
            .not_valid_after(when + lasting)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.key.public_key()), critical=False)
        )
        if key_usage is not None:
            builder = builder.add_extension(key_usage, critical=True)
        if purposes is not None:
            builder = builder.add_extension(purposes, critical=False)
        if authority is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        own = []
        if issuer_v1 is not None:
            own.append(extension(1, issuer_v1.encode() if isinstance(issuer_v1, str) else issuer_v1))
        if issuer_v2 is not None:
            own.append(extension(8, utf8(issuer_v2) if isinstance(issuer_v2, str) else issuer_v2))
        for each in (*own, *more):
            builder = builder.add_extension(each.value, critical=each.critical)
        return Certified(self._logged(builder, issuing, when, timestamps), key)

    def _logged(
        self,
        builder: x509.CertificateBuilder,
        issuing: Certified,
        when: datetime,
        timestamps: Callable[[x509.Certificate, x509.Certificate], Sequence[bytes]] | None,
    ) -> x509.Certificate:
        algorithm = None if isinstance(issuing.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        before = builder.sign(issuing.key, algorithm)
        if timestamps is None:
            found: Sequence[bytes] = (self.log.timestamp(before, issuing.certificate, when),)
        else:
            found = timestamps(before, issuing.certificate)
        if found:
            listed = der.octets(timestamp_list(*found))
            builder = builder.add_extension(x509.UnrecognizedExtension(_SCT_LIST, listed), critical=False)
        return builder.sign(issuing.key, algorithm)
