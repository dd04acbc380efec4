"""oras-py over a store of imgtrust: its ``push`` and ``pull``, with every digest checked.

Knows which methods of ``oras.provider.Registry`` reach the network, and replaces them all; must never be on the path
of a verification. Only this module imports oras (ADR: oras at the edge).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import oras.container
import oras.defaults
import oras.provider

from imgtrust import strict_json
from imgtrust.content import OCI_MANIFEST, Descriptor, Manifest, describe, parse_descriptor, parse_manifest
from imgtrust.errors import ContentMalformed, ContentMissing, InvalidReference, StoreProtocol
from imgtrust.formats.attachments import TITLE
from imgtrust.reference import Reference, RegistryRepository
from imgtrust.stores.archives import open_archive
from imgtrust.stores.titles import safe_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.stores.port import Store

__all__ = ["TrustedOras"]

_PIECE: Final = 1024 * 1024
_CREATED: Final = 201
_SHOWN: Final = 120


class _Done:
    """The answer to an upload that was made: as much of a response as oras-py looks at."""

    status_code = _CREATED

    def __init__(self, digest: str) -> None:
        self.headers = {"Docker-Content-Digest": digest}


class _NoAuth:
    """Credentials are the store's; oras-py is given none and asks for none."""

    def load_configs(self, container: object, configs: object = None) -> None:
        """Read no file."""


class _Name(oras.container.Container):  # type: ignore[misc]  # oras has no types
    """A container name as imgtrust's grammar reads it; oras-py's own reads ``localhost/x`` as Docker Hub."""

    def __init__(self, reference: Reference) -> None:
        repository = reference.repository
        host, path = (
            (repository.host, repository.path) if isinstance(repository, RegistryRepository) else ("oci", "layout")
        )
        self.registry = host
        self.namespace, _, self.repository = path.rpartition("/")
        self.tag = reference.tag
        self.digest = None if reference.digest is None else str(reference.digest)
        self.reference = reference


