"""Signing configs: which services are chosen, and which files are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from imgtrust.errors import InputFileError
from imgtrust.signers.signingconfig import LogService, Services, read_signing_config

AT = datetime(2026, 6, 1, tzinfo=UTC)
MEDIA = "application/vnd.dev.sigstore.signingconfig.v0.2+json"


def service(url: str, version: int = 1, start: str = "2026-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    window = {"start": start, **({"end": more.pop("end")} if "end" in more else {})}
    return {"url": url, "majorApiVersion": version, "validFor": window, "operator": "acme", **more}


def read(**members: Any) -> Services:
    return read_signing_config(json.dumps({"mediaType": MEDIA, **members}).encode(), "config", at=AT)


def logs(*services: dict[str, Any], selector: str = "ANY", **rule: Any) -> tuple[LogService, ...]:
    return read(rekorTlogUrls=services, rekorTlogConfig={"selector": selector, **rule}).logs


def test_a_config_without_services_names_none() -> None:
    assert read() == Services(None, None)


def test_one_service_of_each_kind() -> None:
    found = read(
        caUrls=[service("https://ca")],
        oidcUrls=[service("https://oidc")],
        rekorTlogUrls=[service("https://log", 2)],
        rekorTlogConfig={"selector": "ANY"},
        tsaUrls=[service("https://tsa")],
        tsaConfig={"selector": "ANY"},
    )
    assert found == Services("https://ca", "https://oidc", (LogService("https://log", 2),), ("https://tsa",))


def test_the_highest_version_of_an_operator_counts_and_then_the_newest() -> None:
    old = service("https://old", 2, "2026-01-01T00:00:00Z")
    new = service("https://new", 2, "2026-02-01T00:00:00Z")
    assert logs(service("https://one", 1, "2026-03-01T00:00:00Z"), old, new) == (LogService("https://new", 2),)


def test_a_version_that_is_not_spoken_here_does_not_count() -> None:
    assert logs(service("https://three", 3), service("https://two", 2)) == (LogService("https://two", 2),)


@pytest.mark.parametrize("end", ["2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00"])
def test_the_ends_of_a_window_are_inside_it(end: str) -> None:
    assert logs(service("https://log", end=end)) == (LogService("https://log", 1),)
    assert logs(service("https://log", start="2026-06-01T00:00:00Z")) == (LogService("https://log", 1),)


@pytest.mark.parametrize("window", [{"start": "2026-06-01T00:00:01Z"}, {"end": "2026-05-31T23:59:59Z"}])
def test_outside_its_window_a_service_does_not_count(window: dict[str, Any]) -> None:
    with pytest.raises(InputFileError, match="asks for 1 services, and rekorTlogUrls has 0"):
        logs(service("https://log", **window))


def test_all_and_exact_take_several_operators() -> None:
    three = [service(f"https://{name}", operator=name) for name in ("a", "b", "c")]
    assert len(logs(*three, selector="ALL")) == 3
    assert len(logs(*three, selector="EXACT", count=2)) == 2
    assert len(logs(*three)) == 1


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"selector": "EXACT", "count": 2}, "asks for 2 services"),
        ({"selector": "EXACT"}, "asks for no services"),
        ({"selector": "SOME"}, "the selector of rekorTlogConfig is 'SOME'"),
        ({}, "the selector of rekorTlogConfig is ''"),
        (None, "the selector of rekorTlogConfig is ''"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(rule: dict[str, Any] | None, said: str) -> None:
    members = {} if rule is None else {"rekorTlogConfig": rule}
    with pytest.raises(InputFileError, match=said):
        read(rekorTlogUrls=[service("https://log")], **members)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "not JSON"),
        (b"[]", "config"),
        (b'{"mediaType": "x"}', "mediaType is 'x', expected"),
        (json.dumps({"mediaType": MEDIA, "caUrls": [{"url": "https://ca"}]}).encode(), "no start of its validity"),
        (
            json.dumps({"mediaType": MEDIA, "caUrls": [service("https://ca", start="today")]}).encode(),
            "start is 'today'",
        ),
        (
            json.dumps({"mediaType": MEDIA, "caUrls": [service("https://ca", start="2026-01-01T00:00:00")]}).encode(),
            "expected a time with a zone",
        ),
    ],
)
def test_what_is_no_signing_config_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputFileError, match=said):
        read_signing_config(data, "config", at=AT)
