"""Results of ``sign``, ``attest``, ``attach``, ``pull`` and ``promote`` as text (ux.md sections 3 and 4). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.policy.verdict import Outcome
from imgtrust.reports.page import Page, Style, Tone
from imgtrust.reports.results import Fate
from imgtrust.reports.text import render_verdict
from imgtrust.reports.who import SOURCES, size, stamp
from imgtrust.rules.wording import count
from imgtrust.trust.times import ClaimedTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.results import (
        AttachedResult,
        FileResult,
        Planned,
        PromotionResult,
        PulledResult,
        SignedResult,
    )
    from imgtrust.trust.times import VerifiedTime

__all__ = ["NO_TIME", "told_attached", "told_promotion", "told_pulled", "told_signed"]

NO_TIME: Final = "no proven time: a policy that asks for a publish date will refuse this signature (--tsa URL)"
"""What ``sign`` says on stderr where no time-stamp authority was asked."""

_LABEL: Final = 24
_SOURCES: Final[dict[str, str]] = {str(source): words for source, words in SOURCES.items()}


def told_signed(result: SignedResult, style: Style) -> str:
    """One signature or attestation that was made."""
    page = Page(style)
    word = "signed" if result.predicate_type is None else "attested"
    indent = len(word) + 2
    page.put(0, (word, Tone.GOOD), ("  ", Tone.NONE), body=str(result.reference), tone=Tone.STRONG)
    times = _times(result.times)
    page.put(indent, body=f"{result.digest} by {result.signer}{f', {times}' if times else ''}")
    for line in _entries(result.logged):
        page.put(indent, body=line)
    if result.predicate_type is not None:
        page.put(indent, body=result.predicate_type)
    how = "attached already as" if result.unchanged else "attached as" if result.attached else "not attached:"
    page.put(indent, body=f"{how} {result.evidence}")
    return page.text()


def _times(times: Iterable[VerifiedTime | ClaimedTime]) -> str:
    """Every time that is known, with its source: ``time-stamp 2026-11-24 21:40:24 (tsa.example.com)``."""
    return ", ".join(
        f"{_SOURCES.get(item.source, item.source)} {stamp(item.time)} ({item.authority})"
        + (" not proven" if _unproven(item) else "")
        for item in times
        if item.time is not None
    )


def _entries(logged: Iterable[tuple[str, int]]) -> list[str]:
    """Where log entries are: what a person looks up in that log."""
    return [f"logged as number {index} in {url}" for url, index in logged]


def _unproven(time: object) -> bool:
    return isinstance(time, ClaimedTime) and time.code is not None


def told_attached(result: AttachedResult, style: Style) -> str:
    """One artifact that was attached."""
    page = Page(style)
    page.put(0, ("attached", Tone.GOOD), ("  ", Tone.NONE), body=str(result.reference), tone=Tone.STRONG)
    page.put(10, body=f"{result.digest}, {result.artifact_type}, not signed")
    _put_files(page, result.files)
    page.put(10, body=f"attached as {result.evidence}")
    return page.text()


def told_pulled(result: PulledResult, style: Style) -> str:
    """One artifact whose files were written."""
    page = Page(style)
    page.put(0, ("pulled", Tone.GOOD), ("  ", Tone.NONE), body=f"{result.evidence} to {result.directory}")
    page.put(10, body=result.artifact_type)
    _put_files(page, result.files)
    return page.text()


def _put_files(page: Page, files: Iterable[FileResult]) -> None:
    for file in files:
        page.put(10, body=f"{file.title}  {size(file.size)}  {file.digest}")


def told_promotion(result: PromotionResult, style: Style) -> str:
    """A promotion: what was judged, copied, recorded and tagged; refused, the reason and that nothing was written."""
    if result.before.outcome is not Outcome.ACCEPTED:
        return render_verdict(result.before, style) + _nothing(result, style)
    page = Page(style)
    _step(page, "judged at the source", _verdict(result.before))
    if result.dry:
        _put_plan(page, result)
        return page.text()
    _step(page, "copied", _moved(result.done, result.seconds))
    if result.after is not None:
        _step(page, "judged at destination", _verdict(result.after))
    if result.record is not None:
        who = f"{result.record}  signed by {result.recorder or 'nobody'} (SLSA verification summary)"
        when = _times(result.record_times)
        _step(page, "recorded", [who, *([when] if when else []), *_entries(result.record_logged)])
    if result.tags:
        _step(page, "tagged", [f"{result.destination.repository}:{tag}" for tag in result.tags])
    _put_obstacle(page, result)
    text = page.text()
    if result.after is not None and result.after.outcome is not Outcome.ACCEPTED:
        untagged = page.clean(f"no tag was set at {result.destination.repository}")
        text += f"\n{render_verdict(result.after, style)}\n{untagged}\n"
    return text


def _nothing(result: PromotionResult, style: Style) -> str:
    page = Page(style)
    page.put(0, body=f"nothing was written to {result.destination.repository}")
    return "\n" + page.text()


def _put_plan(page: Page, result: PromotionResult) -> None:
    """What would be done, with nothing done yet."""
    for fate, label in ((Fate.COPY, "would copy"), (Fate.MOUNT, "would mount"), (Fate.SKIP, "there already")):
        chosen = [item for item in result.plan if item.fate is fate]
        if chosen:
            _step(page, label, f"{_kinds(chosen)}, {size(sum(item.size for item in chosen))}")
    tags = [f"{result.destination.repository}:{tag}" for tag in result.tags]
    _step(
        page,
        "would record",
        f"a SLSA verification summary, signed by {result.recorder}" if result.recorder else "nothing",
    )
    _step(page, "would tag", tags or "nothing")
    _put_obstacle(page, result)


def _put_obstacle(page: Page, result: PromotionResult) -> None:
    for digest, reason in result.left_behind:
        _step(page, "left behind", f"{digest}  {reason}")
    if result.obstacle is not None:
        _step(page, "in the way", result.obstacle)
    if result.resume is not None:
        _step(page, "go on with", result.resume)


def _step(page: Page, label: str, body: str | Sequence[str]) -> None:
    page.put(0, (label, Tone.FAINT), body=body, hang=_LABEL)


def _verdict(verdict: Verdict) -> str:
    words = {Outcome.ACCEPTED: "ACCEPTED", Outcome.REJECTED: "REJECTED", Outcome.UNDECIDED: "COULD NOT TELL"}
    return f"{words[verdict.outcome]}  {verdict.digest} ({verdict.policy.source})"


def _moved(done: tuple[Planned, ...], seconds: float | None) -> str:
    """``9 blobs, 2 manifests, 205 MiB in 2.1 s; 5 mounted and re-read; 3 there already``."""
    copied = [item for item in done if item.fate is Fate.COPY]
    told = f"{_kinds(copied)}, {size(sum(item.size for item in copied))}" if copied else "nothing"
    told += "" if seconds is None else f" in {seconds:.1f} s"
    for fate, words in ((Fate.MOUNT, "mounted and re-read"), (Fate.SKIP, "there already")):
        number = sum(1 for item in done if item.fate is fate)
        told += f"; {number} {words}" if number else ""
    return told


def _kinds(items: Iterable[Planned]) -> str:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.kind] = counts.get(item.kind, 0) + 1
    return ", ".join(count(number, kind.replace("-", " ")) for kind, number in counts.items())
