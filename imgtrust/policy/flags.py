"""The shorthand of ``verify``: flags that build the same ``Policy`` value as a file. Pure.

Knows what each flag means (CLI.md section 3); knows nothing of command lines, files or keys' contents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import UsageError
from imgtrust.policy.values import (
    PUBLIC_GOOD,
    EvidenceRule,
    KeylessSigner,
    KeySigner,
    NotarySigner,
    Policy,
    PublishRule,
    Scope,
    SignatureRule,
    SigstoreTrust,
    TimeTrust,
)
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from imgtrust.policy.values import Signer

__all__ = [
    "EVERYTHING",
    "FLAGS",
    "NOTARY_TYPES",
    "REVOCATIONS",
    "TRUSTED_SOURCES",
    "Shorthand",
    "policy_from_flags",
]

FLAGS: Final = "flags"
"""The name of the scope that flags make, and the source of such a policy in reports."""
EVERYTHING: Final = ("**",)
TRUSTED_SOURCES: Final = (TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY)
"""Every source of trusted times (DESIGN section 6), in the order in which a policy is written."""

NOTARY_TYPES: Final = ("ca", "signing-authority", "aws-signer")
"""The kinds of Notary trust stores."""
REVOCATIONS: Final = ("enforce", "log", "skip")
"""What may be done about certificates that are revoked."""

_UNNAMED: Final = "key"
_GIVEN: Final = "trusted-root"
_NAME_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_-]+")
_MAX_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Shorthand:
    """The trust flags as values. ``keys`` are as written after ``--key``; ``count`` is of distinct signers.

    ``identity`` and ``issuer`` and their patterns are of one keyless signer, ``notary_…`` and ``revocation`` of one
    Notary signer.
    """

    keys: tuple[str, ...] = ()
    tsa_roots: tuple[str, ...] = ()
    trusted_root: str | None = None
    count: int = 1
    require_time: bool = False
    max_age: timedelta | None = None
    min_soak: timedelta | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    evidence: tuple[str, ...] = ()
    identity: str | None = None
    identity_regexp: str | None = None
    issuer: str | None = None
    issuer_regexp: str | None = None
    notary_roots: tuple[str, ...] = ()
    notary_identities: tuple[str, ...] = ()
    notary_type: str | None = None
    revocation: str | None = None

    @property
    def keyless(self) -> bool:
        """Whether anything is said of a keyless signer."""
        said = (self.identity, self.identity_regexp, self.issuer, self.issuer_regexp)
        return any(text is not None for text in said)

    @property
    def notary(self) -> bool:
        """Whether anything is said of a Notary signer."""
        return bool(self.notary_roots or self.notary_identities) or (self.notary_type or self.revocation) is not None


def policy_from_flags(shorthand: Shorthand) -> Policy:
    """The policy that the flags mean: one scope named ``flags`` for every image, promotable to everywhere.

    Raises:
        UsageError: no signer, half of one, fewer than ``--count`` asks for, limits that no time keeps, or no type of
            evidence.
    """
    _check_limits(shorthand)
    signers: list[Signer] = [KeySigner(name, key) for name, key in _named(shorthand.keys)]
    instances: tuple[SigstoreTrust, ...] = ()
    taken = {signer.name for signer in signers}
    if shorthand.keyless:
        if shorthand.trusted_root not in {None, PUBLIC_GOOD}:
            instances = (SigstoreTrust(_GIVEN, shorthand.trusted_root),)
        signers.append(_keyless(shorthand, _free("keyless", taken), _GIVEN if instances else PUBLIC_GOOD))
    if shorthand.notary:
        signers.append(_notary(shorthand, _free("notary", taken)))
    _check_count(shorthand.count, len(signers))
    names = tuple(signer.name for signer in signers)
    attesting = tuple(signer.name for signer in signers if not isinstance(signer, NotarySigner))
    if shorthand.evidence and not attesting:
        message = "--evidence asks for attestations, which Notary does not make: name a --key or a keyless signer too"
        raise UsageError(message)
    dated = (shorthand.max_age, shorthand.min_soak, shorthand.not_before, shorthand.not_after)
    timed = shorthand.require_time or any(value is not None for value in dated)
    scope = Scope(
        name=FLAGS,
        images=EVERYTHING,
        signatures=SignatureRule(names, shorthand.count),
        promote_to=EVERYTHING,
        publish=PublishRule(TRUSTED_SOURCES if timed else (), *dated),
        evidence=tuple(EvidenceRule(kind, attesting) for kind in dict.fromkeys(shorthand.evidence)),
    )
    time = TimeTrust(tuple(dict.fromkeys(shorthand.tsa_roots)), shorthand.trusted_root)
    return Policy(tuple(signers), (scope,), time, instances)


def _keyless(shorthand: Shorthand, name: str, instance: str) -> KeylessSigner:
    """The one keyless signer."""
    for flag, exact, pattern in (
        ("--certificate-identity", shorthand.identity, shorthand.identity_regexp),
        ("--certificate-oidc-issuer", shorthand.issuer, shorthand.issuer_regexp),
    ):
        if (exact is None) == (pattern is None):
            message = f"a keyless signer needs exactly one of {flag} and {flag}-regexp"
            raise UsageError(message)
        if not (exact or pattern):
            message = f"{flag} is empty, which names nobody"
            raise UsageError(message)
        if pattern is not None:
            from imgtrust.policy.patterns import compile_pattern  # noqa: PLC0415 - only where a pattern is given

            compile_pattern(pattern)
    return KeylessSigner(
        name, instance, shorthand.issuer, shorthand.issuer_regexp, shorthand.identity, shorthand.identity_regexp
    )


def _notary(shorthand: Shorthand, name: str) -> NotarySigner:
    """The one Notary signer; ARNs of profiles mean AWS Signer where no type is given."""
    from imgtrust.policy.subjectnames import check_identity, check_root  # noqa: PLC0415 - only for a Notary signer

    identities = tuple(dict.fromkeys(shorthand.notary_identities))
    roots = tuple(dict.fromkeys(shorthand.notary_roots))
    profiles = bool(identities) and all(item.startswith("arn:") for item in identities)
    kind = shorthand.notary_type or ("aws-signer" if profiles else "ca")
    if kind not in NOTARY_TYPES:
        message = f'--notary-type "{kind}" is not known; expected one of {", ".join(NOTARY_TYPES)}'
        raise UsageError(message)
    if not identities:
        message = (
            "a Notary signer needs --notary-identity: 'x509.subject: C=…, ST=…, O=…', '*', or the ARN of a profile"
        )
        raise UsageError(message)
    for identity in identities:
        check_identity(kind, identity)
    if not roots and kind != "aws-signer":
        message = "a Notary signer needs --notary-roots: the certificates that its signers come from"
        raise UsageError(message)
    for root in roots:
        check_root(root)
    revocation = shorthand.revocation or "enforce"
    if revocation not in REVOCATIONS:
        message = f'--revocation "{revocation}" is not known; expected one of {", ".join(REVOCATIONS)}'
        raise UsageError(message)
    return NotarySigner(name, kind, identities, roots, revocation)


def _check_limits(shorthand: Shorthand) -> None:
    """Refuse flags that no image could satisfy."""
    if not (shorthand.keys or shorthand.keyless or shorthand.notary):
        message = (
            "no signer is named: give at least one --key PUB, --certificate-identity with --certificate-oidc-issuer, "
            "--notary-identity, or a policy with --policy FILE"
        )
        raise UsageError(message)
    start, end = shorthand.not_before, shorthand.not_after
    if start is not None and end is not None and start >= end:
        message = "--not-before must be earlier than --not-after: no time lies between them"
        raise UsageError(message)
    if shorthand.max_age is not None and shorthand.min_soak is not None and shorthand.min_soak > shorthand.max_age:
        message = "--min-soak is longer than --max-age: no image is old and young enough at once"
        raise UsageError(message)
    if shorthand.evidence:
        from imgtrust.predicates.types import resolve  # noqa: PLC0415 - only where evidence is asked for

        for kind in shorthand.evidence:
            resolve(kind)


def _check_count(count: int, signers: int) -> None:
    """Refuse a number of signers that no image could have."""
    if count < 1:
        message = f"--count {count}: expected at least 1, an image without a signature is never accepted"
        raise UsageError(message)
    if count > signers:
        message = f"--count {count} asks for more distinct signers than the {signers} that are named"
        raise UsageError(message)


def _free(name: str, taken: set[str]) -> str:
    """A name that no signer has yet; it is taken then."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def _named(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """A name for each distinct key: the file's own without its suffix, numbered where two would be the same."""
    named = []
    taken: set[str] = set()
    for key in dict.fromkeys(keys):
        stem = "" if "-----BEGIN" in key else key.rpartition("/")[2].partition(".")[0]
        named.append((_free(_NAME_CHARACTER.sub("-", stem).strip("-")[:_MAX_NAME] or _UNNAMED, taken), key))
    return named
