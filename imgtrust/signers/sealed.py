"""cosign's encrypted private key: scrypt and NaCl's secretbox in JSON in PEM (cosign.md 1c). Pure but for its salt.

Knows how the secret is sealed; knows nothing of what kind of key it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import textwrap
from typing import Any, Final

from imgtrust import strict_json
from imgtrust.errors import KeyUnusable, WrongPassphrase

__all__ = ["LABELS", "open_sealed", "seal"]

LABELS: Final = frozenset({b"ENCRYPTED SIGSTORE PRIVATE KEY", b"ENCRYPTED COSIGN PRIVATE KEY"})
_WRITTEN: Final = "ENCRYPTED SIGSTORE PRIVATE KEY"
_COSTS: Final = frozenset({(32768, 8, 1), (65536, 8, 1), (131072, 8, 1)})
"""The only (N, r, p) that are computed: any other could be made to take hours or all memory."""
_COST: Final = 65536
_MEMORY: Final = 256 * 1024 * 1024
_SALT: Final = 32
_NONCE: Final = 24
_TAG: Final = 16


def seal(secret: bytes, passphrase: bytes) -> bytes:
    """The PEM of a secret under a passphrase, with fresh salt and nonce."""
    from nacl.secret import SecretBox  # noqa: PLC0415 - only where an encrypted key is used

    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = SecretBox(_derive(passphrase, salt, _COST)).encrypt(secret, nonce).ciphertext
    document = {
        "kdf": {"name": "scrypt", "params": {"N": _COST, "r": 8, "p": 1}, "salt": _text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": _text(nonce)},
        "ciphertext": _text(sealed),
    }
    body = "\n".join(textwrap.wrap(_text(strict_json.dumps(document)), 64))
    return f"-----BEGIN {_WRITTEN}-----\n{body}\n-----END {_WRITTEN}-----\n".encode("ascii")


def open_sealed(body: bytes, passphrase: bytes, what: str) -> bytes:
    """The secret in the body of a PEM block.

    Raises:
        KeyUnusable: the body is not what cosign writes, or asks for a derivation that is refused.
        WrongPassphrase: the passphrase does not open it.
    """
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - as above
    from nacl.secret import SecretBox  # noqa: PLC0415

    try:
        document = strict_json.loads(base64.b64decode(b"".join(body.split()), validate=True))
        salt, cost, nonce, sealed = _members(document)
    except (ValueError, TypeError, KeyError) as exc:
        reason = exc.args[0] if isinstance(exc, _Unlike) else "it is not the JSON that cosign writes"
        message = f"the encrypted key {what} cannot be read: {reason}"
        raise KeyUnusable(message) from None
    try:
        return SecretBox(_derive(passphrase, salt, cost)).decrypt(sealed, nonce)
    except CryptoError:
        message = f"the passphrase does not open the key {what}"
        raise WrongPassphrase(message) from None


class _Unlike(ValueError):
    """The document differs from what cosign writes; the message may be shown."""


def _members(document: Any) -> tuple[bytes, int, bytes, bytes]:  # noqa: ANN401 - parsed JSON
    """Salt, cost, nonce and ciphertext, all of the lengths that they must have."""
    kdf, cipher = document["kdf"], document["cipher"]
    if kdf["name"] != "scrypt" or cipher["name"] != "nacl/secretbox":
        message = "expected scrypt and nacl/secretbox"
        raise _Unlike(message)
    params = kdf["params"]
    cost = (params["N"], params["r"], params["p"])
    if not all(type(number) is int for number in cost) or cost not in _COSTS:
        message = "its scrypt parameters are not among those allowed (N 32768, 65536 or 131072, r 8, p 1)"
        raise _Unlike(message)
    salt, nonce, sealed = (_octets(text) for text in (kdf["salt"], cipher["nonce"], document["ciphertext"]))
    if len(salt) != _SALT or len(nonce) != _NONCE or len(sealed) < _TAG:
        message = f"expected a salt of {_SALT} bytes, a nonce of {_NONCE} and a ciphertext of at least {_TAG}"
        raise _Unlike(message)
    return salt, cost[0], nonce, sealed


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as exc:
        message = "a member that should be base64 is not"
        raise _Unlike(message) from exc


def _derive(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(passphrase, salt=salt, n=cost, r=8, p=1, maxmem=_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
