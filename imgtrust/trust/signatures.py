"""Belief, decided in one function: evidence under a trust root becomes a verified signature or a refusal. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.evidence import Evidence, Format, Kind, Statement
    from imgtrust.reference import Digest
    from imgtrust.refusals import RefusalCode
    from imgtrust.trust.roots import TrustRoot
    from imgtrust.trust.times import ClaimedTime, VerifiedTime

__all__ = ["Refusal", "VerifiedSignature", "assess"]


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """What was proven, and nothing else. The signed subject is ``subject``, the digest that was asked about.

    ``signers`` are all names in the policy that this key or identity has (sorted); ``identity`` is what makes
    signers distinct: ``key sha256:<fingerprint>`` for a key. ``times`` are proven, ``claims`` are not.
    """

    format: Format
    kind: Kind
    signers: tuple[str, ...]
    identity: str
    subject: Digest
    evidence: Digest
    statement: Statement | None
    times: tuple[VerifiedTime, ...] = ()
    claims: tuple[ClaimedTime, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def predicate_type(self) -> str | None:
        """The predicate type of the statement; None for a payload that is no statement."""
        return None if self.statement is None else self.statement.predicate_type

    @property
    def earliest(self) -> datetime | None:
        """The earliest proven time, or None."""
        return min((t.time for t in self.times), default=None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A piece of evidence that is not believed, with the reason in words."""

    format: Format
    evidence: Digest
    subject: Digest
    code: RefusalCode
    reason: str


def assess(evidence: Evidence, root: TrustRoot, *, at: datetime) -> VerifiedSignature | Refusal:
    """Believe one piece of evidence, or say why not; ``at`` is the time of judgement (aware UTC).

    Never raises for anything that the bytes could cause.
    """
    raise AssertionError
