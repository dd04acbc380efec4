"""What is trusted: the keys and authorities under which evidence is judged, and how they are read. Pure.

Knows Sigstore's trusted root (protobuf-specs ``sigstore_trustroot.proto``, cosign.md 1f) and PEM chains of time-stamp
authorities; knows nothing of where such files lie.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import InputFileError, KeyUnusable
from imgtrust.formats.members import decode_base64
from imgtrust.trust.times import TimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

    from imgtrust.trust.keys import TrustedKey

__all__ = [
    "MAX_ANCHORS",
    "MAX_ROOT_BYTES",
    "Anchor",
    "TrustRoot",
    "describe_root",
    "parse_trusted_root",
    "parse_tsa_chain",
]

MAX_ROOT_BYTES: Final = 4 * 1024 * 1024
"""The largest trusted root or chain file that is read; the public-good one has 7,000 bytes."""
MAX_ANCHORS: Final = 256
"""The most anchors of one kind, and the most certificates of one chain file."""

_MEDIA_TYPES: Final = frozenset(
    {
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    }
)
_PEM: Final = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """All anchors of one judgement."""

    keys: tuple[TrustedKey, ...] = ()
    authorities: tuple[TimestampAuthority, ...] = ()

    def __post_init__(self) -> None:
        """Bound what each signature is tried with.

        Raises:
            KeyUnusable: more keys or authorities than ``MAX_ANCHORS``.
        """
        if len(self.keys) > MAX_ANCHORS or len(self.authorities) > MAX_ANCHORS:
            message = f"more than {MAX_ANCHORS} keys or time-stamp authorities are trusted; split the policy"
            raise KeyUnusable(message)


@dataclass(frozen=True, slots=True)
class Anchor:
    """One row of ``trust show``.

    ``kind``: ``log``, ``ct-log``, ``certificate-authority`` or ``timestamp-authority``. ``fingerprint``: SHA-256 of
    the key (DER SubjectPublicKeyInfo) or of the root certificate, 64 hex digits. The window's ends are inclusive.
    """

    kind: str
    name: str
    fingerprint: str
    not_before: datetime | None
    not_after: datetime | None


def parse_trusted_root(data: bytes, name: str) -> tuple[TimestampAuthority, ...]:
    """The time-stamp authorities of a Sigstore trusted root; ``name`` names the file in messages.

    Raises:
        InputFileError: not a trusted root that can be read whole.
    """
    members = _trusted_root(data, name)
    authorities: list[TimestampAuthority] = []
    for number, entry in enumerate(_objects(members, "timestampAuthorities", name)):
        what = f"timestampAuthorities[{number}] of {name}"
        chain = _chain(entry, what)
        leaf, intermediates, root = chain[0], chain[1:-1], chain[-1]
        window = _window(entry, what)
        authorities.append(TimestampAuthority(_common_name(leaf) or what, (root,), intermediates, leaf, *window))
    return tuple(authorities)


def parse_tsa_chain(data: bytes, name: str) -> TimestampAuthority:
    """A time-stamp authority from PEM (or one DER) certificates: roots, intermediates and at most one leaf.

    A certificate that may not sign others is the leaf; one that is signed by itself is a root.

    Raises:
        InputFileError: no certificate, no root among them, or several leaves.
    """
    _check_size(data, name)
    roots: list[bytes] = []
    intermediates: list[bytes] = []
    leaves: list[bytes] = []
    for certificate in _load_chain(data, name):
        der = _der(certificate)
        own = certificate.issuer == certificate.subject
        if own:
            roots.append(der)
        if not _may_sign_others(certificate):
            leaves.append(der)
        elif not own:
            intermediates.append(der)
    if not roots:
        message = f"{name}: no root among the certificates; add the one that is signed by itself"
        raise InputFileError(message)
    if len(leaves) > 1:
        message = f"{name}: {len(leaves)} time-stamping certificates, expected at most one; give one file for each"
        raise InputFileError(message)
    shown = leaves or (roots if len(roots) == 1 else [])
    title = _common_name(shown[0]) if shown else ""
    return TimestampAuthority(title or name, tuple(roots), tuple(intermediates), leaves[0] if leaves else None)


def describe_root(data: bytes, name: str) -> tuple[Anchor, ...]:
    """Every anchor of a Sigstore trusted root, for people; the order is that of the file.

    Raises:
        InputFileError: not a trusted root that can be read whole.
    """
    members = _trusted_root(data, name)
    anchors: list[Anchor] = []
    for kind, member in (("log", "tlogs"), ("ct-log", "ctlogs")):
        for number, entry in enumerate(_objects(members, member, name)):
            what = f"{member}[{number}] of {name}"
            key = _object(entry.get("publicKey"), f"publicKey of {what}")
            fingerprint = hashlib.sha256(_data(key, "rawBytes", what)).hexdigest()
            anchors.append(Anchor(kind, _text(entry, "baseUrl", what) or what, fingerprint, *_window(key, what)))
    for kind, member in (
        ("certificate-authority", "certificateAuthorities"),
        ("timestamp-authority", "timestampAuthorities"),
    ):
        for number, entry in enumerate(_objects(members, member, name)):
            what = f"{member}[{number}] of {name}"
            chain = _chain(entry, what)
            fingerprint = hashlib.sha256(chain[-1]).hexdigest()
            anchors.append(Anchor(kind, _common_name(chain[0]) or what, fingerprint, *_window(entry, what)))
    return tuple(anchors)


def _check_size(data: bytes, name: str) -> None:
    if len(data) > MAX_ROOT_BYTES:
        message = f"{name}: {len(data)} bytes, expected at most {MAX_ROOT_BYTES}"
        raise InputFileError(message)


def _trusted_root(data: bytes, name: str) -> Mapping[str, object]:
    _check_size(data, name)
    try:
        members = _object(strict_json.loads(data), name)
    except strict_json.StrictJsonError as exc:
        message = f"{name}: {exc}; expected a Sigstore trusted root"
        raise InputFileError(message) from exc
    media_type = _text(members, "mediaType", name)
    if media_type not in _MEDIA_TYPES:
        message = f"{name}: mediaType is {media_type[:80]!r}, expected that of a Sigstore trusted root"
        raise InputFileError(message)
    return members


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        message = f"{what}: expected a JSON object, found {type(value).__name__}"
        raise InputFileError(message)
    return value


def _objects(members: Mapping[str, object], name: str, what: str) -> tuple[Mapping[str, object], ...]:
    value = members.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_ANCHORS:
        message = f"{what}: {name} is not a list of at most {MAX_ANCHORS} entries"
        raise InputFileError(message)
    return tuple(_object(item, f"{name}[{number}] of {what}") for number, item in enumerate(value))


def _text(members: Mapping[str, object], name: str, what: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        message = f"{what}: {name} is not a string"
        raise InputFileError(message)
    return value


def _data(members: Mapping[str, object], name: str, what: str) -> bytes:
    data = decode_base64(_text(members, name, what))
    if data is None:
        message = f"{what}: {name} is not base64"
        raise InputFileError(message)
    return data


def _window(members: Mapping[str, object], what: str) -> tuple[datetime | None, datetime | None]:
    """``validFor``: both ends inclusive, an absent one is open (cosign.md 1f)."""
    period = members.get("validFor")
    if period is None:
        return None, None
    found = _object(period, f"validFor of {what}")
    return _moment(found, "start", what), _moment(found, "end", what)


def _moment(members: Mapping[str, object], name: str, what: str) -> datetime | None:
    text = _text(members, name, what)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        message = f"{what}: {name} {text[:40]!r} is no time"
        raise InputFileError(message) from exc
    message = f"{what}: {name} {text[:40]!r} has no time zone"
    raise InputFileError(message)


def _chain(entry: Mapping[str, object], what: str) -> tuple[bytes, ...]:
    """``certChain``: the leaf first, the root last."""
    chain = _object(entry.get("certChain"), f"certChain of {what}")
    found = tuple(_data(each, "rawBytes", what) for each in _objects(chain, "certificates", what))
    if not found:
        message = f"{what}: no certificates"
        raise InputFileError(message)
    for der in found:
        _load_chain(der, what)
    return found


def _load_chain(data: bytes, what: str) -> Sequence[x509.Certificate]:
    from cryptography import x509  # noqa: PLC0415 - 40 ms that a run with bare keys does not need

    try:
        found = x509.load_pem_x509_certificates(data) if _PEM in data else [x509.load_der_x509_certificate(data)]
    except ValueError as exc:
        message = f"{what}: not a certificate that can be read; expected PEM"
        raise InputFileError(message) from exc
    if len(found) > MAX_ANCHORS:
        message = f"{what}: {len(found)} certificates, expected at most {MAX_ANCHORS}"
        raise InputFileError(message)
    return found


def _may_sign_others(certificate: x509.Certificate) -> bool:
    """Whether this is a certificate authority (RFC 5280 section 4.2.1.9)."""
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    return certificate.public_bytes(Encoding.DER)


def _common_name(der: bytes) -> str:
    from cryptography import x509  # noqa: PLC0415 - as above

    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
