"""When the key of a log has to be trusted: at the promised time, or without a promise at the earliest proven one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from imgtrust.refusals import RefusalCode
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.evidence import AT, Key
from tests.simulators.fulcio import WHEN
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore

SIGSTORE = VirtualSigstore()
TICK = timedelta(seconds=1)


def windowed(start: datetime, end: datetime | None = None) -> list[dict[str, Any]]:
    """The logs of the instance, with keys that are trusted for a while."""
    window = {"start": start.isoformat()} | ({} if end is None else {"end": end.isoformat()})
    logs: list[dict[str, Any]] = SIGSTORE.document()["tlogs"]
    for log in logs:
        log["publicKey"]["validFor"] = window
    return logs


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        (WHEN, None, True),
        (WHEN - TICK, WHEN, True),
        (WHEN + TICK, None, False),
        (WHEN - 2 * TICK, WHEN - TICK, False),
    ],
    ids=["from then on", "until then", "later", "earlier"],
)
@pytest.mark.parametrize(("kind", "stamped"), [(V1, 0), (V2, 1)], ids=["promised", "stamped"])
def test_a_log_speaks_at_the_time_that_it_promises_or_at_the_earliest_proven_one(
    kind: tuple[str, str], stamped: int, start: datetime, end: datetime | None, *, inside: bool
) -> None:
    signer = Signer(Key.new())
    root = SIGSTORE.trusting_key(signer, tlogs=windowed(start, end))
    found = assess(SIGSTORE.evidence(signer, kind, stamped=stamped), root, at=AT)
    if inside:
        assert isinstance(found, VerifiedSignature)
    else:
        assert isinstance(found, Refusal)
        assert found.code is RefusalCode.LOG_WINDOW


def test_without_any_proven_time_nothing_can_be_outside_a_window() -> None:
    signer = Signer(Key.new())
    root = SIGSTORE.trusting_key(signer, tlogs=windowed(WHEN + TICK))
    found = assess(SIGSTORE.evidence(signer, V2, stamped=0), root, at=AT)
    assert isinstance(found, VerifiedSignature)
    assert not found.times


def test_a_promise_is_compared_with_its_own_window_and_not_with_an_earlier_stamp() -> None:
    signer = Signer(Key.new())
    later = SIGSTORE.evidence(signer, V1, when=WHEN + 60 * TICK, stamped=1)
    found = assess(later, SIGSTORE.trusting_key(signer, tlogs=windowed(WHEN + 30 * TICK)), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert min(time.time for time in found.times) == WHEN


def test_a_promise_of_the_very_time_of_judgement_is_not_of_the_future() -> None:
    signer = Signer(Key.new())
    found = assess(SIGSTORE.evidence(signer, V1), SIGSTORE.trusting_key(signer), at=WHEN)
    assert isinstance(found, VerifiedSignature)
    assert ([time.time for time in found.times], found.claims) == ([WHEN], ())
