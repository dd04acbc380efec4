"""A token server for Bearer authentication. Knows distribution's token protocol and its JSON Web Tokens (ES256, x5c).

The tokens are real: Debian's docker-registry accepts them, given ``bundle`` as its root certificate bundle. Its
configuration is ``registry_auth()``.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

from tests.simulators.loopback import Loopback, Reply, Request

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TokenServer"]

_SIZE: Final = 32
_ISSUER: Final = "imgtrust-tests"


@dataclass
class _Grant:
    token: str
    scopes: list[str] = field(default_factory=list)


class TokenServer(Loopback):
    """Issues tokens to ``users`` (None: to everybody). ``grants`` lists what was issued, in order."""

    def __init__(
        self,
        users: dict[str, str] | None = None,
        *,
        identity_tokens: tuple[str, ...] = (),
        service: str = "registry",
        lifetime: int = 300,
        anonymous_pull: bool = False,
        realm: str | None = None,
    ) -> None:
        """``identity_tokens`` are taken by POST; ``realm`` is what registries are told instead of the real address."""
        super().__init__(self._serve)
        self._users, self._identity_tokens = users, identity_tokens
        self.service, self.lifetime, self._anonymous_pull = service, lifetime, anonymous_pull
        self.realm = realm or f"{self.base}/token"
        self.grants: list[_Grant] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _self_signed(self._key)

    @property
    def bundle(self) -> bytes:
        """The certificate whose key signs the tokens, in PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def registry_auth(self, folder: Path) -> dict[str, Any]:
        """The ``auth`` part of a docker-registry configuration; the certificate is written into ``folder``."""
        path = folder / "token-root.pem"
        path.write_bytes(self.bundle)
        return {
            "token": {
                "realm": self.realm,
                "service": self.service,
                "issuer": _ISSUER,
                "rootcertbundle": str(path),
            }
        }

    def check(self, request: Request, shown: str | None) -> Reply | None:
        """What a registry answers to a request that shows this Authorization; None where it may go on."""
        if request.path in {"/v2/", "/v2/_catalog"}:
            needed = ["registry:catalog:*"] if request.path != "/v2/" else []
        else:
            name = request.path.removeprefix("/v2/").rsplit("/", 2)[0].removesuffix("/blobs")
            write = request.method in {"PUT", "POST", "PATCH", "DELETE"}
            needed = [f"repository:{name}:{'pull,push' if write else 'pull'}"]
            if request.first("from"):
                needed.append(f"repository:{request.first('from')}:pull")
        granted = next((grant for grant in self.grants if shown == f"Bearer {grant.token}"), None)
        if granted is not None and all(_within(scope, granted.scopes) for scope in needed):
            return None
        challenge = f'Bearer realm="{self.realm}",service="{self.service}",scope="{" ".join(needed)}"'
        if granted is not None:
            challenge += ',error="insufficient_scope"'
        body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}).encode()
        return Reply(401, (("WWW-Authenticate", challenge), ("Content-Type", "application/json")), body)

    def _serve(self, request: Request) -> Reply:
        if request.path != "/token":
            return Reply(404)
        fields = parse_qs(request.body.decode()) if request.method == "POST" else request.query
        scopes = [scope for text in fields.get("scope", []) for scope in text.split()]
        user = self._user(request, fields)
        if user is None and not (self._anonymous_pull and request.method == "GET"):
            return Reply(HTTPStatus.UNAUTHORIZED, (("Content-Type", "application/json"),), b'{"details":"no"}')
        if user is None:
            scopes = [scope.replace("pull,push", "pull") for scope in scopes]
        token = self._token(user or "", scopes)
        self.grants.append(_Grant(token, scopes))
        document = {"token": token, "expires_in": self.lifetime, "issued_at": datetime.now(UTC).isoformat()}
        if request.method == "POST":
            document["access_token"] = document.pop("token")
        return Reply(200, (("Content-Type", "application/json"),), json.dumps(document).encode())

    def _user(self, request: Request, fields: dict[str, list[str]]) -> str | None:
        if request.method == "POST":
            return "identity" if fields.get("refresh_token", [""])[0] in self._identity_tokens else None
        if self._users is None:
            return "anybody"
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        name, _, password = base64.b64decode(value).decode().partition(":")
        return name if self._users.get(name) == password else None

    def _token(self, user: str, scopes: list[str]) -> str:
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        certificate = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()
        header = {"typ": "JWT", "alg": "ES256", "x5c": [certificate]}
        claims = {
            "iss": _ISSUER,
            "sub": user,
            "aud": self.service,
            "exp": now + self.lifetime,
            "nbf": now - 10,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": access,
        }
        signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_part(r.to_bytes(_SIZE) + s.to_bytes(_SIZE))}"


def _within(scope: str, granted: list[str]) -> bool:
    name, _, actions = scope.rpartition(":")
    for other in granted:
        allowed, _, may = other.rpartition(":")
        if allowed == name and set(actions.split(",")) <= set(may.split(",")):
            return True
    return False


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imgtrust token server")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )
