"""Amazon ECR's own API: authorization tokens and the list of repositories, through boto3.

Knows how AWS credentials are chosen for one endpoint (profile, role); knows nothing of HTTP to the registry. boto3
is imported when an ECR host is first asked, which takes 0.1 s.
"""

from __future__ import annotations

import base64
import binascii
import logging
from typing import TYPE_CHECKING, Any, Final, NoReturn

from imgtrust.errors import AccessDenied, NotFound, StoreProtocol, StoreUnavailable, TooManyRequests, UsageError
from imgtrust.stores.credentials import Credential

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from imgtrust.stores.ecrhosts import EcrHost
    from imgtrust.stores.options import StoreOptions

__all__ = ["authorization", "repositories"]

_SESSION_NAME: Final = "imgtrust"
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
_THROTTLED: Final = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})
_log = logging.getLogger("imgtrust.stores.ecr")


def authorization(host: EcrHost, options: StoreOptions) -> tuple[Credential, datetime] | None:
    """The user and password for a registry of ECR, and when they expire (12 hours, as a rule).

    None where AWS credentials are found nowhere and none were asked for by profile or role.

    Raises:
        AccessDenied: AWS does not know or does not let the caller.
        UsageError: there is no such profile.
        StoreError: AWS does not answer.
    """
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - start-up time

    service = "ecr-public" if host.is_public else "ecr"
    try:
        answer = _call(lambda: _client(service, host, options).get_authorization_token(), "GetAuthorizationToken")
    except NoCredentialsError:
        if options.aws_profile or options.aws_role:
            message = "no AWS credentials were found for the profile or role that was named for this endpoint"
            raise AccessDenied(message) from None
        _log.info("no AWS credentials were found for ECR; looking further")
        return None
    data = answer["authorizationData"]
    data = data[0] if isinstance(data, list) else data
    try:
        user, colon, password = (
            base64.b64decode(data["authorizationToken"], validate=True).decode("ascii").partition(":")
        )
    except (binascii.Error, ValueError) as exc:
        message = "ECR's GetAuthorizationToken answered with something else than a token"
        raise StoreProtocol(message) from exc
    if not colon:
        message = "ECR's GetAuthorizationToken answered with a token without a password"
        raise StoreProtocol(message)
    return Credential(_source(host, options), user, password), data["expiresAt"]


def repositories(host: EcrHost, options: StoreOptions) -> Iterator[str]:
    """The names of all repositories of a registry of ECR, page by page (DescribeRepositories).

    Raises:
        StoreError: as ``authorization``.
    """
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - start-up time

    what = "DescribeRepositories"
    arguments: dict[str, Any] = {} if host.is_public else {"registryId": host.account}
    try:
        client = _client("ecr-public" if host.is_public else "ecr", host, options)
        pages = iter(client.get_paginator("describe_repositories").paginate(**arguments))
        while (page := _call(lambda: next(pages, None), what)) is not None:
            for repository in page["repositories"]:
                yield str(repository["repositoryName"])
    except NoCredentialsError as exc:
        message = f"{what}: no AWS credentials were found; they are needed to list the repositories of an ECR registry"
        raise AccessDenied(message) from exc


def _source(host: EcrHost, options: StoreOptions) -> str:
    """Who asked AWS, for messages."""
    who = (
        options.aws_role
        or options.aws_profile
        or options.environment.get("AWS_PROFILE")
        or "the default AWS credentials"
    )
    return f"ECR token for {host.region}, as {who}"


def _client(service: str, host: EcrHost, options: StoreOptions) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """A client with this endpoint's own profile and role."""
    import boto3.session  # noqa: PLC0415 - start-up time
    from botocore.config import Config  # noqa: PLC0415 - the same
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415 - the same

    environment = options.environment
    config = Config(
        connect_timeout=min(10.0, options.timeout),
        read_timeout=options.timeout,
        retries={"mode": "standard", "total_max_attempts": 4},
        use_fips_endpoint=host.fips,
        use_dualstack_endpoint=host.dual_stack,
    )
    keys: dict[str, Any] = {} if options.aws_profile else _keys(environment)
    profile = options.aws_profile or (None if keys else environment.get("AWS_PROFILE"))
    try:
        session = boto3.session.Session(profile_name=profile, region_name=host.region, **keys)
    except ProfileNotFound as exc:
        message = f"there is no AWS profile {profile!r} in the AWS configuration files"
        raise UsageError(message) from exc
    if options.aws_role:
        sts = session.client("sts", config=config, endpoint_url=_address("STS", environment))
        role = options.aws_role
        assumed = _call(lambda: sts.assume_role(RoleArn=role, RoleSessionName=_SESSION_NAME), f"AssumeRole {role}")
        given = assumed["Credentials"]
        session = boto3.session.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=host.region
        )
    make: Any = session.client
    return make(service, config=config, endpoint_url=_address(service.upper().replace("-", "_"), environment))


def _keys(environment: Any) -> dict[str, str]:  # noqa: ANN401 - a mapping
    """Keys that the environment names, in boto3's words; boto3 looks for all other sources by itself."""
    names = {
        "aws_access_key_id": "AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "aws_session_token": "AWS_SESSION_TOKEN",
    }
    found = {name: environment[variable] for name, variable in names.items() if environment.get(variable)}
    return found if "aws_access_key_id" in found and "aws_secret_access_key" in found else {}


def _address(service: str, environment: Any) -> str | None:  # noqa: ANN401 - a mapping
    """Another address of an AWS service (AWS_ENDPOINT_URL, or the one of that service)."""
    found: str | None = environment.get(f"AWS_ENDPOINT_URL_{service}") or environment.get("AWS_ENDPOINT_URL")
    return found


def _call(ask: Any, what: str) -> Any:  # noqa: ANN401 - boto3 answers with dicts
    """Ask AWS; its errors in our words. Only a lack of credentials is left to the caller."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415 - start-up time

    try:
        return ask()
    except NoCredentialsError:
        raise
    except ClientError as exc:
        _refused(exc, what)
    except BotoCoreError as exc:
        message = f"{what}: AWS could not be asked ({type(exc).__name__})"
        raise StoreUnavailable(message) from exc


def _refused(exc: Any, what: str) -> NoReturn:  # noqa: ANN401 - a ClientError, which is imported late
    error = exc.response.get("Error", {})
    code, text = str(error.get("Code")), str(error.get("Message"))[:300]
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{what}: AWS says {code}: {text}"
    if code in _DENIED:
        message += ". Check the credentials, the role and the IAM permissions of this endpoint"
        raise AccessDenied(message) from exc
    if code in _THROTTLED:
        raise TooManyRequests(message) from exc
    if code == "RepositoryNotFoundException":
        raise NotFound(message) from exc
    if status >= 500:  # noqa: PLR2004 - HTTP
        raise StoreUnavailable(message) from exc
    raise StoreProtocol(message) from exc
