"""Envelopes of the Notary Project, JWS and COSE, in which any one part can be wrong; and anchors to judge them under.

What is not replaced is right, and every signature is made over what is written. Independent of imgtrust's own writers.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from imgtrust.content import describe
from imgtrust.evidence import Evidence, Origin
from imgtrust.trust.anchors import TrustedNotary
from imgtrust.trust.roots import TrustRoot
from tests.simulators.evidence import IMAGE, MANIFEST
from tests.simulators.pki import chain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulators.pki import Certified, PrivateKey

__all__ = [
    "AT",
    "AWS_ATTRIBUTES",
    "COSE",
    "JWS",
    "PREFIX",
    "PROFILE",
    "SIGNED",
    "Raw",
    "Tagged",
    "aws_header",
    "cbor",
    "cose",
    "cose_header",
    "evidence",
    "header",
    "jws",
    "notary",
    "payload",
    "sign",
    "trusting",
]

AT: Final = datetime(2026, 6, 1, tzinfo=UTC)
"""The time of judgement of tests that do not say otherwise."""
SIGNED: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When envelopes are signed that do not say otherwise."""
JWS: Final = "application/jose+json"
COSE: Final = "application/cose"
PREFIX: Final = "io.cncf.notary."
PROFILE: Final = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release/abcdefghij"
AWS_ATTRIBUTES: Final = {
    f"{PREFIX}verificationPlugin": "com.amazonaws.signer.notation.plugin",
    "com.amazonaws.signer.signingProfileVersion": PROFILE,
    "com.amazonaws.signer.signingJob": "arn:aws:signer:eu-west-3:111122223333:/signing-jobs/0",
}
_HASHES: Final[dict[str, Any]] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_COSE_ALGORITHMS: Final = {"PS256": -37, "PS384": -38, "PS512": -39, "ES256": -7, "ES384": -35, "ES512": -36}


def payload(**changes: Any) -> bytes:
    """The payload about the image of the tests; members of the descriptor can be changed, None takes one out."""
    target: dict[str, Any] = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": str(IMAGE),
        "size": len(MANIFEST),
        **changes,
    }
    target = {name: value for name, value in target.items() if value is not None}
    return json.dumps({"targetArtifact": target}, separators=(",", ":")).encode()


def algorithm(key: PrivateKey) -> str:
    """The algorithm that a key signs with."""
    match key:
        case rsa.RSAPrivateKey():
            return {2048: "PS256", 3072: "PS384", 4096: "PS512"}.get(key.key_size, "PS256")
        case ec.EllipticCurvePrivateKey():
            return {384: "ES384", 521: "ES512"}.get(key.curve.key_size, "ES256")
        case _:
            return "EdDSA"


def sign(key: PrivateKey, message: bytes, name: str | None = None, salt: int | None = None) -> bytes:
    """A signature as JWS and COSE have it: PSS with a salt as long as the digest, or raw r and s."""
    chosen = _HASHES.get((name or algorithm(key))[2:], hashes.SHA256())
    match key:
        case rsa.RSAPrivateKey():
            length = chosen.digest_size if salt is None else salt
            return key.sign(message, padding.PSS(padding.MGF1(chosen), length), chosen)
        case ec.EllipticCurvePrivateKey():
            size = (key.curve.key_size + 7) // 8
            return b"".join(
                each.to_bytes(size, "big") for each in decode_dss_signature(key.sign(message, ec.ECDSA(chosen)))
            )
        case _:
            return key.sign(message)


