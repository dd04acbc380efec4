"""Keyless and Notary signers as people and programs see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from imgtrust.evidence import Format
from imgtrust.policy.evaluate import evaluate
from imgtrust.policy.values import KeylessSigner, NotarySigner, Policy, Scope
from imgtrust.refusals import RefusalCode
from imgtrust.reports.document import entry
from imgtrust.reports.text import Style, render_verdict
from imgtrust.reports.tree import Attached, Inspection, Node, Standing, inspection_document, render_tree
from imgtrust.reports.who import identity
from imgtrust.rules.requirements import PublishRule, SignatureRule
from imgtrust.trust.times import ClaimedTime, TimeSource
from tests.simulators.facts import AT, POLICY, REFERENCE, ROOT, digest, image, key, refusal, signature, time

DAY = timedelta(days=1)
WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
NAMED = f"{WORKFLOW} (https://token.actions.githubusercontent.com)"
PROFILE = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"
LOGGED = time(3 * DAY + timedelta(seconds=5), source=TimeSource.REKOR, authority="rekor.sigstore.dev")
KEYLESS = replace(signature("ci", time(3 * DAY), LOGGED, identity=NAMED), second_opinion="sigstore-python 4.5.1 agrees")
MANAGED = replace(
    signature(
        "aws",
        time(2 * DAY, source=TimeSource.SIGNING_AUTHORITY, authority="AWS Signer"),
        identity=PROFILE,
        evidence="aws",
    ),
    format=Format.NOTARY_JWS,
    not_checked=("revocation: could not be checked (log): AWS Signer was not asked",),
)
SCOPE = Scope(
    "team",
    ("registry.example.com/team/**",),
    SignatureRule(("ci", "aws"), 2),
    publish=PublishRule((TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY), max_age=90 * DAY),
)
RULES = Policy(
    (
        KeylessSigner("ci", "public-good", "https://token.actions.githubusercontent.com", None, WORKFLOW),
        NotarySigner("aws", "aws-signer", (PROFILE,)),
    ),
    (SCOPE,),
)


@pytest.mark.parametrize(
    ("whole", "short"),
    [
        (f"key sha256:{'ab' * 32}", "key abababab"),
        (NAMED, "acme/app release.yml@main"),
        (NAMED.replace("heads/main", "tags/v1.2"), "acme/app release.yml@v1.2"),
        (NAMED.replace("@refs/heads/main", f"@{'ab' * 20}"), "acme/app release.yml@abababab"),
        ("https://gitlab.com/a/b/c//.gitlab-ci.yml@refs/heads/main (https://gitlab.com)", "a/b/c .gitlab-ci.yml@main"),
        ("a@acme.example (https://accounts.google.com)", "a@acme.example"),
        ("https://kubernetes.io/namespaces/a (https://oidc.eks)", "https://kubernetes.io/namespaces/a"),
        ("x509.subject: CN=release,O=Acme\\, Inc.,ST=WA,C=US", "release"),
        ("x509.subject: C=US,ST=WA,O=Acme\\, Inc.", "Acme\\, Inc."),
        (PROFILE, "profile release (111122223333, eu-west-3)"),
        ("something else", "something else"),
    ],
)
def test_an_identity_is_short_for_people_and_whole_on_request(whole: str, short: str) -> None:
    assert identity(whole) == short
    assert identity(whole, whole=True) == (short if whole.startswith("key ") else whole)


def test_signers_of_both_kinds_with_every_source_of_their_times() -> None:
    verdict = evaluate(image(KEYLESS, MANAGED), RULES, POLICY)
    assert (
        render_verdict(verdict, Style())
        == """\
ACCEPTED  registry.example.com/team/app:1.4.2
          sha256:4813494d137e  412 MiB

  signed by     ci   acme/app release.yml@main                  2026-11-20 20:59:55  proven by
                time-stamp (tsa.example.com), log (rekor.sigstore.dev)
                aws  profile release (111122223333, eu-west-3)  2026-11-21 21:00:00  proven by
                signing authority (AWS Signer)
  published     2026-11-20, 3 days ago

  ✓ integrity             14 of 14 blobs re-hashed, 1 manifest
  ✓ signatures            2 signers, 2 needed (any of ci, aws)
  ✓ publish.trusted_time  2 signers with a proven time, 2 needed, by transparency log or signing
                          authority
  ✓ publish.max_age       3 days, at most 90 days   fails from 2027-02-18

  not checked   revocation: could not be checked (log): AWS Signer was not asked:
                sha256:7d1507284a57 by aws
                attestations: this scope asks for none
                rollback and freeze of tags: this version reads no release statements
                vulnerabilities and configuration: this version has no rules for them
  holds until   2027-02-18 (publish.max_age)
  policy        gate.toml sha256:823412d1eacb, scope team, judged 2026-11-23 21:00:00
