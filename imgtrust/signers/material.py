"""Where the bytes of a key lie: the key references of CLI.md section 1.

Knows files, variables and AWS Secrets Manager; knows nothing of what a key looks like. The bytes may be secret:
they are in no message and no log.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from imgtrust.errors import InputFileError, KeyUnusable, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_KEY_BYTES", "NO_ENVIRONMENT", "read_limited", "read_material"]

NO_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({})
MAX_KEY_BYTES: Final = 64 * 1024
"""The largest key file that is read: an RSA 4096 key as PEM has 3.5 kB."""

_ENV: Final = "env://"
_SECRET: Final = "awssm://"  # noqa: S105 - the scheme of a name, no secret
_KMS: Final = "awskms://"
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "DecryptionFailure",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidParameterException",
        "InvalidRequestException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
"""Answers of Secrets Manager after which asking again will not help."""


def read_material(reference: str, environment: Mapping[str, str]) -> bytes:
    """The bytes behind a key reference: ``FILE``, ``env://NAME`` or ``awssm://SECRET`` (a name or an ARN).

    Raises:
        KeyUnusable: there are none, or the scheme is one that holds no bytes or is not known.
        Undecided: AWS did not answer.
    """
    if reference.startswith(_ENV):
        name = reference.removeprefix(_ENV)
        value = environment.get(name)
        if not value:
            message = (
                f"the key env://{name} cannot be read: the environment has no variable of that name, or it is empty"
            )
            raise KeyUnusable(message)
        return value.encode("utf-8", "surrogateescape")
    if reference.startswith(_SECRET):
        return _secret(reference.removeprefix(_SECRET), environment)
    if reference.startswith(_KMS):
        message = f"the key {reference} is held by AWS KMS, which is not in this version of imgtrust; use a key file"
        raise KeyUnusable(message)
    if "://" in reference:
        scheme = reference.partition("://")[0]
        message = f"a key by {scheme[:32]}:// is not known here; expected FILE, env://NAME or awssm://SECRET"
        raise KeyUnusable(message)
    try:
        return read_limited(reference, "key", MAX_KEY_BYTES)
    except InputFileError as exc:
        raise KeyUnusable(str(exc)) from exc


def read_limited(path: str, what: str, limit: int) -> bytes:
    """The bytes of a file (or a pipe) of at most ``limit`` bytes.

    Raises:
        InputFileError: it is absent, larger, or cannot be read.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the path is shown as the user wrote it
            data = file.read(limit + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not the name of a file"
        message = f"cannot read the {what} {path!r}: {reason}"
        raise InputFileError(message) from exc
    if len(data) > limit:
        message = f"cannot read the {what} {path!r}: it has more than {limit} bytes"
        raise InputFileError(message)
    return data


def _secret(name: str, environment: Mapping[str, str]) -> bytes:
    """The value of a secret, text or binary."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError  # noqa: PLC0415 - slow

    what = f"the key awssm://{name}"
    try:
        answer = _secrets_manager(name, environment).get_secret_value(SecretId=name)
    except ClientError as exc:
        code = str(exc.response.get("Error", {}).get("Code", ""))
        message = f"{what} cannot be read: AWS Secrets Manager answered {code or 'an error'}"
        if code in _DENIED:
            message += "; check the name, the region and the right secretsmanager:GetSecretValue"
            raise KeyUnusable(message) from exc
        message += "; run it again"
        raise Undecided(message) from exc
    except (NoCredentialsError, NoRegionError) as exc:
        message = f"{what} cannot be read: no AWS {'region' if isinstance(exc, NoRegionError) else 'credentials'} found"
        raise KeyUnusable(message) from exc
    except BotoCoreError as exc:
        message = f"{what} cannot be read: AWS Secrets Manager did not answer ({type(exc).__name__}); run it again"
        raise Undecided(message) from exc
    text = answer.get("SecretString")
    return bytes(answer["SecretBinary"]) if text is None else str(text).encode()


def _secrets_manager(name: str, environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - boto3 makes it at run time
    """A client in the region of the ARN, else of the environment."""
    from imgtrust.signers.awsservices import open_client  # noqa: PLC0415 - needed here only

    parts = name.split(":")
    region = parts[3] if name.startswith("arn:") and len(parts) > 3 else None  # noqa: PLR2004 - arn:aws:service:REGION
    return open_client("secretsmanager", region, environment, variable="SECRETS_MANAGER")
