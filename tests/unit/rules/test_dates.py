"""Rules ``publish.*``: boundaries, accuracy, and which time counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from imgtrust.evidence import Unread
from imgtrust.refusals import RefusalCode
from imgtrust.rules.dates import TICK, later, max_age, min_soak, trusted_time, window
from imgtrust.rules.finding import Finding, RuleOutcome
from imgtrust.rules.requirements import PublishRule, SignatureRule
from imgtrust.rules.subjects import Subject, subjects
from imgtrust.rules.wording import age, command
from imgtrust.trust.times import ClaimedTime, TimeClass, TimeSource
from tests.simulators.facts import AT, attestation, image, signature, time

if TYPE_CHECKING:
    from imgtrust.rules.facts import ImageFacts

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
TSA = (TimeSource.RFC3161,)
PASS, FAIL, UNKNOWN = RuleOutcome.PASS, RuleOutcome.FAIL, RuleOutcome.UNKNOWN
UNREAD = [Unread("a referrer", "500")]


def seen(facts: ImageFacts) -> Subject:
    return subjects(facts, "gate.toml")[0]


def aged(facts: ImageFacts, limit: timedelta) -> Finding:
    return max_age(seen(facts), limit)


def soaked(facts: ImageFacts, limit: timedelta, sources: tuple[TimeSource, ...] = TSA) -> Finding:
    return min_soak(seen(facts), limit, sources)


@pytest.mark.parametrize(("ago", "outcome"), [(DAY - TICK, PASS), (DAY, PASS), (DAY + TICK, FAIL)])
def test_the_limit_of_age_is_inclusive(ago: timedelta, outcome: RuleOutcome) -> None:
    assert aged(image(signature("release", time(ago))), DAY).outcome is outcome


@pytest.mark.parametrize(("ago", "outcome"), [(DAY - TICK, FAIL), (DAY, PASS), (DAY + TICK, PASS)])
def test_the_limit_of_soak_is_inclusive(ago: timedelta, outcome: RuleOutcome) -> None:
    assert soaked(image(signature("release", time(ago))), DAY).outcome is outcome


def test_accuracy_makes_an_image_older_for_age() -> None:
    exact = signature("release", time(DAY - SECOND, accuracy=SECOND))
    beyond = signature("release", time(DAY - SECOND, accuracy=SECOND + TICK))
    assert [aged(image(one), DAY).outcome for one in (exact, beyond)] == [PASS, FAIL]


def test_accuracy_makes_an_image_younger_for_soak() -> None:
    exact = signature("release", time(DAY + SECOND, accuracy=SECOND))
    beyond = signature("release", time(DAY + SECOND, accuracy=SECOND + TICK))
    assert [soaked(image(one), DAY).outcome for one in (exact, beyond)] == [PASS, FAIL]


def test_signing_again_does_not_rejuvenate() -> None:
    old, new = signature("release", time(100 * DAY), evidence="old"), signature("release", time(DAY), evidence="new")
    finding = aged(image(old, new), 90 * DAY)
    assert finding.outcome is FAIL
    assert "signing again does not change that" in finding.why


def test_a_second_time_stamp_on_a_signature_does_not_rejuvenate() -> None:
    assert aged(image(signature("release", time(DAY), time(100 * DAY))), 90 * DAY).outcome is FAIL


def test_the_time_of_an_attestation_counts_for_age_too() -> None:
    older = attestation("https://spdx.dev/Document", "ci", time(100 * DAY))
    assert aged(image(signature("release", time(DAY)), older), 90 * DAY).outcome is FAIL


def test_no_proven_time_is_neither_young_nor_old() -> None:
    facts = image(signature("release", claims=(ClaimedTime(AT, "config", "created"),)))
    for finding in (aged(facts, DAY), soaked(facts, DAY), window(seen(facts), PublishRule(TSA, not_before=AT))):
        assert (finding.outcome, finding.observed) == (FAIL, "no proven time")
        assert "--tsa URL" in finding.fix


def test_a_time_of_the_registry_is_not_a_trusted_one() -> None:
    pushed = replace(time(DAY), time_class=TimeClass.REGISTRY, source=TimeSource.REGISTRY)
    assert aged(image(signature("release", pushed)), 90 * DAY).outcome is FAIL


def test_unread_evidence_might_prove_a_time() -> None:
    facts = image(signature("release"), unread=UNREAD)
    assert [aged(facts, DAY).outcome, soaked(facts, DAY).outcome] == [UNKNOWN, UNKNOWN]


def test_unread_evidence_cannot_make_an_image_younger() -> None:
    assert aged(image(signature("release", time(2 * DAY)), unread=UNREAD), DAY).outcome is FAIL


def test_unread_evidence_might_make_an_image_older() -> None:
    assert soaked(image(signature("release", time(DAY)), unread=UNREAD), 2 * DAY).outcome is UNKNOWN


def test_soak_takes_only_sources_that_the_policy_accepts() -> None:
    facts = image(signature("release", time(2 * DAY, source=TimeSource.REKOR)))
    assert soaked(facts, DAY, TSA).outcome is FAIL
    assert soaked(facts, DAY, (TimeSource.REKOR,)).outcome is PASS


def test_age_says_when_it_will_fail() -> None:
    finding = aged(image(signature("release", time(3 * DAY, accuracy=SECOND))), 90 * DAY)
    assert finding.changes_at == AT + 87 * DAY - SECOND + TICK
    assert aged(image(signature("release", time(91 * DAY))), 90 * DAY).changes_at is None


def test_soak_says_when_it_will_pass() -> None:
    finding = soaked(image(signature("release", time(DAY, accuracy=SECOND))), 2 * DAY)
    assert finding.changes_at == AT + DAY + SECOND
    assert "it passes from 2026-11-24 21:00:01 UTC" in finding.why
    assert soaked(image(signature("release", time(3 * DAY))), DAY).changes_at is None


def test_a_change_after_the_end_of_the_calendar_never_comes() -> None:
    end = datetime(9999, 12, 31, tzinfo=UTC)
    facts = image(signature("release", replace(time(), time=end)), at=end)
    assert aged(facts, DAY).changes_at is None
    finding = soaked(facts, DAY)
    assert (finding.outcome, finding.changes_at) == (FAIL, None)
    assert "it passes never" in finding.why
    assert later(end, DAY) is None


WINDOW = PublishRule(TSA, not_before=AT - 2 * DAY, not_after=AT - DAY)


@pytest.mark.parametrize(
    ("ago", "outcome"),
    [(2 * DAY + TICK, FAIL), (2 * DAY, PASS), (1.5 * DAY, PASS), (DAY, PASS), (DAY - TICK, FAIL)],
)
def test_both_ends_of_a_window_are_inclusive(ago: timedelta, outcome: RuleOutcome) -> None:
    assert window(seen(image(signature("release", time(ago)))), WINDOW).outcome is outcome


@pytest.mark.parametrize("ago", [2 * DAY, DAY])
def test_a_window_is_kept_with_all_the_accuracy_of_a_time(ago: timedelta) -> None:
    assert window(seen(image(signature("release", time(ago, accuracy=TICK)))), WINDOW).outcome is FAIL


def test_an_earlier_time_of_any_source_is_before_the_window() -> None:
    facts = image(signature("release", time(3 * DAY, source=TimeSource.REKOR), time(1.5 * DAY)))
    finding = window(seen(facts), WINDOW)
    assert finding.outcome is FAIL
    assert "before the window" in finding.why
    assert finding.fix == "build and publish the image anew"


def test_unread_evidence_might_be_earlier_but_never_later() -> None:
    early, late = (
        image(signature("release", time(3 * DAY)), unread=UNREAD),
        image(signature("release", time(timedelta(0))), unread=UNREAD),
    )
    assert [window(seen(facts), WINDOW).outcome for facts in (early, late)] == [FAIL, UNKNOWN]


def test_a_window_at_the_end_of_the_calendar_is_a_window() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    last = image(signature("release", replace(time(accuracy=DAY), time=end)), at=end)
    assert window(seen(last), PublishRule(TSA, not_after=end)).outcome is FAIL
    assert window(seen(last), PublishRule(TSA, not_before=end - DAY)).outcome is PASS


def test_a_window_with_one_end_says_only_that() -> None:
    facts = image(signature("release", time(DAY)))
    assert (
        window(seen(facts), PublishRule(TSA, not_before=AT - DAY)).required
        == "published at or after 2026-11-22 21:00:00 UTC"
    )
    finding = window(seen(facts), PublishRule(TSA, not_after=AT - 2 * DAY))
    assert finding.required == "published at or before 2026-11-21 21:00:00 UTC"
    assert "after the window" in finding.why
    assert finding.fix == "publish no later than the window allows, or widen it"


def timed(facts: ImageFacts, rule: SignatureRule) -> Finding:
    return trusted_time(seen(facts), PublishRule(TSA), rule)


def test_each_signature_that_counts_needs_a_proven_time() -> None:
    rule = SignatureRule(("release", "ci"), 2)
    with_one = image(signature("release", time()), signature("ci"))
    with_both = image(signature("release", time()), signature("ci", time()))
    assert [timed(facts, rule).outcome for facts in (with_one, with_both)] == [FAIL, PASS]
    assert "1 signer signed without a proven time" in timed(with_one, rule).why


def test_a_time_of_another_source_is_not_enough() -> None:
    facts = image(signature("release", time(source=TimeSource.REKOR)))
    assert timed(facts, SignatureRule(("release",))).outcome is FAIL


def test_sources_are_named_unless_all_that_can_prove_a_time_are_accepted() -> None:
    every = (TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY)
    rule = SignatureRule(("release",))
    for sources, words in ((every, "any trusted source"), (every[:2], "time-stamp or transparency log")):
        finding = trusted_time(seen(image()), PublishRule(sources), rule)
        assert finding.required == f"1 needed, by {words}"


def test_a_token_that_could_not_be_proven_is_named() -> None:
    claim = ClaimedTime(AT, "rfc3161", "tsa.evil", RefusalCode.TIME_UNTRUSTED, "no authority of the policy\nsigned it")
    finding = timed(image(signature("release", claims=(claim,))), SignatureRule(("release",)))
    assert "rfc3161 tsa.evil: no authority of the policy signed it [time.untrusted_authority]" in finding.why


def test_only_the_first_few_tokens_that_could_not_be_proven_are_named() -> None:
    claim = ClaimedTime(AT, "rfc3161", "tsa.evil", RefusalCode.TIME_UNTRUSTED, "unknown")
    finding = timed(image(signature("release", claims=(claim,) * 7)), SignatureRule(("release",)))
    assert finding.why.count("tsa.evil") == 5
    assert finding.why.endswith("\nand 2 more")


def test_a_limit_is_kept_to_the_microsecond() -> None:
    assert timedelta(microseconds=1) == TICK
    finding = aged(image(signature("release", time(DAY))), DAY)
    assert finding.changes_at == AT + timedelta(microseconds=1)
    assert soaked(image(signature("release", time(DAY))), DAY).changes_at is None


def test_of_two_times_the_one_counts_that_is_worse_with_its_accuracy() -> None:
    exact, vague = time(10 * DAY), time(9 * DAY, accuracy=2 * DAY)
    for times in ((exact, vague), (vague, exact)):
        assert aged(image(signature("release", *times)), 10 * DAY).outcome is FAIL


def test_of_two_times_the_one_counts_that_shows_more_soak_for_certain() -> None:
    vague, exact = time(10 * DAY, accuracy=3 * DAY), time(9 * DAY)
    for times in ((exact, vague), (vague, exact)):
        assert soaked(image(signature("release", *times)), 8 * DAY).outcome is PASS


def test_without_a_signer_there_is_no_time_to_speak_of() -> None:
    assert timed(image(), SignatureRule(("release",))).why == "nobody that counts signed"


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "0 seconds"),
        (-DAY, "0 seconds"),
        (SECOND, "1 second"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=12, seconds=3), "12 minutes 3 seconds"),
        (timedelta(days=3, minutes=4), "3 days"),
        (timedelta(days=1, hours=5, minutes=4), "1 day 5 hours"),
        (90 * DAY, "90 days"),
    ],
)
def test_ages_are_said_in_their_two_largest_units(duration: timedelta, words: str) -> None:
    assert age(duration) == words


def test_commands_are_quoted_for_a_shell() -> None:
    assert command("imgtrust", "sign", "oci:my images;rm") == "imgtrust sign 'oci:my images;rm'"


def test_a_proven_time_goes_with_its_signature_and_that_is_foreseen() -> None:
    undated = signature("release", evidence="undated")
    short = replace(signature("release", time(DAY)), ends=AT + DAY)
    rule, one = PublishRule(TSA), SignatureRule(("release",))
    assert trusted_time(seen(image(short, undated)), rule, one).changes_at == AT + DAY
    assert aged(image(short, undated), 90 * DAY).changes_at == AT + DAY
    assert aged(image(short, undated), DAY + SECOND).changes_at == AT + SECOND + TICK
    lasting = signature("release", time(DAY), evidence="lasting")
    assert trusted_time(seen(image(short, lasting)), rule, one).changes_at is None
    assert aged(image(short, lasting), 90 * DAY).changes_at == AT + 89 * DAY + TICK
