"""Advice on policies, their explanation, their schema, and the one to start from."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time, timedelta
from typing import Any

import jsonschema
import pytest

from imgtrust.errors import PolicyError, UsageError
from imgtrust.policy.document import read_policy
from imgtrust.policy.explain import explain
from imgtrust.policy.lint import lint
from imgtrust.policy.schema import json_schema
from imgtrust.policy.starter import starter
from imgtrust.policy.values import EvidenceRule, KeySigner, Policy, PublishRule, Scope, SignatureRule, TimeTrust
from imgtrust.policy.vocabulary import TABLES, Kind
from imgtrust.reference import Reference, RegistryRepository
from imgtrust.trust.times import TimeSource
from tests.simulators.facts import AT
from tests.unit.policy.test_document import FAULTS, GATE, WHOLE

DAY = timedelta(days=1)
ALL = (TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY)
RULE = SignatureRule(("release",))
RELEASE = KeySigner("release", "release.pub", not_after=AT)
GOOD = Scope("good", ("reg.io/team/**",), RULE, publish=PublishRule(ALL, max_age=DAY))
TIME = TimeTrust(("tsa.pem",))


def codes(*scopes: Scope, signers: tuple[KeySigner, ...] = (RELEASE,), trust: TimeTrust = TIME) -> list[str]:
    return [advice.code for advice in lint(Policy(signers, scopes, trust))]


def test_a_tight_policy_needs_no_advice() -> None:
    assert codes(GOOD) == []


def test_signers_that_nothing_names_or_that_never_end_are_pointed_out() -> None:
    signers = (RELEASE, KeySigner("old", "old.pub"), KeySigner("twin", "release.pub", not_after=AT))
    assert codes(GOOD, signers=signers) == ["signer.unused", "signer.no_end", "signer.unused", "signer.same_key"]


def test_a_signer_of_evidence_is_used() -> None:
    scope = Scope("s", ("reg.io/a",), RULE, publish=GOOD.publish, evidence=(EvidenceRule("spdx", ("ci",)),))
    assert codes(scope, signers=(RELEASE, KeySigner("ci", "ci.pub", not_after=AT))) == []


def test_times_that_nobody_may_prove_are_pointed_out() -> None:
    assert codes(GOOD, trust=TimeTrust()) == ["time.no_authority"]
    assert codes(GOOD, trust=TimeTrust((), "root.json")) == []


def test_a_policy_without_any_date_needs_no_authority() -> None:
    scope = Scope("s", ("reg.io/a",), RULE)
    assert codes(scope, signers=(KeySigner("release", "k"),), trust=TimeTrust()) == ["signer.no_end", "publish.no_time"]


def test_a_scope_for_everything_and_an_edge_to_everywhere_are_pointed_out() -> None:
    scope = Scope("s", ("**",), RULE, ("**",), publish=GOOD.publish)
    assert codes(scope) == ["scope.everything", "promote.everywhere"]


def test_an_edge_into_its_own_scope_is_pointed_out() -> None:
    scope = Scope("s", ("reg.io/team/**",), RULE, ("reg.io/team/prod/*", "reg.io/prod/**"), publish=GOOD.publish)
    assert codes(scope) == ["promote.to_itself"]


@pytest.mark.parametrize(
    ("publish", "code"),
    [
        (PublishRule(), "publish.no_time"),
        (PublishRule(ALL), "publish.no_max_age"),
        (PublishRule((TimeSource.REKOR,), max_age=DAY), "publish.no_source"),
    ],
)
def test_weak_dates_are_pointed_out(publish: PublishRule, code: str) -> None:
    assert codes(Scope("s", ("reg.io/a",), RULE, publish=publish)) == [code]


def test_a_scan_of_any_age_is_pointed_out() -> None:
    scope = Scope("s", ("reg.io/a",), RULE, publish=GOOD.publish, evidence=(EvidenceRule("vuln", ("release",)),))
    assert codes(scope) == ["evidence.no_max_age"]


def test_a_pattern_that_decides_nothing_is_pointed_out() -> None:
    wide = Scope("wide", ("reg.io/*/**",), RULE, publish=GOOD.publish)
    lost = Scope("lost", ("reg.io/**/x/y",), RULE, publish=GOOD.publish)
    first = Scope("first", ("reg.io/a*c",), RULE, publish=GOOD.publish)
    second = Scope("second", ("reg.io/a*cc",), RULE, publish=GOOD.publish)
    assert codes(lost, wide) == ["pattern.unreachable"]
    assert codes(first, second) == []


def explained(name: str = "reg.io/team/app:1", **more: Any) -> Any:
    scope = Scope(
        "team",
        ("reg.io/**", "reg.io/team/*"),
        SignatureRule(("release", "ci")),
        ("prod.io/**",),
        PublishRule(ALL, DAY, 12 * DAY / 24, AT, AT),
        (EvidenceRule("slsa-provenance", ("ci",), DAY, "b"), EvidenceRule("spdx", ("ci",))),
    )
    policy = Policy((RELEASE, KeySigner("ci", "ci.pub")), (scope, Scope("rest", ("**",), RULE)), TIME)
    return explain(policy, Reference.parse(name), **more).document()


def test_an_explanation_says_which_pattern_won_and_what_it_asks() -> None:
    told = explained(destination=RegistryRepository("prod.io", "app"))
    assert (told["scope"], told["pattern"]) == ("team", "reg.io/team/*")
    assert told["others"] == [{"scope": "team", "pattern": "reg.io/**"}, {"scope": "rest", "pattern": "**"}]
    assert [(rule["rule"], rule["required"]) for rule in told["rules"]] == [
        ("integrity", "every manifest and every blob matches its digest"),
        ("signatures", "1 needed (any of release, ci)"),
        (
            "publish.trusted_time",
            "each of these signatures has a proven time (tsa or rekor or signing-authority)",
        ),
        ("publish.max_age", "published at most 1d ago"),
        ("publish.min_soak", "published at least 12h ago"),
        ("publish.window", "published at or after 2026-11-23T21:00:00Z"),
        ("publish.window", "published at or before 2026-11-23T21:00:00Z"),
        ("evidence.slsa-provenance", "by one of ci, at most 1d old, from the builder b"),
        ("evidence.spdx", "by one of ci"),
        ("promotion.edge", "prod.io/app is allowed by promote_to"),
    ]


def test_an_explanation_says_what_a_build_has_to_attach() -> None:
    attest = "imgtrust attest --key ci.key --type {} --predicate FILE --tsa URL reg.io/team/app:1"
    sign = "imgtrust sign --key {}.key --tsa URL reg.io/team/app:1"
    assert [(each["type"], each["signer"], each["as"], each["command"]) for each in explained()["attach"]] == [
        ("signature", "release", None, sign.format("release")),
        ("signature", "ci", None, sign.format("ci")),
        ("https://slsa.dev/provenance/v1", "ci", None, attest.format("slsa-provenance")),
        ("https://spdx.dev/Document", "ci", None, attest.format("spdx")),
    ]


def test_an_edge_that_is_not_allowed_is_said_so() -> None:
    told = explained(destination=RegistryRepository("elsewhere.io", "app"))
    assert told["rules"][-1]["required"] == "elsewhere.io/app is NOT allowed by promote_to"


def test_a_scope_without_dates_asks_for_no_time_stamp() -> None:
    assert explained("other.io/a:1")["attach"][0]["command"] == "imgtrust sign --key release.key other.io/a:1"


def test_an_image_that_nothing_names_is_denied() -> None:
    policy = Policy((RELEASE,), (GOOD,), TIME)
    assert explain(policy, Reference.parse("other.io/a:1")).document()["scope"] is None


@pytest.mark.parametrize(
    "more", [{}, {"tsa_root": "tsa.pem", "promote_to": "prod.io/**", "images": "reg.io/**", "key": "env://KEY"}]
)
def test_the_policy_to_start_from_is_one(more: dict[str, str]) -> None:
    policy = read_policy(starter(**more).encode(), "new.toml")
    assert policy.scopes[0].publish.max_age == (90 * DAY if more else None)


def test_the_policy_to_start_from_is_still_one_with_every_comment_taken_away() -> None:
    text = re.sub(r"^# (?=\[|[a-z_]+ =)", "", starter(tsa_root="tsa.pem"), flags=re.MULTILINE)
    policy = read_policy(text.encode(), "new.toml")
    assert policy.scopes[0].evidence[0].type == "slsa-provenance"
    assert policy.scopes[0].promote_to == ("registry.example.com/prod/**",)
    assert isinstance(policy.signers[0], KeySigner)
    assert policy.signers[0].not_after is not None


def test_a_policy_to_start_from_needs_a_pattern_that_can_name_something() -> None:
    with pytest.raises(UsageError):
        starter("App")


def as_editors_see_it(value: object) -> object:
    """TOML as JSON: times are strings."""
    match value:
        case dict():
            return {name: as_editors_see_it(item) for name, item in value.items()}
        case list():
            return [as_editors_see_it(item) for item in value]
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return value


SCHEMA = jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_one_and_accepts_what_the_reader_reads() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for text in (GATE, starter(), starter(tsa_root="tsa.pem")):
        SCHEMA.validate(as_editors_see_it(tomllib.loads(text)))


STRUCTURE = [
    (old, new)
    for old, new, _, said in FAULTS
    if "unknown key" in said or " needs " in said or ("expected" in said and "a string, expected a time" not in said)
    if not any(word in said for word in ("pattern", "cannot be printed", "blank", "a private", "one of", "did you"))
] + [(old, new) for old, new, _, said in FAULTS if "unknown key" in said]


@pytest.mark.parametrize(("old", "new"), STRUCTURE, ids=[repr(new[:40]) for _, new in STRUCTURE])
def test_the_schema_refuses_what_the_reader_refuses_for_its_shape(old: str, new: str) -> None:
    text = GATE.replace(old, new, 1)
    with pytest.raises(PolicyError):
        read_policy(text.encode(), "gate.toml")
    assert not SCHEMA.is_valid(as_editors_see_it(tomllib.loads(text)))


def test_the_schema_refuses_files_that_are_no_policies() -> None:
    for text, _, said in WHOLE:
        if not any(word in said for word in ("TOML", "nested", "dots")):
            assert not SCHEMA.is_valid(as_editors_see_it(tomllib.loads(text))), text


def test_the_schema_and_the_reader_know_the_same_words() -> None:
    def words(schema: Any) -> set[str]:
        found = set(schema.get("properties", {}))
        below = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
        return found.union(*(words(item) for item in below if isinstance(item, dict)))

    assert words(json_schema()) == {key.name for table in TABLES.values() for key in table.keys if not key.later}


def test_every_word_says_what_it_means() -> None:
    for table in TABLES.values():
        assert table.doc
        for key in table.keys:
            assert key.later or key.doc
            assert (key.kind in {Kind.TABLE, Kind.TABLES, Kind.NAMED}) is (key.table in TABLES and key.table != "")
