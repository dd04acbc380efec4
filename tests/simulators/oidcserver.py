"""An OpenID Connect issuer on loopback: the tokens that Fulcio takes for a person or for a workflow. Knows JWT (RS256).

It asks for no password: whoever asks gets a token for whom they like, and whoever logs in is ``person``. Faults are
those of ``Loopback``.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.simulators.loopback import Loopback, Reply

if TYPE_CHECKING:
    from tests.simulators.loopback import Request

__all__ = ["CI_PATH", "CLIENT", "WORKFLOW", "WORKFLOW_SAN", "OidcServer", "jwt_part"]

CLIENT: Final = "sigstore"
"""The audience of every token."""
CI_PATH: Final = "/ci"
"""Below this path is a second issuer, whose tokens are those of workflows."""
WORKFLOW: Final[dict[str, str]] = {
    "job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
    "job_workflow_sha": "a" * 40,
    "workflow": "release",
    "workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
    "workflow_sha": "b" * 40,
    "repository": "acme/app",
    "repository_id": "1001",
    "repository_owner": "acme",
    "repository_owner_id": "77",
    "repository_visibility": "private",
    "ref": "refs/heads/main",
    "sha": "c" * 40,
    "event_name": "push",
    "runner_environment": "github-hosted",
    "run_id": "5005",
    "run_attempt": "1",
}
"""The claims that Fulcio demands of a GitHub workflow."""
WORKFLOW_SAN: Final = f"https://github.com/{WORKFLOW['job_workflow_ref']}"
"""The name that its certificate gets, whatever the issuer."""

_BITS: Final = 2048
_KEY_ID: Final = "1"


class OidcServer(Loopback):
    """Two issuers in one: ``issuer`` for people (by e-mail), ``ci_issuer`` for workflows; one key for both."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.person = "release@acme.test"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)

    @property
    def issuer(self) -> str:
        """The issuer of people."""
        return self.base

    @property
    def ci_issuer(self) -> str:
        """The issuer of workflows."""
        return self.base + CI_PATH

    def email_token(self, email: str, **claims: object) -> str:
        """A token for a person; ``claims`` take the place of the usual ones."""
        return self.token({"iss": self.issuer, "sub": email, "email": email, "email_verified": True, **claims})

    def workflow_token(self, **claims: object) -> str:
        """A token for a workflow run."""
        return self.token({"iss": self.ci_issuer, "sub": "repo:acme/app:ref:refs/heads/main", **WORKFLOW, **claims})

    def token(self, claims: dict[str, object]) -> str:
        """A signed token, good for ten minutes unless the claims say otherwise."""
        now = int(time.time())
        header = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
        body = {"aud": CLIENT, "iat": now, "nbf": now - 5, "exp": now + 600, **claims}
        signed = f"{jwt_part(header)}.{jwt_part(body)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"

    def _answer(self, request: Request) -> Reply:
        path = request.path.removeprefix(CI_PATH)
        if path == "/.well-known/openid-configuration":
            issuer = self.ci_issuer if request.path.startswith(CI_PATH) else self.issuer
            places = {"authorization_endpoint": f"{self.base}/auth", "token_endpoint": f"{self.base}/token"}
            return _json({"issuer": issuer, "jwks_uri": f"{self.base}/keys", **places})
        if path == "/keys":
            return _json({"keys": [self._public()]})
        if path == "/auth":
            back = urlencode({"code": "let me in", "state": request.first("state")})
            return Reply(302, (("Location", f"{request.first('redirect_uri')}?{back}"),))
        if path == "/token" and request.method == "POST":
            return _json({"access_token": self.email_token(self.person)})
        if path == "/token":
            return Reply(200, (("Content-Type", "text/plain"),), self.email_token(request.first("email")).encode())
        return Reply(404)

    def _public(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": _KEY_ID,
            "n": _base64(numbers.n.to_bytes(_BITS // 8, "big")),
            "e": _base64(numbers.e.to_bytes(3, "big")),
        }


def jwt_part(document: dict[str, Any]) -> str:
    """One of the two JSON parts of a token."""
    return _base64(json.dumps(document).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(document: dict[str, Any]) -> Reply:
    return Reply(200, (("Content-Type", "application/json"),), json.dumps(document).encode())
