"""Signed evidence made from fresh keys, in each shape that is read; independent of imgtrust's own signers."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imgtrust import strict_json
from imgtrust.content import Descriptor, describe
from imgtrust.evidence import Evidence, Origin
from imgtrust.formats.mediatypes import BUNDLE_TYPE, DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.reference import Digest
from imgtrust.trust.keys import PublicKey, TrustedKey
from imgtrust.trust.roots import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Mapping

    PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

__all__ = [
    "AT",
    "IMAGE",
    "SIGN",
    "Key",
    "attestation_layer",
    "b64",
    "bundle",
    "evidence",
    "message_bundle",
    "signature_layer",
    "statement",
    "trusting",
]

AT: Final = datetime(2026, 6, 1, tzinfo=UTC)
"""The time of judgement of tests that do not say otherwise."""
MANIFEST: Final = b'{"schemaVersion":2}'
IMAGE: Final = Digest.of(MANIFEST)
"""The digest that tests ask about."""
SIGN: Final = "https://sigstore.dev/cosign/sign/v1"


@dataclass(frozen=True)
class Key:
    """A private key (P-256 unless given) that signs as cosign does for its kind."""

    private: PrivateKey

    @classmethod
    def new(cls) -> Key:
        """A fresh P-256 key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, message: bytes, algorithm: Any = None) -> bytes:
        """A signature with SHA-256, or another hash; pure for Ed25519."""
        algorithm = algorithm or hashes.SHA256()
        match self.private:
            case ec.EllipticCurvePrivateKey():
                return self.private.sign(message, ec.ECDSA(algorithm))
            case rsa.RSAPrivateKey():
                return self.private.sign(message, padding.PKCS1v15(), algorithm)
            case _:
                return self.private.sign(message)

    def sign_digest(self, digest: bytes) -> bytes:
        """A signature over something whose SHA-256 is given (not for Ed25519)."""
        prehashed = Prehashed(hashes.SHA256())
        match self.private:
            case ec.EllipticCurvePrivateKey():
                return self.private.sign(digest, ec.ECDSA(prehashed))
            case rsa.RSAPrivateKey():
                return self.private.sign(digest, padding.PKCS1v15(), prehashed)
            case _:
                raise AssertionError


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def statement(digest: Digest = IMAGE, predicate_type: str = SIGN, **changes: Any) -> bytes:
    """A statement; members can be changed, and are left out where given as None."""
    document: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {digest.algorithm: digest.encoded}}],
        "predicateType": predicate_type,
        "predicate": {},
        **changes,
    }
    return strict_json.dumps({name: value for name, value in document.items() if value is not None})


def pae(payload: bytes) -> bytes:
    """The bytes that a DSSE signature over a statement covers."""
    return b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)


def bundle(key: Key, payload: bytes | None = None, *, timestamps: tuple[bytes, ...] = (), **changes: Any) -> bytes:
    """A bundle v0.3 around a statement; top-level members can be changed."""
    payload = statement() if payload is None else payload
    return envelope_bundle(key.public.hint, payload, key.sign(pae(payload)), timestamps, **changes)


def envelope_bundle(
    hint: str,
    payload: bytes,
    signature: bytes,
    timestamps: tuple[bytes, ...] = (),
    **changes: Any,
) -> bytes:
    """A bundle around a statement and a signature that is already made."""
    material: dict[str, Any] = {"publicKey": {"hint": hint}}
    if timestamps:
        tokens = [{"signedTimestamp": b64(token)} for token in timestamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": tokens}
    document: dict[str, Any] = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": b64(signature)}],
        },
        **changes,
    }
    return strict_json.dumps({name: value for name, value in document.items() if value is not None})


def message_bundle(key: Key, digest: Digest = IMAGE, **changes: Any) -> bytes:
    """A bundle with a message signature over the image's manifest; members of messageSignature can be changed."""
    value = bytes.fromhex(digest.encoded)
    message: dict[str, Any] = {
        "messageDigest": {"algorithm": "SHA2_256", "digest": b64(value)},
        "signature": b64(key.sign_digest(value)),
        **changes,
    }
    document = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key.public.hint}},
        "messageSignature": {name: item for name, item in message.items() if item is not None},
    }
    return strict_json.dumps(document)


def evidence(
    payload: bytes,
    media_type: str = BUNDLE_TYPE,
    annotations: Mapping[str, str] | None = None,
    *,
    subject: Digest = IMAGE,
) -> Evidence:
    """One candidate, as a store would hand it over."""
    plain = describe(payload, media_type)
    layer = Descriptor(plain.media_type, plain.digest, plain.size, annotations=tuple((annotations or {}).items()))
    return Evidence(subject, Digest(plain.digest.algorithm, plain.digest.encoded), Origin.REFERRER, layer, payload)


def simple_payload(digest: str = str(IMAGE), kind: str = "cosign container image signature", **more: Any) -> bytes:
    """A simple-signing payload; ``more`` are members beside ``critical``."""
    critical = {
        "identity": {"docker-reference": "registry.example/app"},
        "image": {"docker-manifest-digest": digest},
        "type": kind,
    }
    return strict_json.dumps({"critical": critical, "optional": None, **more})


def signature_layer(
    key: Key, payload: bytes | None = None, *, timestamp: str | None = None, more: Mapping[str, str] | None = None
) -> Evidence:
    """A layer of a ``.sig`` manifest; ``timestamp`` is the text of its annotation, ``more`` are others."""
    payload = simple_payload() if payload is None else payload
    found = {"dev.cosignproject.cosign/signature": b64(key.sign(payload)), **(more or {})}
    if timestamp is not None:
        found["dev.sigstore.cosign/rfc3161timestamp"] = timestamp
    return evidence(payload, SIMPLESIGNING_LAYER, found)


def attestation_layer(key: Key, payload: bytes | None = None, *, more: Mapping[str, str] | None = None) -> Evidence:
    """A layer of a ``.att`` manifest, with ``more`` annotations."""
    payload = statement(predicate_type="https://slsa.dev/provenance/v1") if payload is None else payload
    envelope = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": b64(payload),
        "signatures": [{"keyid": "", "sig": b64(key.sign(pae(payload)))}],
    }
    annotations = {"dev.cosignproject.cosign/signature": "", **(more or {})}
    return evidence(strict_json.dumps(envelope), DSSE_LAYER, annotations)


def trusting(*keys: Key, authorities: tuple[Any, ...] = ()) -> TrustRoot:
    """A root that trusts keys without windows, under the names key1, key2 and so on."""
    named = tuple(TrustedKey(f"key{number}", key.public) for number, key in enumerate(keys, 1))
    return TrustRoot(named, authorities)


def sha512(data: bytes) -> bytes:
    """The pre-hash of Ed25519ph."""
    return hashlib.sha512(data).digest()
