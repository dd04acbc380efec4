"""Laws of policies: what is written is read, faults stand where they stand, and time changes what it says it does."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from imgtrust.errors import PolicyError, UsageError
from imgtrust.evidence import Unread
from imgtrust.policy.document import read_policy
from imgtrust.policy.durations import parse_duration, parse_time, show_duration, show_time
from imgtrust.policy.evaluate import evaluate
from imgtrust.policy.flags import TRUSTED_SOURCES
from imgtrust.policy.lines import locate
from imgtrust.policy.reach import covers
from imgtrust.policy.scopes import canonical_pattern, check_pattern, find_scope, matches, specificity
from imgtrust.policy.values import (
    EvidenceRule,
    KeylessSigner,
    KeySigner,
    NotarySigner,
    Policy,
    PublishRule,
    Scope,
    SignatureRule,
    SigstoreTrust,
    TimeTrust,
)
from imgtrust.policy.writing import quote, write_policy
from imgtrust.reference import LayoutRepository, RegistryRepository
from imgtrust.rules.dates import TICK
from imgtrust.rules.finding import RuleOutcome
from imgtrust.trust.identities import EXTENSIONS
from imgtrust.trust.times import TimeSource
from tests.simulators.facts import AT, POLICY, attestation, digest, image, signature, subject, time

if TYPE_CHECKING:
    from imgtrust.policy.lines import KeyPath
    from imgtrust.policy.values import Signer
    from imgtrust.reference import Repository
    from imgtrust.rules.facts import ImageFacts

NAMES = st.text("abzAZ09_-", min_size=1, max_size=8)
PRINTABLE = st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"])
TEXTS = st.text(PRINTABLE, min_size=1, max_size=20)
DURATIONS = st.integers(1, 36_525 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
PARTS = st.sampled_from(["a", "b", "ab", "a*", "*b", "*", "**", "a*b"])
HOSTS = st.sampled_from(["reg.io", "*.io", "reg.*", "a.reg.io", "*.reg.io", "localhost:5000", "localhost:*", "**"])
PATTERNS = st.one_of(
    st.just("**"),
    st.builds(lambda host, parts: "/".join([host, *parts]), HOSTS, st.lists(PARTS, min_size=1, max_size=4)),
    st.builds(lambda parts: "oci:" + "/".join(parts), st.lists(PARTS, min_size=1, max_size=4)),
    st.builds(lambda parts: "oci:/" + "/".join(parts), st.lists(PARTS, min_size=1, max_size=4)),
)
WORDS = st.sampled_from(["a", "b", "ab", "aab", "c"])
REPOSITORIES: st.SearchStrategy[Repository] = st.one_of(
    st.builds(
        lambda host, parts: RegistryRepository(host, "/".join(parts)),
        st.sampled_from(["reg.io", "x.io", "a.reg.io", "localhost:5000"]),
        st.lists(WORDS, min_size=1, max_size=4),
    ),
    st.builds(
        lambda root, parts: LayoutRepository(root + "/".join(parts)),
        st.sampled_from(["", "/"]),
        st.lists(WORDS, min_size=1, max_size=4),
    ),
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[datetime | None, datetime | None]:
    start, end = sorted(draw(st.lists(TIMES, min_size=2, max_size=2, unique=True)))
    return draw(st.sampled_from([(None, None), (start, None), (None, end), (start, end)]))


@st.composite
def publishes(draw: st.DrawFn) -> PublishRule:
    sources = draw(st.lists(st.sampled_from(TRUSTED_SOURCES), unique=True))
    short, long = sorted(draw(st.lists(DURATIONS, min_size=2, max_size=2)))
    age, soak = draw(st.sampled_from([(None, None), (long, None), (None, short), (long, short)]))
    rule = PublishRule(tuple(sources), age, soak, *draw(windows()))
    return rule if sources or rule == PublishRule() else replace(rule, trusted_time=TRUSTED_SOURCES)


@st.composite
def evidence(draw: st.DrawFn, names: list[str]) -> EvidenceRule:
    kind = draw(st.sampled_from(["slsa-provenance", "spdx", "https://example.com/own/v1"]))
    signed_by = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    builder = draw(st.none() | TEXTS) if kind == "slsa-provenance" else None
    return EvidenceRule(kind, tuple(signed_by), draw(st.none() | DURATIONS), builder)


@st.composite
def signer(draw: st.DrawFn, name: str, text: str, instances: list[str]) -> Signer:
    """A signer of any kind; ``text`` makes it another one than the others."""
    kind = draw(st.sampled_from(["key", "keyless", "pattern", "notary", "aws-signer"]))
    if kind == "key" or "-----BEGIN" in text:
        return KeySigner(name, text, *draw(windows()))
    if kind == "aws-signer":
        arn, version = name.encode().hex(), draw(st.sampled_from(["", "/abcdefghij"]))
        arns = [
            f"arn:aws:signer:eu-west-3:{n:012}:/signing-profiles/{arn}{version}" for n in range(draw(st.integers(1, 2)))
        ]
        return NotarySigner(name, kind, tuple(arns), tuple(draw(st.lists(NAMES, max_size=2, unique=True))))
    if kind == "notary":
        revocation = draw(st.sampled_from(["enforce", "log", "skip"]))
        return NotarySigner(name, "ca", (f"x509.subject: C=US, ST=WA, O={name}",), (f"{name}.crt",), revocation)
    chosen = draw(st.lists(st.sampled_from(list(EXTENSIONS)), max_size=2, unique=True))
    extensions = tuple((word, draw(TEXTS)) for word in EXTENSIONS if word in chosen)
    instance = draw(st.sampled_from(["public-good", *instances]))
    exact, pattern = (None, re.escape(text)) if kind == "pattern" else (text, None)
    return KeylessSigner(name, instance, draw(TEXTS), None, exact, pattern, extensions, draw(st.booleans()))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    pem = st.text("AZaz09+/=\n", min_size=1).map(lambda body: f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END-----\n")
    keys = draw(st.lists(TEXTS | pem, min_size=len(names), max_size=len(names), unique_by=str.strip))
    roots = draw(st.lists(NAMES.filter("public-good".__ne__), max_size=2, unique=True))
    instances = tuple(SigstoreTrust(name, draw(TEXTS)) for name in roots)
    signers = tuple(draw(signer(name, key, roots)) for name, key in zip(names, keys, strict=True))
    attesting = [signer.name for signer in signers if not isinstance(signer, NotarySigner)]
    number = draw(st.integers(1, 3))
    called = draw(st.lists(TEXTS, min_size=number, max_size=number, unique=True))
    images = draw(st.lists(PATTERNS, min_size=number, max_size=number * 2, unique_by=canonical_pattern))
    scopes = []
    for position, name in enumerate(called):
        any_of = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        scopes.append(
            Scope(
                name,
                tuple(images[position::number]),
                SignatureRule(tuple(any_of), draw(st.integers(1, len(any_of)))),
                tuple(draw(st.lists(PATTERNS, max_size=2, unique=True))),
                draw(publishes()),
                tuple(draw(st.lists(evidence(attesting), max_size=2)) if attesting else ()),
            )
        )
    trust = TimeTrust(tuple(draw(st.lists(TEXTS, max_size=2, unique=True))), draw(st.none() | TEXTS))
    return Policy(signers, tuple(scopes), trust, instances)


@given(policies())
def test_what_is_written_is_read(policy: Policy) -> None:
    assert read_policy(write_policy(policy).encode(), "policy.toml") == policy


@given(policies(), st.data())
def test_an_unknown_key_is_refused_with_the_line_where_it_stands(policy: Policy, data: st.DataObject) -> None:
    lines = write_policy(policy).splitlines()
    inside = False
    places = []
    for number, line in enumerate(lines):
        if not inside and (line.startswith(("[", "version"))) and not line.startswith("[signers]"):
            places.append(number + 1)
        inside ^= line.count('"""') % 2 == 1
    place = data.draw(st.sampled_from(places))
    lines.insert(place, "unheard_of = 1")
    with pytest.raises(PolicyError, match=f'line {place + 1}: unknown key "unheard_of"') as caught:
        read_policy("\n".join(lines).encode(), "policy.toml")
    assert caught.value.line == place + 1


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_make_anything_but_a_policy_or_one_error(data: bytes) -> None:
    try:
        read_policy(data, "policy.toml")
    except PolicyError as exc:
        assert str(exc).startswith("cannot read the policy policy.toml")  # noqa: PT017 - few bytes are a policy


