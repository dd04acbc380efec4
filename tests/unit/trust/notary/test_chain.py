"""A chain of a Notary envelope keeps every rule of the specification, or is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust.notary.chain import check_valid, read_chain
from tests.simulators.pki import END, START, SUBJECT, Certified, as_sha1, authority, chain, leaf, new_key, usage

ROOT = authority()
INTERMEDIATE = authority("intermediate", ROOT)
LEAF = leaf(INTERMEDIATE)
OTHER = authority("other")


def code(*certificates: bytes) -> str:
    with pytest.raises(Refused) as caught:
        read_chain(certificates)
    assert caught.value.code is RefusalCode.NOTARY_CHAIN
    return caught.value.reason


@pytest.mark.parametrize(
    "certified",
    [
        (LEAF, INTERMEDIATE, ROOT),
        (leaf(ROOT), ROOT),
        (leaf(None),),
        (leaf(None, ca=False),),
        (leaf(ROOT, ca=False, constraints_critical=False), ROOT),
        (leaf(ROOT, purposes=(Purpose.CODE_SIGNING,)), ROOT),
        (leaf(ROOT, usage=usage("digital_signature", "content_commitment")), ROOT),
        (leaf(ROOT, hash=hashes.SHA512()), ROOT),
    ],
    ids=["three", "two", "one", "no authority", "constraints", "code signing", "usages", "SHA-512"],
)
def test_a_chain_that_keeps_the_rules_is_read(certified: tuple[Certified, ...]) -> None:
    assert [each.subject for each in read_chain(chain(*certified))] == [each.certificate.subject for each in certified]


def test_bytes_that_are_no_certificate_are_refused() -> None:
    for data in (b"", b"x", b"\x30\x00", LEAF.der + b"x", LEAF.der[:-1]):
        assert code(data, INTERMEDIATE.der, ROOT.der)


ORDER: list[tuple[str, tuple[Certified, ...], str]] = [
    ("without the root", (LEAF, INTERMEDIATE), "does not end at a root"),
    ("a leaf alone", (LEAF,), "does not end at a root"),
    ("without the one between", (LEAF, ROOT), "not in order"),
    ("with one more at the end", (LEAF, INTERMEDIATE, ROOT, OTHER), "signed by itself"),
    ("the root twice", (LEAF, INTERMEDIATE, ROOT, ROOT), "before the root is signed by itself"),
    ("under another root", (LEAF, INTERMEDIATE, OTHER), "not in order"),
    ("a root of the same name and another key", (LEAF, INTERMEDIATE, authority()), "not in order"),
    ("a leaf that signs itself, and more", (leaf(None), ROOT), "before the root is signed by itself"),
]


@pytest.mark.parametrize(("certified", "reason"), [each[1:] for each in ORDER], ids=[each[0] for each in ORDER])
def test_a_chain_that_is_not_whole_and_in_order_is_refused(certified: tuple[Certified, ...], reason: str) -> None:
    assert reason in code(*chain(*certified))


def test_issuers_in_another_order_are_refused() -> None:
    assert "not in order" in code(*chain(LEAF, authority("intermediate"), ROOT))
    assert code(*chain(INTERMEDIATE, LEAF, ROOT))


SIGN = "digital_signature"
LEAVES: list[tuple[str, dict[str, Any], str]] = [
    ("an authority", {"ca": True}, "is that of an authority"),
    ("no usage", {"usage": None}, "not for digital signatures"),
    ("usage not critical", {"usage_critical": False}, "not for digital signatures"),
    ("another usage", {"usage": usage("content_commitment")}, "not for digital signatures"),
    *(
        (f"usage {name}", {"usage": usage(SIGN, name)}, "something else than signatures")
        for name in ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    ),
    (
        "usage to encipher",
        {"usage": usage(SIGN, "key_agreement", "encipher_only")},
        "something else than signatures",
    ),
    *(
        (f"purpose {purpose._name}", {"purposes": (Purpose.CODE_SIGNING, purpose)}, "something else than signing code")
        for purpose in (
            Purpose.SERVER_AUTH,
            Purpose.CLIENT_AUTH,
            Purpose.EMAIL_PROTECTION,
            Purpose.TIME_STAMPING,
            Purpose.OCSP_SIGNING,
            Purpose.ANY_EXTENDED_KEY_USAGE,
        )
    ),
    (
        "a critical extension that is not known",
        {"extensions": ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),)},
        "a critical extension is not known: 1.2.3.4",
    ),
    (
        "names that are constrained",
        {"extensions": ((x509.NameConstraints([x509.DNSName("a")], None), True),)},
        "a critical extension is not known",
    ),
    ("a key that signs nothing here", {"key": new_key("k256")}, "unsupported public key"),
]


@pytest.mark.parametrize(("changes", "reason"), [each[1:] for each in LEAVES], ids=[each[0] for each in LEAVES])
def test_a_signing_certificate_that_breaks_a_rule_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason in code(*chain(leaf(ROOT, **changes), ROOT))


def test_an_extension_that_is_not_known_and_not_critical_is_passed_over() -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert read_chain(chain(leaf(ROOT, extensions=((extension, False),)), ROOT))


AUTHORITIES: list[tuple[str, dict[str, Any], str]] = [
    ("no constraints", {"ca": None}, "no certificate authority"),
    ("no authority", {"ca": False}, "no certificate authority"),
    ("constraints not critical", {"constraints_critical": False}, "no certificate authority"),
    ("no usage", {"usage": None}, "may not sign certificates"),
    ("usage not critical", {"usage_critical": False}, "may not sign certificates"),
    ("another usage", {"usage": usage("digital_signature", "crl_sign")}, "may not sign certificates"),
]


@pytest.mark.parametrize(("changes", "reason"), [each[1:] for each in AUTHORITIES], ids=[e[0] for e in AUTHORITIES])
def test_an_issuer_that_breaks_a_rule_is_refused(changes: dict[str, Any], reason: str) -> None:
    root = authority(**changes)
    assert reason in code(*chain(leaf(root), root))
    middle = authority("intermediate", ROOT, **changes)
    assert reason in code(*chain(leaf(middle), middle, ROOT))


def test_a_chain_is_no_longer_than_an_authority_in_it_allows() -> None:
    for length, believed in ((0, False), (1, True), (2, True), (None, True)):
        root = authority(path_length=length)
        middle = authority("intermediate", root, path_length=0)
        certificates = chain(leaf(middle), middle, root)
        if believed:
            assert len(read_chain(certificates)) == 3
        else:
            assert "longer than an authority" in code(*certificates)


def test_a_certificate_signed_with_a_weak_hash_is_refused() -> None:
    root = authority(key=new_key("rsa2048"))
    good = leaf(root).der
    assert read_chain((good, root.der))
    assert "another hash" in code(as_sha1(good), root.der)
    assert "another hash" in code(good, as_sha1(root.der))


def test_ed25519_signs_no_certificate() -> None:
    root = authority(key=new_key("ed25519"))
    assert "another hash" in code(*chain(leaf(root), root))


def test_the_ends_of_validity_are_inclusive() -> None:
    certificates = read_chain(chain(leaf(ROOT, subject=(*SUBJECT, ("CN", "who"))), ROOT))
    check_valid(certificates, START, END, "now")
    second = timedelta(seconds=1)
    for earliest, latest in ((START - second, END), (START, END + second)):
        with pytest.raises(Refused, match=r"now is .*, and the certificate 'CN=who") as caught:
            check_valid(certificates, earliest, latest, "now")
        assert caught.value.code is RefusalCode.NOTARY_TIME


def test_every_certificate_has_to_be_valid() -> None:
    short = authority(window=(START, END - timedelta(days=1)))
    with pytest.raises(Refused, match="CN=root"):
        check_valid(read_chain(chain(leaf(short), short)), START, END, "now")
