"""What ``sign``, ``attest``, ``attach``, ``pull`` and ``promote`` made or moved, as values and as data. Pure.

``imgtrust-result/1`` of CLI.md section 5: everything by digest. ``commands`` fills these values; ``told`` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from imgtrust.reports.document import entry, time_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest, Reference
    from imgtrust.trust.times import ClaimedTime, VerifiedTime

__all__ = [
    "RESULT_SCHEMA",
    "AttachedResult",
    "Fate",
    "FileResult",
    "Planned",
    "PromotionResult",
    "PulledResult",
    "SignedResult",
    "attached_document",
    "promotion_document",
    "pulled_document",
    "signed_document",
]

RESULT_SCHEMA: Final = "imgtrust-result/1"


@dataclass(frozen=True, slots=True)
class SignedResult:
    """One signature or attestation that was made and attached.

    ``digest`` is what was signed (the index, an image, or with ``--recursive`` a child); ``evidence`` is the manifest
    that was attached. ``signer`` is for people (``key 3f9ac2d1``); ``format`` is that of the report. ``times`` are what
    the time-stamp authorities said. ``predicate_type`` is set for attestations. ``attached`` is false where the
    signature was only written to a file. ``unchanged``: it was there already and nothing was attached. ``logged``: the
    address of each transparency log that has an entry, and its number there.
    """

    reference: Reference
    digest: Digest
    evidence: Digest
    format: str
    signer: str
    times: tuple[VerifiedTime | ClaimedTime, ...] = ()
    predicate_type: str | None = None
    attached: bool = True
    unchanged: bool = False
    logged: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of an artifact: its title, its bytes' digest and size."""

    title: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class AttachedResult:
    """An artifact that was attached to ``digest`` without a signature; ``evidence`` is its manifest."""

    reference: Reference
    digest: Digest
    evidence: Digest
    artifact_type: str
    files: tuple[FileResult, ...]


@dataclass(frozen=True, slots=True)
class PulledResult:
    """An artifact whose files were written under ``directory``."""

    reference: Reference
    evidence: Digest
    artifact_type: str
    directory: str
    files: tuple[FileResult, ...]


class Fate(StrEnum):
    """What happens, or would happen, to one object of a promotion."""

    COPY = "copy"
    MOUNT = "mount"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Planned:
    """One object of a promotion: ``kind`` is blob, manifest, referrer or legacy-tag; ``size`` is in bytes."""

    digest: Digest
    kind: str
    size: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class PromotionResult:
    """What a promotion did, or would do where ``dry`` (``--plan``).

    ``before`` is the verdict at the source, ``after`` that at the destination (None where it did not come to it).
    ``plan`` is every object in the order of the work; ``done`` those that were dealt with. ``record`` is the manifest
    of the signed record, ``recorder`` who signed it. ``tags`` are those that now point at the digest. ``seconds`` is
    how long copying took. ``obstacle`` is what stands in the way, in one sentence; ``resume`` the command that goes on
    after an interruption. ``left_behind``: what is attached to the image, broken at the source, and was not copied,
    with the reason. ``record_times`` and ``record_logged`` are of the record as ``times`` and ``logged`` are of a
    signature; empty where it was there already.
    """

    source: Reference
    destination: Reference
    digest: Digest | None
    before: Verdict
    after: Verdict | None = None
    plan: tuple[Planned, ...] = ()
    done: tuple[Planned, ...] = ()
    record: Digest | None = None
    recorder: str | None = None
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    seconds: float | None = None
    dry: bool = False
    obstacle: str | None = None
    resume: str | None = None
    left_behind: tuple[tuple[Digest, str], ...] = ()
    record_times: tuple[VerifiedTime | ClaimedTime, ...] = ()
    record_logged: tuple[tuple[str, int], ...] = ()


def signed_document(results: Iterable[SignedResult]) -> dict[str, Any]:
    """``sign`` and ``attest`` as data."""
    return {"schema": RESULT_SCHEMA, "signed": [_signed(item) for item in results]}


def attached_document(results: Iterable[AttachedResult]) -> dict[str, Any]:
    """``attach`` and ``sbom attach`` as data."""
    return {
        "schema": RESULT_SCHEMA,
        "attached": [
            {
                "reference": str(item.reference),
                "digest": str(item.digest),
                "evidence": str(item.evidence),
                "artifact_type": item.artifact_type,
                "files": _files(item.files),
            }
            for item in results
        ],
    }


def pulled_document(results: Iterable[PulledResult]) -> dict[str, Any]:
    """``pull`` as data."""
    return {
        "schema": RESULT_SCHEMA,
        "pulled": [
            {
                "reference": str(item.reference),
                "evidence": str(item.evidence),
                "artifact_type": item.artifact_type,
                "directory": item.directory,
                "files": _files(item.files),
            }
            for item in results
        ],
    }


def promotion_document(results: Iterable[PromotionResult]) -> dict[str, Any]:
    """``promote`` as data; ``copied`` and ``skipped`` are what was done, by digest."""
    return {"schema": RESULT_SCHEMA, "promoted": [_promotion(item) for item in results]}


def _signed(item: SignedResult) -> dict[str, Any]:
    return {
        "reference": str(item.reference),
        "digest": str(item.digest),
        "evidence": str(item.evidence),
        "format": item.format,
        "times": time_entries(item.times),
        "signer": item.signer,
        "predicate_type": item.predicate_type,
        "attached": item.attached,
        "unchanged": item.unchanged,
        "log_entries": _entries(item.logged),
    }


def _entries(logged: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"log": url, "index": index} for url, index in logged]


def _files(files: Iterable[FileResult]) -> list[dict[str, Any]]:
    return [{"title": item.title, "digest": str(item.digest), "size": item.size} for item in files]


def _promotion(item: PromotionResult) -> dict[str, Any]:
    return {
        "source": str(item.source),
        "destination": str(item.destination),
        "digest": None if item.digest is None else str(item.digest),
        "outcome": (item.before if item.after is None else item.after).outcome.value,
        "dry": item.dry,
        "plan": _objects(item.plan),
        "copied": _objects(one for one in item.done if one.fate is not Fate.SKIP),
        "skipped": _objects(one for one in item.done if one.fate is Fate.SKIP),
        "record": None if item.record is None else str(item.record),
        "recorder": item.recorder,
        "record_times": time_entries(item.record_times),
        "record_log_entries": _entries(item.record_logged),
        "tags": list(item.tags),
        "platforms": list(item.platforms),
        "obstacle": item.obstacle,
        "left_behind": [{"digest": str(digest), "reason": reason} for digest, reason in item.left_behind],
        "before": entry(item.before),
        "after": None if item.after is None else entry(item.after),
    }


def _objects(items: Iterable[Planned]) -> list[dict[str, Any]]:
    return [{"digest": str(one.digest), "kind": one.kind, "size": one.size, "fate": one.fate.value} for one in items]
