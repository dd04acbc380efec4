"""The bytes of the image beside a signature: they are the subject's, and having them excuses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.evidence import (
    AT,
    IMAGE,
    MANIFEST,
    Key,
    bundle,
    evidence,
    message_bundle,
    signature_layer,
    simple_payload,
    statement,
    trusting,
)

KEY = Key.new()
OTHER = Digest.of(b"another image")


@pytest.mark.parametrize("shape", ["statement", "simple signing", "message"])
def test_a_signature_of_another_image_is_refused_whatever_is_at_hand(shape: str) -> None:
    made = {
        "statement": evidence(bundle(KEY, statement(OTHER))),
        "simple signing": signature_layer(KEY, simple_payload(str(OTHER))),
        "message": evidence(message_bundle(KEY, OTHER)),
    }[shape]
    for content in (None, MANIFEST):
        found = assess(replace(made, content=content), trusting(KEY), at=AT)
        assert isinstance(found, Refusal)
        assert found.code in {
            RefusalCode.STATEMENT_SUBJECT,
            RefusalCode.SIMPLESIGNING_SUBJECT,
            RefusalCode.BUNDLE_DIGEST,
        }


@pytest.mark.parametrize("shape", ["statement", "simple signing", "message"])
def test_bytes_that_are_not_the_image_s_refuse_every_shape(shape: str) -> None:
    made = {
        "statement": evidence(bundle(KEY)),
        "simple signing": signature_layer(KEY),
        "message": evidence(message_bundle(KEY)),
    }[shape]
    for content in (None, MANIFEST):
        assert isinstance(assess(replace(made, content=content), trusting(KEY), at=AT), VerifiedSignature)
    found = assess(replace(made, content=b"other bytes"), trusting(KEY), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.BUNDLE_DIGEST
    assert f"are not those of {IMAGE.short}" in found.reason
