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
from imgtrust.signers import der
from imgtrust.trust.notary.chain import check_valid, may_be_trusted, read_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.notaryenvelopes import AT, evidence, jws, notary, trusting
from tests.simulators.pki import (
    END,
    START,
    SUBJECT,
    Certified,
    as_sha1,
    authority,
    chain,
    leaf,
    new_key,
    odd_leaf,
    remade,
    usage,
)

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


def test_an_authority_may_have_the_name_of_its_issuer() -> None:
    """So a new key of the same authority is certified by the old one."""
    newer = authority("root", ROOT)
    assert len(read_chain(chain(leaf(newer), newer, ROOT))) == 3


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


NAMES = x509.DirectoryName(ROOT.certificate.subject)
AUTHORITIES: list[tuple[str, dict[str, Any], str]] = [
    ("no constraints", {"ca": None}, "no certificate authority"),
    ("no authority", {"ca": False}, "no certificate authority"),
    ("constraints not critical", {"constraints_critical": False}, "no certificate authority"),
    ("no usage", {"usage": None}, "may not sign certificates"),
    ("usage not critical", {"usage_critical": False}, "may not sign certificates"),
    ("another usage", {"usage": usage("digital_signature", "crl_sign")}, "may not sign certificates"),
    ("another purpose", {"purposes": (Purpose.SERVER_AUTH,)}, "an issuer is for something else than signing code"),
    (
        "names that it may give",
        {"extensions": ((x509.NameConstraints([NAMES], None), False),)},
        "give some names only",
    ),
    (
        "names that it may not give",
        {"extensions": ((x509.NameConstraints(None, [x509.DNSName("a"), NAMES]), False),)},
        "give some names only",
    ),
]


@pytest.mark.parametrize(("changes", "reason"), [each[1:] for each in AUTHORITIES], ids=[e[0] for e in AUTHORITIES])
def test_an_issuer_that_breaks_a_rule_is_refused(changes: dict[str, Any], reason: str) -> None:
    root = authority(**changes)
    assert reason in code(*chain(leaf(root), root))
    middle = authority("intermediate", ROOT, **changes)
    assert reason in code(*chain(leaf(middle), middle, ROOT))


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": (Purpose.CODE_SIGNING, Purpose.SERVER_AUTH)},
        {"purposes": (Purpose.ANY_EXTENDED_KEY_USAGE,)},
        {"extensions": ((x509.NameConstraints([x509.DNSName("a")], [x509.RFC822Name("a")]), False),)},
    ],
    ids=["code signing", "any purpose", "other names"],
)
def test_an_issuer_may_be_limited_in_what_is_not_asked_of_it(changes: dict[str, Any]) -> None:
    root = authority(**changes)
    assert read_chain(chain(leaf(root), root))


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
    assert "another hash" in code(as_sha1(good, root), root.der)
    assert "another hash" in code(good, as_sha1(root.der, root))


def test_a_certificate_signed_with_a_short_hash_is_refused() -> None:
    assert "another hash" in code(*chain(leaf(ROOT, hash=hashes.SHA224()), ROOT))
    weak = authority("weak", hash=hashes.SHA224())
    assert "another hash" in code(*chain(leaf(weak), weak))


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


def test_what_is_shown_of_a_subject_is_bounded() -> None:
    name = "a" * 64
    signer = (leaf(ROOT, subject=(*SUBJECT, ("OU", name), ("CN", name))), ROOT)
    with pytest.raises(Refused) as caught:
        check_valid(read_chain(chain(*signer)), START, END + timedelta(seconds=1), "now")
    shown = f"CN={name},OU={name}"[:100]
    assert f"the certificate '{shown}' is valid" in caught.value.reason


def test_every_certificate_has_to_be_valid() -> None:
    short = authority(window=(START, END - timedelta(days=1)))
    with pytest.raises(Refused, match="CN=root"):
        check_valid(read_chain(chain(leaf(short), short)), START, END, "now")


@pytest.mark.parametrize(
    ("certified", "anchor", "root"),
    [
        (ROOT, True, True),
        (INTERMEDIATE, True, False),
        (LEAF, False, False),
        (leaf(None), True, False),
        (leaf(None, ca=False), True, False),
        (leaf(None, ca=True), True, True),
        (leaf(ROOT, ca=False), False, False),
    ],
    ids=["root", "intermediate", "leaf", "its own", "its own, no authority", "its own, an authority", "no authority"],
)
def test_authorities_and_what_is_signed_by_itself_may_be_trusted(
    certified: Certified, *, anchor: bool, root: bool
) -> None:
    assert may_be_trusted(certified.der, root=False) is anchor
    assert may_be_trusted(certified.der, root=True) is root


# --- certificates that no library would write -------------------------------------------------------------------------


def named(value: bytes, *, oid: bytes = b"\x55\x04\x0a", tag: int = 0x0C) -> bytes:
    """A distinguished name of one attribute, an organization where nothing else is said."""
    return der.sequence(der.set_of([der.sequence(der.tagged(0x06, oid), der.tagged(tag, value))]))


def of_name(name: bytes) -> Certified:
    """A certificate signed by itself, with this as subject and issuer."""
    return odd_leaf(lambda members: [*members[:3], name, members[4], name, *members[6:]])


