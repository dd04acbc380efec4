"""The 21 checks whose removal the public conformance suite does not notice (sigstore-python.md 5.2), a test each.

Each case is right in everything but the one thing, and is refused with that check's own code: take the check away and
its test fails.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.evidence import AT, IMAGE, MANIFEST, Key, b64, evidence
from tests.simulators.fulcio import EMAIL, ISSUER, usage
from tests.simulators.logbodies import KINDS
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore, document_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.evidence import Evidence
    from imgtrust.trust.roots import TrustRoot

SIGSTORE = VirtualSigstore()
OTHER = SIGSTORE.certify()
HASHED = ("hashedrekord", "0.0.1")


def refused(candidate: Evidence, root: TrustRoot | None = None) -> RefusalCode:
    """The code that a candidate is refused with, by the identity that every certificate here has."""
    found = assess(candidate, root or SIGSTORE.trusting(), at=AT)
    assert isinstance(found, Refusal), found
    return found.code


def accepted(candidate: Evidence, root: TrustRoot) -> VerifiedSignature:
    found = assess(candidate, root, at=AT)
    assert isinstance(found, VerifiedSignature), found
    return found


def put(document: dict[str, Any], *path: Any, value: Any) -> None:
    """Set one member of a document."""
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


def test_01_identity_and_issuer() -> None:
    found = SIGSTORE.evidence()
    accepted(found, SIGSTORE.trusting())
    assert (
        refused(found, SIGSTORE.trusting("somebody@acme.test", "https://elsewhere.test"))
        is RefusalCode.IDENTITY_UNTRUSTED
    )
    assert refused(found, SIGSTORE.trusting("somebody@acme.test")) is RefusalCode.IDENTITY_UNTRUSTED


def test_02_issuer_alone() -> None:
    found = SIGSTORE.evidence()
    for issuer in ("https://elsewhere.test", ISSUER + "/", ISSUER[:-1]):
        assert refused(found, SIGSTORE.trusting(EMAIL, issuer)) is RefusalCode.IDENTITY_UNTRUSTED


def test_03_code_signing() -> None:
    for purposes in (None, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])):
        signer = SIGSTORE.certify(purposes=purposes)
        assert refused(SIGSTORE.evidence(signer)) is RefusalCode.CERTIFICATE_USAGE


def test_04_key_usage() -> None:
    for key_usage in (None, usage("key_encipherment")):
        signer = SIGSTORE.certify(key_usage=key_usage)
        assert refused(SIGSTORE.evidence(signer)) is RefusalCode.CERTIFICATE_USAGE


def test_05_subject_of_the_statement() -> None:
    found = replace(SIGSTORE.evidence(), subject=Digest.of(b"another image"))
    assert refused(found) is RefusalCode.STATEMENT_SUBJECT


@pytest.mark.parametrize("kind", [HASHED, V2])
def test_06_signature_over_the_artifact(kind: tuple[str, str]) -> None:
    """The log holds the same wrong signature, so that only the signature itself is wrong."""
    signer = Signer(Key.new(), SIGSTORE.certify().certified)
    assert refused(SIGSTORE.evidence(signer, kind, message=MANIFEST)) is RefusalCode.CERTIFICATE_BAD_SIGNATURE


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ("intoto", "0.0.1")])
def test_07_signature_over_the_statement(kind: tuple[str, str]) -> None:
    signer = Signer(Key.new(), SIGSTORE.certify().certified)
    assert refused(SIGSTORE.evidence(signer, kind)) is RefusalCode.CERTIFICATE_BAD_SIGNATURE


@pytest.mark.parametrize("stated", [("dsse", "0.0.2"), ("intoto", "0.0.1"), ("dsse", "0.0.10"), ("DSSE", "0.0.1")])
def test_08_kind_and_version(stated: tuple[str, str]) -> None:
    value = {"kind": stated[0], "version": stated[1]}
    found = SIGSTORE.evidence(entry=lambda entry: put(entry, "kindVersion", value=value))
    assert refused(found) is RefusalCode.LOG_INCONSISTENT


def other_certificate(
    kind: tuple[str, str], path: Sequence[Any], value: str, message: bytes | None = None
) -> RefusalCode:
    return refused(
        SIGSTORE.evidence(None, kind, message=message, body=lambda body: put(body, "spec", *path, value=value))
    )


PEM = b64(OTHER.certified.pem) if OTHER.certified else ""
DER = b64(OTHER.certified.der) if OTHER.certified else ""


def test_09_certificate_in_a_hashedrekord_of_version_1() -> None:
    path = ("signature", "publicKey", "content")
    assert other_certificate(HASHED, path, PEM, MANIFEST) is RefusalCode.LOG_INCONSISTENT
    assert other_certificate(HASHED, path, PEM) is RefusalCode.LOG_INCONSISTENT


def test_10_certificate_in_a_dsse_entry_of_version_1() -> None:
    assert other_certificate(V1, ("signatures", 0, "verifier"), PEM) is RefusalCode.LOG_INCONSISTENT
    path = ("content", "envelope", "signatures", 0, "publicKey")
    assert other_certificate(("intoto", "0.0.2"), path, PEM) is RefusalCode.LOG_INCONSISTENT


def test_11_certificate_in_an_entry_of_version_2() -> None:
    tail = ("verifier", "x509Certificate", "rawBytes")
    path: tuple[Any, ...] = ("hashedRekordV002", "signature", *tail)
    assert other_certificate(V2, path, DER, MANIFEST) is RefusalCode.LOG_INCONSISTENT
    assert other_certificate(V2, path, DER) is RefusalCode.LOG_INCONSISTENT
    path = ("dsseV002", "signatures", 0, *tail)
    assert other_certificate(("dsse", "0.0.2"), path, DER) is RefusalCode.LOG_INCONSISTENT


def test_12_digest_in_an_entry_of_version_1() -> None:
    zeros = "0" * 64
    for message in (MANIFEST, None):
        found = SIGSTORE.evidence(
            None, HASHED, message=message, body=lambda body: put(body, "spec", "data", "hash", "value", value=zeros)
        )
        assert refused(found) is RefusalCode.LOG_INCONSISTENT
    for kind, path in ((V1, ("payloadHash", "value")), (("intoto", "0.0.2"), ("content", "payloadHash", "value"))):
        found = SIGSTORE.evidence(None, kind, body=lambda body, path=path: put(body, "spec", *path, value=zeros))
        assert refused(found) is RefusalCode.LOG_INCONSISTENT


def checkpoint(signer: Signer | None, kind: tuple[str, str], **changes: Any) -> Evidence:
    log = SIGSTORE.log2 if kind == V2 else SIGSTORE.log

    def change(entry: dict[str, Any]) -> None:
        put(entry, "inclusionProof", "checkpoint", "envelope", value=log.checkpoint(**changes))

    return SIGSTORE.evidence(signer, kind, entry=change)


@pytest.mark.parametrize("kind", [V1, V2])
def test_13_size_in_the_checkpoint(kind: tuple[str, str]) -> None:
    assert refused(checkpoint(None, kind, size=1000)) is RefusalCode.LOG_CHECKPOINT


@pytest.mark.parametrize("kind", [V1, V2])
def test_14_origin_of_the_checkpoint(kind: tuple[str, str]) -> None:
    for origin in ("log.elsewhere.test", "rekor.acme.test.elsewhere - 1", "log2.acme.test/", "rekor.acme.test - x"):
        assert refused(checkpoint(None, kind, origin=origin)) is RefusalCode.LOG_CHECKPOINT


def test_15_window_of_the_log_s_key_at_the_integrated_time() -> None:
    def ended(end: str) -> TrustRoot:
        tlogs = SIGSTORE.document()["tlogs"]
        for each in tlogs:
            each["publicKey"]["validFor"] = {"start": "2025-01-01T00:00:00Z", "end": end}
        return SIGSTORE.trusting(tlogs=tlogs)

    for candidate in (SIGSTORE.evidence(), SIGSTORE.evidence(kind=V2), SIGSTORE.layer()):
        assert refused(candidate, ended("2026-03-01T11:59:59Z")) is RefusalCode.LOG_WINDOW
        accepted(candidate, ended("2026-03-01T12:00:00Z"))


KEYED = Signer(Key.new())


def test_16_managed_key_signature() -> None:
    stranger = Signer(Key.new())
    candidate = SIGSTORE.evidence(stranger)
    assert refused(candidate, SIGSTORE.trusting_key(KEYED)) is RefusalCode.BUNDLE_UNTRUSTED_KEY
    document = SIGSTORE.bundle(stranger)
    put(document, "verificationMaterial", "publicKey", "hint", value=KEYED.key.public.hint)
    assert refused(document_of(document), SIGSTORE.trusting_key(KEYED)) is RefusalCode.BUNDLE_BAD_SIGNATURE


@pytest.mark.parametrize("kind", [V1, V2])
def test_17_managed_key_log_entry(kind: tuple[str, str]) -> None:
    root = SIGSTORE.trusting_key(KEYED)
    accepted(SIGSTORE.evidence(KEYED, kind), root)
    assert refused(checkpoint(KEYED, kind, key=Key.new()), root) is RefusalCode.LOG_CHECKPOINT

    def change(entry: dict[str, Any]) -> None:
        put(entry, "inclusionProof", "hashes", 0, value=b64(bytes(32)))

    assert refused(SIGSTORE.evidence(KEYED, kind, entry=change), root) is RefusalCode.LOG_INCLUSION


def test_17_managed_key_promise() -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["integratedTime"] = "1700000000"

    candidate = SIGSTORE.evidence(KEYED, entry=change)
    assert refused(candidate, SIGSTORE.trusting_key(KEYED)) is RefusalCode.LOG_PROMISE


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (V1, ("signatures", 0, "verifier")),
        (HASHED, ("signature", "publicKey", "content")),
        (V2, ("hashedRekordV002", "signature", "verifier", "publicKey", "rawBytes")),
    ],
)
def test_18_managed_key_log_body(kind: tuple[str, str], path: Sequence[Any]) -> None:
    other = Key.new().public
    for value in (b64(other.der if kind == V2 else other.pem), b64(b"no key")):
        candidate = SIGSTORE.evidence(KEYED, kind, body=lambda body, value=value: put(body, "spec", *path, value=value))
        assert refused(candidate, SIGSTORE.trusting_key(KEYED)) is RefusalCode.LOG_INCONSISTENT


def test_19_managed_key_time_stamp() -> None:
    """A key with a window needs the time: a token over something else proves none."""
    root = SIGSTORE.trusting_key(KEYED)
    windowed = replace(root, keys=(TrustedKey("key", KEYED.key.public, datetime(2026, 1, 1, tzinfo=UTC)),))
    accepted(SIGSTORE.evidence(KEYED, None), windowed)
    document = SIGSTORE.bundle(KEYED, None)
    stamps = [{"signedTimestamp": b64(SIGSTORE.tsa.stamp(b"something else"))}]
    put(document, "verificationMaterial", "timestampVerificationData", "rfc3161Timestamps", value=stamps)
    assert refused(document_of(document), windowed) is RefusalCode.KEY_WINDOW_UNPROVEN
    found = accepted(document_of(document), root)
    assert (found.times, [claim.code for claim in found.claims]) == ((), [RefusalCode.TIME_IMPRINT])


def test_20_a_certificate_where_a_key_is_wanted_and_the_reverse() -> None:
    """Even where the certificate is for the very key that is trusted."""
    signer = SIGSTORE.certify(KEYED.key)
    for candidate in (SIGSTORE.evidence(signer), SIGSTORE.layer(signer)):
        assert refused(candidate, SIGSTORE.trusting_key(signer)) is RefusalCode.CERTIFICATE_INSTEAD_OF_KEY
    for candidate in (SIGSTORE.evidence(KEYED), SIGSTORE.layer(KEYED)):
        assert refused(candidate) is RefusalCode.KEY_INSTEAD_OF_CERTIFICATE


def test_21_media_type() -> None:
    for media_type, code in (
        ("application/json", RefusalCode.BUNDLE_MALFORMED),
        ("application/vnd.dev.sigstore.bundle.v0.9+json", RefusalCode.BUNDLE_VERSION),
    ):
        assert refused(SIGSTORE.evidence(media_type=media_type)) is code
    assert refused(evidence(b"{}", "application/vnd.acme+json", subject=IMAGE)) is RefusalCode.FORMAT_UNSUPPORTED


def test_everything_else_about_these_cases_is_right() -> None:
    """The very same evidence, unchanged, is believed: so each refusal above is for its one change."""
    for kind in KINDS:
        if kind != ("intoto", "0.0.1"):
            accepted(SIGSTORE.evidence(kind=kind), SIGSTORE.trusting())
            accepted(SIGSTORE.evidence(KEYED, kind), SIGSTORE.trusting_key(KEYED))
    for kind in (HASHED, V2):
        accepted(SIGSTORE.evidence(kind=kind, message=MANIFEST), SIGSTORE.trusting())
