"""The time-stamp token: what is inside, and whether its parts fit together. Pure.

Knows RFC 3161 section 2.4.2, the CMS SignedData around it (RFC 5652 section 5) and the certificate identifiers of
RFC 5035; knows nothing of who is trusted. rfc3161-client checks signature and chain; what it does not look at
(hash algorithms, number and kind of signed attributes, certificate identifier, accuracy, critical extensions) is here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from imgtrust.trust.der import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    DerError,
    Reader,
    Value,
    context,
    oid,
    read_one,
)

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Imprint", "SignerInfo", "Token", "TokenFault", "certificate_name", "parse_response"]


class TokenFault(ValueError):
    """A token that can be read and breaks a rule; ``str()`` says which."""


_SIGNED_DATA: Final = oid(1, 2, 840, 113549, 1, 7, 2)
_TST_INFO: Final = oid(1, 2, 840, 113549, 1, 9, 16, 1, 4)
_CONTENT_TYPE: Final = oid(1, 2, 840, 113549, 1, 9, 3)
_MESSAGE_DIGEST: Final = oid(1, 2, 840, 113549, 1, 9, 4)
_SIGNING_CERTIFICATE: Final = oid(1, 2, 840, 113549, 1, 9, 16, 2, 12)
_SIGNING_CERTIFICATE_V2: Final = oid(1, 2, 840, 113549, 1, 9, 16, 2, 47)
_BASELINE_POLICY: Final = oid(0, 4, 0, 2023, 1, 1)
_HASHES: Final = {
    oid(2, 16, 840, 1, 101, 3, 4, 2, 1): "sha256",
    oid(2, 16, 840, 1, 101, 3, 4, 2, 2): "sha384",
    oid(2, 16, 840, 1, 101, 3, 4, 2, 3): "sha512",
}

_GRANTED: Final = 0
_MAX_CERTIFICATES: Final = 16
_MAX_ATTRIBUTES: Final = 16
_MAX_EXTENSIONS: Final = 16
_MAX_SECONDS: Final = 24 * 60 * 60
"""An accuracy of more than a day is no time."""
_BASELINE_ACCURACY: Final = timedelta(seconds=1)
"""What ETSI EN 319 421 demands of its baseline policy (policy.md 3.2)."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """The digest of what was stamped."""

    algorithm: str
    digest: bytes

    def is_of(self, data: bytes) -> bool:
        """Whether this is the digest of the data."""
        return hashlib.new(self.algorithm, data).digest() == self.digest


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """Who signed, by issuer and serial (``name``), and the bytes that were signed (the attributes as a SET)."""

    name: bytes
    algorithm: str
    attributes: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    certificate_hash: tuple[str, bytes]

    def is_certificate(self, certificate: bytes) -> bool:
        """Whether a DER certificate is the one that the signed attributes name (RFC 5035 section 4)."""
        algorithm, digest = self.certificate_hash
        return hashlib.new(algorithm, certificate).digest() == digest


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose parts fit together; its signature is not verified."""

    time: datetime
    accuracy: timedelta
    imprint: Imprint
    nonce: int | None
    signer: SignerInfo
    certificates: tuple[bytes, ...] = field(repr=False)

    @property
    def leaf(self) -> bytes | None:
        """The signer's certificate where the token carries it."""
        return next((each for each in self.certificates if self.is_named(each)), None)

    def is_named(self, certificate: bytes) -> bool:
        """Whether issuer and serial number of a DER certificate are those of the signer."""
        try:
            return certificate_name(certificate) == self.signer.name
        except DerError:
            return False


def parse_response(response: bytes) -> Token:
    """Read a DER TimeStampResp.

    Raises:
        DerError: not DER of that shape.
        TokenFault: a rule is broken, or the authority does not grant a token.
    """
    members = read_one(response)
    status = members.next(SEQUENCE).reader(SEQUENCE).next().integer()
    if status != _GRANTED:
        message = f"the authority did not grant a token (status {status})"
        raise TokenFault(message)
    content_info = members.next(SEQUENCE).reader(SEQUENCE)
    members.end()
    _expect_oid(content_info.next(OID), _SIGNED_DATA, "SignedData")
    explicit = content_info.next(context(0)).reader(context(0))
    content_info.end()
    signed_data = explicit.next(SEQUENCE).reader(SEQUENCE)
    explicit.end()
    return _parse_signed_data(signed_data)


