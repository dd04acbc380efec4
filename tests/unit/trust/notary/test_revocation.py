"""What answers about revocation are worth: each check has a test that fails without it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from imgtrust.trust.notary import responses
from imgtrust.trust.notary.answers import NONE, Answer, Question, Revocations
from imgtrust.trust.notary.chain import read_chain
from imgtrust.trust.notary.entries import Unusable
from imgtrust.trust.notary.revocation import Outcome, Standing, judge, next_questions, usable
from tests.simulators.notaryenvelopes import SIGNED
from tests.simulators.pki import SUBJECT, Certified, Shape, as_sha1, authority, chain, leaf, new_key, points, usage
from tests.simulators.revocation import (
    NOW,
    Said,
    about_two,
    as_sha1_answer,
    listed,
    responder,
    said,
    without_next_update,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OCSP, OCSP_2 = "http://ocsp.invalid/1", "http://ocsp.invalid/2"
CRL, CRL_2 = "http://crl.invalid/1.crl", "http://crl.invalid/2.crl"
DELTA, DELTA_2 = "http://crl.invalid/delta.crl", "https://crl.invalid/delta2.crl"
ROOT = authority()
OTHER = authority()
ASKED = leaf(ROOT, ocsp=(OCSP,))
LISTED = leaf(ROOT, crl=(CRL,))
BOTH = leaf(ROOT, ocsp=(OCSP,), crl=(CRL,))
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
Reason = x509.ReasonFlags


def answered(
    certified: Sequence[Certified], given: Mapping[str, bytes | str], now: datetime | None = NOW
) -> Revocations:
    """The answers by address; a text is the reason why there is none."""
    found = read_chain(chain(*certified))
    answers = {}
    for certificate, issuer in itertools.pairwise(found):
        request = responses.request_for(certificate, issuer)
        for url, data in given.items():
            answer = Answer(None, data) if isinstance(data, str) else Answer(data)
            answers[url, request] = answer
            answers[url, b""] = answer
    return Revocations(answers, now)


def standing(
    given: Mapping[str, bytes | str],
    *certified: Certified,
    moment: datetime | None = None,
    now: datetime | None = NOW,
) -> Standing:
    return judge(read_chain(chain(*certified)), answered(certified, given, now), moment)


def outcome(given: Mapping[str, bytes | str], *certified: Certified, **options: Any) -> Outcome:
    return standing(given, *certified, **options).outcome


# --- OCSP -------------------------------------------------------------------------------------------------------------


def by_ocsp(**changes: Any) -> Outcome:
    """The outcome by the answer of a responder about a leaf."""
    return outcome({OCSP: said(ASKED, ROOT, **changes)}, ASKED, ROOT)


def test_a_responder_says_that_a_certificate_is_good_or_revoked() -> None:
    assert by_ocsp() is Outcome.GOOD
    assert by_ocsp(revoked_at=NOW - DAY) is Outcome.REVOKED
    found = standing({OCSP: said(ASKED, ROOT, revoked_at=NOW, reason=Reason.key_compromise)}, ASKED, ROOT)
    assert "keyCompromise" in found.reason
    assert "CN=leaf" in found.reason


def test_a_certificate_that_the_responder_does_not_know_is_unknown() -> None:
    assert by_ocsp(unknown=True) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("this", "following", "expected"),
    [
        (NOW, NOW, Outcome.GOOD),
        (NOW + timedelta(minutes=5), NOW + DAY, Outcome.GOOD),
        (NOW + timedelta(minutes=5) + SECOND, NOW + DAY, Outcome.UNKNOWN),
        (NOW - DAY, NOW - SECOND, Outcome.UNKNOWN),
        (NOW - DAY, None, Outcome.GOOD),
        (NOW - DAY - SECOND, None, Outcome.UNKNOWN),
    ],
)
def test_an_answer_is_fresh(this: datetime, following: datetime | None, expected: Outcome) -> None:
    assert by_ocsp(this_update=this, next_update=following) is expected
    assert (by_ocsp(this_update=this, next_update=following, revoked_at=SIGNED) is Outcome.REVOKED) is (
        expected is Outcome.GOOD
    )


def test_an_answer_is_about_this_certificate_of_this_issuer() -> None:
    assert outcome({OCSP: said(leaf(ROOT), ROOT)}, ASKED, ROOT) is Outcome.UNKNOWN
    assert outcome({OCSP: said(ASKED, OTHER, by=ROOT)}, ASKED, ROOT) is Outcome.UNKNOWN
    renamed = authority("another name", key=ROOT.key)
    same = leaf(renamed, serial=ASKED.certificate.serial_number)
    assert outcome({OCSP: said(same, renamed, by=ROOT)}, ASKED, ROOT) is Outcome.UNKNOWN
    assert by_ocsp(named=hashes.SHA256()) is Outcome.GOOD


def test_an_answer_is_signed_by_the_issuer() -> None:
    assert by_ocsp(by=OTHER) is Outcome.UNKNOWN
    assert by_ocsp(by=ASKED, sent=(ASKED,)) is Outcome.UNKNOWN


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
UNKNOWN_2 = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00")
RESPONDER = Shape(subject=(("CN", "responder"),))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (responder(ROOT, RESPONDER), Outcome.GOOD),
        (responder(OTHER, RESPONDER), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, purposes=(Purpose.CODE_SIGNING,)), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, purposes=()), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, window=(NOW - DAY, NOW - SECOND)), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, window=(NOW + SECOND, NOW + DAY)), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, window=(NOW, NOW)), Outcome.GOOD),
        (responder(ROOT, RESPONDER, hash=hashes.SHA512()), Outcome.GOOD),
        (responder(ROOT, RESPONDER, hash=hashes.SHA224()), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, usage=None), Outcome.GOOD),
        (responder(ROOT, RESPONDER, usage=usage("crl_sign")), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, extensions=()), Outcome.UNKNOWN),
        (responder(ROOT, RESPONDER, extensions=((x509.OCSPNoCheck(), True),)), Outcome.GOOD),
        (responder(ROOT, RESPONDER, extensions=((x509.OCSPNoCheck(), False), (UNKNOWN, False))), Outcome.GOOD),
        (responder(ROOT, RESPONDER, extensions=((x509.OCSPNoCheck(), False), (UNKNOWN, True))), Outcome.UNKNOWN),
        (
            responder(ROOT, RESPONDER, extensions=((x509.OCSPNoCheck(), False), (UNKNOWN, True), (UNKNOWN_2, False))),
            Outcome.UNKNOWN,
        ),
    ],
)
def test_a_responder_speaks_where_the_issuer_certified_it_for_that(made: Certified, expected: Outcome) -> None:
    assert by_ocsp(by=made, sent=(ASKED, made)) is expected
    assert by_ocsp(by=made, sent=()) is Outcome.UNKNOWN


def test_a_responder_is_looked_for_among_the_first_certificates_only() -> None:
    made = responder(ROOT, RESPONDER)
    assert by_ocsp(by=made, sent=(ASKED,) * 7 + (made,)) is Outcome.GOOD
    assert by_ocsp(by=made, sent=(ASKED,) * 8 + (made,)) is Outcome.UNKNOWN


def test_a_responder_certified_with_a_weak_hash_does_not_speak() -> None:
    root = authority(key=new_key("rsa2048"))
    asked = leaf(root, ocsp=(OCSP,))
    made = responder(root, RESPONDER)
    good = said(asked, root, by=made, sent=(made,))
    assert outcome({OCSP: good}, asked, root) is Outcome.GOOD
    weak = Certified(x509.load_der_x509_certificate(as_sha1(made.der, root)), made.key)
    assert outcome({OCSP: said(asked, root, by=weak, sent=(weak,))}, asked, root) is Outcome.UNKNOWN
    found = standing({OCSP: as_sha1_answer(said(asked, root), root)}, asked, root)
    assert (found.outcome, "signed with sha1" in found.reason) == (Outcome.UNKNOWN, True)


def test_an_answer_signed_with_no_hash_that_is_known_is_not_used() -> None:
    root = authority(key=new_key("p384"))
    made = responder(root, RESPONDER)
    asked = leaf(root, ocsp=(OCSP,))
    assert outcome({OCSP: said(asked, root, by=made, sent=(made,), hash=hashes.SHA384())}, asked, root) is Outcome.GOOD
    edwards = responder(root, RESPONDER, key=new_key("ed25519"))
    assert outcome({OCSP: said(asked, root, by=edwards, sent=(edwards,))}, asked, root) is Outcome.UNKNOWN


def test_an_extension_of_an_answer_that_is_critical_is_not_passed_over() -> None:
    nonce = x509.OCSPNonce(b"12345678")
    assert by_ocsp(extensions=((nonce, False),)) is Outcome.GOOD
    assert by_ocsp(extensions=((nonce, True),)) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        bytes(256 * 1024 + 1),
        said(ASKED, ROOT) + b"x",
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER),
        "connection refused",
    ],
)
def test_what_is_no_answer_is_unknown(data: bytes | str) -> None:
    found = standing({OCSP: data}, ASKED, ROOT)
    assert found.outcome is Outcome.UNKNOWN
    assert "nobody could tell" in found.reason
    assert OCSP in found.reason


@pytest.mark.parametrize(
    ("size", "fault"), [(256 * 1024, "not an OCSP response"), (256 * 1024 + 1, "an answer of 262145")]
)
def test_an_answer_has_a_largest_size(size: int, fault: str) -> None:
    assert fault in standing({OCSP: bytes(size)}, ASKED, ROOT).reason


def test_a_responder_that_does_not_answer_says_why() -> None:
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    found = standing({OCSP: refusal.public_bytes(Encoding.DER)}, ASKED, ROOT)
    assert "the responder says try_later" in found.reason


def test_an_answer_about_several_certificates_is_not_used() -> None:
    single = said(ASKED, ROOT)
    assert standing({OCSP: about_two(single, ROOT)}, ASKED, ROOT).reason.endswith("it is about another certificate")
    assert outcome({OCSP: about_two(single, ROOT, number=1)}, ASKED, ROOT) is Outcome.GOOD
    assert outcome({OCSP: about_two(single, ROOT, number=0)}, ASKED, ROOT) is Outcome.UNKNOWN


def test_what_is_told_of_faults_is_bounded() -> None:
    name = "a" * 64
    made = leaf(ROOT, ocsp=(OCSP,), subject=(*SUBJECT, ("OU", name), ("CN", name)))
    shown = f"CN={name},OU={name}"[:80]
    assert f"about {shown}: " in standing({OCSP: "dead"}, made, ROOT).reason
    found = standing({OCSP: "d" * 1_000}, ASKED, ROOT)
    assert len(found.reason) == 500
    assert found.reason.endswith("ddd")


def test_the_next_responder_is_heard_where_the_first_cannot_tell() -> None:
    asked = leaf(ROOT, ocsp=(OCSP, OCSP_2))
    revoked = said(asked, ROOT, revoked_at=NOW - DAY)
    assert outcome({OCSP: "dead", OCSP_2: revoked}, asked, ROOT) is Outcome.REVOKED
    assert outcome({OCSP: "dead", OCSP_2: said(asked, ROOT)}, asked, ROOT) is Outcome.GOOD
    assert outcome({OCSP: "dead", OCSP_2: "dead"}, asked, ROOT) is Outcome.UNKNOWN
    assert outcome({OCSP: said(asked, ROOT), OCSP_2: revoked}, asked, ROOT) is Outcome.GOOD


# --- lists ------------------------------------------------------------------------------------------------------------


def by_list(*revoked: Certified, certified: Certified = LISTED, **changes: Any) -> Outcome:
    """The outcome by a list about a leaf."""
    return outcome({CRL: listed(ROOT, *revoked, **changes)}, certified, ROOT)


def test_a_list_says_that_a_certificate_is_good_or_revoked() -> None:
    assert by_list() is Outcome.GOOD
    assert by_list(leaf(ROOT)) is Outcome.GOOD
    assert by_list(LISTED) is Outcome.REVOKED
    assert by_list(revoked=((LISTED, Reason.certificate_hold, None),)) is Outcome.REVOKED


def test_the_list_is_heard_where_no_responder_can_tell() -> None:
    revoking = listed(ROOT, BOTH)
    assert outcome({OCSP: "dead", CRL: revoking}, BOTH, ROOT) is Outcome.REVOKED
    assert outcome({OCSP: said(BOTH, ROOT, unknown=True), CRL: revoking}, BOTH, ROOT) is Outcome.REVOKED
    assert outcome({OCSP: said(BOTH, ROOT), CRL: revoking}, BOTH, ROOT) is Outcome.GOOD
    assert outcome({OCSP: "dead", CRL: listed(ROOT)}, BOTH, ROOT) is Outcome.GOOD
    found = standing({OCSP: "dead", CRL: "deader"}, BOTH, ROOT)
    assert (found.outcome, OCSP in found.reason, CRL in found.reason) == (Outcome.UNKNOWN, True, True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"last_update": NOW + timedelta(minutes=5), "next_update": NOW + DAY}, Outcome.GOOD),
        ({"last_update": NOW + timedelta(minutes=6), "next_update": NOW + DAY}, Outcome.UNKNOWN),
        ({"next_update": NOW}, Outcome.GOOD),
        ({"next_update": NOW - SECOND}, Outcome.UNKNOWN),
        ({"by": OTHER}, Outcome.UNKNOWN),
        ({"name": leaf(ROOT).certificate.subject}, Outcome.UNKNOWN),
        ({"base": 3}, Outcome.UNKNOWN),
        ({"extensions": ((x509.AuthorityKeyIdentifier(b"1", None, None), False),)}, Outcome.GOOD),
        ({"extensions": ((x509.AuthorityKeyIdentifier(b"1", None, None), True),)}, Outcome.UNKNOWN),
    ],
)
def test_a_list_is_the_issuers_own_and_fresh(changes: dict[str, Any], expected: Outcome) -> None:
    assert by_list(**changes) is expected


def test_a_list_says_when_the_next_is_due() -> None:
    found = standing({CRL: without_next_update(listed(ROOT), ROOT)}, LISTED, ROOT)
    assert found.outcome is Outcome.UNKNOWN
    assert "when the next is due" in found.reason


def test_a_list_signed_with_a_weak_hash_is_not_used() -> None:
    root = authority(key=new_key("rsa2048"))
    made = leaf(root, crl=(CRL,))
    assert outcome({CRL: listed(root)}, made, root) is Outcome.GOOD
    found = standing({CRL: as_sha1(listed(root), root)}, made, root)
    assert (found.outcome, "signed with sha1" in found.reason) == (Outcome.UNKNOWN, True)


def test_an_issuer_that_may_not_sign_lists_has_none() -> None:
    root = authority(usage=usage("key_cert_sign"))
    assert outcome({CRL: listed(root)}, leaf(root, crl=(CRL,)), root) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "data",
    [b"", b"x", listed(ROOT) + b"x", bytes(32 * 1024 * 1024 + 1), "404"],
    ids=["empty", "letter", "trailing", "huge", "status"],
)
def test_what_is_no_list_is_unknown(data: bytes | str) -> None:
    assert outcome({CRL: data}, LISTED, ROOT) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("size", "fault"), [(32 * 1024 * 1024, "not a revocation list"), (32 * 1024 * 1024 + 1, "a list of 33554433 bytes")]
)
def test_a_list_has_a_largest_size(size: int, fault: str) -> None:
    assert fault in standing({CRL: bytes(size)}, LISTED, ROOT).reason


def scope(**changes: Any) -> x509.IssuingDistributionPoint:
    """The scope of a list."""
    plain: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**plain, **changes})


def uri(text: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(text)]


SCOPES: list[tuple[dict[str, Any], Outcome]] = [
    ({"full_name": uri(CRL)}, Outcome.GOOD),
    ({"full_name": [*uri(CRL_2), *uri(CRL)]}, Outcome.GOOD),
    ({"full_name": uri(CRL_2)}, Outcome.UNKNOWN),
    ({"full_name": [x509.DNSName("a")]}, Outcome.UNKNOWN),
    ({"only_contains_user_certs": True}, Outcome.GOOD),
    ({"only_contains_ca_certs": True}, Outcome.UNKNOWN),
    ({"indirect_crl": True}, Outcome.UNKNOWN),
    ({"only_contains_attribute_certs": True}, Outcome.UNKNOWN),
    ({"only_some_reasons": frozenset([Reason.key_compromise])}, Outcome.UNKNOWN),
    (
        {
            "relative_name": x509.RelativeDistinguishedName(
                [x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")],
            )
        },
        Outcome.UNKNOWN,
    ),
]


@pytest.mark.parametrize(("changes", "expected"), SCOPES)
def test_a_list_covers_the_certificate(changes: dict[str, Any], expected: Outcome) -> None:
    assert by_list(extensions=((scope(**changes), True),)) is expected
    constrained = leaf(ROOT, crl=(CRL,), ca=False)
    assert by_list(certified=constrained, extensions=((scope(**changes), True),)) is expected


def test_a_list_for_users_does_not_cover_an_authority() -> None:
    middle = authority("intermediate", ROOT, crl=(CRL,))
    for changes, expected in (
        ({"only_contains_user_certs": True}, Outcome.UNKNOWN),
        ({"only_contains_ca_certs": True}, Outcome.GOOD),
    ):
        data = listed(ROOT, extensions=((scope(**changes), True),))
        assert outcome({CRL: data}, leaf(middle), middle, ROOT) is expected


@pytest.mark.parametrize(
    ("extension", "critical", "expected"),
    [
        (x509.CertificateIssuer([x509.DNSName("a")]), False, Outcome.REVOKED),
        (x509.CertificateIssuer([x509.DNSName("a")]), True, Outcome.UNKNOWN),
    ],
)
def test_an_entry_of_an_indirect_list_is_not_used(
    extension: x509.ExtensionType, expected: Outcome, *, critical: bool
) -> None:
    assert by_list(LISTED, entry_extensions=((extension, critical),)) is expected


def test_an_entry_that_cannot_be_read_is_unknown() -> None:
    reason = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.21"), b"\x0a\x01\x63")
    assert by_list(LISTED, entry_extensions=((reason, False),)) is Outcome.UNKNOWN


# --- deltas -----------------------------------------------------------------------------------------------------------

FRESHEST = x509.FreshestCRL(points([DELTA]))
POINTED = leaf(ROOT, crl=(CRL,), delta=(DELTA,))


@pytest.mark.parametrize(
    ("base", "delta", "expected"),
    [
        ((), (), Outcome.GOOD),
        ((), ((POINTED, None, None),), Outcome.REVOKED),
        (((POINTED, Reason.certificate_hold, None),), (), Outcome.REVOKED),
        (((POINTED, Reason.certificate_hold, None),), ((POINTED, Reason.remove_from_crl, None),), Outcome.GOOD),
        ((), ((POINTED, Reason.remove_from_crl, None),), Outcome.GOOD),
        (((POINTED, Reason.certificate_hold, None),), ((POINTED, Reason.superseded, None),), Outcome.REVOKED),
    ],
)
def test_a_delta_is_newer_than_its_list(base: tuple[Any, ...], delta: tuple[Any, ...], expected: Outcome) -> None:
    given = {CRL: listed(ROOT, revoked=base), DELTA: listed(ROOT, revoked=delta, base=7, number=8)}
    assert outcome(given, POINTED, ROOT) is expected


def test_a_list_that_names_a_delta_is_not_enough_alone() -> None:
    base = listed(ROOT, extensions=((FRESHEST, False),))
    assert outcome({CRL: base, DELTA: listed(ROOT, LISTED, base=7, number=8)}, LISTED, ROOT) is Outcome.REVOKED
    givens: list[dict[str, bytes | str]] = [{CRL: base, DELTA: "dead"}, {CRL: base}]
    for given in givens:
        assert outcome(given, LISTED, ROOT) is Outcome.UNKNOWN
    assert f"delta {DELTA}: dead" in standing({CRL: base, DELTA: "dead"}, LISTED, ROOT).reason


def test_the_next_delta_is_heard_where_the_first_is_of_no_use() -> None:
    made = leaf(ROOT, crl=(CRL,), delta=(DELTA, DELTA_2))
    given: dict[str, bytes | str] = {CRL: listed(ROOT), DELTA: "dead", DELTA_2: listed(ROOT, made, base=7, number=8)}
    assert outcome(given, made, ROOT) is Outcome.REVOKED


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"base": 7, "number": 7}, Outcome.GOOD),
        ({"base": 6, "number": 9}, Outcome.GOOD),
        ({"base": 8, "number": 9}, Outcome.UNKNOWN),
        ({"base": 5, "number": 6}, Outcome.UNKNOWN),
        ({"base": 7, "number": None}, Outcome.UNKNOWN),
        ({"base": None, "number": 8}, Outcome.UNKNOWN),
        ({"base": 7, "number": 8, "by": OTHER}, Outcome.UNKNOWN),
        ({"base": 7, "number": 8, "next_update": NOW - SECOND}, Outcome.UNKNOWN),
    ],
)
def test_a_delta_belongs_to_its_list(changes: dict[str, Any], expected: Outcome) -> None:
    assert outcome({CRL: listed(ROOT), DELTA: listed(ROOT, **changes)}, POINTED, ROOT) is expected


def test_a_delta_to_a_list_without_a_number_is_of_no_use() -> None:
    given = {CRL: listed(ROOT, number=None), DELTA: listed(ROOT, base=7, number=8)}
    assert outcome(given, POINTED, ROOT) is Outcome.UNKNOWN


# --- when a certificate is not to be believed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "moment", "expected"),
    [
        (SIGNED + SECOND, SIGNED, Outcome.GOOD),
        (SIGNED, SIGNED, Outcome.REVOKED),
        (SIGNED - SECOND, SIGNED, Outcome.REVOKED),
        (SIGNED + SECOND, None, Outcome.REVOKED),
        (None, SIGNED, Outcome.REVOKED),
    ],
)
def test_what_was_signed_before_a_certificate_became_invalid_holds(
    since: datetime | None, moment: datetime | None, expected: Outcome
) -> None:
    data = listed(ROOT, revoked=((LISTED, Reason.key_compromise, since),))
    found = standing({CRL: data}, LISTED, ROOT, moment=moment)
    assert found.outcome is expected
    assert ("invalid only since" in found.reason) is (expected is Outcome.GOOD)


# --- chains, and what is asked ----------------------------------------------------------------------------------------


def test_every_certificate_but_the_root_is_asked_about() -> None:
    root = authority(ocsp=(OCSP_2,))
    middle = authority("intermediate", root, crl=(CRL,))
    signer = leaf(middle, ocsp=(OCSP,))
    good, fine = said(signer, middle), listed(root)
    certified = (signer, middle, root)
    assert outcome({OCSP: good, CRL: fine}, *certified) is Outcome.GOOD
    assert outcome({OCSP: good, CRL: listed(root, middle)}, *certified) is Outcome.REVOKED
    assert outcome({OCSP: good, CRL: "dead"}, *certified) is Outcome.UNKNOWN
    assert outcome({OCSP: "dead", CRL: listed(root, middle)}, *certified) is Outcome.REVOKED
    assert outcome({OCSP: said(signer, middle, revoked_at=NOW), CRL: "dead"}, *certified) is Outcome.REVOKED
    asked = next_questions(read_chain(chain(*certified)), NONE)
    assert [(each.url, bool(each.request), each.issuer) for each in asked] == [
        (OCSP, True, middle.der),
        (CRL, False, root.der),
    ]


def test_a_chain_that_names_nobody_is_good_and_says_so() -> None:
    assert standing({}, leaf(ROOT), ROOT) == Standing(
        Outcome.GOOD, "no certificate names a responder or a list, so there was nobody to ask"
    )
    assert next_questions(read_chain(chain(leaf(ROOT), ROOT)), NONE) == ()
    alone = leaf(None, ocsp=(OCSP,))
    assert outcome({}, alone) is Outcome.GOOD


def test_what_nobody_was_asked_is_unknown() -> None:
    for now in (None, NOW):
        found = judge(read_chain(chain(ASKED, ROOT)), Revocations({}, now), None)
        assert (found.outcome, "was not asked" in found.reason) == (Outcome.UNKNOWN, True)
    found = standing({OCSP: said(ASKED, ROOT)}, ASKED, ROOT, now=None)
    assert (found.outcome, "was not asked" in found.reason) == (Outcome.UNKNOWN, True)


def test_questions_come_one_after_the_other_until_somebody_can_tell() -> None:
    made = leaf(ROOT, ocsp=(OCSP, OCSP_2), crl=(CRL,), delta=(DELTA,))
    certificates = read_chain(chain(made, ROOT))
    given: dict[str, bytes | str] = {}
    for url, answer in ((OCSP, "dead"), (OCSP_2, b"x"), (CRL, listed(ROOT)), (DELTA, "dead")):
        asked = next_questions(certificates, answered((made, ROOT), given))
        assert [each.url for each in asked] == [url]
        given[url] = answer
    assert next_questions(certificates, answered((made, ROOT), given)) == ()
    given[OCSP] = said(made, ROOT)
    assert next_questions(certificates, answered((made, ROOT), {OCSP: given[OCSP]})) == ()


def test_only_addresses_on_the_web_are_asked_and_not_too_many() -> None:
    many = tuple(f"http://ocsp.invalid/{n}" for n in range(6))
    odd = ("ldap://crl.invalid/a", "file:///etc/passwd", "http://crl.invalid/" + "a" * 2048, "ftp://crl.invalid/a")
    made = leaf(ROOT, ocsp=(*odd, OCSP, OCSP, *many), crl=odd)
    certificates = read_chain(chain(made, ROOT))
    given: dict[str, bytes | str] = {}
    while asked := next_questions(certificates, answered((made, ROOT), given)):
        given[asked[0].url] = "dead"
    assert list(given) == [OCSP, *(url for url in many if url != OCSP)][:4]
    assert outcome({}, leaf(ROOT, crl=("HTTP://crl.invalid/a",)), ROOT) is Outcome.UNKNOWN


def test_an_address_has_a_greatest_length() -> None:
    for length, expected in ((2048, 1), (2049, 0)):
        url = "http://crl.invalid/".ljust(length, "a")
        assert len(next_questions(read_chain(chain(leaf(ROOT, crl=(url,)), ROOT)), NONE)) == expected


def test_who_can_be_asked_only_otherwise_than_on_the_web_leaves_it_open() -> None:
    directory = ("ldap://crl.invalid/a",)
    delta = x509.FreshestCRL(points(directory))
    for made in (
        leaf(ROOT, ocsp=directory),
        leaf(ROOT, crl=directory),
        leaf(ROOT, extensions=((delta, False),)),
        leaf(ROOT, crl=("http://crl.invalid/" + "a" * 2048,)),
    ):
        found = standing({}, made, ROOT)
        assert (found.outcome, "no address that is asked" in found.reason) == (Outcome.UNKNOWN, True)
        assert next_questions(read_chain(chain(made, ROOT)), NONE) == ()
    assert outcome({CRL: listed(ROOT)}, leaf(ROOT, crl=(*directory, CRL)), ROOT) is Outcome.GOOD
    for base, made in (
        (listed(ROOT, extensions=((delta, False),)), LISTED),
        (listed(ROOT), leaf(ROOT, crl=(CRL,), delta=directory)),
    ):
        found = standing({CRL: base}, made, ROOT)
        assert (found.outcome, "delta: it names no address" in found.reason) == (Outcome.UNKNOWN, True)


def test_names_that_are_no_addresses_are_not_asked() -> None:
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.DNSName("a")),
            x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.invalid")
            ),
        ]
    )
    relative = x509.DistributionPoint(
        None, x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")]), None, None
    )
    named = x509.DistributionPoint([x509.DNSName("a")], None, None, None)
    made = leaf(ROOT, extensions=((access, False), (x509.CRLDistributionPoints([relative, named]), False)))
    assert next_questions(read_chain(chain(made, ROOT)), NONE) == ()
    assert outcome({}, made, ROOT) is Outcome.UNKNOWN
    issuers = x509.AuthorityInformationAccess(list(access)[1:])
    assert outcome({}, leaf(ROOT, extensions=((issuers, False),)), ROOT) is Outcome.GOOD


def test_a_list_that_verifies_may_be_kept() -> None:
    question = Question(CRL, b"", ROOT.der)
    assert usable(question, listed(ROOT, LISTED), NOW)
    assert usable(question, listed(ROOT, base=3), NOW)
    assert usable(question, listed(ROOT, extensions=((scope(full_name=uri(CRL_2)), True),)), NOW)
    assert not usable(question, listed(ROOT), NOW + DAY)
    assert not usable(question, listed(ROOT, by=OTHER), NOW)
    assert not usable(question, b"x", NOW)
    assert not usable(Question(OCSP, b"request", ROOT.der), listed(ROOT), NOW)


def test_a_request_that_cannot_be_made_is_no_answer() -> None:
    with pytest.raises(Unusable, match="cannot be asked about"):
        responses.request_for(ASKED.certificate, None)  # type: ignore[arg-type]  # something that it cannot take


def test_the_date_of_an_answer_is_judged_by_the_time_it_was_got() -> None:
    old = said(
        ASKED, ROOT, Said(this_update=datetime(2020, 1, 1, tzinfo=UTC), next_update=datetime(2020, 1, 2, tzinfo=UTC))
    )
    assert outcome({OCSP: old}, ASKED, ROOT) is Outcome.UNKNOWN
    assert outcome({OCSP: old}, ASKED, ROOT, now=datetime(2020, 1, 1, 12, tzinfo=UTC)) is Outcome.GOOD
