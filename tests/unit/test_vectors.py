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

from imgtrust.content import Descriptor, Manifest, describe, parse_manifest
from imgtrust.errors import Refused
from imgtrust.evidence import Evidence, Kind, Origin
from imgtrust.formats import attachments
from imgtrust.formats.mediatypes import BUNDLE_TYPE, NOTARY_COSE_LAYER, NOTARY_JWS_LAYER
from imgtrust.formats.statement import parse_statement, write_statement
from imgtrust.predicates.provenance import claimed_times
from imgtrust.predicates.sbom import recognise, recognise_predicate
from imgtrust.predicates.types import canonical
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust.keys import TrustedKey, parse_public_key
from imgtrust.trust.roots import TrustRoot, describe_root, parse_trusted_root, parse_tsa_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import verify_timestamp

VECTORS: Final = Path(
    os.environ.get("IMGTRUST_VECTORS") or Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
)
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no vectors at {VECTORS}; set IMGTRUST_VECTORS")

AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
BUNDLES: Final = VECTORS / "sigstore" / "bundles"
LEGACY: Final = VECTORS / "cosign" / "legacy-registry"
NOTARY: Final = VECTORS / "notary"
BUNDLE_NAMES: Final = sorted(path.parent.name for path in BUNDLES.glob("*/bundle.sigstore.json"))
LATER: Final = {
    RefusalCode.CERTIFICATE_INSTEAD_OF_KEY: "Sigstore signature with a certificate",
    RefusalCode.FORMAT_UNSUPPORTED: "Notary Project signature",
}


def bundle_evidence(folder: Path, subject: Digest | None = None) -> Evidence:
    own = folder / "artifact"
    artifact = (own if own.exists() else BUNDLES / "a.txt").read_bytes()
    payload = (folder / "bundle.sigstore.json").read_bytes()
    layer = describe(payload, BUNDLE_TYPE)
    return Evidence(subject or Digest.of(artifact), layer.digest, Origin.REFERRER, layer, payload)


def bundle_root(folder: Path) -> TrustRoot:
    own = folder / "trusted_root.json"
    data = (own if own.exists() else VECTORS / "sigstore" / "root" / "public-good.trusted_root.json").read_bytes()
    key = folder / "key.pub"
    keys = (TrustedKey("key", parse_public_key(key.read_bytes(), key.name)),) if key.exists() else ()
    return TrustRoot(keys, parse_trusted_root(data, folder.name))


@pytest.mark.parametrize("name", BUNDLE_NAMES)
def test_a_bundle_gives_its_expected_result(name: str) -> None:
    found = assess(bundle_evidence(BUNDLES / name), bundle_root(BUNDLES / name), at=AT)
    if isinstance(found, Refusal) and found.code in LATER:
        pytest.skip(f"{name}: {LATER[found.code]}")
    assert isinstance(found, Refusal if name.endswith("_fail") else VerifiedSignature), found


@pytest.mark.parametrize("name", [name for name in BUNDLE_NAMES if name.startswith("managed-key-")])
def test_a_bundle_of_a_key_gives_the_same_by_digest_and_is_of_that_digest_only(name: str) -> None:
    folder = BUNDLES / name
    asked = Digest.parse("sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf")
    found = assess(bundle_evidence(folder, asked), bundle_root(folder), at=AT)
    assert isinstance(found, Refusal if name.endswith("_fail") else VerifiedSignature)
    other = assess(bundle_evidence(folder, Digest.of(b"another")), bundle_root(folder), at=AT)
    assert isinstance(other, Refusal)


