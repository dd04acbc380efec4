"""The values between the store and belief: plain, frozen, and true of nothing by themselves."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from imgtrust.content import describe
from imgtrust.evidence import Claim, Evidence, Format, Found, Kind, Origin, Signed, Statement, Unread
from imgtrust.reference import Digest

DIGEST = Digest.of(b"image")


def test_the_formats_are_those_of_the_report() -> None:
    assert {str(each) for each in Format} == {
        "sigstore-bundle",
        "cosign-simplesigning",
        "notary-jws",
        "notary-cose",
        "unknown",
    }
    assert {str(each) for each in Kind} == {"signature", "attestation"}
    assert {str(each) for each in Origin} == {"referrer", "legacy-tag"}


def test_evidence_cannot_be_changed_after_it_was_found() -> None:
    evidence = Evidence(DIGEST, DIGEST, Origin.REFERRER, describe(b"x", "a/b"), b"x")
    with pytest.raises(FrozenInstanceError):
        evidence.payload = b"y"  # type: ignore[misc]  # to see it refused


def test_content_that_was_signed_is_not_printed_by_accident() -> None:
    signed = Signed(Format.BUNDLE, Kind.SIGNATURE, b"the signature", b"the message", (), stamped=(b"stamped",))
    statement = Statement("type", (), "the predicate")
    evidence = Evidence(DIGEST, DIGEST, Origin.REFERRER, describe(b"x", "a/b"), b"the payload")
    shown = repr((signed, statement, evidence))
    for secret in ("the signature", "the message", "stamped=", "the predicate", "the payload"):
        assert secret not in shown


def test_nothing_found_is_empty() -> None:
    found = Found(DIGEST)
    assert (found.evidence, found.claims, found.unread, found.platform) == ((), (), (), None)
    assert Unread("page 2", "503").reason == "503"
    assert Claim(DIGEST, DIGEST, "a/b", "an SBOM").description == "an SBOM"
