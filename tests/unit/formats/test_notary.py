"""The envelopes of the Notary Project: every rule of the signed header has a test that fails without it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.content import Descriptor
from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind
from imgtrust.formats import notary, notarycose, notaryjws, read
from imgtrust.refusals import RefusalCode
from imgtrust.signers import der
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.times import read_token
from tests.simulators.evidence import IMAGE, MANIFEST
from tests.simulators.notaryenvelopes import (
    AWS_ATTRIBUTES,
    COSE,
    JWS,
    PREFIX,
    SIGNED,
    Raw,
    Tagged,
    aws_header,
    cbor,
    cose,
    cose_header,
    evidence,
    header,
    jws,
    payload,
)
from tests.simulators.pki import authority, leaf

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Signed

ROOT = authority()
LEAF = leaf(ROOT)
SIGNER = (LEAF, ROOT)
AUTHORITY = "notary.x509.signingAuthority"
SCHEME = f"{PREFIX}signingScheme"
EXPIRY = f"{PREFIX}expiry"


def as_jws(protected: dict[str, Any], **changes: Any) -> Signed:
    return read(evidence(jws(SIGNER, protected=protected, **changes)))


def as_cose(protected: dict[str, Any], **changes: Any) -> Signed:
    return read(evidence(cose(SIGNER, protected=cose_header(protected), **changes), COSE))


BOTH = pytest.mark.parametrize("reader", [as_jws, as_cose], ids=["jws", "cose"])


def refused(data: bytes, reason: str, media_type: str = JWS, code: RefusalCode = RefusalCode.NOTARY_MALFORMED) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        read(evidence(data, media_type))
    assert caught.value.code is code


# --- what is read -----------------------------------------------------------------------------------------------------


@BOTH
def test_an_envelope_says_who_signed_what(reader: Callable[..., Signed]) -> None:
    body = payload(annotations={"team": "a"})
    found = reader(header(LEAF, expiry="2026-09-01T00:00:00Z"), body=body)
    claims = found.notary
    assert claims is not None
    assert found.format in {Format.NOTARY_JWS, Format.NOTARY_COSE}
    assert (found.kind, found.subjects, found.statement) == (Kind.SIGNATURE, (IMAGE.encoded,), None)
    assert found.certificates == (LEAF.der, ROOT.der)
    assert (found.stamped, found.timestamps) == ((found.signature,), ())
    assert found.annotations == (("team", "a"),)
    assert (claims.scheme, claims.algorithm) == ("notary.x509", "ES256")
    assert (claims.signing_time, claims.authentic_time) == (SIGNED, None)
    assert claims.expiry == datetime(2026, 9, 1, tzinfo=UTC)
    assert (claims.target.digest, claims.target.size) == (IMAGE, len(MANIFEST))


def test_the_message_is_the_bytes_that_came() -> None:
    data = jws(SIGNER, body=b'{ "targetArtifact" : ' + payload()[18:-1] + b" }")
    document = json.loads(data)
    found = read(evidence(data))
    assert found.message == f"{document['protected']}.{document['payload']}".encode()


@pytest.mark.parametrize("size", [2, 23, 24, 255, 256, 65535, 65536])
def test_the_structure_that_cose_signs_has_every_length_in_its_shortest_form(size: int) -> None:
    data = bytes(size)
    assert notarycose.signed_structure(data, data) == cbor(["Signature1", data, b"", data])


@BOTH
def test_a_signing_authority_has_its_own_time(reader: Callable[..., Signed]) -> None:
    claims = reader(header(LEAF, AUTHORITY)).notary
    assert claims is not None
    assert (claims.signing_time, claims.authentic_time) == (None, SIGNED)


@BOTH
def test_attributes_that_need_not_be_understood_are_kept(reader: Callable[..., Signed]) -> None:
    extended: dict[str, Any] = {"com.example.a": "b", "com.example.n": [1, None]}
    claims = reader(header(LEAF, **extended)).notary
    assert claims is not None
    assert dict(claims.attributes)["com.example.a"] == "b"
    assert "1" in dict(claims.attributes)["com.example.n"]


@BOTH
def test_the_attributes_of_aws_signer_are_understood(reader: Callable[..., Signed]) -> None:
    claims = reader(aws_header(LEAF)).notary
    assert claims is not None
    assert dict(claims.attributes) == AWS_ATTRIBUTES


@BOTH
def test_a_token_is_kept_as_a_response(reader: Callable[..., Signed]) -> None:
    tsa = LocalAuthority(lambda: SIGNED)

    def stamp(signature: bytes) -> bytes:
        response = tsa.stamp(signature)
        return response[response.index(b"\x02\x01\x00") + 3 :]

    found = reader(header(LEAF), stamp=stamp)
    (response,) = found.timestamps
    assert read_token(response).imprint.is_of(found.signature)


@pytest.mark.parametrize("size", [0, 100, 122, 123, 250, 251, 65000])
def test_a_token_of_any_length_becomes_a_response(size: int) -> None:
    assert notary.as_response(bytes(size)) == der.sequence(der.sequence(der.integer(0)), bytes(size))


# --- rules of the header, in both forms -------------------------------------------------------------------------------

RULES: list[tuple[str, dict[str, Any], str]] = [
    ("another type of payload", header(LEAF, cty="application/json"), "cty is"),
    ("no scheme that is known", header(LEAF, signingScheme="notary.x510"), "the signing scheme is 'notary.x510'"),
    ("no time of signing", header(LEAF, signingTime=None), "has io.cncf.notary.signingTime"),
    (
        "a time that belongs to the other scheme",
        header(LEAF, authenticSigningTime="2026-03-01T12:00:00Z", crit=[SCHEME, f"{PREFIX}authenticSigningTime"]),
        "and not io.cncf.notary.authenticSigningTime",
    ),
    ("an authority without its time", header(LEAF, AUTHORITY, authenticSigningTime=None, crit=[SCHEME]), "has io.cncf"),
    (
        "an authority with a claimed time",
        header(LEAF, AUTHORITY, signingTime="2026-03-01T12:00:00Z"),
        "and not io.cncf",
    ),
    ("an end before the beginning", header(LEAF, expiry="2026-03-01T12:00:00Z"), "expires before it was signed"),
    ("the scheme not critical", header(LEAF, crit=[]), f"crit does not list {SCHEME}"),
    (
        "the end not critical",
        header(LEAF, expiry="2026-09-01T00:00:00Z", crit=[SCHEME]),
        f"crit does not list {EXPIRY}",
    ),
    (
        "the authentic time not critical",
        header(LEAF, AUTHORITY, crit=[SCHEME]),
        "crit does not list io.cncf.notary.auth",
    ),
    ("a critical name that is absent", header(LEAF, crit=[SCHEME, "com.example.a"]), "crit lists com.example.a"),
    ("an absent end that is critical", header(LEAF, crit=[SCHEME, EXPIRY]), f"crit lists {EXPIRY}"),
    ("a claimed time that is critical", header(LEAF, crit=[SCHEME, f"{PREFIX}signingTime"]), "never critical"),
    ("a name twice", header(LEAF, crit=[SCHEME, SCHEME]), "twice"),
    (
        "a plugin that is not critical",
        aws_header(LEAF, crit=[SCHEME, f"{PREFIX}authenticSigningTime", EXPIRY]),
        "crit does not list io.cncf.notary.verificationPlugin",
    ),
    (
        "a version of a plugin that is not critical",
        header(LEAF, verificationPluginMinVersion="1.0.0"),
        "crit does not list io.cncf.notary.verificationPluginMinVersion",
    ),
    ("more attributes than are read", header(LEAF, **{f"com.example.{n}": "" for n in range(257)}), "257 attributes"),
]


@BOTH
@pytest.mark.parametrize(("members", "reason"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_a_header_that_breaks_a_rule_is_refused(
    members: dict[str, Any], reason: str, reader: Callable[..., Signed]
) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        reader(members)
    assert caught.value.code is RefusalCode.NOTARY_MALFORMED


EXTENDED: dict[str, Any] = {"com.example.a": "b", "crit": [SCHEME, "com.example.a"]}
CRITICAL: list[tuple[str, dict[str, Any]]] = [
    ("an attribute", header(LEAF, **EXTENDED)),
    (
        "another plugin",
        aws_header(LEAF, verificationPlugin="com.example.plugin"),
    ),
    ("one more", aws_header(LEAF, **{"com.example.a": "b", "crit": [*aws_header(LEAF)["crit"], "com.example.a"]})),
    ("one less", aws_header(LEAF, crit=[name for name in aws_header(LEAF)["crit"] if not name.endswith("Job")])),
    (
        "those of AWS Signer where nobody vouches for a time",
        header(LEAF, **AWS_ATTRIBUTES, crit=[SCHEME, *AWS_ATTRIBUTES]),
    ),
    (
        "a least version of the plugin",
        aws_header(
            LEAF,
            verificationPluginMinVersion="1.0.0",
            crit=[*aws_header(LEAF)["crit"], f"{PREFIX}verificationPluginMinVersion"],
        ),
    ),
]


@BOTH
@pytest.mark.parametrize("members", [case[1] for case in CRITICAL], ids=[case[0] for case in CRITICAL])
def test_a_critical_attribute_that_is_not_understood_is_refused(
    members: dict[str, Any], reader: Callable[..., Signed]
) -> None:
    with pytest.raises(Refused, match="must be understood") as caught:
        reader(members)
    assert caught.value.code is RefusalCode.NOTARY_CRITICAL


@BOTH
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "expected a JSON object"),
        (b"{}", "targetArtifact"),
        (b'{"targetArtifact":{},"more":1}', "unknown member 'more'"),
        (payload(digest="sha256:0"), "sha256:0"),
        (payload(digest=None), "targetArtifact of the payload"),
        (payload(mediaType=None), "mediaType is absent"),
        (payload(size=-1), "size is -1"),
        (payload(size=None), "size is None"),
    ],
)
def test_a_payload_that_is_no_descriptor_is_refused(body: bytes, reason: str, reader: Callable[..., Signed]) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        reader(header(LEAF), body=body)
    assert caught.value.code is RefusalCode.NOTARY_MALFORMED


@BOTH
@pytest.mark.parametrize("size", [0, 60 * 1024 + 1])
def test_a_token_of_no_bytes_or_too_many_is_refused(size: int, reader: Callable[..., Signed]) -> None:
    with pytest.raises(Refused, match="a time-stamp of"):
        reader(header(LEAF), stamp=lambda _: bytes(size))


@pytest.mark.parametrize(("media_type", "fault"), [(JWS, "not JSON"), (COSE, "not CBOR")])
def test_an_envelope_that_is_too_large_is_refused(media_type: str, fault: str) -> None:
    assert notary.MAX_ENVELOPE == 4 * 1024 * 1024
    refused(bytes(notary.MAX_ENVELOPE), fault, media_type)
    refused(bytes(notary.MAX_ENVELOPE + 1), "expected at most", media_type)
    refused(bytes(64 * 1024 * 1024), "67108864 bytes, expected at most 4194304", media_type)


@BOTH
def test_what_is_as_large_as_may_be_is_read(reader: Callable[..., Signed]) -> None:
    for size in (1, 60 * 1024):
        assert reader(header(LEAF), stamp=lambda _, size=size: bytes(size)).timestamps
    many = {f"com.example.{n}": "" for n in range(256)}
    claims = reader(header(LEAF, **many)).notary
    assert claims is not None
    assert len(claims.attributes) == 256


def test_as_many_certificates_and_as_long_a_signature_as_may_be_are_read() -> None:
    whole_chain = (LEAF, *(ROOT,) * 15)
    assert len(read(evidence(jws(whole_chain))).certificates) == 16
    assert len(read(evidence(cose(whole_chain), COSE)).certificates) == 16
    for size in (1, 1024):
        assert len(read(evidence(jws(SIGNER, signature=lambda _, size=size: bytes(size)))).signature) == size  # type: ignore[misc]  # mypy reads no default of a lambda
    refused(jws(SIGNER, signature=lambda _: bytes(1025)), "a signature of 1025 bytes")


def test_what_is_shown_of_an_envelope_is_bounded() -> None:
    with pytest.raises(Refused) as caught:
        as_jws(header(LEAF, cty="c" * 100))
    assert f"'{'c' * 80}'" in caught.value.reason
    names = [f"com.example.{n}" for n in range(6)]
    with pytest.raises(Refused) as caught:
        as_jws(header(LEAF, crit=[SCHEME, *names]))
    assert f"crit lists {', '.join(names[:5])}, which" in caught.value.reason
    value: Any = [0] * 300
    for reader in (as_jws, as_cose):
        claims = reader(header(LEAF, **{"com.example.n": value})).notary
        assert claims is not None
        assert len(dict(claims.attributes)["com.example.n"]) == 200


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- JWS alone --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"more": "1"}, "unknown member 'more'"),
        ({"signatures": []}, "unknown member 'signatures'"),
        ({"header": None}, "header is absent"),
        ({"header": []}, "header is a list"),
        ({"protected": None}, "not JSON"),
        ({"protected": 1}, "protected is a int"),
        ({"signature": None}, "a signature of 0 bytes"),
        ({"signature": "A" * 1368}, "a signature of 1026 bytes"),
        ({"signature": "AA=="}, "signature is not base64url"),
        ({"signature": "A+/A"}, "signature is not base64url"),
        ({"signature": "AB"}, "in its one spelling"),
        ({"signature": "AAAA****"}, "signature is not base64url$"),
        ({"signature": "A"}, "signature is not base64url"),
        ({"signature": "\N{SNOWMAN}"}, "signature is not base64url"),
        ({"payload": "e30="}, "payload is not base64url"),
    ],
)
def test_a_jws_of_another_form_is_refused(changes: dict[str, Any], reason: str) -> None:
    refused(jws(SIGNER, changes=changes), reason)


@pytest.mark.parametrize("name", ["alg", "crit", "cty", SCHEME, "x5c", "com.example.a"])
def test_a_name_in_both_headers_of_a_jws_is_refused(name: str) -> None:
    protected = {**header(LEAF), "x5c": [], "com.example.a": ""}
    chained = {"x5c": [b64(LEAF.der), b64(ROOT.der)]}
    without = {key: value for key, value in protected.items() if key != "x5c"}
    as_jws(without, unprotected={**chained, "com.example.b": ""})
    members = protected if name == "x5c" else without
    refused(jws(SIGNER, protected=members, unprotected={name: protected[name], **chained}), "in the protected and in")


def test_a_jws_whose_payload_is_absent_is_refused() -> None:
    refused(jws(SIGNER, changes={"payload": None}), "payload: not JSON")


def test_a_jws_with_a_name_twice_is_refused() -> None:
    refused(jws(SIGNER).replace(b'{"payload"', b'{"payload": "", "payload"', 1), "twice")


@pytest.mark.parametrize(
    ("unprotected", "reason"),
    [
        ({}, "x5c is no list"),
        ({"x5c": b64(LEAF.der)}, "x5c is no list"),
        ({"x5c": [b64(LEAF.der)] * 17}, "x5c is no list of at most 16"),
        ({"x5c": []}, "0 certificates"),
        ({"x5c": [1]}, "not base64"),
        ({"x5c": [""]}, "not base64"),
        ({"x5c": [b64(LEAF.der).rstrip("=") + "*"]}, "not base64"),
        ({"x5c": [b64(LEAF.der)], f"{PREFIX}timestampSignature": "*"}, "timestampSignature is not base64"),
        ({"x5c": [b64(LEAF.der)], f"{PREFIX}timestampSignature": 1}, "timestampSignature is a int"),
    ],
)
def test_an_unprotected_header_of_another_form_is_refused(unprotected: dict[str, Any], reason: str) -> None:
    refused(jws(SIGNER, unprotected=unprotected), reason)


@pytest.mark.parametrize("critical", [None, "io.cncf.notary.signingScheme", [1], {}])
def test_a_jws_whose_critical_names_are_no_list_is_refused(critical: object) -> None:
    refused(jws(SIGNER, protected=header(LEAF, crit=critical)), "crit is no list")


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T12:00:00",
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00Z",
        "20260301T120000Z",
        "2026-03-01T12:00:00z",
        "2026-13-01T12:00:00Z",
        "2026-03-01T25:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "2026-03-01T12:00:00+99:00",
        "\u0662026-03-01T12:00:00Z",
        "",
    ],
)
def test_a_time_without_one_reading_is_refused(time: str) -> None:
    refused(jws(SIGNER, protected=header(LEAF, signingTime=time)), "signingTime is")


def test_a_time_that_is_no_text_is_refused() -> None:
    refused(jws(SIGNER, protected=header(LEAF, signingTime=1)), "signingTime is a int")


@pytest.mark.parametrize(
    "time", ["2026-03-01T20:00:00+08:00", "2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00.00000001Z"]
)
def test_times_with_offsets_and_fractions_are_read(time: str) -> None:
    claims = as_jws(header(LEAF, signingTime=time)).notary
    assert claims is not None
    assert claims.signing_time is not None
    assert timedelta() <= claims.signing_time - SIGNED <= timedelta(seconds=0.5)


def test_what_is_written_is_read_and_is_what_others_write() -> None:
    target = Descriptor("application/vnd.oci.image.manifest.v1+json", IMAGE, len(MANIFEST), annotations=(("a", "b"),))
    body = notary.write_target(target)
    assert json.loads(body) == json.loads(payload(annotations={"a": "b"}))
    assert json.loads(notary.write_target(Descriptor("a/b", IMAGE, 1))) == json.loads(payload(mediaType="a/b", size=1))
    signed = notaryjws.signing_input(header(LEAF), body)
    plain = read(evidence(notaryjws.write(signed, b"s", (LEAF.der, ROOT.der), None, "a test")))
    assert (plain.message, plain.signature, plain.certificates) == (signed, b"s", (LEAF.der, ROOT.der))
    assert plain.timestamps == ()
    stamped = notaryjws.write(signed, b"s", (LEAF.der,), b"token", "a test")
    assert read(evidence(stamped)).timestamps == (notary.as_response(b"token"),)
    assert json.loads(stamped)["header"][f"{PREFIX}signingAgent"] == "a test"


# --- COSE alone -------------------------------------------------------------------------------------------------------


def whole(changes: Callable[[list[Any]], Any]) -> bytes:
    return cose(SIGNER, changes=changes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not CBOR"),
        (b"{}", "not CBOR"),
        (whole(lambda parts: parts), "no COSE_Sign1 with its tag"),
        (whole(lambda parts: Tagged(98, parts)), "no COSE_Sign1 with its tag"),
        (whole(lambda parts: Tagged(18, parts[:3])), "four parts"),
        (whole(lambda parts: Tagged(18, dict(enumerate(parts)))), "four parts"),
        (whole(lambda parts: Tagged(18, [{}, *parts[1:]])), "are byte strings"),
        (whole(lambda parts: Tagged(18, [*parts[:2], None, parts[3]])), "are byte strings"),
        (whole(lambda parts: Tagged(18, [*parts[:3], "s"])), "are byte strings"),
        (whole(lambda parts: Tagged(18, [parts[0], [], *parts[2:]])), "the unprotected header is no map"),
        (whole(lambda parts: Tagged(18, [b"", *parts[1:]])), "the protected header is not CBOR"),
        (whole(lambda parts: Tagged(18, [b"\x80", *parts[1:]])), "the protected header is no map"),
        (whole(lambda parts: Tagged(18, [*parts[:3], b""])), "a signature of 0 bytes"),
        (whole(lambda parts: Tagged(18, [parts[0], {**parts[1], 1: -7}, *parts[2:]])), "in the protected and in the"),
    ],
)
def test_a_cose_of_another_form_is_refused(data: bytes, reason: str) -> None:
    refused(data, reason, COSE)


def test_the_chain_may_be_in_the_protected_header() -> None:
    protected = {**cose_header(header(LEAF)), 33: [LEAF.der, ROOT.der]}
    found = read(evidence(cose(SIGNER, protected=protected, unprotected={}), COSE))
    assert found.certificates == (LEAF.der, ROOT.der)


@pytest.mark.parametrize(
    ("unprotected", "reason"),
    [
        ({}, "x5chain is no array"),
        ({33: LEAF.der}, "x5chain is no array"),
        ({33: [LEAF.der] * 17}, "x5chain is no array of at most 16"),
        ({33: []}, "0 certificates"),
        ({33: [LEAF.der, "x"]}, "something else than certificates"),
        ({33: [b""]}, "something else than certificates"),
        ({33: [LEAF.der], f"{PREFIX}timestampSignature": "token"}, "the time-stamp is no byte string"),
    ],
)
def test_another_unprotected_header_is_refused(unprotected: dict[int | str, Any], reason: str) -> None:
    refused(cose(SIGNER, unprotected=unprotected), reason, COSE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({3: 60}, "the content type is no text"),
        ({3: None}, "the content type is no text"),
        ({2: SCHEME}, "crit is no list"),
        ({2: [b"x"]}, "crit is no list"),
        ({2: [SCHEME, 1]}, "crit lists 1, which"),
        ({2: [SCHEME, 99]}, "crit lists 99, which"),
        ({SCHEME: 1}, "signingScheme is no text"),
        ({f"{PREFIX}signingTime": 1}, "signingTime is no time"),
        ({f"{PREFIX}signingTime": "2026-03-01T12:00:00Z"}, "signingTime is no time"),
        ({f"{PREFIX}signingTime": Tagged(0, 1)}, "signingTime is no time"),
        ({f"{PREFIX}signingTime": Tagged(1, value=True)}, "signingTime is no time"),
        ({f"{PREFIX}signingTime": Tagged(1, "1")}, "signingTime is no time"),
        ({f"{PREFIX}signingTime": Tagged(1, Raw(b"\xfb" + bytes(8)))}, "not CBOR"),
        ({f"{PREFIX}signingTime": Tagged(1, 1 << 62)}, "out of range"),
    ],
)
def test_a_label_of_another_kind_is_refused(changes: dict[int | str, Any], reason: str) -> None:
    refused(cose(SIGNER, protected={**cose_header(header(LEAF)), **changes}), reason, COSE)


def test_an_unknown_label_that_is_critical_is_refused() -> None:
    protected = {**cose_header(header(LEAF)), 99: 1, 2: [SCHEME, 99]}
    refused(cose(SIGNER, protected=protected), "must be understood", COSE, RefusalCode.NOTARY_CRITICAL)


@pytest.mark.parametrize(("number", "name"), [(-7, "ES256"), (-8, "COSE algorithm -8"), ("ES256", ""), (None, "")])
def test_the_algorithm_is_told_by_name(number: object, name: str) -> None:
    claims = read(evidence(cose(SIGNER, protected={**cose_header(header(LEAF)), 1: number}), COSE)).notary
    assert claims is not None
    assert claims.algorithm == name
