"""Keyless and Notary signers in a policy: what is read, what is written again, and each fault with its line."""

from __future__ import annotations

import tomllib
from typing import Final

import jsonschema
import pytest

from imgtrust.errors import PolicyError, UsageError
from imgtrust.policy.document import read_policy
from imgtrust.policy.explain import explain
from imgtrust.policy.flags import Shorthand, policy_from_flags
from imgtrust.policy.lint import lint
from imgtrust.policy.patterns import MAX_PATTERN, compile_pattern
from imgtrust.policy.schema import json_schema
from imgtrust.policy.subjectnames import parse_identity
from imgtrust.policy.values import KeylessSigner, KeySigner, NotarySigner, SigstoreTrust, TimeTrust
from imgtrust.policy.ways import way_of
from imgtrust.policy.writing import write_policy
from imgtrust.reference import Reference
from imgtrust.rules.requirements import EvidenceRule
from imgtrust.rules.ways import Means, Way
from tests.unit.policy.test_advice import as_editors_see_it

GITHUB: Final = "https://token.actions.githubusercontent.com"
WORKFLOW: Final = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
PROFILE: Final = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"
SUBJECT: Final = "x509.subject: C=US, ST=WA, O=Acme"

FIELD: Final = f"""\
version = 1
[sigstore.acme]
trusted_root = "acme.json"
[signers.ci]
sigstore = "public-good"
issuer = "{GITHUB}"
identity = "{WORKFLOW}"
source_repository = "https://github.com/acme/app"
build_trigger = "push"
[signers.people]
sigstore = "acme"
issuer_regexp = "https://id\\\\.acme\\\\.example/[a-z]+"
identity_regexp = ".+@acme\\\\.example"
log = false
[signers.aws]
notary = "aws-signer"
profile = "{PROFILE}"
[signers.notation]
notary = "ca"
roots = ["acme.crt"]
identities = ["{SUBJECT}", "*"]
revocation = "log"
[[scopes]]
images = ["reg.example.com/**"]
signatures = {{ any_of = ["ci", "people", "aws", "notation"], count = 4 }}
publish = {{ trusted_time = ["rekor", "signing-authority"], max_age = "90d" }}
[[scopes.evidence]]
type = "spdx"
signed_by = ["aws", "ci"]
"""
SIGNERS: Final = (
    KeylessSigner(
        "ci",
        "public-good",
        GITHUB,
        None,
        WORKFLOW,
        None,
        (("source_repository", "https://github.com/acme/app"), ("build_trigger", "push")),
    ),
    KeylessSigner("people", "acme", None, r"https://id\.acme\.example/[a-z]+", None, r".+@acme\.example", log=False),
    NotarySigner("aws", "aws-signer", (PROFILE,)),
    NotarySigner("notation", "ca", (SUBJECT, "*"), ("acme.crt",), "log"),
)


def test_signers_of_every_kind_become_values() -> None:
    policy = read_policy(FIELD.encode(), "gate.toml")
    assert policy.signers == SIGNERS
    assert policy.sigstore == (SigstoreTrust("acme", "acme.json"),)
    assert policy.scopes[0].signatures.count == len(SIGNERS)


def test_signers_of_every_kind_are_written_as_they_are_read() -> None:
    policy = read_policy(FIELD.encode(), "gate.toml")
    text = write_policy(policy)
    assert read_policy(text.encode(), "again.toml") == policy
    assert f'[signers.aws]\nnotary = "aws-signer"\nprofile = "{PROFILE}"\n\n' in text
    assert 'revocation = "log"' in text
    assert text.count("revocation") == 1
    assert text.count("log = false") == 1


def test_the_schema_knows_them_too() -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(as_editors_see_it(tomllib.loads(FIELD)))


