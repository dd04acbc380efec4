"""Who signed, and when, for people: signers, identities, times and sizes. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Kind
from imgtrust.reports.page import Tone, columns
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.page import Page
    from imgtrust.rules.facts import ImageFacts
    from imgtrust.trust.signatures import VerifiedSignature

__all__ = ["SOURCES", "bare_name", "date", "identity", "proof", "put_signers", "size", "stamp"]

_KEY: Final = "key sha256:"
_FINGERPRINT: Final = 8
SOURCES: Final = {
    TimeSource.RFC3161: "time-stamp",
    TimeSource.REKOR: "log",
    TimeSource.SIGNING_AUTHORITY: "signing authority",
    TimeSource.REGISTRY: "registry",
}
"""What proves a time, for people."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024
_WHOLE: Final = 10
"""From this number on a fraction says nothing."""


def put_signers(page: Page, facts: ImageFacts, hang: int) -> None:
    """The block ``signed by``: one line for each signature that is believed, of the image or of a platform of it."""
    rows = [
        (
            ", ".join(item.signers),
            identity(item.identity),
            _when(item),
            _of(subject.platform, subject is not facts.root),
        )
        for subject in facts.subjects
        for item in subject.signatures
        if item.kind is Kind.SIGNATURE
    ]
    if not rows:
        page.put(2, ("signed by", Tone.FAINT), body="nobody that the policy names", hang=hang)
    widths = [max((columns(page.clean(row[n])) for row in rows), default=0) for n in range(2)]
    for number, (name, who, when, platform) in enumerate(rows):
        label = "signed by" if number == 0 else ""
        cells = "  ".join(
            text + " " * (width - columns(page.clean(text))) for text, width in zip((name, who), widths, strict=True)
        )
        page.put(2, (label, Tone.FAINT), body=f"{cells}  {when}{platform}", hang=hang)


def bare_name(verdict: Verdict) -> str:
    """The name of an image without its digest, which stands beside the name in every report."""
    return verdict.name if verdict.digest is None else verdict.name.removesuffix(f"@{verdict.digest}")


def identity(text: str) -> str:
    """A signer's identity, short: ``key 3f9ac2d1`` for a key."""
    return f"key {text[len(_KEY) :][:_FINGERPRINT]}" if text.startswith(_KEY) else text


def proof(signature: VerifiedSignature) -> str:
    """What proves the time of a signature: ``time-stamp, log``; nothing where it has none."""
    return ", ".join(dict.fromkeys(SOURCES[time.source] for time in signature.times))


def stamp(time: datetime) -> str:
    """``2026-11-20 09:14:03``, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def date(time: datetime) -> str:
    """``2026-11-20``, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d")


def size(number: int) -> str:
    """A number of bytes: ``412 MiB``, ``1.5 KiB``."""
    value, unit = float(number), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= _WHOLE else f"{value:.1f} {_UNITS[unit]}"


def _when(signature: VerifiedSignature) -> str:
    if signature.earliest is None:
        return "no proven time"
    authorities = ", ".join(dict.fromkeys(time.authority for time in signature.times))
    return f"{stamp(signature.earliest)}  proven by {proof(signature)} ({authorities})"


def _of(platform: object, child: bool) -> str:  # noqa: FBT001 - one of two
    return f"  ({platform or 'a platform'} only)" if child else ""
