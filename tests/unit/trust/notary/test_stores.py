"""Whom a Notary signature is from: stores by their kind, subjects by subset, profiles of AWS Signer by ARN."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from imgtrust.refusals import RefusalCode
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.notaryenvelopes import (
    AT,
    PROFILE,
    aws_header,
    evidence,
    header,
    jws,
    notary,
    trusting,
)
from tests.simulators.pki import SUBJECT, Certified, authority, leaf

ROOT = authority()
INTERMEDIATE = authority("intermediate", ROOT)
LEAF = leaf(INTERMEDIATE, subject=(*SUBJECT, ("CN", "who")))
SIGNER = (LEAF, INTERMEDIATE, ROOT)
AUTHORITY = "notary.x509.signingAuthority"


def judged(certified: tuple[Certified, ...], *stores: Any, **envelope: Any) -> VerifiedSignature | Refusal:
    return assess(evidence(jws(certified, **envelope)), trusting(*stores), at=AT)


def code(certified: tuple[Certified, ...], *stores: Any, **envelope: Any) -> RefusalCode | None:
    found = judged(certified, *stores, **envelope)
    return found.code if isinstance(found, Refusal) else None


def test_any_certificate_of_the_chain_may_be_in_the_store() -> None:
    for certified in SIGNER:
        assert code(SIGNER, notary(authority("other"), certified)) is None


def test_a_chain_whose_certificates_are_in_no_store_is_refused() -> None:
    assert code(SIGNER) is RefusalCode.NOTARY_UNTRUSTED
    assert code(SIGNER, notary()) is RefusalCode.NOTARY_UNTRUSTED
    found = judged(SIGNER, notary(authority()), notary(authority()), notary(ROOT, kind="aws-signer"))
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_UNTRUSTED
    assert "CN=root" in found.reason
    assert "which is in none of the 2 trust stores of type ca" in found.reason
    found = judged(SIGNER, notary(ROOT, kind="aws-signer"))
    assert isinstance(found, Refusal)
    assert "and no trust store of type ca is named" in found.reason


def test_what_is_shown_of_a_root_is_bounded() -> None:
    name = "a" * 64
    signer = leaf(None, subject=(*SUBJECT, ("OU", name), ("CN", name)))
    found = judged((signer,), notary(ROOT))
    assert isinstance(found, Refusal)
    assert f"ends at '{f'CN={name},OU={name}'[:100]}', which" in found.reason


@pytest.mark.parametrize("kind", ["ca", "signing-authority", "aws-signer"])
def test_a_store_speaks_for_its_own_scheme_alone(kind: str) -> None:
    store = notary(ROOT, kind=kind, profiles=(PROFILE,))
    headers = {
        "ca": header(LEAF),
        "signing-authority": header(LEAF, AUTHORITY),
        "aws-signer": aws_header(LEAF),
    }
    for of, protected in headers.items():
        expected = None if of == kind else RefusalCode.NOTARY_UNTRUSTED
        assert code(SIGNER, store, protected=protected) is expected


def test_every_name_that_the_policy_has_for_it_is_told() -> None:
    stranger = notary(ROOT, name="c", subjects=((("O", "Other"),),))
    found = judged(SIGNER, notary(ROOT, name="b"), notary(INTERMEDIATE, name="a"), stranger)
    assert isinstance(found, VerifiedSignature)
    assert found.signers == ("a", "b")
    assert found.identity == "x509.subject: CN=who,O=Acme,ST=WA,C=US"


SUBJECTS: list[tuple[tuple[tuple[str, str], ...], bool]] = [
    ((), True),
    (SUBJECT, True),
    (tuple(reversed(SUBJECT)), True),
    ((*SUBJECT, ("CN", "who")), True),
    ((("2.5.4.10", "Acme"),), True),
    ((*SUBJECT, ("CN", "else")), False),
    ((*SUBJECT, ("OU", "who")), False),
    ((("O", "acme"),), False),
    ((("O", "Acme "),), False),
    ((("O", ""),), False),
    ((("o", "Acme"),), False),
]


@pytest.mark.parametrize(("subject", "believed"), SUBJECTS)
def test_a_subject_has_all_that_is_asked_for_and_may_have_more(
    subject: tuple[tuple[str, str], ...], *, believed: bool
) -> None:
    expected = None if believed else RefusalCode.NOTARY_IDENTITY
    assert code(SIGNER, notary(ROOT, subjects=(subject,))) is expected
    assert code(SIGNER, notary(ROOT, subjects=((("O", "Nobody"),), subject))) is expected


def test_nobody_is_named_means_nobody_is_believed() -> None:
    found = judged(SIGNER, notary(ROOT, subjects=()))
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_IDENTITY
    assert "CN=who" in found.reason


def attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(oid, value)


ORGANIZATION = attribute(NameOID.ORGANIZATION_NAME, "Acme")
ODD: list[x509.Name] = [
    x509.Name([ORGANIZATION, attribute(NameOID.ORGANIZATION_NAME, "Other")]),
    x509.Name([x509.RelativeDistinguishedName([ORGANIZATION, attribute(NameOID.COMMON_NAME, "a")])]),
    x509.Name(
        [ORGANIZATION, x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x00", x509.name._ASN1Type.BitString)]
    ),
]


@pytest.mark.parametrize("name", ODD, ids=["twice", "several values", "bits"])
def test_a_subject_that_can_be_read_in_two_ways_is_nobodys(name: x509.Name) -> None:
    signer = (leaf(ROOT, name=name), ROOT)
    assert code(signer, notary(ROOT, subjects=((("O", "Acme"),),))) is RefusalCode.NOTARY_IDENTITY
    assert code(signer, notary(ROOT)) is None


# --- AWS Signer -------------------------------------------------------------------------------------------------------

WITHOUT_VERSION = PROFILE.rpartition("/")[0]


@pytest.mark.parametrize(
    ("profile", "believed"),
    [
        (PROFILE, True),
        (WITHOUT_VERSION, True),
        (WITHOUT_VERSION.upper(), True),
        (PROFILE.upper(), False),
        (WITHOUT_VERSION + "x", False),
        (WITHOUT_VERSION.rpartition("/")[0], False),
        (f"{WITHOUT_VERSION}/zzzzzzzzzz", False),
        ("*", False),
        ("", False),
    ],
)
def test_aws_signer_is_known_by_its_profile(profile: str, *, believed: bool) -> None:
    store = notary(ROOT, kind="aws-signer", profiles=(profile,))
    found = judged(SIGNER, store, protected=aws_header(LEAF))
    if believed:
        assert isinstance(found, VerifiedSignature)
        assert found.identity == WITHOUT_VERSION
    else:
        assert isinstance(found, Refusal)
        assert found.code is RefusalCode.NOTARY_IDENTITY
        assert WITHOUT_VERSION in found.reason


@pytest.mark.parametrize(
    "profile",
    ["", "x", WITHOUT_VERSION, f"{PROFILE}x", f"{PROFILE}\n", "arn:aws:signer:eu-west-3:1:/signing-profiles/a/b"],
)
def test_a_profile_that_is_no_arn_is_nobodys(profile: str) -> None:
    protected = aws_header(LEAF, **{"com.amazonaws.signer.signingProfileVersion": profile})
    store = notary(ROOT, kind="aws-signer", profiles=(profile, profile.lower(), ""))
    assert code(SIGNER, store, protected=protected) is RefusalCode.NOTARY_IDENTITY


def test_the_subject_of_aws_signer_says_nothing() -> None:
    store = notary(ROOT, kind="aws-signer", subjects=((),), profiles=())
    assert code(SIGNER, store, protected=aws_header(LEAF)) is RefusalCode.NOTARY_IDENTITY
