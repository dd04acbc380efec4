"""Envelopes and layouts that notation made give their expected result.

The folder is named by IMGTRUST_VECTORS, else it lies beside the repository.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from imgtrust.content import Manifest, describe, parse_manifest
from imgtrust.evidence import Evidence, Format, Kind, Origin
from imgtrust.formats import attachments, read
from imgtrust.formats.mediatypes import NOTARY_COSE_LAYER, NOTARY_JWS_LAYER
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust.anchors import TrustedNotary
from imgtrust.trust.certificatefiles import read_roots
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.roots import TrustRoot, parse_tsa_chain
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource

VECTORS: Final = Path(
    os.environ.get("IMGTRUST_VECTORS") or Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
)
NOTARY: Final = VECTORS / "notary"
pytestmark = pytest.mark.skipif(not NOTARY.is_dir(), reason=f"no vectors at {NOTARY}; set IMGTRUST_VECTORS")

AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
IMAGE: Final = Digest.parse("sha256:60043cf45eaebc4c0867fea485a039b598f52fd09fd5b07b0b2d2f88fad9d74e")
STAMPED: Final = Digest.parse("sha256:c0669ef34cdc14332c0f1ab0c2c01acb91d96014b172f1a76f3a39e63d1f0bda")


def envelope(name: str) -> Evidence:
    """An envelope as a store would hand it over, asked about for the image that it names."""
    payload = (NOTARY / "envelopes" / name).read_bytes()
    layer = describe(payload, NOTARY_JWS_LAYER if payload.startswith(b"{") else NOTARY_COSE_LAYER)
    return Evidence(IMAGE if name.endswith(".json") else STAMPED, layer.digest, Origin.REFERRER, layer, payload)


def trusting(*roots: bytes, kind: str = "ca", tsa: bool = True, revocation: str = "enforce") -> TrustRoot:
    """A root that trusts everybody under some certificates."""
    names = ("DigiCertTSARootSHA384.cer", "globalsignTSARoot.cer") if tsa else ()
    authorities = tuple(parse_tsa_chain((NOTARY / "trust" / name).read_bytes(), name) for name in names)
    signer = TrustedNotary("notary", kind, roots, subjects=((),), revocation=revocation)
    return TrustRoot(authorities=authorities, notary=(signer,))


def own(name: str, *, tsa: bool = True, revocation: str = "enforce") -> TrustRoot:
    """A root that trusts the last certificate of an envelope."""
    return trusting(read(envelope(name)).certificates[-1], tsa=tsa, revocation=revocation)


def notation_root() -> bytes:
    (found,) = read_roots((NOTARY / "trust" / "NotationTestRoot.pem").read_bytes(), "NotationTestRoot.pem")
    return found


@pytest.mark.parametrize(
    ("name", "kind"), [("ca_valid_sig_env.json", "ca"), ("sa_valid_sig_env.json", "signing-authority")]
)
def test_a_valid_envelope_is_believed(name: str, kind: str) -> None:
    found = assess(envelope(name), trusting(notation_root(), kind=kind), at=AT)
    assert isinstance(found, VerifiedSignature), found
    assert (found.format, found.kind, found.signers) == (Format.NOTARY_JWS, Kind.SIGNATURE, ("notary",))
    assert found.identity.startswith("x509.subject: CN=")
    signed = datetime(2020, 11, 9, 7, tzinfo=UTC)
    if kind == "ca":
        assert not found.times
        assert [claim.time for claim in found.claims] == [signed]
    else:
        assert [(each.time, each.source) for each in found.times] == [(signed, TimeSource.SIGNING_AUTHORITY)]


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("ca_expired_sig_env.json", "ca", RefusalCode.NOTARY_EXPIRED),
        ("ca_plugin_sig_env.json", "ca", RefusalCode.NOTARY_CRITICAL),
        ("sa_invalid_sig_env.json", "signing-authority", RefusalCode.NOTARY_MALFORMED),
        ("sa_valid_sig_env.json", "ca", RefusalCode.NOTARY_UNTRUSTED),
        ("ca_valid_sig_env.json", "signing-authority", RefusalCode.NOTARY_UNTRUSTED),
        ("sa_valid_sig_env.json", "aws-signer", RefusalCode.NOTARY_UNTRUSTED),
    ],
)
def test_a_bad_envelope_and_a_store_of_another_kind_are_refused(name: str, kind: str, code: RefusalCode) -> None:
    found = assess(envelope(name), trusting(notation_root(), kind=kind), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is code, found.reason


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("jwsWithTimestamp.sig", datetime(2024, 6, 18, 6, 29, 37, tzinfo=UTC)),
        ("coseWithTimestamp.sig", datetime(2024, 6, 18, 6, 27, 16, tzinfo=UTC)),
        ("jwsExpiredWithTimestamp.sig", datetime(2024, 6, 18, 7, 21, 42, tzinfo=UTC)),
    ],
)
def test_a_time_stamped_envelope_is_believed_with_its_time(name: str, second: datetime) -> None:
    found = assess(envelope(name), own(name, revocation="log"), at=AT)
    assert isinstance(found, VerifiedSignature), found
    assert [(each.time, each.source) for each in found.times] == [(second, TimeSource.RFC3161)]
    assert any("revocation of the time-stamp authority: could not be checked" in note for note in found.not_checked)


@pytest.mark.parametrize("name", ["jwsWithTimestamp.sig", "coseWithTimestamp.sig", "jwsExpiredWithTimestamp.sig"])
def test_the_authority_of_a_time_is_asked_about(name: str) -> None:
    asked = questions(envelope(name), own(name), at=AT)
    assert len(asked) == 2
    assert all(each.request and each.url.startswith("http://ocsp") for each in asked)
    found = assess(envelope(name), own(name), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    assert "time-stamp authority" in found.reason


def test_a_certificate_that_has_expired_is_believed_because_of_the_token_alone() -> None:
    name = "jwsExpiredWithTimestamp.sig"
    found = assess(envelope(name), own(name, tsa=False), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_TIME


@pytest.mark.parametrize("tsa", [True, False])
def test_a_token_after_the_end_of_the_certificate_does_not_help(tsa: bool) -> None:  # noqa: FBT001 - pytest's way
    name = "timestampAfterNotAfter.sig"
    found = assess(envelope(name), own(name, tsa=tsa), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_TIME


LAYOUTS: Final[list[tuple[str, str, datetime, RefusalCode | None]]] = [
    ("e2e-valid-signature", "e2e.crt", AT, None),
    ("e2e-expired-signature", "e2e.crt", AT, RefusalCode.NOTARY_EXPIRED),
    ("e2e-expired-signature", "e2e.crt", datetime(2023, 6, 27, 5, 20, 30, tzinfo=UTC), None),
    ("e2e-with-timestamped-signature", "", datetime(2025, 1, 21, 10, tzinfo=UTC), None),
    ("e2e-with-timestamped-signature", "", AT, RefusalCode.NOTARY_EXPIRED),
    ("e2e-valid-signature", "new_e2e.crt", AT, RefusalCode.NOTARY_UNTRUSTED),
]


def in_layout(name: str) -> list[Evidence]:
    """The signatures of a layout, found as a store finds them: by their manifests."""
    blobs = NOTARY / "layouts" / name / "blobs" / "sha256"
    found = []
    for blob in sorted(blobs.iterdir()):
        raw = blob.read_bytes()
        if b'"schemaVersion"' not in raw or b'"layers"' not in raw:
            continue
        document: dict[str, Any] = json.loads(raw)
        manifest = parse_manifest(raw, document["mediaType"])
        for layer in attachments.candidates(manifest, legacy=False):
            assert isinstance(manifest, Manifest)
            assert manifest.subject is not None
            payload = (blobs / layer.digest.encoded).read_bytes()
            content = (blobs / manifest.subject.digest.encoded).read_bytes()
            found.append(
                Evidence(manifest.subject.digest, Digest.of(raw), Origin.REFERRER, layer, payload, content=content)
            )
    return found


@pytest.mark.parametrize(("name", "root", "at", "code"), LAYOUTS)
def test_a_layout_signed_by_notation_gives_its_expected_result(
    name: str, root: str, at: datetime, code: RefusalCode | None
) -> None:
    (candidate,) = in_layout(name)
    # The certificate of the time-stamped layout signs itself, and lies in no file beside it.
    roots = read_roots((NOTARY / "trust" / root).read_bytes(), root) if root else read(candidate).certificates
    found = assess(candidate, trusting(*roots), at=at)
    if code is None:
        assert isinstance(found, VerifiedSignature), found
        return
    assert isinstance(found, Refusal)
    assert found.code is code, found.reason


def test_an_identity_is_a_part_of_the_subject() -> None:
    (candidate,) = in_layout("e2e-valid-signature")
    roots = read_roots((NOTARY / "trust" / "e2e.crt").read_bytes(), "e2e.crt")
    for name, believed in (("Notary", True), ("notary", False)):
        subject = (("C", "US"), ("ST", "WA"), ("O", name))
        trust = TrustRoot(notary=(TrustedNotary("notary", "ca", roots, subjects=(subject,)),))
        found = assess(candidate, trust, at=AT + timedelta(days=1))
        assert isinstance(found, VerifiedSignature) is believed
        assert believed or (isinstance(found, Refusal) and found.code is RefusalCode.NOTARY_IDENTITY)
