"""What came of a promotion, as values that ``reports`` render.

Knows what is told and counted; does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.commands.promotion.plan import LeftBehind, Plan
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Outcome, Verdict
    from imgtrust.reference import Digest, Reference, Repository

__all__ = ["Promotion", "Stage", "TagMove", "Transfer"]


class Stage(StrEnum):
    """How far a promotion came; an exception says where one that could not go on stopped."""

    REFUSED = "refused"
    """The judgement at the source is not "accepted": nothing was written."""
    PLANNED = "planned"
    """``--plan``: nothing was written."""
    REFUSED_AT_DESTINATION = "refused at destination"
    """What arrived was judged again and not accepted: no tag was set."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Blobs and manifests that were (or for a plan: would be) moved. Blobs of images and of evidence alike.

    ``mounted`` were taken over from another repository of the same registry, ``present`` were there already;
    ``read_back`` counts the bytes of both that were hashed at the destination in this run. ``manifests`` were
    pushed, those of referrers included; ``seconds`` is how long it took.
    """

    copied: tuple[Descriptor, ...] = ()
    mounted: tuple[Descriptor, ...] = ()
    present: tuple[Descriptor, ...] = ()
    read_back: int = 0
    manifests: int = 0
    seconds: float = 0.0

    @property
    def bytes_copied(self) -> int:
        """The bytes of all blobs that were copied."""
        return sum(blob.size for blob in self.copied)


@dataclass(frozen=True, slots=True)
class TagMove:
    """A tag at the destination: what it pointed at ``before`` (None: it was not there), and whether it was written."""

    tag: str
    before: Digest | None
    written: bool


@dataclass(frozen=True, slots=True)
class Promotion:
    """One promotion.

    ``source`` is pinned once the source was asked. ``at_destination`` is None where nothing was copied. ``record``
    is the digest of the signed record, None where no signer for it was given.
    """

    stage: Stage
    source: Reference
    destination: Repository
    at_source: Verdict
    at_destination: Verdict | None = None
    plan: Plan | None = None
    transfer: Transfer = Transfer()
    tags: tuple[TagMove, ...] = ()
    record: Digest | None = None
    left_behind: tuple[LeftBehind, ...] = ()
    journal: Path | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict that decided: the last one."""
        return self.at_source if self.at_destination is None else self.at_destination

    @property
    def outcome(self) -> Outcome:
        """Accepted only where all was done (or only a plan was asked for)."""
        return self.verdict.outcome
