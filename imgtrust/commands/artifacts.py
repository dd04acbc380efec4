"""``attach`` and ``pull``: any files as a referrer of an image, in the conventions of oras.

Knows the order of steps and which referrer is meant; archives are in ``packing``, files that come are in
``unpacking``. Whether anybody vouches for an artifact is not asked here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imgtrust.commands.attaching import resolve_subject
from imgtrust.commands.many import each_image
from imgtrust.commands.packing import Layer, packed
from imgtrust.commands.pushing import push_attachment
from imgtrust.commands.unpacking import Destination
from imgtrust.content import Manifest, parse_manifest
from imgtrust.errors import ContentMalformed, NotFound, UsageError
from imgtrust.formats.attachments import CREATED, TITLE, artifact_attachment
from imgtrust.reference import Reference
from imgtrust.reports.results import AttachedResult, FileResult, PulledResult
from imgtrust.stores import open_store
from imgtrust.stores.options import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from imgtrust.commands.many import Failed
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["attach_files", "file_results", "pull_artifact", "push_files"]


def _now() -> datetime:
    return datetime.now(UTC)


def attach_files(
    names: Sequence[str],
    files: Sequence[str],
    artifact_type: str,
    options: StoreOptions | None = None,
    *,
    annotations: Mapping[str, str] | None = None,
    now: Callable[[], datetime] = _now,
) -> Iterator[AttachedResult | Failed]:
    """Attach files (``PATH`` or ``PATH:MEDIA/TYPE``) and directories to each image as one referrer.

    Raises:
        UsageError: a name or the artifact type cannot be read, or no file is named.
        InputFileError: a file cannot be read.
        NoImages: there is no image at all.
    """
    _check_type(artifact_type)
    if not files:
        message = "no file was named to attach"
        raise UsageError(message)
    with packed(list(files)) as layers:
        titled = file_results(layer.descriptor for layer in layers)

        def work(store: Store, reference: Reference) -> Iterator[AttachedResult]:
            subject = resolve_subject(store, reference)
            evidence = push_files(store, subject, layers, artifact_type, annotations=annotations or {}, created=now())
            yield AttachedResult(reference, subject.digest, evidence, artifact_type, titled)

        # The archives of directories live as long as this block, so everything is done inside it.
        outcomes = list(each_image(names, StoreOptions() if options is None else options, work))
    return iter(outcomes)


def push_files(
    store: Store,
    subject: Descriptor,
    layers: Sequence[Layer],
    artifact_type: str,
    *,
    annotations: Mapping[str, str],
    created: datetime,
) -> Digest:
    """Push layers, then the referrer that names them; the digest of its manifest.

    Raises:
        ContentMismatch: a file changed since it was hashed.
        StoreError: the store did not take it all; asking again is safe.
    """
    pairs = [(layer.descriptor, b"") for layer in layers]
    attachment = artifact_attachment(subject, artifact_type, pairs, annotations=annotations, created=created)
    return push_attachment(store, attachment, {layer.descriptor.digest: layer.source for layer in layers})


def pull_artifact(
    name: str,
    artifact_type: str,
    directory: str,
    options: StoreOptions | None = None,
    *,
    overwrite: bool = False,
) -> PulledResult:
    """Fetch the files of the newest referrer of a type (or of the artifact that is named itself).

    Newest is by the creation date that the artifact claims. Files get their names only after all of them were
    fetched and matched their digests.

    Raises:
        UsageError: a name or the artifact type cannot be read.
        NotFound: there is no such image, or no such artifact attached to it.
        ContentMalformed: the artifact has no files, or a name that leads out of the directory.
        ContentMismatch: bytes differ from their digest; no file was written.
        OutputFileError: the directory cannot be written, or a file exists and ``overwrite`` was not given.
        StoreError: the store could not answer.
    """
    _check_type(artifact_type)
    reference = Reference.parse(name)
    store = open_store(reference.repository, StoreOptions() if options is None else options)
    try:
        subject = resolve_subject(store, reference)
        found = _of_type(store, subject, artifact_type)
        if not found:
            message = f"nothing of type {artifact_type} is attached to {reference} ({subject.digest})"
            raise NotFound(message)
        descriptor, manifest = found[0]
        titled = [layer for layer in manifest.layers if layer.annotation(TITLE)]
        if not titled:
            message = f"the artifact {descriptor.digest} has no layer with a title, so there is no file to write"
            raise ContentMalformed(message)
        with Destination(directory, overwrite=overwrite) as destination:
            for layer in titled:
                destination.add(layer, store.stream(layer))
            destination.finish()
        return PulledResult(reference, descriptor.digest, artifact_type, directory, file_results(titled))
    finally:
        store.close()


def file_results(layers: Iterable[Descriptor]) -> tuple[FileResult, ...]:
    """What is reported of the files of an artifact."""
    return tuple(FileResult(layer.annotation(TITLE) or "", layer.digest, layer.size) for layer in layers)


def _of_type(store: Store, subject: Descriptor, artifact_type: str) -> list[tuple[Descriptor, Manifest]]:
    """The artifacts of a type, newest first; every listed manifest is opened, for lists of registries disagree."""
    root = parse_manifest(store.fetch(subject), subject.media_type, str(subject.digest))
    if isinstance(root, Manifest) and _type_of(root) == artifact_type:
        return [(subject, root)]
    found: list[tuple[Descriptor, Manifest]] = []
    for descriptor in store.referrers(subject):
        if not descriptor.is_manifest:
            continue
        manifest = parse_manifest(store.fetch(descriptor), descriptor.media_type, str(descriptor.digest))
        about = None if manifest.subject is None else manifest.subject.digest
        if isinstance(manifest, Manifest) and about == subject.digest and _type_of(manifest) == artifact_type:
            found.append((descriptor, manifest))
    return sorted(found, key=lambda pair: (dict(pair[1].annotations).get(CREATED, ""), str(pair[0].digest)))[::-1]


def _type_of(manifest: Manifest) -> str:
    """The artifact type, or the config's media type where there is none (image-spec, manifest.md, artifactType)."""
    return manifest.artifact_type or manifest.config.media_type


def _check_type(artifact_type: str) -> None:
    """A media type (RFC 6838): registries and other tools refuse anything else."""
    kind, slash, rest = artifact_type.partition("/")
    if not slash or not kind or not rest or not artifact_type.isascii() or any(c.isspace() for c in artifact_type):
        message = f"{artifact_type[:120]!r} is no artifact type; expected a media type, as application/vnd.acme.notes"
        raise UsageError(message)
