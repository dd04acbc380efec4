"""The shorthand of ``verify``: flags that build the same ``Policy`` value as a file. Pure.

Knows what each flag means (CLI.md section 3); knows nothing of command lines, files or keys' contents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import UsageError
from imgtrust.policy.values import EvidenceRule, KeySigner, Policy, PublishRule, Scope, SignatureRule, TimeTrust
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = ["EVERYTHING", "FLAGS", "TRUSTED_SOURCES", "Shorthand", "policy_from_flags"]

FLAGS: Final = "flags"
"""The name of the scope that flags make, and the source of such a policy in reports."""
EVERYTHING: Final = ("**",)
TRUSTED_SOURCES: Final = (TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY)
"""Every source of trusted times (DESIGN section 6), in the order in which a policy is written."""

_UNNAMED: Final = "key"
_NAME_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_-]+")
_MAX_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Shorthand:
    """The trust flags as values. ``keys`` are as written after ``--key``; ``count`` is of distinct signers."""

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


def policy_from_flags(shorthand: Shorthand) -> Policy:
    """The policy that the flags mean: one scope named ``flags`` for every image, promotable to everywhere.

    Raises:
        UsageError: no key, fewer keys than ``--count`` asks for, limits that no time keeps, or no type of evidence.
    """
    _check(shorthand)
    signers = tuple(KeySigner(name, key) for name, key in _named(shorthand.keys))
    names = tuple(signer.name for signer in signers)
    dated = (shorthand.max_age, shorthand.min_soak, shorthand.not_before, shorthand.not_after)
    timed = shorthand.require_time or any(value is not None for value in dated)
    scope = Scope(
        name=FLAGS,
        images=EVERYTHING,
        signatures=SignatureRule(names, shorthand.count),
        promote_to=EVERYTHING,
        publish=PublishRule(TRUSTED_SOURCES if timed else (), *dated),
        evidence=tuple(EvidenceRule(kind, names) for kind in dict.fromkeys(shorthand.evidence)),
    )
    return Policy(signers, (scope,), TimeTrust(tuple(dict.fromkeys(shorthand.tsa_roots)), shorthand.trusted_root))


def _check(shorthand: Shorthand) -> None:
    """Refuse flags that no image could satisfy."""
    keys = len(set(shorthand.keys))
    if not keys:
        message = "no signer is named: give at least one --key PUB, or a policy with --policy FILE"
        raise UsageError(message)
    if shorthand.count < 1:
        message = f"--count {shorthand.count}: expected at least 1, an image without a signature is never accepted"
        raise UsageError(message)
    if shorthand.count > keys:
        message = f"--count {shorthand.count} asks for more distinct signers than the {keys} that --key names"
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


def _named(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """A name for each distinct key: the file's own without its suffix, numbered where two would be the same."""
    names: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        stem = "" if "-----BEGIN" in key else key.rpartition("/")[2].partition(".")[0]
        base = _NAME_CHARACTER.sub("-", stem).strip("-")[:_MAX_NAME] or _UNNAMED
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names[name] = key
    return list(names.items())
