"""The edges of the verifier: what a reason says, what is absent, and the first value beyond each limit."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from imgtrust import strict_json
from imgtrust.errors import InputFileError, Refused
from imgtrust.evidence import Format, Kind, Signed
from imgtrust.formats import read
from imgtrust.refusals import RefusalCode
from imgtrust.trust import certificates, keydetails, sct
from imgtrust.trust.anchors import TrustedIdentity
from imgtrust.trust.certificatefiles import read_roots
from imgtrust.trust.der import GENERALIZED_TIME, DerError, Value
from imgtrust.trust.holding import holds
from imgtrust.trust.identities import Named, matching
from imgtrust.trust.rootfile import MAX_ROOT_BYTES
from imgtrust.trust.roots import parse_sigstore_root
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import verify_promise
from tests.simulators.ctlog import CtLog
from tests.simulators.evidence import AT, Key, b64, bundle, evidence, trusting
from tests.simulators.fulcio import EMAIL, ISSUER, WHEN, Fulcio, ca_chain
from tests.simulators.sigstore import V2, VirtualSigstore

SIGSTORE = VirtualSigstore()


def signed(signature: bytes, *, digest: str | None, algorithm: str = "sha384") -> Signed:
    """A message signature whose message is not in the evidence."""
    return Signed(Format.BUNDLE, Kind.SIGNATURE, signature, None, (), message_digest=digest, digest_algorithm=algorithm)


def test_a_signature_over_content_is_held_against_that_content() -> None:
    key = Key(ed25519.Ed25519PrivateKey.generate())
    content, other = b'{"a":1}', b'{"a":2}'
    digest = hashlib.sha512(content).hexdigest()
    signature = key.sign(content)
    made = signed(signature, digest=digest, algorithm="sha512")
    assert holds(key.public, made, content)
    assert not holds(key.public, made, other)
    assert not holds(key.public, made, None)
    assert not holds(Key.new().public, made, content)


def test_a_signature_over_nothing_holds_for_nobody() -> None:
    assert not holds(Key.new().public, signed(b"x", digest=None), None)


@pytest.mark.parametrize(
    ("details", "kind", "expected"),
    [
        ("PKIX_ECDSA_P256_SHA_256", "p256", True),
        ("PKIX_ECDSA_P256_SHA_256", "p384", False),
        ("PKIX_ECDSA_P256_SHA_256", "rsa2048", False),
        ("PKIX_RSA_PSS_2048_SHA256", "rsa2048", True),
        ("PKIX_RSA_PSS_2048_SHA256", "rsa4096", False),
        ("PKIX_RSA_PSS", "rsa3072", True),
        ("PKIX_RSA_PSS", "p256", False),
        ("SOMETHING", "rsa2048", False),
        ("SOMETHING", "p256", False),
        ("SOMETHING", "", False),
    ],
)
def test_a_name_of_keys_fits_its_kind_only(details: str, kind: str, *, expected: bool) -> None:
    assert keydetails.fits(details, kind) is expected


def test_a_keyless_signer_asks_for_a_log_unless_it_is_said_otherwise() -> None:
    assert TrustedIdentity("release", SIGSTORE.root(), ISSUER, EMAIL).log


def test_a_refused_identity_is_told_what_differs_and_nothing_else() -> None:
    wanted = (("build_trigger", "push"), ("source_repository_ref", "refs/heads/main"))
    trusted = TrustedIdentity("release", SIGSTORE.root(), ISSUER, EMAIL, wanted)
    own = (("build_trigger", "push"), ("source_repository_ref", "refs/heads/topic"))
    with pytest.raises(Refused) as caught:
        matching(Named(EMAIL, ISSUER, own), [trusted])
    assert caught.value.code is RefusalCode.IDENTITY_EXTENSION
    assert "source_repository_ref 'refs/heads/topic', not 'refs/heads/main'" in caught.value.reason
    assert "build_trigger" not in caught.value.reason


def test_who_did_not_issue_a_certificate_is_told_by_name() -> None:
    leaf = certificates.read_leaf(read(SIGSTORE.evidence()))
    with pytest.raises(Refused, match=r"authority \(none is trusted\)"):
        certificates.find_authority(leaf, (), [WHEN])
    stranger = VirtualSigstore("stranger").root()
    (authority,) = stranger.certificate_authorities
    with pytest.raises(Refused) as caught:
        certificates.find_authority(leaf, (authority,), [WHEN])
    assert f"({authority.name}: did not issue it" in caught.value.reason
    assert "none is trusted" not in caught.value.reason


def test_the_certificate_that_was_not_valid_is_named() -> None:
    hour = timedelta(hours=1)
    brief = VirtualSigstore(fulcio=Fulcio(ca_chain(window=(WHEN - hour, WHEN + hour))))
    leaf = certificates.read_leaf(read(brief.evidence(brief.certify(lasting=3 * hour))))
    authorities = brief.root().certificate_authorities
    for moment, which in ((WHEN + 4 * hour, "signing certificate"), (WHEN + 2 * hour, "certificate of its authority")):
        with pytest.raises(Refused, match=f"and the {which} is valid from") as caught:
            certificates.find_authority(leaf, authorities, [moment])
        assert caught.value.code is RefusalCode.CERTIFICATE_EXPIRED


def test_a_file_of_roots_has_a_limit() -> None:
    with pytest.raises(InputFileError, match=str(MAX_ROOT_BYTES)):
        read_roots(b"\n" * (MAX_ROOT_BYTES + 1), "roots.pem")


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("20260301120000Z", 0),
        ("20260301120000.5Z", 500_000),
        ("20260301120000.123456Z", 123_456),
        ("20260301120000.1234567Z", 123_456),
    ],
)
def test_a_time_is_read_to_the_microsecond(text: str, microsecond: int) -> None:
    assert Value(GENERALIZED_TIME, text.encode(), b"").time().microsecond == microsecond


def test_a_fraction_that_ends_in_zero_is_no_der() -> None:
    with pytest.raises(DerError):
        Value(GENERALIZED_TIME, b"20260301120000.10Z", b"").time()


def test_a_stranger_s_key_beside_trusted_identities_is_a_stranger_s_key() -> None:
    both = replace(SIGSTORE.trusting(), keys=trusting(Key.new()).keys)
    found = assess(evidence(bundle(Key.new())), both, at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.BUNDLE_UNTRUSTED_KEY
    alone = assess(evidence(bundle(Key.new())), SIGSTORE.trusting(), at=AT)
    assert isinstance(alone, Refusal)
    assert alone.code is RefusalCode.KEY_INSTEAD_OF_CERTIFICATE


@pytest.mark.parametrize("before", ["", "#"])
def test_a_hint_is_shown_as_a_fingerprint_only_where_it_is_one(before: str) -> None:
    stranger = Key.new()
    material = {"publicKey": {"hint": before + stranger.public.hint}}
    found = assess(evidence(bundle(stranger, verificationMaterial=material)), trusting(Key.new()), at=AT)
    assert isinstance(found, Refusal)
    assert (f"it names the key sha256:{stranger.public.fingerprint}" in found.reason) is not bool(before)
    assert (f"its hint is '{before}" in found.reason) is bool(before)


def test_the_issuing_authority_has_a_name_where_its_certificate_has_none() -> None:
    document = SIGSTORE.document()
    key = ec.generate_private_key(ec.SECP256R1())
    nameless = (
        x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 7)
        .not_valid_before(WHEN)
        .not_valid_after(WHEN + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    raw = b64(nameless.public_bytes(Encoding.DER))
    document["certificateAuthorities"][0]["certChain"] = {"certificates": [{"rawBytes": raw}]}
    (authority,) = parse_sigstore_root(strict_json.dumps(document), "acme").certificate_authorities
    assert authority.name == "certificateAuthorities[0] of acme"


def test_why_no_time_is_proven_is_told() -> None:
    found = assess(SIGSTORE.evidence(kind=V2, stamped=0), SIGSTORE.trusting(), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.CERTIFICATE_NO_TIME
    assert "(it carries none)" in found.reason
    stranger = VirtualSigstore("stranger").document()["timestampAuthorities"]
    found = assess(SIGSTORE.evidence(kind=V2), SIGSTORE.trusting(timestampAuthorities=stranger), at=AT)
    assert isinstance(found, Refusal)
    assert f"({RefusalCode.TIME_UNTRUSTED}: " in found.reason
    assert "carries none" not in found.reason


def sighted(count: int, *, start: timedelta = timedelta()) -> VerifiedSignature | Refusal:
    """A certificate with as many timestamps of its log; the log's key is trusted from their time on, or later."""
    log = SIGSTORE.fulcio.log
    signer = SIGSTORE.certify(timestamps=lambda one, issuer: [log.timestamp(one, issuer, WHEN)] * count)
    ctlogs = SIGSTORE.document()["ctlogs"]
    ctlogs[0]["publicKey"]["validFor"] = {"start": (WHEN + start).isoformat().replace("+00:00", "Z")}
    return assess(SIGSTORE.evidence(signer), SIGSTORE.trusting(ctlogs=ctlogs), at=AT)


