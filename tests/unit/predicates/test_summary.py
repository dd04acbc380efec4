"""The verification summary of a promotion: what is written is what is read, and nothing else passes for one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from imgtrust.predicates.summary import VSA, Input, Summary, read_summary, write_summary
from imgtrust.reference import Digest

SUMMARY = Summary(
    version="0.1.0",
    verified_at=datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC),
    resource=f"oci://prod.example.com/app@{Digest.of(b'image')}",
    source=f"oci://ci.example.com/app@{Digest.of(b'image')}",
    policy_source="gate.toml",
    policy_digest=Digest.of(b"policy"),
    inputs=(Input("oci://prod.example.com/app@x", Digest.of(b"signature")),),
    platforms=("linux/amd64",),
    tags=("1.4.2",),
)


def test_a_summary_is_read_as_it_was_written() -> None:
    assert read_summary(json.loads(json.dumps(write_summary(SUMMARY)))) == SUMMARY


def test_the_predicate_has_what_slsa_requires() -> None:
    predicate = write_summary(SUMMARY)
    assert VSA == "https://slsa.dev/verification_summary/v1"
    assert predicate["verifier"]["id"]
    assert predicate["timeVerified"] == "2026-11-23T21:00:00Z"
    assert predicate["resourceUri"] == SUMMARY.resource
    assert predicate["policy"] == {"uri": "gate.toml", "digest": {"sha256": Digest.of(b"policy").encoded}}
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED"]


def test_times_are_written_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    local = Summary("", SUMMARY.verified_at.astimezone(zone), "r", "s", "p", SUMMARY.policy_digest)
    assert write_summary(local)["timeVerified"] == "2026-11-23T21:00:00Z"


def test_a_time_of_any_year_is_read_as_it_was_written() -> None:
    old = Summary("", datetime(26, 1, 1, tzinfo=UTC), "r", "s", "p", SUMMARY.policy_digest)
    assert write_summary(old)["timeVerified"] == "0026-01-01T00:00:00Z"
    assert read_summary(write_summary(old)) == old


def test_a_failed_verification_says_so() -> None:
    failed = Summary("", SUMMARY.verified_at, "r", "s", "p", SUMMARY.policy_digest, passed=False)
    predicate = write_summary(failed)
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert read_summary(predicate) == failed


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("verificationResult", "MAYBE"),
        ("verificationResult", None),
        ("verificationResult", {}),
        ("resourceUri", 7),
        ("timeVerified", "yesterday"),
        ("timeVerified", "2026-11-23T21:00:00"),
        ("timeVerified", "0001-01-01T00:00:00+10:00"),
        ("timeVerified", "9999-12-31T23:59:59-10:00"),
        ("timeVerified", 5),
        ("policy", "gate.toml"),
        ("policy", {"uri": "gate.toml", "digest": {"sha256": "short"}}),
        ("policy", {"uri": "gate.toml", "digest": {"sha1": "x"}}),
    ],
)
def test_what_lacks_a_required_field_is_no_summary(member: str, value: object) -> None:
    predicate: dict[str, Any] = {**write_summary(SUMMARY), member: value}
    assert read_summary(predicate) is None


@pytest.mark.parametrize("predicate", [None, [], "text", {}, 5])
def test_other_predicates_are_no_summary(predicate: object) -> None:
    assert read_summary(predicate) is None


def test_the_summary_of_another_verifier_is_read_without_our_fields() -> None:
    predicate = {
        "verifier": {"id": "https://example.com/verifier"},
        "timeVerified": "2026-11-23T22:00:00+01:00",
        "resourceUri": "oci://x",
        "policy": {"digest": {"sha256": SUMMARY.policy_digest.encoded}},
        "inputAttestations": [{"digest": {"sha256": "bad"}}, "strange"],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    }
    found = read_summary(predicate)
    assert found == Summary("", SUMMARY.verified_at, "oci://x", "", "", SUMMARY.policy_digest)
