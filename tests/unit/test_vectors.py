"""Real artefacts made by other tools give their expected result.

The folder is named by IMGTRUST_VECTORS, else it lies beside the repository. Vectors of formats that are not read yet
are skipped by name, with the format as the reason, and still must be refused without a crash.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from imgtrust.content import Manifest, describe, parse_manifest
from imgtrust.errors import Refused
from imgtrust.evidence import Evidence, Kind, Origin
from imgtrust.formats import attachments
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.formats.statement import parse_statement, write_statement
from imgtrust.predicates.provenance import claimed_times
from imgtrust.predicates.sbom import recognise, recognise_predicate
from imgtrust.predicates.types import canonical
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust.anchors import SigstoreRoot, TrustedIdentity
from imgtrust.trust.keys import TrustedKey, parse_public_key
from imgtrust.trust.roots import TrustRoot, describe_root, parse_sigstore_root, parse_tsa_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource, verify_timestamp

VECTORS: Final = Path(
    os.environ.get("IMGTRUST_VECTORS") or Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
)
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no vectors at {VECTORS}; set IMGTRUST_VECTORS")

AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
BUNDLES: Final = VECTORS / "sigstore" / "bundles"
LEGACY: Final = VECTORS / "cosign" / "legacy-registry"
NOTARY: Final = VECTORS / "notary"
BUNDLE_NAMES: Final = sorted(path.parent.name for path in BUNDLES.glob("*/bundle.sigstore.json"))
BEACON: Final = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ACTIONS: Final = "https://token.actions.githubusercontent.com"
PUBLIC_GOOD: Final = VECTORS / "sigstore" / "root" / "public-good.trusted_root.json"


def bundle_evidence(folder: Path, subject: Digest | None = None, content: bytes | None = None) -> Evidence:
    payload = (folder / "bundle.sigstore.json").read_bytes()
    layer = describe(payload, BUNDLE_TYPE)
    about = subject or Digest.of(artifact_of(folder))
    return Evidence(about, layer.digest, Origin.REFERRER, layer, payload, content=content)


def artifact_of(folder: Path) -> bytes:
    own = folder / "artifact"
    return (own if own.exists() else BUNDLES / "a.txt").read_bytes()


def bundle_root(folder: Path) -> TrustRoot:
    """The key that lies beside the bundle, or else the identity that its case names."""
    own = folder / "trusted_root.json"
    instance = parse_sigstore_root((own if own.exists() else PUBLIC_GOOD).read_bytes(), folder.name)
    key = folder / "key.pub"
    if key.exists():
        trusted = TrustedKey("key", parse_public_key(key.read_bytes(), key.name))
        return TrustRoot((trusted,), instance.authorities, logs=instance.logs)
    identity, issuer = folder / "identity", folder / "issuer"
    return keyless(
        instance,
        issuer.read_text().strip() if issuer.exists() else ACTIONS,
        identity.read_text().strip() if identity.exists() else BEACON,
    )


def keyless(instance: SigstoreRoot, issuer: str, identity: str) -> TrustRoot:
    return TrustRoot(identities=(TrustedIdentity("signer", instance, issuer, identity),))


def public_good(issuer: str, identity: str) -> TrustRoot:
    return keyless(parse_sigstore_root(PUBLIC_GOOD.read_bytes(), "public-good"), issuer, identity)


REFUSED: Final = {
    "bundle-empty-certificate-chain_fail": RefusalCode.BUNDLE_MALFORMED,
    "bundle-invalid-base64-signature_fail": RefusalCode.BUNDLE_MALFORMED,
    "bundle-negative-log-index_fail": RefusalCode.LOG_MALFORMED,
    "bundle-with-root-cert_fail": RefusalCode.CERTIFICATE_MALFORMED,
    "checkpoint-bad-keyhint_fail": RefusalCode.LOG_CHECKPOINT,
    "dsse-invalid-sig_fail": RefusalCode.CERTIFICATE_BAD_SIGNATURE,
    "dsse-mismatch-sig_fail": RefusalCode.LOG_INCONSISTENT,
    "inclusion-proof-corrupted-hash_fail": RefusalCode.LOG_INCLUSION,
    "integrated-time-in-future_fail": RefusalCode.CERTIFICATE_EXPIRED,
    "intoto-log-entry-mismatch_fail": RefusalCode.LOG_INCONSISTENT,
    "intoto-set-outside-signing-cert-validity_fail": RefusalCode.CERTIFICATE_EXPIRED,
    "invalid-ct-key_fail": RefusalCode.CERTIFICATE_SCT,
    "managed-key-no-key_fail": RefusalCode.KEY_INSTEAD_OF_CERTIFICATE,
    "message-digest-mismatch_fail": RefusalCode.CERTIFICATE_BAD_SIGNATURE,
    "rekor2-checkpoint-missing-log-signature_fail": RefusalCode.LOG_CHECKPOINT,
    "rekor2-checkpoint-missing-root-hash_fail": RefusalCode.LOG_CHECKPOINT,
    "rekor2-dsse-invalid-sig_fail": RefusalCode.CERTIFICATE_BAD_SIGNATURE,
    "rekor2-dsse-mismatch-sig_fail": RefusalCode.LOG_INCONSISTENT,
    "rekor2-no-inclusion-proof_fail": RefusalCode.LOG_INCLUSION,
    "rekor2-timestamp-outside-trust-root-tsa-validity_fail": RefusalCode.CERTIFICATE_NO_TIME,
    "rekor2-timestamp-payload-mismatch_fail": RefusalCode.CERTIFICATE_NO_TIME,
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": RefusalCode.CERTIFICATE_NO_TIME,
    "signature-mismatch_fail": RefusalCode.CERTIFICATE_BAD_SIGNATURE,
    "wrong-hashedrekord-artifact_fail": RefusalCode.LOG_INCONSISTENT,
    "wrong-hashedrekord-entry_fail": RefusalCode.LOG_INCONSISTENT,
}
"""Each refused case with its reason, so that none fails for another one."""

TIMES: Final = {
    "happy-path-intoto-in-dsse-v3": ("rekor 2024-12-16T18:42:56",),
    "happy-path-v0.1": ("rekor 2023-07-12T15:56:36",),
    "happy-path-v0.3": ("rekor 2024-03-19T17:26:26",),
    "happy-path-v0.3-new-mediaType": ("rekor 2024-03-19T17:26:26",),
    "intoto-with-custom-trust-root": ("rfc3161 2023-02-01T00:00:00", "rekor 2023-02-01T00:00:00"),
    "managed-key-and-trusted-root": ("rekor 2026-01-07T18:36:05",),
    "managed-key-happy-path": ("rfc3161 2025-12-18T17:04:39", "rekor 2025-12-18T17:04:39"),
    "rekor2-checkpoint-multiple-cosigs": ("rfc3161 2025-06-12T12:02:20",),
    "rekor2-checkpoint-origin-not-first": ("rfc3161 2025-06-12T12:02:20",),
    "rekor2-checkpoint-two-sigs-from-origin": ("rfc3161 2025-06-12T12:02:20",),
    "rekor2-dsse-happy-path": ("rfc3161 2026-05-13T19:23:33",),
    "rekor2-happy-path": ("rfc3161 2025-06-12T12:02:20",),
    "rekor2-timestamp-with-expired-cert-chain": ("rfc3161 2025-08-07T15:32:26",),
    "rekor2-timestamp-without-embedded-cert": ("rfc3161 2025-08-06T19:03:51",),
    "trust-root-tlog-validity-end-inclusive": ("rekor 2023-07-12T15:56:36",),
}
"""Each accepted case with its proven times and their sources."""


def test_every_bundle_has_its_expectation() -> None:
    assert sorted([*REFUSED, *TIMES]) == BUNDLE_NAMES


@pytest.mark.parametrize("known", ["path", "digest"])
@pytest.mark.parametrize("name", BUNDLE_NAMES)
def test_a_bundle_gives_its_expected_result(name: str, known: str) -> None:
    folder = BUNDLES / name
    content = artifact_of(folder) if known == "path" else None
    found = assess(bundle_evidence(folder, content=content), bundle_root(folder), at=AT)
    if name in REFUSED:
        assert isinstance(found, Refusal), found
        compared = name == "message-digest-mismatch_fail" and content is not None
        assert found.code is (RefusalCode.BUNDLE_DIGEST if compared else REFUSED[name]), found
        return
    assert isinstance(found, VerifiedSignature), found
    assert tuple(f"{time.source.value} {time.time:%Y-%m-%dT%H:%M:%S}" for time in found.times) == TIMES[name]
    if not name.startswith("managed-key-"):
        assert found.identity == f"{BEACON} ({ACTIONS})"


@pytest.mark.parametrize("name", TIMES)
def test_a_bundle_is_about_no_other_artifact(name: str) -> None:
    other = assess(bundle_evidence(BUNDLES / name, Digest.of(b"another")), bundle_root(BUNDLES / name), at=AT)
    assert isinstance(other, Refusal)
    assert other.code in {RefusalCode.BUNDLE_DIGEST, RefusalCode.STATEMENT_SUBJECT}


@pytest.mark.parametrize("name", [name for name in TIMES if not name.startswith("managed-key-")])
def test_a_bundle_is_by_no_other_identity(name: str) -> None:
    instance = bundle_root(BUNDLES / name).identities[0].root
    for issuer, identity in ((ACTIONS, BEACON + "x"), (ACTIONS, BEACON[1:]), (ACTIONS + "/", BEACON)):
        found = assess(bundle_evidence(BUNDLES / name), keyless(instance, issuer, identity), at=AT)
        assert isinstance(found, Refusal)
        assert found.code is RefusalCode.IDENTITY_UNTRUSTED


def test_the_time_of_the_public_time_stamp_authority_is_proven() -> None:
    folder = BUNDLES / "managed-key-happy-path"
    found = assess(bundle_evidence(folder), bundle_root(folder), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert found.kind is Kind.SIGNATURE
    assert found.earliest == datetime(2025, 12, 18, 17, 4, 39, tzinfo=UTC)
    assert found.times[0].authority == "sigstore-tsa"
    early = assess(bundle_evidence(folder), bundle_root(folder), at=datetime(2025, 12, 18, 17, 4, 38, tzinfo=UTC))
    assert isinstance(early, VerifiedSignature)
    assert [claim.code for claim in early.claims] == [RefusalCode.TIME_FUTURE] * 2


TOKENS: Final = {
    "rekor2-timestamp-outside-trust-root-tsa-validity_fail": RefusalCode.TIME_UNTRUSTED,
    "rekor2-timestamp-payload-mismatch_fail": RefusalCode.TIME_IMPRINT,
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": RefusalCode.TIME_UNTRUSTED,
    "rekor2-timestamp-with-expired-cert-chain": None,
    "rekor2-timestamp-without-embedded-cert": None,
    "rekor2-dsse-happy-path": None,
    "rekor2-happy-path": None,
    "intoto-with-custom-trust-root": None,
    "managed-key-happy-path": None,
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_time_stamp_gives_its_expected_result(name: str) -> None:
    """The tokens of all bundles are read, also where the bundle around them is of a later format."""
    folder = BUNDLES / name
    document: dict[str, Any] = json.loads((folder / "bundle.sigstore.json").read_bytes())
    if "dsseEnvelope" in document:
        signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
    else:
        signature = base64.b64decode(document["messageSignature"]["signature"])
    stamps = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    root = bundle_root(folder)
    authorities = root.authorities or root.identities[0].root.authorities
    for stamp in stamps:
        token = base64.b64decode(stamp["signedTimestamp"])
        code = TOKENS[name]
        if code is None:
            assert verify_timestamp(token, [signature], authorities, at=AT).time < AT
        else:
            with pytest.raises(Refused) as caught:
                verify_timestamp(token, [signature], authorities, at=AT)
            assert caught.value.code is code


# --- cosign's legacy tags ---------------------------------------------------------------------------------------------


def legacy_evidence(digest: str) -> list[Evidence]:
    """What a store hands over for an image of the saved registry."""
    subject = Digest.parse(digest)
    tag = attachments.legacy_tag(subject, attachments.Suffix.SIG)
    raw = (LEGACY / "manifests" / f"{tag}.json").read_bytes()
    manifest = parse_manifest(raw, json.loads(raw)["mediaType"])
    assert isinstance(manifest, Manifest)
    found = []
    for layer in attachments.candidates(manifest, legacy=True):
        payload = (LEGACY / "blobs" / f"sha256-{layer.digest.encoded}.json").read_bytes()
        found.append(Evidence(subject, layer.digest, Origin.LEGACY_TAG, layer, layer.digest.check(payload)))
    return found


def alice() -> TrustRoot:
    return TrustRoot((TrustedKey("alice", parse_public_key((LEGACY / "alice.pub").read_bytes(), "alice.pub")),))


def test_the_legacy_signature_of_a_key_is_valid_and_has_no_trusted_time() -> None:
    digest = "sha256:071bf7a986f1ca9cb2a1f0bc8392822a7777f90d58f2d2c6f271913e08de7c81"
    (candidate,) = legacy_evidence(digest)
    found = assess(candidate, alice(), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert (found.kind, found.signers, str(found.subject)) == (Kind.SIGNATURE, ("alice",), digest)
    assert (found.times, found.claims) == ((), ())


def test_the_keyless_legacy_signature_is_believed_at_the_time_of_the_log() -> None:
    digest = "sha256:31dc72a13a0c34b40eb95419d2b2fd67320c856baf3b72da518023ee8d370aee"
    github = "https://github.com/login/oauth"
    (candidate,) = legacy_evidence(digest)
    found = assess(candidate, public_good(github, "philipp.belitz@securesystems.de"), at=AT)
    assert isinstance(found, VerifiedSignature), found
    assert (found.kind, found.identity) == (Kind.SIGNATURE, f"philipp.belitz@securesystems.de ({github})")
    assert [(time.source, time.time) for time in found.times] == [
        (TimeSource.REKOR, datetime(2024, 5, 30, 15, 18, 17, tzinfo=UTC))
    ]
    stranger = assess(candidate, public_good(github, "somebody@securesystems.de"), at=AT)
    assert isinstance(stranger, Refusal)
    assert stranger.code is RefusalCode.IDENTITY_UNTRUSTED
    keyed = assess(candidate, alice(), at=AT)
    assert isinstance(keyed, Refusal)
    assert keyed.code is RefusalCode.CERTIFICATE_INSTEAD_OF_KEY


LAYOUTS: Final = sorted(VECTORS.glob("cosign/layouts/*/container_workflow_dispatch"))
LOGGED: Final = {"v1.4.0": 1673455977, "v1.9.0": 1692768128, "v2.1.0": 1740520687}
GENERATOR: Final = (
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/"
)


@pytest.mark.parametrize("folder", LAYOUTS, ids=[folder.parent.name for folder in LAYOUTS])
def test_the_keyless_attestation_of_a_saved_image_is_believed_at_the_time_of_the_log(folder: Path) -> None:
    index = json.loads((folder / "index.json").read_bytes())
    blobs = folder / "blobs" / "sha256"
    subject = Digest.parse(folder.with_suffix(".digest").read_text().strip())
    version = folder.parent.name
    (entry,) = [each for each in index["manifests"] if each.get("annotations", {}).get("kind", "").endswith("/atts")]
    raw = (blobs / entry["digest"].removeprefix("sha256:")).read_bytes()
    (layer,) = attachments.candidates(parse_manifest(raw, entry["mediaType"]), legacy=True)
    payload = (blobs / layer.digest.encoded).read_bytes()
    evidence = Evidence(subject, layer.digest, Origin.LEGACY_TAG, layer, payload)
    found = assess(evidence, public_good(ACTIONS, GENERATOR + version), at=AT)
    assert isinstance(found, VerifiedSignature), found
    assert (found.kind, found.predicate_type) == (Kind.ATTESTATION, "https://slsa.dev/provenance/v0.2")
    assert found.earliest == datetime.fromtimestamp(LOGGED[version], UTC)
    stranger = assess(evidence, public_good(ACTIONS, GENERATOR + "v9.9.9"), at=AT)
    assert isinstance(stranger, Refusal)


def test_the_keyless_bundle_of_an_image_is_believed() -> None:
    payload = (VECTORS / "cosign" / "bundle" / "oci-attestation.sigstore.json").read_bytes()
    layer = describe(payload, BUNDLE_TYPE)
    subject = Digest.parse("sha256:732112270d7e59418a8c080b134b24cabd67d250d0d0147a97ed95ba5c280aa4")
    root = public_good("https://github.com/login/oauth", "cody@soyland.com")
    found = assess(Evidence(subject, layer.digest, Origin.REFERRER, layer, payload), root, at=AT)
    assert isinstance(found, VerifiedSignature), found
    assert (found.kind, found.predicate_type) == (
        Kind.ATTESTATION,
        "https://cosign.sigstore.dev/attestation/v1",
    )
    assert [time.source for time in found.times] == [TimeSource.REKOR]


# --- Notary -----------------------------------------------------------------------------------------------------------


def test_the_roots_of_time_stamp_authorities_are_read() -> None:
    for name in ("DigiCertTSARootSHA384.cer", "globalsignTSARoot.cer", "globalsignRoot.cer"):
        found = parse_tsa_chain((NOTARY / "trust" / name).read_bytes(), name)
        assert len(found.roots) == 1
        assert found.leaf is None


# --- roots and predicates ---------------------------------------------------------------------------------------------

ROOTS: Final = sorted([*BUNDLES.glob("*/trusted_root.json"), *VECTORS.glob("sigstore/root/*.json")])


@pytest.mark.parametrize("path", ROOTS, ids=[path.parent.name for path in ROOTS])
def test_a_trusted_root_is_read_whole(path: Path) -> None:
    assert describe_root(path.read_bytes(), path.name)
    assert parse_sigstore_root(path.read_bytes(), path.name).logs


@pytest.mark.parametrize(
    ("name", "alias"), [("bom-go-mod.cyclonedx.json", "cyclonedx"), ("bom-go-mod.spdx.json", "spdx")]
)
def test_an_sbom_is_recognised(name: str, alias: str) -> None:
    found = recognise((VECTORS / "predicates" / name).read_bytes())
    assert (found.format, found.predicate_type) == (alias, canonical(alias))


def test_spdx_tag_value_travels_as_a_string() -> None:
    text = (VECTORS / "predicates" / "bom-go-mod.spdx").read_text("utf-8")
    statement = parse_statement(write_statement(Digest.of(b""), canonical("spdx"), text))
    assert statement.predicate == text
    found = recognise_predicate(statement.predicate)
    assert found is not None
    assert (found.format, found.version) == ("spdx", "2.2")
    assert found.components > 100


def test_a_vulnerability_scan_has_its_dates() -> None:
    predicate = json.loads((VECTORS / "predicates" / "vuln-predicate.json").read_bytes())
    statement = parse_statement(write_statement(Digest.of(b""), canonical("vuln"), predicate))
    assert claimed_times(statement) == (
        ("scanStartedOn", datetime(2022, 4, 12, tzinfo=UTC)),
        ("scanFinishedOn", datetime(2022, 4, 12, 0, 10, tzinfo=UTC)),
    )
