"""No bytes make belief raise, and none make a verified signature of anything but what was signed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from imgtrust import strict_json
from imgtrust.errors import InputFileError, KeyUnusable, Refused
from imgtrust.formats.mediatypes import BUNDLE_TYPE, DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.predicates.sbom import recognise, recognise_predicate
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust import ed25519ph
from imgtrust.trust.der import DerError, Reader
from imgtrust.trust.keys import parse_public_key, verify, verify_digest
from imgtrust.trust.roots import describe_root, parse_sigstore_root, parse_tsa_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import check_response, read_token, verify_timestamp
from tests.property.test_formats import JSON
from tests.simulators.evidence import (
    AT,
    Key,
    attestation_layer,
    b64,
    envelope_bundle,
    evidence,
    message_bundle,
    pae,
    signature_layer,
    simple_payload,
    statement,
    trusting,
)

if TYPE_CHECKING:
    from imgtrust.content import Descriptor
    from imgtrust.evidence import Evidence

KEY = Key.new()
ED = Key(ed25519.Ed25519PrivateKey.generate())
STAMPED = datetime(2026, 3, 1, tzinfo=UTC)
TSA = LocalAuthority(lambda: STAMPED, certificates=True, intermediate=True)
BARE = LocalAuthority(lambda: STAMPED)
ROOT = trusting(KEY, ED, authorities=(TSA.authority, BARE.authority))


def stamped(key: Key, tsa: LocalAuthority) -> Evidence:
    """A bundle with a time-stamp."""
    payload = statement()
    signature = key.sign(pae(payload))
    return evidence(envelope_bundle(key.public.hint, payload, signature, (tsa.stamp(signature),)))


def stamped_layer() -> Evidence:
    """A legacy signature with a time-stamp in its annotation."""
    payload = simple_payload()
    signature = b64(KEY.sign(payload))
    token = f'{{"SignedRFC3161Timestamp":"{b64(BARE.stamp(KEY.sign(payload)))}"}}'
    return signature_layer(KEY, payload, timestamp=token, more={"dev.cosignproject.cosign/signature": signature})


GOOD = (
    stamped(KEY, TSA),
    stamped(KEY, BARE),
    stamped(ED, BARE),
    evidence(message_bundle(KEY)),
    stamped_layer(),
    attestation_layer(KEY),
)


def known(candidate: Evidence) -> VerifiedSignature:
    found = assess(candidate, ROOT, at=AT)
    assert isinstance(found, VerifiedSignature)
    return found


BELIEVED = tuple(known(candidate) for candidate in GOOD)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The same bytes with one changed, taken out, or put in."""
    position = draw(st.integers(0, len(data) - 1))
    byte = bytes([draw(st.integers(0, 255))])
    kind = draw(st.sampled_from(("change", "remove", "insert", "cut")))
    match kind:
        case "change":
            return data[:position] + byte + data[position + 1 :]
        case "remove":
            return data[:position] + data[position + 1 :]
        case "insert":
            return data[:position] + byte + data[position:]
        case _:
            return data[:position]


def same_or_refused(found: VerifiedSignature | Refusal, original: VerifiedSignature) -> None:
    """Belief says no, or says exactly what was signed; times that are still proven are the ones that were."""
    if isinstance(found, Refusal):
        assert found.reason
        return
    assert replace(found, times=(), claims=()) == replace(original, times=(), claims=())
    assert set(found.times) <= set(original.times)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_one_altered_byte_never_makes_another_belief(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(GOOD) - 1))
    candidate = GOOD[number]
    altered = replace(candidate, payload=data.draw(mutated(candidate.payload)))
    same_or_refused(assess(altered, ROOT, at=AT), BELIEVED[number])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_altered_byte_of_an_annotation_never_makes_another_belief(data: st.DataObject) -> None:
    candidate = GOOD[4]
    pairs = dict(candidate.layer.annotations)
    name = data.draw(st.sampled_from(sorted(pairs)))
    pairs[name] = data.draw(mutated(pairs[name].encode())).decode("utf-8", "replace")
    layer: Descriptor = replace(candidate.layer, annotations=tuple(pairs.items()))
    same_or_refused(assess(replace(candidate, layer=layer), ROOT, at=AT), BELIEVED[4])


