"""The judgement as a whole: what outcomes mean together, what is said of time, and what was not checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from imgtrust.evidence import Claim, Format, Unread
from imgtrust.policy.evaluate import broken, evaluate, undecided
from imgtrust.policy.values import KeySigner, Policy, Scope
from imgtrust.policy.verdict import Outcome, Published
from imgtrust.reference import RegistryRepository
from imgtrust.refusals import RefusalCode
from imgtrust.rules.dates import TICK
from imgtrust.rules.facts import Fault, IntegrityMode
from imgtrust.rules.finding import RuleOutcome
from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule
from imgtrust.trust.times import TimeSource
from tests.simulators.facts import (
    AT,
    CHILD,
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
TSA = (TimeSource.RFC3161,)
SIGNERS = (KeySigner("release", "release.pub"), KeySigner("ci", "ci.pub"))
PLAIN = Scope("team", ("registry.example.com/team/**",), SignatureRule(("release",)), ("prod.example.com/**",))
DATED = Scope(
    "dated",
    ("registry.example.com/team/*",),
    SignatureRule(("release",)),
    publish=PublishRule(TSA, max_age=90 * DAY, min_soak=DAY, not_before=AT - 60 * DAY),
    evidence=(EvidenceRule("slsa-provenance", ("ci",), max_age=7 * DAY),),
)
SLSA = "https://slsa.dev/provenance/v1"


def policy(*scopes: Scope) -> Policy:
    return Policy(SIGNERS, scopes)


def test_a_signed_image_is_accepted() -> None:
    verdict = evaluate(image(signature()), policy(PLAIN), POLICY)
    assert verdict.outcome is Outcome.ACCEPTED
    assert (verdict.name, verdict.scope, verdict.digest) == (str(REFERENCE), "team", ROOT)
    assert [finding.rule for finding in verdict.findings] == ["integrity", "signatures"]
    assert verdict.published == Published(None, None, "none")
    assert verdict.changes_at is None


def test_a_verdict_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"compare verdict\.outcome"):
        bool(evaluate(image(signature()), policy(PLAIN), POLICY))


def test_every_manifest_of_an_index_is_judged() -> None:
    verdict = evaluate(judged_index(signature()), policy(PLAIN), POLICY)
    judged = [finding.subject for finding in verdict.findings if finding.rule == "signatures"]
    assert judged == [ROOT, digest("amd64"), digest("arm64")]


def test_a_signature_of_one_platform_does_not_carry_the_index() -> None:
    signed = subject("amd64", signature(subject=digest("amd64")), platform="linux/amd64")
    verdict = evaluate(image(children=[signed]), policy(PLAIN), POLICY)
    assert verdict.outcome is Outcome.REJECTED


def test_an_image_that_no_scope_names_is_denied_and_told_how_to_be_named() -> None:
    other = Scope("other", ("other.example.com/**",), SignatureRule(("release",)))
    verdict = evaluate(image(signature()), policy(other), POLICY)
    assert (verdict.outcome, verdict.scope) == (Outcome.REJECTED, None)
    denied = verdict.findings[-1]
    assert (denied.rule, denied.outcome) == ("signatures", RuleOutcome.FAIL)
    assert denied.why == "no scope of gate.toml names registry.example.com/team/app, and what no scope names is denied"
    assert "signers, dates and attestations: no scope names the image" in verdict.not_checked


def test_a_fault_rejects_whatever_is_signed() -> None:
    facts = image(signature(), faults=[Fault(digest("layer"), "missing")])
    assert evaluate(facts, policy(PLAIN), POLICY).outcome is Outcome.REJECTED


def test_no_is_stronger_than_could_not_tell() -> None:
    facts = image(faults=[Fault(digest("layer"), "missing")], unread=[Unread("a", "b")])
    outcomes = {finding.outcome for finding in evaluate(facts, policy(PLAIN), POLICY).findings}
    assert outcomes == {RuleOutcome.FAIL, RuleOutcome.UNKNOWN}
    assert evaluate(facts, policy(PLAIN), POLICY).outcome is Outcome.REJECTED


def test_what_might_decide_and_could_not_be_read_is_undecided() -> None:
    verdict = evaluate(image(unread=[Unread("the list of referrers", "503")]), policy(PLAIN), POLICY)
    assert verdict.outcome is Outcome.UNDECIDED
    assert "could not be read: the list of referrers: 503" in verdict.not_checked


def test_every_rule_of_the_scope_is_asked() -> None:
    facts = image(signature("release", time(3 * DAY)), attestation(SLSA, "ci", time(2 * DAY)))
    verdict = evaluate(facts, policy(DATED), POLICY)
    assert [finding.rule for finding in verdict.findings] == [
        "integrity",
        "signatures",
        "publish.trusted_time",
        "publish.max_age",
        "publish.min_soak",
        "publish.window",
        "evidence.slsa-provenance",
    ]
    assert verdict.outcome is Outcome.ACCEPTED
    assert verdict.published == Published(AT - 3 * DAY, AT - 2 * DAY, "rfc3161")
    assert verdict.changes_at == AT + 5 * DAY + TICK


def test_a_window_with_only_an_end_is_asked_too() -> None:
    scope = Scope("s", ("**",), SignatureRule(("release",)), publish=PublishRule(TSA, not_after=AT))
    verdict = evaluate(image(signature("release", time())), policy(scope), POLICY)
    assert [finding.rule for finding in verdict.findings][-1] == "publish.window"


def test_the_day_on_which_the_answer_changes_is_when_the_last_obstacle_falls() -> None:
    publish = PublishRule(TSA, min_soak=5 * DAY, max_age=90 * DAY)
    scope = Scope("s", ("**",), SignatureRule(("release",)), publish=publish)
    soaking = image(signature("release", time(3 * DAY)))
    verdict = evaluate(soaking, policy(scope), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.REJECTED, AT + 2 * DAY)


def test_a_rejected_image_that_waiting_does_not_help_never_changes() -> None:
    publish = PublishRule(TSA, min_soak=5 * DAY)
    scope = Scope("s", ("**",), SignatureRule(("release", "ci"), 2), publish=publish)
    verdict = evaluate(image(signature("release", time(3 * DAY))), policy(scope), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.REJECTED, None)


def test_an_image_that_is_too_old_once_it_has_soaked_never_passes() -> None:
    publish = PublishRule(TSA, min_soak=5 * DAY, max_age=4 * DAY)
    scope = Scope("s", ("**",), SignatureRule(("release",)), publish=publish)
    verdict = evaluate(image(signature("release", time(3 * DAY))), policy(scope), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.REJECTED, None)


def test_a_signature_that_ends_takes_the_answer_with_it() -> None:
    ending = replace(signature("release"), ends=AT + 7 * DAY)
    verdict = evaluate(image(ending), policy(PLAIN), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.ACCEPTED, AT + 7 * DAY)
    lasting = signature("release", evidence="lasting")
    assert evaluate(image(ending, lasting), policy(PLAIN), POLICY).changes_at is None


def test_the_last_of_several_signatures_that_end_takes_the_answer_with_it() -> None:
    ending = [replace(signature("release", evidence=f"{days}"), ends=AT + days * DAY) for days in (1, 7, 3)]
    assert evaluate(image(*ending), policy(PLAIN), POLICY).changes_at == AT + 7 * DAY


def test_a_signature_of_a_platform_may_end_too() -> None:
    ending = replace(signature("release", subject=digest("amd64")), ends=AT + 7 * DAY)
    facts = image(children=[subject("amd64", ending, platform="linux/amd64")])
    verdict = evaluate(facts, policy(PLAIN), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.REJECTED, None)
    assert {item.changes_at for item in verdict.findings if item.subject == digest("amd64")} == {AT + 7 * DAY}


def test_what_is_too_old_by_a_signature_alone_that_ends_passes_when_it_has() -> None:
    scope = Scope("s", ("**",), SignatureRule(("release",)), publish=PublishRule(TSA, max_age=5 * DAY))
    old = replace(signature("release", time(9 * DAY), evidence="old"), ends=AT + DAY)
    facts = image(old, signature("release", time(2 * DAY)))
    verdict = evaluate(facts, policy(scope), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.REJECTED, AT + DAY)


def test_what_has_soaked_by_a_signature_alone_that_ends_fails_when_it_has() -> None:
    scope = Scope("s", ("**",), SignatureRule(("release",)), publish=PublishRule(TSA, min_soak=5 * DAY))
    old = replace(signature("release", time(9 * DAY), evidence="old"), ends=AT + DAY)
    facts = image(old, signature("release", time(2 * DAY)))
    verdict = evaluate(facts, policy(scope), POLICY)
    assert (verdict.outcome, verdict.changes_at) == (Outcome.ACCEPTED, AT + DAY)


def test_promotion_needs_an_edge() -> None:
    facts = image(signature())
    good = evaluate(facts, policy(PLAIN), POLICY, destination=RegistryRepository("prod.example.com", "app"))
    bad = evaluate(facts, policy(PLAIN), POLICY, destination=RegistryRepository("elsewhere.example.com", "app"))
    assert (good.outcome, bad.outcome) == (Outcome.ACCEPTED, Outcome.REJECTED)
    assert bad.findings[1].rule == "promotion.edge"


def test_a_copy_is_judged_under_the_scope_of_its_source() -> None:
    facts = image(signature())
    source = RegistryRepository("registry.example.com", "team/app")
    only_prod = policy(Scope("prod", ("prod.example.com/**",), SignatureRule(("release",))))
    assert evaluate(facts, only_prod, POLICY).outcome is Outcome.REJECTED
    under = RegistryRepository("prod.example.com", "app")
    assert evaluate(facts, only_prod, POLICY, under=under).scope == "prod"
    assert evaluate(facts, policy(PLAIN), POLICY, under=source).scope == "team"


def test_what_was_not_checked_is_said() -> None:
    facts = image(
        signature(),
        mode=IntegrityMode.MANIFESTS,
        checked=0,
        refusals=[
            refusal(RefusalCode.FORMAT_UNSUPPORTED, kind=Format.NOTARY_JWS),
            refusal(RefusalCode.BUNDLE_UNSUPPORTED),
        ],
        claims=[Claim(ROOT, CHILD, "application/spdx+json", "SPDX 2.3")],
    )
    assert evaluate(facts, policy(PLAIN), POLICY).not_checked == (
        "content of 14 blobs: only manifests were re-hashed (--integrity manifests)",
        "2 pieces of evidence of kinds that this version does not judge (notary-jws, sigstore-bundle)",
        "1 unsigned claim: shown by inspect, never used",
        "publish date: this scope asks for no proven time",
        "attestations: this scope asks for none",
        "rollback and freeze of tags: this version reads no release statements",
        "vulnerabilities and configuration: this version has no rules for them",
        "transparency logs: a signature by a key needs no entry in one",
    )


def test_what_was_not_checked_of_single_signatures_is_said_once_and_bounded() -> None:
    one = replace(signature("ci", identity="a@acme.test (x)"), not_checked=("revocation: not asked",))
    two = [replace(one, not_checked=("second opinion: none", f"thing {n}")) for n in range(12)]
    said = evaluate(image(one, *two), policy(PLAIN), POLICY).not_checked
    assert said[0] == f"revocation: not asked: {one.evidence} by ci"
    assert said[1:3] == ("second opinion: none: 12 signatures", f"thing 0: {one.evidence} by ci")
    assert said[8] == "6 more things about single signatures: inspect and JSON list them"
    assert not any("by a key" in text for text in said)


def test_what_was_asked_is_not_called_unchecked() -> None:
    facts = image(signature("release", time(3 * DAY)), attestation(SLSA, "ci", time(2 * DAY)))
    assert len(evaluate(facts, policy(DATED), POLICY).not_checked) == 3


def test_an_image_of_which_nothing_could_be_told_is_undecided() -> None:
    verdict = undecided("app", None, None, POLICY, AT, "the registry answered 503")
    assert (verdict.outcome, verdict.error, verdict.not_found) == (
        Outcome.UNDECIDED,
        "the registry answered 503",
        False,
    )
    assert undecided("app", None, None, POLICY, AT, "no such tag", not_found=True).not_found


def test_an_image_whose_root_is_altered_is_rejected() -> None:
    verdict = broken("app", REFERENCE, ROOT, POLICY, AT, "the bytes are others")
    assert (verdict.outcome, verdict.digest) == (Outcome.REJECTED, ROOT)