FAULTS: Final[list[tuple[str, str, int, str]]] = [
    ('sigstore = "public-good"\n', "", 4, "[signers.ci] needs exactly one of key, sigstore, notary"),
    ('sigstore = "public-good"', 'sigstore = "public-good"\nkey = "k"', 6, '"sigstore" and "key", expected exactly'),
    ('sigstore = "public-good"', 'sigstore = "acmee"', 5, 'no [sigstore.NAME] of this policy; did you mean "acme"?'),
    (
        'sigstore = "public-good"',
        'sigstore = "public-good"\nroots = ["r"]',
        6,
        '"roots" in [signers.ci] belongs to "no',
    ),
    (f'issuer = "{GITHUB}"\n', "", 5, 'needs exactly one of issuer, issuer_regexp beside "sigstore"'),
    (f'identity = "{WORKFLOW}"\n', "", 5, 'needs exactly one of identity, identity_regexp beside "sigstore"'),
    ("log = false", 'identity = "x"', 14, 'has "identity_regexp" and "identity", expected exactly one of'),
    ("log = false", 'log = "no"', 14, '"log" is a string, expected true or false'),
    ("log = false", "not_after = 2026-01-01T00:00:00Z", 14, '"not_after" in [signers.people] belongs to "key"'),
    ("build_trigger", "build_triger", 9, 'unknown key "build_triger" in [signers.ci]; did you mean "build_trigger"?'),
    ('".+@acme', '"(.+@acme', 13, '"identity_regexp": not a pattern: missing ), unterminated subpattern'),
    ('".+@acme', '"(a+)+@acme', 13, '"identity_regexp": a repeated group that itself has a repeat'),
    ("[sigstore.acme]", "[sigstore.public-good]", 2, '"public-good" is built in: give yours another name'),
    ('trusted_root = "acme.json"', "", 2, '[sigstore.acme] needs "trusted_root": its trusted root'),
    ('notary = "aws-signer"', 'notary = "aws"', 16, '"aws" is not known in "notary"; expected one of ca, signing-auth'),
    (f'profile = "{PROFILE}"', "", 16, 'needs exactly one of identities, profile beside "notary"'),
    (f'profile = "{PROFILE}"', 'profile = "release"', 17, '"release" is no signing profile: expected arn:aws:signer'),
    (f'identities = ["{SUBJECT}", "*"]', 'profile = "x"', 21, '"profile" is asked of "aws-signer" only, a "ca" has'),
    (f'identities = ["{SUBJECT}"', f'profile = "x"\nidentities = ["{SUBJECT}"', 22, 'has "profile" and "identities"'),
    ('roots = ["acme.crt"]\n', "", 19, 'a "ca" needs "roots"'),
    ('"acme.crt"', '"acme.crt#sha1:00"', 20, "expected FILE, or FILE#sha256: with 64 hex digits"),
    (SUBJECT, "Acme", 21, '"Acme" is no identity: expected "x509.subject: C='),
    ('"log"', '"maybe"', 22, '"maybe" is not known in "revocation"; expected one of enforce, log, skip'),
    ('"aws", "ci"]\n', '"aws"]\n', 29, "names Notary signers only"),
]


@pytest.mark.parametrize(("old", "new", "line", "said"), FAULTS, ids=[f"{new[:40]!r}" for _, new, _, _ in FAULTS])
def test_every_fault_of_a_signer_has_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in FIELD
    with pytest.raises(PolicyError) as caught:
        read_policy(FIELD.replace(old, new, 1).encode(), "gate.toml")
    assert said in str(caught.value)
    assert caught.value.line == line, str(caught.value)


def test_two_names_for_the_same_questions_are_one_signer() -> None:
    twin = FIELD.replace(
        "[signers.people]",
        f"""[signers.twin]
sigstore = "public-good"
issuer = "{GITHUB}"
identity = "{WORKFLOW}"
source_repository = "https://github.com/acme/app"
build_trigger = "push"
[signers.people]""",
    ).replace('any_of = ["ci", "people", "aws", "notation"], count = 4', 'any_of = ["ci", "twin"], count = 2')
    with pytest.raises(PolicyError, match='"count" asks for 2 distinct signers, "any_of" names 1'):
        read_policy(twin.encode(), "gate.toml")
    (advice,) = [
        item for item in lint(read_policy(twin.replace("count = 2", "count = 1").encode(), "x")) if "same" in item.code
    ]
    assert (advice.code, advice.where) == ("signer.same_identity", "[signers.twin]")