def certificate_name(certificate: bytes) -> bytes:
    """Issuer and serial number of a DER certificate, as a signer identifier has them (RFC 5652 section 10.2.4).

    Raises:
        DerError: not a certificate, or its serial number is not positive (RFC 5280 section 4.1.2.2).
    """
    body = read_one(certificate).next(SEQUENCE).reader(SEQUENCE)
    body.optional(context(0))
    serial = body.next(INTEGER)
    if serial.integer() <= 0:
        message = "a certificate whose serial number is not positive"
        raise DerError(message)
    body.next(SEQUENCE)
    issuer = body.next(SEQUENCE)
    return issuer.raw + serial.raw


def _parse_signed_data(signed_data: Reader) -> Token:
    signed_data.next().integer()
    signed_data.next(SET)
    encapsulated = signed_data.next(SEQUENCE).reader(SEQUENCE)
    _expect_oid(encapsulated.next(OID), _TST_INFO, "TSTInfo")
    explicit = encapsulated.next(context(0)).reader(context(0))
    content = explicit.next(OCTET_STRING).content
    explicit.end()
    encapsulated.end()
    certificates = signed_data.optional(context(0))
    signed_data.optional(context(1))
    signers = signed_data.next(SET).reader(SET).rest(_MAX_CERTIFICATES)
    signed_data.end()
    if len(signers) != 1:
        message = f"{len(signers)} signers, expected exactly one"
        raise TokenFault(message)
    signer = _parse_signer(signers[0].reader(SEQUENCE), content)
    time, accuracy, imprint, nonce = _parse_info(read_one(content))
    inside = () if certificates is None else certificates.reader(context(0)).rest(_MAX_CERTIFICATES)
    token = Token(time, accuracy, imprint, nonce, signer, tuple(each.raw for each in inside))
    names = [certificate_name(each) for each in token.certificates]
    if names and signer.name not in names:
        message = "it carries certificates, but not the signer's"
        raise TokenFault(message)
    return token


def _parse_signer(members: Reader, content: bytes) -> SignerInfo:
    """One SignerInfo: its attributes are each there once, and speak of this content (RFC 5652 section 5.3, 11)."""
    members.next().integer()
    identifier = members.next(SEQUENCE).reader(SEQUENCE)
    name = identifier.next(SEQUENCE).raw + identifier.next(INTEGER).raw
    identifier.end()
    algorithm = _hash_name(members.next(SEQUENCE), "the digest algorithm")
    attributes = members.next(context(0))
    members.next(SEQUENCE)
    signature = members.next(OCTET_STRING).content
    members.optional(context(1))
    members.end()
    values = _parse_attributes(attributes.reader(context(0)))
    kind, digest = values.get(_CONTENT_TYPE), values.get(_MESSAGE_DIGEST)
    if kind is None or kind.expect(OID).content != _TST_INFO:
        message = "the signed attributes do not say that a TSTInfo was signed"
        raise TokenFault(message)
    if digest is None or digest.expect(OCTET_STRING).content != hashlib.new(algorithm, content).digest():
        message = "the signed digest is not that of the content"
        raise TokenFault(message)
    as_set = bytes([SET]) + attributes.raw[1:]
    return SignerInfo(name, algorithm, as_set, signature, _certificate_hash(values))


def _parse_attributes(attributes: Reader) -> dict[bytes, Value]:
    """Attributes by their type; each type once, with one value."""
    found: dict[bytes, Value] = {}
    for attribute in attributes.rest(_MAX_ATTRIBUTES):
        members = attribute.reader(SEQUENCE)
        kind = members.next(OID).content
        values = members.next(SET).reader(SET).rest(_MAX_ATTRIBUTES)
        members.end()
        if kind in found or len(values) != 1:
            message = "a signed attribute is there twice, or has not exactly one value"
            raise TokenFault(message)
        found[kind] = values[0]
    return found


