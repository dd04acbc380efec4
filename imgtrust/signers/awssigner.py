"""AWS Signer, asked whether it revoked a signature, its profile or its certificates (``GetRevocationStatus``).

Knows how its API is reached and what its errors mean; knows nothing of what is asked about or of what an answer proves
(``trust.notary.awssigner``).
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import ServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RevocationStatus"]

_CAME: Final = "imgtrust"
"""The member of botocore's answer under which the body is kept."""


class RevocationStatus:
    """AWS Signer in all regions that are asked, with one client for each; safe to use from several threads."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """``environment``: credentials and addresses. Nothing is opened or imported yet."""
        self._environment = environment
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def ask(self, region: str, parameters: bytes) -> bytes:
        """The answer, as it came, to the parameters of GetRevocationStatus (JSON; the time as RFC 3339 has it).

        Raises:
            ServiceError: AWS does not answer, or refuses.
        """
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415 - slow

        asked: dict[str, Any] = strict_json.loads(parameters)
        asked["signatureTimestamp"] = datetime.fromisoformat(asked["signatureTimestamp"])
        what = f"GetRevocationStatus in {region}"
        try:
            answer = self._client(region).get_revocation_status(**asked)
        except NoCredentialsError as exc:
            message = f"{what}: no AWS credentials were found; they need signer:GetRevocationStatus"
            raise ServiceError(message) from exc
        except ClientError as exc:
            error = exc.response.get("Error", {})
            message = f"{what}: AWS says {str(error.get('Code'))[:80]}: {str(error.get('Message'))[:300]}"
            raise ServiceError(message) from exc
        except UsageError as exc:
            message = f"{what}: {exc}"
            raise ServiceError(message) from exc
        except (BotoCoreError, ValueError) as exc:
            message = f"{what}: AWS could not be asked ({type(exc).__name__})"
            raise ServiceError(message) from exc
        return bytes(answer[_CAME])

    def _client(self, region: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        from imgtrust.signers.awsservices import open_client  # noqa: PLC0415 - as above

        with self._lock:  # making a client is not safe in threads, using one is
            if region not in self._clients:
                client = open_client("signer", region, self._environment, variable="SIGNER")
                client.meta.events.register("after-call.signer.GetRevocationStatus", _keep)
                self._clients[region] = client
            return self._clients[region]


def _keep(http_response: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
    """Keep what came: botocore takes a body that is no JSON for an answer without members, in which all is well."""
    parsed[_CAME] = http_response.content
