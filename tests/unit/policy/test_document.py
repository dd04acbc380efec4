"""The policy file: what is read, and for each fault its line and what is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from imgtrust.errors import PolicyError
from imgtrust.policy.document import MAX_POLICY_BYTES, read_policy
from imgtrust.policy.identity import policy_id
from imgtrust.policy.values import EvidenceRule, KeySigner, Policy, PublishRule, Scope, SignatureRule, TimeTrust
from imgtrust.policy.vocabulary import TABLES
from imgtrust.reference import Digest
from imgtrust.trust.times import TimeSource

GATE: Final = """\
version = 1
[time]
tsa_roots = ["tsa.pem"]
trusted_root = "root.json"
[signers.release]                      # a key, valid for a while
key = "keys/release.pub"
not_before = 2026-01-01T00:00:00Z
not_after = 2027-01-01T01:00:00+01:00

[signers.ci]
key = '''
-----BEGIN PUBLIC KEY-----
AAAA
-----END PUBLIC KEY-----
'''

[[scopes]]                             # most specific wins
images = ["111122223333.dkr.ecr.*.amazonaws.com/team/**"]
promote_to = ["444455556666.dkr.ecr.eu-west-3.amazonaws.com/prod/**"]
signatures = { any_of = ["release", "ci"], count = 1 }
[scopes.publish]
trusted_time = ["tsa", "rekor"]
max_age = "90d"
min_soak = "24h"
[[scopes.evidence]]
type = "slsa-provenance"
signed_by = ["ci"]
builder = "https://github.com/actions/runner/github-hosted"
[[scopes.evidence]]
type = "spdx"
signed_by = ["ci", "release"]
max_age = "7d"

