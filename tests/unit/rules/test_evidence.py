"""Rule ``evidence.TYPE``: which attestation counts, and what it must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from imgtrust.evidence import Kind, Unread
from imgtrust.rules.dates import TICK
from imgtrust.rules.evidence import evidence
from imgtrust.rules.finding import Finding, RuleOutcome
from imgtrust.rules.requirements import EvidenceRule
from imgtrust.rules.subjects import subjects
from tests.simulators.facts import AT, ROOT, attestation, digest, image, refusal, signature, subject, time

if TYPE_CHECKING:
    from imgtrust.rules.facts import ImageFacts

DAY = timedelta(days=1)
SLSA = "https://slsa.dev/provenance/v1"
SPDX = "https://spdx.dev/Document/v2.3"
BUILDER = "https://builders.example.com/one"
PROVENANCE = EvidenceRule("slsa-provenance", ("ci",))


def built(builder: str | None) -> object:
    return {} if builder is None else {"runDetails": {"builder": {"id": builder}}}


def judged(facts: ImageFacts, rule: EvidenceRule, which: int = 0) -> Finding:
    return evidence(subjects(facts, "gate.toml")[which], rule)


def test_an_attestation_of_the_type_by_a_signer_named_passes() -> None:
    finding = judged(image(attestation(SLSA, "ci", time(DAY))), PROVENANCE)
    assert (finding.rule, finding.outcome) == ("evidence.slsa-provenance", RuleOutcome.PASS)
    assert (finding.required, finding.observed) == ("by ci", "by ci, 2026-11-22 21:00:00 UTC")


def test_a_short_name_means_every_version_and_a_uri_only_itself() -> None:
    facts = image(attestation(SPDX))
    assert judged(facts, EvidenceRule("spdx", ("ci",))).outcome is RuleOutcome.PASS
    assert judged(facts, EvidenceRule("https://spdx.dev/Document", ("ci",))).outcome is RuleOutcome.FAIL


def test_nothing_attached_is_answered_with_the_command_that_attests() -> None:
    finding = judged(image(), PROVENANCE)
    assert finding.why == "no attestation of this type is attached to the image"
    assert finding.fix == (
        "attest it: imgtrust attest --key KEY --type slsa-provenance --predicate FILE "
        f"registry.example.com/team/app@{ROOT}"
    )


def test_another_signer_and_refused_evidence_are_named() -> None:
    finding = judged(image(attestation(SLSA, "qa"), refusals=[refusal()]), PROVENANCE)
    assert f"{digest('attestation')} is of this type, by qa, who is not named in signed_by" in finding.why
    assert f"{digest('refused')} is not believed" in finding.why


def test_a_signature_is_no_attestation_whatever_its_signer() -> None:
    assert judged(image(signature("ci")), PROVENANCE).outcome is RuleOutcome.FAIL
    sign = "https://sigstore.dev/cosign/sign/v1"
    bundle = replace(attestation(sign, "ci"), kind=Kind.SIGNATURE)
    assert judged(image(bundle), EvidenceRule(sign, ("ci",))).outcome is RuleOutcome.FAIL


def test_the_newest_by_a_signer_counts_and_not_an_older_good_one() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), builder=BUILDER)
    good = attestation(SLSA, "ci", time(2 * DAY), predicate=built(BUILDER), evidence="good")
    bad = attestation(SLSA, "ci", time(DAY), predicate=built("https://elsewhere"), evidence="bad")
    finding = judged(image(good, bad), rule)
    assert finding.outcome is RuleOutcome.FAIL
    assert finding.why == "by ci: the builder is https://elsewhere"


def test_an_older_bad_one_does_not_spoil_the_newest() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), builder=BUILDER)
    good = attestation(SLSA, "ci", time(DAY), predicate=built(BUILDER), evidence="good")
    bad = attestation(SLSA, "ci", time(2 * DAY), predicate=built(None), evidence="bad")
    assert judged(image(bad, good), rule).outcome is RuleOutcome.PASS


def test_a_second_time_stamp_does_not_make_an_old_attestation_the_newest() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), builder=BUILDER)
    restamped = attestation(SLSA, "ci", time(9 * DAY), time(timedelta(0)), predicate=built(BUILDER), evidence="good")
    newest = attestation(SLSA, "ci", time(DAY), predicate=built("x"), evidence="bad")
    assert judged(image(restamped, newest), rule).outcome is RuleOutcome.FAIL


def test_what_has_the_same_time_must_all_be_good() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), builder=BUILDER)
    pair = [attestation(SLSA, "ci", time(DAY), predicate=built(b), evidence=str(b)) for b in (BUILDER, None)]
    for order in (pair, pair[::-1]):
        finding = judged(image(*order), rule)
        assert (finding.outcome, finding.why) == (RuleOutcome.FAIL, "by ci: names no builder")


def test_an_attestation_without_a_time_never_hides_one_that_has_one() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), builder=BUILDER)
    timed = attestation(SLSA, "ci", time(DAY), predicate=built("x"), evidence="timed")
    bare = attestation(SLSA, "ci", predicate=built(BUILDER), evidence="bare")
    assert judged(image(timed, bare), rule).outcome is RuleOutcome.FAIL


def test_without_any_time_all_of_a_signer_must_be_good() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), builder=BUILDER)
    good = attestation(SLSA, "ci", predicate=built(BUILDER), evidence="good")
    assert judged(image(good), rule).outcome is RuleOutcome.PASS
    assert judged(image(good, attestation(SLSA, "ci", predicate=built("x"))), rule).outcome is RuleOutcome.FAIL


def test_one_good_signer_of_those_named_is_enough() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci", "other"), builder=BUILDER)
    facts = image(
        attestation(SLSA, "ci", time(DAY), predicate=built("x"), evidence="a"),
        attestation(SLSA, "other", time(9 * DAY), predicate=built(BUILDER), evidence="b"),
    )
    finding = judged(facts, rule)
    assert (finding.outcome, finding.observed) == (RuleOutcome.PASS, "by other, 2026-11-14 21:00:00 UTC")
    assert finding.required == f"by one of ci, other, builder {BUILDER}"


def test_age_is_asked_of_the_proven_time_and_fails_after_the_limit() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci",), max_age=7 * DAY)
    young = judged(image(attestation(SLSA, "ci", time(7 * DAY))), rule)
    assert (young.outcome, young.changes_at) == (RuleOutcome.PASS, AT + TICK)
    old = judged(image(attestation(SLSA, "ci", time(7 * DAY, accuracy=TICK))), rule)
    assert (old.outcome, old.changes_at) == (RuleOutcome.FAIL, None)
    assert "the newest is 7 days old" in old.why


def test_without_a_proven_time_there_is_no_age_that_passes() -> None:
    finding = judged(image(attestation(SLSA)), EvidenceRule("slsa-provenance", ("ci",), max_age=7 * DAY))
    assert finding.outcome is RuleOutcome.FAIL
    assert "no proven time" in finding.why
    assert finding.observed == "by ci, no proven time"


def test_two_signers_fail_when_the_last_of_them_is_too_old() -> None:
    rule = EvidenceRule("slsa-provenance", ("ci", "other"), max_age=7 * DAY)
    facts = image(attestation(SLSA, "ci", time(DAY)), attestation(SLSA, "other", time(3 * DAY), evidence="b"))
    assert judged(facts, rule).changes_at == AT + 6 * DAY + TICK


def test_evidence_on_an_index_counts_for_its_platforms_and_not_the_other_way_round() -> None:
    child = subject("amd64", platform="linux/amd64")
    above = image(attestation(SLSA), children=[child])
    assert [judged(above, PROVENANCE, n).outcome for n in (0, 1)] == [RuleOutcome.PASS, RuleOutcome.PASS]
    attested = subject("amd64", attestation(SLSA, subject=digest("amd64")), platform="linux/amd64")
    below = image(children=[attested])
    assert [judged(below, PROVENANCE, n).outcome for n in (0, 1)] == [RuleOutcome.FAIL, RuleOutcome.PASS]


def test_unread_evidence_might_be_what_is_missing() -> None:
    assert judged(image(unread=[Unread("a", "b")]), PROVENANCE).outcome is RuleOutcome.UNKNOWN
