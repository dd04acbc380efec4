"""``keys``: made, shown, and taken over from other tools.

Knows which files a key pair is; how a key looks inside is in ``signers.keyfile``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgtrust.commands.outfile import write_new
from imgtrust.signers.keyfile import generate, parse_private_key, public_der, write_pkcs8, write_sealed
from imgtrust.signers.material import read_material
from imgtrust.trust.keys import PublicKey, parse_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.signers.keyfile import PrivateKey
    from imgtrust.signers.passphrase import PassphraseSource

__all__ = ["KeyFacts", "KeyFiles", "generate_keys", "import_key", "public_key_of", "show_key"]

_PRIVATE_MODE, _PUBLIC_MODE = 0o600, 0o644


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """A key pair that was written. ``encrypted`` is False only for PKCS#8 with an explicitly empty passphrase."""

    private: str
    public: str
    key: PublicKey
    encrypted: bool


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What ``keys show`` tells: ``private`` says which half was given."""

    reference: str
    key: PublicKey
    private: bool


def generate_keys(prefix: str, *, kind: str = "p256", pkcs8: bool = False, passphrase: PassphraseSource) -> KeyFiles:
    """Make a key pair: ``PREFIX.key`` (mode 0600) and ``PREFIX.pub``; both or none.

    ``kind`` is one of ``signers.keyfile.KEY_TYPES``. The private key is cosign's encrypted form, or PKCS#8.

    Raises:
        KeyUnusable: no such kind, or nowhere to take a passphrase from.
        OutputFileError: one of the files exists, or cannot be written.
    """
    key = generate(kind)
    return _write(prefix, key, passphrase.choose(f"{prefix}.key"), pkcs8=pkcs8)


def import_key(
    reference: str,
    prefix: str,
    *,
    pkcs8: bool = False,
    passphrase: PassphraseSource,
    new_passphrase: PassphraseSource | None = None,
    environment: Mapping[str, str],
) -> KeyFiles:
    """Take a private key over from PKCS#8, SEC1, PKCS#1 or cosign's form, as a pair like ``generate_keys`` makes.

    ``new_passphrase`` seals the copy; without it the same source is asked.

    Raises:
        KeyUnusable: no private key of a kind that signs images.
        WrongPassphrase: the passphrase does not open it.
        OutputFileError: one of the files exists, or cannot be written.
    """
    key = _private(reference, read_material(reference, environment), passphrase)
    chosen = (passphrase if new_passphrase is None else new_passphrase).choose(f"{prefix}.key")
    return _write(prefix, key, chosen, pkcs8=pkcs8)


def public_key_of(reference: str, *, passphrase: PassphraseSource, environment: Mapping[str, str]) -> PublicKey:
    """The public half of a key reference, whichever half it names.

    Raises:
        KeyUnusable: no key, or of a kind that signs no images.
        WrongPassphrase: the passphrase does not open it.
        Undecided: AWS did not answer.
    """
    return show_key(reference, passphrase=passphrase, environment=environment).key


def show_key(reference: str, *, passphrase: PassphraseSource, environment: Mapping[str, str]) -> KeyFacts:
    """Type, fingerprint and hint of a key, whichever half the reference names.

    Raises:
        KeyUnusable: no key, or of a kind that signs no images.
        WrongPassphrase: the passphrase does not open it.
        Undecided: AWS did not answer.
    """
    data = read_material(reference, environment)
    if b"PRIVATE KEY-----" not in data:
        return KeyFacts(reference, parse_public_key(data, f"the key {reference}"), private=False)
    return KeyFacts(reference, PublicKey(public_der(_private(reference, data, passphrase))), private=True)


def _private(reference: str, data: bytes, passphrase: PassphraseSource) -> PrivateKey:
    return parse_private_key(data, reference, lambda: passphrase.read(f"the key {reference}"))


def _write(prefix: str, key: PrivateKey, passphrase: bytes, *, pkcs8: bool) -> KeyFiles:
    public = PublicKey(public_der(key))
    private_name, public_name = f"{prefix}.key", f"{prefix}.pub"
    data = write_pkcs8(key, passphrase) if pkcs8 else write_sealed(key, passphrase)
    write_new({private_name: (data, _PRIVATE_MODE), public_name: (public.pem, _PUBLIC_MODE)})
    return KeyFiles(private_name, public_name, public, encrypted=bool(passphrase) or not pkcs8)
