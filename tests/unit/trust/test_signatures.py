"""Belief: what assess proves, and for every single thing that is wrong a refusal with its own code."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from imgtrust.errors import KeyUnusable
from imgtrust.evidence import Evidence, Format, Kind
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.keys import PublicKey, TrustedKey
from imgtrust.trust.roots import MAX_ANCHORS, TrustRoot
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimestampAuthority
from tests.simulators.evidence import (
    AT,
    IMAGE,
    Key,
    attestation_layer,
    b64,
    bundle,
    envelope_bundle,
    evidence,
    message_bundle,
    pae,
    signature_layer,
    simple_payload,
    statement,
    trusting,
)
from tests.unit.trust.test_ed25519ph import PUBLIC, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable

KEY, OTHER = Key.new(), Key.new()
ELSEWHERE = Digest.of(b"another image")
STAMPED = datetime(2026, 3, 1, tzinfo=UTC)
TSA = LocalAuthority(lambda: STAMPED)
TICK = timedelta(microseconds=1)
PROVENANCE = "https://slsa.dev/provenance/v1"


def judge(candidate: Evidence, root: TrustRoot, at: datetime = AT) -> VerifiedSignature | Refusal:
    found = assess(candidate, root, at=at)
    if isinstance(found, Refusal):
        assert found.reason
        assert (found.evidence, found.subject) == (candidate.digest, candidate.subject)
    return found


def believed(candidate: Evidence, root: TrustRoot, at: datetime = AT) -> VerifiedSignature:
    found = judge(candidate, root, at)
    assert isinstance(found, VerifiedSignature), found
    return found


def code(candidate: Evidence, root: TrustRoot, at: datetime = AT) -> RefusalCode:
    found = judge(candidate, root, at)
    assert isinstance(found, Refusal), found
    return found.code


def stamped_bundle(*tokens: bytes, payload: bytes | None = None) -> Evidence:
    """A bundle of KEY with a token over its signature, and more tokens."""
    payload = statement() if payload is None else payload
    signature = KEY.sign(pae(payload))
    return evidence(envelope_bundle(KEY.public.hint, payload, signature, (TSA.stamp(signature), *tokens)))


SHAPES: dict[str, Callable[[Key], Evidence]] = {
    "bundle with an envelope": lambda key: evidence(bundle(key)),
    "bundle with a message signature": lambda key: evidence(message_bundle(key)),
    "simple signing": signature_layer,
    "legacy attestation": attestation_layer,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_believed_under_its_key(shape: str) -> None:
    candidate = SHAPES[shape](KEY)
    found = believed(candidate, trusting(OTHER, KEY))
    assert found.signers == ("key2",)
    assert found.identity == f"key sha256:{KEY.public.fingerprint}"
    assert (found.subject, found.evidence) == (IMAGE, candidate.digest)
    assert (found.times, found.claims, found.earliest) == ((), (), None)
    assert found.kind is (Kind.ATTESTATION if shape == "legacy attestation" else Kind.SIGNATURE)
    assert found.format is (Format.BUNDLE if shape.startswith("bundle") else Format.SIMPLESIGNING)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_is_believed_about_another_image(shape: str) -> None:
    candidate = replace(SHAPES[shape](KEY), subject=ELSEWHERE)
    expected = {
        "bundle with an envelope": RefusalCode.STATEMENT_SUBJECT,
        "bundle with a message signature": RefusalCode.BUNDLE_DIGEST,
        "simple signing": RefusalCode.SIMPLESIGNING_SUBJECT,
        "legacy attestation": RefusalCode.STATEMENT_SUBJECT,
    }
    assert code(candidate, trusting(KEY)) is expected[shape]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_is_believed_without_its_key(shape: str) -> None:
    untrusted = {RefusalCode.BUNDLE_UNTRUSTED_KEY, RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY}
    assert code(SHAPES[shape](KEY), trusting(OTHER)) in untrusted
    assert code(SHAPES[shape](KEY), trusting()) in untrusted


def test_one_of_several_subjects_is_enough_and_has_to_be_exactly_this_digest() -> None:
    right, wrong = {"digest": {"sha256": IMAGE.encoded}}, {"digest": {"sha256": ELSEWHERE.encoded}}
    for subject in ([right], [wrong, right], [right, wrong]):
        assert believed(evidence(bundle(KEY, statement(subject=subject))), trusting(KEY)).subject == IMAGE
    shouted = {"digest": {"sha256": IMAGE.encoded.upper()}}
    others: tuple[Any, ...] = ([wrong], [], [shouted], [{"name": IMAGE.encoded}])
    for other in others:
        candidate = evidence(bundle(KEY, statement(subject=other)))
        assert code(candidate, trusting(KEY)) is RefusalCode.STATEMENT_SUBJECT


def test_the_reason_names_what_was_signed_and_what_was_asked() -> None:
    digests = [Digest.of(f"{number}".encode()).encoded for number in range(4)]
    candidate = evidence(bundle(KEY, statement(subject=[{"digest": {"sha256": each}} for each in digests])))
    found = judge(candidate, trusting(KEY))
    assert isinstance(found, Refusal)
    shown = ", ".join(f"{each[:12]}…" for each in digests[:3])
    assert found.reason == f"about another image: 4 subjects ({shown}), expected {IMAGE.short}…"
    found = judge(evidence(bundle(KEY, statement(subject=[]))), trusting(KEY))
    assert isinstance(found, Refusal)
    assert "0 subjects (none that can be compared)" in found.reason
    found = judge(evidence(bundle(KEY, statement(subject=[{"digest": {"sha256": digests[0]}}]))), trusting(KEY))
    assert isinstance(found, Refusal)
    assert ": 1 subject (" in found.reason


def test_a_subject_asked_about_by_sha512_is_not_met_by_sha256() -> None:
    digest = Digest.of(b"image", "sha512")
    candidate = evidence(bundle(KEY, statement()), subject=digest)
    assert code(candidate, trusting(KEY)) is RefusalCode.STATEMENT_SUBJECT
    simple = replace(signature_layer(KEY, simple_payload(str(digest))), subject=digest)
    assert believed(simple, trusting(KEY)).subject == digest


def test_the_hint_only_hints() -> None:
    payload = statement()
    signature = KEY.sign(pae(payload))
    for hint in ("", "nonsense", OTHER.public.hint):
        assert believed(evidence(envelope_bundle(hint, payload, signature)), trusting(OTHER, KEY)).signers == ("key2",)
    forged = evidence(envelope_bundle(OTHER.public.hint, payload, signature))
    assert code(forged, trusting(OTHER)) is RefusalCode.BUNDLE_BAD_SIGNATURE


def test_a_strangers_signature_says_which_key_it_names() -> None:
    payload = statement()
    shown = {
        KEY.public.hint: f" (it names the key sha256:{KEY.public.fingerprint})",
        "nonsense": " (its hint is 'nonsense')",
        "no base64": " (its hint is 'no base64')",
        "schlüssel": " (its hint is 'schlüssel')",
    }
    for hint, words in shown.items():
        found = judge(evidence(envelope_bundle(hint, payload, KEY.sign(pae(payload)))), trusting(OTHER))
        assert isinstance(found, Refusal)
        assert found.reason == f"made with another key than the trusted one, or altered afterwards{words}"
    found = judge(signature_layer(KEY), trusting(OTHER, Key.new()))
    assert isinstance(found, Refusal)
    assert found.reason == "made with none of the 2 trusted keys, or altered afterwards"


def test_a_signature_that_names_a_trusted_key_and_is_wrong_is_told_from_a_strangers() -> None:
    payload = statement()
    wrong = evidence(envelope_bundle(KEY.public.hint, payload, KEY.sign(b"something else")))
    assert code(wrong, trusting(OTHER, KEY)) is RefusalCode.BUNDLE_BAD_SIGNATURE
    assert code(wrong, trusting(OTHER)) is RefusalCode.BUNDLE_UNTRUSTED_KEY
    digest = bytes.fromhex(IMAGE.encoded)
    message = evidence(message_bundle(KEY, signature=b64(KEY.sign(digest))))
    assert code(message, trusting(KEY)) is RefusalCode.BUNDLE_BAD_SIGNATURE


def test_a_legacy_signature_over_other_bytes_is_refused() -> None:
    annotations = {"dev.cosignproject.cosign/signature": b64(KEY.sign(b"something else"))}
    assert code(signature_layer(KEY, more=annotations), trusting(KEY)) is RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY


@pytest.mark.parametrize("signature", [b"x", bytes(63), bytes(65), bytes(255), bytes(513), b"\x30\x00"], ids=len)
def test_bytes_that_no_key_makes_are_told_from_a_strangers_signature(signature: bytes) -> None:
    annotations = {"dev.cosignproject.cosign/signature": b64(signature)}
    for root in (trusting(KEY), trusting()):
        assert code(signature_layer(KEY, more=annotations), root) is RefusalCode.SIMPLESIGNING_BAD_SIGNATURE
        candidate = evidence(envelope_bundle("", statement(), signature))
        assert code(candidate, root) is RefusalCode.BUNDLE_BAD_SIGNATURE


@pytest.mark.parametrize(
    "signature", [bytes(64), bytes(256), bytes(384), bytes(512), KEY.sign(b"x")], ids=["64", "256", "384", "512", "DER"]
)
def test_bytes_that_a_key_could_have_made_are_a_strangers(signature: bytes) -> None:
    annotations = {"dev.cosignproject.cosign/signature": b64(signature)}
    assert code(signature_layer(KEY, more=annotations), trusting(KEY)) is RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY


def test_a_signature_over_the_payload_without_its_type_is_no_dsse_signature() -> None:
    payload = statement()
    bare = evidence(envelope_bundle(KEY.public.hint, payload, KEY.sign(payload)))
    assert code(bare, trusting(KEY)) is RefusalCode.BUNDLE_BAD_SIGNATURE


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_keys_of_all_curves_are_believed_with_sha256_and_their_own_hash(curve: ec.EllipticCurve) -> None:
    key = Key(ec.generate_private_key(curve))
    own = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[curve.key_size]
    payload = statement()
    for algorithm in (hashes.SHA256(), own):
        candidate = evidence(envelope_bundle(key.public.hint, payload, key.sign(pae(payload), algorithm)))
        assert believed(candidate, trusting(key)).signers == ("key1",)
    assert believed(evidence(message_bundle(key)), trusting(key)).kind is Kind.SIGNATURE


def test_rsa_and_ed25519_keys_are_believed() -> None:
    for key in (Key(rsa.generate_private_key(65537, 2048)), Key(ed25519.Ed25519PrivateKey.generate())):
        assert believed(evidence(bundle(key)), trusting(key)).kind is Kind.SIGNATURE
        assert believed(signature_layer(key), trusting(key)).kind is Kind.SIGNATURE


def test_ed25519ph_is_believed_over_a_payload() -> None:
    """The vector of RFC 8032 signs "abc", which is no payload: so it is refused as one, and only for that."""
    der = Key(ed25519.Ed25519PrivateKey.generate()).public.der[:-32] + PUBLIC
    root = TrustRoot((TrustedKey("rfc", PublicKey(der)),))
    layer = {"dev.cosignproject.cosign/signature": b64(SIGNATURE)}
    candidate = evidence(b"abc", "application/vnd.dev.cosign.simplesigning.v1+json", layer)
    assert code(candidate, root) is RefusalCode.SIMPLESIGNING_MALFORMED


def test_all_names_of_one_key_are_one_signer() -> None:
    root = TrustRoot(tuple(TrustedKey(name, KEY.public) for name in ("b", "a", "b")) + trusting(OTHER).keys)
    assert believed(evidence(bundle(KEY)), root).signers == ("a", "b")


def test_another_attestation_by_the_right_key_is_no_signature() -> None:
    found = believed(evidence(bundle(KEY, statement(predicate_type=PROVENANCE))), trusting(KEY))
    assert found.kind is Kind.ATTESTATION
    assert found.predicate_type == PROVENANCE
    assert believed(signature_layer(KEY), trusting(KEY)).predicate_type is None


def test_signed_annotations_are_kept() -> None:
    subject = [{"digest": {"sha256": IMAGE.encoded}, "annotations": {"env": "prod"}}]
    assert believed(evidence(bundle(KEY, statement(subject=subject))), trusting(KEY)).annotations == (("env", "prod"),)


def test_what_the_store_found_wrong_is_refused_unread() -> None:
    candidate = replace(evidence(bundle(KEY)), problem=("manifest.wrong_subject", "it says that it is about B"))
    assert code(candidate, trusting(KEY)) is RefusalCode.MANIFEST_SUBJECT


def test_unread_formats_are_refused_by_name() -> None:
    found = judge(evidence(b"{}", "text/plain"), trusting(KEY))
    assert isinstance(found, Refusal)
    assert (found.code, found.format) == (RefusalCode.FORMAT_UNSUPPORTED, Format.UNKNOWN)


# --- times ------------------------------------------------------------------------------------------------------------


def test_a_proven_time_is_kept_with_its_authority() -> None:
    found = believed(stamped_bundle(), trusting(KEY, authorities=(TSA.authority,)))
    assert [time.time for time in found.times] == [STAMPED]
    assert found.times[0].authority == TSA.name
    assert found.earliest == STAMPED
    assert found.claims == ()


def test_a_time_that_is_not_proven_is_a_claim_with_its_reason_and_takes_nothing_else() -> None:
    found = believed(stamped_bundle(), trusting(KEY))
    assert found.times == ()
    assert [(claim.time, claim.code) for claim in found.claims] == [(STAMPED, RefusalCode.TIME_UNTRUSTED)]
    assert found.claims[0].reason
    root = trusting(KEY, authorities=(TSA.authority,))
    found = believed(stamped_bundle(TSA.stamp(b"something else"), b"garbage"), root)
    assert [time.time for time in found.times] == [STAMPED]
    assert [(claim.time, claim.code) for claim in found.claims] == [
        (STAMPED, RefusalCode.TIME_IMPRINT),
        (None, RefusalCode.TIME_MALFORMED),
    ]


def test_nothing_that_is_dated_after_the_judgement_counts() -> None:
    root = trusting(KEY, authorities=(TSA.authority,))
    assert believed(stamped_bundle(), root, STAMPED).earliest == STAMPED
    found = believed(stamped_bundle(), root, STAMPED - TICK)
    assert found.times == ()
    assert [claim.code for claim in found.claims] == [RefusalCode.TIME_FUTURE]


def test_a_token_that_is_given_twice_counts_once_and_the_earliest_of_several_is_the_earliest() -> None:
    payload = statement()
    signature = KEY.sign(pae(payload))
    later = LocalAuthority(lambda: STAMPED + timedelta(days=3))
    token = TSA.stamp(signature)
    candidate = evidence(envelope_bundle(KEY.public.hint, payload, signature, (later.stamp(signature), token, token)))
    found = believed(candidate, trusting(KEY, authorities=(TSA.authority, later.authority)))
    assert [time.time for time in found.times] == [STAMPED + timedelta(days=3), STAMPED]
    assert found.earliest == STAMPED


def test_a_legacy_attestation_may_be_stamped_over_the_signature_or_the_envelope() -> None:
    root = trusting(KEY, authorities=(TSA.authority,))
    plain = attestation_layer(KEY)
    for stamped in (plain.payload, b"something else"):
        text = f'{{"SignedRFC3161Timestamp":"{b64(TSA.stamp(stamped))}"}}'
        layer = replace(plain.layer, annotations=(("dev.sigstore.cosign/rfc3161timestamp", text),))
        found = believed(replace(plain, layer=layer), root)
        assert bool(found.times) is (stamped == plain.payload)


def test_a_bundle_is_not_stamped_over_its_envelope() -> None:
    payload = statement()
    signature = KEY.sign(pae(payload))
    candidate = evidence(envelope_bundle(KEY.public.hint, payload, signature, (TSA.stamp(pae(payload)),)))
    assert believed(candidate, trusting(KEY, authorities=(TSA.authority,))).times == ()


# --- windows of keys --------------------------------------------------------------------------------------------------


def windowed(*windows: tuple[datetime | None, datetime | None], proven: bool = True) -> TrustRoot:
    keys = tuple(TrustedKey(f"key{number}", KEY.public, *window) for number, window in enumerate(windows, 1))
    return TrustRoot(keys, (TSA.authority,) if proven else ())


def test_a_key_speaks_inside_its_window_ends_included() -> None:
    candidate = stamped_bundle()
    for window in (
        (STAMPED, STAMPED),
        (STAMPED, None),
        (None, STAMPED),
        (STAMPED - timedelta(1), STAMPED + timedelta(1)),
    ):
        assert believed(candidate, windowed(window)).signers == ("key1",)
    for window in ((STAMPED + TICK, None), (None, STAMPED - TICK)):
        assert code(candidate, windowed(window)) is RefusalCode.KEY_WINDOW


def test_a_key_with_a_window_does_not_speak_without_a_proven_time() -> None:
    wide = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    for window in (wide, (wide[0], None), (None, wide[1])):
        assert code(evidence(bundle(KEY)), windowed(window)) is RefusalCode.KEY_WINDOW_UNPROVEN
        assert code(stamped_bundle(), windowed(window, proven=False)) is RefusalCode.KEY_WINDOW_UNPROVEN
        assert code(stamped_bundle(), windowed(window), STAMPED - TICK) is RefusalCode.KEY_WINDOW_UNPROVEN
    assert believed(evidence(bundle(KEY)), windowed((None, None))).signers == ("key1",)


def test_the_earliest_time_decides_so_that_stamping_again_does_not_move_a_signature_into_a_window() -> None:
    later = LocalAuthority(lambda: STAMPED + timedelta(days=3))
    payload = statement()
    signature = KEY.sign(pae(payload))
    candidate = evidence(
        envelope_bundle(KEY.public.hint, payload, signature, (later.stamp(signature), TSA.stamp(signature)))
    )
    start = STAMPED + timedelta(days=1)
    root = TrustRoot((TrustedKey("key", KEY.public, start),), (TSA.authority, later.authority))
    assert code(candidate, root) is RefusalCode.KEY_WINDOW


def test_only_the_names_whose_window_fits_are_signers() -> None:
    root = windowed((STAMPED + TICK, None), (None, STAMPED), (None, None))
    assert believed(stamped_bundle(), root).signers == ("key2", "key3")
    assert believed(evidence(bundle(KEY)), root).signers == ("key3",)


def test_a_root_with_more_anchors_than_are_tried_is_refused_at_once() -> None:
    key = TrustedKey("key", KEY.public)
    authority = TimestampAuthority("a", (b"",))
    TrustRoot((key,) * MAX_ANCHORS, (authority,) * MAX_ANCHORS)
    with pytest.raises(KeyUnusable, match="more than 256"):
        TrustRoot((key,) * (MAX_ANCHORS + 1))
    with pytest.raises(KeyUnusable, match="more than 256"):
        TrustRoot((), (authority,) * (MAX_ANCHORS + 1))


def test_message_signatures_are_over_the_manifest_itself() -> None:
    manifest = b'{"schemaVersion":2}'
    assert hashlib.sha256(manifest).hexdigest() == IMAGE.encoded
    candidate = evidence(message_bundle(KEY, signature=b64(KEY.sign(manifest))))
    assert believed(candidate, trusting(KEY)).kind is Kind.SIGNATURE
