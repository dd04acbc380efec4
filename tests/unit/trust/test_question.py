"""What sigstore-python is asked about names and issuers that a pattern has to match."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

import pytest
from sigstore.errors import VerificationError

from imgtrust.trust import question
from imgtrust.trust.anchors import TrustedIdentity
from tests.simulators.fulcio import ISSUER
from tests.simulators.sigstore import VirtualSigstore

SIGSTORE = VirtualSigstore()


def ask(issuer: str, **changes: Any) -> None:
    """Ask for an issuer by a pattern, of a certificate that is made with changes."""
    trusted = TrustedIdentity("release", SIGSTORE.root(), re.compile(issuer), re.compile(".+"))
    certified = SIGSTORE.certify(**changes).certified
    assert certified is not None
    question.asked_of([trusted]).verify(certified.certificate)


@pytest.mark.parametrize("changes", [{}, {"issuer_v1": None}, {"issuer_v2": None}], ids=["both", "v2", "v1"])
def test_an_issuer_is_found_in_either_way_of_writing_it(changes: dict[str, Any]) -> None:
    ask(re.escape(ISSUER), **changes)
    with pytest.raises(VerificationError, match="no issuer of the certificate matches"):
        ask(re.escape(ISSUER)[:-1], **changes)


def test_a_certificate_without_an_issuer_matches_nothing() -> None:
    with pytest.raises(VerificationError):
        ask(".*", issuer_v1=None, issuer_v2=None)


@pytest.mark.parametrize(
    "written",
    [b"", b"\x0c", b"\x0c\x80a", b"\x0c\x82\x01\x00" + b"a" * 256],
    ids=["empty", "a tag alone", "no end", "long"],
)
def test_an_issuer_that_is_no_short_text_matches_nothing(written: bytes) -> None:
    with pytest.raises(VerificationError, match="no issuer of the certificate matches"):
        ask("(?s:.*)", issuer_v1=None, issuer_v2=written)


@pytest.mark.parametrize("issuer", [ISSUER, "https://elsewhere.test"])
def test_a_policy_is_content_once_it_was_asked_and_said_yes(issuer: str) -> None:
    asked = question.asked_of([TrustedIdentity("release", SIGSTORE.root(), issuer, re.compile(".+"))])
    certified = SIGSTORE.certify().certified
    assert certified is not None
    assert not asked.content
    with nullcontext() if issuer == ISSUER else pytest.raises(VerificationError):
        asked.verify(certified.certificate)
    assert asked.content is (issuer == ISSUER)


def test_an_empty_text_is_a_text() -> None:
    ask("", issuer_v1=None, issuer_v2=b"\x0c\x00")
