"""Clients of AWS's own services with the credentials of the environment; boto3 is imported when one is first opened.

Knows how a client is made and bounded; knows nothing of what a service is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imgtrust.signers.addresses import check_address

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["open_client"]


def open_client(service: str, region: str | None, environment: Mapping[str, str], *, variable: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """A client of a service (boto3's name) in a region; None for the region of the environment.

    Another address may be named as AWS's own tools take it: in ``AWS_ENDPOINT_URL_`` and ``variable``, or in
    ``AWS_ENDPOINT_URL``. It is taken as it is, without what the service puts before the host.

    Raises:
        UsageError: the address is plain HTTP and not on loopback.
        BotoCoreError, ValueError: there is no such profile or region, or no such address (boto3's own).
    """
    import boto3  # noqa: PLC0415 - slow to import, needed here only
    from botocore.config import Config  # noqa: PLC0415 - as above

    address = environment.get(f"AWS_ENDPOINT_URL_{variable}") or environment.get("AWS_ENDPOINT_URL")
    session = boto3.session.Session(
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        profile_name=environment.get("AWS_PROFILE"),
        region_name=region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
    )
    limits = Config(
        connect_timeout=5,
        read_timeout=15,
        retries={"mode": "standard", "max_attempts": 3},
        inject_host_prefix=not address,
    )
    make: Any = session.client
    client = make(service, config=limits, endpoint_url=address or None)
    check_address(client.meta.endpoint_url, "service of AWS")  # AWS's configuration files may name one as well
    return client
