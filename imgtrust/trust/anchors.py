"""What is trusted beside keys and time-stamp authorities: Sigstore instances, identities, Notary stores. Pure.

Knows the shapes only: ``trust.roots`` and the loaders fill them, ``trust.keyless`` and ``trust.notary`` judge by them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from datetime import datetime

    from imgtrust.trust.keys import PublicKey
    from imgtrust.trust.times import TimestampAuthority

__all__ = ["CertificateAuthority", "LogKey", "SigstoreRoot", "TrustedIdentity", "TrustedNotary"]


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of a transparency log or CT log, by its log id, and when it may speak (ends inclusive).

    ``origin`` is the name before the key in checkpoints of that log; ``checkpoint_id`` the key id where the root says
    another than the first four bytes of ``log_id``.
    """

    log_id: bytes
    key: PublicKey
    origin: str
    not_before: datetime
    not_after: datetime | None = None
    checkpoint_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A Fulcio chain as DER, issuing authority first, root last, and when it may issue (ends inclusive)."""

    name: str
    chain: tuple[bytes, ...] = field(repr=False)
    not_before: datetime
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class SigstoreRoot:
    """One Sigstore instance by the name that the policy gives it; ``raw`` is the trusted root it was read from."""

    name: str
    logs: tuple[LogKey, ...]
    ct_logs: tuple[LogKey, ...]
    certificate_authorities: tuple[CertificateAuthority, ...]
    authorities: tuple[TimestampAuthority, ...]
    raw: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class TrustedIdentity:
    """A keyless signer: who, according to which instance. A pattern is compiled and matches the whole text."""

    name: str
    root: SigstoreRoot
    issuer: str | re.Pattern[str]
    identity: str | re.Pattern[str]
    extensions: tuple[tuple[str, str], ...] = ()
    log: bool = True


@dataclass(frozen=True, slots=True)
class TrustedNotary:
    """A Notary signer: roots of one type of store, and the identities that count.

    ``kind``: ``ca`` (scheme ``notary.x509``), ``signing-authority`` or ``aws-signer`` (both of the other scheme).
    ``subjects``: for each identity the distinguished name as pairs of attribute and value; ``profiles``: ARNs.
    ``revocation``: ``enforce``, ``log`` or ``skip``.
    """

    name: str
    kind: str
    roots: tuple[bytes, ...] = field(repr=False)
    subjects: tuple[tuple[tuple[str, str], ...], ...] = ()
    profiles: tuple[str, ...] = ()
    revocation: str = "enforce"
