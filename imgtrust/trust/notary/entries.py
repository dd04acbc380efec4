"""What an answer about revocation says of one certificate, and when an answer counts at all. Pure.

Knows the two dates of every answer and the reasons of RFC 5280 section 5.3; knows nothing of OCSP or lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509

from imgtrust.trust.notary.chain import HASHES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Entry", "Unusable", "check_fresh", "check_hash", "read_entry"]

_SKEW: Final = timedelta(minutes=5)
"""How far a responder's clock may be ahead."""


class Unusable(ValueError):
    """An answer that proves nothing; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate is revoked: why, and since when it is not to be believed, where the issuer knows that."""

    reason: x509.ReasonFlags
    invalid_since: datetime | None = None

    @property
    def removed(self) -> bool:
        """Whether this takes back what an older list says (RFC 5280 section 5.3.1, ``removeFromCRL``)."""
        return self.reason is x509.ReasonFlags.remove_from_crl


def read_entry(extensions: Iterable[x509.Extension[x509.ExtensionType]]) -> Entry:
    """The entry that a list or an answer has for a revoked certificate.

    Raises:
        Unusable: an extension of it is critical and not known; that of indirect lists is one.
    """
    reason, since = x509.ReasonFlags.unspecified, None
    for each in extensions:
        match each.value:
            case x509.CRLReason() as value:
                reason = value.reason
            case x509.InvalidityDate() as value:
                since = value.invalidity_date.replace(tzinfo=UTC)
            case _ if each.critical:
                message = f"an entry has a critical extension that is not known: {each.oid.dotted_string[:64]}"
                raise Unusable(message)
            case _:
                pass
    return Entry(reason, since)


def check_fresh(this_update: datetime, next_update: datetime | None, now: datetime) -> None:
    """An answer is of now: not from the future, and not after the next was due.

    Raises:
        Unusable: it is not.
    """
    if this_update > now + _SKEW:
        message = f"it is dated {this_update.isoformat()}, in the future"
        raise Unusable(message)
    if next_update is None:
        message = "it does not say when the next is due"
        raise Unusable(message)
    if next_update < now:
        message = f"it is old: the next was due at {next_update.isoformat()}"
        raise Unusable(message)


def check_hash(name: str | None) -> None:
    """An answer is signed with a hash that is not weak.

    Raises:
        Unusable: it is not.
    """
    if name not in HASHES:
        message = f"it is signed with {name or 'no hash that is known'}, expected SHA-256, SHA-384 or SHA-512"
        raise Unusable(message)
