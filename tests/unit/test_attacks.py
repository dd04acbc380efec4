"""Attacks that worked on somebody: published ones by their number, and those of policy.md section 3.4 by their name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from imgtrust.commands.judge import judge_reference
from imgtrust.commands.promotion.run import Terms, promote_between
from imgtrust.policy.evaluate import evaluate
from imgtrust.policy.values import KeySigner, Policy, Scope
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.refusals import RefusalCode
from imgtrust.reports.outcome import exit_status
from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import ClaimedTime, TimeSource
from tests.simulators.evidence import Key
from tests.simulators.facts import AT, POLICY, attestation, digest, image, signature, subject, time
from tests.simulators.fulcio import WHEN
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import image as built
from tests.simulators.images import index, push
from tests.simulators.memory import MemoryStore
from tests.simulators.sigstore import V1, V2, VirtualSigstore

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest

DAY: Final = timedelta(days=1)
RELEASE: Final = Publisher("release")
SCAN: Final = "https://cosign.sigstore.dev/attestation/vuln/v1"
SIGSTORE: Final = VirtualSigstore()


def judged(*signatures: VerifiedSignature, **scope: Any) -> Verdict:
    """The verdict on an image with these signatures, at ``AT``."""
    rules = Scope("gate", ("**",), SignatureRule(("release",)), **scope)
    signers = (KeySigner("release", "release.pub"), KeySigner("ci", "ci.pub"))
    return evaluate(image(*signatures), Policy(signers, (rules,)), POLICY)


def test_cve_2022_35929_an_attestation_of_another_type_is_not_the_one_that_was_asked_for() -> None:
    """What cosign did: it accepted an image where no attestation had the type, if there was one of another type."""
    store = MemoryStore()
    root = push(store, built("a"), "1")
    RELEASE.sign(store, root)
    RELEASE.attest(store, root, "https://slsa.dev/provenance/v1", {})
    asked = judged_by(RELEASE, evidence=(EvidenceRule("vulnerabilities", ("release",)),))
    verdict = judge_reference(store, Reference(store.repository, "1"), asked, at=NOON)
    assert verdict.outcome is Outcome.REJECTED
    assert [item.rule for item in verdict.findings if item.outcome == "fail"] == ["evidence.vulnerabilities"]


def test_cve_2022_35930_a_gate_lets_nothing_in_for_an_attestation_of_another_type(tmp_path: Path) -> None:
    """The admission controller did the same: what it let in ran."""
    origin, goal = layout(tmp_path / "ci"), layout(tmp_path / "prod")
    root = push(origin, built("a"), "1")
    RELEASE.sign(origin, root)
    RELEASE.attest(origin, root, "https://example.com/custom/v1", {})
    asked = judged_by(RELEASE, evidence=(EvidenceRule("vulnerabilities", ("release",)),))
    terms = Terms(asked, NOON, lambda: NOON)
    names = Reference(origin.repository, "1"), Reference(goal.repository, "1")
    result = promote_between(origin, goal, *names, terms)
    assert result.before.outcome is Outcome.REJECTED
    assert not list((tmp_path / "prod").rglob("*"))
    origin.close()
    goal.close()


class Moving(MemoryStore):
    """A registry that answers the first question about a tag with one image and every further one with another."""

    moved = False

    def resolve(self, name: str | Digest) -> Descriptor:
        """Good once, then evil."""
        if name != "1" or not self.moved:
            self.moved = self.moved or name == "1"
            return super().resolve(name)
        return super().resolve("evil")


def test_cve_2022_47633_what_is_judged_is_what_was_resolved_and_what_is_copied(tmp_path: Path) -> None:
    """Kyverno asked for a tag twice: a registry gave a signed image to the check and another one to the node."""
    origin, goal = Moving(), layout(tmp_path / "prod")
    good = push(origin, index(built("good")), "1")
    push(origin, built("evil"), "evil")
    RELEASE.sign(origin, good)
    terms = Terms(judged_by(RELEASE), NOON, lambda: NOON)
    promote_between(origin, goal, Reference(origin.repository, "1"), Reference(goal.repository, "1"), terms)
    assert goal.resolve("1").digest == good.digest
    assert origin.resolve("1").digest != good.digest
    goal.close()


def test_cve_2025_25204_no_matching_evidence_is_never_success() -> None:
    """What gh did: it ended with 0 where attestations were there and none had the predicate type."""
    verdict = judged(
        signature(),
        attestation("https://example.com/other", "ci"),
        evidence=(EvidenceRule("slsa-provenance", ("ci",)),),
    )
    assert exit_status([verdict]) == 1
    assert exit_status([judged()]) == 1


@pytest.mark.parametrize("kind", [V1, V2])
def test_cve_2026_22703_a_log_entry_about_another_signature_is_no_entry_of_this_one(kind: tuple[str, str]) -> None:
    """What cosign did: it took any good entry of the log: it did not ask whether the entry was about this signature."""
    signer = SIGSTORE.certify()
    root, at = SIGSTORE.trusting(), WHEN + DAY
    other = SIGSTORE.bundle(SIGSTORE.certify(), kind)["verificationMaterial"]["tlogEntries"][0]
    assert isinstance(assess(SIGSTORE.evidence(signer, kind), root, at=at), VerifiedSignature)
    found = assess(SIGSTORE.evidence(signer, kind, entry=lambda entry: entry.update(other)), root, at=at)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.LOG_INCONSISTENT


def test_a_date_that_somebody_only_wrote_makes_nothing_young() -> None:
    """Back- and forward-dating: config, annotations, signing times without a proof."""
    claim = ClaimedTime(AT - DAY, TimeSource.RFC3161, "", RefusalCode.TIME_UNTRUSTED, "nobody we know")
    verdict = judged(signature(claims=(claim,)), publish=PublishRule((TimeSource.RFC3161,), max_age=90 * DAY))
    assert verdict.outcome is Outcome.REJECTED


def test_signing_anew_makes_an_old_image_no_younger() -> None:
    publish = PublishRule((TimeSource.RFC3161,), max_age=90 * DAY)
    old, fresh = signature("release", time(200 * DAY)), signature("release", time(DAY), evidence="fresh")
    assert judged(fresh, publish=publish).outcome is Outcome.ACCEPTED
    assert judged(old, fresh, publish=publish).outcome is Outcome.REJECTED


def test_a_time_stamp_kept_back_makes_an_image_no_older() -> None:
    """Soak is asked of the sources that the policy accepts alone."""
    publish = PublishRule((TimeSource.REKOR,), min_soak=2 * DAY)
    assert judged(signature("release", time(9 * DAY)), publish=publish).outcome is Outcome.REJECTED


SCANNED: Final = (EvidenceRule("vulnerabilities", ("ci",), max_age=7 * DAY),)


def test_an_old_clean_scan_is_not_the_answer_and_deleting_the_new_one_does_not_help() -> None:
    old = attestation(SCAN, "ci", time(30 * DAY))
    assert judged(signature(), old, evidence=SCANNED).outcome is Outcome.REJECTED
    assert judged(signature(), old, attestation(SCAN, "ci", time(DAY)), evidence=SCANNED).outcome is Outcome.ACCEPTED


def test_one_old_bad_statement_does_not_stop_every_release_after_it() -> None:
    rule = (EvidenceRule("slsa-provenance", ("ci",), builder="good"),)
    kind = "https://slsa.dev/provenance/v1"
    bad = attestation(kind, "ci", time(9 * DAY), predicate={"runDetails": {"builder": {"id": "bad"}}})
    good = attestation(kind, "ci", time(DAY), predicate={"runDetails": {"builder": {"id": "good"}}}, evidence="good")
    assert judged(signature(), bad, good, evidence=rule).outcome is Outcome.ACCEPTED
    assert judged(signature(), replace(bad, times=(time(timedelta(hours=1)),)), good, evidence=rule).outcome is (
        Outcome.REJECTED
    )


def test_evidence_for_one_platform_says_nothing_of_the_index() -> None:
    child = subject("amd64", signature(subject=digest("amd64")), platform="linux/amd64")
    facts = image(children=(child, subject("arm64", platform="linux/arm64")))
    rules = Scope("gate", ("**",), SignatureRule(("release",)))
    policy = Policy((KeySigner("release", "release.pub"),), (rules,))
    assert evaluate(facts, policy, POLICY).outcome is Outcome.REJECTED


def test_rollback_and_freeze_of_tags_are_not_detected_and_every_report_says_so() -> None:
    """An old image that was signed once, under a tag that moved back: the limits of what there is."""
    verdict = judged(signature())
    assert verdict.outcome is Outcome.ACCEPTED
    assert any(text.startswith("rollback and freeze of tags") for text in verdict.not_checked)


def test_a_key_is_no_identity_and_an_identity_no_key() -> None:
    """As in cosign GHSA-fx35-mq7g-6g98: the flags said whom to trust, and the bundle said how to be judged."""
    found = assess(SIGSTORE.evidence(), SIGSTORE.trusting_key(SIGSTORE.certify()), at=WHEN + DAY)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.CERTIFICATE_INSTEAD_OF_KEY
    signer = replace(SIGSTORE.certify(), certified=None, key=Key.new())
    found = assess(SIGSTORE.evidence(signer), SIGSTORE.trusting(), at=WHEN + DAY)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.KEY_INSTEAD_OF_CERTIFICATE
