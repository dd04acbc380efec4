"""Patterns: what they match, which one wins, and which are refused."""

from __future__ import annotations

import pytest

from imgtrust.errors import UsageError
from imgtrust.policy.reach import covers, overlaps
from imgtrust.policy.scopes import check_pattern, edge_allowed, find_scope, matches
from imgtrust.policy.values import KeySigner, Policy, Scope, SignatureRule
from imgtrust.reference import Reference, Repository

YES: list[tuple[str, str]] = [
    ("**", "reg.example.com/team/app"),
    ("**", "oci:dir"),
    ("**", "oci:down/../up"),
    ("reg.example.com/team/app", "reg.example.com/team/app"),
    ("REG.example.com/team/app", "reg.EXAMPLE.com/team/app"),
    ("localhost:5000/app", "localhost:5000/app"),
    ("localhost:*/app", "localhost:5000/app"),
    ("111.dkr.ecr.*.amazonaws.com/team/**", "111.dkr.ecr.eu-west-3.amazonaws.com/team/a/b"),
    ("*.example.com/app", "a.example.com/app"),
    ("reg.example.com/team/*", "reg.example.com/team/app"),
    ("reg.example.com/te*m/a*", "reg.example.com/team/a"),
    ("reg.example.com/**", "reg.example.com/app"),
    ("reg.example.com/**/app", "reg.example.com/app"),
    ("reg.example.com/**/app", "reg.example.com/a/b/app"),
    ("reg.example.com/**/b/**", "reg.example.com/a/b/b/app"),
    ("**/app", "reg.example.com/team/app"),
    ("reg.example.com/*bc", "reg.example.com/abbbc"),
    ("reg.example.com/*b*cd", "reg.example.com/bbcccd"),
    ("reg.example.com/**/a/b", "reg.example.com/x/a/a/a/b"),
    ("reg.example.com/**/a/**/b/c", "reg.example.com/a/b/b/b/c"),
    ("oci:dir", "oci:./dir/"),
    ("oci:dir/**", "oci:dir//a/./b"),
    ("oci:/srv/**", "oci:/srv/a"),
    ("oci:**", "oci:/srv/a"),
    ("oci:**", "oci:../a"),
    ("oci:*", "oci:a"),
    ("oci:../*", "oci:../a"),
]
NO: list[tuple[str, str]] = [
    ("reg.example.com/team/app", "reg.example.com/team/app2"),
    ("reg.example.com/team/app", "xreg.example.com/team/app"),
    ("reg.example.com/team/*", "reg.example.com/team/a/b"),
    ("reg.example.com/*bc", "reg.example.com/axc"),
    ("reg.example.com/**/a/b", "reg.example.com/x/y/b"),
    ("reg.example.com/team/*", "reg.example.com/team"),
    ("reg.example.com/team/**", "reg.example.com/team"),
    ("reg.example.com/team/**", "reg.example.com/teams/app"),
    ("*.example.com/app", "a.b.example.com/app"),
    ("*.example.com/app", "example.com/app"),
    ("*/app", "reg.example.com/app"),
    ("localhost*/app", "localhost:5000/app"),
    ("111.dkr.ecr.*.amazonaws.com/**", "111.dkr.ecr.evil.com.amazonaws.com/app"),
    ("oci:srv/**", "oci:/srv/a"),
    ("oci:/srv/**", "oci:srv/a"),
    ("oci:*", "oci:/a"),
    ("oci:*/a", "oci:/a"),
    ("oci:**", "reg.example.com/app"),
    ("**/app", "oci:some/app"),
    ("oci:lax/**", "oci:lax/../strict"),
    ("oci:**", "oci:lax/../strict"),
]


def repository(name: str) -> Repository:
    return Reference.parse(name, bare=True).repository


@pytest.mark.parametrize(("pattern", "name"), YES)
def test_a_pattern_names(pattern: str, name: str) -> None:
    check_pattern(pattern)
    assert matches(pattern, repository(name))


@pytest.mark.parametrize(("pattern", "name"), NO)
def test_a_pattern_does_not_name(pattern: str, name: str) -> None:
    check_pattern(pattern)
    assert not matches(pattern, repository(name))


