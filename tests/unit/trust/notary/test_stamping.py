"""Whoever vouches for a time can be revoked as well: it is asked about like the signer, and no date helps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from imgtrust.refusals import RefusalCode
from imgtrust.trust.notary.answers import Answer, Revocations
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.notary.stamping import stamping_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimestampAuthority
from tests.simulators import timestamps
from tests.simulators.notaryenvelopes import AT, SIGNED, evidence, jws, notary, trusting
from tests.simulators.pki import Certified, authority, chain, leaf, odd_leaf, usage
from tests.simulators.revocation import NOW, listed, said
from tests.unit.trust.notary.test_chain import named

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence
    from imgtrust.trust.roots import TrustRoot

OCSP, CRL = "http://ocsp.invalid/", "http://crl.invalid/"
WHO = "revocation of the time-stamp authority"
ROOT = authority()
SIGNER = (leaf(ROOT), ROOT)
TSA_ROOT = authority("tsa root")
TSA_MIDDLE = authority("tsa intermediate", TSA_ROOT, crl=(CRL,))
STAMPING = ((x509.ExtendedKeyUsage([Purpose.TIME_STAMPING]), True),)


def stamper(issuer: Certified, **changes: Any) -> Certified:
    """A certificate that signs tokens."""
    return leaf(issuer, **{"extensions": STAMPING, "subject": (("CN", "tsa"),), **changes})


TSA = stamper(TSA_MIDDLE, ocsp=(OCSP,))
CHAIN = (TSA, TSA_MIDDLE, TSA_ROOT)


def token(*sent: Certified, by: Certified = TSA, message: bytes = b"x") -> bytes:
    """A response with certificates inside."""
    holder = timestamps.Certified(by.certificate, by.key)
    return timestamps.respond(holder, timestamps.Parts(message, SIGNED, certificates=chain(*sent)))


def stamped(*sent: Certified, by: Certified = TSA) -> Evidence:
    """An image that was signed and time-stamped."""

    def bare(signature: bytes) -> bytes:
        response = token(*sent, by=by, message=signature)
        return response[response.index(b"\x30\x03\x02\x01\x00") + 5 :]

    return evidence(jws(SIGNER, stamp=bare))


def anchor(*certified: Certified, leaf_too: bool = False, name: str = "tsa") -> TimestampAuthority:
    """An authority by its chain."""
    ders = chain(*certified)
    return TimestampAuthority(name, ders[-1:], ders[1:-1], ders[0] if leaf_too else None)


def trust(*authorities: TimestampAuthority, **changes: Any) -> TrustRoot:
    return trusting(notary(ROOT, **{"revocation": "enforce", **changes}), authorities=authorities or (anchor(*CHAIN),))


def judged(
    candidate: Evidence, root: TrustRoot, answers: dict[str, bytes | None], **changes: Any
) -> VerifiedSignature | Refusal:
    """The judgement after all questions were asked; what has no answer is dead."""
    known: dict[tuple[str, bytes], Answer] = {}
    while asked := questions(candidate, root, at=AT, revocations=Revocations(known, NOW)):
        known.update({each.key: Answer(answers.get(each.url), "dead") for each in asked})
    return assess(candidate, root, revocations=Revocations(known, NOW), **{"at": AT, **changes})


GOOD: dict[str, bytes | None] = {OCSP: said(TSA, TSA_MIDDLE), CRL: listed(TSA_ROOT)}


def test_every_certificate_of_the_authority_but_its_root_is_asked_about() -> None:
    asked = questions(stamped(*CHAIN), trust(), at=AT)
    assert [(each.url, bool(each.request), each.issuer) for each in asked] == [
        (OCSP, True, TSA_MIDDLE.der),
        (CRL, False, TSA_ROOT.der),
    ]
    found = judged(stamped(*CHAIN), trust(), GOOD)
    assert isinstance(found, VerifiedSignature)
    assert found.earliest == SIGNED
    assert found.not_checked == ("revocation: no certificate names a responder or a list, so there was nobody to ask",)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({**GOOD, OCSP: said(TSA, TSA_MIDDLE, revoked_at=NOW)}, RefusalCode.NOTARY_REVOKED),
        ({**GOOD, CRL: listed(TSA_ROOT, TSA_MIDDLE)}, RefusalCode.NOTARY_REVOKED),
        ({**GOOD, CRL: listed(TSA_ROOT, by=ROOT)}, RefusalCode.NOTARY_REVOCATION_UNKNOWN),
        ({CRL: GOOD[CRL]}, RefusalCode.NOTARY_REVOCATION_UNKNOWN),
        ({}, RefusalCode.NOTARY_REVOCATION_UNKNOWN),
    ],
    ids=["leaf", "intermediate", "a lie", "dead", "all dead"],
)
def test_an_authority_that_is_revoked_or_unknown_is_enforced_or_said(
    answers: dict[str, bytes | None], code: RefusalCode
) -> None:
    found = judged(stamped(*CHAIN), trust(), answers)
    assert isinstance(found, Refusal)
    assert (found.code, found.reason.startswith(f"{WHO}: ")) == (code, True)
    told = judged(stamped(*CHAIN), trust(revocation="log"), answers)
    assert isinstance(told, VerifiedSignature)
    note = "revoked, and believed all the same" if code is RefusalCode.NOTARY_REVOKED else "could not be checked"
    assert told.not_checked[1].startswith(f"{WHO}: {note} (log): ")
    skipped = judged(stamped(*CHAIN), trust(revocation="skip"), answers)
    assert isinstance(skipped, VerifiedSignature)
    assert skipped.not_checked[1] == f"{WHO}: not asked, as the policy says (skip)"
    assert questions(stamped(*CHAIN), trust(revocation="skip"), at=AT) == ()


def test_no_date_of_invalidity_helps_an_authority() -> None:
    answers = {**GOOD, CRL: listed(TSA_ROOT, revoked=((TSA_MIDDLE, None, SIGNED + timedelta(days=1)),))}
    found = judged(stamped(*CHAIN), trust(), answers)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOKED


def test_an_authority_is_asked_about_only_where_its_time_counts() -> None:
    assert questions(stamped(*CHAIN), trusting(notary(ROOT, revocation="enforce")), at=AT) == ()
    other = anchor(authority("another root"))
    found = judged(stamped(*CHAIN), trust(other), {})
    assert isinstance(found, VerifiedSignature)
    assert (found.times, len(found.not_checked)) == ((), 1)


def test_where_no_certificate_names_anybody_that_is_said() -> None:
    root = authority("tsa root")
    plain = stamper(root)
    found = judged(stamped(plain, root, by=plain), trust(anchor(root)), {})
    assert isinstance(found, VerifiedSignature)
    assert found.not_checked[1] == f"{WHO}: no certificate names a responder or a list, so there was nobody to ask"


# --- the way from the token to a root ---------------------------------------------------------------------------------


def way(response: bytes, *authorities: TimestampAuthority) -> list[bytes]:
    return [each.public_bytes(Encoding.DER) for each in stamping_chain(response, "tsa", authorities)]


def test_the_certificates_are_those_of_the_token_and_of_the_authority() -> None:
    whole = [each.der for each in CHAIN]
    assert way(token(*CHAIN), anchor(TSA_ROOT)) == whole
    assert way(token(TSA), anchor(*CHAIN)) == whole
    assert way(token(), anchor(*CHAIN, leaf_too=True)) == whole
    assert way(token(TSA_ROOT, TSA_MIDDLE, TSA, authority()), anchor(TSA_ROOT)) == whole
    assert way(token(), anchor(*CHAIN)) == []
    assert way(token(TSA), anchor(TSA_ROOT)) == []
    assert way(token(*CHAIN), anchor(authority("tsa root"))) == []


def test_the_authority_is_the_one_that_proved_the_time() -> None:
    assert way(token(*CHAIN), anchor(TSA_ROOT, name="other")) == []
    assert way(token(*CHAIN), anchor(authority()), anchor(TSA_ROOT)) == [each.der for each in CHAIN]
    assert way(token(*CHAIN)) == []


def test_an_authority_whose_leaf_is_its_root_has_nobody_above() -> None:
    alone = leaf(None, extensions=STAMPING)
    assert way(token(alone, by=alone), anchor(alone)) == [alone.der]


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({}, True),
        ({"usage": None}, True),
        ({"constraints_critical": False}, True),
        ({"usage": usage("digital_signature")}, False),
        ({"ca": False}, False),
        ({"ca": None}, False),
    ],
    ids=["authority", "no usage", "not critical", "another usage", "no authority", "no constraints"],
)
def test_only_authorities_lie_on_the_way(changes: dict[str, Any], *, usable: bool) -> None:
    middle = authority("tsa intermediate", TSA_ROOT, **changes)
    made = stamper(middle)
    expected = [made.der, middle.der, TSA_ROOT.der] if usable else []
    assert way(token(made, middle, by=made), anchor(TSA_ROOT)) == expected


def test_a_stranger_puts_nobody_between_who_names_nobody_to_ask() -> None:
    """Whoever has any certificate under the root can sign one with the name and key of the real intermediate."""
    stranger = leaf(TSA_ROOT)
    forged = authority("tsa intermediate", stranger, key=TSA_MIDDLE.key)
    assert way(token(TSA, forged, stranger, TSA_MIDDLE), anchor(TSA_ROOT)) == [each.der for each in CHAIN]
    assert way(token(TSA, forged, stranger), anchor(TSA_ROOT)) == []


def test_a_certificate_that_cannot_be_read_is_passed_over() -> None:
    name = named(b"\xff")
    odd = odd_leaf(lambda members: [*members[:3], name, members[4], name, *members[6:]])
    assert way(token(TSA, TSA_MIDDLE, odd), anchor(TSA_ROOT)) == [each.der for each in CHAIN]
    unknown = TSA_MIDDLE.der.replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0209"))
    stranger = Certified(x509.load_der_x509_certificate(unknown), TSA_MIDDLE.key)
    assert way(token(TSA, stranger, TSA_MIDDLE), anchor(TSA_ROOT)) == [each.der for each in CHAIN]
    assert way(token(TSA, stranger), anchor(TSA_ROOT)) == []
    broken = replace(anchor(*CHAIN), intermediates=(b"x", TSA_MIDDLE.der))
    assert way(token(TSA), broken) == [each.der for each in CHAIN]


def test_authorities_that_issue_each_other_are_no_endless_way() -> None:
    one = authority("one", TSA_ROOT)
    two = authority("two", one)
    back = authority("one", two, key=one.key)
    made = stamper(two)
    assert way(token(made, two, back, by=made), anchor(authority())) == []
    assert way(token(made, two, back, one, by=made), anchor(TSA_ROOT)) == [made.der, two.der, one.der, TSA_ROOT.der]


def test_a_way_that_is_not_found_again_is_could_not_tell() -> None:
    """OpenSSL, which proves the time, does not look at where a certificate says that responders are."""
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.1"), b"\x05\x00")
    middle = authority("tsa intermediate", TSA_ROOT, extensions=((broken, False),))
    made = stamper(middle)
    candidate, root = stamped(made, middle, by=made), anchor(TSA_ROOT)
    assert questions(candidate, trust(root), at=AT) == ()
    found = judged(candidate, trust(root), GOOD)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    assert found.reason == f"{WHO}: no way to its root is found again"
    assert isinstance(judged(candidate, trust(root, revocation="log"), GOOD), VerifiedSignature)
