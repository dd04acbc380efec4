"""The verdict on one image, with all its reasons. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.reference import Digest, Reference
    from imgtrust.rules.facts import ImageFacts
    from imgtrust.rules.finding import Finding

__all__ = ["Outcome", "PolicyId", "Published", "Verdict"]


class Outcome(StrEnum):
    """The answer."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class PolicyId:
    """Which policy judged: where it came from (a file's name, or ``flags``) and the sha256 of its canonical text."""

    source: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Published:
    """The publish date: the earliest and the latest proven time, and the source of the earliest (``none``)."""

    earliest: datetime | None
    latest: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted iff every required rule holds and at least one signature is verified.

    ``facts`` is None where nothing could be read of the image at all; ``error`` then says why, in one paragraph,
    and the outcome is ``undecided`` (the store could not answer) or ``rejected`` (its root is altered).
    ``name`` is the image as it was given, also where it could not be read as a reference. ``tags``: for an image that
    was found rather than named (audit), all tags that point at it.
    """

    outcome: Outcome
    name: str
    reference: Reference | None
    digest: Digest | None
    policy: PolicyId
    judged_at: datetime
    scope: str | None = None
    facts: ImageFacts | None = None
    findings: tuple[Finding, ...] = ()
    published: Published = Published(None, None, "none")
    not_checked: tuple[str, ...] = ()
    changes_at: datetime | None = None
    error: str | None = None
    not_found: bool = False
    tags: tuple[str, ...] = ()

    def __bool__(self) -> NoReturn:
        """A verdict is not a truth value: compare ``outcome``."""
        message = "a Verdict has no truth value; compare verdict.outcome with Outcome.ACCEPTED"
        raise TypeError(message)
