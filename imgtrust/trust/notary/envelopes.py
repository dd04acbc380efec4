"""Whether the key of a certificate made the signature of a Notary envelope. Pure.

Knows notary.md 5: the key alone decides the algorithm, and the header must say the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Signed

    _Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

__all__ = ["Algorithm", "algorithm_of", "check_signature"]

_RSA: Final[dict[int, tuple[str, _Hash]]] = {
    2048: ("PS256", hashes.SHA256()),
    3072: ("PS384", hashes.SHA384()),
    4096: ("PS512", hashes.SHA512()),
}
_CURVES: Final[dict[str, tuple[str, _Hash]]] = {
    "secp256r1": ("ES256", hashes.SHA256()),
    "secp384r1": ("ES384", hashes.SHA384()),
    "secp521r1": ("ES512", hashes.SHA512()),
}


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The one algorithm of a key: its name in JWS, its hash, and the key that it was chosen by."""

    name: str
    hash: _Hash
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def algorithm_of(key: object) -> Algorithm | None:
    """The one algorithm that a public key signs with; None for a key that signs no envelope."""
    if isinstance(key, rsa.RSAPublicKey):
        found = _RSA.get(key.key_size)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        found = _CURVES.get(key.curve.name)
    else:
        return None
    return None if found is None else Algorithm(*found, key)


def check_signature(signed: Signed, algorithm: str, key: object) -> None:
    """The key signed the message of an envelope whose header says ``algorithm``.

    RSA is PSS with a salt as long as the digest; ECDSA is r and s, each as long as the curve (RFC 7518, RFC 9053).

    Raises:
        Refused: NOTARY_ALGORITHM or NOTARY_BAD_SIGNATURE.
    """
    found = algorithm_of(key)
    if found is None or found.name != algorithm:
        expected = "none, for the key signs no envelopes" if found is None else found.name
        message = f"the algorithm is {algorithm[:40]!r}; that of the certificate's key is {expected}"
        raise Refused(RefusalCode.NOTARY_ALGORITHM, message)
    if not _holds(found, signed.signature, signed.message or b""):
        message = "the signature is not by the key of its certificate, or something was altered afterwards"
        raise Refused(RefusalCode.NOTARY_BAD_SIGNATURE, message)


def _holds(algorithm: Algorithm, signature: bytes, message: bytes) -> bool:
    key, chosen = algorithm.key, algorithm.hash
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(chosen), chosen.digest_size)
        return _said(lambda: key.verify(signature, message, pss, chosen))
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return False
    pair = encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
    return _said(lambda: key.verify(pair, message, ec.ECDSA(chosen)))


def _said(check: Callable[[], None]) -> bool:
    try:
        check()
    except InvalidSignature:
        return False
    return True
