"""What is attached to an image, as a tree: by whom, when, believed or not and why (ux.md section 2). Pure.

Knows the shape of that tree; ``commands.inspect`` fills it. Without trust options everything is *found*, nothing is
believed, and the last line says how to have it judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from imgtrust.policy.durations import show_time
from imgtrust.reports.document import time_entries
from imgtrust.reports.page import Page, Style, Tone, columns
from imgtrust.reports.who import SOURCES, identity, stamp
from imgtrust.trust.times import ClaimedTime, TimeSource, VerifiedTime

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.content import Platform
    from imgtrust.evidence import Unread
    from imgtrust.policy.verdict import PolicyId
    from imgtrust.reference import Digest, Reference
    from imgtrust.refusals import RefusalCode

__all__ = [
    "INSPECTION_SCHEMA",
    "SAYS",
    "Attached",
    "Inspection",
    "Node",
    "Standing",
    "inspection_document",
    "render_tree",
]

INSPECTION_SCHEMA: Final = "imgtrust-inspection/1"
_WIDEST: Final = 44
SAYS: Final = "says "
"""How the reason of what was merely found begins: all that follows is its own word."""
_NOT_JUDGED: Final = (
    "found, not judged: who signed and when is what each thing says of itself. Give --policy FILE, or --key PUB, to "
    "have it judged"
)


class Standing(StrEnum):
    """What one piece of evidence is worth."""

    BELIEVED = "believed"
    REFUSED = "refused"
    CLAIM = "claim"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Attached:
    """One thing that is attached.

    ``kind`` is a word (``signature``, ``provenance``, ``sbom``, ``attestation``, ``artifact``); ``what`` says more
    (``Sigstore bundle``, ``SLSA v1``, ``CycloneDX 1.6, 214 packages``). ``signer`` is the name in the policy and
    ``identity`` the key or whom the certificate names, where it is believed; ``code`` and ``reason`` say why it is not.
    """

    kind: str
    what: str
    standing: Standing
    evidence: Digest
    format: str | None = None
    predicate_type: str | None = None
    signer: str | None = None
    identity: str | None = None
    times: tuple[VerifiedTime | ClaimedTime, ...] = ()
    code: RefusalCode | None = None
    reason: str = ""
    not_checked: tuple[str, ...] = ()
    second_opinion: str = ""
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One manifest: ``kind`` is ``index``, ``image`` or ``artifact``; ``children`` are the platforms of an index."""

    digest: Digest
    kind: str
    platform: Platform | None = None
    attached: tuple[Attached, ...] = ()
    unread: tuple[Unread, ...] = ()
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """The tree of one image. ``policy`` is None where nothing was judged."""

    reference: Reference
    root: Node
    judged_at: datetime
    policy: PolicyId | None = None


def inspection_document(inspections: tuple[Inspection, ...]) -> dict[str, Any]:
    """The trees as data, the same shape for one image or many."""
    return {
        "schema": INSPECTION_SCHEMA,
        "images": [
            {
                "reference": str(item.reference),
                "judged_at": show_time(item.judged_at),
                "policy": None
                if item.policy is None
                else {"source": item.policy.source, "digest": str(item.policy.digest)},
                "root": _node(item.root),
            }
            for item in inspections
        ],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "digest": str(node.digest),
        "kind": node.kind,
        "platform": None if node.platform is None else str(node.platform),
        "attached": [_attached(item) for item in node.attached],
        "unread": [{"what": item.what, "reason": item.reason} for item in node.unread],
        "children": [_node(child) for child in node.children],
    }


def _attached(item: Attached) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "what": item.what,
        "standing": item.standing.value,
        "evidence": str(item.evidence),
        "format": item.format,
        "predicate_type": item.predicate_type,
        "signer": item.signer,
        "identity": item.identity,
        "times": time_entries(item.times),
        "unproven": [_unproven(time) for time in item.times if isinstance(time, ClaimedTime) and time.code is not None],
        "code": None if item.code is None else item.code.value,
        "reason": item.reason,
        "not_checked": list(item.not_checked),
        "second_opinion": item.second_opinion or None,
        "ends": None if item.ends is None else show_time(item.ends),
    }


def _unproven(time: ClaimedTime) -> dict[str, Any]:
    """A time-stamp or a promise that could not be proven, and why not."""
    return {
        "time": None if time.time is None else show_time(time.time),
        "source": str(time.source),
        "authority": time.authority,
        "code": None if time.code is None else time.code.value,
        "reason": time.reason,
    }


def render_tree(inspection: Inspection, style: Style) -> str:
    """One tree as text."""
    page = Page(style)
    root = inspection.root
    page.put(0, (f"{inspection.reference}", Tone.STRONG), (f"  {page.clean(str(root.digest))}  {root.kind}", Tone.NONE))
    _put_node(page, root, "")
    page.blank()
    policy = inspection.policy
    if policy is None:
        page.put(0, body=_NOT_JUDGED)
    else:
        page.put(0, body=f"judged by {policy.source} {policy.digest}, {stamp(inspection.judged_at)}")
    return page.text()