class TrustedOras(oras.provider.Registry):  # type: ignore[misc]  # oras has no types
    """oras-py's client for one repository. ``artifact_type`` is written into pushed manifests where given.

    ``push(target=…, files=[…])`` and ``pull(target=…, outdir=…)`` are oras-py's own; targets are full names in the
    repository of the store (without a tag: the manifest is pushed by digest alone). What breaks raises imgtrust's
    errors.
    """

    def __init__(self, store: Store, *, artifact_type: str | None = None) -> None:
        # Not super().__init__(): it would open a session and read credentials that are never to be used.
        self.hostname = None
        self.headers: dict[str, str] = {}
        self.prefix = "https"
        self.auth = _NoAuth()
        self._store = store
        self._artifact_type = artifact_type
        self._known: dict[str, Descriptor] = {}

    def get_container(self, name: object) -> _Name:
        """The name of a target.

        Raises:
            InvalidReference: it is none, or not in this repository.
        """
        if isinstance(name, _Name):
            return name
        reference = Reference.parse(str(name), bare=True)
        if reference.repository != self._store.repository:
            message = f"{str(name)[:_SHOWN]} is not in {self._store.repository}, which this client is for"
            raise InvalidReference(message)
        return _Name(reference)

    def get_manifest(self, container: object, *_arguments: object, **_options: object) -> dict[str, Any]:
        """The manifest as JSON, after its bytes matched their digest and its titles were looked at.

        Raises:
            ContentMalformed: it is an index, breaks the specification, or names a file outside of its directory.
            StoreError: the store could not answer.
        """
        reference = self.get_container(container).reference
        wanted = reference.digest or reference.tag or oras.defaults.default_tag
        descriptor = self._store.resolve(wanted)
        raw = self._store.fetch(descriptor)
        manifest = parse_manifest(raw, descriptor.media_type, str(reference))
        if not isinstance(manifest, Manifest):
            message = f"{reference} is an index; expected a manifest with files"
            raise ContentMalformed(message)
        for layer in manifest.layers:
            _check_title(layer)
        self._known = {str(layer.digest): layer for layer in (manifest.config, *manifest.layers)}
        document: dict[str, Any] = strict_json.loads(raw)
        return document

    def download_blob(self, container: object, digest: str, outfile: str) -> str:
        """Write a blob of the manifest that was read last; the file is there whole or not at all.

        Raises:
            ContentMissing: the manifest does not name it, or the store does not have it.
            ContentMismatch: it has other bytes.
            ContentMalformed: it is an archive of a directory that would write elsewhere.
        """
        self.get_container(container)
        descriptor = self._known.get(digest)
        if descriptor is None:
            message = f"{digest[:_SHOWN]} is not named by the manifest that was read"
            raise ContentMissing(message)
        path, aside = Path(outfile), Path(f"{outfile}.{os.getpid()}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("xb") as file:
                for piece in self._store.stream(descriptor):
                    file.write(piece)
            if descriptor.media_type == oras.defaults.default_blob_dir_media_type:
                _check_archive(aside, digest)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return outfile

    def upload_blob(
        self, blob: str, container: object, layer: dict[str, Any], *_arguments: object, **_options: object
    ) -> _Done:
        """Push a file as the blob that ``layer`` describes.

        Raises:
            ContentMismatch: the file is not what the layer says.
            StoreError: the store did not take it.
        """
        self.get_container(container)
        descriptor = parse_descriptor(layer, "layer")
        self._store.push(descriptor, lambda: _pieces(blob))
        return _Done(str(descriptor.digest))

    def upload_manifest(self, manifest: dict[str, Any], container: object) -> _Done:
        """Push a manifest, and point the target's tag at it.

        Raises:
            ContentMalformed: it breaks the specification.
            StoreError: the store did not take it.
        """
        reference = self.get_container(container).reference
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, **manifest}
        if self._artifact_type is not None:
            document["artifactType"] = self._artifact_type
        raw = strict_json.dumps(document)
        parse_manifest(raw, OCI_MANIFEST, str(reference))
        descriptor = describe(raw, OCI_MANIFEST)
        self._store.push(descriptor, raw)
        if reference.tag is not None:
            self._store.tag(reference.tag, descriptor, raw)
        return _Done(str(descriptor.digest))

    def blob_exists(self, layer: dict[str, Any], container: object) -> bool:
        """Whether the store says that it has a blob."""
        self.get_container(container)
        return self._store.has(parse_descriptor(layer, "layer"))

    def do_request(self, url: str, method: str = "GET", *_arguments: object, **_options: object) -> None:
        """Refuse: everything that oras-py would ask a registry itself goes past the store and its checks.

        Raises:
            StoreProtocol: always.
        """
        message = f"oras-py wanted to {method} {url[:_SHOWN]} by itself; this client only pushes and pulls"
        raise StoreProtocol(message)


def _check_title(layer: Descriptor) -> None:
    title = layer.annotation(TITLE)
    if title is None:
        return
    try:
        safe_title(title)
    except ValueError as exc:
        message = f"the artifact names a file {title[:_SHOWN]!r}, which is refused: {exc}"
        raise ContentMalformed(message) from exc


def _check_archive(path: Path, digest: str) -> None:
    """Only files and directories below: oras-py unpacks whatever an archive holds."""
    with open_archive(path, digest) as members:
        for member in members:
            safe_title(member.name)
            if not (member.isreg() or member.isdir()):
                message = f"the archive {digest} is not unpacked: {member.name[:_SHOWN]!r} is a link or a device"
                raise ContentMalformed(message)


def _pieces(path: str) -> Iterator[memoryview]:
    with open(path, "rb") as file:  # noqa: PTH123 - the path stays as the user wrote it
        while piece := file.read(_PIECE):
            yield memoryview(piece)