def test_a_certificate_has_as_many_timestamps_as_are_read_and_no_more() -> None:
    found = sighted(17)
    assert isinstance(found, Refusal)
    assert "17 timestamps, expected at most 16" in found.reason
    found = sighted(16)
    assert not isinstance(found, Refusal) or found.code is not RefusalCode.CERTIFICATE_SCT


def test_a_ct_log_speaks_from_the_first_moment_of_its_window() -> None:
    assert isinstance(sighted(1), VerifiedSignature)
    found = sighted(1, start=timedelta(milliseconds=1))
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.CERTIFICATE_SCT


def test_a_timestamp_of_a_stranger_after_a_trusted_one_takes_nothing_away() -> None:
    logs = (SIGSTORE.fulcio.log, CtLog())
    signer = SIGSTORE.certify(timestamps=lambda one, issuer: [log.timestamp(one, issuer, WHEN) for log in logs])
    leaf = certificates.read_leaf(read(SIGSTORE.evidence(signer)))
    sct.verify(leaf.certificate, SIGSTORE.fulcio.chain[0].certificate, SIGSTORE.root().ct_logs)


def test_a_log_s_promise_is_good_to_the_second_from_the_first_second_on() -> None:
    log = Key.new()
    promise = log.sign(b"entry")
    found = verify_promise(promise, b"entry", log.public, 1, "log")
    assert found is not None
    assert (found.time, found.accuracy) == (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), timedelta(seconds=1))
    assert verify_promise(promise, b"entry", log.public, 0, "log") is None
    last = verify_promise(promise, b"entry", log.public, 253402300799, "log")
    assert last is not None
    assert verify_promise(promise, b"entry", log.public, 253402300800, "log") is None
    assert verify_promise(promise, b"other", log.public, 1, "log") is None
