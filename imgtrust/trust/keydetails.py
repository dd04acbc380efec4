"""The names that Sigstore gives to kinds of keys, and which kind each is. Pure.

Knows ``PublicKeyDetails`` of protobuf-specs ``sigstore_common.proto``; the hash in a name decides nothing here, for
``trust.keys`` tries what a kind may be used with.
"""

from __future__ import annotations

from typing import Final

__all__ = ["fits", "is_known"]

_KINDS: Final = {
    "PKIX_ECDSA_P256_SHA_256": "p256",
    "PKIX_ECDSA_P256_HMAC_SHA_256": "p256",
    "PKIX_ECDSA_P384_SHA_384": "p384",
    "PKIX_ECDSA_P384_SHA_256": "p384",
    "PKIX_ECDSA_P521_SHA_512": "p521",
    "PKIX_ECDSA_P521_SHA_256": "p521",
    "PKIX_ED25519": "ed25519",
    "PKIX_ED25519_PH": "ed25519",
    "PKIX_RSA_PKCS1V15_2048_SHA256": "rsa2048",
    "PKIX_RSA_PKCS1V15_3072_SHA256": "rsa3072",
    "PKIX_RSA_PKCS1V15_4096_SHA256": "rsa4096",
    "PKIX_RSA_PSS_2048_SHA256": "rsa2048",
    "PKIX_RSA_PSS_3072_SHA256": "rsa3072",
    "PKIX_RSA_PSS_4096_SHA256": "rsa4096",
    "PKIX_RSA_PKCS1V5": "rsa",
    "PKIX_RSA_PSS": "rsa",
    "PKCS1_RSA_PKCS1V5": "rsa",
    "PKCS1_RSA_PSS": "rsa",
}


def is_known(details: str) -> bool:
    """Whether keys of this name are read here; a log with another kind of key is left out of a root."""
    return details in _KINDS


def fits(details: str, kind: str) -> bool:
    """Whether a key of ``kind`` (as in ``trust.keys``) may bear this name."""
    wanted = _KINDS.get(details)
    return kind == wanted or (wanted == "rsa" and kind.startswith("rsa"))
