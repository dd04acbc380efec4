"""Rules ``publish.*``: when this digest was published, by proven times only. Pure.

Knows which direction an attacker lies in (policy.md section 3.3): maximum age takes the earliest proven time of any
verified evidence, so that signing again does not rejuvenate; soak takes the earliest of the sources that the policy
accepts. A proven time is an interval: a token says "at t, give or take its accuracy". Each rule takes the end of the
interval that is worse for the image. All limits are inclusive. No proven time never passes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from imgtrust.rules.signers import by_signer, until
from imgtrust.rules.ways import how_to_sign
from imgtrust.rules.wording import age, count, listed, moment, one_line
from imgtrust.trust.times import TimeClass, TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.rules.finding import Finding
    from imgtrust.rules.requirements import PublishRule, SignatureRule
    from imgtrust.rules.subjects import Subject
    from imgtrust.trust.signatures import VerifiedSignature
    from imgtrust.trust.times import VerifiedTime

__all__ = [
    "MAX_AGE",
    "MIN_SOAK",
    "TICK",
    "TRUSTED_TIME",
    "WINDOW",
    "later",
    "max_age",
    "min_soak",
    "proven",
    "trusted_time",
    "window",
]

TRUSTED_TIME: Final = "publish.trusted_time"
MAX_AGE: Final = "publish.max_age"
MIN_SOAK: Final = "publish.min_soak"
WINDOW: Final = "publish.window"

TICK: Final = timedelta(microseconds=1)
"""The resolution of time here: a limit is inclusive, one tick later is too late."""

_SOURCES: Final = {
    TimeSource.RFC3161: "time-stamp",
    TimeSource.REKOR: "transparency log",
    TimeSource.SIGNING_AUTHORITY: "signing authority",
    TimeSource.REGISTRY: "registry",
}
_PROVING: Final = frozenset({TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY})
"""The sources that can prove a time; where a policy accepts all of them, naming each says nothing."""


def proven(
    signatures: Iterable[VerifiedSignature], sources: tuple[TimeSource, ...] | None = None
) -> list[VerifiedTime]:
    """The trusted times of these signatures; of these ``sources`` only, or of any where it is None."""
    return [
        time
        for signature in signatures
        for time in signature.times
        if time.time_class is TimeClass.TRUSTED and (sources is None or time.source in sources)
    ]


def later(time: datetime, *durations: timedelta) -> datetime | None:
    """A time so much later; None where the calendar ends before."""
    try:
        return time + sum(durations, timedelta())
    except OverflowError:
        return None


def trusted_time(subject: Subject, rule: PublishRule, signers: SignatureRule) -> Finding:
    """Passes where each of the ``count`` signers needed has a signature with a proven time of an accepted source."""
    counted = by_signer(subject, signers.any_of)
    dated = [
        own for found in counted.values() if (own := [item for item in found if proven([item], rule.trusted_time)])
    ]
    timed = len(dated)
    claims = [claim for found in counted.values() for item in found for claim in item.claims if claim.code is not None]
    why = (
        f"{count(len(counted) - timed, 'signer')} signed without a proven time"
        if counted
        else "nobody that counts signed"
    )
    unproven = [f"{one_line(f'{item.source} {item.authority}: {item.reason}')} [{item.code}]" for item in claims]
    return subject.finding(
        TRUSTED_TIME,
        timed >= signers.count,
        required=f"{signers.count} needed, by {_sources(rule.trusted_time)}",
        observed=f"{count(timed, 'signer')} with a proven time",
        why="\n".join([why, *listed(unproven)]),
        fix=how_to_sign(subject.by(signers.any_of), subject.target, rule.trusted_time),
        changes_at=until(dated, signers.count),
    )


def _sources(accepted: tuple[TimeSource, ...]) -> str:
    """``time-stamp or transparency log``; ``any trusted source`` where all of them are accepted."""
    if set(accepted) == _PROVING:
        return "any trusted source"
    return " or ".join(_SOURCES[source] for source in accepted)


def max_age(subject: Subject, limit: timedelta, names: tuple[str, ...] = ()) -> Finding:
    """Passes while the earliest proven time, taken as early as its accuracy allows, is at most ``limit`` ago.

    ``names``, here and below: the signers of the scope, who could sign where no time is proven.
    """
    required = f"at most {age(limit)}"
    times = proven(subject.signatures)
    if not times:
        return _no_time(subject, MAX_AGE, required, names, tuple(_PROVING))
    oldest = max(times, key=lambda item: subject.at - item.time + item.accuracy)
    elapsed = subject.at - oldest.time + oldest.accuracy
    passes = elapsed <= limit
    return subject.finding(
        MAX_AGE,
        passes,
        required=required,
        observed=age(elapsed),
        why=f"published {moment(oldest.time)}, by the earliest proven time ({one_line(oldest.authority)}); "
        "signing again does not change that",
        fix="build and publish the image anew",
        changes_at=_earliest(later(oldest.time, limit, -oldest.accuracy, TICK), _undated(subject)) if passes else None,
        more_could_help=False,
    )


def _undated(subject: Subject) -> datetime | None:
    """When the last proven time goes with its signature, so that the age is not known any more."""
    return until([[item for item in subject.signatures if proven([item])]], 1)


def _earliest(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


def min_soak(
    subject: Subject, limit: timedelta, sources: tuple[TimeSource, ...], names: tuple[str, ...] = ()
) -> Finding:
    """Passes once the earliest proven time of these sources, taken as late as its accuracy allows, is so long ago."""
    required = f"at least {age(limit)}"
    times = proven(subject.signatures, sources)
    if not times:
        return _no_time(subject, MIN_SOAK, required, names, sources)
    oldest = max(times, key=lambda item: subject.at - item.time - item.accuracy)
    elapsed = subject.at - oldest.time - oldest.accuracy
    passes_from = later(oldest.time, limit, oldest.accuracy)
    when = "never" if passes_from is None else f"from {moment(passes_from)}"
    return subject.finding(
        MIN_SOAK,
        elapsed >= limit,
        required=required,
        observed=age(elapsed),
        why=f"published {moment(oldest.time)} ({one_line(oldest.authority)}); it passes {when}",
        fix="wait until then, or lower min_soak for this scope",
        changes_at=passes_from if elapsed < limit else None,
    )


def window(subject: Subject, rule: PublishRule, names: tuple[str, ...] = ()) -> Finding:
    """Passes where no proven time lies before ``not_before``, and the earliest that is accepted by ``not_after``.

    Each with all its accuracy: an earlier time of any source shows that the image is older.
    """
    start, end = rule.not_before, rule.not_after
    bounds = [f"at or after {moment(start)}"] if start is not None else []
    bounds += [f"at or before {moment(end)}"] if end is not None else []
    required = "published " + ", ".join(bounds)
    times, accepted = proven(subject.signatures), proven(subject.signatures, rule.trusted_time)
    if not accepted:
        return _no_time(subject, WINDOW, required, names, rule.trusted_time)
    early = start is not None and any(item.time - start < item.accuracy for item in times)
    late = end is not None and all(end - item.time < item.accuracy for item in accepted)
    oldest = min(times, key=lambda item: item.time)
    return subject.finding(
        WINDOW,
        not early and not late,
        required=required,
        observed=f"published {moment(oldest.time)}",
        why=f"the earliest proven time lies {'before' if early else 'after'} the window ({one_line(oldest.authority)})",
        fix="build and publish the image anew" if early else "publish no later than the window allows, or widen it",
        more_could_help=not early,
    )


def _no_time(
    subject: Subject, rule: str, required: str, names: tuple[str, ...], sources: tuple[TimeSource, ...]
) -> Finding:
    """No proven time: unknown is never young and never old. ``names``: who could sign with one of ``sources``."""
    return subject.finding(
        rule,
        passes=False,
        required=required,
        observed="no proven time",
        why="no proven time: nothing attached says when this image was published in a way that can be checked",
        fix=how_to_sign(subject.by(names), subject.target, sources),
    )