def advised(text: str) -> set[str]:
    return {advice.code for advice in lint(read_policy(text.encode(), "gate.toml"))}


def test_signers_that_let_in_more_than_one_thinks_are_pointed_out() -> None:
    assert advised(FIELD) == {"identity.anybody", "signer.no_log", "signer.revocation"}
    assert "identity.anybody" in advised(FIELD.replace(', "*"]', "]").replace(".+@acme\\\\.example", ".*"))
    assert "identity.anybody" not in advised(FIELD.replace(', "*"]', "]"))


def test_an_instance_that_no_signer_names_is_pointed_out() -> None:
    assert "sigstore.unused" in advised(FIELD.replace('sigstore = "acme"', 'sigstore = "public-good"'))


def test_times_that_no_signer_of_the_scope_could_have_are_pointed_out() -> None:
    only = FIELD.replace('any_of = ["ci", "people", "aws", "notation"], count = 4', 'any_of = ["notation"]')
    assert "publish.no_source" in advised(only.replace('"rekor", "signing-authority"', '"signing-authority"'))
    assert "publish.no_source" in advised(only.replace('"rekor", "signing-authority"', '"rekor"'))
    assert "publish.no_source" not in advised(FIELD)
    assert "publish.no_source" not in advised(FIELD.replace('"rekor", "signing-authority"', '"rekor"'))


def test_a_key_has_times_of_logs_only_where_their_trusted_root_is_named() -> None:
    text = """version = 1
[signers.release]
key = "release.pub"
[[scopes]]
images = ["reg.example.com/**"]
signatures = { any_of = ["release"] }
publish = { trusted_time = ["rekor"] }
"""
    assert "publish.no_source" in advised(text)
    assert "publish.no_source" not in advised(f'{text}[time]\ntrusted_root = "public-good"\n')


def test_a_key_with_a_window_needs_an_authority_whatever_stands_beside_it() -> None:
    window = FIELD.replace("[signers.ci]", '[signers.key]\nkey = "k"\nnot_after = 2030-01-01T00:00:00Z\n[signers.ci]')
    assert "time.no_authority" in advised(window)
    assert "time.no_authority" not in advised(FIELD)


def test_an_explanation_says_how_each_kind_signs() -> None:
    explanation = explain(read_policy(FIELD.encode(), "gate.toml"), Reference.parse("reg.example.com/app:1"))
    own = "--signing-config FILE --trusted-root FILE --rekor-url URL"
    aws = "notation sign --plugin com.amazonaws.signer.notation.plugin"
    assert [(step.type, step.signer, step.command) for step in explanation.attach] == [
        ("signature", "ci", "imgtrust sign --keyless --rekor-url URL reg.example.com/app:1"),
        ("signature", "people", f"imgtrust sign --keyless {own} reg.example.com/app:1"),
        ("signature", "aws", f"{aws} --id {PROFILE} reg.example.com/app:1"),
        ("signature", "notation", "imgtrust sign --notary-key notation.key --notary-chain PEM reg.example.com/app:1"),
        (
            "https://spdx.dev/Document",
            "ci",
            "imgtrust attest --keyless --type spdx --predicate FILE --tsa URL reg.example.com/app:1",
        ),
    ]
    assert [step.whom for step in explanation.attach[:4]] == [
        f"{WORKFLOW} ({GITHUB}, source_repository https://github.com/acme/app, build_trigger push)",
        "a name that matches .+@acme\\.example (an issuer that matches https://id\\.acme\\.example/[a-z]+)",
        PROFILE,
        SUBJECT,
    ]


def test_anybody_under_a_root_is_nobody_in_particular() -> None:
    for identities in (("*",), ()):
        assert way_of(NotarySigner("acme", "signing-authority", identities)) == Way("acme", Means.AUTHORITY)


