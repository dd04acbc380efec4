"""Files of certificates that a policy trusts as Notary roots, and the one root of AWS Signer. Pure.

Knows PEM and fingerprints; knows nothing of chains, which ``trust.notary`` judges.
"""

from __future__ import annotations

import hashlib
from typing import Final

from imgtrust.errors import InputFileError
from imgtrust.trust.rootfile import check_size, load_chain

__all__ = ["AWS_SIGNER_ROOT", "read_roots"]

AWS_SIGNER_ROOT: Final = "90a87d0543c3f094dbff9589b6649affe2f3d6e0f308799be2258461c686473f"
"""SHA-256 of the DER of ``AWS Signer Code Signing Root CA G1``, the commercial partition's (notary.md section 10)."""


def read_roots(data: bytes, name: str, fingerprint: str | None = None) -> tuple[bytes, ...]:
    """The certificates of a file as DER, each once; ``fingerprint`` (64 hex digits) is what each has to have.

    Raises:
        InputFileError: no certificate that can be read, or one with another fingerprint.
    """
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - only for Notary signers

    check_size(data, name)
    found = tuple(dict.fromkeys(certificate.public_bytes(Encoding.DER) for certificate in load_chain(data, name)))
    for der in found:
        seen = hashlib.sha256(der).hexdigest()
        if fingerprint is not None and seen != fingerprint:
            message = f"{name}: a certificate has the fingerprint sha256:{seen}, expected sha256:{fingerprint}"
            raise InputFileError(message)
    return found