def _certificate_hash(values: dict[bytes, Value]) -> tuple[str, bytes]:
    """The identifier of the signer's certificate, version 2 or 1 (RFC 5035 sections 3 and 4, RFC 5816)."""
    newer, older = values.get(_SIGNING_CERTIFICATE_V2), values.get(_SIGNING_CERTIFICATE)
    attribute = older if newer is None else newer
    if attribute is None:
        message = "the signed attributes do not name the certificate of the signer"
        raise TokenFault(message)
    first = attribute.reader(SEQUENCE).next(SEQUENCE).reader(SEQUENCE).next(SEQUENCE).reader(SEQUENCE)
    algorithm = "sha1" if newer is None else "sha256"
    stated = None if newer is None else first.optional(SEQUENCE)
    if stated is not None:
        algorithm = _hash_name(stated, "the certificate's hash algorithm")
    return algorithm, first.next(OCTET_STRING).content


def _parse_info(members: Reader) -> tuple[datetime, timedelta, Imprint, int | None]:
    """The TSTInfo itself."""
    version = members.next().integer()
    if version != 1:
        message = f"version {version}, expected 1"
        raise TokenFault(message)
    policy = members.next(OID).content
    stamped = members.next(SEQUENCE).reader(SEQUENCE)
    imprint = Imprint(_hash_name(stamped.next(SEQUENCE), "the hash of the imprint"), stamped.next(OCTET_STRING).content)
    stamped.end()
    members.next(INTEGER)
    time = members.next().time()
    accuracy = _parse_accuracy(members.optional(SEQUENCE), policy)
    members.optional(BOOLEAN)
    nonce = members.optional(INTEGER)
    members.optional(context(0))
    extensions = members.optional(context(1))
    members.end()
    if extensions is not None:
        _refuse_critical(extensions.reader(context(1)))
    return time, accuracy, imprint, None if nonce is None else nonce.integer()


def _parse_accuracy(value: Value | None, policy: bytes) -> timedelta:
    """The interval around the time; without one it is what the policy demands, else nothing."""
    if value is None:
        return _BASELINE_ACCURACY if policy == _BASELINE_POLICY else timedelta()
    members = value.reader(SEQUENCE)
    seconds = members.optional(INTEGER)
    parts = [
        (members.optional(context(number, constructed=False)), context(number, constructed=False)) for number in (0, 1)
    ]
    members.end()
    millis, micros = (0 if part is None else part.integer(tag) for part, tag in parts)
    whole = 0 if seconds is None else seconds.integer()
    if not (0 <= whole <= _MAX_SECONDS and 0 <= millis < 1000 and 0 <= micros < 1000):  # noqa: PLR2004 - RFC 3161
        message = "an accuracy that is negative or out of range"
        raise TokenFault(message)
    return timedelta(seconds=whole, milliseconds=millis, microseconds=micros)


def _refuse_critical(extensions: Reader) -> None:
    """No extension is known here, so a critical one refuses the token (RFC 3161 section 2.4.2)."""
    for extension in extensions.rest(_MAX_EXTENSIONS):
        members = extension.reader(SEQUENCE)
        members.next(OID)
        if members.optional(BOOLEAN) is not None:
            message = "a critical extension that is not known"
            raise TokenFault(message)


def _hash_name(identifier: Value, what: str) -> str:
    """The hash that an AlgorithmIdentifier names; weak and unknown ones are refused."""
    name = _HASHES.get(identifier.reader(SEQUENCE).next(OID).content)
    if name is None:
        message = f"{what} is not SHA-256, SHA-384 or SHA-512"
        raise TokenFault(message)
    return name


def _expect_oid(value: Value, expected: bytes, what: str) -> None:
    if value.content != expected:
        message = f"not a {what}"
        raise DerError(message)
