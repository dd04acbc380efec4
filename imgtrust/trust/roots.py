"""What is trusted: the keys and authorities under which evidence is judged, and how they are read. Pure.

Knows Sigstore's trusted root (protobuf-specs ``sigstore_trustroot.proto``, cosign.md 1f) and PEM chains of time-stamp
authorities; knows nothing of where such files lie.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgtrust.errors import InputFileError, KeyUnusable
from imgtrust.trust import keydetails
from imgtrust.trust.keys import parse_public_key
from imgtrust.trust.rootfile import (
    MAX_ANCHORS,
    MAX_ROOT_BYTES,
    chain_of,
    check_size,
    common_name,
    data_of,
    load_chain,
    object_of,
    objects,
    read_root,
    text_of,
    window_of,
)
from imgtrust.trust.times import TimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cryptography import x509

    from imgtrust.trust.anchors import CertificateAuthority, LogKey, SigstoreRoot, TrustedIdentity, TrustedNotary
    from imgtrust.trust.keys import TrustedKey

__all__ = [
    "MAX_ANCHORS",
    "MAX_ROOT_BYTES",
    "Anchor",
    "TrustRoot",
    "describe_root",
    "parse_sigstore_root",
    "parse_tsa_chain",
]


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """All anchors of one judgement.

    ``logs``: transparency logs whose promise counts as a time of a signature made with a key. Those of the Sigstore
    instances are beside their identities.
    """

    keys: tuple[TrustedKey, ...] = ()
    authorities: tuple[TimestampAuthority, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    notary: tuple[TrustedNotary, ...] = ()
    logs: tuple[LogKey, ...] = ()

    def __post_init__(self) -> None:
        """Bound what each signature is tried with.

        Raises:
            KeyUnusable: more anchors of one kind than ``MAX_ANCHORS``.
        """
        if max(map(len, (self.keys, self.authorities, self.identities, self.notary, self.logs))) > MAX_ANCHORS:
            message = f"more than {MAX_ANCHORS} signers, logs or time-stamp authorities are trusted; split the policy"
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


def parse_sigstore_root(data: bytes, name: str) -> SigstoreRoot:
    """A Sigstore instance from its trusted root; ``name`` is what the policy calls it.

    Every window has a start (sigstore client specification, "TrustedRoot"). A log whose key is of a kind that is not
    known here is left out, so that what it says is not believed.

    Raises:
        InputFileError: not a trusted root that can be read whole.
    """
    from imgtrust.trust.anchors import SigstoreRoot  # noqa: PLC0415 - a run with bare keys has none of these

    members = read_root(data, name)
    return SigstoreRoot(
        name,
        _logs(members, "tlogs", name),
        _logs(members, "ctlogs", name),
        tuple(_issuer(entry, what) for entry, what in _entries(members, "certificateAuthorities", name)),
        tuple(_authority(*each) for each in _entries(members, "timestampAuthorities", name)),
        data,
    )


def parse_tsa_chain(data: bytes, name: str) -> TimestampAuthority:
    """A time-stamp authority from PEM (or one DER) certificates: roots, intermediates and at most one leaf.

    A certificate that may not sign others is the leaf; one that is signed by itself is a root.

    Raises:
        InputFileError: no certificate, no root among them, or several leaves.
    """
    check_size(data, name)
    roots: list[bytes] = []
    intermediates: list[bytes] = []
    leaves: list[bytes] = []
    for certificate in load_chain(data, name):
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
    title = common_name(shown[0]) if shown else ""
    return TimestampAuthority(title or name, tuple(roots), tuple(intermediates), leaves[0] if leaves else None)


def describe_root(data: bytes, name: str) -> tuple[Anchor, ...]:
    """Every anchor of a Sigstore trusted root, for people; the order is that of the file.

    Raises:
        InputFileError: not a trusted root that can be read whole.
    """
    members = read_root(data, name)
    anchors: list[Anchor] = []
    for kind, member in (("log", "tlogs"), ("ct-log", "ctlogs")):
        for entry, what in _entries(members, member, name):
            key = object_of(entry.get("publicKey"), f"publicKey of {what}")
            fingerprint = hashlib.sha256(data_of(key, "rawBytes", what)).hexdigest()
            anchors.append(Anchor(kind, text_of(entry, "baseUrl", what) or what, fingerprint, *window_of(key, what)))
    for kind, member in (
        ("certificate-authority", "certificateAuthorities"),
        ("timestamp-authority", "timestampAuthorities"),
    ):
        for entry, what in _entries(members, member, name):
            chain = chain_of(entry, what)
            fingerprint = hashlib.sha256(chain[-1]).hexdigest()
            anchors.append(Anchor(kind, common_name(chain[0]) or what, fingerprint, *window_of(entry, what)))
    return tuple(anchors)


def _entries(members: Mapping[str, object], member: str, name: str) -> list[tuple[Mapping[str, object], str]]:
    """The entries of one list, each with what it is called in messages."""
    return [(entry, f"{member}[{number}] of {name}") for number, entry in enumerate(objects(members, member, name))]


def _started(members: Mapping[str, object], what: str) -> tuple[datetime, datetime | None]:
    """A window that must have a start."""
    start, end = window_of(members, what)
    if start is None:
        message = f"{what}: validFor has no start; without one an anchor would have been valid for ever"
        raise InputFileError(message)
    return start, end


def _authority(entry: Mapping[str, object], what: str) -> TimestampAuthority:
    """One entry of ``timestampAuthorities``."""
    chain = chain_of(entry, what)
    leaf, intermediates, root = chain[0], chain[1:-1], chain[-1]
    return TimestampAuthority(common_name(leaf) or what, (root,), intermediates, leaf, *_started(entry, what))


def _issuer(entry: Mapping[str, object], what: str) -> CertificateAuthority:
    """One entry of ``certificateAuthorities``."""
    from imgtrust.trust.anchors import CertificateAuthority  # noqa: PLC0415 - as above

    chain = chain_of(entry, what)
    return CertificateAuthority(common_name(chain[0]) or what, chain, *_started(entry, what))


def _logs(members: Mapping[str, object], member: str, name: str) -> tuple[LogKey, ...]:
    """``tlogs`` or ``ctlogs``, without those whose kind of key is not known."""
    from imgtrust.trust.anchors import LogKey  # noqa: PLC0415 - as above

    logs: list[LogKey] = []
    for entry, what in _entries(members, member, name):
        given = object_of(entry.get("publicKey"), f"publicKey of {what}")
        details = text_of(given, "keyDetails", what)
        if not keydetails.is_known(details):
            continue
        try:
            key = parse_public_key(data_of(given, "rawBytes", what), f"publicKey of {what}")
        except KeyUnusable as exc:
            raise InputFileError(str(exc)) from exc
        if not keydetails.fits(details, key.kind):
            message = f"{what}: keyDetails is {details}, and the key is {key.kind}"
            raise InputFileError(message)
        log_id, checkpoint_id = (_key_id(entry, each, what) for each in ("logId", "checkpointKeyId"))
        window = _started(given, what)
        origin = _origin(text_of(entry, "baseUrl", what))
        logs.append(LogKey(log_id or hashlib.sha256(key.der).digest(), key, origin, *window, checkpoint_id or None))
    return tuple(logs)


def _key_id(entry: Mapping[str, object], name: str, what: str) -> bytes:
    """``keyId`` of a ``LogId``; empty where absent."""
    found = entry.get(name)
    return b"" if found is None else data_of(object_of(found, f"{name} of {what}"), "keyId", what)


def _origin(base_url: str) -> str:
    """The name of a log in its checkpoints: its URL without the scheme (C2SP tlog-checkpoint)."""
    return base_url.partition("://")[2].rstrip("/")


def _may_sign_others(certificate: x509.Certificate) -> bool:
    """Whether this is a certificate authority (RFC 5280 section 4.2.1.9)."""
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    return certificate.public_bytes(Encoding.DER)
