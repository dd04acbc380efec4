"""What evidence says of itself, in words: nothing of it is believed, and nothing in it stops the telling."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from imgtrust.commands.described import moved, said_name, said_times
from imgtrust.evidence import Format, Kind, LogEntry, Signed
from imgtrust.formats import read
from imgtrust.reference import Digest
from tests.simulators.evidence import IMAGE
from tests.simulators.fulcio import WHEN
from tests.simulators.notaryenvelopes import aws_header, evidence, jws, payload
from tests.simulators.pki import authority, leaf
from tests.simulators.sigstore import VirtualSigstore

SIGNED = Signed(Format.BUNDLE, Kind.SIGNATURE, b"", b"", (IMAGE.encoded,))
ROOT = authority("acme root")
LEAF = leaf(ROOT)


def entry(seconds: int) -> LogEntry:
    return LogEntry("dsse", "0.0.1", b"log", 1, seconds, b"{}", b"promise")


@pytest.mark.parametrize("hint", [None, "", "not base64!", "c2hvcnQ="])
def test_a_hint_that_is_no_fingerprint_names_nobody(hint: str | None) -> None:
    assert said_name(replace(SIGNED, key_hint=hint)) == ""


def test_a_certificate_that_cannot_be_read_names_nobody() -> None:
    assert said_name(replace(SIGNED, certificates=(b"no certificate",))) == ""
    notary = read(evidence(jws((LEAF, ROOT))))
    assert said_name(notary) == "leaf"
    assert said_name(replace(notary, certificates=(b"no certificate",))) == ""


def test_times_that_cannot_be_told_are_left_out() -> None:
    odd = replace(SIGNED, timestamps=(b"no token",), log_entries=(entry(0), entry(-1), entry(1 << 60)))
    assert said_times(odd) == ()
    (found,) = said_times(replace(SIGNED, log_entries=(entry(1), entry(1))))
    assert (found.time, found.source, found.code) == (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "rekor", None)


def test_each_source_says_its_time() -> None:
    both = read(VirtualSigstore().evidence(stamped=1))
    assert [(item.time, item.source) for item in said_times(both)] == [(WHEN, "rfc3161"), (WHEN, "rekor")]
    plain, aws = read(evidence(jws((LEAF, ROOT)))), read(evidence(jws((LEAF, ROOT), protected=aws_header(LEAF))))
    assert [item.source for item in said_times(plain)] == ["notary-signing-time"]
    assert [item.source for item in said_times(aws)] == ["signing-authority"]


def test_what_is_about_another_image_is_told_apart_where_that_can_be_seen() -> None:
    other = Digest.of(b"another image")
    assert [moved(SIGNED, digest) for digest in (IMAGE, other)] == [False, True]
    long = replace(SIGNED, subjects=(), message_digest="0" * 96)
    assert not moved(long, IMAGE)
    assert moved(replace(SIGNED, subjects=(other.encoded,), message_digest=other.encoded), IMAGE)
    notary = read(evidence(jws((LEAF, ROOT))))
    assert [moved(notary, digest) for digest in (IMAGE, other)] == [False, True]
    assert moved(read(evidence(jws((LEAF, ROOT), body=payload(digest=str(other))))), IMAGE)