def header(signer: Certified, scheme: str = "notary.x509", **changes: Any) -> dict[str, Any]:
    """A protected header in the words of JWS; ``changes`` by the part after the dots, None takes one out."""
    time = "signingTime" if scheme == "notary.x509" else "authenticSigningTime"
    critical = [f"{PREFIX}signingScheme", *([] if scheme == "notary.x509" else [f"{PREFIX}{time}"])]
    members: dict[str, Any] = {
        "alg": algorithm(signer.key),
        "cty": "application/vnd.cncf.notary.payload.v1+json",
        "crit": critical,
        f"{PREFIX}signingScheme": scheme,
        f"{PREFIX}{time}": SIGNED.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    for name, value in changes.items():
        key = name if name in {"alg", "cty", "crit"} or "." in name else f"{PREFIX}{name}"
        members[key] = value
        if key == f"{PREFIX}expiry" and "crit" not in changes and value is not None:
            members["crit"] = [*members["crit"], key]
    return {name: value for name, value in members.items() if value is not None}


def aws_header(signer: Certified, **changes: Any) -> dict[str, Any]:
    """A header as AWS Signer writes it."""
    scheme = "notary.x509.signingAuthority"
    critical = [f"{PREFIX}signingScheme", f"{PREFIX}authenticSigningTime", f"{PREFIX}expiry", *AWS_ATTRIBUTES]
    return header(signer, scheme, **{"expiry": "2030-01-01T00:00:00Z", "crit": critical, **AWS_ATTRIBUTES, **changes})


def jws(
    certified: Sequence[Certified],
    *,
    protected: dict[str, Any] | None = None,
    body: bytes | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
    signature: Callable[[bytes], bytes] | None = None,
    unprotected: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> bytes:
    """A JWS envelope by the first of the certificates; ``changes`` are of its top-level members, None takes one out.

    ``stamp`` makes a bare TimeStampToken over the signature. ``signature`` takes the place of the right one.
    """
    first = certified[0]
    written = b64url(json.dumps(header(first) if protected is None else protected, separators=(",", ":")).encode())
    about = b64url(payload() if body is None else body)
    message = f"{written}.{about}".encode()
    made = sign(first.key, message) if signature is None else signature(message)
    unsigned: dict[str, Any] = {"x5c": [base64.b64encode(each.der).decode() for each in certified]}
    if stamp is not None:
        unsigned[f"{PREFIX}timestampSignature"] = base64.b64encode(stamp(made)).decode()
    unsigned[f"{PREFIX}signingAgent"] = "a test"
    document = {
        "payload": about,
        "protected": written,
        "header": unsigned if unprotected is None else unprotected,
        "signature": b64url(made),
        **(changes or {}),
    }
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def cose(
    certified: Sequence[Certified],
    *,
    protected: dict[int | str, Any] | None = None,
    body: bytes | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
    changes: Callable[[list[Any]], Any] | None = None,
    unprotected: dict[int | str, Any] | None = None,
) -> bytes:
    """A COSE_Sign1 envelope; ``changes`` gets its four parts and gives the whole document."""
    first = certified[0]
    members = cose_header(header(first)) if protected is None else protected
    written, about = cbor(members), payload() if body is None else body
    made = sign(first.key, cbor(["Signature1", written, b"", about]))
    unsigned: dict[int | str, Any] = {33: [each.der for each in certified], f"{PREFIX}signingAgent": "a test"}
    if stamp is not None:
        unsigned[f"{PREFIX}timestampSignature"] = stamp(made)
    parts = [written, unsigned if unprotected is None else unprotected, about, made]
    return cbor(Tagged(18, parts) if changes is None else changes(parts))


def cose_header(members: dict[str, Any]) -> dict[int | str, Any]:
    """A header in the words of COSE, from one in those of JWS."""
    found: dict[int | str, Any] = {}
    for name, value in members.items():
        match name:
            case "alg":
                found[1] = _COSE_ALGORITHMS.get(value, value)
            case "crit":
                found[2] = value
            case "cty":
                found[3] = value
            case _ if name in {f"{PREFIX}signingTime", f"{PREFIX}authenticSigningTime", f"{PREFIX}expiry"}:
                moment = datetime.fromisoformat(value)
                found[name] = Tagged(1, (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))
            case _:
                found[name] = value
    return found


@dataclass(frozen=True)
class Tagged:
    """A tagged value of CBOR."""

    number: int
    value: Any


def cbor(value: Any) -> bytes:
    """CBOR in its one shortest form; bytes in a ``Raw`` are written as they are."""
    match value:
        case Raw():
            found = value.data
        case bool() | None:
            found = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
        case int():
            found = _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            found = _head(2, len(value)) + value
        case str():
            found = _head(3, len(value.encode())) + value.encode()
        case list():
            found = _head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            found = _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
        case Tagged():
            found = _head(6, value.number) + cbor(value.value)
        case _:
            raise AssertionError(value)
    return found


@dataclass(frozen=True)
class Raw:
    """Bytes that are CBOR already, or are not."""

    data: bytes


def _head(kind: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([kind << 5 | argument])
    width = next(width for width in (1, 2, 4, 8) if argument < 1 << 8 * width)
    return bytes([kind << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + argument.to_bytes(width, "big")


def b64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- what is judged, and by whom --------------------------------------------------------------------------------------


def evidence(data: bytes, media_type: str = JWS, **changes: Any) -> Evidence:
    """One candidate about the image of the tests, as a store would hand it over."""
    layer = describe(data, media_type)
    return replace(Evidence(IMAGE, layer.digest, Origin.REFERRER, layer, data), **changes)


def notary(*roots: Certified, name: str = "acme", kind: str = "ca", **changes: Any) -> TrustedNotary:
    """A Notary signer: any subject under some roots, whose revocation nobody asks about, unless changed."""
    anchor = TrustedNotary(name, kind, chain(*roots), subjects=((),), revocation="skip")
    return replace(anchor, **changes)


def trusting(*stores: TrustedNotary, authorities: tuple[Any, ...] = ()) -> TrustRoot:
    """A root that trusts Notary signers alone."""
    return TrustRoot(authorities=authorities, notary=stores)
