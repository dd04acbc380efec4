"""``sign``: images are resolved once, signed by digest, and the signatures attached.

Knows the order of these steps; what is signed is in ``signing``, how it is attached in ``attaching``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.commands.appending import legacy_layers
from imgtrust.commands.attaching import attach_made, resolve_subject
from imgtrust.commands.many import Failed, each_image
from imgtrust.commands.outfile import OutFile
from imgtrust.commands.signing import SignFormat, Signing, find_same, make_signature
from imgtrust.content import Index, parse_manifest
from imgtrust.errors import LimitExceeded, UsageError
from imgtrust.formats.attachments import Suffix
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.reports.results import SignedResult
from imgtrust.stores.options import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imgtrust.commands.signing import Made
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest, Reference
    from imgtrust.stores.port import Store

__all__ = ["one_bundle", "sign_images", "signed_result"]

_MAX_SIGNED: Final = 5_000
"""The most manifests below one index that ``--recursive`` signs."""
_MAX_DEPTH: Final = 16
"""The most levels of indexes in indexes."""


def sign_images(
    names: Sequence[str],
    signing: Signing,
    options: StoreOptions | None = None,
    *,
    recursive: bool = False,
    bundle_out: str | None = None,
) -> Iterator[SignedResult | Failed]:
    """Sign images and attach the signatures; one result per signed manifest, or the failure of an image.

    ``recursive``: every manifest below an index too, the index last. ``bundle_out``: a file for the bundle of the one
    image that is signed, written whole or not at all, and only if the signature was attached.

    Raises:
        UsageError: a name cannot be read, or ``bundle_out`` cannot hold what would be made.
        NoImages: there is no name at all.
        OutputFileError: ``bundle_out`` cannot be written (nothing was signed).
    """
    options = StoreOptions() if options is None else options
    if bundle_out is None:
        return each_image(names, options, lambda store, name: _sign(store, name, signing, recursive=recursive))
    if recursive:
        message = "--bundle-out takes one bundle, and --recursive makes several; leave one of them out"
        raise UsageError(message)
    return one_bundle(
        names, signing, options, bundle_out, lambda store, name, out: _sign(store, name, signing, out=out)
    )


def one_bundle(
    names: Sequence[str],
    signing: Signing,
    options: StoreOptions,
    path: str,
    work: Callable[[Store, Reference, OutFile], Iterator[SignedResult]],
) -> Iterator[SignedResult | Failed]:
    """Do the work for the one image that is named; the file is kept only if all of it was done.

    Raises:
        UsageError: not exactly one image, or a format that is no bundle.
        OutputFileError: the file cannot be written (nothing was done).
    """
    if len(set(names)) > 1 or signing.format is not SignFormat.BUNDLE:
        message = "--bundle-out takes the bundle of one image: name one, and leave out --format cosign-legacy"
        raise UsageError(message)
    with OutFile(path) as out:
        outcomes = list(each_image(names, options, lambda store, name: work(store, name, out)))
        if not any(isinstance(outcome, Failed) for outcome in outcomes):
            out.keep()
    return iter(outcomes)


def signed_result(reference: Reference, made: Made, evidence: Digest, *, unchanged: bool = False) -> SignedResult:
    """What is reported of something signed that was attached."""
    return SignedResult(
        reference,
        made.subject.digest,
        evidence,
        made.format.value,
        made.signer,
        made.times,
        None if made.predicate_type == SIGN_PREDICATE else made.predicate_type,
        unchanged=unchanged,
        logged=made.logged,
    )


def _sign(
    store: Store, reference: Reference, signing: Signing, *, recursive: bool = False, out: OutFile | None = None
) -> Iterator[SignedResult]:
    """Sign one image."""
    root = resolve_subject(store, reference)
    for subject in _below(store, root) if recursive else (root,):
        same = _already(store, reference, signing, subject)
        if same is not None:
            yield same
            continue
        made = make_signature(signing, subject, store.repository)
        if out is not None:
            out.write(made.payload)
        yield signed_result(reference, made, attach_made(store, made, signing.now()))


def _already(store: Store, reference: Reference, signing: Signing, subject: Descriptor) -> SignedResult | None:
    """The same legacy signature by the same key, if the tag has it: cosign adds none a second time either."""
    if signing.format is not SignFormat.LEGACY:
        return None
    layers = legacy_layers(store, subject.digest, Suffix.SIG)
    made = find_same(signing, subject, store.repository, layers)
    if made is None:
        return None
    return signed_result(reference, made, made.layer.digest, unchanged=True)


def _below(store: Store, root: Descriptor, limit: int = _MAX_SIGNED) -> tuple[Descriptor, ...]:
    """All manifests below an index, each once and children first; the root last."""
    found: dict[Digest, Descriptor] = {}
    entered = {root.digest}

    def visit(descriptor: Descriptor, depth: int) -> None:
        if len(entered) > limit or depth > _MAX_DEPTH:
            message = (
                f"{root.digest} has more than {limit} manifests below it, or more than {_MAX_DEPTH} levels of them"
            )
            raise LimitExceeded(message)
        content = parse_manifest(store.fetch(descriptor), descriptor.media_type, str(descriptor.digest))
        if isinstance(content, Index):
            for child in content.manifests:
                if child.is_manifest and child.digest not in entered:
                    entered.add(child.digest)
                    visit(child, depth + 1)
        found[descriptor.digest] = descriptor

    visit(root, 0)
    return tuple(found.values())
