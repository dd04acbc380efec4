"""Whatever is wrong with the evidence itself: a refusal, in time, and nothing is proven that was not signed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from imgtrust.errors import Refused
from imgtrust.formats import read
from imgtrust.refusals import RefusalCode
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.notaryenvelopes import (
    AT,
    COSE,
    JWS,
    PREFIX,
    Raw,
    Tagged,
    cbor,
    cose,
    cose_header,
    evidence,
    header,
    jws,
    notary,
    payload,
    sign,
    trusting,
)
from tests.simulators.pki import authority, leaf

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence

ROOT = authority()
LEAF = leaf(ROOT)
SIGNER = (LEAF, ROOT)
TRUST = trusting(notary(ROOT), notary(ROOT, name="authority", kind="signing-authority"))
AUTHORITY = "notary.x509.signingAuthority"
BOTH = pytest.mark.parametrize("media_type", [JWS, COSE], ids=["jws", "cose"])


def made(media_type: str, **changes: Any) -> Evidence:
    """A right envelope of either form, but for the body."""
    return evidence((jws if media_type == JWS else cose)(SIGNER, **changes), media_type)


def code(candidate: Evidence) -> RefusalCode | None:
    found = assess(candidate, TRUST, at=AT)
    assert questions(candidate, TRUST, at=AT) == ()
    return found.code if isinstance(found, Refusal) else None


def signed_parts(candidate: Evidence) -> tuple[object, ...]:
    """All that somebody signed, and the signature."""
    signed = read(candidate)
    certificates = [x509.load_der_x509_certificate(each) for each in signed.certificates]
    return signed.message, signed.signature, [each.tbs_certificate_bytes for each in certificates]


@BOTH
@pytest.mark.parametrize("change", [0x01, 0x20, 0x80], ids=str)
def test_an_envelope_altered_in_any_one_byte_proves_nothing_new(media_type: str, change: int) -> None:
    good = made(media_type, body=payload(annotations={"team": "a"}))
    before = assess(good, TRUST, at=AT)
    assert isinstance(before, VerifiedSignature)
    believed = []
    for at in range(len(good.payload)):
        altered = bytes([*good.payload[:at], good.payload[at] ^ change, *good.payload[at + 1 :]])
        found = assess(evidence(altered, media_type), TRUST, at=AT)
        if isinstance(found, VerifiedSignature):
            believed.append(altered)
            assert (found.identity, found.annotations, found.times) == (before.identity, before.annotations, ())
    for (
        altered
    ) in believed:  # what nobody signs: the agent, blanks, how many bits of a certificate's signature are spare
        assert signed_parts(evidence(altered, media_type)) == signed_parts(good)
    assert len(believed) < 60


@BOTH
def test_an_envelope_cut_short_anywhere_is_refused(media_type: str) -> None:
    good = made(media_type).payload
    for end in range(len(good)):
        assert code(evidence(good[:end], media_type)) is not None


@BOTH
@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\xff" * 100, b"[" * 1_000_000, b"{" * 1_000_000, b"\x81" * 1_000_000, b"\xd2" * 1_000_000, b'""'],
    ids=["empty", "zero", "ones", "lists", "objects", "arrays", "tags", "a text"],
)
def test_empty_and_deeply_nested_envelopes_are_refused(data: bytes, media_type: str) -> None:
    assert code(evidence(data, media_type)) is RefusalCode.NOTARY_MALFORMED


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"targetArtifact":' * 1_000 + b"1" + b"}" * 1_000,
        payload()[:-1] + b',"targetArtifact":{}}',
        payload().replace(b'"size"', b'"digest":"","size"'),
        payload().replace(b'"size"', b'"dig\\u0065st":"","size"'),
        payload(annotations={"a": "b"}).replace(b'{"a":', b'{"a":"c","a":'),
        payload().replace(b"targetArtifact", b"TargetArtifact"),
        payload() + b" {}",
        b"\xef\xbb\xbf" + payload(),
    ],
    ids=["lists", "objects", "twice", "digest twice", "digest, escaped", "annotation", "case", "more", "mark"],
)
def test_a_payload_with_two_readings_is_refused(body: bytes, media_type: str) -> None:
    assert code(made(media_type, body=body)) is RefusalCode.NOTARY_MALFORMED


def with_header(text: bytes) -> bytes:
    """A JWS whose protected header is exactly this text, rightly signed."""

    def b64url(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    message = f"{b64url(text)}.{b64url(payload())}"
    document = json.loads(jws(SIGNER))
    signature = b64url(sign(LEAF.key, message.encode()))
    return json.dumps({**document, "protected": b64url(text), "signature": signature}).encode()


PLAIN = json.dumps(header(LEAF), separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "more",
    [
        b'"alg":"none"',
        b'"crit":[]',
        b'"cty":"a/b"',
        b'"io.cncf.notary.signingScheme":"notary.x509.signingAuthority"',
        b'"io.cncf.notary.signing\\u0053cheme":"notary.x509"',
        b'"a":{"b":1,"b":2}',
        b'"a":NaN',
        b'"a":1e999',
        b'"a":"\\ud800"',
    ],
)
def test_a_protected_header_with_two_readings_is_refused(more: bytes) -> None:
    assert code(evidence(with_header(PLAIN))) is None
    assert code(evidence(with_header(PLAIN[:-1] + b',"a":1}'))) is None
    assert code(evidence(with_header(PLAIN[:-1] + b"," + more + b"}"))) is RefusalCode.NOTARY_MALFORMED


@pytest.mark.parametrize("more", [b'"x5c":[]', b'"io.cncf.notary.timestampSignature":"AA==","a":{"b":1,"b":1}'])
def test_an_unprotected_header_with_two_readings_is_refused(more: bytes) -> None:
    data = jws(SIGNER)
    assert code(evidence(data.replace(b'"header": {', b'"header": {' + more + b", "))) is RefusalCode.NOTARY_MALFORMED


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
@pytest.mark.parametrize("label", [1, 33, f"{PREFIX}signingScheme", "com.example.a"], ids=str)
def test_a_label_twice_in_one_map_is_refused(label: int | str, *, protected: bool) -> None:
    members = {**cose_header(header(LEAF)), "com.example.a": 1}
    unsigned: dict[int | str, Any] = {33: [LEAF.der, ROOT.der], "com.example.a": 1}
    if protected:
        del unsigned["com.example.a"]
    else:
        del members["com.example.a"]
    chosen = members if protected else unsigned
    value = chosen.get(label, 1)
    pairs = [*chosen.items(), (label, value), (label, value)]
    doubled = bytes([0xA0 | len(pairs)]) + b"".join(cbor(key) + cbor(item) for key, item in pairs)
    written = doubled if protected else cbor(members)
    signature = sign(LEAF.key, cbor(["Signature1", written, b"", payload()]))
    parts = [written, unsigned if protected else Raw(doubled), payload(), signature]
    found = assess(evidence(cbor(Tagged(18, parts)), COSE), TRUST, at=AT)
    assert isinstance(found, Refusal)
    assert "twice in one map" in found.reason


TIMES: list[tuple[str, RefusalCode | None]] = [
    ("1970-01-01T00:00:00Z", RefusalCode.NOTARY_TIME),
    ("1980-01-01T00:00:00Z", RefusalCode.NOTARY_TIME),
    ("2026-03-01T12:00:00Z", None),
    ("2106-02-07T06:28:15Z", RefusalCode.TIME_FUTURE),
]


@BOTH
@pytest.mark.parametrize(("time", "expected"), TIMES)
def test_a_time_of_an_authority_has_to_be_of_its_certificates_and_of_the_past(
    time: str, expected: RefusalCode | None, media_type: str
) -> None:
    protected: dict[Any, Any] = header(LEAF, AUTHORITY, authenticSigningTime=time)
    members = protected if media_type == JWS else cose_header(protected)
    assert code(made(media_type, protected=members)) is expected


@BOTH
@pytest.mark.parametrize("time", [time for time, _ in TIMES])
def test_a_time_of_the_signer_is_a_claim_whatever_it_is(time: str, media_type: str) -> None:
    protected: dict[Any, Any] = header(LEAF, signingTime=time)
    members = protected if media_type == JWS else cose_header(protected)
    found = assess(made(media_type, protected=members), TRUST, at=AT)
    assert isinstance(found, VerifiedSignature)
    assert (found.times, [claim.time for claim in found.claims]) == ((), [datetime.fromisoformat(time)])


@pytest.mark.parametrize(
    ("seconds", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (2**32 - 1, datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)),
        (253402300799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (253402300800, None),
        (-62135596800, datetime(1, 1, 1, tzinfo=UTC)),
        (-62135596801, None),
        (2**63, None),
        (-(2**64), None),
    ],
)
def test_seconds_before_and_after_all_years_are_no_time(seconds: int, moment: datetime | None) -> None:
    protected = {**cose_header(header(LEAF)), f"{PREFIX}signingTime": Tagged(1, seconds)}
    candidate = made(COSE, protected=protected)
    if moment is None:
        with pytest.raises(Refused, match="out of range"):
            read(candidate)
        return
    claims = read(candidate).notary
    assert claims is not None
    assert claims.signing_time == moment
