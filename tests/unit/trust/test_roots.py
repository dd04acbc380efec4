"""Trust roots: Sigstore's JSON, and PEM chains of time-stamp authorities."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from imgtrust.errors import InputFileError
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.roots import (
    MAX_ANCHORS,
    MAX_ROOT_BYTES,
    Anchor,
    describe_root,
    parse_sigstore_root,
    parse_tsa_chain,
)
from imgtrust.trust.times import TimestampAuthority
from tests.simulators.evidence import Key, b64
from tests.simulators.timestamps import Certified, certify, chain

PARTS = chain(intermediate=True)
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


STARTED = {"start": START.isoformat()}


def entry(*certificates: bytes, **more: Any) -> dict[str, Any]:
    return {"certChain": {"certificates": [{"rawBytes": b64(each)} for each in certificates]}, **more}


def root(*authorities: object, **more: Any) -> bytes:
    document = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "timestampAuthorities": list(authorities),
        **more,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def authorities(data: bytes) -> tuple[TimestampAuthority, ...]:
    return parse_sigstore_root(data, "root.json").authorities


def test_authorities_are_read_with_chain_and_window() -> None:
    window = {"start": "2025-01-01T00:00:00Z", "end": "2026-01-01T01:00:00+01:00"}
    data = root(entry(*(each.der for each in PARTS), validFor=window))
    assert authorities(data) == (
        TimestampAuthority("test time-stamp authority", (PARTS[2].der,), (PARTS[1].der,), PARTS[0].der, START, END),
    )


def test_an_absent_end_is_open() -> None:
    (found,) = authorities(root(entry(PARTS[0].der, PARTS[2].der, validFor=STARTED)))
    assert (found.not_before, found.not_after) == (START, None)


@pytest.mark.parametrize("window", [None, {}, {"start": ""}, {"end": "2026-01-01T00:00:00Z"}])
def test_a_window_has_a_start(window: object) -> None:
    with pytest.raises(InputFileError, match=r"timestampAuthorities\[0\] of root\.json: validFor has no start"):
        authorities(root(entry(PARTS[0].der, PARTS[2].der, validFor=window)))


def test_a_single_certificate_is_leaf_and_root() -> None:
    (found,) = authorities(root(entry(PARTS[2].der, validFor=STARTED)))
    assert (found.leaf, found.roots, found.intermediates) == (PARTS[2].der, (PARTS[2].der,), ())


def test_a_root_without_authorities_has_none() -> None:
    assert authorities(root()) == ()
    assert authorities(root(timestampAuthorities=None)) == ()


def test_an_authority_without_a_name_is_named_by_its_place() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    nobody = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(PARTS[2].certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(END)
        .sign(PARTS[2].key, hashes.SHA256())
    )
    leaf = Certified(nobody, key)
    data = root(entry(leaf.der, PARTS[2].der, validFor=STARTED))
    assert authorities(data)[0].name == "timestampAuthorities[0] of root.json"
    assert describe_root(data, "root.json")[0].name == "timestampAuthorities[0] of root.json"
    assert parse_tsa_chain(leaf.pem + PARTS[2].pem, "tsa.pem").name == "tsa.pem"


BROKEN = [
    b"",
    b"[]",
    b"{}",
    root(mediaType="application/json"),
    root(mediaType=None),
    root(mediaType=["x"]),
    root(timestampAuthorities={}),
    root(timestampAuthorities=[1]),
    root(*[entry(PARTS[0].der)] * (MAX_ANCHORS + 1)),
    root({}),
    root({"certChain": {}}),
    root({"certChain": {"certificates": []}}),
    root({"certChain": {"certificates": [{}]}}),
    root({"certChain": {"certificates": [{"rawBytes": "#"}]}}),
    root({"certChain": {"certificates": [{"rawBytes": "é"}]}}),
    root({"certChain": {"certificates": [{"rawBytes": b64(PARTS[0].der)[:8] + "\n" + b64(PARTS[0].der)[8:]}]}}),
    root({"certChain": {"certificates": [{"rawBytes": 1}]}}),
    root(entry(b"no certificate")),
    root(entry(PARTS[0].der, validFor=1)),
    root(entry(PARTS[0].der, validFor={"start": 1})),
    root(entry(PARTS[0].der, validFor={"start": "yesterday"})),
    root(entry(PARTS[0].der, validFor={"end": "2026-01-01T00:00:00"})),
    root(entry(PARTS[0].der, validFor={"end": "9999-12-31T23:59:59-14:00"})),
    root().replace(b"{", b'{"mediaType":"x",', 1),
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_a_root_that_cannot_be_read_whole_is_refused_with_its_name(data: bytes) -> None:
    for read in (parse_sigstore_root, describe_root):
        with pytest.raises(InputFileError, match=r"root\.json"):
            read(data, "root.json")


def test_what_is_as_large_as_allowed_is_read() -> None:
    assert authorities(root().ljust(MAX_ROOT_BYTES)) == ()
    assert len(authorities(root(*[entry(PARTS[2].der, validFor=STARTED)] * MAX_ANCHORS))) == MAX_ANCHORS
    assert len(parse_tsa_chain(PARTS[2].pem * MAX_ANCHORS, "tsa.pem").roots) == MAX_ANCHORS


def test_huge_files_are_not_parsed() -> None:
    data = b" " * (MAX_ROOT_BYTES + 1)
    for read in (parse_sigstore_root, describe_root, parse_tsa_chain):
        with pytest.raises(InputFileError, match="at most"):
            read(data, "root.json")


def test_every_anchor_is_described() -> None:
    key = Key.new().public.der
    window = {"start": "2025-01-01T00:00:00Z"}
    data = root(
        entry(PARTS[0].der, PARTS[2].der, validFor=window),
        tlogs=[{"baseUrl": "https://log.example", "publicKey": {"rawBytes": b64(key), "validFor": window}}],
        ctlogs=[{"publicKey": {"rawBytes": b64(key)}}],
        certificateAuthorities=[entry(PARTS[1].der, PARTS[2].der, validFor={"end": "2026-01-01T00:00:00Z"})],
    )
    top, log = hashlib.sha256(PARTS[2].der).hexdigest(), hashlib.sha256(key).hexdigest()
    assert describe_root(data, "root.json") == (
        Anchor("log", "https://log.example", log, START, None),
        Anchor("ct-log", "ctlogs[0] of root.json", log, None, None),
        Anchor("certificate-authority", "test time-stamp authority middle", top, None, END),
        Anchor("timestamp-authority", "test time-stamp authority", top, START, None),
    )


def test_a_log_without_a_key_is_refused() -> None:
    with pytest.raises(InputFileError, match="publicKey"):
        describe_root(root(tlogs=[{}]), "root.json")


# --- PEM chains -------------------------------------------------------------------------------------------------------


def test_a_chain_is_sorted_by_what_each_certificate_may_do() -> None:
    for order in ((0, 1, 2), (2, 1, 0)):
        found = parse_tsa_chain(b"".join(PARTS[number].pem for number in order), "tsa.pem")
        assert found == TimestampAuthority("test time-stamp authority", (PARTS[2].der,), (PARTS[1].der,), PARTS[0].der)


def test_roots_alone_are_read() -> None:
    other = chain("other")
    found = parse_tsa_chain(PARTS[2].pem + other[1].pem, "roots.pem")
    assert found == TimestampAuthority("roots.pem", (PARTS[2].der, other[1].der))
    assert parse_tsa_chain(PARTS[2].pem, "root.pem").name == "test time-stamp authority root"


def test_one_certificate_may_be_der() -> None:
    assert parse_tsa_chain(PARTS[2].der, "root.cer").roots == (PARTS[2].der,)


def test_a_self_signed_authority_is_its_own_root() -> None:
    alone = certify("alone", purposes=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]))
    found = parse_tsa_chain(alone.pem, "tsa.pem")
    assert found == TimestampAuthority("alone", (alone.der,), (), alone.der)


def test_imgtrusts_own_authority_is_read_as_it_names_itself() -> None:
    own = LocalAuthority(lambda: START, intermediate=True)
    assert parse_tsa_chain(own.pem, "tsa.pem") == own.authority


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\n", "not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate"),
        (Key.new().public.pem, "not a certificate"),
        (PARTS[0].pem + PARTS[1].pem, "no root"),
        (PARTS[0].pem, "no root"),
        (PARTS[0].pem + chain("other")[0].pem + PARTS[2].pem, "2 time-stamping certificates"),
        (PARTS[2].pem * (MAX_ANCHORS + 1), "257 certificates"),
    ],
    ids=range(8),
)
def test_chains_that_cannot_be_an_anchor_are_refused_with_their_name(data: bytes, said: str) -> None:
    with pytest.raises(InputFileError, match=rf"tsa\.pem: .*{said}"):
        parse_tsa_chain(data, "tsa.pem")
