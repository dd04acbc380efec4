"""What is known about one image when it is judged: the input of every rule. Pure.

Knows the shapes only; who fetched the bytes (``commands``) and who believed them (``trust``) are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.content import Descriptor, Platform
    from imgtrust.evidence import Claim, Unread
    from imgtrust.reference import Digest, Reference
    from imgtrust.trust.signatures import Refusal, VerifiedSignature

__all__ = ["Fault", "ImageFacts", "Integrity", "IntegrityMode", "SubjectFacts"]


class IntegrityMode(StrEnum):
    """How much of an image was read (``--integrity``)."""

    FULL = "full"
    MANIFESTS = "manifests"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing of the image that is absent, altered or malformed; asking again will not help."""

    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Integrity:
    """What re-hashing found. ``blobs``/``blobs_checked`` count distinct configs and layers, ``size`` their bytes."""

    mode: IntegrityMode
    manifests: int
    blobs: int
    blobs_checked: int
    size: int
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """One manifest of the image (the root, or a child of the index) and what is believed about it.

    ``signatures`` are those whose subject is exactly this digest; evidence of the root counts for the children
    in the rules, never the other way round.
    """

    descriptor: Descriptor
    platform: Platform | None
    signatures: tuple[VerifiedSignature, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    claims: tuple[Claim, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image: ``root`` (an index or a manifest), ``children`` (platform images of an index), and its bytes."""

    reference: Reference
    root: SubjectFacts
    children: tuple[SubjectFacts, ...]
    integrity: Integrity
    at: datetime

    @property
    def subjects(self) -> tuple[SubjectFacts, ...]:
        """The root, then the children."""
        return (self.root, *self.children)