[[scopes]]
name = "the rest"
images = ["oci:/srv/images/**"]
[scopes.signatures]
any_of = ["release"]
[scopes.publish]
not_before = 2026-01-01T00:00:00Z
"""


def refused(text: str, source: str = "gate.toml") -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode(), source)
    assert str(caught.value).startswith(f"cannot read the policy {source}")
    return caught.value


def changed(old: str, new: str) -> PolicyError:
    """What is said of the policy above with one thing changed."""
    assert old in GATE
    return refused(GATE.replace(old, new, 1))


def test_a_policy_becomes_values() -> None:
    assert read_policy(GATE.encode(), "gate.toml") == Policy(
        signers=(
            KeySigner(
                "release",
                "keys/release.pub",
                datetime(2026, 1, 1, tzinfo=UTC),
                datetime(2027, 1, 1, tzinfo=UTC),
            ),
            KeySigner("ci", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        ),
        scopes=(
            Scope(
                name="111122223333.dkr.ecr.*.amazonaws.com/team/**",
                images=("111122223333.dkr.ecr.*.amazonaws.com/team/**",),
                signatures=SignatureRule(("release", "ci"), 1),
                promote_to=("444455556666.dkr.ecr.eu-west-3.amazonaws.com/prod/**",),
                publish=PublishRule((TimeSource.RFC3161, TimeSource.REKOR), timedelta(days=90), timedelta(hours=24)),
                evidence=(
                    EvidenceRule("slsa-provenance", ("ci",), None, "https://github.com/actions/runner/github-hosted"),
                    EvidenceRule("spdx", ("ci", "release"), timedelta(days=7)),
                ),
            ),
            Scope(
                name="the rest",
                images=("oci:/srv/images/**",),
                signatures=SignatureRule(("release",)),
                publish=PublishRule(
                    (TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY),
                    not_before=datetime(2026, 1, 1, tzinfo=UTC),
                ),
            ),
        ),
        time=TimeTrust(("tsa.pem",), "root.json"),
    )


LATER = [(title, key.name, key.later) for title, table in TABLES.items() for key in table.keys if key.later]


@pytest.mark.parametrize(("table", "word", "what"), LATER, ids=[f"{table}.{word}" for table, word, _ in LATER])
def test_words_of_later_versions_are_refused_by_name(table: str, word: str, what: str) -> None:
    places = {"": "version = 1", "scopes": "[[scopes]]"}
    line = next(n for n, text in enumerate(GATE.splitlines(), 1) if text.startswith(places[table]))
    place = GATE.splitlines()[line - 1]
    fault = changed(f"{place}\n", f"{place}\n{word} = [1]\n")
    assert fault.line == line + 1
    assert f"does not judge {what} yet" in str(fault)


FAULTS: list[tuple[str, str, int, str]] = [
    ("signatures = {", "signatues = {", 20, 'unknown key "signatues" in [[scopes]]; did you mean "signatures"?'),
    ("count = 1", "cuont = 1", 20, 'unknown key "cuont" in signatures of [[scopes]]; did you mean "count"?'),
    ("max_age", "maxage", 23, 'unknown key "maxage" in [scopes.publish]; did you mean "max_age"?'),
    ("builder =", "bilder =", 28, 'unknown key "bilder" in [[scopes.evidence]]; did you mean "builder"?'),
    ("not_before", "notbefore", 7, 'unknown key "notbefore" in [signers.release]; did you mean "not_before"?'),
    ("[time]", "[tiem]", 2, 'unknown key "tiem" in the top level; did you mean "time"?'),
    ("version = 1", "version = 1\nzzz = 1", 2, "expected one of version, time, sigstore, signers, scopes"),
    ("version = 1", "version = 2", 1, '"version" is 2, expected the number 1'),
    ("version = 1", "version = true", 1, '"version" is true or false, expected the number 1'),
    ("version = 1\n", "", 0, 'the top level needs "version": the version of this language: 1.'),
    ('type = "slsa-provenance"\n', "", 25, '[[scopes.evidence]] needs "type"'),
    ('key = "keys/release.pub"\n', "", 5, "[signers.release] needs exactly one of key, sigstore, notary"),
    ('"90d"', '"90 days"', 23, "'90 days' is not a duration"),
    ('"90d"', "90", 23, '"max_age" is a number, expected a duration in quotes, as in "90d"'),
    ('"90d"', "90.5", 23, '"max_age" is a number'),
    ('"24h"', '"2400h"', 24, '"min_soak" is longer than "max_age"'),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", 7, '"not_before" is a time without a zone, expected a time with'),
    ("2026-01-01T00:00:00Z", "2026-01-01", 7, '"not_before" is a date, expected a time with a zone'),
    ("2026-01-01T00:00:00Z", "07:32:00", 7, '"not_before" is a time of day, expected'),
    ("2026-01-01T00:00:00Z", '"2026-01-01T00:00:00Z"', 7, "is a string, expected a time with a zone, without quotes"),
    ("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", 7, "lies outside the calendar"),
    ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 8, '"not_after" is not later than "not_before"'),
    ('any_of = ["release", "ci"]', "any_of = []", 20, '"any_of" is empty: leave it out, or name something'),
    ('any_of = ["release", "ci"]', 'any_of = "ci"', 20, '"any_of" is a string, expected a list of strings: write ['),
    ('any_of = ["release", "ci"]', "any_of = 3", 20, '"any_of" is a number, expected a list of strings'),
    ('any_of = ["release", "ci"]', "any_of = [3]", 20, '"any_of" is a number, expected a list of strings'),
    ('any_of = ["release", "ci"]', 'any_of = ["ci", "ci"]', 20, '"any_of" has "ci" twice'),
    ('any_of = ["release", "ci"]', 'any_of = ["relase"]', 20, 'no signer of this policy; did you mean "release"?'),
    ('signed_by = ["ci"]', 'signed_by = ["qa"]', 27, "no signer of this policy; expected one of release, ci"),
    ("count = 1", "count = 0", 20, '"count" is 0, expected a whole number of at least 1'),
    ("count = 1", "count = 3", 20, '"count" asks for 3 distinct signers, "any_of" names 2'),
    ("count = 1", 'count = "1"', 20, '"count" is a string, expected a whole number'),
    ('"rekor"]', '"recor"]', 22, '"recor" is not known in "trusted_time"; did you mean "rekor"?'),
    ('"slsa-provenance"', '"slsa-provenence"', 26, "did you mean slsa-provenance?"),
    ('"slsa-provenance"', '"cyclonedx"', 28, '"builder" is asked of slsa-provenance only, a cyclonedx names none'),
    ("/team/**", "/team/x**", 18, "** stands for whole parts"),
    ("/prod/**", "/Prod/**", 19, '"promote_to": '),
    ('"oci:/srv/images/**"', '"111122223333.DKR.ecr.*.amazonaws.com/team/**"', 36, "one pattern, one scope"),
    ('name = "the rest"', 'name = "111122223333.dkr.ecr.*.amazonaws.com/team/**"', 35, "two scopes have the name"),
    ('name = "the rest"', 'name = ""', 35, '"name" is empty'),
    ('name = "the rest"', 'name = "a\\nb"', 35, '"name" is a string that cannot be printed'),
    ('name = "the rest"', 'name = " a"', 35, "with a blank at its beginning or end"),
    ('name = "the rest"', f'name = "{"x" * 5000}"', 35, '"name" is too long'),
    ('key = "keys/release.pub"', 'key = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"', 6, "this is a private key"),
    ("[signers.ci]", '[signers."c i"]', 10, '"c i" is no name in "signers": expected up to 64 letters'),
]


@pytest.mark.parametrize(("old", "new", "line", "said"), FAULTS, ids=[f"{new[:40]!r}" for _, new, _, _ in FAULTS])
def test_every_fault_has_its_line_and_says_what_was_expected(old: str, new: str, line: int, said: str) -> None:
    fault = changed(old, new)
    assert said in str(fault)
    assert fault.line == (line or None), str(fault)
    assert (f", line {line}: " if line else "gate.toml: ") in str(fault)


WHOLE: list[tuple[str, int | None, str]] = [
    ("version = 1\n[signers.a]\nkey='k'\n", None, 'the top level needs "scopes"'),
    ("version = 1\nscopes = []\n[signers.a]\nkey='k'\n", 2, '"scopes" is empty: leave it out, or ask for something'),
    ("version = 1\nscopes = 1\n", 2, '"scopes" is a number, expected a list of tables'),
    ("version = 1\nscopes = [1]\n", 2, '"scopes" is a number, expected a table'),
    ("version = 1\ntime = {}\n", 2, '"time" is empty: leave it out, or ask for something'),
    ("version = 1\ntime = 1\n", 2, '"time" is a number, expected a table'),
    ("version = 1\nsigners = {}\n", 2, '"signers" has 0 tables, expected 1 to 1000'),
    ("version = 1\nsigners = []\n", 2, '"signers" is a list, expected tables by name'),
    ("version = 1\n[signers]\na = 1\n", 3, '"a" is a number, expected a table'),
    ("version = 1\n[signers.a]\nkey = 1\n", 3, '"key" is a number, expected a string'),
    ("version = 1\n[time]\ntsa_roots = [" + '"x",' * 1001 + "]\n", 3, "has 1001 items, expected at most 1000"),
    ("version = 1\nversion = 2\n", 2, "not TOML: Cannot overwrite a value"),
    ("version = 1\n\n[scopes", 3, "not TOML: "),
    ("version = 1\n\nscopes = [", 3, "not TOML: "),
    ("version = " + "1" * 5000, None, "not TOML: "),
    ("a = " + "[" * 60_000, None, "nested too deep"),
    ("\n[" + "a." * 500_000 + "a]", 2, "a name with more than 32 dots"),
    ("b = { " + "'a' . \"b\"." * 50 + "a = 1 }", 1, "a name with more than 32 dots"),
]


@pytest.mark.parametrize(("text", "line", "said"), WHOLE, ids=[f"{text[:40]!r}" for text, _, _ in WHOLE])
def test_a_file_that_is_no_policy_is_refused(text: str, line: int | None, said: str) -> None:
    fault = refused(text)
    assert said in str(fault)
    assert fault.line == line


def test_a_key_is_limited_too() -> None:
    assert '"key" is too long' in str(changed("AAAA", "A" * 70_000))
    assert "cannot be printed" in str(changed("AAAA", "A\\u001b".replace("\\u001b", "\u009b")))


def test_what_is_not_utf_8_is_refused_with_its_line() -> None:
    with pytest.raises(PolicyError, match="line 2: not UTF-8") as caught:
        read_policy(b"version = 1\nname = '\xff'\n", "gate.toml")
    assert caught.value.line == 2


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(PolicyError, match="larger than 1048576 bytes"):
        read_policy(b"#" * (MAX_POLICY_BYTES + 1), "gate.toml")


def test_a_window_may_have_one_end_and_soak_may_be_as_long_as_age() -> None:
    text = GATE.replace("not_before = 2026-01-01T00:00:00Z\n", "", 1).replace('"24h"', '"90d"')
    policy = read_policy(text.encode(), "gate.toml")
    assert isinstance(policy.signers[0], KeySigner)
    assert policy.signers[0].not_before is None
    assert policy.scopes[0].publish.min_soak == policy.scopes[0].publish.max_age
    only_soak = read_policy(GATE.replace('max_age = "90d"\n', "").encode(), "gate.toml")
    assert only_soak.scopes[0].publish.max_age is None


def test_a_scope_without_dates_asks_for_none() -> None:
    text = GATE.rpartition("[scopes.publish]")[0]
    assert read_policy(text.encode(), "gate.toml").scopes[1].publish == PublishRule()


def test_lines_may_end_as_on_windows() -> None:
    assert read_policy(GATE.replace("\n", "\r\n").encode(), "gate.toml") == read_policy(GATE.encode(), "gate.toml")


def test_two_names_of_one_key_cannot_be_two_signers() -> None:
    text = GATE.replace('any_of = ["release", "ci"], count = 1', 'any_of = ["release", "same"], count = 2')
    text = text.replace("[signers.ci]", '[signers.same]\nkey = "keys/release.pub"\n[signers.ci]')
    assert '"count" asks for 2 distinct signers, "any_of" names 1' in str(refused(text))


def test_a_policy_is_named_by_its_exact_bytes() -> None:
    assert policy_id(b"x", "gate.toml").digest == Digest.of(b"x")


def test_a_scope_may_not_have_the_name_that_another_has_by_its_pattern() -> None:
    text = GATE.replace('name = "the rest"\n', "")
    text = text.replace("[[scopes]]  ", '[[scopes]]\nname = "oci:/srv/images/**" #', 1)
    fault = refused(text)
    assert 'two scopes have the name "oci:/srv/images/**"' in str(fault)
    assert fault.line == text.splitlines().index("[[scopes]]", 18) + 1
