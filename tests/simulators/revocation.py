"""OCSP responses and revocation lists, right or wrong in any one way, and a server that gives them out.

The server can be dead, slow, or give somebody else's answer: see ``tests.simulators.loopback.Fault``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from imgtrust.signers import der
from tests.simulators.loopback import Loopback, Reply, Request
from tests.simulators.pki import issue, remade, says_sha1, usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulators.pki import Certified, Shape

__all__ = [
    "NOW",
    "Listed",
    "Said",
    "Server",
    "Trickle",
    "about_two",
    "as_sha1_answer",
    "listed",
    "responder",
    "said",
    "without_next_update",
]

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
"""When answers are got that do not say otherwise."""
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Said:
    """What a responder says of one certificate; ``by`` signs (the issuer where None), ``sent`` are certificates."""

    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None
    invalid_since: datetime | None = None
    unknown: bool = False
    this_update: datetime = NOW - _HOUR
    next_update: datetime | None = NOW + _HOUR
    by: Certified | None = None
    sent: tuple[Certified, ...] = ()
    named: Any = field(default_factory=hashes.SHA1)
    hash: Any = field(default_factory=hashes.SHA256)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()


def said(certified: Certified, issuer: Certified, answer: Said | None = None, **changes: Any) -> bytes:
    """The DER response about a certificate."""
    what = replace(answer or Said(), **changes)
    status = ocsp.OCSPCertStatus.GOOD
    if what.unknown:
        status = ocsp.OCSPCertStatus.UNKNOWN
    elif what.revoked_at is not None:
        status = ocsp.OCSPCertStatus.REVOKED
    by = what.by or issuer
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certified.certificate,
        issuer=issuer.certificate,
        algorithm=what.named,
        cert_status=status,
        this_update=what.this_update,
        next_update=what.next_update,
        revocation_time=what.revoked_at,
        revocation_reason=what.reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    if what.sent:
        builder = builder.certificates([each.certificate for each in what.sent])
    for extension, critical in what.extensions:
        builder = builder.add_extension(extension, critical=critical)
    algorithm = None if isinstance(by.key, ed25519.Ed25519PrivateKey) else what.hash
    return builder.sign(by.key, algorithm).public_bytes(Encoding.DER)


def responder(issuer: Certified, shape: Shape, **changes: Any) -> Certified:
    """A certificate that an issuer gave to a responder."""
    key = changes.pop("key", None)
    right = {
        "purposes": (ExtendedKeyUsageOID.OCSP_SIGNING,),
        "usage": usage("digital_signature"),
        "extensions": ((x509.OCSPNoCheck(), False),),
        **changes,
    }
    return issue(replace(shape, **right), issuer, key)


@dataclass(frozen=True)
class Listed:
    """What a list says: revoked certificates with reason and date of invalidity; ``base`` makes it a delta."""

    revoked: tuple[tuple[Certified, x509.ReasonFlags | None, datetime | None], ...] = ()
    last_update: datetime = NOW - _HOUR
    next_update: datetime = NOW + _HOUR
    number: int | None = 7
    base: int | None = None
    by: Certified | None = None
    name: x509.Name | None = None
    hash: Any = field(default_factory=hashes.SHA256)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    entry_extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()


def listed(issuer: Certified, *revoked: Certified, **changes: Any) -> bytes:
    """The DER list of an issuer."""
    what = replace(Listed(tuple((each, None, None) for each in revoked)), **changes)
    by = what.by or issuer
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(what.name or issuer.certificate.subject)
        .last_update(what.last_update)
        .next_update(what.next_update)
    )
    if what.number is not None:
        builder = builder.add_extension(x509.CRLNumber(what.number), critical=False)
    if what.base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(what.base), critical=True)
    for extension, critical in what.extensions:
        builder = builder.add_extension(extension, critical=critical)
    for certified, reason, since in what.revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(certified.certificate.serial_number)
            .revocation_date(NOW - _HOUR)
        )
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        if since is not None:
            entry = entry.add_extension(x509.InvalidityDate(since.replace(tzinfo=None)), critical=False)
        for extension, critical in what.entry_extensions:
            entry = entry.add_extension(extension, critical=critical)
        builder = builder.add_revoked_certificate(entry.build())
    algorithm = None if isinstance(by.key, ed25519.Ed25519PrivateKey) else what.hash
    return builder.sign(by.key, algorithm).public_bytes(Encoding.DER)


def without_next_update(data: bytes, issuer: Certified) -> bytes:
    """A list of an issuer with a P-256 key that does not say when the next is due, signed again."""
    return remade(data, issuer, lambda members: [*members[:4], *members[5:]])


def as_sha1_answer(data: bytes, signer: Certified) -> bytes:
    """A response that RSA and SHA-256 signed, signed again with SHA-1."""
    assert isinstance(signer.key, rsa.RSAPrivateKey)
    ((_, response),) = der.read(data)
    (status, code), (_, explicit) = der.read(response)
    ((_, typed),) = der.read(explicit)
    kind, (_, inside) = der.read(typed)
    ((_, basic),) = der.read(says_sha1(inside))
    about, algorithm, _, *sent = (der.tagged(tag, content) for tag, content in der.read(basic))
    signature = signer.key.sign(about, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - made to see it refused
    made = der.sequence(about, algorithm, der.tagged(0x03, b"\x00" + signature), *sent)
    inner = der.sequence(der.tagged(*kind), der.octets(made))
    return der.sequence(der.tagged(status, code), der.context(0, inner))


def about_two(data: bytes, signer: Certified, number: int = 2) -> bytes:
    """A response in which its one answer is there ``number`` times, signed again with a P-256 key."""
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    ((_, response),) = der.read(data)
    (status, code), (_, explicit) = der.read(response)
    ((_, typed),) = der.read(explicit)
    kind, (_, inside) = der.read(typed)
    ((_, basic),) = der.read(inside)
    (_, about), algorithm, *_ = der.read(basic)
    *before, (_, answers) = der.read(about)
    members = der.sequence(*(der.tagged(*each) for each in before), der.sequence(answers * number))
    signature = signer.key.sign(members, ec.ECDSA(hashes.SHA256()))
    made = der.sequence(members, der.tagged(*algorithm), der.tagged(0x03, b"\x00" + signature))
    inner = der.sequence(der.tagged(*kind), der.octets(made))
    return der.sequence(der.tagged(status, code), der.context(0, inner))


class Server:
    """Gives out lists (GET) and responses (POST) by their path; ``loopback`` can be told to fail."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Callable[[bytes], bytes]] = {}
        self.loopback = Loopback(self._answer)

    def url(self, path: str) -> str:
        """The address of something that is given out."""
        return f"{self.loopback.base}{path}"

    def __enter__(self) -> Self:
        self.loopback.__enter__()
        return self

    def __exit__(self, *what: object) -> None:
        self.loopback.__exit__(*what)

    def _answer(self, request: Request) -> Reply:
        found = self.answers.get(request.path)
        if found is None:
            return Reply(404)
        return Reply(200, (), found if isinstance(found, bytes) else found(request.body))


class Trickle:
    """Accepts every connection and sends a header that never ends, letter by letter, until the end of ``with``."""

    def __init__(self, every: float = 0.02) -> None:
        self._every = every
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(every)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """The address of something that is never given out."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        held: list[socket.socket] = []
        while not self._over.wait(self._every):
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                held.append(connection)
            for each in held:
                with contextlib.suppress(OSError):
                    each.sendall(b"a")
        for each in held:
            each.close()
