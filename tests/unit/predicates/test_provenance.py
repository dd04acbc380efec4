"""Builders and dates in predicates: what the signer said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from imgtrust.evidence import Statement
from imgtrust.predicates.provenance import builder_id, claimed_times

SLSA_02, SLSA_1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
BUILDER = "https://github.com/actions/runner/github-hosted"
DATE = "2026-03-01T12:00:00Z"
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(predicate_type: str, predicate: object) -> Statement:
    return Statement(predicate_type, (), predicate)


def test_the_builder_of_both_versions_is_read() -> None:
    assert builder_id(said(SLSA_02, {"builder": {"id": BUILDER}})) == BUILDER
    assert builder_id(said(SLSA_1, {"runDetails": {"builder": {"id": BUILDER}}})) == BUILDER


@pytest.mark.parametrize(
    "predicate",
    [None, [], "text", {}, {"builder": None}, {"builder": {"id": 1}}, {"builder": {"id": ""}}, {"builder": [1]}],
)
def test_a_provenance_without_builder_names_none(predicate: object) -> None:
    assert builder_id(said(SLSA_02, predicate)) is None


def test_the_place_of_one_version_is_not_read_in_another() -> None:
    assert builder_id(said(SLSA_1, {"builder": {"id": BUILDER}})) is None
    assert builder_id(said("https://example.com/x", {"builder": {"id": BUILDER}})) is None


@pytest.mark.parametrize(
    ("predicate_type", "predicate", "names"),
    [
        (
            SLSA_02,
            {"metadata": {"buildStartedOn": DATE, "buildFinishedOn": DATE}},
            ("buildStartedOn", "buildFinishedOn"),
        ),
        (SLSA_1, {"runDetails": {"metadata": {"finishedOn": DATE}}}, ("finishedOn",)),
        (
            "https://cosign.sigstore.dev/attestation/vuln/v1",
            {"metadata": {"scanStartedOn": DATE, "scanFinishedOn": DATE}},
            ("scanStartedOn", "scanFinishedOn"),
        ),
        ("https://openvex.dev/ns/v0.2.0", {"timestamp": DATE}, ("timestamp",)),
        ("https://spdx.dev/Document", {"creationInfo": {"created": DATE}}, ("created",)),
        ("https://cyclonedx.org/bom/v1.5", {"metadata": {"timestamp": "2026-03-01T13:00:00+01:00"}}, ("timestamp",)),
        ("https://example.com/x", {"timestamp": DATE}, ()),
    ],
)
def test_the_dates_of_known_predicates_are_read(
    predicate_type: str, predicate: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert claimed_times(said(predicate_type, predicate)) == tuple((name, MOMENT) for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01T12:00:00",
        "1970-01-01T00:00:00Z",
        "1980-01-01T00:00:00Z",
        "1970-01-01T01:00:00+01:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        7,
        None,
    ],
)
def test_dates_that_mean_unknown_are_left_out(text: object) -> None:
    assert claimed_times(said("https://openvex.dev/ns", {"timestamp": text})) == ()


def test_a_date_at_the_end_of_all_time_is_left_out() -> None:
    assert claimed_times(said("https://openvex.dev/ns", {"timestamp": "9999-12-31T23:59:59-14:00"})) == ()
