"""Who signed, and when, for people: signers, identities, times and sizes. Pure."""

from __future__ import annotations

import re
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

__all__ = ["SOURCES", "bare_name", "date", "identity", "put_signers", "size", "stamp"]

_KEY: Final = "key sha256:"
_FINGERPRINT: Final = 8
SOURCES: Final = {
    TimeSource.RFC3161: "time-stamp",
    TimeSource.REKOR: "log",
    TimeSource.SIGNING_AUTHORITY: "signing authority",
    TimeSource.REGISTRY: "registry",
}
"""What proves a time, for people."""
_SHORT: Final = (
    (re.compile(r"https://[^/]+/(.+?)/\.github/workflows/([^@]+)@refs/(?:heads|tags|pull)/(.+)"), "{0} {1}@{2}"),
    (re.compile(r"https://[^/]+/(.+?)//([^@]+)@refs/(?:heads|tags)/(.+)"), "{0} {1}@{2}"),
    (re.compile(r"https://[^/]+/(.+?)/\.github/workflows/([^@]+)@([0-9a-f]{8})[0-9a-f]*"), "{0} {1}@{2}"),
    (re.compile(r"x509\.subject: (?:.*,)?CN=((?:[^,\\]|\\.)+)(?:,.*)?"), "{0}"),
    (re.compile(r"x509\.subject: (?:.*,)?O=((?:[^,\\]|\\.)+)(?:,.*)?"), "{0}"),
    (re.compile(r"arn:[^:]+:signer:([^:]+):([0-9]+):/signing-profiles/(.+)"), "profile {2} ({1}, {0})"),
)
"""Names that certificates give to machines, and what of them a person reads."""
_LISTED: Final = 20
"""So many signers are told of without ``verbose``."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024
_WHOLE: Final = 10
"""From this number on a fraction says nothing."""


def put_signers(page: Page, facts: ImageFacts, hang: int) -> None:
    """The block ``signed by``: one line for each signer that is believed, of the image or of a platform of it.

    With ``verbose`` one for each signature.
    """
    rows = _signers(facts, each=page.verbose)
    if not rows:
        page.put(2, ("signed by", Tone.FAINT), body="nobody that the policy names", hang=hang)
    shown = rows if page.verbose else rows[:_LISTED]
    widths = [max((columns(page.clean(row[n])) for row in shown), default=0) for n in range(2)]
    for number, (name, who, when) in enumerate(shown):
        label = "signed by" if number == 0 else ""
        cells = "  ".join(
            text + " " * (width - columns(page.clean(text))) for text, width in zip((name, who), widths, strict=True)
        )
        page.put(2, (label, Tone.FAINT), body=f"{cells}  {when}", hang=hang)
    if len(rows) > len(shown):
        page.put(2, body=f"and {len(rows) - len(shown)} more signers", hang=hang)


def _signers(facts: ImageFacts, *, each: bool) -> list[tuple[str, str, str]]:
    """Name, identity and times of all that signed; several signatures of one signer together, unless ``each``."""
    rows = []
    for subject in facts.subjects:
        groups: dict[tuple[object, ...], list[VerifiedSignature]] = {}
        for item in subject.signatures:
            if item.kind is Kind.SIGNATURE:
                key = (len(groups),) if each else (item.signers, item.identity)
                groups.setdefault(key, []).append(item)
        for found in groups.values():
            first = min(found, key=lambda item: (item.earliest is None, item.earliest))
            told = _every_time(first) if each else _when(first)
            told += _of(subject.platform, subject is not facts.root)
            told += f"  ({len(found)} signatures)" if len(found) > 1 else ""
            rows.append((", ".join(first.signers), identity(first.identity, whole=each), told))
    return rows


def bare_name(verdict: Verdict) -> str:
    """The name of an image without its digest, which stands beside the name in every report."""
    return verdict.name if verdict.digest is None else verdict.name.removesuffix(f"@{verdict.digest}")


def identity(text: str, *, whole: bool = False) -> str:
    """A signer's identity, short unless it is wanted ``whole``.

    ``key 3f9ac2d1`` for a key, ``acme/app release.yml@main`` for a workflow, the address of a person, the common name
    (else the organisation) of a Notary certificate, the name of a signing profile.
    """
    if text.startswith(_KEY):
        return f"key {text[len(_KEY) :][:_FINGERPRINT]}"
    if whole:
        return text
    name = text.rpartition(" (")[0] or text
    for pattern, shape in _SHORT:
        found = pattern.fullmatch(name)
        if found is not None:
            return shape.format(*found.groups())
    return name


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
    """The earliest proven time, and all that proves it."""
    if signature.earliest is None:
        return "no proven time"
    proofs = ", ".join(dict.fromkeys(f"{SOURCES[time.source]} ({time.authority})" for time in signature.times))
    return f"{stamp(signature.earliest)}  proven by {proofs}"


def _every_time(signature: VerifiedSignature) -> str:
    """Each proven time with what proves it, the earliest first."""
    times = sorted(signature.times, key=lambda time: time.time)
    told = (f"{stamp(time.time)} proven by {SOURCES[time.source]} ({time.authority})" for time in times)
    return ", ".join(dict.fromkeys(told)) or "no proven time"


def _of(platform: object, child: bool) -> str:  # noqa: FBT001 - one of two
    return f"  ({platform or 'a platform'} only)" if child else ""