@given(
    policies(), st.integers(0, 400), st.sampled_from(['"', "[", "]", "=", "#", "\n", "'''", "{", "x", "1", ".", ","])
)
def test_a_policy_with_one_slip_is_a_policy_or_one_error(policy: Policy, place: int, slip: str) -> None:
    text = write_policy(policy)
    place %= len(text)
    for changed in (text[:place] + slip + text[place:], text[:place] + text[place + 1 :]):
        try:
            read_policy(changed.encode(), "policy.toml")
        except PolicyError as exc:
            assert exc.line is None or 1 <= exc.line <= changed.count("\n") + 2  # noqa: PT017 - most slips are errors


SCALARS = st.one_of(
    st.integers(-9, 9).map(str),
    st.sampled_from(["true", "1.5e3", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00", "'a # ] } \" b'"]),
    st.text(max_size=6).filter(lambda text: not re.search("[\ud800-\udfff]", text)).map(quote),
    st.sampled_from(['"""\n[x]\n# = \\""" """', "'''\n[[y]]\nz = 1\n''''", '""""a"""""']),
)
KEYS = st.sampled_from(["a", "b-c", "1", '"q r"', "'l.m'", '"\\u0041"', '"#"'])


class Document:
    """A TOML text that grows, and where each of its keys stands."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def add(self, draw: st.DrawFn, path: KeyPath, depth: int) -> None:
        """Some pairs of one table."""
        for key in draw(st.lists(KEYS, max_size=3, unique=True)):
            self.text += draw(st.sampled_from(["", "  ", "# x = 1\n", "\n\n", "\t"]))
            self.lines[*path, plain(key)] = self.line
            self.text += f"{key}{draw(st.sampled_from(['=', ' = ', ' =	']))}"
            self.value(draw, (*path, plain(key)), depth)
            self.text += draw(st.sampled_from(["\n", " # [c]\n", "\n\n"]))

    def value(self, draw: st.DrawFn, path: KeyPath, depth: int) -> None:
        """One value; lists may take several lines, inline tables one."""
        kind = draw(st.sampled_from(["scalar", "scalar", "list", "table"] if depth else ["scalar"]))
        if kind == "scalar":
            self.text += draw(SCALARS)
        elif kind == "list":
            self.text += "["
            for number in range(draw(st.integers(0, 3))):
                self.text += draw(st.sampled_from(["", " ", "\n", " # ],\n  "]))
                self.lines[*path, number] = self.line
                self.value(draw, (*path, number), depth - 1)
                self.text += draw(st.sampled_from([",", " ,", "\n,", " # x\n ,"]))
            self.text += draw(st.sampled_from(["]", "\n]"]))
        else:
            self.text += "{"
            keys = draw(st.lists(KEYS, max_size=2, unique=True))
            for number, key in enumerate(keys):
                self.lines[*path, plain(key)] = self.line
                self.text += f" {key} = "
                self.value(draw, (*path, plain(key)), depth - 1)
                self.text += "," if number < len(keys) - 1 else ""
            self.text += " }"


def plain(key: str) -> str:
    """A key as TOML reads it."""
    return str(next(iter(tomllib.loads(f"{key} = 1"))))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    made = Document()
    made.add(draw, (), 2)
    for number in range(draw(st.integers(0, 2))):
        made.lines[(f"t{number}",)] = made.lines[f"t{number}", "u"] = made.line
        made.text += draw(st.sampled_from([f"[t{number}.u]\n", f"[ t{number} . 'u' ] # [v]\n"]))
        made.add(draw, (f"t{number}", "u"), 2)
    for number in range(draw(st.integers(0, 3))):
        made.lines.setdefault(("list",), made.line)
        made.lines["list", number] = made.line
        made.text += "[[list]]\n"
        made.add(draw, ("list", number), 1)
        if draw(st.booleans()):
            made.lines["list", number, "sub"] = made.lines["list", number, "sub", 0] = made.line
            made.text += "[[list.sub]]\n"
            made.add(draw, ("list", number, "sub", 0), 1)
    return made


@given(documents())
@settings(max_examples=200)
def test_every_key_is_found_on_the_line_where_it_was_written(document: Document) -> None:
    try:
        tomllib.loads(document.text)
    except tomllib.TOMLDecodeError:
        assume(False)  # noqa: FBT003 - hypothesis counts what was thrown away
    assert locate(document.text) == document.lines


def spelled(name: str) -> str:
    """The root of an absolute directory as a part of its own, which * does not stand for."""
    return re.sub("^oci:/", "oci:\x01/", name)


def as_expression(pattern: str) -> re.Pattern[str]:
    """The same pattern as a regular expression, written down in another way."""
    if pattern == "**":
        return re.compile(r".*")
    layout = pattern.startswith("oci:")
    parts = spelled(pattern).removeprefix("oci:").split("/")
    out = "oci:" if layout else "(?!oci:)"
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            out += r".+" if last else r"(?:[^/]*/)*"
        else:
            inside = "[^/.:]*" if number == 0 and not layout else "[^/\x01]*"
            out += inside.join(map(re.escape, part.split("*"))) + ("" if last else "/")
    return re.compile(out)


@given(PATTERNS, REPOSITORIES)
@example("oci:**", LayoutRepository("/a"))
@example("oci:*/a", LayoutRepository("/a"))
@example("oci:**/*/a", LayoutRepository("/a"))
@settings(max_examples=500)
def test_a_pattern_means_what_its_regular_expression_means(pattern: str, repository: Repository) -> None:
    check_pattern(pattern)
    expected = as_expression(pattern).fullmatch(spelled(str(repository))) is not None
    assert matches(pattern, repository) is expected


@given(st.lists(PATTERNS, min_size=1, max_size=5, unique_by=canonical_pattern), REPOSITORIES, st.randoms())
def test_which_scope_wins_does_not_depend_on_the_order_of_the_file(
    patterns: list[str], repository: Repository, shuffle: object
) -> None:
    rule = SignatureRule(("k",))
    scopes = [Scope(pattern, (pattern,), rule) for pattern in patterns]
    weights = [specificity(scope.name) for scope in scopes if matches(scope.name, repository)]
    first = find_scope(Policy((), tuple(scopes)), repository)
    assert (first is None) is (not weights)
    if first is None:
        return
    assert specificity(first.name) == max(weights)
    if len(set(weights)) == len(weights):
        shuffle.shuffle(scopes)  # type: ignore[attr-defined] # a random.Random
        assert find_scope(Policy((), tuple(scopes)), repository) == first


@given(PATTERNS, PATTERNS, REPOSITORIES)
def test_a_pattern_that_covers_another_names_what_it_names(wide: str, narrow: str, repository: Repository) -> None:
    if covers(wide, narrow) and matches(narrow, repository) and "a" not in wide + narrow and "b" not in wide + narrow:
        assert matches(wide, repository)


@given(st.text(max_size=12))
def test_a_duration_or_a_time_is_read_or_refused(text: str) -> None:
    for parse in (parse_duration, parse_time):
        try:
            parse(text)
        except UsageError:
            continue


@given(DURATIONS, TIMES)
def test_durations_and_times_that_are_written_are_read(duration: timedelta, moment: datetime) -> None:
    assert parse_duration(show_duration(duration)) == duration
    assert parse_time(show_time(moment)) == moment


AGES = st.integers(0, 40).map(lambda hours: timedelta(hours=hours))
PROVEN = st.lists(
    st.builds(
        lambda ago, accuracy, source: time(ago, accuracy=timedelta(seconds=accuracy), source=source),
        AGES,
        st.integers(0, 3),
        st.sampled_from([TimeSource.RFC3161, TimeSource.REKOR]),
    ),
    max_size=2,
)
SLSA = "https://slsa.dev/provenance/v1"


@st.composite
def signed(draw: st.DrawFn, where: str) -> list[object]:
    made: list[object] = []
    for number in range(draw(st.integers(0, 3))):
        who, times = draw(st.sampled_from(["release", "ci"])), draw(PROVEN)
        about, called = digest(where), f"{where} {number}"
        if draw(st.booleans()):
            made.append(signature(who, *times, subject=about, evidence=called))
        else:
            builder = {"runDetails": {"builder": {"id": draw(st.sampled_from(["good", "bad"]))}}}
            made.append(attestation(SLSA, who, *times, predicate=builder, subject=about, evidence=called))
    return made


@st.composite
def images(draw: st.DrawFn) -> ImageFacts:
    unread = [Unread("a referrer", "503")] if draw(st.booleans()) else []
    children = [
        subject(name, *draw(signed(name)), platform=f"linux/{name}")  # type: ignore[arg-type] # signatures
        for name in ("amd64", "arm64")[: draw(st.integers(0, 2))]
    ]
    return image(*draw(signed("root")), unread=unread, children=children)  # type: ignore[arg-type] # signatures


LIMITS = st.none() | st.integers(1, 40).map(lambda hours: timedelta(hours=hours))


@st.composite
def asked(draw: st.DrawFn) -> Policy:
    age, soak = draw(LIMITS), draw(LIMITS)
    start = draw(st.none() | AGES.map(lambda ago: AT - ago))
    rules = (EvidenceRule("slsa-provenance", ("ci", "release"), draw(LIMITS), draw(st.none() | st.just("good"))),)
    scope = Scope(
        "s",
        ("**",),
        SignatureRule(("release", "ci"), draw(st.integers(1, 2))),
        publish=PublishRule((TimeSource.RFC3161,), age, soak, start, None),
        evidence=rules[: draw(st.integers(0, 1))],
    )
    return Policy((KeySigner("release", "r"), KeySigner("ci", "c")), (scope,))


def outcomes(facts: ImageFacts, policy: Policy) -> list[RuleOutcome]:
    return [finding.outcome for finding in evaluate(facts, policy, POLICY).findings]


@given(images(), asked())
@settings(max_examples=200)
def test_a_rule_changes_when_it_says_so_and_not_a_moment_before(facts: ImageFacts, policy: Policy) -> None:
    findings = evaluate(facts, policy, POLICY).findings
    for position, finding in enumerate(findings):
        later = finding.changes_at or AT + timedelta(days=9999)
        before = outcomes(replace(facts, at=later - TICK), policy)[position]
        assert before is finding.outcome
        if finding.changes_at is not None:
            assert finding.changes_at > facts.at
            assert outcomes(replace(facts, at=finding.changes_at), policy)[position] is not finding.outcome


@given(images(), asked(), st.integers(1, 100))
@settings(max_examples=200)
def test_a_verdict_changes_when_it_says_so_and_not_before(facts: ImageFacts, policy: Policy, hours: int) -> None:
    verdict = evaluate(facts, policy, POLICY)
    if verdict.changes_at is None:
        then = evaluate(replace(facts, at=AT + timedelta(hours=hours)), policy, POLICY)
        assert then.outcome is verdict.outcome
        return
    assert evaluate(replace(facts, at=verdict.changes_at), policy, POLICY).outcome is not verdict.outcome
    between = min(facts.at + (verdict.changes_at - facts.at) * hours / 101, verdict.changes_at - TICK)
    assert evaluate(replace(facts, at=between), policy, POLICY).outcome is verdict.outcome


@given(images(), asked())
def test_nothing_on_a_platform_changes_what_is_said_of_the_index(facts: ImageFacts, policy: Policy) -> None:
    bare = replace(facts, children=tuple(replace(child, signatures=()) for child in facts.children))
    of_root = [
        [finding for finding in evaluate(one, policy, POLICY).findings if finding.subject == digest("root")]
        for one in (facts, bare)
    ]
    assert of_root[0] == of_root[1]


@given(images(), asked())
def test_the_order_in_which_evidence_is_found_does_not_matter(facts: ImageFacts, policy: Policy) -> None:
    turned = replace(facts, root=replace(facts.root, signatures=facts.root.signatures[::-1]))
    assert outcomes(turned, policy) == outcomes(facts, policy)


@given(images(), asked())
def test_one_more_signature_never_takes_a_signer_away(facts: ImageFacts, policy: Policy) -> None:
    more = replace(facts, root=replace(facts.root, signatures=(*facts.root.signatures, signature("ci", evidence="x"))))
    for one, other in zip(
        evaluate(facts, policy, POLICY).findings, evaluate(more, policy, POLICY).findings, strict=True
    ):
        assert one.rule != "signatures" or one.outcome is not RuleOutcome.PASS or other.outcome is RuleOutcome.PASS
