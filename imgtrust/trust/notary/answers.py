"""What was asked about the revocation of certificates, and what came back. Pure.

Knows questions and answers as bytes; whether an answer is to be believed is for ``trust.notary.revocation`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["NONE", "Answer", "Question", "Revocations"]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask over the network: an OCSP responder with ``request``, or for a list where that is empty.

    Or AWS Signer in a region (``aws-signer:REGION``), with what is asked as JSON; nobody signs that answer.

    ``issuer`` is the certificate (DER) of whoever has to have signed the answer.
    """

    url: str
    request: bytes = field(repr=False)
    issuer: bytes = field(repr=False)

    @property
    def key(self) -> tuple[str, bytes]:
        """What tells questions apart."""
        return self.url, self.request


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes that came, or None with the reason why none did."""

    data: bytes | None = field(repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Revocations:
    """All answers to one judgement's questions, and when they were got (aware UTC; None where nothing was asked)."""

    answers: Mapping[tuple[str, bytes], Answer]
    asked_at: datetime | None = None


NONE: Final = Revocations(MappingProxyType({}))
"""Nobody was asked."""