def of_window(start: tuple[int, bytes], end: tuple[int, bytes]) -> Certified:
    """A certificate signed by itself that is valid from one time to another, as tag and text."""
    window = der.sequence(der.tagged(*start), der.tagged(*end))
    return odd_leaf(lambda members: [*members[:4], window, *members[5:]])


UTC_TIME, GENERALIZED = 0x17, 0x18
UNREADABLE = {
    "no UTF-8": of_name(named(b"\xff\xfe")),
    "no ASCII": of_name(named(b"\xe9", tag=0x14)),
    "a number": of_name(named(b"\x01", tag=0x02)),
    "bits": of_name(named(b"\x00\x01", tag=0x03)),
    "from the year 0": of_window((GENERALIZED, b"00000101000000Z"), (GENERALIZED, b"99991231235959Z")),
    "to the year 0": of_window((UTC_TIME, b"250101000000Z"), (GENERALIZED, b"00001231235959Z")),
}


@pytest.mark.parametrize("certified", UNREADABLE.values(), ids=UNREADABLE)
def test_a_certificate_that_cannot_be_read_is_a_refusal_for_whoever_is_trusted(certified: Certified) -> None:
    assert code(certified.der)
    candidate = evidence(jws((certified,)))
    for root in (ROOT, certified):
        found = assess(candidate, trusting(notary(root)), at=AT)
        assert isinstance(found, Refusal)
        assert found.code is RefusalCode.NOTARY_CHAIN


WINDOWS: dict[str, tuple[tuple[int, bytes], tuple[int, bytes], RefusalCode | None]] = {
    "1950 to 2049": ((UTC_TIME, b"500101000000Z"), (UTC_TIME, b"491231235959Z"), None),
    "1970": ((UTC_TIME, b"700101000000Z"), (UTC_TIME, b"700101000001Z"), RefusalCode.NOTARY_TIME),
    "1980": ((UTC_TIME, b"800101000000Z"), (GENERALIZED, b"20260531235959Z"), RefusalCode.NOTARY_TIME),
    "2106": ((GENERALIZED, b"00010101000000Z"), (GENERALIZED, b"21060207062815Z"), None),
    "from 2106": ((GENERALIZED, b"21060207062815Z"), (GENERALIZED, b"99991231235959Z"), RefusalCode.NOTARY_TIME),
    "the end before the beginning": (
        (UTC_TIME, b"270101000000Z"),
        (UTC_TIME, b"250101000000Z"),
        RefusalCode.NOTARY_TIME,
    ),
}


@pytest.mark.parametrize(("start", "end", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_the_validity_of_a_certificate_has_one_reading(
    start: tuple[int, bytes], end: tuple[int, bytes], expected: RefusalCode | None
) -> None:
    certified = of_window(start, end)
    found = assess(evidence(jws((certified,))), trusting(notary(certified)), at=AT)
    assert isinstance(found, VerifiedSignature) is (expected is None)
    assert expected is None or (isinstance(found, Refusal) and found.code is expected)


@pytest.mark.parametrize("text", [b"250101000000", b"250101000000+0100", b"2501010000Z", b"250101000000.5Z"])
def test_a_validity_without_zone_or_seconds_is_refused(text: bytes) -> None:
    plain = leaf(None)
    right = der.tagged(UTC_TIME, b"270101000000Z")

    def written(start: bytes) -> bytes:
        window = der.sequence(der.tagged(UTC_TIME, start), right)
        return remade(plain.der, plain, lambda members: [*members[:4], window, *members[5:]])

    assert read_chain((written(b"250101000000Z"),))
    assert code(written(text))


@pytest.mark.parametrize("serial", [b"\x00", b"\xff", b"\xff" + bytes(8)], ids=["0", "-1", "-2**64"])
def test_a_serial_number_is_positive(serial: bytes) -> None:
    plain = leaf(None)
    number = der.tagged(0x02, serial)
    data = remade(plain.der, plain, lambda members: [members[0], number, *members[2:]])
    assert "not positive" in code(data)


def test_a_usage_that_enciphers_without_agreeing_on_a_key_is_refused() -> None:
    for bits in (b"\x00\x81", b"\x07\x80\x80"):  # encipherOnly, decipherOnly beside digitalSignature
        odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\x03" + bytes([len(bits)]) + bits)
        assert "encipher_only" in code(*chain(leaf(ROOT, usage=None, extensions=((odd, True),)), ROOT))


def test_an_extension_that_is_there_twice_is_refused() -> None:
    def double(members: list[bytes]) -> list[bytes]:
        ((_, explicit),) = der.read(members[7])
        ((_, content),) = der.read(explicit)
        return [*members[:7], der.context(3, der.sequence(content, content))]

    assert "Duplicate" in code(*chain(odd_leaf(double, ROOT), ROOT))


def test_ten_thousand_names_more_change_nothing() -> None:
    many = x509.SubjectAlternativeName([x509.DNSName(f"a{number}.example") for number in range(10_000)])
    signer = (leaf(ROOT, extensions=((many, False),)), ROOT)
    assert isinstance(assess(evidence(jws(signer)), trusting(notary(ROOT)), at=AT), VerifiedSignature)
