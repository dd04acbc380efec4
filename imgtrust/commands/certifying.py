"""Keyless and Notary signers of a policy become trust anchors: trusted roots and certificates are read.

Knows which file each name stands for; knows nothing of what is done with it. Imported only for policies that have such
signers: certificates cost more to import than a signature by a key costs to verify.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from imgtrust.commands.anchors import packaged_certificates, packaged_root
from imgtrust.commands.files import read_input
from imgtrust.errors import InputFileError
from imgtrust.policy.patterns import compile_pattern
from imgtrust.policy.subjectnames import parse_identity
from imgtrust.policy.values import PUBLIC_GOOD, KeylessSigner, NotarySigner
from imgtrust.trust.anchors import TrustedIdentity, TrustedNotary
from imgtrust.trust.certificatefiles import AWS_SIGNER_ROOT, read_roots
from imgtrust.trust.roots import parse_sigstore_root

if TYPE_CHECKING:
    import re
    from pathlib import Path

    from imgtrust.policy.values import Policy
    from imgtrust.trust.anchors import SigstoreRoot

__all__ = ["load_identities", "load_notary", "load_sigstore"]

_SILENT: Final = logging.NullHandler()
_AWS: Final = "aws-signer"
_AWS_ADDRESS: Final = "https://d2hvyiie56hcat.cloudfront.net/aws-signer-notation-root.cert"


def load_sigstore(name: str, policy: Policy, base: Path) -> SigstoreRoot:
    """A Sigstore instance by its name in the policy.

    Raises:
        InputFileError: its trusted root cannot be read.
    """
    path = next((item.trusted_root for item in policy.sigstore if item.name == name), PUBLIC_GOOD)
    data = packaged_root(path) if path == PUBLIC_GOOD else read_input(base / path, f"the trusted root of {name}")
    return parse_sigstore_root(data, name)


def load_identities(policy: Policy, base: Path) -> tuple[TrustedIdentity, ...]:
    """The keyless signers of a policy; each instance is read once.

    Raises:
        InputFileError: a trusted root cannot be read.
        UsageError: a pattern is none.
    """
    logging.getLogger("sigstore").addHandler(_SILENT)  # the second opinion's warnings are no part of our answer
    roots: dict[str, SigstoreRoot] = {}
    found = []
    for signer in policy.signers:
        if isinstance(signer, KeylessSigner):
            root = roots.get(signer.sigstore) or load_sigstore(signer.sigstore, policy, base)
            roots[signer.sigstore] = root
            issuer = _question(signer.issuer, signer.issuer_regexp)
            identity = _question(signer.identity, signer.identity_regexp)
            found.append(TrustedIdentity(signer.name, root, issuer, identity, signer.extensions, signer.log))
    return tuple(found)


def _question(exact: str | None, pattern: str | None) -> str | re.Pattern[str]:
    return compile_pattern(pattern or "") if exact is None else exact


def load_notary(policy: Policy, base: Path) -> tuple[TrustedNotary, ...]:
    """The Notary signers of a policy.

    Raises:
        InputFileError: a file of roots cannot be read, or has another fingerprint than it should have.
        UsageError: an identity is none.
    """
    return tuple(_notary(signer, base) for signer in policy.signers if isinstance(signer, NotarySigner))


def _notary(signer: NotarySigner, base: Path) -> TrustedNotary:
    roots = tuple(dict.fromkeys(der for item in signer.roots for der in _roots(item, signer, base)))
    if signer.notary == _AWS:
        return TrustedNotary(signer.name, signer.notary, roots or _aws_root(), (), signer.identities, signer.revocation)
    subjects = tuple(parse_identity(item) for item in signer.identities)
    return TrustedNotary(signer.name, signer.notary, roots, subjects, (), signer.revocation)


def _roots(item: str, signer: NotarySigner, base: Path) -> tuple[bytes, ...]:
    """The certificates of one file; AWS Signer's own root is expected unless another one is named by fingerprint."""
    path, _, pinned = item.partition("#sha256:")
    data = read_input(base / path, f"the roots of signer {signer.name}")
    if pinned or signer.notary != _AWS:
        return read_roots(data, path, pinned or None)
    try:
        return read_roots(data, path, AWS_SIGNER_ROOT)
    except InputFileError as exc:
        message = f"{exc}; if another root is meant (another partition of AWS), name it as {path}#sha256:FINGERPRINT"
        raise InputFileError(message) from exc


def _aws_root() -> tuple[bytes, ...]:
    """The packaged root of AWS Signer."""
    for name, data in packaged_certificates():
        if _AWS in name:
            return read_roots(data, name, AWS_SIGNER_ROOT)
    message = (
        f"the root of AWS Signer does not come with this imgtrust: get it from AWS ({_AWS_ADDRESS}) and name its file "
        f"with roots or --notary-roots; its fingerprint (sha256:{AWS_SIGNER_ROOT}) is checked"
    )
    raise InputFileError(message)
