"""A transparency log of the first generation (Rekor v1) over HTTP on loopback. Knows Rekor's ``openapi.yaml``.

It takes what real clients write: ``hashedrekord`` 0.0.1 and ``dsse`` 0.0.1, of a certificate or a bare key. It is good,
and verifies no signature that it is sent; faults are those of ``Loopback``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from imgtrust import strict_json
from tests.simulators.evidence import b64
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.translog import Log

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from tests.simulators.loopback import Request

__all__ = ["ENTRIES", "FirstLog", "FirstLogServer"]

ENTRIES: Final = "/api/v1/log/entries"
_KEY: Final = "/api/v1/log/publicKey"
_TREE: Final = "108e9186e8c5677a"


@dataclass
class FirstLog:
    """The log and what it has answered: ``entries`` by their UUID. ``named`` is every one's, where it must be known."""

    log: Log
    named: str = ""
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Log what was proposed: the answer (``LogEntry``)."""
        kind = (str(asked["kind"]), str(asked["apiVersion"]))
        body = asked if kind[0] == "hashedrekord" else {**asked, "spec": _dsse(asked["spec"]["proposedContent"])}
        made = self.log.take(strict_json.dumps(body), int(datetime.now(UTC).timestamp()), kind)
        proof = made["inclusionProof"]
        name = self.named or _TREE + hashlib.sha256(b"\x00" + base64.b64decode(made["canonicalizedBody"])).hexdigest()
        self.entries[name] = {
            "logIndex": int(made["logIndex"]),
            "logID": self.log.log_id.hex(),
            "integratedTime": int(made["integratedTime"]),
            "body": made["canonicalizedBody"],
            "verification": {
                "signedEntryTimestamp": made["inclusionPromise"]["signedEntryTimestamp"],
                "inclusionProof": {
                    "logIndex": int(proof["logIndex"]),
                    "treeSize": int(proof["treeSize"]),
                    "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                    "hashes": [base64.b64decode(each).hex() for each in proof["hashes"]],
                    "checkpoint": proof["checkpoint"]["envelope"],
                },
            },
        }
        return {name: self.entries[name]}


class FirstLogServer(Loopback):
    """Such a log alone, for clients that have the rest of an instance elsewhere."""

    def __init__(self, origin: str = "rekor1.acme.test") -> None:
        super().__init__(self._answer)
        self.log = FirstLog(Log(origin))

    @property
    def spki(self) -> bytes:
        """Its key (ECDSA P-256), as a trusted root names it."""
        return self.log.log.key.public.der

    def _answer(self, request: Request) -> Reply:
        if request.path == ENTRIES and request.method == "POST":
            made = self.log.add(json.loads(request.body))
            (uuid,) = made
            headers = (("Content-Type", "application/json"), ("Location", f"{ENTRIES}/{uuid}"), ("ETag", uuid))
            return Reply(201, headers, json.dumps(made).encode())
        name = request.path.removeprefix(f"{ENTRIES}/")
        if name in self.log.entries:
            body = json.dumps({name: self.log.entries[name]}).encode()
            return Reply(200, (("Content-Type", "application/json"),), body)
        if request.path == _KEY:
            return Reply(200, (("Content-Type", "application/x-pem-file"),), self.log.log.key.public.pem)
        return Reply(404, (("Content-Type", "application/json"),), b'{"code": 404, "message": "no such path"}')


def _dsse(proposed: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an envelope: its digests, and each signature with what made it (``dsse_v0_0_1_schema.json``)."""
    envelope = json.loads(proposed["envelope"])
    verifiers = [base64.b64decode(each) for each in proposed["verifiers"]]
    return {
        "envelopeHash": _sha256(proposed["envelope"].encode()),
        "payloadHash": _sha256(base64.b64decode(envelope["payload"])),
        "signatures": [
            {"signature": each["sig"], "verifier": b64(_canonical(verifier))}
            for each, verifier in zip(envelope["signatures"], verifiers, strict=True)
        ],
    }


def _canonical(pem: bytes) -> bytes:
    """A certificate or a key in the lines that Rekor writes."""
    if b"CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.PEM)
    key: PublicKeyTypes = load_pem_public_key(pem)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}
