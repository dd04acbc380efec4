"""No bytes make Notary's readers raise, none make a verified signature, and none take back a revocation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.formats import read
from imgtrust.formats.cbor import CborError, loads
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.notary.answers import Answer, Question, Revocations
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.notary.revocation import usable
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.property.test_formats import JSON
from tests.property.test_trust import mutated
from tests.simulators.notaryenvelopes import (
    AT,
    COSE,
    JWS,
    PROFILE,
    aws_header,
    cbor,
    cose,
    evidence,
    header,
    jws,
    notary,
    payload,
    trusting,
)
from tests.simulators.pki import authority, leaf
from tests.simulators.revocation import listed, said

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence

TSA = LocalAuthority(lambda: datetime(2026, 3, 1, tzinfo=UTC), certificates=True)
ROOT = authority()
MIDDLE = authority("intermediate", ROOT)
LEAF = leaf(MIDDLE)
SIGNER = (LEAF, MIDDLE, ROOT)
TRUST = trusting(
    notary(ROOT),
    notary(ROOT, name="authority", kind="signing-authority"),
    notary(
        ROOT,
        name="aws",
        kind="aws-signer",
        profiles=(str(aws_header(LEAF)["com.amazonaws.signer.signingProfileVersion"]),),
    ),
    authorities=(TSA.authority,),
)


def stamp(signature: bytes) -> bytes:
    response = TSA.stamp(signature)
    return response[response.index(b"\x02\x01\x00") + 3 :]


GOOD = (
    evidence(jws(SIGNER, stamp=stamp, body=payload(annotations={"team": "a"}))),
    evidence(jws(SIGNER, protected=header(LEAF, "notary.x509.signingAuthority"))),
    evidence(jws(SIGNER, protected=aws_header(LEAF))),
    evidence(cose(SIGNER, stamp=stamp), COSE),
)


def believed(candidate: Evidence) -> VerifiedSignature:
    found = assess(candidate, TRUST, at=AT)
    assert isinstance(found, VerifiedSignature)
    return found


BELIEVED = tuple(believed(candidate) for candidate in GOOD)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_cbor_in_one_reading_or_refused(data: bytes) -> None:
    try:
        value = loads(data)
    except CborError:
        return
    if not isinstance(value, dict | list) and not hasattr(value, "number"):
        assert cbor(value) == data


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([JWS, COSE]))
def test_arbitrary_bytes_are_refused(data: bytes, media_type: str) -> None:
    found = assess(evidence(data, media_type), TRUST, at=AT)
    assert isinstance(found, Refusal)
    assert questions(evidence(data, media_type), TRUST, at=AT) == ()


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_mutation_proves_nothing_that_was_not_signed(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(GOOD) - 1))
    good, before = GOOD[number], BELIEVED[number]
    changed = evidence(data.draw(mutated(good.payload)), good.layer.media_type)
    found = assess(changed, TRUST, at=AT)
    if isinstance(found, Refusal):
        return
    assert (found.signers, found.identity, found.subject) == (before.signers, before.identity, before.subject)
    assert found.annotations == before.annotations
    assert set(found.times) <= set(before.times)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_header_or_payload_is_refused_with_a_reason(data: st.DataObject) -> None:
    members = data.draw(mutated(payload()))
    for candidate in (evidence(jws(SIGNER, body=members)), evidence(cose(SIGNER, body=members), COSE)):
        try:
            signed = read(candidate)
        except Refused as exc:
            assert exc.reason  # noqa: PT017 - one of two outcomes
            continue
        assert signed.notary is not None


URLS = ("http://ocsp.invalid/", "http://crl.invalid/")
REVOCABLE = leaf(ROOT, ocsp=URLS[:1], crl=URLS[1:])
CANDIDATE = evidence(jws((REVOCABLE, ROOT)))
ENFORCING = trusting(notary(ROOT, revocation="enforce"))
REVOKING = (said(REVOCABLE, ROOT, revoked_at=AT), listed(ROOT, REVOCABLE))


def answered(*given_answers: bytes) -> VerifiedSignature | Refusal:
    """The judgement where both addresses are asked and answer in this order."""
    known: dict[tuple[str, bytes], Answer] = {}
    while asked := questions(CANDIDATE, ENFORCING, at=AT, revocations=Revocations(known, AT)):
        for question in asked:
            known[question.key] = Answer(given_answers[0 if question.request else 1])
    return assess(CANDIDATE, ENFORCING, at=AT, revocations=Revocations(known, AT))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_takes_back_a_revocation(data: st.DataObject) -> None:
    changed = [data.draw(mutated(each)) for each in REVOKING]
    assert isinstance(answered(*changed), Refusal)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_arbitrary_answers_prove_nothing(first: bytes, second: bytes) -> None:
    assert isinstance(answered(first, second), Refusal)
    assert not usable(Question(URLS[1], b"", ROOT.der), second, AT)


AWS_CANDIDATE = evidence(jws((REVOCABLE, ROOT), protected=aws_header(REVOCABLE)))
AWS_ENFORCING = trusting(notary(ROOT, kind="aws-signer", profiles=(PROFILE,), revocation="enforce"))


@settings(deadline=None)
@given(st.binary(max_size=300) | JSON.map(strict_json.dumps) | mutated(b'{"revokedEntities": ["a"]}'))
def test_aws_signer_says_that_nothing_is_revoked_in_one_way_only(answer: bytes) -> None:
    (asked,) = questions(AWS_CANDIDATE, AWS_ENFORCING, at=AT)
    known = Revocations({asked.key: Answer(answer)}, AT)
    if isinstance(assess(AWS_CANDIDATE, AWS_ENFORCING, at=AT, revocations=known), VerifiedSignature):
        said_so = json.loads(answer)
        assert said_so == {} or said_so["revokedEntities"] == []


def test_the_answers_themselves_are_good_ones() -> None:
    assert isinstance(answered(said(REVOCABLE, ROOT), b""), VerifiedSignature)
    assert isinstance(answered(b"", listed(ROOT)), VerifiedSignature)
    assert isinstance(answered(*REVOKING), Refusal)
