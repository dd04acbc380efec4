"""A whole Sigstore in memory: signing certificates, logs of both generations, time-stamps, and evidence of any shape.

Everything is right unless a test changes it: ``body`` changes what is logged before it is, ``entry`` what the bundle
says of it afterwards, and keyword arguments of ``certify`` what Fulcio puts into a certificate.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes

from imgtrust import strict_json
from imgtrust.formats.mediatypes import BUNDLE_TYPE, DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.anchors import TrustedIdentity
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.roots import TrustRoot, parse_sigstore_root
from tests.simulators.evidence import IMAGE, Key, b64, evidence, pae, simple_payload, statement
from tests.simulators.fulcio import EMAIL, ISSUER, WHEN, Fulcio
from tests.simulators.logbodies import DETAILS, Logged, body_of
from tests.simulators.translog import Log

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from imgtrust.evidence import Evidence
    from imgtrust.reference import Digest
    from imgtrust.trust.anchors import SigstoreRoot
    from tests.simulators.timestamps import Certified

    Change = Callable[[dict[str, Any]], Any]

__all__ = ["V1", "V2", "Signer", "VirtualSigstore", "document_of"]

V1: Final = ("dsse", "0.0.1")
V2: Final = ("hashedrekord", "0.0.2")
_START: Final = "2025-01-01T00:00:00Z"
_HASHES: Final[dict[str, Any]] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True)
class Signer:
    """A key, and the certificate of it where it has one."""

    key: Key
    certified: Certified | None = None

    @property
    def material(self) -> dict[str, Any]:
        """``verificationMaterial`` without logs and times."""
        if self.certified is None:
            return {"publicKey": {"hint": self.key.public.hint}}
        return {"certificate": {"rawBytes": b64(self.certified.der)}}


@dataclass
class VirtualSigstore:
    """One instance; ``now`` is when its time-stamp authority says that things happen."""

    name: str = "acme"
    fulcio: Fulcio = field(default_factory=Fulcio)
    log: Log = field(default_factory=lambda: Log("rekor.acme.test"))
    log2: Log = field(default_factory=lambda: Log.second("log2.acme.test"))
    now: datetime = WHEN

    def __post_init__(self) -> None:
        """Start a time-stamp authority that reads ``now``."""
        self.tsa = LocalAuthority(lambda: self.now)

    def document(self, **changes: Any) -> dict[str, Any]:
        """The trusted root, as JSON; its members can be changed."""
        window = {"start": _START}

        def log(key: Key, log_id: bytes, url: str) -> dict[str, Any]:
            details = {"rawBytes": b64(key.public.der), "keyDetails": DETAILS[key.public.kind], "validFor": window}
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": details, "logId": {"keyId": b64(log_id)}}

        def chain(certificates: Sequence[bytes]) -> dict[str, Any]:
            return {
                "subject": {"organization": "acme", "commonName": "acme"},
                "uri": "https://acme.test",
                "certChain": {"certificates": [{"rawBytes": b64(each)} for each in certificates]},
                "validFor": dict(window),
            }

        ct = self.fulcio.log
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(each.key, each.log_id, f"https://{each.origin}") for each in (self.log, self.log2)],
            "ctlogs": [log(ct.key, ct.log_id, "https://ct.acme.test")],
            "certificateAuthorities": [chain([each.der for each in self.fulcio.chain])],
            "timestampAuthorities": [chain(self.tsa.chain)],
            **changes,
        }

    def root(self, **changes: Any) -> SigstoreRoot:
        """The instance, as it is read from its trusted root."""
        return parse_sigstore_root(strict_json.dumps(self.document(**changes)), self.name)

    def trusting(
        self,
        identity: str | re.Pattern[str] = EMAIL,
        issuer: str | re.Pattern[str] = ISSUER,
        *,
        extensions: tuple[tuple[str, str], ...] = (),
        log: bool = True,
        **changes: Any,
    ) -> TrustRoot:
        """A root that trusts one identity of this instance; members of the trusted root can be changed."""
        root = self.root(**changes)
        return TrustRoot(identities=(TrustedIdentity("release", root, issuer, identity, extensions, log),))

    def trusting_key(self, signer: Signer, **changes: Any) -> TrustRoot:
        """A root that trusts a key, and this instance's logs and authorities."""
        root = self.root(**changes)
        return TrustRoot((TrustedKey("key", signer.key.public),), root.authorities, logs=root.logs)

    def certify(self, key: Key | None = None, **changes: Any) -> Signer:
        """A signer with a certificate of this instance; ``changes`` are those of ``Fulcio.issue``."""
        key = key or Key.new()
        return Signer(key, self.fulcio.issue(key.private, **changes))

    def entry(
        self, logged: Logged, kind: tuple[str, str], *, when: datetime = WHEN, body: Change | None = None
    ) -> dict[str, Any]:
        """Log a signature; ``body`` changes what is logged."""
        document = body_of(kind, logged)
        if body is not None:
            body(document)
        log = self.log2 if kind in {("hashedrekord", "0.0.2"), ("dsse", "0.0.2")} else self.log
        return log.take(strict_json.dumps(document), int(when.timestamp()), kind)

    def bundle(
        self,
        signer: Signer | None = None,
        kind: tuple[str, str] | None = V1,
        *,
        payload: bytes | None = None,
        message: bytes | None = None,
        algorithm: str = "sha256",
        stamped: int | None = None,
        when: datetime = WHEN,
        body: Change | None = None,
        entry: Change | None = None,
        media_type: str = BUNDLE_TYPE,
    ) -> dict[str, Any]:
        """A bundle around a statement, or around ``message`` where one is given, as a document.

        ``kind``: of its log entry, None for no entry. ``stamped``: how many time-stamps; by default one where the log
        promises no time.
        """
        signer = signer or self.certify()
        payload = statement() if payload is None else payload
        signed = pae(payload) if message is None else message
        signature = signer.key.sign(signed, _HASHES[algorithm])
        material = signer.material
        own = None if message is not None else payload
        logged = Logged(signer.key.public, signature, signer.certified, own, signed, algorithm=algorithm)
        if kind is not None:
            found = self.entry(logged, kind, when=when, body=body)
            if entry is not None:
                entry(found)
            material["tlogEntries"] = [found]
        promised = kind is not None and "integratedTime" in material["tlogEntries"][0]
        tokens = [self.tsa.stamp(signature) for _ in range((0 if promised else 1) if stamped is None else stamped)]
        if tokens:
            stamps = [{"signedTimestamp": b64(each)} for each in tokens]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        document: dict[str, Any] = {"mediaType": media_type, "verificationMaterial": material}
        if message is None:
            envelope = {"payload": b64(payload), "payloadType": "application/vnd.in-toto+json"}
            document["dsseEnvelope"] = {**envelope, "signatures": [{"sig": b64(signature)}]}
        else:
            digest = b64(hashlib.new(algorithm, message).digest())
            name = f"SHA2_{algorithm.removeprefix('sha')}"
            document["messageSignature"] = {
                "messageDigest": {"algorithm": name, "digest": digest},
                "signature": b64(signature),
            }
        return document

    def evidence(self, signer: Signer | None = None, kind: tuple[str, str] | None = V1, **changes: Any) -> Evidence:
        """A bundle as a store hands it over."""
        return document_of(self.bundle(signer, kind, **changes))

    def layer(
        self,
        signer: Signer | None = None,
        kind: tuple[str, str] | None = None,
        *,
        attestation: bool = False,
        when: datetime = WHEN,
        body: Change | None = None,
        annotations: Change | None = None,
        subject: Digest = IMAGE,
    ) -> Evidence:
        """A layer of cosign's ``.sig`` or ``.att``; ``annotations`` changes those that it has."""
        signer = signer or self.certify()
        payload = statement(subject) if attestation else None
        signed = simple_payload(str(subject)) if payload is None else pae(payload)
        signature = signer.key.sign(signed)
        blob = signed
        if payload is not None:
            lines = [{"keyid": "", "sig": b64(signature)}]
            envelope = {"payloadType": "application/vnd.in-toto+json", "payload": b64(payload), "signatures": lines}
            blob = strict_json.dumps(envelope)
        logged = Logged(signer.key.public, signature, signer.certified, payload, signed, blob)
        chosen = kind or (V1 if attestation else ("hashedrekord", "0.0.1"))
        found = self.entry(logged, chosen, when=when, body=body)
        rekor = {
            "SignedEntryTimestamp": found["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": found["canonicalizedBody"],
                "integratedTime": int(found["integratedTime"]),
                "logIndex": int(found["logIndex"]),
                "logID": self.log.log_id.hex(),
            },
        }
        notes = {
            "dev.cosignproject.cosign/signature": "" if attestation else b64(signature),
            "dev.sigstore.cosign/bundle": strict_json.dumps(rekor).decode(),
        }
        if signer.certified is not None:
            notes["dev.sigstore.cosign/certificate"] = signer.certified.pem.decode()
            notes["dev.sigstore.cosign/chain"] = "".join(each.pem.decode() for each in self.fulcio.chain)
        if annotations is not None:
            annotations(notes)
        return evidence(blob, DSSE_LAYER if attestation else SIMPLESIGNING_LAYER, notes)


def document_of(document: dict[str, Any]) -> Evidence:
    """A bundle, given as a document, as a store hands it over."""
    return evidence(strict_json.dumps(document), BUNDLE_TYPE)
