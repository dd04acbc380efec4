"""Signing without a key of one's own: a key that lives for minutes, and a certificate that says whose it was.

Knows when a new key and certificate are needed; knows nothing of images. The private key is never written anywhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from imgtrust.errors import ServiceError
from imgtrust.signers.fulcio import FulcioClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509

    from imgtrust.signers.oidc import IdentityToken
    from imgtrust.signers.port import Signer
    from imgtrust.signers.wire import WireOptions
    from imgtrust.trust.identities import Named

__all__ = ["Credential", "KeylessSigner"]

_SPARE: Final = timedelta(minutes=2)
"""How long a certificate must still be good to be used again: log and time-stamp come after the signature."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with its certificate (DER), and whom that names; unverified until what it signed is judged."""

    signer: Signer
    certificate: bytes = field(repr=False)
    named: Named
    expires: datetime


class KeylessSigner:
    """Gives the credential to sign with now; safe to use from several threads.

    ``token`` finds an identity token that is good at a time: it is asked once per certificate, that is once in about
    eight minutes. ``now`` gives aware UTC.
    """

    def __init__(
        self, url: str, token: Callable[[datetime], IdentityToken], now: Callable[[], datetime], options: WireOptions
    ) -> None:
        """Nothing is asked yet.

        Raises:
            UsageError: the URL of Fulcio is not one that is used.
        """
        self._fulcio = FulcioClient(url, options)
        self._token = token
        self._now = now
        self._lock = threading.Lock()
        self._current: Credential | None = None

    def credential(self) -> Credential:
        """A fresh key with its certificate, or the last one while that is good for long enough.

        Raises:
            UsageError: there is no identity to sign as.
            ServiceError: no certificate, or one that does not say what the token says.
        """
        with self._lock:
            now = self._now()
            if self._current is None or self._current.expires - now < _SPARE:
                self._current = self._new(now)
            return self._current

    def close(self) -> None:
        """Give back the connections."""
        self._fulcio.close()

    def _new(self, now: datetime) -> Credential:
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - only where something is signed
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

        from imgtrust.signers.local import LocalSigner  # noqa: PLC0415 - as above

        token = self._token(now)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._fulcio.certify(token.text, key)
        named = _named(certificate)
        if named.issuer != token.issuer:
            message = f"its issuer is {named.issuer[:120]!r}, and the token is of {token.issuer[:120]!r}"
            raise _lie(message)
        if token.email is not None and "@" in named.name and named.name != token.email:
            message = f"it is for {named.name[:120]!r}, and the token is of {token.email[:120]!r}"
            raise _lie(message)
        return Credential(
            LocalSigner(key), certificate.public_bytes(Encoding.DER), named, certificate.not_valid_after_utc
        )


def _named(certificate: x509.Certificate) -> Named:
    from imgtrust.trust.identities import read_named  # noqa: PLC0415 - as above

    try:
        return read_named(certificate)
    except Exception as exc:  # what cryptography raises is decided by the bytes
        message = f"it names nobody who can be read: {str(exc)[:200]}"
        raise _lie(message) from exc


def _lie(reason: str) -> ServiceError:
    return ServiceError(f"the certificate that Fulcio gave cannot be used: {reason}; nothing was signed")
