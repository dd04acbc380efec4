"""``sbom``: a plain SBOM attached (and signed where there is a signer), and the one that counts shown.

Knows which of several SBOMs is meant; how one is recognised is in ``predicates.sbom``, who is believed in ``trust``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imgtrust import strict_json
from imgtrust.commands.artifacts import file_results, push_files
from imgtrust.commands.attaching import attach_made, resolve_subject
from imgtrust.commands.graph import is_attestation_manifest
from imgtrust.commands.lift import find_unsigned
from imgtrust.commands.many import each_image
from imgtrust.commands.packing import Layer
from imgtrust.commands.sbomfile import SBOM_NAMES, SbomFile, read_sbom, recognise_file
from imgtrust.commands.sign import signed_result
from imgtrust.commands.signing import make_attestation
from imgtrust.content import Descriptor, Index, Manifest, describe, parse_manifest
from imgtrust.errors import ImgtrustError, InputFileError, NotFound, Undecided
from imgtrust.formats.attachments import TITLE
from imgtrust.formats.mediatypes import SBOM_TYPES
from imgtrust.predicates.sbom import recognise_predicate
from imgtrust.predicates.types import canonical
from imgtrust.reference import Reference
from imgtrust.reports.results import AttachedResult, SignedResult
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from imgtrust.stores.options import StoreOptions
from imgtrust.trust.signatures import VerifiedSignature, assess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imgtrust.commands.many import Failed
    from imgtrust.commands.signing import Signing
    from imgtrust.content import Platform
    from imgtrust.evidence import Claim, Found
    from imgtrust.predicates.sbom import Sbom
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store
    from imgtrust.trust.roots import TrustRoot

__all__ = ["SBOM_NAMES", "SbomFile", "ShownSbom", "attach_sbom", "read_sbom", "sboms_in", "show_sbom"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ShownSbom:
    """The SBOM that counts for one manifest. ``signers`` are names of those who signed it, none for a mere claim.

    ``time`` is when it was signed, proven; None where no time is. ``data`` is the file as attached, or the predicate.
    """

    subject: Digest
    platform: Platform | None
    evidence: Digest
    signers: tuple[str, ...]
    time: datetime | None
    about: Sbom | None
    data: bytes = field(repr=False)


def attach_sbom(
    names: Sequence[str],
    sbom: SbomFile,
    options: StoreOptions | None = None,
    *,
    signing: Signing | None = None,
    now: Callable[[], datetime] = _now,
) -> Iterator[AttachedResult | SignedResult | Failed]:
    """Attach an SBOM to each image as a plain referrer; with ``signing`` also as a signed attestation.

    Everything is signed and time-stamped before the first thing is attached.

    Raises:
        UsageError: a name cannot be read.
        InputFileError: it is to be signed, and no statement can hold it.
        NoImages: there is no name at all.
    """
    if signing is not None and sbom.predicate is None:
        message = f"{sbom.title} is XML, which no statement holds; attach it unsigned, or convert it to JSON"
        raise InputFileError(message)
    plain = describe(sbom.data, sbom.media_type)
    layer = Descriptor(plain.media_type, plain.digest, plain.size, annotations=((TITLE, sbom.title),))

    def work(store: Store, reference: Reference) -> Iterator[AttachedResult | SignedResult]:
        subject = resolve_subject(store, reference)
        made = None
        if signing is not None:
            made = make_attestation(signing, subject, store.repository, sbom.predicate_type, sbom.predicate)
        source = Layer(layer, lambda: iter((memoryview(sbom.data),)))
        evidence = push_files(store, subject, [source], sbom.media_type, annotations={}, created=now())
        yield AttachedResult(reference, subject.digest, evidence, sbom.media_type, file_results([layer]))
        if made is not None and signing is not None:
            yield signed_result(reference, made, attach_made(store, made, now()))

    return each_image(names, StoreOptions() if options is None else options, work)


def show_sbom(
    name: str, trust: TrustRoot, options: StoreOptions | None = None, *, at: datetime, type_name: str | None = None
) -> tuple[ShownSbom, ...]:
    """The SBOM of an image: the newest that a trusted key signed, else the newest that somebody attached.

    For an index without one of its own: those of its children, in their order; what BuildKit put into the index is a
    claim too. ``at`` is the time of judgement.

    Raises:
        UsageError: the name cannot be read, or no such type.
        NotFound: there is no such image, or no SBOM attached to it.
        Undecided: nothing trusted was found, and something that is attached could not be read.
        StoreError: the store could not answer.
    """
    reference = Reference.parse(name)
    wanted = None if type_name is None else canonical(type_name)
    store = open_store(reference.repository, StoreOptions() if options is None else options)
    try:
        found = sboms_in(store, resolve_subject(store, reference), trust, at=at, predicate_type=wanted)
    finally:
        store.close()
    if not found:
        message = f"no SBOM{'' if type_name is None else f' of type {type_name}'} is attached to {reference}"
        raise NotFound(message)
    return found


def sboms_in(
    store: Store, root: Descriptor, trust: TrustRoot, *, at: datetime, predicate_type: str | None = None
) -> tuple[ShownSbom, ...]:
    """The same for a manifest in an open store; none where there is none.

    Raises:
        Undecided: nothing trusted was found, and something that is attached could not be read.
        StoreError: the store could not answer.
    """
    own = _shown(store, root, trust, at, predicate_type)
    if own is not None:
        return (own,)
    content = parse_manifest(store.fetch(root), root.media_type, str(root.digest))
    children = content.manifests if isinstance(content, Index) else ()
    images = [child for child in children if child.is_manifest and not is_attestation_manifest(child)]
    built = _built(store, root, predicate_type) if images else {}
    shown = (_shown(store, child, trust, at, predicate_type) or built.get(child.digest) for child in images)
    return tuple(each for each in shown if each is not None)


def _built(store: Store, root: Descriptor, wanted: str | None) -> dict[Digest, ShownSbom]:
    """What BuildKit says of the images of an index; nobody signed it, so what cannot be read is passed over."""
    try:
        statements = find_unsigned(store, root)
    except ImgtrustError:
        return {}
    found: dict[Digest, ShownSbom] = {}
    for each in statements:
        about = recognise_predicate(each.predicate)
        if about is not None and wanted in {None, about.predicate_type}:
            data = _written(each.predicate)
            found[each.subject.digest] = ShownSbom(
                each.subject.digest, each.platform, each.layer.digest, (), None, about, data
            )
    return found


def _written(predicate: object) -> bytes:
    """A predicate as a file: tag-value as it is, JSON compact."""
    return predicate.encode() if isinstance(predicate, str) else strict_json.dumps(predicate)


def _shown(store: Store, subject: Descriptor, trust: TrustRoot, at: datetime, wanted: str | None) -> ShownSbom | None:
    """The SBOM that counts for one manifest, or None."""
    found = discover(store, subject)
    signed = [each for each in (_signed(found, one, wanted) for one in _believed(found, trust, at)) if each is not None]
    if signed:
        # The newest counts; one without a proven time is older than any that has one.
        return max(signed, key=lambda each: (each.time is not None, each.time or at, str(each.evidence)))
    if trust.keys and found.unread:
        reasons = "; ".join(f"{each.what}: {each.reason}" for each in found.unread[:3])
        message = f"no trusted SBOM of {subject.digest} was found, and not everything attached could be read: {reasons}"
        raise Undecided(message)
    for claim in reversed(found.claims):
        if (shown := _claimed(store, found, claim, wanted)) is not None:
            return shown
    return None


def _believed(found: Found, trust: TrustRoot, at: datetime) -> Iterator[VerifiedSignature]:
    for evidence in found.evidence:
        outcome = assess(evidence, trust, at=at)
        if isinstance(outcome, VerifiedSignature):
            yield outcome


def _signed(found: Found, signature: VerifiedSignature, wanted: str | None) -> ShownSbom | None:
    """A verified attestation as an SBOM, if it is one."""
    predicate = None if signature.statement is None else signature.statement.predicate
    about = recognise_predicate(predicate)
    if about is None or wanted not in {None, about.predicate_type}:
        return None
    data = _written(predicate)
    return ShownSbom(
        found.subject, found.platform, signature.evidence, signature.signers, signature.earliest, about, data
    )


def _claimed(store: Store, found: Found, claim: Claim, wanted: str | None) -> ShownSbom | None:
    """A plain referrer as an SBOM, if it is one; what cannot be read is passed over, for nobody vouches for it."""
    try:
        descriptor = store.resolve(claim.digest)
        manifest = parse_manifest(store.fetch(descriptor), descriptor.media_type, str(claim.digest))
        layers = manifest.layers if isinstance(manifest, Manifest) else ()
        data = next((store.fetch(layer) for layer in layers if layer.media_type in SBOM_TYPES), None)
        about = None if data is None else recognise_file(data)
    except ImgtrustError:
        return None
    if data is None or about is None or wanted not in {None, about.predicate_type}:
        return None
    return ShownSbom(found.subject, found.platform, claim.digest, (), None, about, data)