KEYLESS: Final = Shorthand(identity=WORKFLOW, issuer=GITHUB)
NOTARY: Final = Shorthand(notary_roots=("acme.crt",), notary_identities=(SUBJECT,))


def test_flags_name_a_keyless_signer_of_the_public_good_instance() -> None:
    policy = policy_from_flags(KEYLESS)
    assert policy.signers == (KeylessSigner("keyless", "public-good", GITHUB, None, WORKFLOW, None),)
    assert (policy.sigstore, policy.time) == ((), TimeTrust())


def test_a_trusted_root_among_flags_is_for_identities_and_time_stamps() -> None:
    policy = policy_from_flags(
        Shorthand(
            identity_regexp=".*@acme", issuer_regexp="https://.*", trusted_root="acme.json", keys=("keyless.pub",)
        )
    )
    assert policy.sigstore == (SigstoreTrust("trusted-root", "acme.json"),)
    assert policy.time == TimeTrust((), "acme.json")
    key, keyless = policy.signers
    assert (key.name, keyless.name) == ("keyless", "keyless-2")
    assert isinstance(keyless, KeylessSigner)
    assert (keyless.sigstore, keyless.identity_regexp, keyless.issuer_regexp) == (
        "trusted-root",
        ".*@acme",
        "https://.*",
    )


def test_flags_name_a_notary_signer() -> None:
    assert policy_from_flags(NOTARY).signers == (NotarySigner("notary", "ca", (SUBJECT,), ("acme.crt",)),)
    aws = Shorthand(notary_identities=(PROFILE, PROFILE), revocation="log")
    assert policy_from_flags(aws).signers == (NotarySigner("notary", "aws-signer", (PROFILE,), (), "log"),)


