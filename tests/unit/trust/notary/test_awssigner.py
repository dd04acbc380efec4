"""What AWS Signer is asked about a signature, and what each of its answers makes of it under each policy."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.refusals import RefusalCode
from imgtrust.trust.notary.answers import Answer, Question, Revocations
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.notaryenvelopes import (
    AT,
    AWS_ATTRIBUTES,
    PROFILE,
    SIGNED,
    aws_header,
    evidence,
    jws,
    notary,
    trusting,
)
from tests.simulators.pki import authority, leaf

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence
    from imgtrust.trust.roots import TrustRoot

ROOT = authority()
INTERMEDIATE = authority("intermediate", ROOT)
LEAF = leaf(INTERMEDIATE, ocsp=("http://ocsp.invalid/",), crl=("http://crl.invalid/",))
CHAIN = (LEAF, INTERMEDIATE, ROOT)
JOB = AWS_ATTRIBUTES["com.amazonaws.signer.signingJob"]


def signed(**changes: Any) -> Evidence:
    return evidence(jws(CHAIN, protected=aws_header(LEAF, **changes)))


def trust(*modes: str) -> TrustRoot:
    """A signer ``aws-MODE`` for each mode."""
    signers = [
        notary(ROOT, name=f"aws-{mode}", kind="aws-signer", profiles=(PROFILE,), revocation=mode) for mode in modes
    ]
    return trusting(*signers)


def hashes() -> list[str]:
    digests = [hashlib.sha384(each.certificate.tbs_certificate_bytes).hexdigest() for each in CHAIN]
    return [digests[0] + digests[1], digests[1] + digests[2], digests[2] + digests[2]]


def answered(data: bytes | None, reason: str = "") -> VerifiedSignature | Refusal:
    """What is believed under enforce, with this answer."""
    candidate, root = signed(), trust("enforce")
    (asked,) = questions(candidate, root, at=AT)
    known = Revocations({asked.key: Answer(data, reason)}, AT)
    assert questions(candidate, root, at=AT, revocations=known) == ()
    return assess(candidate, root, at=AT, revocations=known)


def test_it_is_asked_in_the_region_of_the_profile_about_all_that_it_may_revoke() -> None:
    (asked,) = questions(signed(), trust("enforce"), at=AT)
    assert asked == Question("aws-signer:eu-west-3", asked.request, b"")
    assert json.loads(asked.request) == {
        "signatureTimestamp": SIGNED.isoformat(),
        "platformId": "Notation-OCI-SHA384-ECDSA",
        "profileVersionArn": PROFILE,
        "jobArn": JOB,
        "certificateHashes": hashes(),
    }
    assert datetime.fromisoformat(json.loads(asked.request)["signatureTimestamp"]) == SIGNED.astimezone(UTC)


@pytest.mark.parametrize("modes", [("enforce",), ("log",), ("skip", "log"), ("skip", "enforce")], ids=str)
def test_it_is_asked_where_any_signer_wants_to_know(modes: tuple[str, ...]) -> None:
    assert len(questions(signed(), trust(*modes), at=AT)) == 1


def test_it_is_not_asked_where_nobody_wants_to_know_and_about_nothing_that_is_refused() -> None:
    assert questions(signed(), trust("skip"), at=AT) == ()
    assert questions(signed(), trusting(notary(authority(), kind="aws-signer", profiles=(PROFILE,))), at=AT) == ()


@pytest.mark.parametrize(
    "data", [b'{"revokedEntities": []}', b"{}", b"{}".ljust(256 * 1024)], ids=["list", "bare", "long"]
)
def test_nothing_that_is_revoked_is_well(data: bytes) -> None:
    found = answered(data)
    assert isinstance(found, VerifiedSignature)
    assert (found.signers, found.not_checked) == (("aws-enforce",), ())


@pytest.mark.parametrize(
    "entities", [[PROFILE], [JOB], [hashes()[0]], [JOB, PROFILE]], ids=["profile", "job", "certificate", "two"]
)
def test_whatever_is_revoked_refuses(entities: list[str]) -> None:
    found = answered(json.dumps({"revokedEntities": entities}).encode())
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOKED
    assert found.reason == f"revocation: AWS Signer says that it revoked {', '.join(entities)}"


def test_what_is_shown_of_it_is_bounded() -> None:
    found = answered(json.dumps({"revokedEntities": ["a" * 1000]}).encode())
    assert isinstance(found, Refusal)
    assert len(found.reason) == len("revocation: ") + 300


BROKEN = [
    b"",
    b"[]",
    b"<html>",
    b'{"revokedEntities": ',
    b'{"revokedEntities": null}',
    b'{"message": "sign in first"}',
    b'{"revokedEntities": "x"}',
    b'{"revokedEntities": {}}',
    b'{"revokedEntities": [1]}',
    b'{"revokedEntities": ["x"], "revokedEntities": []}',
    b"{}".ljust(256 * 1024 + 1),
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_answer_cannot_tell(data: bytes) -> None:
    found = answered(data)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    assert "not one to GetRevocationStatus" in found.reason


def test_who_does_not_answer_cannot_tell() -> None:
    found = answered(None, "AWS says AccessDeniedException")
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    assert found.reason == "revocation: AWS Signer did not say: AWS says AccessDeniedException"


def test_who_was_not_asked_cannot_tell_and_each_policy_makes_of_it_what_it_says() -> None:
    found = assess(signed(), trust("enforce"), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    assert found.reason == "revocation: AWS Signer was not asked (GetRevocationStatus)"
    for mode, note in (
        ("log", "revocation: could not be checked (log): AWS Signer was not asked (GetRevocationStatus)"),
        ("skip", "revocation: not asked, as the policy says (skip)"),
    ):
        believed = assess(signed(), trust(mode), at=AT)
        assert isinstance(believed, VerifiedSignature)
        assert believed.not_checked == (note,)
    both = assess(signed(), trust("enforce", "log"), at=AT)
    assert isinstance(both, VerifiedSignature)
    assert both.signers == ("aws-log",)


@pytest.mark.parametrize(
    "job",
    [
        "",
        "x",
        f"{JOB}\n",
        f"{JOB}/x",
        JOB[:-1],
        JOB.replace("111122223333", "1"),
        JOB.replace("signer", "s3"),
        f"{JOB[:-1]}{'a' * 65}",
    ],
    ids=["none", "no ARN", "a line more", "a part more", "no id", "no account", "no signer", "too long"],
)
def test_a_signature_that_names_no_job_cannot_be_asked_about(job: str) -> None:
    candidate = signed(**{"com.amazonaws.signer.signingJob": job})
    assert questions(candidate, trust("enforce"), at=AT) == ()
    found = assess(candidate, trust("enforce"), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN
    assert "names no signing job" in found.reason


@pytest.mark.parametrize("place", ["eu-west-3", "us-gov-west-1"])
def test_a_job_of_another_place_is_for_aws_to_judge(place: str) -> None:
    candidate = signed(**{"com.amazonaws.signer.signingJob": f"arn:aws:signer:{place}:111122223333:/signing-jobs/a-Z9"})
    assert len(questions(candidate, trust("enforce"), at=AT)) == 1
