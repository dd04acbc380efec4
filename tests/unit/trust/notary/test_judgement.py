"""One Notary signature, judged: each step has a test that fails without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind
from imgtrust.formats import read
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.notary.answers import Answer, Revocations
from imgtrust.trust.notary.judgement import questions, verify
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource, authentic_time
from tests.simulators.evidence import MANIFEST
from tests.simulators.notaryenvelopes import (
    AT,
    COSE,
    SIGNED,
    aws_header,
    cose,
    evidence,
    header,
    jws,
    notary,
    payload,
    trusting,
)
from tests.simulators.pki import END, START, SUBJECT, authority, leaf, usage
from tests.simulators.revocation import listed, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Evidence
    from imgtrust.trust.roots import TrustRoot

ROOT = authority()
LEAF = leaf(ROOT)
SIGNER = (LEAF, ROOT)
TRUST = trusting(notary(ROOT))
AUTHORITY = "notary.x509.signingAuthority"
OPENING = b"\x30\x03\x02\x01\x00"


def believed(candidate: Evidence, trust: TrustRoot = TRUST, at: datetime = AT) -> VerifiedSignature:
    found = assess(candidate, trust, at=at)
    assert isinstance(found, VerifiedSignature), found
    return found


def code(candidate: Evidence, trust: TrustRoot = TRUST, at: datetime = AT) -> RefusalCode:
    found = assess(candidate, trust, at=at)
    assert isinstance(found, Refusal), found
    return found.code


def stamp(tsa: LocalAuthority) -> Callable[[bytes], bytes]:
    """Bare tokens of an authority, as Notary keeps them."""

    def token(signature: bytes) -> bytes:
        response = tsa.stamp(signature)
        return response[response.index(OPENING) + len(OPENING) :]

    return token


def tsa(at: datetime = SIGNED, **options: Any) -> LocalAuthority:
    return LocalAuthority(lambda: at, certificates=True, **options)


@pytest.mark.parametrize(
    ("data", "media_type", "kind"),
    [(jws(SIGNER), "application/jose+json", Format.NOTARY_JWS), (cose(SIGNER), COSE, Format.NOTARY_COSE)],
)
def test_a_signature_is_believed_with_what_it_claims(data: bytes, media_type: str, kind: Format) -> None:
    found = believed(evidence(data, media_type))
    assert (found.format, found.kind, found.signers) == (kind, Kind.SIGNATURE, ("acme",))
    assert (found.predicate_type, found.times) == (None, ())
    assert [(claim.time, claim.source, claim.code) for claim in found.claims] == [(SIGNED, "notary-signing-time", None)]
    assert found.not_checked == ("revocation: not asked, as the policy says (skip)",)


def test_signed_annotations_are_kept() -> None:
    found = believed(evidence(jws(SIGNER, body=payload(annotations={"team": "a"}))))
    assert found.annotations == (("team", "a"),)


# --- integrity --------------------------------------------------------------------------------------------------------


def test_what_was_altered_is_refused() -> None:
    assert code(evidence(jws(SIGNER, body=b"[]"))) is RefusalCode.NOTARY_MALFORMED
    stolen = jws(SIGNER, signature=lambda _: bytes(64))
    assert code(evidence(stolen)) is RefusalCode.NOTARY_BAD_SIGNATURE
    assert code(evidence(jws((leaf(ROOT, usage=usage("crl_sign")), ROOT)))) is RefusalCode.NOTARY_CHAIN
    assert code(evidence(jws(SIGNER, protected=header(LEAF, alg="ES384")))) is RefusalCode.NOTARY_ALGORITHM


def test_a_signature_without_a_notary_header_is_refused() -> None:
    candidate = evidence(jws(SIGNER))
    with pytest.raises(Refused) as caught:
        verify(replace(read(candidate), notary=None), candidate, TRUST, at=AT)
    assert caught.value.code is RefusalCode.NOTARY_MALFORMED


# --- subject ----------------------------------------------------------------------------------------------------------


def test_a_signature_of_another_image_is_refused() -> None:
    for digest in (Digest.of(b"other"), Digest.parse("sha512:" + "0" * 128)):
        candidate = replace(evidence(jws(SIGNER)), subject=digest)
        assert code(candidate) is RefusalCode.NOTARY_SUBJECT
        assert code(evidence(jws(SIGNER, body=payload(digest=str(digest))))) is RefusalCode.NOTARY_SUBJECT


def test_size_and_media_type_are_those_of_the_image_where_its_bytes_are_known() -> None:
    longer = payload(size=len(MANIFEST) + 1)
    believed(evidence(jws(SIGNER, body=longer)))
    assert code(evidence(jws(SIGNER, body=longer), content=MANIFEST)) is RefusalCode.NOTARY_SUBJECT
    believed(evidence(jws(SIGNER), content=MANIFEST))


@pytest.mark.parametrize(
    ("manifest", "accepted"),
    [
        (b'{"mediaType":"a/b"}', True),
        (b'{"mediaType":"a/c"}', False),
        (b'{"mediaType":1}', False),
        (b'{"mediaType":{}}', False),
        (b"{}", True),
        (b"[]", True),
        (b"no JSON", True),
    ],
)
def test_the_media_type_is_what_the_manifest_says(manifest: bytes, *, accepted: bool) -> None:
    digest = Digest.of(manifest)
    body = payload(mediaType="a/b", digest=str(digest), size=len(manifest))
    candidate = evidence(jws(SIGNER, body=body), content=manifest, subject=digest)
    if accepted:
        believed(candidate)
    else:
        assert code(candidate) is RefusalCode.NOTARY_SUBJECT


# --- expiry and times -------------------------------------------------------------------------------------------------


def test_a_signature_holds_until_just_before_it_expires() -> None:
    candidate = evidence(jws(SIGNER, protected=header(LEAF, expiry=AT.isoformat())))
    believed(candidate, at=AT - timedelta(microseconds=1))
    assert code(candidate, at=AT) is RefusalCode.NOTARY_EXPIRED


def test_without_a_proven_time_every_certificate_is_valid_now() -> None:
    candidate = evidence(jws(SIGNER))
    believed(candidate, at=END)
    assert code(candidate, at=END + timedelta(seconds=1)) is RefusalCode.NOTARY_TIME


def test_when_a_signature_will_end_is_known() -> None:
    tick = timedelta(microseconds=1)
    expiry = AT + timedelta(days=9)
    plain, short = evidence(jws(SIGNER)), evidence(jws(SIGNER, protected=header(LEAF, expiry=expiry.isoformat())))
    assert (believed(plain).ends, believed(short).ends) == (END + tick, expiry)
    believed(plain, at=END)
    assert code(plain, at=END + tick) is RefusalCode.NOTARY_TIME
    clock = tsa()
    trust = replace(TRUST, authorities=(clock.authority,))
    assert believed(evidence(jws(SIGNER, stamp=stamp(clock))), trust).ends is None
    both = evidence(jws(SIGNER, protected=header(LEAF, expiry=expiry.isoformat()), stamp=stamp(clock)))
    assert believed(both, trust).ends == expiry


def test_a_time_stamp_proves_that_a_certificate_was_valid_once() -> None:
    authority_of_time = tsa()
    candidate = evidence(jws(SIGNER, stamp=stamp(authority_of_time)))
    trust = replace(TRUST, authorities=(authority_of_time.authority,))
    found = believed(candidate, trust, END + timedelta(days=1))
    assert [(each.time, each.source) for each in found.times] == [(SIGNED, TimeSource.RFC3161)]
    assert found.earliest == SIGNED
    assert found.not_checked[1] == "revocation of the time-stamp authority: not asked, as the policy says (skip)"
    assert code(candidate, TRUST, END + timedelta(days=1)) is RefusalCode.NOTARY_TIME
    unproven = believed(candidate)
    assert [claim.code for claim in unproven.claims] == [RefusalCode.TIME_UNTRUSTED, None]


@pytest.mark.parametrize(
    ("moment", "accuracy", "accepted"),
    [
        (END, None, True),
        (END, timedelta(seconds=1), False),
        (END - timedelta(seconds=1), timedelta(seconds=1), True),
        (END + timedelta(seconds=1), None, False),
        (SIGNED - timedelta(days=425), None, False),
        (START, None, True),
        (START, timedelta(seconds=1), False),
        (START + timedelta(seconds=1), timedelta(seconds=1), True),
    ],
)
def test_the_whole_interval_of_a_time_stamp_lies_inside_the_validity(
    moment: datetime, accuracy: timedelta | None, *, accepted: bool
) -> None:
    late = tsa(moment, accuracy=accuracy)
    candidate = evidence(jws(SIGNER, stamp=stamp(late)))
    trust = replace(TRUST, authorities=(late.authority,))
    at = END + timedelta(days=30)
    if accepted:
        assert believed(candidate, trust, at).times
    else:
        assert code(candidate, trust, at) is RefusalCode.NOTARY_TIME


def test_a_token_over_something_else_gives_no_time() -> None:
    authority_of_time = tsa()
    token = stamp(authority_of_time)(b"something else")
    trust = replace(TRUST, authorities=(authority_of_time.authority,))
    found = believed(evidence(jws(SIGNER, stamp=lambda _: token)), trust)
    assert (found.times, found.claims[0].code) == ((), RefusalCode.TIME_IMPRINT)


@pytest.mark.parametrize("kind", ["signing-authority", "aws-signer"])
def test_a_signing_authority_vouches_for_its_time(kind: str) -> None:
    protected = header(LEAF, AUTHORITY) if kind == "signing-authority" else aws_header(LEAF)
    profile = protected.get("com.amazonaws.signer.signingProfileVersion", "")
    trust = trusting(notary(ROOT, kind=kind, profiles=(profile,)))
    candidate = evidence(jws(SIGNER, protected=protected))
    found = believed(candidate, trust, END + timedelta(days=1))
    assert [(each.time, each.source, each.authority) for each in found.times] == [
        (SIGNED, TimeSource.SIGNING_AUTHORITY, "leaf")
    ]
    assert found.claims == ()
    assert not any("time-stamp authority" in note for note in found.not_checked)
    assert believed(candidate, trust, SIGNED).times
    assert code(candidate, trust, SIGNED - timedelta(seconds=1)) is RefusalCode.TIME_FUTURE


def test_the_time_of_a_signing_authority_lies_inside_the_validity() -> None:
    trust = trusting(notary(ROOT, kind="signing-authority"))
    for time in ("2024-12-31T23:59:59Z", "1970-01-01T00:00:00Z"):
        protected = header(LEAF, AUTHORITY, authenticSigningTime=time)
        assert code(evidence(jws(SIGNER, protected=protected)), trust) is RefusalCode.NOTARY_TIME


def test_a_token_is_not_looked_at_where_an_authority_vouches() -> None:
    authority_of_time = tsa()
    trust = trusting(notary(ROOT, kind="signing-authority"), authorities=(authority_of_time.authority,))
    made = jws(SIGNER, protected=header(LEAF, AUTHORITY), stamp=stamp(authority_of_time))
    assert [each.source for each in believed(evidence(made), trust).times] == [TimeSource.SIGNING_AUTHORITY]


def test_an_authority_without_a_common_name_is_named_by_its_subject() -> None:
    signer = (leaf(ROOT, subject=SUBJECT), ROOT)
    trust = trusting(notary(ROOT, kind="signing-authority"))
    found = believed(evidence(jws(signer, protected=header(signer[0], AUTHORITY))), trust)
    assert found.times[0].authority == "O=Acme,ST=WA,C=US"


def test_the_authentic_time_counts_from_itself_on() -> None:
    assert authentic_time(SIGNED, "a", at=SIGNED).accuracy == timedelta()
    with pytest.raises(Refused, match="after the time of judgement") as caught:
        authentic_time(SIGNED, "a", at=datetime(2026, 3, 1, tzinfo=UTC))
    assert caught.value.code is RefusalCode.TIME_FUTURE


# --- revocation, as the policy has it; what answers are worth is in test_revocation -----------------------------------


@pytest.mark.parametrize(
    ("mode", "note"),
    [
        ("enforce", "revocation: no certificate names a responder or a list, so there was nobody to ask"),
        ("log", "revocation: no certificate names a responder or a list, so there was nobody to ask"),
        ("skip", "revocation: not asked, as the policy says (skip)"),
    ],
)
def test_where_nobody_can_be_asked_that_is_said(mode: str, note: str) -> None:
    trust = trusting(notary(ROOT, revocation=mode))
    assert believed(evidence(jws(SIGNER)), trust).not_checked == (note,)
    assert questions(evidence(jws(SIGNER)), trust, at=AT) == ()


REVOCABLE = leaf(ROOT, ocsp=("http://ocsp.invalid/",))
LISTED = leaf(ROOT, crl=("http://crl.invalid/",))


def test_what_nobody_answered_is_unknown_under_enforce_and_said_under_log() -> None:
    candidate = evidence(jws((REVOCABLE, ROOT)))
    enforcing, logging = notary(ROOT, name="a", revocation="enforce"), notary(ROOT, name="b", revocation="log")
    assert code(candidate, trusting(enforcing)) is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    found = believed(candidate, trusting(enforcing, logging))
    assert found.signers == ("b",)
    assert found.not_checked[0].startswith("revocation: could not be checked (log): http://ocsp.invalid/ was not asked")


def asked(candidate: Evidence, trust: TrustRoot, data: bytes) -> VerifiedSignature | Refusal:
    """The judgement after everything that is asked was answered with the same bytes."""
    known = {question.key: Answer(data) for question in questions(candidate, trust, at=AT)}
    return assess(candidate, trust, at=AT, revocations=Revocations(known, AT))


def test_an_answer_is_enforced_or_said() -> None:
    candidate = evidence(jws((REVOCABLE, ROOT)))
    enforcing, logging = notary(ROOT, name="a", revocation="enforce"), notary(ROOT, name="b", revocation="log")
    good = asked(candidate, trusting(enforcing, logging), said(REVOCABLE, ROOT))
    assert isinstance(good, VerifiedSignature)
    assert (good.signers, good.not_checked) == (("a", "b"), ())
    revoked = said(REVOCABLE, ROOT, revoked_at=SIGNED)
    found = asked(candidate, trusting(enforcing), revoked)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOKED
    told = asked(candidate, trusting(enforcing, logging), revoked)
    assert isinstance(told, VerifiedSignature)
    assert told.signers == ("b",)
    assert told.not_checked[0].startswith("revocation: revoked, and believed all the same (log): ")


def test_what_was_signed_before_the_certificate_became_invalid_is_believed_and_that_is_said() -> None:
    when = tsa()
    candidate = evidence(jws((LISTED, ROOT), stamp=stamp(when)))
    trust = trusting(notary(ROOT, revocation="enforce"), authorities=(when.authority,))
    for since, expected in ((SIGNED + timedelta(days=1), True), (SIGNED, False)):
        data = listed(ROOT, revoked=((LISTED, None, since),))
        assert isinstance(asked(candidate, trust, data), VerifiedSignature) is expected
        assert isinstance(asked(candidate, replace(trust, authorities=()), data), Refusal)


def test_it_was_signed_at_the_end_of_the_interval_of_its_time_stamp_at_the_latest() -> None:
    when = tsa(accuracy=timedelta(seconds=2))
    candidate = evidence(jws((LISTED, ROOT), stamp=stamp(when)))
    trust = trusting(notary(ROOT, revocation="enforce"), authorities=(when.authority,))
    for seconds, expected in ((3, True), (2, False), (1, False)):
        data = listed(ROOT, revoked=((LISTED, None, SIGNED + timedelta(seconds=seconds)),))
        assert isinstance(asked(candidate, trust, data), VerifiedSignature) is expected


def test_nothing_is_asked_about_what_is_not_believed_otherwise() -> None:
    trust = trusting(notary(ROOT, revocation="enforce"))
    good = evidence(jws((REVOCABLE, ROOT)))
    assert [question.url for question in questions(good, trust, at=AT)] == ["http://ocsp.invalid/"]
    bad = [
        evidence(jws((REVOCABLE, ROOT), signature=lambda _: bytes(64))),
        evidence(jws((REVOCABLE, ROOT), body=payload(digest=str(Digest.of(b"other"))))),
        evidence(jws((REVOCABLE, ROOT), protected=header(REVOCABLE, expiry=AT.isoformat()))),
        evidence(b"{}"),
        evidence(jws((REVOCABLE, ROOT)), "application/vnd.dev.sigstore.bundle.v0.3+json"),
        replace(good, problem=("blob.missing", "gone")),
    ]
    for candidate in bad:
        assert questions(candidate, trust, at=AT) == ()
    assert questions(good, trust, at=END + timedelta(days=1)) == ()
    assert questions(good, trusting(notary(authority(), revocation="enforce")), at=AT) == ()
    assert questions(good, trusting(notary(ROOT, revocation="skip")), at=AT) == ()
