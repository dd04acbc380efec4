"""Edges of a log's checkpoint: a name that is none, the last line that is read, and a tree without a log."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust.anchors import LogKey
from imgtrust.trust.transparency.checkpoint import parse_checkpoint, verify_checkpoint
from tests.simulators.translog import Log, root_of

LOG = Log.second("log.acme.test")
TRUSTED = LogKey(LOG.log_id, LOG.key.public, LOG.origin, datetime(2025, 1, 1, tzinfo=UTC))
SIZE, ROOT = len(LOG.leaves), root_of(LOG.leaves)


def test_a_checkpoint_names_its_log() -> None:
    assert parse_checkpoint(LOG.checkpoint()).origin == "log.acme.test"
    with pytest.raises(Refused, match="expected the log's name"):
        parse_checkpoint(LOG.checkpoint(origin=""))


def test_a_hundred_signatures_are_read_and_no_more() -> None:
    text, _, line = LOG.checkpoint().partition("\n\n")
    assert len(parse_checkpoint(f"{text}\n\n{line * 100}").notes) == 100
    with pytest.raises(Refused, match="expected 1 to 100 lines"):
        parse_checkpoint(f"{text}\n\n{line * 101}")


def test_a_line_with_the_hint_of_a_key_and_no_signature_is_no_line() -> None:
    for data, read in ((bytes(5), True), (bytes(4), False)):
        envelope = f"{LOG.checkpoint()}\u2014 witness.test {b64encode(data).decode()}\n"
        if read:
            verify_checkpoint(envelope, TRUSTED, SIZE, ROOT)
        else:
            with pytest.raises(Refused, match="is no signature"):
                verify_checkpoint(envelope, TRUSTED, SIZE, ROOT)


@pytest.mark.parametrize("origin", [" - 17", "log.acme.test- 17", "log.acme.test - ", "log.acme.test - 17x", "log"])
def test_the_id_of_a_tree_stands_behind_the_log_s_own_name_only(origin: str) -> None:
    verify_checkpoint(LOG.checkpoint(origin="log.acme.test - 17"), TRUSTED, SIZE, ROOT)
    verify_checkpoint(LOG.checkpoint(), TRUSTED, SIZE, ROOT)
    with pytest.raises(Refused, match="and the trusted log is") as caught:
        verify_checkpoint(LOG.checkpoint(origin=origin), TRUSTED, SIZE, ROOT)
    assert caught.value.code is RefusalCode.LOG_CHECKPOINT
