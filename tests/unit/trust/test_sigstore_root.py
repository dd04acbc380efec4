"""A Sigstore trusted root becomes an instance: its logs, authorities and windows, and what is refused."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imgtrust.errors import InputFileError
from imgtrust.trust import keydetails
from imgtrust.trust.anchors import CertificateAuthority, LogKey
from imgtrust.trust.roots import parse_sigstore_root
from imgtrust.trust.times import TimestampAuthority
from tests.simulators.evidence import Key, b64
from tests.simulators.timestamps import certify, chain

START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = {"start": "2025-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
KEY = Key.new().public
P256 = "PKIX_ECDSA_P256_SHA_256"
TSA = chain(intermediate=True)
CA = (certify("issuing", certify("root", authority=True), authority=True), certify("root", authority=True))


def log(**changes: Any) -> dict[str, Any]:
    """One log; members that are None are left out."""
    found = {
        "baseUrl": "https://log.example/2025/",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": b64(KEY.der), "keyDetails": P256, "validFor": WINDOW},
        "logId": {"keyId": b64(b"id")},
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def entry(*certificates: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "certChain": {"certificates": [{"rawBytes": b64(each)} for each in certificates]},
        "validFor": WINDOW,
        **changes,
    }


def root(**members: Any) -> bytes:
    return json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", **members}).encode()


def test_an_instance_is_read_whole() -> None:
    data = root(
        tlogs=[log()],
        ctlogs=[log(logId=None, baseUrl=None)],
        certificateAuthorities=[entry(*(each.der for each in CA))],
        timestampAuthorities=[entry(*(each.der for each in TSA))],
    )
    found = parse_sigstore_root(data, "acme")
    assert (found.name, found.raw) == ("acme", data)
    assert found.logs == (LogKey(b"id", KEY, "log.example/2025", START, END),)
    assert found.ct_logs == (LogKey(hashlib.sha256(KEY.der).digest(), KEY, "", START, END),)
    assert found.certificate_authorities == (
        CertificateAuthority("issuing", tuple(each.der for each in CA), START, END),
    )
    middle = (TSA[1].der,)
    name = "test time-stamp authority"
    assert found.authorities == (TimestampAuthority(name, (TSA[2].der,), middle, TSA[0].der, START, END),)


def test_an_empty_instance_is_one() -> None:
    found = parse_sigstore_root(root(), "acme")
    assert (found.logs, found.ct_logs, found.certificate_authorities, found.authorities) == ((), (), (), ())


def test_an_open_end_and_a_checkpoint_key_are_read() -> None:
    key = {"rawBytes": b64(KEY.der), "keyDetails": P256, "validFor": {"start": WINDOW["start"]}}
    (found,) = parse_sigstore_root(root(tlogs=[log(publicKey=key, checkpointKeyId={"keyId": b64(b"four")})]), "x").logs
    assert (found.not_after, found.checkpoint_id) == (None, b"four")


def test_a_key_of_each_kind_is_read_by_its_name() -> None:
    public: dict[str, Any] = {
        "PKIX_ECDSA_P384_SHA_384": ec.generate_private_key(ec.SECP384R1()).public_key(),
        "PKIX_ED25519": ed25519.Ed25519PrivateKey.generate().public_key(),
        "PKIX_RSA_PKCS1V15_2048_SHA256": (rsa_key := rsa.generate_private_key(65537, 2048).public_key()),
        "PKIX_RSA_PKCS1V5": rsa_key,
        "PKCS1_RSA_PKCS1V5": rsa_key,
    }
    for details, each in public.items():
        form = PublicFormat.PKCS1 if details.startswith("PKCS1") else PublicFormat.SubjectPublicKeyInfo
        der = each.public_bytes(Encoding.DER, form)
        key = {"rawBytes": b64(der), "keyDetails": details, "validFor": WINDOW}
        (found,) = parse_sigstore_root(root(tlogs=[log(publicKey=key)]), "x").logs
        assert keydetails.fits(details, found.key.kind)


def test_a_log_with_a_kind_of_key_that_is_not_known_is_left_out() -> None:
    key = {"rawBytes": b64(b"lattice"), "keyDetails": "PKIX_ML_DSA_65", "validFor": WINDOW}
    assert parse_sigstore_root(root(tlogs=[log(publicKey=key), log()]), "x").logs[0].log_id == b"id"
    assert not keydetails.fits("PKIX_ML_DSA_65", "p256")
    assert not keydetails.fits(P256, "p384")
    assert not keydetails.fits("PKIX_RSA_PSS", "p256")


def key_with(**changes: Any) -> dict[str, Any]:
    found = {"rawBytes": b64(KEY.der), "keyDetails": P256, "validFor": WINDOW, **changes}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    "members",
    [
        {"mediaType": "x"},
        {"tlogs": [{}]},
        {"tlogs": [log(publicKey=key_with(rawBytes=b64(b"x")))]},
        {"tlogs": [log(publicKey=key_with(rawBytes="#"))]},
        {"tlogs": [log(publicKey=key_with(keyDetails="PKIX_ED25519"))]},
        {"tlogs": [log(publicKey=key_with(validFor=None))]},
        {"ctlogs": [log(publicKey=key_with(validFor={"end": WINDOW["end"]}))]},
        {"tlogs": [log(logId=1)]},
        {"tlogs": [log(logId={"keyId": "#"})]},
        {"tlogs": [log(baseUrl=1)]},
        {"tlogs": [log(checkpointKeyId=[])]},
        {"certificateAuthorities": [entry()]},
        {"certificateAuthorities": [entry(CA[0].der, validFor={})]},
        {"certificateAuthorities": [entry(CA[0].der, validFor=None)]},
        {"timestampAuthorities": [entry(TSA[0].der, validFor={})]},
        {"timestampAuthorities": [entry(TSA[0].der, validFor=None)]},
    ],
)
def test_a_root_that_cannot_be_read_whole_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InputFileError, match="acme"):
        parse_sigstore_root(root(**members), "acme")


def test_a_certificate_in_a_root_is_der_and_nothing_else() -> None:
    for position in (0, 1):
        chain_with_pem = [each.der for each in CA]
        chain_with_pem[position] = CA[position].pem
        for member in ("certificateAuthorities", "timestampAuthorities"):
            with pytest.raises(InputFileError, match=rf"{member}\[0\] of acme: not a certificate"):
                parse_sigstore_root(root(**{member: [entry(*chain_with_pem)]}), "acme")
