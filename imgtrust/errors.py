"""Every deliberate exception of imgtrust, in one tree. Pure.

::

    ImgtrustError
    |-- UsageError                 2   the command, a name, or a file given by the user is wrong
    |   |-- InvalidReference           an image name that cannot be read
    |   |-- InvalidDigest              a digest that cannot be read
    |   |-- InputFileError             a file of the user that cannot be read or is not what it should be
    |   |-- OutputFileError            a file that the user asked for cannot be written
    |   |-- KeyUnusable                a key that cannot be read or is of the wrong kind
    |   |   `-- WrongPassphrase
    |   |-- PolicyError                a policy that cannot be read; knows its line
    |   `-- NoImages                   nothing to judge: an empty set is never "accepted"
    |-- IntegrityError             1   bytes are not what they are said to be; asking again will not help
    |   |-- ContentMismatch            digest or size differ from the descriptor
    |   |-- ContentMalformed           a manifest, index or config breaks its specification
    |   `-- ContentMissing             the store does not have what a manifest names
    |-- Refused                    1   a piece of evidence is not believed; becomes a Refusal in assess()
    |-- Rejected                   1   the verdict is no; carries it
    |-- PromotionRefused           1   promotion is not allowed, for a reason that is not a verdict
    `-- Undecided                  3   could not tell, or not finished: retry
        |-- StoreError                 a registry or layout did not do what was asked
        |   |-- NotFound               it says that it has no such name (exit 2 where an image was named)
        |   |-- AccessDenied           401 or 403
        |   |-- TooManyRequests        429, after the retries
        |   |-- StoreUnavailable       5xx, time-out, closed connection, full disk
        |   |-- StoreProtocol          an answer that breaks the protocol
        |   `-- TagConflict            a tag is immutable or was moved by somebody else
        |-- TimestampError             a time-stamp authority did not give a good token
        |-- ServiceError               Fulcio, Rekor or an identity provider did not give what is needed
        |-- LimitExceeded              more than imgtrust is willing to read
        `-- TimedOut                   --timeout ran out
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from imgtrust.refusals import RefusalCode

__all__ = [
    "AccessDenied",
    "ContentMalformed",
    "ContentMismatch",
    "ContentMissing",
    "ImgtrustError",
    "InputFileError",
    "IntegrityError",
    "InvalidDigest",
    "InvalidReference",
    "KeyUnusable",
    "LimitExceeded",
    "NoImages",
    "NotFound",
    "OutputFileError",
    "PolicyError",
    "PromotionRefused",
    "Refused",
    "Rejected",
    "ServiceError",
    "StoreError",
    "StoreProtocol",
    "StoreUnavailable",
    "TagConflict",
    "TimedOut",
    "TimestampError",
    "TooManyRequests",
    "Undecided",
    "UsageError",
    "WrongPassphrase",
]


class ImgtrustError(Exception):
    """The root. ``str()`` is one paragraph for a person: what was expected, what came, where, what to do."""

    exit_status: ClassVar[int] = 3


class UsageError(ImgtrustError):
    """The command line, a name or a file that the user gave is wrong; nothing was done."""

    exit_status: ClassVar[int] = 2


class InvalidReference(UsageError):
    """An image name that does not follow the grammar of CLI.md section 1."""


class InvalidDigest(UsageError):
    """A digest that is not ``sha256:`` or ``sha512:`` with its full length of lower-case hex."""


class InputFileError(UsageError):
    """A file that the user named cannot be read, or is not what it should be."""


class OutputFileError(UsageError):
    """A file that the user asked for cannot be written; the answer itself is not lost."""


class KeyUnusable(UsageError):
    """A key that cannot be read, or is of a kind that cannot do what is asked."""


class WrongPassphrase(KeyUnusable):
    """An encrypted private key that the given passphrase does not open."""


class PolicyError(UsageError):
    """A policy that cannot be read.

    ``line`` is the 1-based line of the file, or None where no line can be named.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        """Keep the line beside the message, which already names it."""
        super().__init__(message)
        self.line = line


class NoImages(UsageError):
    """There is nothing to judge. An empty set is never accepted."""


class IntegrityError(ImgtrustError):
    """Bytes are not what they are said to be; asking again will not help."""

    exit_status: ClassVar[int] = 1


class ContentMismatch(IntegrityError):
    """The digest or the size of bytes differs from what their descriptor says."""


class ContentMalformed(IntegrityError):
    """A manifest, index, config or descriptor that breaks its specification."""


class ContentMissing(IntegrityError):
    """Content that a manifest names and that the store does not have."""


class Refused(ImgtrustError):
    """A piece of evidence is not believed. ``trust.signatures.assess`` turns it into a ``Refusal``."""

    exit_status: ClassVar[int] = 1

    def __init__(self, code: RefusalCode, reason: str) -> None:
        """Keep the code beside the reason, which is one sentence for a person."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Rejected(ImgtrustError):
    """The verdict on an image is no (or could not be reached); ``verdict`` has all reasons."""

    exit_status: ClassVar[int] = 1

    def __init__(self, verdict: object, message: str) -> None:
        """Carry the verdict (an ``imgtrust.policy.Verdict``)."""
        super().__init__(message)
        self.verdict = verdict


class PromotionRefused(ImgtrustError):
    """A promotion is not allowed for a reason that is no verdict on the image."""

    exit_status: ClassVar[int] = 1


class Undecided(ImgtrustError):
    """Could not tell, or not finished. Never "unsigned", never "fine"; running again may help."""

    exit_status: ClassVar[int] = 3


class StoreError(Undecided):
    """A store did not do what was asked of it."""


class NotFound(StoreError):
    """The store says that it has no such name. Where the user named an image, the command ends in 2."""


class AccessDenied(StoreError):
    """The store wants other credentials (401) or denies the action (403)."""


class TooManyRequests(StoreError):
    """The store limits the rate (429), and went on doing so through all retries."""


class StoreUnavailable(StoreError):
    """The store cannot answer now: 5xx, time-out, closed connection, full disk."""


class StoreProtocol(StoreError):
    """The store gave an answer that breaks the protocol, so nothing can be concluded from it."""


class TagConflict(StoreError):
    """A tag is immutable, or no longer points at what was read before."""


class TimestampError(Undecided):
    """A time-stamp authority did not answer with a token that verifies."""


class ServiceError(Undecided):
    """A certificate authority, a transparency log or an identity provider gave no answer, or none that can be used."""


class LimitExceeded(Undecided):
    """There is more than imgtrust is willing to read; the limit is named in the message."""


class TimedOut(Undecided):
    """The time given with ``--timeout`` ran out."""
