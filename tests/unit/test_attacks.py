"""Attacks that worked on somebody: published ones by their number, and those of policy.md section 3.4 by their name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from imgtrust.commands.attaching import attach_made
from imgtrust.commands.judge import judge_reference
from imgtrust.commands.promotion.run import Terms, promote_between
from imgtrust.commands.signing import make_attestation, make_signature
from imgtrust.formats.attachments import CREATED
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.refusals import RefusalCode
from imgtrust.reports.outcome import exit_status
from imgtrust.rules.requirements import EvidenceRule, PublishRule
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource
from tests.simulators.evidence import Key
from tests.simulators.fulcio import WHEN
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import image as built
from tests.simulators.images import index, push
from tests.simulators.memory import MemoryStore
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.commands.loading import Judgement
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

DAY: Final = timedelta(days=1)
RELEASE: Final = Publisher("release")
SIGSTORE: Final = VirtualSigstore()
HASHED: Final = ("hashedrekord", "0.0.1")
SCAN: Final = "vulnerabilities"
SCAN_TYPE: Final = "https://cosign.sigstore.dev/attestation/vuln/v1"
PROVENANCE: Final = "https://slsa.dev/provenance/v1"


class Clock:
    """What a publisher's time-stamp authority takes for now."""

    def __init__(self) -> None:
        """Start when everybody judges."""
        self.now = NOON

    def publisher(self, name: str = "release") -> Publisher:
        return Publisher(name, authority=LocalAuthority(lambda: self.now))


def gate(store: Store, asked: Judgement, tag: str = "1") -> Verdict:
    """The whole judgement of what a tag names."""
    return judge_reference(store, Reference(store.repository, tag), asked, at=NOON)


def failed(verdict: Verdict) -> list[str]:
    """The rules that an image is rejected for."""
    assert verdict.outcome is Outcome.REJECTED, verdict.findings
    return sorted({item.rule for item in verdict.findings if item.outcome == "fail"})


def attest(store: Store, publisher: Publisher, subject: Descriptor, kind: str, predicate: object) -> None:
    """Attest something, stamped by the publisher's authority."""
    signing = publisher.signing(stamped=True)
    made = make_attestation(signing, subject, store.repository, kind, predicate)
    attach_made(store, made, signing.now())


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
    store = MemoryStore()
    root = push(store, built("a"), "1")
    asked = judged_by(RELEASE, evidence=(EvidenceRule("slsa-provenance", ("release",)),))
    assert exit_status([gate(store, asked)]) == 1
    RELEASE.sign(store, root)
    RELEASE.attest(store, root, "https://example.com/other", {})
    verdict = gate(store, asked)
    assert (failed(verdict), exit_status([verdict])) == (["evidence.slsa-provenance"], 1)
    RELEASE.attest(store, root, PROVENANCE, {})
    assert exit_status([gate(store, asked)]) == 0


@pytest.mark.parametrize("kind", [V1, V2, HASHED, ("intoto", "0.0.2"), ("dsse", "0.0.2")])
@pytest.mark.parametrize("keyless", [True, False])
def test_cve_2026_22703_a_log_entry_about_another_signature_is_no_entry_of_this_one(
    kind: tuple[str, str], *, keyless: bool
) -> None:
    """What cosign did: it took any good entry of the log: it did not ask whether the entry was about this signature.

    The other entry is by the same signer over the same statement: only the signature in it is another.
    """
    signer = SIGSTORE.certify() if keyless else Signer(Key.new())
    root, at = SIGSTORE.trusting() if keyless else SIGSTORE.trusting_key(signer), WHEN + DAY
    other = SIGSTORE.bundle(signer, kind)["verificationMaterial"]["tlogEntries"][0]
    assert isinstance(assess(SIGSTORE.evidence(signer, kind), root, at=at), VerifiedSignature)
    found = assess(SIGSTORE.evidence(signer, kind, entry=lambda entry: entry.update(other)), root, at=at)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.LOG_INCONSISTENT


def test_evidence_about_another_image_is_none_of_this_one_wherever_it_is_attached() -> None:
    store = MemoryStore()
    good = push(store, built("good"), "good")
    evil = push(store, built("evil"), "1")
    for legacy in (False, True):
        made = make_signature(RELEASE.signing(legacy=legacy), good, store.repository)
        attach_made(store, replace(made, subject=evil), NOON)
    verdict = gate(store, judged_by(RELEASE))
    assert failed(verdict) == ["signatures"]
    assert verdict.facts is not None
    codes = {item.code for item in verdict.facts.root.refusals}
    assert codes == {RefusalCode.STATEMENT_SUBJECT, RefusalCode.SIMPLESIGNING_SUBJECT}


def test_a_date_that_somebody_only_wrote_makes_nothing_young() -> None:
    """Back- and forward-dating: the config, an annotation, a time-stamp of one's own authority."""
    store = MemoryStore()
    root = push(store, built("a", created="2026-11-23T11:00:00Z", annotations={CREATED: "2026-11-23T11:00:00Z"}), "1")
    RELEASE.sign(store, root)
    asked = judged_by(RELEASE, publish=PublishRule((TimeSource.RFC3161,), max_age=90 * DAY))
    assert failed(gate(store, asked)) == ["publish.max_age", "publish.trusted_time"]
    Publisher("release", RELEASE.signer).sign(store, root, stamped=True)
    assert failed(gate(store, asked)) == ["publish.max_age", "publish.trusted_time"]
    RELEASE.sign(store, root, stamped=True)
    assert gate(store, asked).outcome is Outcome.ACCEPTED


