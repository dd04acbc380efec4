"""AWS Signer's GetRevocationStatus on loopback, as notary.md 10 and botocore's model have it; bad days by ``fault``."""

from __future__ import annotations

import json
import re
from typing import Final, Self

from tests.simulators.loopback import Loopback, Reply, Request

__all__ = ["KEYS", "Signer", "refusal"]

KEYS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_WANTED: Final = ("signatureTimestamp", "platformId", "profileVersionArn", "jobArn")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_SIGNED: Final = re.compile(r"AWS4-HMAC-SHA256 Credential=testing/[0-9]{8}/([a-z0-9-]+)/signer/aws4_request, .*")


def refusal(status: int, code: str) -> Reply:
    """An error as AWS writes it."""
    body = json.dumps({"message": "no", "code": code}).encode()
    return Reply(status, (("x-amzn-ErrorType", code), ("Content-Type", "application/json")), body)


class Signer:
    """Says of profile versions, jobs and certificates whether they are among ``revoked``."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.loopback = Loopback(self._answer)

    def __enter__(self) -> Self:
        self.loopback.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.loopback.__exit__()

    @property
    def environment(self) -> dict[str, str]:
        """Credentials and the address, as AWS's tools take them."""
        return {**KEYS, "AWS_ENDPOINT_URL_SIGNER": self.loopback.base}

    def _answer(self, request: Request) -> Reply:
        signed = _SIGNED.fullmatch(request.headers.get("authorization", ""))
        if (request.method, request.path) != ("GET", "/revocations"):
            return refusal(404, "ResourceNotFoundException")
        if signed is None:
            return refusal(403, "AccessDeniedException")
        hashes = request.query.get("certificateHashes", [])
        right = all(len(request.query.get(name, [])) == 1 for name in _WANTED) and hashes
        if not right or not _TIME.fullmatch(request.first("signatureTimestamp")):
            return refusal(400, "ValidationException")
        profile = request.first("profileVersionArn")
        if profile.split(":")[3] != signed[1]:
            return refusal(400, "ValidationException")
        named = [profile, request.first("jobArn"), *hashes]
        body = json.dumps({"revokedEntities": [each for each in named if each in self.revoked]}).encode()
        return Reply(200, (("Content-Type", "application/json"),), body)
