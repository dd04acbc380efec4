"""The tree of evidence: what is attached to an image, by whom and when, believed or not and why.

Knows how facts become the nodes of the tree; decides nothing about evidence, and judges nothing.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from imgtrust.commands.attaching import resolve_subject
from imgtrust.commands.gather import gather
from imgtrust.commands.graph import walk
from imgtrust.commands.snapshot import Snapshot
from imgtrust.content import INDEX_TYPES, Manifest
from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind, Unread
from imgtrust.formats import read
from imgtrust.predicates.sbom import recognise_predicate
from imgtrust.predicates.summary import VSA
from imgtrust.predicates.types import alias_of
from imgtrust.refusals import RefusalCode
from imgtrust.reports.tree import Attached, Inspection, Node, Standing
from imgtrust.reports.who import identity
from imgtrust.rules.facts import IntegrityMode
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from imgtrust.commands.graph import ImageGraph
    from imgtrust.commands.loading import Judgement
    from imgtrust.evidence import Claim, Signed, Statement
    from imgtrust.reference import Digest, Reference
    from imgtrust.rules.facts import ImageFacts, SubjectFacts
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store
    from imgtrust.trust.signatures import Refusal, VerifiedSignature

__all__ = ["inspect_image", "inspect_store"]

_FORMATS: Final = {
    Format.BUNDLE: "Sigstore bundle",
    Format.SIMPLESIGNING: "cosign legacy",
    Format.NOTARY_JWS: "Notary JWS",
    Format.NOTARY_COSE: "Notary COSE",
    Format.UNKNOWN: "unknown format",
}
_SLSA: Final = "https://slsa.dev/provenance/"
_SBOM_NAMES: Final = {"spdx": "SPDX", "cyclonedx": "CycloneDX"}
_UNASKED: Final = frozenset(
    {
        RefusalCode.BUNDLE_UNTRUSTED_KEY,
        RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY,
        RefusalCode.CERTIFICATE_INSTEAD_OF_KEY,
        RefusalCode.NOTARY_UNTRUSTED,
    }
)
"""Why evidence is not believed where nobody was asked whom to believe."""
_SHOWN: Final = 8


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
        attached += [_claim(item) for item in subject.claims]
        broken = [fault for fault in self._graph.faults if fault.digest == descriptor.digest]
        unread = (*subject.unread, *(Unread("the manifest", fault.reason) for fault in broken))
        return Node(descriptor.digest, self._kind(subject), subject.platform, tuple(attached), unread, children)

    def _kind(self, subject: SubjectFacts) -> str:
        if subject.descriptor.media_type in INDEX_TYPES:
            return "index"
        manifest = self._graph.manifests.get(subject.descriptor.digest)
        return "artifact" if isinstance(manifest, Manifest) and manifest.artifact_type is not None else "image"

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
        kind, what = "signature" if signed is None else signed.kind.value, _FORMATS[refusal.format]
        predicate_type = None
        if signed is not None and signed.statement is not None:
            predicate_type = signed.statement.predicate_type
            kind, what = _described(signed.kind, signed.statement, refusal.format)
        if not self._judged and refusal.code in _UNASKED:
            reason = _said(signed)
            return Attached(kind, what, Standing.FOUND, refusal.evidence, refusal.format, predicate_type, reason=reason)
        return Attached(
            kind,
            what,
            Standing.REFUSED,
            refusal.evidence,
            refusal.format,
            predicate_type,
            code=refusal.code,
            reason=refusal.reason,
        )


def _believed(item: VerifiedSignature) -> Attached:
    """Evidence that is believed, with its signer and times."""
    kind, what = _described(item.kind, item.statement, item.format)
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
    )


def _claim(item: Claim) -> Attached:
    """Something that nobody signed."""
    kind = "sbom" if "SBOM" in item.description else "artifact"
    return Attached(kind, item.description, Standing.CLAIM, item.digest, reason=item.artifact_type)


def _described(kind: Kind, statement: Statement | None, form: Format) -> tuple[str, str]:
    """A word for what a signed thing is, and what more can be said of it."""
    if kind is Kind.SIGNATURE or statement is None:
        return kind.value, _FORMATS[form]
    uri = statement.predicate_type
    sbom = recognise_predicate(statement.predicate)
    if sbom is not None:
        packages = "1 package" if sbom.components == 1 else f"{sbom.components} packages"
        return "sbom", f"{_SBOM_NAMES.get(sbom.format, sbom.format)} {sbom.version}, {packages}"
    if uri.startswith(_SLSA):
        return "provenance", f"SLSA {uri.removeprefix(_SLSA)}"
    if uri == VSA:
        return "summary", "SLSA verification summary"
    return "attestation", alias_of(uri)


def _said(signed: Signed | None) -> str:
    """What an unverified signature says of who made it, short; nothing where it says nothing."""
    name = "" if signed is None else _said_name(signed)
    return f"says it is by {name}" if name else ""


def _said_name(signed: Signed) -> str:
    """Whom its certificate names, or the key by its hint."""
    if not signed.certificates:
        try:
            hint = base64.b64decode(signed.key_hint or "", validate=True).hex()
        except (binascii.Error, ValueError):
            return ""
        return f"key {hint[:_SHOWN]}" if len(hint) == 64 else ""  # noqa: PLR2004 - a sha256
    try:
        if signed.notary is not None:
            from imgtrust.trust.notary.chain import read_chain  # noqa: PLC0415 - certificates are slow to import
            from imgtrust.trust.notary.stores import identity_of  # noqa: PLC0415 - as above

            return identity(identity_of(signed.notary, read_chain(signed.certificates)))
        from imgtrust.trust.certificates import read_leaf  # noqa: PLC0415 - as above

        return identity(str(read_leaf(signed).named))
    except Refused:
        return ""