def _put_node(page: Page, node: Node, indent: str) -> None:
    """What hangs below a node: attached things, what could not be read, then platforms."""
    entries: list[Attached | Node | str] = [*node.attached]
    entries += [f"could not be read: {item.what}: {item.reason}" for item in node.unread]
    entries += node.children
    if not entries:
        entries.append("nothing attached")
    kinds = _widest(page, [item.kind for item in node.attached])
    whats = min(_WIDEST, page.width * 2 // 5, _widest(page, [item.what for item in node.attached]))
    names = _widest(page, [_who(item) for item in node.attached if item.standing is Standing.BELIEVED])
    for number, entry in enumerate(entries):
        last = number == len(entries) - 1
        branch = f"{indent}{'└─ ' if last else '├─ '}"
        below = f"{indent}{'   ' if last else '│  '}"
        match entry:
            case Attached():
                lead = f"{_padded(page, entry.kind, kinds)}  {_padded(page, entry.what, whats)}  "
                told, tone = _told(entry, _padded(page, _who(entry), names))
                rest = columns(below) + kinds + 2
                page.put(0, (branch + lead, Tone.NONE), body=told, rest=rest, tone=tone, below=below)
                _put_more(page, entry, below, rest)
            case Node():
                name = str(entry.platform or entry.kind)
                page.put(0, (f"{branch}{name}  {page.clean(str(entry.digest))}", Tone.NONE))
                _put_node(page, entry, below)
            case _:
                page.put(0, (branch, Tone.NONE), body=entry, below=below)


def _put_more(page: Page, item: Attached, below: str, rest: int) -> None:
    """With ``verbose``: which evidence it is, whom the certificate names, each time, and what nobody checked."""
    if not page.verbose:
        return
    lines = [str(item.evidence)]
    lines += [identity(item.identity, whole=True)] if item.identity else []
    lines += [_time(time) for time in item.times]
    lines += [] if item.ends is None else [f"not believed any more from {stamp(item.ends)}"]
    lines += [item.second_opinion] if item.second_opinion else []
    lines += [f"not checked: {text}" for text in item.not_checked]
    for line in lines:
        page.put(0, (below + " " * (rest - columns(below)), Tone.NONE), body=line, tone=Tone.FAINT, below=below)


def _time(time: VerifiedTime | ClaimedTime) -> str:
    """One time with what proves it, or that nothing does and why."""
    if isinstance(time, VerifiedTime):
        return f"{stamp(time.time)} {SOURCES[time.source]} ({time.authority})"
    told = f"{'no time that can be read' if time.time is None else stamp(time.time)} {_source(time.source)}"
    if time.code is None:
        return f"{told}, claimed only"
    return f"{told}, not proven: {time.reason} [{time.code.value}]"


def _source(source: str) -> str:
    """What a claimed time is said to come from, for people."""
    return (
        SOURCES[TimeSource(source)] if source in set(TimeSource) else source.removeprefix("notary-").replace("-", " ")
    )


def _widest(page: Page, texts: list[str]) -> int:
    return max((columns(page.clean(text)) for text in texts), default=0)


def _padded(page: Page, text: str, width: int) -> str:
    return text + " " * (width - columns(page.clean(text)))


def _who(item: Attached) -> str:
    """The name in the policy, or the key."""
    return item.signer or identity(item.identity or "")


def _told(item: Attached, who: str) -> tuple[str, Tone]:
    """Who and when, or why it is not believed."""
    match item.standing:
        case Standing.BELIEVED:
            return f"{who}  {_when(item)}", Tone.NONE
        case Standing.REFUSED:
            code = "" if item.code is None else f"  [{item.code.value}]"
            return f"not believed: {item.reason}{code}", Tone.BAD
        case Standing.CLAIM:
            return "unsigned claim" + (f" ({item.reason})" if item.reason else ""), Tone.WARN
        case _:
            said = [text for text in (item.reason.removeprefix(SAYS), _claimed(item)) if text]
            return "found" + (f": says {', '.join(said)}" if said else ", and says nothing of itself"), Tone.FAINT


def _when(item: Attached) -> str:
    """The earliest proven time with its proofs, or that there is none."""
    proven = [time for time in item.times if isinstance(time, VerifiedTime)]
    if not proven:
        said = _claimed(item)
        return "no proven time" + (f", claims {said}" if said else "")
    proofs = ", ".join(dict.fromkeys(SOURCES[time.source] for time in proven))
    return f"{stamp(min(time.time for time in proven))}  {proofs}"


def _claimed(item: Attached) -> str:
    """The earliest time that it merely claims, with where that is written; nothing where there is none."""
    claims = [(time.time, time.source) for time in item.times if time.time is not None]
    if not claims:
        return ""
    moment, source = min(claims)
    return f"{stamp(moment)} ({_source(source)})"