WINS: list[tuple[str, str, str]] = [
    ("reg.example.com/team/app", "reg.example.com/team/*", "reg.example.com/team/app"),
    ("reg.example.com/team/*", "reg.example.com/team/**", "reg.example.com/team/app"),
    ("reg.example.com/team/ap*", "reg.example.com/team/a*", "reg.example.com/team/app"),
    ("reg.example.com/team/**", "reg.example.com/**", "reg.example.com/team/app"),
    ("reg.example.com/team/**", "reg.example.com/**/app", "reg.example.com/team/app"),
    ("reg.example.com/**/app", "reg.example.com/**", "reg.example.com/team/app"),
    ("reg.example.com/**", "*.example.com/team/app", "reg.example.com/team/app"),
    ("*.example.com/**", "**", "reg.example.com/team/app"),
    ("**/app", "**", "reg.example.com/team/app"),
    ("oci:a/**", "oci:**", "oci:a/b"),
    ("oci:**", "**", "oci:a/b"),
]


def policy(*patterns: str) -> Policy:
    rule = SignatureRule(("release",))
    scopes = tuple(Scope(pattern, (pattern,), rule) for pattern in patterns)
    return Policy((KeySigner("release", "release.pub"),), scopes)


@pytest.mark.parametrize(("winner", "loser", "name"), WINS)
def test_the_most_specific_pattern_wins_wherever_it_stands(winner: str, loser: str, name: str) -> None:
    for order in ((winner, loser), (loser, winner)):
        scope = find_scope(policy(*order), repository(name))
        assert scope is not None
        assert scope.name == winner


def test_of_two_equally_specific_patterns_the_first_in_the_file_wins() -> None:
    for order in (("reg.io/a*b", "reg.io/ab*"), ("reg.io/ab*", "reg.io/a*b"), ("reg.io/a*b", "reg.io/*a*b*")):
        scope = find_scope(policy(*order), repository("reg.io/abab"))
        assert scope is not None
        assert scope.name == order[0]


def test_the_longest_pattern_is_still_read() -> None:
    check_pattern("r/" + "a" * 510)


def test_an_image_that_no_pattern_names_has_no_scope() -> None:
    assert find_scope(policy("reg.io/a", "oci:b"), repository("reg.io/b")) is None


def test_an_edge_needs_a_pattern_of_its_own() -> None:
    scope = Scope("s", ("reg.io/**",), SignatureRule(("release",)), ("reg.io/prod/**", "oci:out"))
    assert edge_allowed(scope, repository("reg.io/prod/app"))
    assert edge_allowed(scope, repository("oci:./out"))
    assert not edge_allowed(scope, repository("reg.io/app"))


BAD: list[tuple[str, str]] = [
    ("app", "no / between registry and repository"),
    ("reg.io/app:1.0", "is not a part of the name"),
    ("reg.io/app@sha256:00", "is not a part of the name"),
    ("reg.io/App", "'App' is not a part"),
    ("reg.io//app", "'' is not a part"),
    ("reg.io/", "'' is not a part"),
    ("reg_io/app", "'reg_io' is not the name of a registry"),
    ("reg.io/app**", "nothing may stand beside it"),
    ("reg.io/***", "nothing may stand beside it"),
    ("**.io/app", "nothing may stand beside it"),
    ("oci:", "not a directory of a layout"),
    ("oci:dir:tag", "not a directory of a layout"),
    ("oci:a/../b", "not a directory of a layout"),
    ("r/" + "a" * 511, "longer than 512"),
]


@pytest.mark.parametrize(("pattern", "said"), BAD)
def test_what_can_never_name_an_image_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(UsageError, match="is not a pattern for images") as caught:
        check_pattern(pattern)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("wide", "narrow", "yes"),
    [
        ("**", "reg.io/a", True),
        ("reg.io/a", "**", False),
        ("reg.io/**", "reg.io/a/*", True),
        ("reg.io/*/**", "reg.io/**/x/y", True),
        ("reg.io/*", "reg.io/**", False),
        ("reg.io/a*", "reg.io/*", False),
        ("*.io/a", "reg.io/a", True),
        ("oci:**", "oci:a/*", True),
    ],
)
def test_one_pattern_may_name_all_that_another_names(wide: str, narrow: str, yes: bool) -> None:  # noqa: FBT001 - an expected answer
    assert covers(wide, narrow) is yes
    assert not yes or overlaps(narrow, wide)
