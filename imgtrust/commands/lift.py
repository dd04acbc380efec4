"""``attest --lift``: what BuildKit attached without a signature, signed and attached as attestations.

Knows where BuildKit keeps its statements (an attestation manifest in the index, beside the platforms); must not sign
anything that was not shown: whoever calls says yes to the list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imgtrust.commands.attaching import attach_made, resolve_subject
from imgtrust.commands.graph import is_attestation_manifest
from imgtrust.commands.many import each_image
from imgtrust.commands.sign import signed_result
from imgtrust.commands.signing import make_attestation
from imgtrust.content import Descriptor, Index, Manifest, parse_manifest
from imgtrust.errors import ContentMalformed, NotFound, Refused
from imgtrust.formats.mediatypes import IN_TOTO_LAYER
from imgtrust.formats.statement import SIGN_PREDICATE, parse_statement
from imgtrust.stores.options import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imgtrust.commands.many import Failed
    from imgtrust.commands.signing import Signing
    from imgtrust.content import Platform
    from imgtrust.reference import Digest, Reference
    from imgtrust.reports.results import SignedResult
    from imgtrust.stores.port import Store

__all__ = ["Unsigned", "find_unsigned", "lift_images"]

_ABOUT: Final = "vnd.docker.reference.digest"
"""On the entry of an attestation manifest: the platform image that it is about."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """One statement that nobody signed: about which platform image, of which type, and the blob that it is in."""

    subject: Descriptor
    predicate_type: str
    predicate: object = field(repr=False)
    layer: Descriptor
    platform: Platform | None = None


def find_unsigned(store: Store, root: Descriptor) -> tuple[Unsigned, ...]:
    """BuildKit's statements in an index, in its order; none where it has none, or is no index.

    Raises:
        ContentMalformed: one is about something else than its entry says, is no statement, or claims to be a
            signature.
        StoreError: the store could not answer.
    """
    content = parse_manifest(store.fetch(root), root.media_type, str(root.digest))
    if not isinstance(content, Index):
        return ()
    images = {str(entry.digest): entry for entry in content.manifests if not is_attestation_manifest(entry)}
    found: list[Unsigned] = []
    for entry in content.manifests:
        if is_attestation_manifest(entry):
            subject = images.get(entry.annotation(_ABOUT) or "")
            if subject is None:
                message = f"the attestation manifest {entry.digest} is about no image of the index {root.digest}"
                raise ContentMalformed(message)
            found.extend(_statements(store, entry, subject))
    return tuple(found)


def lift_images(
    names: Sequence[str],
    signing: Signing,
    options: StoreOptions | None = None,
    *,
    approve: Callable[[Reference, tuple[Unsigned, ...]], bool],
) -> Iterator[SignedResult | Failed]:
    """Sign BuildKit's statements of each image, each about the platform image that it names, and attach them.

    ``approve`` is shown all statements of an image before the first is signed; with False nothing of it is. It may be
    called from several threads.

    Raises:
        UsageError: a name cannot be read.
        NoImages: there is no name at all.
    """

    def work(store: Store, reference: Reference) -> Iterator[SignedResult]:
        found = find_unsigned(store, resolve_subject(store, reference))
        if not found:
            message = f"{reference} holds no statements of BuildKit; build it with --provenance=true or --sbom=true"
            raise NotFound(message)
        if not approve(reference, found):
            return
        for each in found:
            made = make_attestation(signing, each.subject, store.repository, each.predicate_type, each.predicate)
            yield signed_result(reference, made, attach_made(store, made, signing.now()))

    return each_image(names, StoreOptions() if options is None else options, work)


def _statements(store: Store, entry: Descriptor, subject: Descriptor) -> Iterator[Unsigned]:
    """The statements of one attestation manifest, each about the image that the manifest is about."""
    manifest = parse_manifest(store.fetch(entry), entry.media_type, str(entry.digest))
    layers = manifest.layers if isinstance(manifest, Manifest) else ()
    plain = Descriptor(subject.media_type, subject.digest, subject.size)
    for layer in layers:
        if layer.media_type != IN_TOTO_LAYER:
            continue
        what = f"the statement {layer.digest} of {entry.digest}"
        try:
            statement = parse_statement(store.fetch(layer))
        except Refused as exc:
            message = f"{what} cannot be signed: {exc.reason}"
            raise ContentMalformed(message) from exc
        if _names_another(statement.subjects, subject.digest):
            message = f"{what} is about {', '.join(statement.subjects[:3]) or 'nothing'}, not about {subject.digest}"
            raise ContentMalformed(message)
        if statement.predicate_type == SIGN_PREDICATE:
            message = f"{what} claims to be a signature; it is not made one"
            raise ContentMalformed(message)
        yield Unsigned(plain, statement.predicate_type, statement.predicate, layer, subject.platform)


def _names_another(subjects: tuple[str, ...], digest: Digest) -> bool:
    return digest.encoded not in subjects
