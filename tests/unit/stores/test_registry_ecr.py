"""Amazon ECR: host names, tokens per endpoint, pace, and what its registry does differently (AWS by moto)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from imgtrust.errors import (
    AccessDenied,
    NotFound,
    StoreProtocol,
    StoreUnavailable,
    TooManyRequests,
    UsageError,
)
from imgtrust.stores import ecr
from imgtrust.stores.auth import Authorizer
from imgtrust.stores.credentials import Credential
from imgtrust.stores.ecrhosts import EcrHost, parse_ecr_host
from imgtrust.stores.endpoint import Endpoint
from imgtrust.stores.keyring import OPT_OUT, Keyring
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.registry import catalog
from imgtrust.stores.retry import TokenBucket
from tests.simulators.clients import Clock, opened
from tests.simulators.images import image, push
from tests.simulators.loopback import Loopback, Reply, Request
from tests.simulators.registry import ECR, RegistrySimulator

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "123456789012.dkr.ecr.eu-west-3.amazonaws.com"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_SESSION_TOKEN": "made-up"}


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HOST, EcrHost("123456789012", "eu-west-3")),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", EcrHost("123456789012", "us-gov-west-1", fips=True)),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", EcrHost("123456789012", "cn-north-1")),
        ("123456789012.dkr-ecr.eu-west-3.on.aws", EcrHost("123456789012", "eu-west-3", dual_stack=True)),
        (
            "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            EcrHost("123456789012", "cn-north-1", dual_stack=True),
        ),
        ("public.ecr.aws", EcrHost("", "us-east-1")),
        ("12345678901.dkr.ecr.eu-west-3.amazonaws.com", None),
        (f"{HOST}.evil.example", None),
        (f"evil.{HOST}", None),
        (f"{HOST}:443", None),
        ("registry.example", None),
    ],
)
def test_hosts_of_ecr_are_told_apart(host: str, expected: EcrHost | None) -> None:
    assert parse_ecr_host(host) == expected


@pytest.mark.usefixtures("aws")
def test_a_token_of_ecr_is_a_user_and_a_password() -> None:
    given = ecr.authorization(EcrHost("123456789012", "eu-west-3"), StoreOptions(environment=KEYS))
    assert given is not None
    credential, until = given
    assert credential.username == "AWS"
    assert credential.password
    assert until.tzinfo is not None
    assert "eu-west-3" in credential.source
    assert "made-up" not in repr(credential)


@pytest.mark.usefixtures("aws")
def test_the_keyring_asks_aws_and_keeps_the_token_for_a_while() -> None:
    clock = Clock()
    keyring = Keyring(HOST, StoreOptions(environment=KEYS), clock)
    first = keyring.find("team/app")
    assert first is not None
    assert keyring.find("team/other") is first
    clock.pass_time(61)  # moto's tokens expired in 2015, so they are kept for the shortest time only.
    second = keyring.find("team/app")
    assert second is not first


@pytest.mark.usefixtures("aws")
def test_ecr_may_be_opted_out_of(tmp_path: Any) -> None:
    keyring = Keyring(HOST, StoreOptions(environment={**KEYS, OPT_OUT: "1", "HOME": str(tmp_path)}), Clock())
    assert keyring.find("team/app") is None


@pytest.mark.usefixtures("aws")
def test_a_role_is_assumed_for_this_endpoint_only() -> None:
    role = "arn:aws:iam::444455556666:role/promotion"
    given = ecr.authorization(EcrHost("123456789012", "eu-west-3"), StoreOptions(environment=KEYS, aws_role=role))
    assert given is not None
    assert given[0].source.endswith(role)


def test_a_profile_that_is_not_there_is_wrong_usage() -> None:
    options = StoreOptions(environment=KEYS, aws_profile="no-such-profile-anywhere")
    with pytest.raises(UsageError, match="no-such-profile-anywhere"):
        ecr.authorization(EcrHost("123456789012", "eu-west-3"), options)


@pytest.mark.usefixtures("aws")
def test_repositories_of_ecr_are_listed_by_its_own_api() -> None:
    client = boto3.client("ecr", region_name="eu-west-3", aws_access_key_id="x", aws_secret_access_key="x")
    for name in ("team/app", "team/base", "prod/app"):
        client.create_repository(repositoryName=name, registryId="123456789012")
    listed = catalog(HOST, StoreOptions(environment=KEYS)).repositories("team")
    assert sorted(listed) == ["team/app", "team/base"]


def _aws(reply: Reply) -> Loopback:
    return Loopback(lambda _: reply)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "AccessDeniedException", AccessDenied),
        (400, "ExpiredTokenException", AccessDenied),
        (400, "RepositoryNotFoundException", NotFound),
        (400, "ValidationException", StoreProtocol),
    ],
)
def test_each_refusal_of_aws_has_its_own_error(status: int, code: str, error: type[Exception]) -> None:
    body = f'{{"__type":"{code}","message":"in its own words"}}'.encode()
    reply = Reply(status, (("Content-Type", "application/x-amz-json-1.1"),), body)
    with _aws(reply) as server:
        options = StoreOptions(environment={**KEYS, "AWS_ENDPOINT_URL": server.base})
        with pytest.raises(error, match="in its own words"):
            ecr.authorization(EcrHost("123456789012", "eu-west-3"), options)


@pytest.mark.parametrize("code", ["ThrottlingException", "ServerException"])
def test_a_busy_aws_is_retryable(code: str) -> None:
    exc = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "X")  # type: ignore[typeddict-item]  # as short as can be

    def ask() -> None:
        raise exc

    with pytest.raises((TooManyRequests, StoreUnavailable)):
        ecr._call(ask, "X")


def test_an_aws_that_cannot_be_reached_is_no_answer() -> None:
    def ask() -> None:
        raise EndpointConnectionError(endpoint_url="https://api.ecr.example")

    with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
        ecr._call(ask, "X")


@pytest.mark.parametrize("token", ["not base64!", base64.b64encode(b"no colon").decode()])
def test_what_is_no_token_is_not_used(token: str) -> None:
    body = f'{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":1}}]}}'.encode()
    with _aws(Reply(200, (("Content-Type", "application/x-amz-json-1.1"),), body)) as server:
        options = StoreOptions(environment={**KEYS, "AWS_ENDPOINT_URL_ECR": server.base})
        with pytest.raises(StoreProtocol):
            ecr.authorization(EcrHost("123456789012", "eu-west-3"), options)


def test_ecr_public_has_an_api_of_its_own() -> None:
    token = base64.b64encode(b"AWS:public-password").decode()
    body = f'{{"authorizationData":{{"authorizationToken":"{token}","expiresAt":4102444800}}}}'.encode()
    with _aws(Reply(200, (("Content-Type", "application/x-amz-json-1.1"),), body)) as server:
        options = StoreOptions(environment={**KEYS, "AWS_ENDPOINT_URL_ECR_PUBLIC": server.base})
        given = ecr.authorization(EcrHost("", "us-east-1"), options)
        assert given is not None
        assert given[0].password == "public-password"
        assert given[1] == datetime(2100, 1, 1, tzinfo=UTC)
        assert server.requests[0].headers["x-amz-target"].startswith("SpencerFrontendService.")


def test_ecr_is_sent_basic_at_once_and_its_pace_is_kept() -> None:
    clock = Clock()
    endpoint = Endpoint(
        HOST, StoreOptions(environment={OPT_OUT: "1"}), waiter=clock, credential=Credential("t", "AWS", "p")
    )
    try:
        assert endpoint.base == f"https://{HOST}"
        assert endpoint.auth.header("team/app", frozenset()) == Credential("t", "AWS", "p").basic()
        assert endpoint.pace is not None
        for _ in range(30):
            endpoint.pace.take()
        assert 1.8 <= sum(clock.slept) <= 2.2
    finally:
        endpoint.close()
    public = Endpoint("public.ecr.aws", StoreOptions(environment={OPT_OUT: "1"}))
    assert public.pace is None
    public.close()


def test_a_token_bucket_fills_while_time_passes() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 2, clock)
    bucket.take()
    bucket.take()
    assert clock.slept == []
    bucket.take()
    assert clock.slept == [pytest.approx(0.1)]
    clock.pass_time(10)
    bucket.take()
    assert len(clock.slept) == 2


def test_an_expired_token_of_ecr_is_renewed_once() -> None:
    body = b'{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate."}]}'
    expired = Reply(403, (("Content-Type", "application/json"),), body)
    made = image()
    with (
        RegistrySimulator(ECR, user=("AWS", "p")) as registry,
        opened(registry, credential=Credential("t", "AWS", "p")) as store,
    ):
        push(store, made, "1.0")
        registry.fault("/manifests/", "GET", reply=expired)
        assert store.resolve("1.0").digest == made.digest
        registry.fault("/manifests/", "GET", times=None, reply=expired)
        with pytest.raises(AccessDenied, match="expired"):
            store.resolve("1.0")


def test_a_repository_that_has_to_be_created_first_is_named() -> None:
    with (
        RegistrySimulator(ECR) as registry,
        opened(registry, "no/such") as store,
        pytest.raises(NotFound, match="NAME_UNKNOWN"),
    ):
        push(store, image())


def test_basic_without_credentials_is_nothing_at_all() -> None:
    def never(**_: object) -> Any:
        raise AssertionError

    authorizer = Authorizer("https://x.example", lambda _: None, never, Clock(), basic=True)
    assert authorizer.header("team/app", frozenset()) is None
    assert "no credentials" in authorizer.describe("team/app")


def test_a_request_of_aws_is_logged_by_nobody_with_its_keys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "imgtrust")
    seen: list[Request] = []

    def handle(request: Request) -> Reply:
        seen.append(request)
        return Reply(400, (("Content-Type", "application/x-amz-json-1.1"),), b'{"__type":"AccessDeniedException"}')

    with Loopback(handle) as server:
        options = StoreOptions(environment={**KEYS, "AWS_ENDPOINT_URL": server.base})
        with pytest.raises(AccessDenied) as caught:
            Keyring(HOST, options, Clock()).find("team/app")
    assert seen
    assert "made-up" not in str(caught.value) + caplog.text
