"""Fulcio, Rekor of both generations and a time-stamp authority over HTTP on loopback, over a Sigstore in memory.

They are good; faults are those of ``Loopback``, and ``lie`` changes what one of them answers.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from imgtrust import strict_json
from tests.simulators.evidence import Key
from tests.simulators.firstlog import ENTRIES, FirstLog
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.oidcserver import CLIENT, jwt_part
from tests.simulators.sigstore import V2, VirtualSigstore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulators.loopback import Request

    Change = Callable[[dict[str, Any]], Any]

__all__ = ["FULCIO", "ISSUER", "PERSON", "REKOR", "REKOR_1", "TSA", "SigstoreServer", "token"]

ISSUER: Final = "https://accounts.acme.test"
PERSON: Final = "release@acme.test"
FULCIO: Final = "/api/v2/signingCert"
REKOR: Final = "/api/v2/log/entries"
REKOR_1: Final = ENTRIES
TSA: Final = "/tsa"


def token(email: str = PERSON, issuer: str = ISSUER, **claims: object) -> str:
    """A token that no key signed: this Fulcio verifies none."""
    now = int(datetime.now(UTC).timestamp())
    body = {"iss": issuer, "aud": CLIENT, "sub": email, "email": email, "email_verified": True}
    return f"{jwt_part({'alg': 'none'})}.{jwt_part({**body, 'iat': now, 'exp': now + 600, **claims})}.c2ln"


class SigstoreServer(Loopback):
    """One instance.

    ``generations`` are the logs' APIs that it has; ``issuing`` changes certificates (see ``Fulcio.issue``), and with
    ``another_key`` they are for a key of somebody else; ``lies`` change the JSON that is answered, by path. ``instead``
    are paths that another instance answers, ``stale`` those where the first answer is given again and again.
    """

    def __init__(self, *, generations: tuple[int, ...] = (2, 1)) -> None:
        super().__init__(self._answer)
        self.instance = VirtualSigstore(now=datetime.now(UTC))
        self.generations = generations
        self.issuing: dict[str, Any] = {}
        self.lies: dict[str, Change] = {}
        self.another_key = False
        self.instead: dict[str, SigstoreServer] = {}
        self.stale: set[str] = set()
        self._said: dict[str, Reply] = {}
        self._first = FirstLog(self.instance.log, "abc123")

    def write(self, folder: Path, *, version: int = 2, tsa: bool = True) -> tuple[str, ...]:
        """The files that name the instance, as options of ``sign``."""
        window = {"validFor": {"start": "2025-01-01T00:00:00Z"}, "operator": "acme.test"}
        config: dict[str, Any] = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [{"url": self.base, "majorApiVersion": 1, **window}],
            "rekorTlogUrls": [{"url": self.base, "majorApiVersion": version, **window}],
            "rekorTlogConfig": {"selector": "ANY"},
        }
        if tsa:
            config["tsaUrls"] = [{"url": self.base + TSA, "majorApiVersion": 1, **window}]
            config["tsaConfig"] = {"selector": "ANY"}
        (folder / "signing_config.json").write_text(json.dumps(config))
        (folder / "trusted_root.json").write_text(json.dumps(self.instance.document()))
        (folder / "token").write_text(token())
        return (
            *("--signing-config", str(folder / "signing_config.json")),
            *("--trusted-root", str(folder / "trusted_root.json")),
            *("--identity-token", str(folder / "token")),
        )

    def _answer(self, request: Request) -> Reply:
        if request.path in self.stale:
            return self._said[request.path]
        reply = self.instead.get(request.path, self).honest(request)
        self._said.setdefault(request.path, reply)
        return reply

    def honest(self, request: Request) -> Reply:
        """What this instance answers; only ``lies`` and the like are in it."""
        self.instance.now = datetime.now(UTC)
        if request.path == TSA:
            return Reply(200, (("Content-Type", "application/timestamp-reply"),), self._stamp(request.body))
        document: dict[str, Any] | None = None
        if request.path == FULCIO:
            document = self._certify(json.loads(request.body))
        elif request.path == REKOR and 2 in self.generations:
            document = self._second(json.loads(request.body))
        elif request.path == REKOR_1 and 1 in self.generations:
            document = self._first.add(json.loads(request.body))
        elif (name := request.path.removeprefix(f"{REKOR_1}/")) in self._first.entries:
            document = {name: self._first.entries[name]}
        if document is None:
            return Reply(404, (("Content-Type", "application/json"),), b'{"message": "no such path"}')
        if lie := self.lies.get(request.path):
            lie(document)
        return Reply(200, (("Content-Type", "application/json"),), json.dumps(document).encode())

    def _stamp(self, request: bytes) -> bytes:
        return self.instance.tsa.respond(request)

    def _certify(self, asked: dict[str, Any]) -> dict[str, Any]:
        claims = json.loads(_decoded(asked["credentials"]["oidcIdentityToken"].split(".")[1]))
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        assert request.is_signature_valid
        key: Any = _Held(Key.new().private.public_key() if self.another_key else request.public_key())
        what = {
            "names": (x509.RFC822Name(claims["email"]),),
            "issuer_v1": claims["iss"],
            "issuer_v2": claims["iss"],
            "when": datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1),
            **self.issuing,
        }
        made = self.instance.fulcio.issue(key, **what)
        chain = [made.pem.decode(), *(each.pem.decode() for each in self.instance.fulcio.chain)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _second(self, asked: dict[str, Any]) -> dict[str, Any]:
        request = asked["hashedRekordRequestV002"]
        algorithm = f"SHA2_{8 * len(base64.b64decode(request['digest']))}"
        data = {"algorithm": algorithm, "digest": request["digest"]}
        spec = {"hashedRekordV002": {"data": data, "signature": request["signature"]}}
        body = {"apiVersion": V2[1], "kind": V2[0], "spec": spec}
        return self.instance.log2.take(strict_json.dumps(body), 0, V2)


class _Held:
    """Stands for a key of which only the public half is here."""

    def __init__(self, public: object) -> None:
        self._public = public

    def public_key(self) -> object:
        """The public half."""
        return self._public


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
