"""Everything that a judgement needs to know about one image, fetched and believed or not: the facts, no verdict.

Knows the order of work: manifests, then evidence and blobs side by side. Where stores and trust meet: what a store
found is handed to ``assess``, and nothing of how it was fetched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.graph import ImageGraph, walk
from imgtrust.commands.integrity import BlobReport, check_blobs
from imgtrust.commands.revocations import ask_about
from imgtrust.content import Index, Manifest, Platform
from imgtrust.errors import InvalidDigest
from imgtrust.evidence import Claim, Found, Unread
from imgtrust.formats.attachments import claim_of
from imgtrust.reference import Digest, LayoutRepository
from imgtrust.refusals import RefusalCode
from imgtrust.rules.facts import ImageFacts, Integrity, IntegrityMode, SubjectFacts
from imgtrust.stores.discovery import discover
from imgtrust.stores.parallel import in_threads
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from imgtrust.content import Descriptor
    from imgtrust.reference import Reference
    from imgtrust.stores.port import Store
    from imgtrust.stores.revocation import Responders
    from imgtrust.trust.roots import TrustRoot

__all__ = ["gather"]

_ABOUT: Final = "vnd.docker.reference.digest"
_SMALL: Final = 8 * 1024 * 1024
"""A local image of fewer bytes is read faster in one thread than in several."""

_NO_BLOBS: Final = BlobReport((), 0, {})


def gather(
    store: Store,
    reference: Reference,
    root: Descriptor,
    trust: TrustRoot,
    *,
    at: datetime,
    mode: IntegrityMode = IntegrityMode.FULL,
    jobs: int = 8,
    hashed: Collection[Digest] = (),
    graph: ImageGraph | None = None,
    on_hashed: Callable[[Digest], object] | None = None,
    responders: Responders | None = None,
) -> ImageFacts:
    """The facts about the image ``root``, which ``reference`` named: its bytes, its evidence, and what is believed.

    ``at``: time of judgement (aware UTC). ``jobs``: threads. ``graph``: the manifests, where they were read already.
    ``hashed`` and ``on_hashed``: as in ``commands.integrity.check_blobs``. ``responders``: whoever is asked about
    revocation. Content that is absent, altered or malformed is a fault in the answer, the root included.

    Raises:
        StoreError: the store cannot answer about the image itself; about evidence it is an ``Unread`` in the answer.
        LimitExceeded: the image has more manifests than are read.
    """
    known = walk(store, root, jobs=jobs) if graph is None else graph
    subjects = [
        replace(root, platform=None),
        *(replace(child, platform=platform) for child, platform in known.children),
    ]
    full = mode is IntegrityMode.FULL
    size = sum(blob.size for blob in known.blobs)
    threads = 1 if isinstance(store.repository, LayoutRepository) and size < _SMALL else jobs

    def look(subject: Descriptor | None) -> Found | BlobReport:
        if subject is not None:
            return discover(store, subject, jobs=threads)
        return check_blobs(store, known, jobs=threads, hashed=hashed, on_hashed=on_hashed) if full else _NO_BLOBS

    report = _NO_BLOBS
    found: list[Found] = []
    for answer in in_threads(look, [None, *subjects], threads):
        if isinstance(answer, Found):
            found.append(answer)
        else:
            report = answer
    lifted = _buildkit_claims(known)
    found = [_with_content(each, known.manifests.get(each.subject)) for each in found]
    evidence = [item for each in found for item in each.evidence]
    revocations = ask_about(evidence, trust, responders, at=at)
    facts = [
        _believed(
            each,
            [assess(item, trust, at=at, revocations=revocations) for item in each.evidence],
            subject,
            platform,
            claims=lifted.get(subject.digest, ()),
        )
        for each, (subject, platform) in zip(found, _platforms(known, report), strict=True)
    ]
    integrity = Integrity(
        mode, len(known.manifests), len(known.blobs), report.checked, size, (*known.faults, *report.faults)
    )
    return ImageFacts(reference, facts[0], tuple(facts[1:]), integrity, at)


def _with_content(found: Found, manifest: Manifest | Index | None) -> Found:
    """The same with the bytes that it is all about: what is signed may name their size and type too."""
    if manifest is None:
        return found
    return replace(found, evidence=tuple(replace(each, content=manifest.raw) for each in found.evidence))


def _believed(
    found: Found,
    answers: Iterable[VerifiedSignature | Refusal],
    subject: Descriptor,
    platform: Platform | None,
    *,
    claims: Iterable[Claim],
) -> SubjectFacts:
    """What is believed about one manifest. Where nobody could tell about revocation, that is what is said."""
    verified, refused, unread = [], [], list(found.unread)
    for answer in answers:
        if isinstance(answer, VerifiedSignature):
            verified.append(answer)
        elif answer.code is RefusalCode.NOTARY_REVOCATION_UNKNOWN:
            unread.append(Unread(f"the signature {answer.evidence}", answer.reason))
        else:
            refused.append(answer)
    return SubjectFacts(subject, platform, tuple(verified), tuple(refused), (*found.claims, *claims), tuple(unread))


def _platforms(graph: ImageGraph, report: BlobReport) -> list[tuple[Descriptor, Platform | None]]:
    """The root and its children, with the platform that the index names, else the one of their config."""
    pairs = [(graph.root, None), *graph.children]
    return [(descriptor, platform or report.platforms.get(descriptor.digest)) for descriptor, platform in pairs]


def _buildkit_claims(graph: ImageGraph) -> dict[Digest, list[Claim]]:
    """What BuildKit's attestation manifests claim, by the child that they are about; the root where that is none."""
    children = {child.digest for child, _ in graph.children}
    claims: dict[Digest, list[Claim]] = {}
    for entry in graph.attestation_manifests:
        manifest = graph.manifests.get(entry.digest)
        said = claim_of(manifest) if isinstance(manifest, Manifest) else None
        if said is None:
            continue
        about = _digest(entry.annotation(_ABOUT))
        subject = about if about in children and about is not None else graph.root.digest
        claims.setdefault(subject, []).append(Claim(subject, entry.digest, *said))
    return claims


def _digest(text: str | None) -> Digest | None:
    try:
        return Digest.parse(text or "")
    except InvalidDigest:
        return None
