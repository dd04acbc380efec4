"""The port of whoever holds a private key, and of whoever says what time it is. Pure.

Knows what may be asked; knows nothing of files, devices or services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imgtrust.trust.keys import PublicKey

__all__ = ["Signer", "Timestamper"]


class Signer(Protocol):
    """Holds a private key. May be called from several threads at once."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over a whole message, in the form that cosign verifies for this kind of key.

        Raises:
            Undecided: the holder of the key cannot be reached.
        """
        ...


class Timestamper(Protocol):
    """A time-stamp authority."""

    @property
    def name(self) -> str:
        """Who it is, for people."""
        ...

    def stamp(self, message: bytes) -> bytes:
        """A DER TimeStampResp over sha256 of the message, checked before it is returned.

        Raises:
            TimestampError: no answer, or not a good token.
        """
        ...
