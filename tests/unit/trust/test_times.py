"""RFC 3161 tokens: a good one proves its time, and each single thing that is wrong refuses it with its own code."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.signers import der
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.times import (
    MAX_TOKEN_BYTES,
    TimeClass,
    TimeSource,
    TimestampAuthority,
    VerifiedTime,
    check_response,
    read_token,
    verify_timestamp,
)
from tests.simulators.timestamps import (
    SHA1,
    TST_INFO,
    WHEN,
    Certified,
    Parts,
    attribute,
    authority,
    certify,
    chain,
    respond,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MESSAGE = Parts().message
TICK = timedelta(microseconds=1)
CHAIN = chain()
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
CERTIFICATE_V1 = "1.2.840.113549.1.9.16.2.12"
CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNING_TIME = "1.2.840.113549.1.9.5"


def judge(
    response: bytes,
    authorities: Sequence[TimestampAuthority] = (authority(CHAIN),),
    *,
    at: datetime = WHEN,
    stamped: Sequence[bytes] = (MESSAGE,),
) -> VerifiedTime | RefusalCode:
    try:
        return verify_timestamp(response, stamped, authorities, at=at)
    except Refused as exc:
        return exc.code


def of(parts: Parts = Parts(), **changes: Any) -> VerifiedTime | RefusalCode:  # noqa: B008 - frozen
    """Judge a token of the default chain, changed."""
    return judge(respond(CHAIN[0], parts.but(**changes)))


def test_a_good_token_proves_its_time() -> None:
    assert of() == VerifiedTime(WHEN, TimeSource.RFC3161, "test authority", timedelta(), TimeClass.TRUSTED)


@pytest.mark.parametrize("intermediate", [False, True])
@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_the_leaf_comes_from_the_authority_or_from_the_token(*, intermediate: bool, carried: bool, named: bool) -> None:
    parts = chain(intermediate=intermediate)
    certificates = tuple(each.der for each in parts) if carried else ()
    response = respond(parts[0], Parts(certificates=certificates))
    found = judge(response, [authority(parts, leaf=named)])
    if carried or named:
        assert isinstance(found, VerifiedTime)
    else:
        assert found is RefusalCode.TIME_UNTRUSTED


def test_an_intermediate_in_the_token_alone_is_enough() -> None:
    parts = chain(intermediate=True)
    response = respond(parts[0], Parts(certificates=(parts[0].der, parts[1].der)))
    anchor = TimestampAuthority("roots only", (parts[-1].der,))
    assert isinstance(judge(response, [anchor]), VerifiedTime)


def test_tokens_of_imgtrusts_own_authority_verify() -> None:
    for name in ("sha256", "sha384", "sha512"):
        own = LocalAuthority(lambda: WHEN, algorithm=name, imprint=name, accuracy=timedelta(seconds=2, microseconds=5))
        found = judge(own.stamp(MESSAGE), [own.authority])
        assert isinstance(found, VerifiedTime)
        assert found.accuracy == timedelta(seconds=2, microseconds=5)


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_authorities_with_other_keys_verify(key: Any) -> None:
    parts = chain(key=key)
    assert isinstance(judge(respond(parts[0]), [authority(parts)]), VerifiedTime)


def test_the_smallest_serial_number_is_one() -> None:
    parts = chain(serial=1)
    assert isinstance(judge(respond(parts[0], Parts(certificates=(parts[0].der,))), [authority(parts)]), VerifiedTime)


def test_one_of_several_stamped_byte_strings_is_enough() -> None:
    response = respond(CHAIN[0])
    assert isinstance(judge(response, stamped=(b"other", MESSAGE)), VerifiedTime)
    assert judge(response, stamped=()) is RefusalCode.TIME_IMPRINT


def test_a_token_over_another_signature_is_refused() -> None:
    assert judge(respond(CHAIN[0]), stamped=(b"other",)) is RefusalCode.TIME_IMPRINT
    assert of(imprint=hashlib.sha256(MESSAGE).digest()[:31]) is RefusalCode.TIME_IMPRINT


def test_without_an_authority_a_token_proves_nothing() -> None:
    assert judge(respond(CHAIN[0]), []) is RefusalCode.TIME_UNTRUSTED


def test_the_right_one_of_several_authorities_is_found() -> None:
    other = authority(chain("other"))
    assert isinstance(judge(respond(CHAIN[0]), [other, authority(CHAIN), other]), VerifiedTime)


def test_a_token_of_a_stranger_is_refused_and_all_authorities_are_named() -> None:
    stranger = chain("stranger")
    one, two = authority(CHAIN), authority(chain("other"), leaf=False)
    for certificates in ((), (stranger[0].der, stranger[1].der)):
        response = respond(stranger[0], Parts(certificates=certificates))
        with pytest.raises(Refused, match=r"test authority: .*; test authority: ") as caught:
            verify_timestamp(response, [MESSAGE], [one, two], at=WHEN)
        assert caught.value.code is RefusalCode.TIME_UNTRUSTED


def test_a_chain_that_ends_at_another_root_of_the_same_name_is_refused() -> None:
    root = certify("test time-stamp authority root", authority=True)
    anchor = TimestampAuthority("impostor", (root.der,), (), CHAIN[0].der)
    assert judge(respond(CHAIN[0]), [anchor]) is RefusalCode.TIME_UNTRUSTED


def test_a_leaf_that_the_authority_does_not_name_is_refused_though_its_root_is_right() -> None:
    second = certify("second", CHAIN[-1], purposes=x509.ExtendedKeyUsage([TIME_STAMPING]))
    response = respond(second, Parts(certificates=(second.der,)))
    with pytest.raises(Refused, match="made with another certificate") as caught:
        verify_timestamp(response, [MESSAGE], [authority(CHAIN)], at=WHEN)
    assert caught.value.code is RefusalCode.TIME_UNTRUSTED
    assert isinstance(judge(response, [authority(CHAIN, leaf=False)]), VerifiedTime)


# --- when -----------------------------------------------------------------------------------------------------------


def test_a_token_that_is_dated_after_the_judgement_is_refused() -> None:
    response = respond(CHAIN[0])
    assert isinstance(judge(response, at=WHEN), VerifiedTime)
    assert judge(response, at=WHEN - TICK) is RefusalCode.TIME_FUTURE


def test_the_window_of_an_authority_has_its_ends_inside() -> None:
    response = respond(CHAIN[0])
    second = timedelta(seconds=1)
    assert isinstance(judge(response, [authority(CHAIN, not_before=WHEN, not_after=WHEN)]), VerifiedTime)
    assert judge(response, [authority(CHAIN, not_before=WHEN + second)]) is RefusalCode.TIME_UNTRUSTED
    assert judge(response, [authority(CHAIN, not_after=WHEN - second)]) is RefusalCode.TIME_UNTRUSTED
    assert isinstance(judge(response, [authority(CHAIN, not_before=WHEN - second)]), VerifiedTime)
    assert isinstance(judge(response, [authority(CHAIN, not_after=WHEN + second)]), VerifiedTime)


def test_the_chain_is_judged_at_the_time_of_the_token_not_of_the_judgement() -> None:
    day = timedelta(days=1)
    expired = chain(window=(WHEN - day, WHEN + day))
    assert isinstance(judge(respond(expired[0]), [authority(expired)], at=WHEN + 1000 * day), VerifiedTime)


@pytest.mark.parametrize("offset", [timedelta(days=-2), timedelta(days=2)])
def test_a_token_outside_the_validity_of_the_leaf_is_refused(offset: timedelta) -> None:
    day = timedelta(days=1)
    parts = chain(window=(WHEN - day, WHEN + day))
    response = respond(parts[0], Parts(time=WHEN + offset))
    assert judge(response, [authority(parts)], at=WHEN + 10 * day) is RefusalCode.TIME_UNTRUSTED


def test_a_token_outside_the_validity_of_an_intermediate_is_refused() -> None:
    root = certify("root", authority=True)
    middle = certify("middle", root, authority=True, window=(WHEN - timedelta(9), WHEN - timedelta(1)))
    leaf = certify("leaf", middle, purposes=x509.ExtendedKeyUsage([TIME_STAMPING]))
    assert judge(respond(leaf), [authority((leaf, middle, root))]) is RefusalCode.TIME_UNTRUSTED


# --- the certificate of the signer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leaf",
    [
        pytest.param({"purposes": None}, id="no purpose"),
        pytest.param({"critical": False}, id="purpose not critical"),
        pytest.param({"purposes": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])}, id="other purpose"),
        pytest.param(
            {"purposes": x509.ExtendedKeyUsage([TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING])},
            id="one purpose too many",
        ),
    ],
)
def test_a_certificate_that_is_not_only_for_time_stamps_is_refused(leaf: dict[str, Any]) -> None:
    parts = chain(**leaf)
    for carried in ((), (parts[0].der,)):
        assert judge(respond(parts[0], Parts(certificates=carried)), [authority(parts)]) is RefusalCode.TIME_UNTRUSTED


def test_a_leaf_that_was_issued_by_no_authority_is_refused() -> None:
    root = certify("root", authority=True)
    middle = certify("no authority", root, authority=False)
    leaf = certify("leaf", middle, purposes=x509.ExtendedKeyUsage([TIME_STAMPING]))
    response = respond(leaf, Parts(certificates=(leaf.der, middle.der)))
    assert judge(response, [authority((leaf, root), leaf=False)]) is RefusalCode.TIME_UNTRUSTED


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(rsa.generate_private_key(65537, 1024), id="RSA 1024"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), id="Ed25519"),
        pytest.param(ec.generate_private_key(ec.SECP256K1()), id="secp256k1"),
    ],
)
def test_a_signers_key_that_is_weak_or_not_read_is_refused(key: Any) -> None:
    parts = chain(key=key)
    assert judge(respond(parts[0]), [authority(parts)]) is RefusalCode.TIME_INVALID


def test_a_signer_that_is_not_the_certificate_carried_is_refused() -> None:
    assert of(certificates=(CHAIN[-1].der,)) is RefusalCode.TIME_INVALID
    assert of(named=chain("other")[0]) is RefusalCode.TIME_UNTRUSTED


def test_another_certificate_with_the_same_key_and_name_is_refused() -> None:
    """Issuer and serial are not signed; the hash of the certificate is (RFC 5035)."""
    twin = certify(
        "test time-stamp authority",
        CHAIN[-1],
        key=CHAIN[0].key,
        purposes=x509.ExtendedKeyUsage([TIME_STAMPING]),
        serial=CHAIN[0].certificate.serial_number,
        window=(datetime(2020, 1, 2, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)),
    )
    assert judge(respond(CHAIN[0]), [authority((twin, CHAIN[-1]))]) is RefusalCode.TIME_INVALID


def test_an_authority_whose_leaf_cannot_be_read_made_nothing() -> None:
    for leaf in (b"", b"no certificate", with_serial(CHAIN[0], der.tagged(2, b"\0"))):
        anchor = TimestampAuthority("broken", (CHAIN[1].der,), (), leaf)
        assert judge(respond(CHAIN[0]), [anchor]) is RefusalCode.TIME_UNTRUSTED
        assert isinstance(judge(respond(CHAIN[0]), [anchor, authority(CHAIN)]), VerifiedTime)


def test_a_certificate_that_cryptography_refuses_is_no_crash() -> None:
    """Version 19 of X.509: cryptography raises InvalidVersion, which is no ValueError."""
    odd = CHAIN[0].der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12", 1)
    names = certificate_v2(b"", hashlib.sha256(odd).digest())
    response = respond(CHAIN[0], Parts(certificates=(odd,), certificate_attribute=names))
    assert judge(response, [authority(CHAIN, leaf=False)]) is RefusalCode.TIME_INVALID
    broken_root = TimestampAuthority("broken", (odd,), (), CHAIN[0].der)
    assert judge(respond(CHAIN[0]), [broken_root]) is RefusalCode.TIME_UNTRUSTED


def test_a_broken_signature_is_told_from_a_stranger() -> None:
    good = CHAIN[0].key
    assert isinstance(good, ec.EllipticCurvePrivateKey)
    forged = good.sign(b"something else", ec.ECDSA(hashes.SHA256()))
    assert of(signature=forged) is RefusalCode.TIME_INVALID
    others = [authority(chain("other")), authority(CHAIN)]
    assert judge(respond(CHAIN[0], Parts(signature=forged)), others) is RefusalCode.TIME_INVALID


# --- what is written --------------------------------------------------------------------------------------------------


def certificate_v2(algorithm: bytes, digest: bytes) -> bytes:
    identifier = der.sequence(algorithm, der.octets(digest))
    return attribute(CERTIFICATE_V2, der.sequence(der.sequence(identifier)))


def certificate_v1(certificate: bytes) -> bytes:
    digest = hashlib.sha1(certificate).digest()  # noqa: S324 - RFC 2634 knows no other
    return attribute(CERTIFICATE_V1, der.sequence(der.sequence(der.sequence(der.octets(digest)))))


SHA512_ALGORITHM = der.sequence(der.oid("2.16.840.1.101.3.4.2.3"))
ACCURACY = {
    "seconds": (der.sequence(der.integer(3)), timedelta(seconds=3)),
    "millis": (der.sequence(der.context(0, b"\x05", constructed=False)), timedelta(milliseconds=5)),
    "micros": (der.sequence(der.context(1, b"\x09", constructed=False)), timedelta(microseconds=9)),
    "all": (
        der.sequence(
            der.integer(86_400),
            der.context(0, b"\x03\xe7", constructed=False),
            der.context(1, b"\x03\xe7", constructed=False),
        ),
        timedelta(days=1, milliseconds=999, microseconds=999),
    ),
    "nothing": (der.sequence(), timedelta()),
}


@pytest.mark.parametrize("name", ACCURACY)
def test_the_accuracy_is_kept(name: str) -> None:
    written, expected = ACCURACY[name]
    found = of(accuracy=written)
    assert isinstance(found, VerifiedTime)
    assert found.accuracy == expected


def test_the_baseline_policy_promises_a_second() -> None:
    found = of(policy="0.4.0.2023.1.1")
    assert isinstance(found, VerifiedTime)
    assert found.accuracy == timedelta(seconds=1)


@pytest.mark.parametrize(
    "accuracy",
    [
        pytest.param(der.sequence(der.tagged(2, b"\xff")), id="negative"),
        pytest.param(der.sequence(der.integer(86_401)), id="more than a day"),
        pytest.param(der.sequence(der.context(0, b"\x03\xe8", constructed=False)), id="1000 milliseconds"),
        pytest.param(der.sequence(der.context(0, b"\xff", constructed=False)), id="negative milliseconds"),
        pytest.param(der.sequence(der.context(1, b"\x03\xe8", constructed=False)), id="1000 microseconds"),
        pytest.param(der.sequence(der.context(1, b"\xff", constructed=False)), id="negative microseconds"),
    ],
)
def test_an_accuracy_out_of_range_is_refused(accuracy: bytes) -> None:
    assert of(accuracy=accuracy) is RefusalCode.TIME_INVALID


def extension(*, critical: bool) -> bytes:
    flag = der.boolean(value=True) if critical else b""
    return der.context(1, der.sequence(der.oid("1.2.3.4"), flag, der.octets(b"x")))


GOOD: dict[str, dict[str, Any]] = {
    "ordering": {"ordering": der.boolean(value=True)},
    "nonce": {"nonce": der.integer(2**64)},
    "the name of the authority": {
        "tsa": der.context(0, der.context(4, CHAIN[0].certificate.subject.public_bytes())),
        "nonce": der.integer(1),
        "extensions": extension(critical=False),
    },
    "an extension that is not critical": {"extensions": extension(critical=False)},
    "attributes of other types": {"more_attributes": (attribute(SIGNING_TIME, der.tagged(0x17, b"260301120000Z")),)},
    "certificate by SHA-512": {
        "certificate_attribute": certificate_v2(SHA512_ALGORITHM, hashlib.sha512(CHAIN[0].der).digest())
    },
    "certificate by the older attribute": {"certificate_attribute": certificate_v1(CHAIN[0].der)},
    "fraction of a second": {"time_der": der.tagged(0x18, b"20260301115959.5Z")},
}


@pytest.mark.parametrize("name", GOOD)
def test_what_rfc_3161_allows_is_read(name: str) -> None:
    assert isinstance(of(**GOOD[name]), VerifiedTime)


BAD: dict[str, dict[str, Any]] = {
    "not granted": {"status": 2},
    "granted with changes": {"status": 1},
    "another version": {"version": 2},
    "SHA-1 of the message": {"imprint_oid": SHA1},
    "SHA-1 in the signature": {"digest_oid": SHA1},
    "two signers": {"signers": 2},
    "no signer": {"signers": 0},
    "a critical extension": {"extensions": extension(critical=True)},
    "no certificate named": {"certificate_attribute": b""},
    "another certificate named": {"certificate_attribute": certificate_v2(b"", hashlib.sha256(CHAIN[1].der).digest())},
    "another certificate named in the older attribute": {"certificate_attribute": certificate_v1(CHAIN[1].der)},
    "the certificate named by SHA-1 in the newer attribute": {
        "certificate_attribute": certificate_v2(
            der.sequence(der.oid(SHA1)),
            hashlib.sha1(CHAIN[0].der).digest(),  # noqa: S324 - to see it refused
        )
    },
    "no content type": {"type_attribute": b""},
    "another content type signed": {
        "type_attribute": attribute("1.2.840.113549.1.9.3", der.oid("1.2.840.113549.1.7.1"))
    },
    "no digest": {"digest_attribute": b""},
    "the digest of something else": {
        "digest_attribute": attribute("1.2.840.113549.1.9.4", der.octets(hashlib.sha256(b"").digest()))
    },
    "an attribute twice": {"more_attributes": (attribute("1.2.840.113549.1.9.3", der.oid(TST_INFO)),)},
    "an attribute without a value": {"more_attributes": (attribute(SIGNING_TIME),)},
    "an attribute with two values": {"more_attributes": (attribute(SIGNING_TIME, der.null(), der.octets(b"")),)},
}


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_a_rule_is_refused(name: str) -> None:
    assert of(**BAD[name]) is RefusalCode.TIME_INVALID


def with_serial(certificate: Certified, serial: bytes) -> bytes:
    """The certificate with another serial number in it; nothing signs it any more."""
    number = der.integer(certificate.certificate.serial_number)
    (_, whole), *_ = der.read(certificate.der)
    (_, body), *rest = der.read(whole)
    changed = der.sequence(body.replace(number, serial, 1))
    return der.sequence(changed, *(der.tagged(tag, content) for tag, content in rest))


MALFORMED: dict[str, dict[str, Any]] = {
    "something after the imprint": {"imprint_after": der.null()},
    "something after the last member of the TSTInfo": {"extensions": extension(critical=False) + der.null()},
    "something after the token": {"after": der.null()},
    "no TSTInfo": {"content_type": "1.2.840.113549.1.7.1"},
    "no time": {"time_der": der.tagged(0x17, b"260301120000Z")},
    "a certificate that is none": {"certificates": (der.octets(b"x"),)},
    "a second certificate that is none": {"certificates": (CHAIN[0].der, der.octets(b"x"))},
    "a certificate without a serial number": {
        "certificates": (CHAIN[0].der, with_serial(CHAIN[1], der.tagged(2, b"\0")))
    },
    "a certificate with a negative serial number": {
        "certificates": (CHAIN[0].der, with_serial(CHAIN[1], der.tagged(2, b"\xff")))
    },
    "too many certificates": {"certificates": tuple(CHAIN[0].der for _ in range(17))},
    "an attribute with more in it": {
        "more_attributes": (der.sequence(der.oid(SIGNING_TIME), der.set_of([der.null()]), der.null()),)
    },
    "too many attributes": {"more_attributes": tuple(attribute(f"1.2.3.{n}", der.null()) for n in range(17))},
    "an accuracy with more in it": {"accuracy": der.sequence(der.octets(b""))},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_token_is_refused_as_malformed(name: str) -> None:
    assert of(**MALFORMED[name]) is RefusalCode.TIME_MALFORMED


@pytest.mark.parametrize("response", [b"", b"hello", b"\x30\x00", b"<html>", bytes(1000)])
def test_bytes_that_are_no_token_are_refused_as_malformed(response: bytes) -> None:
    assert judge(response) is RefusalCode.TIME_MALFORMED


def test_a_huge_token_is_not_parsed() -> None:
    response = respond(CHAIN[0], Parts(certificates=(der.sequence(der.octets(bytes(MAX_TOKEN_BYTES))),)))
    with pytest.raises(Refused, match="at most"):
        read_token(response)
    with pytest.raises(Refused, match="at most"):
        read_token(bytes(MAX_TOKEN_BYTES + 1))
    with pytest.raises(Refused, match="not a time-stamp response"):
        read_token(bytes(MAX_TOKEN_BYTES))


def test_every_prefix_of_a_token_is_malformed() -> None:
    response = respond(CHAIN[0], Parts(certificates=(CHAIN[0].der,)))
    for length in range(0, len(response), 7):
        assert judge(response[:length]) is RefusalCode.TIME_MALFORMED


def edit(data: bytes, path: tuple[int, ...], change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """The same DER with the values inside one value changed; ``path`` goes down from the outermost."""
    ((tag, content),) = der.read(data)
    values = [der.tagged(kind, inner) for kind, inner in der.read(content)]
    if path:
        position = path[0] % len(values)
        values[position] = edit(values[position], path[1:], change)
    else:
        values = change(values)
    return der.tagged(tag, b"".join(values))


SIGNED_DATA = (1, 1, 0)
SIGNER = (*SIGNED_DATA, -1, 0)
PLACES = {
    "the response": (),
    "the content info": (1,),
    "the content": (1, 1),
    "the signed data": SIGNED_DATA,
    "the encapsulated content": (*SIGNED_DATA, 2),
    "the content of that": (*SIGNED_DATA, 2, 1),
    "the signer": SIGNER,
    "the name of the signer": (*SIGNER, 1),
}


@pytest.mark.parametrize("name", PLACES)
def test_nothing_may_follow_the_last_member_of_anything(name: str) -> None:
    for value in (der.null(), der.sequence(), der.integer(1)):
        response = edit(respond(CHAIN[0]), PLACES[name], lambda values, value=value: [*values, value])  # type: ignore[misc]  # no annotations there
        assert judge(response) is RefusalCode.TIME_MALFORMED


@pytest.mark.parametrize("name", PLACES)
def test_every_member_is_needed(name: str) -> None:
    response = respond(CHAIN[0])
    for position in range(12):
        if PLACES[name] == SIGNER and position == 6:
            break
        gone = edit(response, PLACES[name], lambda values, at=position: values[:at] + values[at + 1 :])  # type: ignore[misc]  # no annotations there
        if gone != response:
            assert judge(gone) in {RefusalCode.TIME_MALFORMED, RefusalCode.TIME_INVALID}


def test_what_cms_allows_beside_is_passed_over() -> None:
    revoked = der.tagged(0xA1, b"")
    with_lists = edit(respond(CHAIN[0]), SIGNED_DATA, lambda values: [*values[:3], revoked, *values[3:]])
    unsigned = der.tagged(0xA1, attribute("1.2.3.4", der.null()))
    with_unsigned = edit(respond(CHAIN[0]), SIGNER, lambda values: [*values, unsigned])
    for response in (with_lists, with_unsigned):
        assert read_token(response).time == WHEN


# --- what a client checks ---------------------------------------------------------------------------------------------


def checked(response: bytes, message: bytes = MESSAGE, nonce: int | None = None) -> datetime | RefusalCode:
    try:
        return check_response(response, message, nonce)
    except Refused as exc:
        return exc.code


def test_a_client_gets_the_time_of_a_token_that_answers_its_request() -> None:
    response = respond(CHAIN[0], Parts(nonce=der.integer(12345)))
    assert checked(response) == WHEN
    assert checked(response, nonce=12345) == WHEN


def test_a_client_refuses_what_does_not_answer_its_request() -> None:
    response = respond(CHAIN[0], Parts(nonce=der.integer(12345)))
    assert checked(response, b"other") is RefusalCode.TIME_IMPRINT
    assert checked(response, nonce=54321) is RefusalCode.TIME_INVALID
    assert checked(respond(CHAIN[0]), nonce=1) is RefusalCode.TIME_INVALID
    assert checked(respond(CHAIN[0], Parts(status=2))) is RefusalCode.TIME_INVALID
    assert checked(b"<html>") is RefusalCode.TIME_MALFORMED
