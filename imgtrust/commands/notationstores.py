"""The trust store of notation: folders of certificates by type and name, read as strictly as notation reads them.

Knows notary.md 6; knows nothing of trust policies.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from imgtrust.commands.files import read_input
from imgtrust.errors import InputFileError
from imgtrust.trust.certificatefiles import AWS_SIGNER_ROOT, read_roots
from imgtrust.trust.notary.chain import may_be_trusted

__all__ = ["KINDS", "TSA", "find_stores", "list_certificates", "pin_root"]

KINDS: Final = {"ca": "ca", "signingAuthority": "signing-authority"}
"""Types of stores, and of signers in a policy."""
TSA: Final = "tsa"
_SUFFIXES: Final = (".pem", ".crt", ".cer")
_MAX_FILES: Final = 256
_STORE: Final = re.compile(r"[A-Za-z0-9_.-]+")


def find_stores(folder: Path) -> Path:
    """The folder ``x509`` of a trust store, by itself or by one of those above it.

    Raises:
        InputFileError: there is none.
    """
    for candidate in (folder / "x509", folder / "truststore" / "x509", folder / "trust-store" / "x509", folder):
        if candidate.is_dir() and (candidate.name == "x509" or any((candidate / kind).is_dir() for kind in KINDS)):
            return candidate
    message = f"{folder}: not a trust store; expected a folder with x509/ca/NAME or x509/signingAuthority/NAME in it"
    raise InputFileError(message)


def list_certificates(store: Path, kind: str, name: str, what: str) -> list[str]:
    """The files of one named store; ``what`` asks for it.

    Raises:
        InputFileError: no such store, or something in it that notation would not take.
    """
    if kind not in {*KINDS, TSA} or name in {".", ".."} or not _STORE.fullmatch(name):
        message = (
            f"{what}: {f'{kind}:{name}'[:80]!r} is no trust store; expected ca:NAME, signingAuthority:NAME, tsa:NAME"
        )
        raise InputFileError(message)
    folder = store / kind / name
    try:
        entries = sorted(folder.iterdir())
    except OSError as exc:
        message = f"{what}: the trust store {folder} cannot be read: {exc.strerror}"
        raise InputFileError(message) from exc
    if folder.is_symlink():
        message = f"{folder}: expected a folder, as notation does; not a link to one"
        raise InputFileError(message)
    for entry in entries:
        if entry.is_symlink() or not entry.is_file() or entry.suffix.lower() not in _SUFFIXES:
            message = (
                f"{entry}: expected certificates only ({', '.join(_SUFFIXES)}), as notation does; no folders or links"
            )
            raise InputFileError(message)
        for certificate in read_roots(read_input(entry, "the certificates"), str(entry)):
            if not may_be_trusted(certificate, root=kind == TSA):
                wanted = "roots" if kind == TSA else "authorities, or certificates that are signed by themselves"
                message = f"{entry}: a certificate that notation takes into no store of type {kind}; expected {wanted}"
                raise InputFileError(message)
    if not 0 < len(entries) <= _MAX_FILES:
        message = f"{folder}: {len(entries)} certificates, expected 1 to {_MAX_FILES}"
        raise InputFileError(message)
    return [str(entry) for entry in entries]


def pin_root(file: str) -> str:
    """A file of roots as a signer of AWS Signer names it: another root than Amazon's is named by its fingerprint.

    Raises:
        InputFileError: not exactly one certificate.
    """
    prints = {hashlib.sha256(der).hexdigest() for der in read_roots(read_input(Path(file), "the roots"), file)}
    if len(prints) > 1:
        message = f"{file}: {len(prints)} certificates, expected one root for AWS Signer"
        raise InputFileError(message)
    (found,) = prints
    return file if found == AWS_SIGNER_ROOT else f"{file}#sha256:{found}"