@settings(deadline=None)
@given(st.sampled_from((BUNDLE_TYPE, SIMPLESIGNING_LAYER, DSSE_LAYER, "a/b")), st.binary(max_size=200), st.text())
def test_arbitrary_bytes_are_never_believed(media_type: str, payload: bytes, text: str) -> None:
    annotations = {
        "dev.cosignproject.cosign/signature": text,
        "dev.sigstore.cosign/rfc3161timestamp": text,
    }
    assert isinstance(assess(evidence(payload, media_type, annotations), ROOT, at=AT), Refusal)


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_an_arbitrary_signature_is_never_believed(signature: bytes) -> None:
    for key in (KEY, ED):
        assert not verify(key.public, signature, b"message")
        for algorithm, size in (("sha256", 32), ("sha384", 48), ("sha512", 64)):
            assert not verify_digest(key.public, signature, bytes(size), algorithm)


TOKENS = (TSA.stamp(b"signature"), BARE.stamp(b"signature"))


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_an_altered_token_says_the_same_time_or_is_refused(data: st.DataObject) -> None:
    token = data.draw(mutated(data.draw(st.sampled_from(TOKENS))))
    try:
        found = verify_timestamp(token, [b"signature"], ROOT.authorities, at=AT)
    except Refused:
        return
    assert (found.time, found.authority) == (STAMPED, TSA.name)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_token(data: bytes) -> None:
    for read in (
        lambda: read_token(data),
        lambda: check_response(data, b"x", 1),
        lambda: verify_timestamp(data, [b"x"], ROOT.authorities, at=AT),
    ):
        try:
            read()
        except Refused:
            continue
        raise AssertionError(data)


@given(st.binary(max_size=60))
def test_der_is_read_to_its_end_or_refused(data: bytes) -> None:
    reader = Reader(data)
    raw = b""
    try:
        while reader.more:
            raw += reader.next().raw
    except DerError:
        return
    assert raw == data


@given(st.binary(max_size=200), st.booleans())
def test_arbitrary_bytes_are_no_key_and_no_root(data: bytes, pem: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    kinds = (("PUBLIC KEY", parse_public_key), ("CERTIFICATE", parse_tsa_chain), ("X", parse_sigstore_root))
    for kind, read in kinds:
        given_data = f"-----BEGIN {kind}-----\n{b64(data)}\n-----END {kind}-----\n".encode() if pem else data
        try:
            read(given_data, "file")
        except (KeyUnusable, InputFileError):
            continue
        raise AssertionError(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_altered_key_is_a_key_or_refused(data: st.DataObject) -> None:
    der = data.draw(mutated(data.draw(st.sampled_from((KEY.public.der, ED.public.der)))))
    try:
        found = parse_public_key(der, "file")
    except KeyUnusable:
        return
    assert parse_public_key(found.pem, "file") == found


TRUSTED_ROOT: dict[str, Any] = {
    "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "tlogs": [],
}


@given(st.sampled_from(("mediaType", "tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities")), JSON)
def test_any_member_of_a_trusted_root_may_be_anything(name: str, value: object) -> None:
    data = strict_json.dumps({**TRUSTED_ROOT, name: value})
    for read in (parse_sigstore_root, describe_root):
        try:
            read(data, "root.json")
        except InputFileError:
            continue


@given(st.binary(max_size=100), JSON)
def test_anything_may_be_asked_whether_it_is_an_sbom(data: bytes, value: object) -> None:
    recognise_predicate(value)
    try:
        recognise(data)
    except InputFileError:
        return


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=50), st.integers(0, 511))
def test_ed25519ph_signatures_of_random_keys_verify_and_break_with_any_bit(
    seed: bytes, message: bytes, bit: int
) -> None:
    expanded = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    digest = hashlib.sha512(message).digest()
    order, base = ed25519ph._L, ed25519ph._BASE
    nonce = int.from_bytes(hashlib.sha512(expanded[32:] + digest).digest(), "little") % order
    r = ed25519ph._encode(ed25519ph._sum_of_products(nonce, base, 0, base))
    k = int.from_bytes(hashlib.sha512(ed25519ph._DOMAIN + r + public + digest).digest(), "little") % order
    signature = r + ((nonce + k * scalar) % order).to_bytes(32, "little")
    assert ed25519ph.verify(public, signature, digest)
    altered = bytearray(signature)
    altered[bit // 8] ^= 1 << bit % 8
    assert not ed25519ph.verify(public, bytes(altered), digest)