"""
    )


def test_each_time_and_each_whole_name_on_request() -> None:
    told = " ".join(render_verdict(evaluate(image(KEYLESS), RULES, POLICY), Style(verbose=True, width=400)).split())
    assert f"ci {NAMED} 2026-11-20 20:59:55 proven by log (rekor.sigstore.dev), 2026-11-20 21:00:00 proven by" in told
    assert "no proven time" in render_verdict(evaluate(image(signature()), RULES, POLICY), Style(verbose=True))


def test_signatures_as_data_have_the_whole_name_and_what_was_not_checked() -> None:
    ci, aws = entry(evaluate(image(KEYLESS, MANAGED), RULES, POLICY))["signatures"]
    assert (ci["identity"], ci["second_opinion"], ci["not_checked"]) == (NAMED, "sigstore-python 4.5.1 agrees", [])
    assert [(one["source"], one["authority"]) for one in ci["times"]] == [
        ("rfc3161", "tsa.example.com"),
        ("rekor", "rekor.sigstore.dev"),
    ]
    assert (aws["format"], aws["identity"], aws["second_opinion"]) == ("notary-jws", PROFILE, None)
    assert aws["not_checked"] == ["revocation: could not be checked (log): AWS Signer was not asked"]


@pytest.mark.parametrize(
    ("code", "way"),
    [
        (
            RefusalCode.IDENTITY_UNTRUSTED,
            'or trust that identity in gate.toml: [signers.NAME] sigstore = "public-good"',
        ),
        (RefusalCode.CERTIFICATE_INSTEAD_OF_KEY, "or trust that identity in gate.toml: [signers.NAME] sigstore"),
        (RefusalCode.KEY_INSTEAD_OF_CERTIFICATE, "or trust that key in gate.toml: [signers.NAME] key"),
        (RefusalCode.NOTARY_UNTRUSTED, "or trust that root in gate.toml: [signers.NAME] notary"),
        (RefusalCode.NOTARY_IDENTITY, "or trust that identity in gate.toml: [signers.NAME] notary"),
    ],
)
def test_a_stranger_of_any_kind_could_be_trusted_and_it_is_said_how(code: RefusalCode, way: str) -> None:
    verdict = evaluate(image(refusals=[refusal(code), refusal(code)]), RULES, POLICY)
    (finding,) = [item for item in verdict.findings if item.rule == "signatures"]
    assert finding.fix.count(way) == 1


def inspected(style: Style) -> str:
    believed = Attached(
        "signature",
        "Sigstore bundle",
        Standing.BELIEVED,
        digest("bundle"),
        "sigstore-bundle",
        None,
        "ci",
        NAMED,
        (time(3 * DAY), LOGGED, ClaimedTime(AT, TimeSource.RFC3161, "", RefusalCode.TIME_UNTRUSTED, "no authority")),
        not_checked=("second opinion: none",),
        second_opinion="not judged by sigstore-python: no",
    )
    unread = replace(believed, times=(ClaimedTime(None, TimeSource.RFC3161, "", None, ""),), second_opinion="")
    refused = Attached(
        "signature",
        "Notary JWS",
        Standing.REFUSED,
        digest("jws"),
        "notary-jws",
        code=RefusalCode.NOTARY_UNTRUSTED,
        reason="root is in no trust store",
    )
    return render_tree(
        Inspection(REFERENCE, Node(ROOT, "image", attached=(believed, unread, refused)), AT, POLICY), style
    )


def test_a_tree_of_keyless_and_notary_signatures() -> None:
    assert (
        inspected(Style())
        == """\
registry.example.com/team/app:1.4.2  sha256:4813494d137e  image
├─ signature  Sigstore bundle  ci  2026-11-20 20:59:55  time-stamp, log
├─ signature  Sigstore bundle  ci  no proven time
└─ signature  Notary JWS       not believed: root is in no trust store  [notary.untrusted_root]

