"""What can be read from build provenance and from other dated predicates: the builder, and times that are claims. Pure.

Knows SLSA provenance v0.2 and v1, cosign's and in-toto's vulnerability scans, OpenVEX, SPDX and CycloneDX as far as
builder and dates go. All of it is what the signer said: shown, and compared only where a policy names the builder.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust.predicates.types import resolve

if TYPE_CHECKING:
    from imgtrust.evidence import Statement

__all__ = ["builder_id", "claimed_times"]

_BUILDERS: Final = {
    "https://slsa.dev/provenance/v0.2": ("builder", "id"),
    "https://slsa.dev/provenance/v1": ("runDetails", "builder", "id"),
}

_TIMES: Final = {
    "slsaprovenance02": (("metadata", "buildStartedOn"), ("metadata", "buildFinishedOn")),
    "slsaprovenance1": (("runDetails", "metadata", "startedOn"), ("runDetails", "metadata", "finishedOn")),
    "vulnerabilities": (("metadata", "scanStartedOn"), ("metadata", "scanFinishedOn")),
    "openvex": (("timestamp",),),
    "spdx": (("creationInfo", "created"),),
    "cyclonedx": (("metadata", "timestamp"),),
}

_NO_DATES: Final = frozenset({datetime(1970, 1, 1, tzinfo=UTC), datetime(1980, 1, 1, tzinfo=UTC)})
"""What reproducible builds write; it means that the date is not known (DESIGN section 6)."""


def builder_id(statement: Statement) -> str | None:
    """The builder that a SLSA provenance names; None where it is no provenance, or names none."""
    path = _BUILDERS.get(statement.predicate_type)
    return None if path is None else _at(statement.predicate, path)


def claimed_times(statement: Statement) -> tuple[tuple[str, datetime], ...]:
    """The times that a predicate gives, as (name of the member, aware UTC time).

    Dates that mean "unknown" (1970, 1980, year 1) and those without a zone are left out.
    """
    found: list[tuple[str, datetime]] = []
    for alias, paths in _TIMES.items():
        if statement.predicate_type in resolve(alias):
            for path in paths:
                moment = _moment(_at(statement.predicate, path))
                if moment is not None:
                    found.append((path[-1], moment))
    return tuple(found)


def _at(value: object, path: tuple[str, ...]) -> str | None:
    """The string at the end of a path of members; None where there is none, or it is empty."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value if isinstance(value, str) and value else None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or moment.year == 1:
            return None
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if moment in _NO_DATES else moment
