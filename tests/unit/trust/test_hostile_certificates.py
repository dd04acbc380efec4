"""Certificates that somebody made to crash a verifier, to wear it out, or to be taken for somebody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from imgtrust.errors import InputFileError
from imgtrust.formats.certificates import MAX_CERTIFICATE_BYTES
from imgtrust.refusals import RefusalCode
from imgtrust.signers import der
from imgtrust.trust.certificatefiles import read_roots
from imgtrust.trust.roots import describe_root, parse_sigstore_root, parse_tsa_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators import pki
from tests.simulators.evidence import AT, Key, b64
from tests.simulators.fulcio import EMAIL, ISSUER, Fulcio, extension, utf8
from tests.simulators.sigstore import Signer, VirtualSigstore, document_of
from tests.simulators.timestamps import Certified

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Evidence

    Edit = Callable[[list[bytes]], list[bytes]]

SIGSTORE: Final = VirtualSigstore()
ROOT: Final = SIGSTORE.trusting()
ISSUING: Final = pki.Certified(SIGSTORE.fulcio.chain[0].certificate, SIGSTORE.fulcio.chain[0].key)
SERIAL, ISSUED_BY, VALIDITY, SUBJECT = 1, 3, 4, 5
"""Where these members stand in a certificate (RFC 5280 section 4.1)."""
NO_NAME: Final = der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tagged(0x13, b"\xff"))]))
"""A PrintableString that is not even ASCII."""
YEAR_0: Final = der.tagged(0x18, b"00000101000000Z")
LATER: Final = der.tagged(0x17, b"491231235959Z")


@dataclass(frozen=True)
class Odd:
    """What ``Signer`` wants of a certificate, for bytes that may be none."""

    der: bytes
    key: Any
    pem: bytes = b""


def pem_of(data: bytes) -> bytes:
    """PEM, whatever it holds."""
    text = b64(data)
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode()


def code(candidate: Evidence) -> RefusalCode:
    found = assess(candidate, ROOT, at=AT)
    assert isinstance(found, Refusal), found
    return found.code


def edited(at: int, value: bytes) -> Edit:
    return lambda members: [value if number == at else each for number, each in enumerate(members)]


def signed_with(edit: Edit) -> Evidence:
    """A signature whose certificate the authority itself signed, with one member that no authority would write."""
    signer = SIGSTORE.certify()
    assert signer.certified is not None
    made = pki.remade(signer.certified.der, ISSUING, edit)
    odd: Any = Odd(made, signer.key.private, pem_of(made))
    return SIGSTORE.evidence(Signer(signer.key, odd))


ODD: Final[dict[str, Edit]] = {
    "a serial number of 0": edited(SERIAL, der.tagged(2, b"\0")),
    "a negative serial number": edited(SERIAL, der.tagged(2, b"\xff")),
    "a serial number of 2,000 bytes that is negative": edited(SERIAL, der.tagged(2, b"\x80" + bytes(1999))),
    "an issuer that cannot be read": edited(ISSUED_BY, NO_NAME),
    "a subject that cannot be read": edited(SUBJECT, NO_NAME),
    "validity from the year 0 on": edited(VALIDITY, der.sequence(YEAR_0, LATER)),
    "a date that does not exist": edited(VALIDITY, der.sequence(der.tagged(0x17, b"200230000000Z"), LATER)),
    "no validity": edited(VALIDITY, der.sequence()),
    "no extensions": lambda members: members[:7],
    "the extensions twice": lambda members: [*members, members[-1]],
    "version 19": edited(0, der.context(0, der.integer(18))),
}


@pytest.mark.parametrize("name", ODD)
def test_a_certificate_with_an_impossible_member_is_refused_though_its_authority_signed_it(name: str) -> None:
    assert code(signed_with(ODD[name])) is RefusalCode.CERTIFICATE_MALFORMED


@pytest.mark.parametrize("name", [name for name in ODD if "extensions" not in name])
def test_an_impossible_certificate_beside_the_signer_s_is_refused_and_crashes_nothing(name: str) -> None:
    """Nobody signed what stands beside the leaf in an older bundle: whoever can push can put anything there."""
    document = SIGSTORE.bundle(media_type="application/vnd.dev.sigstore.bundle+json;version=0.2")
    material = document["verificationMaterial"]
    chain = [material.pop("certificate"), {"rawBytes": b64(pki.remade(ISSUING.der, ISSUING, ODD[name]))}]
    material["x509CertificateChain"] = {"certificates": chain}
    assert code(document_of(document)) is RefusalCode.CERTIFICATE_MALFORMED


def test_a_certificate_that_the_log_has_not_stamped_yet_is_none() -> None:
    """The poison extension of RFC 6962 section 3.1 is critical, so that a precertificate is never taken for one."""
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.3")
    poison = x509.Extension(oid, critical=True, value=x509.UnrecognizedExtension(oid, b"\x05\x00"))
    assert code(SIGSTORE.evidence(SIGSTORE.certify(more=(poison,)))) is RefusalCode.CERTIFICATE_MALFORMED


def many_names(number: int) -> Signer:
    return SIGSTORE.certify(names=[x509.RFC822Name(f"user{n}@acme.test") for n in range(number)])


def test_ten_thousand_names_are_not_even_read() -> None:
    signer = many_names(10_000)
    assert signer.certified is not None
    assert len(signer.certified.der) > MAX_CERTIFICATE_BYTES
    assert code(SIGSTORE.evidence(signer)) is RefusalCode.BUNDLE_MALFORMED
    assert code(SIGSTORE.layer(signer)) is RefusalCode.CERTIFICATE_MALFORMED


def test_as_many_names_as_fit_are_too_many_even_where_the_right_one_is_among_them() -> None:
    names = [x509.RFC822Name(f"user{n}@acme.test") for n in range(2_500)]
    signer = SIGSTORE.certify(names=[x509.RFC822Name(EMAIL), *names])
    assert signer.certified is not None
    assert len(signer.certified.der) <= MAX_CERTIFICATE_BYTES
    assert code(SIGSTORE.evidence(signer)) is RefusalCode.CERTIFICATE_MALFORMED
    assert code(SIGSTORE.evidence(SIGSTORE.certify(names=names[:2]))) is RefusalCode.CERTIFICATE_MALFORMED


WORKFLOW: Final = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"


@pytest.mark.parametrize(
    "name",
    [
        f"{WORKFLOW}\n",
        f"\n{WORKFLOW}",
        f"{WORKFLOW}\0",
        f"{WORKFLOW}\0.evil.test",
        f"{WORKFLOW} ",
        WORKFLOW.upper(),
        WORKFLOW.replace("acme", "acm%65"),
        WORKFLOW.replace("/app/", "/app/../app/"),
        WORKFLOW.replace("https", "http"),
        f"{WORKFLOW}{'x' * 10_000}",
        "\x1b[2J" + WORKFLOW,
        f"x, URI:{WORKFLOW}",
    ],
    ids=range(12),
)
def test_a_name_that_only_looks_like_the_right_one_is_another(name: str) -> None:
    candidate = SIGSTORE.evidence(SIGSTORE.certify(names=(x509.UniformResourceIdentifier(name),)))
    found = assess(candidate, SIGSTORE.trusting(WORKFLOW), at=AT)
    assert isinstance(found, Refusal)
    assert found.code in {RefusalCode.IDENTITY_UNTRUSTED, RefusalCode.CERTIFICATE_MALFORMED}
    assert len(found.reason) < 1_000


def test_a_name_beyond_ascii_is_another_or_none() -> None:
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8("r\u0435lease"))
    candidate = SIGSTORE.evidence(SIGSTORE.certify(names=(other,)))
    found = assess(candidate, SIGSTORE.trusting("release"), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.IDENTITY_UNTRUSTED


def test_an_address_where_a_uri_is_meant_has_the_same_text_and_the_same_issuer() -> None:
    """Only the text counts, in every Sigstore client: the issuer decides what kind of name it gives."""
    candidate = SIGSTORE.evidence(SIGSTORE.certify(names=(x509.UniformResourceIdentifier(EMAIL),)))
    assert isinstance(assess(candidate, ROOT, at=AT), VerifiedSignature)


@pytest.mark.parametrize(("first", "second"), [("", None), (None, ""), ("", ""), (ISSUER, ""), ("", ISSUER)])
def test_an_empty_issuer_is_none(first: str | None, second: str | None) -> None:
    assert code(SIGSTORE.evidence(SIGSTORE.certify(issuer_v1=first, issuer_v2=second))) is (
        RefusalCode.CERTIFICATE_MALFORMED
    )


def test_fulcio_s_extension_twice_is_refused() -> None:
    def twice(members: list[bytes]) -> list[bytes]:
        ((_, content),) = der.read(members[-1])
        ((_, inner),) = der.read(content)
        extensions = [der.tagged(tag, value) for tag, value in der.read(inner)]
        more = der.sequence(der.oid("1.3.6.1.4.1.57264.1.8"), der.octets(utf8("https://elsewhere.test")))
        return [*members[:-1], der.context(3, der.sequence(*extensions, more))]

    assert code(signed_with(twice)) is RefusalCode.CERTIFICATE_MALFORMED


def test_the_certificate_of_an_authority_signs_no_image() -> None:
    """Who holds the key of an authority can issue; the authority's own certificate is still nobody's name."""
    issuing = SIGSTORE.fulcio.chain[0]
    candidate = SIGSTORE.evidence(Signer(Key(issuing.key), issuing))
    assert code(candidate) in {RefusalCode.CERTIFICATE_MALFORMED, RefusalCode.CERTIFICATE_USAGE}


def test_a_certificate_issued_by_a_signing_certificate_is_from_no_authority() -> None:
    mine = SIGSTORE.certify()
    key = Key.new()
    victim = SIGSTORE.fulcio.issue(key.private, signer=mine.certified)
    assert code(SIGSTORE.evidence(Signer(key, victim))) is RefusalCode.CERTIFICATE_UNTRUSTED
    document = SIGSTORE.bundle(Signer(key, victim), media_type="application/vnd.dev.sigstore.bundle+json;version=0.1")
    material = document["verificationMaterial"]
    assert mine.certified is not None
    chain = [material.pop("certificate"), {"rawBytes": b64(mine.certified.der)}]
    material["x509CertificateChain"] = {"certificates": chain}
    assert code(document_of(document)) is RefusalCode.CERTIFICATE_UNTRUSTED


def test_a_certificate_that_was_signed_with_sha1_is_from_no_authority() -> None:
    """Two certificates with one SHA-1 can be made; an authority that still signs with it has signed both."""
    authority = pki.authority(key=rsa.generate_private_key(65537, 2048))
    sigstore = VirtualSigstore(fulcio=Fulcio((Certified(authority.certificate, authority.key),)))
    signer = sigstore.certify()
    assert signer.certified is not None
    root = sigstore.trusting(log=False)
    document = sigstore.bundle(signer, None)
    assert isinstance(assess(document_of(document), root, at=AT), VerifiedSignature)
    weak = pki.as_sha1(signer.certified.der, authority)
    document["verificationMaterial"]["certificate"]["rawBytes"] = b64(weak)
    found = assess(document_of(document), root, at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.CERTIFICATE_UNTRUSTED


def test_an_authority_of_the_same_name_is_another() -> None:
    """Everything is right but the key that issued it."""
    twin = VirtualSigstore(log=SIGSTORE.log)
    stranger = Signer(key := Key.new(), twin.fulcio.issue(key.private))
    assert code(SIGSTORE.evidence(stranger)) is RefusalCode.CERTIFICATE_UNTRUSTED


ALTERED: Final = SIGSTORE.certify()
UNLOGGED: Final = SIGSTORE.trusting(log=False)


@pytest.mark.parametrize("part", range(4))
def test_a_certificate_with_any_one_byte_altered_names_nobody(part: int) -> None:
    """No log entry is asked for, which would tell as well: what the authorities signed has to tell by itself."""
    assert ALTERED.certified is not None
    original = ALTERED.certified.der
    document = SIGSTORE.bundle(ALTERED, None)
    assert isinstance(assess(document_of(document), UNLOGGED, at=AT), VerifiedSignature)
    for at in range(part, len(original), 4):
        changed = bytearray(original)
        changed[at] ^= 1 << at % 8
        document["verificationMaterial"]["certificate"]["rawBytes"] = b64(bytes(changed))
        found = assess(document_of(document), UNLOGGED, at=AT)
        assert isinstance(found, Refusal), (at, found)


# --- files of roots ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["an issuer that cannot be read", "a subject that cannot be read", "the extensions twice", "version 19"]
)
def test_a_root_file_with_an_impossible_certificate_is_refused_by_its_name(name: str) -> None:
    own = pki.authority()
    odd = pki.remade(own.der, own, ODD[name])
    document = SIGSTORE.document()
    document["timestampAuthorities"][0]["certChain"]["certificates"] = [{"rawBytes": b64(odd)}]
    whole = json.dumps(document).encode()
    reads: tuple[tuple[Callable[..., object], bytes], ...] = (
        (parse_sigstore_root, whole),
        (describe_root, whole),
        (parse_tsa_chain, odd),
        (read_roots, odd),
    )
    for read, data in reads:
        with pytest.raises(InputFileError, match="not a certificate that can be read"):
            read(data, "roots.json")


def test_an_authority_whose_certificate_lasts_from_the_year_0_issues_nothing() -> None:
    document = SIGSTORE.document()
    odd = pki.remade(ISSUING.der, ISSUING, ODD["validity from the year 0 on"])
    root = SIGSTORE.fulcio.chain[1].der
    document["certificateAuthorities"][0]["certChain"]["certificates"] = [{"rawBytes": b64(e)} for e in (odd, root)]
    trusted = SIGSTORE.trusting(certificateAuthorities=document["certificateAuthorities"])
    found = assess(SIGSTORE.evidence(), trusted, at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.CERTIFICATE_UNTRUSTED


def test_the_certificates_of_this_page_are_right_in_all_but_the_one_thing() -> None:
    assert isinstance(assess(signed_with(lambda members: members), ROOT, at=AT), VerifiedSignature)
    more = extension(99, utf8("x"))
    assert isinstance(assess(SIGSTORE.evidence(SIGSTORE.certify(more=(more,))), ROOT, at=AT), VerifiedSignature)
