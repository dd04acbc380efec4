"""What a policy says, as values. Pure.

Knows the vocabulary of DESIGN section 7 and nothing of TOML, flags or files: ``policy.document`` reads a file into
these values, ``policy.flags`` builds them from the shorthand, ``policy.writing`` prints them again. There is one
judgement over them (``policy.evaluate``), never two.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "PUBLIC_GOOD",
    "EvidenceRule",
    "KeySigner",
    "KeylessSigner",
    "NotarySigner",
    "Policy",
    "PublishRule",
    "Scope",
    "SignatureRule",
    "Signer",
    "SigstoreTrust",
    "TimeTrust",
    "distinct",
]

PUBLIC_GOOD: Final = "public-good"
"""The name of Sigstore's public good instance, whose trusted root comes with imgtrust."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """``[signers.NAME]`` with ``key``: a public key by name, and the window in which it speaks (ends inclusive).

    ``key`` is as written: a path (relative to the policy file), ``env://NAME``, a KMS name, or PEM text.
    """

    name: str
    key: str
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeylessSigner:
    """``[signers.NAME]`` with ``sigstore``: an identity that a Sigstore certificate names.

    ``sigstore`` names a root: ``public-good``, or a table ``[sigstore.NAME]``. Exactly one of ``issuer`` and
    ``issuer_regexp``, and of ``identity`` and ``identity_regexp``, is set; a pattern matches the whole text.
    ``extensions`` are the Fulcio extensions asked for, by the names of ``trust.identities.EXTENSIONS``, exact values.
    ``log``: whether a log entry is required (default) or a time-stamp alone is enough.
    """

    name: str
    sigstore: str
    issuer: str | None = None
    issuer_regexp: str | None = None
    identity: str | None = None
    identity_regexp: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    log: bool = True


@dataclass(frozen=True, slots=True)
class NotarySigner:
    """``[signers.NAME]`` with ``notary``: ``ca``, ``signing-authority`` or ``aws-signer``.

    ``roots``: PEM files (for ``aws-signer`` the packaged root where empty). ``identities``: ``x509.subject: …`` as
    notation writes them; for ``aws-signer`` the ARNs of profiles or profile versions. ``revocation``: ``enforce``,
    ``log`` or ``skip``.
    """

    name: str
    notary: str
    identities: tuple[str, ...]
    roots: tuple[str, ...] = ()
    revocation: str = "enforce"


Signer = KeySigner | KeylessSigner | NotarySigner


def distinct(signer: Signer) -> object:
    """What makes two signers of a policy the same one: one key, or the same questions about a certificate."""
    return signer.key.strip() if isinstance(signer, KeySigner) else replace(signer, name="")


@dataclass(frozen=True, slots=True)
class SigstoreTrust:
    """``[sigstore.NAME]``: a Sigstore instance by its trusted root, a path as written."""

    name: str
    trusted_root: str


@dataclass(frozen=True, slots=True)
class TimeTrust:
    """``[time]``: who may time-stamp. Paths as written: PEM chains, and one Sigstore trusted root (JSON)."""

    tsa_roots: tuple[str, ...] = ()
    trusted_root: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """``[[scopes]]``: which images, what they need, and where they may go. ``name`` is what reports call it."""

    name: str
    images: tuple[str, ...]
    signatures: SignatureRule
    promote_to: tuple[str, ...] = ()
    publish: PublishRule = field(default_factory=PublishRule)
    evidence: tuple[EvidenceRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, already checked: every signer that a scope names exists, counts can be reached."""

    signers: tuple[Signer, ...]
    scopes: tuple[Scope, ...]
    time: TimeTrust = field(default_factory=TimeTrust)
    sigstore: tuple[SigstoreTrust, ...] = ()
    version: int = 1
