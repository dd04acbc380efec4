"""Flags, durations, and a policy written as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imgtrust.errors import UsageError
from imgtrust.policy.document import read_policy
from imgtrust.policy.durations import parse_duration, parse_time, show_duration, show_time
from imgtrust.policy.flags import TRUSTED_SOURCES, Shorthand, policy_from_flags
from imgtrust.policy.values import KeySigner
from imgtrust.policy.writing import quote, write_policy
from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule

DAY = timedelta(days=1)


def test_one_key_is_a_policy_for_every_image() -> None:
    policy = policy_from_flags(Shorthand(keys=("keys/release.pub",)))
    assert policy.signers == (KeySigner("release", "keys/release.pub"),)
    (scope,) = policy.scopes
    assert (scope.name, scope.images, scope.promote_to) == ("flags", ("**",), ("**",))
    assert (scope.signatures, scope.publish, scope.evidence) == (SignatureRule(("release",)), PublishRule(), ())


def test_keys_are_named_after_their_files_and_never_twice() -> None:
    keys = ("a/ci.pub", "b/ci.pub", "env://RELEASE_KEY", "-----BEGIN PUBLIC KEY-----\nAA", "ü.pem", "a/ci.pub")
    names = [signer.name for signer in policy_from_flags(Shorthand(keys=keys)).signers]
    assert names == ["ci", "ci-2", "RELEASE_KEY", "key", "key-2"]


@pytest.mark.parametrize(
    "dated",
    [
        Shorthand(keys=("k",), require_time=True),
        Shorthand(keys=("k",), max_age=DAY),
        Shorthand(keys=("k",), min_soak=DAY),
        Shorthand(keys=("k",), not_before=datetime(2026, 1, 1, tzinfo=UTC)),
        Shorthand(keys=("k",), not_after=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_every_limit_in_time_asks_for_a_proven_one(dated: Shorthand) -> None:
    assert policy_from_flags(dated).scopes[0].publish.trusted_time == TRUSTED_SOURCES


def test_evidence_is_asked_of_every_signer_named() -> None:
    policy = policy_from_flags(Shorthand(keys=("a.pub", "b.pub"), evidence=("spdx", "spdx"), count=2))
    assert policy.scopes[0].evidence == (EvidenceRule("spdx", ("a", "b")),)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (Shorthand(), "no signer is named"),
        (Shorthand(keys=("k",), count=0), "--count 0: expected at least 1"),
        (Shorthand(keys=("k", "k"), count=2), "--count 2 asks for more distinct signers than the 1"),
        (Shorthand(keys=("k",), evidence=("",)), "'' is no predicate type"),
        (Shorthand(keys=("k",), evidence=("sdpx",)), "did you mean spdx?"),
        (Shorthand(keys=("k",), min_soak=2 * DAY, max_age=DAY), "--min-soak is longer than --max-age"),
        (
            Shorthand(
                keys=("k",), not_before=datetime(2026, 1, 1, tzinfo=UTC), not_after=datetime(2026, 1, 1, tzinfo=UTC)
            ),
            "--not-before must be earlier than --not-after",
        ),
    ],
)
def test_flags_that_nothing_can_satisfy_are_refused(flags: Shorthand, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy_from_flags(flags)
    assert said in str(caught.value)


def test_the_policy_that_flags_mean_is_ready_to_save() -> None:
    flags = Shorthand(
        keys=("keys/release.pub", "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n"),
        tsa_roots=("tsa.pem",),
        trusted_root="root.json",
        count=2,
        max_age=90 * DAY,
        evidence=("slsa-provenance",),
    )
    policy = policy_from_flags(flags)
    text = write_policy(policy)
    assert (
        text
        == '''\
version = 1

[time]
tsa_roots = ["tsa.pem"]
trusted_root = "root.json"

[signers.release]
key = "keys/release.pub"

[signers.key]
key = """
-----BEGIN PUBLIC KEY-----
AA
-----END PUBLIC KEY-----
"""

[[scopes]]
name = "flags"
images = ["**"]
promote_to = ["**"]
signatures = { any_of = ["release", "key"], count = 2 }

[scopes.publish]
trusted_time = ["tsa", "rekor", "signing-authority"]
max_age = "90d"

[[scopes.evidence]]
type = "slsa-provenance"
signed_by = ["release", "key"]
'''
    )
    assert read_policy(text.encode(), "saved.toml") == policy


def test_strings_are_quoted_so_that_toml_reads_the_same() -> None:
    assert quote('a"b\\c\n\x01\x7fé') == '"a\\"b\\\\c\\n\\u0001\\u007fé"'


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90d", 90 * DAY), ("12h", DAY / 2), ("30m", timedelta(minutes=30)), ("1s", timedelta(seconds=1))],
)
def test_durations_are_read_and_written(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert show_duration(duration) == text


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "+1d", "1.5d", "1d12h", " 1d", "1d\n", "1w", "1D", "٣d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration"):
        parse_duration(text)


def test_a_duration_beyond_a_hundred_years_is_refused() -> None:
    assert parse_duration("36525d") == 36_525 * DAY
    with pytest.raises(UsageError, match="longer than 36525d"):
        parse_duration("36526d")


@pytest.mark.parametrize("duration", [timedelta(0), -DAY, timedelta(milliseconds=1), 40_000 * DAY])
def test_a_duration_that_could_not_be_read_back_is_not_written(duration: timedelta) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        show_duration(duration)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-23T21:00:00Z", "2026-11-23T21:00:00Z"),
        ("2026-11-23T22:00:00+01:00", "2026-11-23T21:00:00Z"),
        ("2026-11-23T21:00:00.5Z", "2026-11-23T21:00:00.500000Z"),
    ],
)
def test_times_are_read_with_their_zone(text: str, shown: str) -> None:
    assert show_time(parse_time(text)) == shown
    assert parse_time(shown) == parse_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T21:00:00",
        "2026-11-23 21:00:00Z",
        "2026-13-23T21:00:00Z",
        "2026-11-23T25:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "2026-11-23T21:00:00Z\n",
        "now",
    ],
)
def test_a_time_without_a_zone_or_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time: expected RFC 3339 with a zone"):
        parse_time(text)


def test_a_policy_that_asks_for_a_signature_only_is_short() -> None:
    assert (
        write_policy(policy_from_flags(Shorthand(keys=("k",))))
        == """\
version = 1

[signers.k]
key = "k"

[[scopes]]
name = "flags"
images = ["**"]
promote_to = ["**"]
signatures = { any_of = ["k"], count = 1 }
"""
    )
