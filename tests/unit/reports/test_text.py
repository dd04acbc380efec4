"""What a person reads: golden pages for the mock-ups of the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from imgtrust.evidence import Unread
from imgtrust.policy.evaluate import broken, evaluate, undecided
from imgtrust.policy.values import KeySigner, Policy, Scope
from imgtrust.policy.verdict import Outcome, Verdict
from imgtrust.reports import ReportFormat, Style, render
from imgtrust.reports.outcome import exit_status, outcome_of, tally
from imgtrust.reports.report import Report
from imgtrust.reports.text import one_line, render_verdict, summary
from imgtrust.reports.who import size
from imgtrust.rules.finding import Finding, Level, RuleOutcome
from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule
from imgtrust.trust.times import TimeSource
from tests.simulators.facts import (
    AT,
    POLICY,
    REFERENCE,
    ROOT,
    attestation,
    digest,
    image,
    judged_index,
    refusal,
    signature,
    subject,
    time,
)

DAY = timedelta(days=1)
SIGNERS = (KeySigner("release", "release.pub"), KeySigner("ci", "ci.pub"))
TSA = (TimeSource.RFC3161,)
TEAM = Scope("team", ("registry.example.com/team/**",), SignatureRule(("release", "ci")))
DATED = replace(
    TEAM,
    publish=PublishRule(TSA, max_age=90 * DAY),
    evidence=(EvidenceRule("slsa-provenance", ("ci",)),),
)
PLAIN = Style()


def judged(scope: Scope = TEAM, *signatures: object, facts: object = None) -> Verdict:
    found = facts if facts is not None else judged_index(*signatures)  # type: ignore[arg-type] # signatures
    return evaluate(found, Policy(SIGNERS, (scope,)), POLICY)  # type: ignore[arg-type] # facts


GOOD = judged(
    DATED,
    signature("release", time(3 * DAY)),
    signature("ci", time(2 * DAY), time(DAY, source=TimeSource.REKOR), evidence="ci"),
    attestation("https://slsa.dev/provenance/v1", "ci", time(2 * DAY)),
)


def test_an_accepted_image() -> None:
    assert (
        render_verdict(GOOD, PLAIN)
        == """\
ACCEPTED  registry.example.com/team/app:1.4.2
          sha256:4813494d137e  linux/amd64, linux/arm64  412 MiB

  signed by     release  key 1804060e  2026-11-20 21:00:00  proven by time-stamp (tsa.example.com)
                ci       key e225abbe  2026-11-21 21:00:00  proven by time-stamp (tsa.example.com),
                log (tsa.example.com)
  published     2026-11-20, 3 days ago

  ✓ integrity                 14 of 14 blobs re-hashed, 3 manifests
  ✓ signatures                2 signers, 1 needed (any of release, ci)
  ✓ publish.trusted_time      2 signers with a proven time, 1 needed, by time-stamp
  ✓ publish.max_age           3 days, at most 90 days   fails from 2027-02-18
  ✓ evidence.slsa-provenance  by ci, 2026-11-21 21:00:00 UTC

  not checked   rollback and freeze of tags: this version reads no release statements
                vulnerabilities and configuration: this version has no rules for them
                transparency logs: a signature by a key needs no entry in one
  holds until   2027-02-18 (publish.max_age)
  policy        gate.toml sha256:823412d1eacb, scope team, judged 2026-11-23 21:00:00
"""
    )


def test_a_rejected_image_says_why_and_what_to_do() -> None:
    verdict = judged(facts=image(refusals=[refusal()]))
    assert (
        render_verdict(verdict, PLAIN)
        == """\
REJECTED  registry.example.com/team/app:1.4.2
          sha256:4813494d137e  412 MiB

  signed by     nobody that the policy names
  published     unknown: no proven time

  ✗ signatures  0 signers, 1 needed (any of release, ci)
      why   1 piece of evidence attached and not believed:
            sha256:83c874d33e8b Sigstore bundle: signed by key a81c77e0, which the policy does not
            name [bundle.untrusted_key]
      fix   sign it: imgtrust sign --key KEY registry.example.com/team/app@sha256:4813494d137e…
            or have it signed by ci (key)
            or trust that key in gate.toml: [signers.NAME] key = "FILE"
  ✓ integrity   14 of 14 blobs re-hashed, 1 manifest

  not checked   publish date: this scope asks for no proven time
                attestations: this scope asks for none
                rollback and freeze of tags: this version reads no release statements
                vulnerabilities and configuration: this version has no rules for them
  policy        gate.toml sha256:823412d1eacb, scope team, judged 2026-11-23 21:00:00
"""
    )


def test_an_image_about_which_nothing_could_be_told() -> None:
    why = "The registry answered 503 to the list of referrers, 5 times in 32 s."
    verdict = undecided("registry.example.com/team/app:1.4.2", REFERENCE, None, POLICY, AT, why)
    assert (
        render_verdict(verdict, PLAIN)
        == """\