judged by gate.toml sha256:823412d1eacb, 2026-11-23 21:00:00
"""
    )


def test_a_tree_says_all_of_it_on_request() -> None:
    assert (
        "\n".join(inspected(Style(verbose=True, width=160)).splitlines()[1:10])
        == f"""\
├─ signature  Sigstore bundle  ci  2026-11-20 20:59:55  time-stamp, log
│             {digest("bundle")}
│             {NAMED}
│             2026-11-20 21:00:00 time-stamp (tsa.example.com)
│             2026-11-20 20:59:55 log (rekor.sigstore.dev)
│             2026-11-23 21:00:00 time-stamp, not proven: no authority [time.untrusted_authority]
│             not judged by sigstore-python: no
│             not checked: second opinion: none
├─ signature  Sigstore bundle  ci  no proven time"""
    )


def test_a_tree_as_data_has_it_too() -> None:
    believed = Attached("signature", "x", Standing.BELIEVED, ROOT, not_checked=("a",), second_opinion="b agrees")
    (item,) = inspection_document((Inspection(REFERENCE, Node(ROOT, "image", attached=(believed,)), AT),))["images"][0][
        "root"
    ]["attached"]
    assert (item["not_checked"], item["second_opinion"]) == (["a"], "b agrees")


def test_what_is_claimed_is_said_as_claimed_with_where_it_is_written() -> None:
    signing = ClaimedTime(AT, "notary-signing-time", "the signer")
    unread = ClaimedTime(None, TimeSource.RFC3161, "", RefusalCode.TIME_MALFORMED, "no token")
    row = Attached("signature", "x", Standing.BELIEVED, ROOT, None, None, "acme", times=(unread, signing))
    found = Attached("signature", "x", Standing.FOUND, ROOT, times=(signing,))
    tree = Inspection(REFERENCE, Node(ROOT, "image", attached=(row, found)), AT, POLICY)
    assert render_tree(tree, Style()).splitlines()[1:3] == [
        "├─ signature  x  acme  no proven time, claims 2026-11-23 21:00:00 (signing time)",
        "└─ signature  x  found: says 2026-11-23 21:00:00 (signing time)",
    ]
    told = render_tree(tree, Style(verbose=True))
    assert "│             no time that can be read time-stamp, not proven: no token [time.malformed]\n" in told
    assert "│             2026-11-23 21:00:00 signing time, claimed only\n" in told
    (first, _) = inspection_document((tree,))["images"][0]["root"]["attached"]
    assert first["unproven"] == [
        {"time": None, "source": "rfc3161", "authority": "", "code": "time.malformed", "reason": "no token"}
    ]
    assert [item["class"] for item in first["times"]] == ["claimed"]


def test_the_end_of_a_signature_is_told() -> None:
    row = Attached("signature", "x", Standing.BELIEVED, ROOT, None, None, "acme", ends=AT)
    tree = Inspection(REFERENCE, Node(ROOT, "image", attached=(row, replace(row, ends=None))), AT, POLICY)
    assert render_tree(tree, Style(verbose=True)).count("not believed any more from 2026-11-23 21:00:00") == 1
    first, second = inspection_document((tree,))["images"][0]["root"]["attached"]
    assert (first["ends"], second["ends"]) == ("2026-11-23T21:00:00Z", None)


def test_several_signatures_of_one_signer_are_one_line_with_the_earliest_time() -> None:
    late, early = (
        signature("release", time(DAY), evidence="late"),
        signature("release", time(9 * DAY), evidence="early"),
    )
    none = signature("release", evidence="none")
    told = render_verdict(evaluate(image(late, none, early), RULES, POLICY), Style(width=140))
    shown = identity(key("release"))
    line = f"signed by     release  {shown}  2026-11-14 21:00:00  proven by time-stamp (tsa.example.com)"
    assert f"  {line}  (3 signatures)\n" in told
    whole = render_verdict(evaluate(image(late, none, early), RULES, POLICY), Style(verbose=True, width=140))
    assert whole.count(f"release  {shown}") == 3
    assert "(3 signatures)" not in whole


def test_a_crowd_of_signers_does_not_hide_the_answer() -> None:
    crowd = [signature("release", identity=f"a{number}@acme.test (https://acme.test)") for number in range(23)]
    told = render_verdict(evaluate(image(*crowd), RULES, POLICY), Style())
    assert told.count("@acme.test") == 20
    assert "and 3 more signers" in told
    assert render_verdict(evaluate(image(*crowd), RULES, POLICY), Style(verbose=True)).count("@acme.test") == 23