def test_signing_anew_makes_an_old_image_no_younger() -> None:
    clock, store = Clock(), MemoryStore()
    publisher = clock.publisher()
    asked = judged_by(publisher, publish=PublishRule((TimeSource.RFC3161,), max_age=90 * DAY))
    root = push(store, built("a"), "1")
    publisher.sign(store, root, stamped=True)
    assert gate(store, asked).outcome is Outcome.ACCEPTED
    clock.now -= 200 * DAY
    publisher.sign(store, root, stamped=True)
    assert failed(gate(store, asked)) == ["publish.max_age"]


def test_a_time_stamp_kept_back_makes_an_image_no_older() -> None:
    """Soak is asked of the sources that the policy accepts alone."""
    clock, store = Clock(), MemoryStore()
    publisher = clock.publisher()
    clock.now -= 9 * DAY
    publisher.sign(store, push(store, built("a"), "1"), stamped=True)
    logged = judged_by(publisher, publish=PublishRule((TimeSource.REKOR,), min_soak=2 * DAY))
    assert failed(gate(store, logged)) == ["publish.min_soak", "publish.trusted_time"]
    stamped = judged_by(publisher, publish=PublishRule((TimeSource.RFC3161,), min_soak=2 * DAY))
    assert gate(store, stamped).outcome is Outcome.ACCEPTED


def test_an_old_clean_scan_is_not_the_answer_and_deleting_the_new_one_does_not_help() -> None:
    clock, store = Clock(), MemoryStore()
    publisher = clock.publisher()
    asked = judged_by(publisher, evidence=(EvidenceRule(SCAN, ("release",), max_age=7 * DAY),))
    root = push(store, built("a"), "1")
    publisher.sign(store, root)
    clock.now -= 30 * DAY
    attest(store, publisher, root, SCAN_TYPE, {})
    assert failed(gate(store, asked)) == ["evidence.vulnerabilities"]
    clock.now += 29 * DAY
    attest(store, publisher, root, SCAN_TYPE, {})
    assert gate(store, asked).outcome is Outcome.ACCEPTED


def test_one_old_bad_statement_does_not_stop_every_release_after_it() -> None:
    clock, store = Clock(), MemoryStore()
    publisher = clock.publisher()
    asked = judged_by(publisher, evidence=(EvidenceRule("slsa-provenance", ("release",), builder="good"),))
    root = push(store, built("a"), "1")
    publisher.sign(store, root)
    for days, builder, outcome in (
        (9, "bad", Outcome.REJECTED),
        (1, "good", Outcome.ACCEPTED),
        (0, "bad", Outcome.REJECTED),
    ):
        clock.now = NOON - days * DAY
        attest(store, publisher, root, PROVENANCE, {"runDetails": {"builder": {"id": builder}}})
        assert gate(store, asked).outcome is outcome


def test_evidence_for_one_platform_says_nothing_of_the_index() -> None:
    store = MemoryStore()
    children = built("a", platform="linux/amd64"), built("b", platform="linux/arm64")
    root = push(store, index(*children), "1")
    for child in children[:1]:
        RELEASE.sign(store, child.descriptor)
    assert failed(gate(store, judged_by(RELEASE))) == ["signatures"]
    RELEASE.sign(store, root)
    assert gate(store, judged_by(RELEASE)).outcome is Outcome.ACCEPTED


def test_rollback_and_freeze_of_tags_are_not_detected_and_every_report_says_so() -> None:
    """An old image that was signed once, under a tag that moved back: the limits of what there is."""
    store = MemoryStore()
    for name in ("old", "new"):
        RELEASE.sign(store, push(store, built(name), name, "1"))
    store.names["1"] = store.names["old"]
    verdict = gate(store, judged_by(RELEASE))
    assert verdict.outcome is Outcome.ACCEPTED
    assert any(text.startswith("rollback and freeze of tags") for text in verdict.not_checked)


def test_one_signed_image_under_the_tag_of_another_is_told_by_nothing_but_the_policy_s_names() -> None:
    """Mix and match: a signature is about a digest. What goes where is what scopes and their edges are for."""
    store = MemoryStore("team/staging")
    RELEASE.sign(store, push(store, built("batch"), "web"))
    assert gate(store, judged_by(RELEASE), "web").outcome is Outcome.ACCEPTED
    production = judged_by(RELEASE, images=("registry.test/team/production",))
    assert gate(store, production, "web").outcome is Outcome.REJECTED


def test_a_key_is_no_identity_and_an_identity_no_key() -> None:
    """As in cosign GHSA-fx35-mq7g-6g98: the flags said whom to trust, and the bundle said how to be judged."""
    found = assess(SIGSTORE.evidence(), SIGSTORE.trusting_key(SIGSTORE.certify()), at=WHEN + DAY)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.CERTIFICATE_INSTEAD_OF_KEY
    signer = Signer(Key.new())
    found = assess(SIGSTORE.evidence(signer), SIGSTORE.trusting(), at=WHEN + DAY)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.KEY_INSTEAD_OF_CERTIFICATE
