"""AWS Signer is asked as its API wants it, and whatever it does is an answer or a reason why there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.errors import ServiceError
from imgtrust.signers.awsservices import open_client
from imgtrust.signers.awssigner import RevocationStatus
from tests.simulators.awssigner import KEYS, Signer, refusal
from tests.simulators.loopback import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-west-3"
PROFILE = f"arn:aws:signer:{REGION}:111122223333:/signing-profiles/release/abcdefghij"
JOB = f"arn:aws:signer:{REGION}:111122223333:/signing-jobs/0"
HASHES = ["a" * 192, "b" * 192]


@pytest.fixture
def signer() -> Iterator[Signer]:
    with Signer() as running:
        yield running


def asked() -> bytes:
    parameters = {
        "signatureTimestamp": "2026-03-01T12:00:00+00:00",
        "platformId": "Notation-OCI-SHA384-ECDSA",
        "profileVersionArn": PROFILE,
        "jobArn": JOB,
        "certificateHashes": HASHES,
    }
    return json.dumps(parameters).encode()


def ask(environment: dict[str, str]) -> Any:
    return json.loads(RevocationStatus(environment).ask(REGION, asked()))


def test_it_is_asked_about_all_that_can_be_revoked(signer: Signer) -> None:
    assert ask(signer.environment) == {"revokedEntities": []}
    (request,) = signer.loopback.requests
    assert request.query == {
        "signatureTimestamp": ["2026-03-01T12:00:00Z"],
        "platformId": ["Notation-OCI-SHA384-ECDSA"],
        "profileVersionArn": [PROFILE],
        "jobArn": [JOB],
        "certificateHashes": HASHES,
    }


@pytest.mark.parametrize("entity", [PROFILE, JOB, HASHES[1]])
def test_what_is_revoked_is_told(signer: Signer, entity: str) -> None:
    signer.revoked = {entity}
    assert ask(signer.environment) == {"revokedEntities": [entity]}


def test_a_region_has_one_client(signer: Signer) -> None:
    status = RevocationStatus(signer.environment)
    assert status._client(REGION) is status._client(REGION)
    assert status._client(REGION) is not status._client("us-east-1")


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'{"revokedEntities": ', b""])
def test_what_comes_is_given_as_it_came(signer: Signer, body: bytes) -> None:
    """Botocore would make the same of all of these: an answer in which nothing is revoked."""
    signer.loopback.fault(reply=Reply(200, (("Content-Type", "application/json"),), body))
    assert RevocationStatus(signer.environment).ask(REGION, asked()) == body


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refusal(403, "AccessDeniedException"), "GetRevocationStatus in eu-west-3: AWS says AccessDeniedException: no"),
        (refusal(400, "ValidationException"), "AWS says ValidationException"),
        (Reply(302, (("Location", "/elsewhere"),)), "AWS says 302"),
    ],
    ids=["denied", "not valid", "elsewhere"],
)
def test_what_is_no_answer_is_a_reason(signer: Signer, reply: Reply, said: str) -> None:
    signer.loopback.fault(reply=reply, times=None)
    with pytest.raises(ServiceError, match=said):
        ask(signer.environment)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServiceErrorException"])
def test_who_is_busy_is_asked_again(signer: Signer, code: str) -> None:
    signer.loopback.fault(reply=refusal(429 if code.startswith("Throttling") else 500, code), times=1)
    assert ask(signer.environment) == {"revokedEntities": []}
    assert len(signer.loopback.requests) == 2


def test_nobody_there_is_a_reason() -> None:
    with pytest.raises(ServiceError, match="AWS could not be asked"):
        ask({**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no address", "AWS could not be asked"),
        ("http://[", "AWS could not be asked"),
        ("ftp://signer.test", "not the address of a service of AWS"),
        ("http://signer.test", "not asked without TLS"),
    ],
)
def test_an_address_that_is_not_asked_is_a_reason(address: str, said: str) -> None:
    for variable in ("AWS_ENDPOINT_URL_SIGNER", "AWS_ENDPOINT_URL"):
        with pytest.raises(ServiceError, match=said):
            ask({**KEYS, variable: address})


def test_an_address_in_the_files_of_aws_is_held_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://signer.test\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(ServiceError, match="not asked without TLS"):
        ask(dict(KEYS))


def test_it_is_asked_at_its_own_place_where_no_other_is_named() -> None:
    client = open_client("signer", REGION, KEYS, variable="SIGNER")
    assert client.meta.endpoint_url == "https://signer.eu-west-3.amazonaws.com"
    assert client.meta.config.inject_host_prefix


def test_without_credentials_the_right_that_is_needed_is_said(
    signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ServiceError, match="no AWS credentials were found; they need signer:GetRevocationStatus"):
        ask({"AWS_ENDPOINT_URL_SIGNER": signer.loopback.base})
    with pytest.raises(ServiceError, match="ProfileNotFound"):
        ask({"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL_SIGNER": signer.loopback.base})