COULD NOT TELL  registry.example.com/team/app:1.4.2
  The registry answered 503 to the list of referrers, 5 times in 32 s.
  Nothing was decided. Run it again.

  not checked   everything else: the image itself could not be read
  policy        gate.toml sha256:823412d1eacb, judged 2026-11-23 21:00:00
"""
    )


def test_an_image_that_is_not_there_is_not_worth_another_try() -> None:
    text = render_verdict(undecided("a.io/b:c", None, None, POLICY, AT, "no such tag", not_found=True), PLAIN)
    assert text.startswith("NOT FOUND  a.io/b:c\n  no such tag\n\n")


def test_an_image_whose_root_is_altered() -> None:
    text = render_verdict(broken("a.io/b:c", None, ROOT, POLICY, AT, "the bytes are others"), PLAIN)
    assert text.startswith("REJECTED  a.io/b:c\n          sha256:4813494d137e\n  the bytes are others\n\n")


def test_marks_in_ascii_keep_their_columns() -> None:
    text = render_verdict(judged(facts=image()), Style(unicode=False))
    assert "  no signatures  0 signers" in text
    assert "  ok integrity   14 of 14" in text
    assert text.isascii()


def test_a_platform_is_named_only_where_it_differs() -> None:
    lonely = subject("amd64", signature(subject=digest("amd64")), platform="linux/amd64")
    facts = image(children=[lonely, subject("arm64", platform="linux/arm64", unread=[Unread("a list", "503")])])
    text = render_verdict(judged(facts=facts), PLAIN)
    assert "release  key 1804060e  no proven time  (linux/amd64 only)" in text
    assert "  ✗ signatures              0 signers" in text
    assert "  ? signatures linux/arm64  could not tell: 0 signers" in text
    assert "signatures linux/amd64" not in text
    assert "signatures linux/amd64" in render_verdict(judged(facts=facts), Style(verbose=True))


def test_a_platform_without_a_name_is_still_told_apart() -> None:
    facts = image(children=[subject("odd", signature(subject=digest("odd")), unread=[Unread("a list", "503")])])
    text = render_verdict(judged(replace(TEAM, signatures=SignatureRule(("release", "ci"), 2)), facts=facts), PLAIN)
    assert "signatures a platform" in text
    assert "(a platform only)" in text


def test_the_same_way_out_is_shown_once() -> None:
    scope = replace(TEAM, publish=PublishRule(TSA, max_age=DAY, min_soak=DAY))
    assert render_verdict(judged(scope), PLAIN).count("--tsa URL") == 1


def row(outcome: RuleOutcome, level: Level = Level.REQUIRED) -> Finding:
    return Finding("vulnerabilities.age", outcome, level, ROOT, "at most 7", "6 days old", changes_at=AT + DAY)


def test_advice_and_exceptions_have_their_own_marks() -> None:
    findings = (row(RuleOutcome.FAIL, Level.ADVICE), row(RuleOutcome.EXCEPTED))
    text = render_verdict(replace(GOOD, findings=findings, changes_at=AT + DAY), PLAIN)
    assert "  ! vulnerabilities.age  advice: 6 days old, at most 7   passes from 2026-11-24" in text
    assert "  ! vulnerabilities.age  excepted: 6 days old, at most 7" in text
    assert "holds until   2026-11-24 (vulnerabilities.age)" in text


def test_a_change_that_no_single_rule_makes_is_said_without_one() -> None:
    text = render_verdict(replace(judged(facts=image()), changes_at=AT + DAY), PLAIN)
    assert "  changes on    2026-11-24 (several rules)" in text


def test_a_verdict_that_checked_everything_and_failed_says_only_that() -> None:
    assert "not checked" not in render_verdict(replace(GOOD, not_checked=()), PLAIN)


def test_findings_without_facts_are_shown_too() -> None:
    assert "vulnerabilities.age" in render_verdict(replace(GOOD, facts=None, findings=(row(RuleOutcome.FAIL),)), PLAIN)


def test_verbose_shows_whole_digests() -> None:
    assert str(ROOT) in render_verdict(GOOD, Style(verbose=True))


def test_many_images_have_a_line_each_then_the_failures_then_a_sum() -> None:
    bad = replace(judged(facts=image()), name="registry.example.com/team/bad:1")
    gone = undecided("a.io/b:c", None, None, POLICY, AT, "503")
    bare = judged(facts=image(signature("ci")))
    text = render(ReportFormat.TEXT, Report((GOOD, bad, gone, bare), POLICY, AT, "1"))
    first, second, third, fourth, blank, fifth = text.splitlines()[:6]
    assert first == (
        "ACCEPTED        registry.example.com/team/app:1.4.2  sha256:4813494d137e  ci, release  2026-11-20"
    )
    assert second == "REJECTED        registry.example.com/team/bad:1  sha256:4813494d137e  signatures"
    assert third == "COULD NOT TELL  a.io/b:c"
    assert fourth.endswith("sha256:4813494d137e  ci")
    assert (blank, fifth) == ("", "REJECTED  registry.example.com/team/bad:1")
    by = "judged 2026-11-23 21:00:00 by gate.toml sha256:823412d1eacb"
    assert text.endswith(f"\n\n{by}\n4 images: 2 accepted, 1 rejected, 1 could not be told\n")
    assert text.count("\nREJECTED") == 2


def test_one_image_is_told_at_length() -> None:
    assert render(ReportFormat.TEXT, Report((GOOD,), POLICY, AT, "1")) == render_verdict(GOOD, PLAIN)


def test_one_line_is_one_line_however_long_the_name() -> None:
    line = one_line(replace(GOOD, name="a.io/" + "very-long/" * 30 + "x\n:y"), PLAIN)
    assert line.count("\n") == 1


def test_verbose_says_the_exit_status_in_words() -> None:
    by = f"judged 2026-11-23 21:00:00 by gate.toml {POLICY.digest}"
    assert summary([GOOD], Style(verbose=True, width=140)) == (
        f"\n{by}\n1 image: 1 accepted, 0 rejected, 0 could not be told\nexit status 0: accepted\n"
    )


def test_a_digest_in_a_name_is_not_said_twice() -> None:
    named = replace(GOOD, name=f"oci:build:1.4.2@{ROOT}")
    assert one_line(named, PLAIN).startswith("ACCEPTED        oci:build:1.4.2  sha256:4813494d137e  ci")
    assert one_line(named, Style(verbose=True)).startswith(f"ACCEPTED        oci:build:1.4.2  {ROOT}  ci")
    assert render_verdict(named, PLAIN).startswith("ACCEPTED  oci:build:1.4.2\n          sha256:4813494d137e  linux")
    other = f"a.io/b@{digest('other')}"
    assert other in render_verdict(replace(NO, name=other), Style(verbose=True))
    assert other in render_verdict(replace(MAYBE, name=other), Style(verbose=True))


PAPERS = replace(TEAM, evidence=(EvidenceRule("slsa-provenance", ("ci",)), EvidenceRule("cyclonedx", ("ci",))))


def reasons(text: str) -> list[str]:
    return re.findall(r"^      why   (.*(?:\n            .*)*)", text, re.MULTILINE)


def test_why_a_piece_of_evidence_is_not_believed_is_told_once() -> None:
    first, second, third = reasons(render_verdict(judged(PAPERS, facts=image(refusals=[refusal()])), PLAIN))
    assert first.startswith("1 piece of evidence attached and not believed:\n")
    assert "key a81c77e0" in first
    assert second == "not believed, see above: sha256:83c874d33e8b"
    assert third == "see above"


def test_a_reason_of_a_platform_alone_is_told_beside_those_of_the_index() -> None:
    child = replace(subject("amd64", platform="linux/amd64"), refusals=(refusal(reason="altered", evidence="other"),))
    facts = image(refusals=[refusal()], children=[child])
    first, second, *_ = reasons(render_verdict(judged(facts=facts), PLAIN))
    assert "key a81c77e0" in first
    assert second.startswith("not believed, see above: sha256:83c874d33e8b\n")
    assert "altered [bundle.untrusted_key]" in second


NO = judged(facts=image())
MAYBE = undecided("a.io/b:c", None, None, POLICY, AT, "503")
GONE = undecided("a.io/b:c", None, None, POLICY, AT, "no such tag", not_found=True)


def test_the_exit_status_is_that_of_the_worst() -> None:
    assert exit_status([GOOD, GOOD]) == 0
    assert exit_status([GOOD, NO]) == 1
    assert exit_status([GOOD, NO, MAYBE]) == 3
    assert exit_status([GONE, GONE]) == 2
    assert exit_status([GOOD, GONE]) == 3
    assert exit_status([]) == 2


def test_the_outcome_of_many_is_that_of_the_worst_and_of_none_it_is_unknown() -> None:
    assert outcome_of([GOOD]) is Outcome.ACCEPTED
    assert outcome_of([GOOD, NO]) is Outcome.REJECTED
    assert outcome_of([NO, MAYBE]) is Outcome.UNDECIDED
    assert outcome_of([]) is Outcome.UNDECIDED
    assert tally([GOOD, NO, GONE]) == {"accepted": 1, "rejected": 1, "undecided": 1}


def test_sizes_are_said_in_the_unit_that_people_use() -> None:
    assert [size(n) for n in (0, 1023, 1024, 1536, 10 * 1024, 1 << 50)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 KiB",
        "10 KiB",
        "1024 TiB",
    ]