def test_the_time_of_the_public_time_stamp_authority_is_proven() -> None:
    folder = BUNDLES / "managed-key-happy-path"
    found = assess(bundle_evidence(folder), bundle_root(folder), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert found.kind is Kind.SIGNATURE
    assert found.earliest == datetime(2025, 12, 18, 17, 4, 39, tzinfo=UTC)
    assert found.times[0].authority == "sigstore-tsa"
    early = assess(bundle_evidence(folder), bundle_root(folder), at=datetime(2025, 12, 18, 17, 4, 38, tzinfo=UTC))
    assert isinstance(early, VerifiedSignature)
    assert [claim.code for claim in early.claims] == [RefusalCode.TIME_FUTURE]


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
    authorities = bundle_root(folder).authorities
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


def test_the_keyless_legacy_signature_gives_its_expected_result() -> None:
    digest = "sha256:31dc72a13a0c34b40eb95419d2b2fd67320c856baf3b72da518023ee8d370aee"
    for candidate in legacy_evidence(digest):
        found = assess(candidate, alice(), at=AT)
        assert isinstance(found, Refusal)
        assert found.code in LATER, found
    pytest.skip(f"keyless .sig: {LATER[RefusalCode.CERTIFICATE_INSTEAD_OF_KEY]}")


LAYOUTS: Final = sorted(VECTORS.glob("cosign/layouts/*/container_workflow_dispatch"))


@pytest.mark.parametrize("folder", LAYOUTS, ids=[folder.parent.name for folder in LAYOUTS])
def test_the_keyless_attestation_of_a_saved_image_gives_its_expected_result(folder: Path) -> None:
    index = json.loads((folder / "index.json").read_bytes())
    blobs = folder / "blobs" / "sha256"
    subject = Digest.parse(folder.with_suffix(".digest").read_text().strip())
    listed = [entry for entry in index["manifests"] if entry.get("annotations", {}).get("kind", "").endswith("/atts")]
    assert listed
    for entry in listed:
        raw = (blobs / entry["digest"].removeprefix("sha256:")).read_bytes()
        manifest = parse_manifest(raw, entry["mediaType"])
        layers = attachments.candidates(manifest, legacy=True)
        assert layers
        for layer in layers:
            payload = (blobs / layer.digest.encoded).read_bytes()
            found = assess(Evidence(subject, layer.digest, Origin.LEGACY_TAG, layer, payload), alice(), at=AT)
            assert isinstance(found, Refusal)
            assert found.code in LATER, found
    pytest.skip(f"{folder.parent.name} keyless .att: {LATER[RefusalCode.CERTIFICATE_INSTEAD_OF_KEY]}")


def test_the_keyless_bundle_of_an_image_gives_its_expected_result() -> None:
    payload = (VECTORS / "cosign" / "bundle" / "oci-attestation.sigstore.json").read_bytes()
    layer = describe(payload, BUNDLE_TYPE)
    found = assess(Evidence(Digest.of(b""), layer.digest, Origin.REFERRER, layer, payload), alice(), at=AT)
    assert isinstance(found, Refusal)
    assert found.code in LATER, found
    pytest.skip(f"oci-attestation: {LATER[found.code]}")


# --- Notary -----------------------------------------------------------------------------------------------------------

ENVELOPES: Final = sorted(NOTARY.glob("envelopes/*"))


@pytest.mark.parametrize("path", ENVELOPES, ids=[path.name for path in ENVELOPES])
def test_a_notary_envelope_gives_its_expected_result(path: Path) -> None:
    payload = path.read_bytes()
    layer = describe(payload, NOTARY_COSE_LAYER if path.name.startswith("cose") else NOTARY_JWS_LAYER)
    found = assess(Evidence(Digest.of(b""), layer.digest, Origin.REFERRER, layer, payload), alice(), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.FORMAT_UNSUPPORTED
    pytest.skip(f"{path.name}: {LATER[found.code]}")


SIGNED: Final = sorted(NOTARY.glob("layouts/*"))


@pytest.mark.parametrize("folder", SIGNED, ids=[folder.name for folder in SIGNED])
def test_a_layout_signed_by_notation_gives_its_expected_result(folder: Path) -> None:
    candidates: list[Descriptor] = []
    for blob in sorted((folder / "blobs" / "sha256").iterdir()):
        raw = blob.read_bytes()
        if b'"schemaVersion"' not in raw or b'"layers"' not in raw:
            continue
        manifest = parse_manifest(raw, json.loads(raw)["mediaType"])
        candidates.extend(attachments.candidates(manifest, legacy=False))
    assert candidates, "the signature of the layout was not recognised as one"
    pytest.skip(f"{folder.name}: {LATER[RefusalCode.FORMAT_UNSUPPORTED]}")


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
    parse_trusted_root(path.read_bytes(), path.name)


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
