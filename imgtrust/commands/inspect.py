"""The tree of evidence: what is attached to an image, by whom and when, believed or not and why.

Knows how facts become the nodes of the tree; decides nothing about evidence, and judges nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.attaching import resolve_subject
from imgtrust.commands.described import claims_of, described, moved, said_name, said_times
from imgtrust.commands.gather import gather
from imgtrust.commands.graph import walk
from imgtrust.commands.snapshot import Snapshot
from imgtrust.content import INDEX_TYPES, Manifest
from imgtrust.errors import Refused
from imgtrust.evidence import Unread
from imgtrust.formats import read
from imgtrust.formats.known import in_words
from imgtrust.refusals import RefusalCode
from imgtrust.reports.tree import SAYS, Attached, Inspection, Node, Standing
from imgtrust.rules.facts import IntegrityMode
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from imgtrust.commands.graph import ImageGraph
    from imgtrust.commands.loading import Judgement
    from imgtrust.evidence import Signed
    from imgtrust.reference import Digest, Reference
    from imgtrust.rules.facts import ImageFacts, SubjectFacts
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store
    from imgtrust.trust.signatures import Refusal, VerifiedSignature

__all__ = ["inspect_image", "inspect_store"]

_UNASKED: Final = frozenset(
    {
        RefusalCode.BUNDLE_UNTRUSTED_KEY,
        RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY,
        RefusalCode.CERTIFICATE_INSTEAD_OF_KEY,
        RefusalCode.NOTARY_UNTRUSTED,
    }
)
"""Why evidence is not believed where nobody was asked whom to believe."""


def inspect_image(
    reference: Reference, options: StoreOptions, *, at: datetime, judgement: Judgement | None = None, jobs: int = 8
) -> Inspection:
    """The tree of one image. Without a judgement everything is *found*, and nothing is said to be believed.

    Raises:
        NotFound: there is no such image.
        IntegrityError: a tag does not point at the digest of the name, or the image itself is altered.
        StoreError: the store could not answer about the image; about evidence that is a line in the tree.
    """
    store = open_store(reference.repository, options)
    try:
        return inspect_store(store, reference, at=at, judgement=judgement, jobs=jobs)
    finally:
        store.close()


def inspect_store(
    store: Store, reference: Reference, *, at: datetime, judgement: Judgement | None = None, jobs: int = 8
) -> Inspection:
    """As ``inspect_image``, of a store that is open."""
    source = Snapshot(store)
    root = resolve_subject(source, reference)
    graph = walk(source, root, jobs=jobs)
    trust = TrustRoot() if judgement is None else judgement.trust
    facts = gather(
        source,
        reference,
        root,
        trust,
        at=at,
        mode=IntegrityMode.MANIFESTS,
        jobs=jobs,
        graph=graph,
        responders=None if judgement is None else judgement.responders,
    )
    look = _Look(source, facts, graph, judged=judgement is not None, jobs=jobs)
    policy = None if judgement is None else judgement.policy_id
    return Inspection(reference, look.tree(), at, policy)


class _Look:
    """One look at the facts of one image."""

    def __init__(self, source: Snapshot, facts: ImageFacts, graph: ImageGraph, *, judged: bool, jobs: int) -> None:
        self._source = source
        self._facts = facts
        self._graph = graph
        self._judged = judged
        self._jobs = jobs

    def tree(self) -> Node:
        """The root with its children below it."""
        children = tuple(self._node(child, ()) for child in self._facts.children)
        return self._node(self._facts.root, children)

    def _node(self, subject: SubjectFacts, children: tuple[Node, ...]) -> Node:
        """One manifest and what is attached to it."""
        descriptor = subject.descriptor
        parsed = self._parsed(subject)
        attached = [_believed(item) for item in subject.signatures]
        attached += [self._refused(item, parsed.get(item.evidence)) for item in subject.refusals]
        attached += [row for item in subject.claims for row in claims_of(item, self._buildkit(item.digest))]
        broken = [fault for fault in self._graph.faults if fault.digest == descriptor.digest]
        unread = (*subject.unread, *(Unread("the manifest", fault.reason) for fault in broken))
        return Node(descriptor.digest, self._kind(subject), subject.platform, tuple(attached), unread, children)

    def _kind(self, subject: SubjectFacts) -> str:
        if subject.descriptor.media_type in INDEX_TYPES:
            return "index"
        manifest = self._graph.manifests.get(subject.descriptor.digest)
        return "artifact" if isinstance(manifest, Manifest) and manifest.artifact_type is not None else "image"

    def _buildkit(self, digest: Digest) -> Manifest | None:
        """The manifest of BuildKit's statements, where a claim is that."""
        manifest = self._graph.manifests.get(digest)
        return manifest if isinstance(manifest, Manifest) else None

    def _parsed(self, subject: SubjectFacts) -> Mapping[Digest, Signed]:
        """What the formats read from evidence that is not believed, unverified: only to say what kind it is."""
        found: dict[Digest, Signed] = {}
        if not subject.refusals:
            return found
        for item in discover(self._source, subject.descriptor, jobs=self._jobs).evidence:
            try:
                found[item.digest] = read(item)
            except Refused:
                continue
        return found

    def _refused(self, refusal: Refusal, signed: Signed | None) -> Attached:
        """Evidence that is not believed; where nobody was asked whom to believe it is merely found."""
        kind, what, predicate_type = "evidence", in_words(refusal.format), None
        if signed is not None:
            kind, what = described(signed.kind, signed.statement, refusal.format)
            predicate_type = None if signed.statement is None else signed.statement.predicate_type
        row = Attached(
            kind,
            what,
            Standing.REFUSED,
            refusal.evidence,
            refusal.format,
            predicate_type,
            times=() if signed is None else said_times(signed),
            code=refusal.code,
            reason=refusal.reason,
        )
        if self._judged or signed is None or refusal.code not in _UNASKED:
            return row
        said = [f"it is by {name}" for name in (said_name(signed),) if name]
        said += ["it is about another image"] if moved(signed, refusal.subject) else []
        reason = f"{SAYS}{', '.join(said)}" if said else ""
        return replace(row, standing=Standing.FOUND, code=None, reason=reason)


def _believed(item: VerifiedSignature) -> Attached:
    """Evidence that is believed, with its signer and times."""
    kind, what = described(item.kind, item.statement, item.format)
    return Attached(
        kind,
        what,
        Standing.BELIEVED,
        item.evidence,
        item.format,
        item.predicate_type,
        ", ".join(item.signers),
        item.identity,
        (*item.times, *item.claims),
        not_checked=item.not_checked,
        second_opinion=item.second_opinion,
        ends=item.ends,
    )
