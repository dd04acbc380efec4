"""The signed entry timestamp: a log of version 1 promises that it took an entry at a time. Pure.

Knows Rekor v1's ``SignedEntryTimestamp`` over RFC 8785 JSON; knows nothing of what is in the entry.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust.times import verify_promise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.evidence import LogEntry
    from imgtrust.trust.anchors import LogKey
    from imgtrust.trust.times import VerifiedTime

__all__ = ["promised_bytes", "promised_time"]


def promised_bytes(entry: LogEntry) -> bytes:
    """What the log signed: these four members in their canonical form (RFC 8785)."""
    members = {
        "body": base64.b64encode(entry.body).decode("ascii"),
        "integratedTime": entry.integrated_time,
        "logID": entry.log_id.hex(),
        "logIndex": entry.log_index,
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")


def promised_time(entry: LogEntry, logs: Sequence[LogKey]) -> VerifiedTime:
    """The time at which one of the logs (all of the entry's id) took the entry, in the window of its key.

    Raises:
        Refused: LOG_PROMISE, none signed that; LOG_WINDOW, one did, outside the window of its key (ends inclusive).
    """
    data = promised_bytes(entry)
    refusal = Refused(RefusalCode.LOG_PROMISE, "the log's promise (signed entry timestamp) is not by its key")
    for log in logs:
        found = verify_promise(entry.promise or b"", data, log.key, entry.integrated_time, log.origin)
        if found is None:
            continue
        if log.not_before <= found.time and (log.not_after is None or found.time <= log.not_after):
            return found
        message = f"logged at {found.time.isoformat()}, outside the window of the key of {log.origin}"
        refusal = Refused(RefusalCode.LOG_WINDOW, message)
    raise refusal