def test_flags_of_all_kinds_combine_and_are_written_as_a_policy() -> None:
    flags = Shorthand(
        keys=("release.pub",),
        identity=WORKFLOW,
        issuer=GITHUB,
        trusted_root="acme.json",
        notary_roots=("acme.crt",),
        notary_identities=(SUBJECT,),
        notary_type="signing-authority",
        count=3,
        evidence=("spdx",),
    )
    policy = policy_from_flags(flags)
    assert [type(signer) for signer in policy.signers] == [KeySigner, KeylessSigner, NotarySigner]
    assert policy.scopes[0].evidence == (EvidenceRule("spdx", ("release", "keyless")),)
    assert read_policy(write_policy(policy).encode(), "saved.toml") == policy


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (Shorthand(identity=WORKFLOW), "exactly one of --certificate-oidc-issuer and --certificate-oidc-issuer-regexp"),
        (Shorthand(issuer=GITHUB), "exactly one of --certificate-identity and --certificate-identity-regexp"),
        (Shorthand(issuer=GITHUB, identity="a", identity_regexp="a"), "exactly one of --certificate-identity"),
        (Shorthand(issuer=GITHUB, identity=""), "--certificate-identity is empty"),
        (Shorthand(issuer=GITHUB, identity_regexp="("), "not a pattern"),
        (Shorthand(issuer=GITHUB, identity="a", count=2), "--count 2 asks for more distinct signers than the 1"),
        (Shorthand(notary_roots=("r",)), "needs --notary-identity"),
        (Shorthand(revocation="skip"), "needs --notary-identity"),
        (Shorthand(notary_identities=(SUBJECT,)), "needs --notary-roots"),
        (Shorthand(notary_identities=("Acme",), notary_roots=("r",)), '"Acme" is no identity'),
        (Shorthand(notary_identities=(SUBJECT,), notary_roots=("r#",)), "is no file of roots"),
        (Shorthand(notary_identities=(SUBJECT,), notary_type="tsa"), '--notary-type "tsa" is not known'),
        (Shorthand(notary_identities=(PROFILE,), revocation="no"), '--revocation "no" is not known'),
        (Shorthand(notary_identities=(PROFILE,), evidence=("spdx",)), "which Notary does not make"),
    ],
)
def test_half_of_a_signer_is_refused(flags: Shorthand, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy_from_flags(flags)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (
            r"https://github\.com/acme/[^/]+/\.github/workflows/.*@refs/tags/v[0-9]+(?:\.[0-9]+){2}",
            "https://github.com/acme/app/.github/workflows/r.yml@refs/tags/v1.22.3",
        ),
        (r"(?:main|release/\d{2}|)x?", "release/12"),
        (r"[^]x]+y?", "ay"),
        (r"(ab)*\)+\[", "abab))["),
        (r"a{2,}?b{,3}", "aaab"),
        (r"{x}", "{x}"),
    ],
)
def test_a_pattern_of_the_allowed_kind_matches(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).fullmatch(text)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(a+)+", "a repeated group that itself has a repeat or a choice"),
        ("((?:a?b)c)*", "a repeated group that itself has a repeat"),
        ("(a|aa){5}", "a repeated group that itself has a repeat or a choice"),
        ("(a*){2,}", "a repeated group"),
        ("(?i)a", 'expected plain groups, "(" or "(?:"'),
        ("(?=a)b", "expected plain groups"),
        ("(?", "expected plain groups"),
        (r"(a)\1", "a back-reference"),
        ("[a[b]", "write \\[, \\-"),
        ("[a--b]", "write \\["),
        ("a)", 'a ")" without its "("'),
        ("a" * (MAX_PATTERN + 1), "expected at most 512"),
        ("a*" * 17, "more than 16 open repeats"),
        ("*a", "not a pattern: nothing to repeat"),
        ("a{99999999999}", "not a pattern"),
        ("[", "not a pattern"),
    ],
)
def test_a_pattern_that_could_run_for_ever_or_surprise_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_pattern(pattern)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("*", ()),
        (SUBJECT, (("C", "US"), ("ST", "WA"), ("O", "Acme"))),
        ("x509.subject:o=Acme\\, Inc. ,S=W A,c=US", (("O", "Acme, Inc."), ("ST", "W A"), ("C", "US"))),
        ("x509.subject: C=US,ST=a\\c3\\A9,O=b\\ ", (("C", "US"), ("ST", "aé"), ("O", "b "))),
        ("x509.subject: C=US,ST=a,O=b\\=c d=e", (("C", "US"), ("ST", "a"), ("O", "b=c d=e"))),
        ("x509.subject: C=US,ST=a,O=b, 2.5.4.97=x", (("C", "US"), ("ST", "a"), ("O", "b"), ("2.5.4.97", "x"))),
    ],
)
def test_a_distinguished_name_is_read(text: str, name: tuple[tuple[str, str], ...]) -> None:
    assert parse_identity(text) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("C=US, ST=WA, O=Acme", "is no identity"),
        ("x509.subject: ", "is no distinguished name"),
        ("x509.subject: C=US,", "is no distinguished name"),
        ("x509.subject: C=US,ST=WA,O=#04024869", "is no distinguished name"),
        ("x509.subject: C=US,ST=WA,O=", "O is empty"),
        ("x509.subject: C=US,ST=WA,O= \t", "O is empty"),
        ("x509.subject: C=US,ST=WA+O=Acme", "'+' has to be escaped"),
        ('x509.subject: C=US,ST=WA,O="Acme"', "'\"' has to be escaped"),
        ("x509.subject: C=US,ST=WA,O=a\\zz", "'\\\\' has to be escaped"),
        ("x509.subject: C=US,ST=WA,O=a\\ff", "no UTF-8"),
        ("x509.subject: C=US,ST=WA,O=\udcff", "no UTF-8"),
        ("x509.subject: C=US,S=WA,ST=WA,O=a", "has ST twice"),
        ("x509.subject: C=US,O=a", "has no ST"),
    ],
)
def test_what_is_no_distinguished_name_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_identity(text)
    assert said in str(caught.value)
