"""How what is missing can be made: one way for each kind of signer, and only ways that lead there."""

from __future__ import annotations

import pytest

from imgtrust.rules.ways import Means, Way, attest_words, best_time, how_to_attest, how_to_sign, sign_words
from imgtrust.trust.times import TimeSource

TARGET = "reg.io/app@sha256:1fa1"
PROFILE = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"
NOTATION = f"notation sign --plugin com.amazonaws.signer.notation.plugin --id {PROFILE}"
WHOM = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main (https://issuer.example)"
TSA, REKOR, OWN = TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY
KEY = Way("release")
CI = Way("ci", Means.KEYLESS, WHOM)
ACME = Way("acme", Means.KEYLESS, "a@acme.test (https://acme.test)", own_instance=True)
PARTNER = Way("partner", Means.NOTARY, "x509.subject: C=US, O=Acme")
AWS = Way("aws", Means.AWS_SIGNER, PROFILE)
AUTHORITY = Way("notary", Means.AUTHORITY)


@pytest.mark.parametrize(
    ("way", "line"),
    [
        (KEY, f"sign it: imgtrust sign --key KEY {TARGET}"),
        (CI, f"sign it as {WHOM}: imgtrust sign --keyless {TARGET}"),
        (ACME, f"sign it as {ACME.whom}: imgtrust sign --keyless --signing-config FILE --trusted-root FILE {TARGET}"),
        (
            PARTNER,
            f"sign it as x509.subject: C=US, O=Acme: imgtrust sign --notary-key KEY --notary-chain PEM {TARGET}",
        ),
        (
            AWS,
            f"sign it with AWS Signer, or push it anew where ECR signs with that profile: {NOTATION} {TARGET}",
        ),
        (AUTHORITY, "have it signed by the signing authority notary: imgtrust makes no such signatures"),
    ],
)
def test_each_kind_of_signer_has_its_way(way: Way, line: str) -> None:
    assert how_to_sign([way], TARGET) == line


def test_the_first_way_is_shown_and_the_others_are_named() -> None:
    told = how_to_sign([CI, PARTNER, AWS], TARGET)
    assert told.splitlines() == [
        f"sign it as {WHOM}: imgtrust sign --keyless {TARGET}",
        "or have it signed by partner (Notary certificate), aws (AWS Signer)",
    ]
    many = how_to_sign([KEY, *(Way(f"s{number}") for number in range(9))], TARGET)
    assert many.endswith("s4 (key), and 4 more")


@pytest.mark.parametrize(
    ("way", "sources", "time"),
    [
        (KEY, (REKOR, TSA, OWN), TSA),
        (KEY, (REKOR,), REKOR),
        (KEY, (OWN,), None),
        (CI, (REKOR,), REKOR),
        (PARTNER, (REKOR,), None),
        (PARTNER, (REKOR, TSA), TSA),
        (AWS, (TSA, OWN), OWN),
        (AUTHORITY, (TSA,), None),
    ],
)
def test_only_times_that_the_policy_takes_and_the_signer_can_have_are_offered(
    way: Way, sources: tuple[TimeSource, ...], time: TimeSource | None
) -> None:
    assert best_time(way, sources) is time


def test_the_command_asks_for_a_time_that_counts() -> None:
    assert how_to_sign([KEY], TARGET, (TSA, REKOR)) == (
        f"sign it with a time-stamp: imgtrust sign --key KEY --tsa URL {TARGET}"
    )
    assert how_to_sign([CI], TARGET, (REKOR,)) == (
        f"sign it as {WHOM} and log it where the time is promised: imgtrust sign --keyless --rekor-url URL {TARGET}"
    )
    assert sign_words(AWS, TARGET, OWN) == sign_words(AWS, TARGET)


def test_who_cannot_have_such_a_time_is_not_offered() -> None:
    assert how_to_sign([PARTNER, KEY], TARGET, (REKOR,)).startswith("sign it and log it")
    assert "partner" not in how_to_sign([PARTNER, KEY], TARGET, (REKOR,))
    assert "name another source in trusted_time" in how_to_sign([PARTNER], TARGET, (OWN,))


def test_an_attestation_is_made_by_the_first_who_can() -> None:
    line = f"attest it as {WHOM}: imgtrust attest --keyless --type spdx --predicate FILE --tsa URL {TARGET}"
    assert how_to_attest([PARTNER, CI, KEY], "spdx", TARGET, timed=True) == line
    plain = f"attest it: imgtrust attest --key KEY --type spdx --predicate FILE {TARGET}"
    assert how_to_attest([KEY], "spdx", TARGET, timed=False) == plain
    assert "Notary signs images only" in how_to_attest([PARTNER, AWS, AUTHORITY], "spdx", TARGET, timed=False)
    assert attest_words(AWS, "spdx", TARGET, timed=False) == ""


def test_who_is_meant_cannot_begin_a_line() -> None:
    assert "\n" not in how_to_sign([Way("x", Means.KEYLESS, "a\nb")], TARGET)
