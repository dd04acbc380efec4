"""One log entry, proven: the log is known, holds the entry, and the entry is about this signature. Pure.

Knows the order of the checks (sigstore client specification, "Transparency Log Entry"); knows nothing of certificates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust.times import ClaimedTime, TimeSource
from imgtrust.trust.transparency import kinds, merkle, promise
from imgtrust.trust.transparency.checkpoint import verify_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from imgtrust.evidence import InclusionProof, LogEntry
    from imgtrust.trust.anchors import LogKey
    from imgtrust.trust.times import VerifiedTime
    from imgtrust.trust.transparency.expected import Expected

__all__ = ["known", "logged_times", "prove"]


def known(entries: Iterable[LogEntry], logs: Sequence[LogKey]) -> list[tuple[LogEntry, tuple[LogKey, ...]]]:
    """The distinct entries of logs that are trusted, each with the keys that its log has had."""
    found = []
    for entry in dict.fromkeys(entries):
        mine = tuple(log for log in logs if log.log_id == entry.log_id)
        if mine:
            found.append((entry, mine))
    return found


def logged_times(
    entries: Iterable[tuple[LogEntry, tuple[LogKey, ...]]], *, at: datetime
) -> tuple[list[VerifiedTime], list[ClaimedTime]]:
    """The times that logs promise, and those that are dated after ``at`` and so prove nothing.

    The promise is proven here, and what it is about in ``prove``: a time counts only where both hold.

    Raises:
        Refused: LOG_PROMISE or LOG_WINDOW, by the first promise that does not hold.
    """
    times: list[VerifiedTime] = []
    claims: list[ClaimedTime] = []
    for entry, logs in entries:
        if entry.promise is None:
            continue
        found = promise.promised_time(entry, logs)
        if found.time <= at:
            times.append(found)
        else:
            reason = f"the log dates the entry {found.time.isoformat()}, after the time of judgement {at.isoformat()}"
            future = RefusalCode.TIME_FUTURE
            claims.append(ClaimedTime(found.time, TimeSource.REKOR, found.authority, future, reason))
    return times, claims


def prove(entry: LogEntry, logs: Sequence[LogKey], expected: Expected, earliest: datetime | None) -> None:
    """A log holds the entry and the entry is about this signature; its promise is proven in ``logged_times``.

    ``logs`` are the keys of the entry's log. Where the entry has no promised time, its log's key has to be trusted at
    the earliest proven time, if there is one.

    Raises:
        Refused: LOG_INCLUSION, LOG_CHECKPOINT, LOG_WINDOW, LOG_PROMISE, LOG_KIND, LOG_MALFORMED or LOG_INCONSISTENT.
    """
    kind = kinds.check_body(entry, expected)
    if not kind.promises and entry.promise is not None:
        message = "a log of this generation promises no time, and the entry has such a promise"
        raise Refused(RefusalCode.LOG_PROMISE, message)
    proof = entry.proof
    if proof is not None:
        merkle.verify_inclusion(entry.body, proof)
    if proof is not None and proof.checkpoint is not None:
        _check_log(entry, proof, proof.checkpoint, logs, earliest)
    elif entry.promise is None:
        message = "the entry has neither a promise nor a proof with its checkpoint"
        raise Refused(RefusalCode.LOG_INCLUSION, message)


def _check_log(
    entry: LogEntry, proof: InclusionProof, checkpoint: str, logs: Sequence[LogKey], earliest: datetime | None
) -> None:
    """One of the log's keys signed the checkpoint, and was trusted at that time."""
    refusals: list[Refused] = []
    for log in logs:
        try:
            verify_checkpoint(checkpoint, log, proof.tree_size, proof.root_hash)
            _check_window(entry, log, earliest)
        except Refused as exc:
            refusals.append(exc)
        else:
            return
    raise refusals[-1]


def _check_window(entry: LogEntry, log: LogKey, earliest: datetime | None) -> None:
    """The window of the key that signed the checkpoint; a promised time was compared with its own."""
    if entry.promise is not None or earliest is None:
        return
    if earliest < log.not_before or (log.not_after is not None and earliest > log.not_after):
        message = f"signed at {earliest.isoformat()}, outside the window of the key of {log.origin}"
        raise Refused(RefusalCode.LOG_WINDOW, message)
