"""An OCI image layout as a store: a directory, and no server (image-spec 1.1, image-layout.md).

Knows how the port maps onto a layout; its index, files, referrers and changes have modules of their own. Reading
takes no lock and creates nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.content import INDEX_TYPES, MAX_MANIFEST_BYTES, Descriptor
from imgtrust.errors import InvalidReference, LimitExceeded, NotFound
from imgtrust.formats.attachments import is_attachment_tag
from imgtrust.reference import TAG, Digest
from imgtrust.stores.layoutcontent import LayoutContent, blob_path
from imgtrust.stores.layouteditor import LayoutEditor
from imgtrust.stores.layoutfiles import LayoutFiles
from imgtrust.stores.layoutreferrers import Referrers
from imgtrust.stores.port import MAX_FETCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.reference import LayoutRepository, Repository
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import BlobSource

__all__ = ["LayoutStore"]


class LayoutStore:
    """The store of one layout directory (``Store`` and ``Inventory`` of the port).

    The directory is created by the first push. A file system that denies or fails is a ``StoreError``; content that
    is absent, altered or no regular file is an ``IntegrityError``, here and in every method.
    """

    def __init__(self, repository: LayoutRepository, options: StoreOptions) -> None:
        self._repository = repository
        self._files = LayoutFiles(repository.directory)
        self._content = LayoutContent(self._files)
        self._referrers = Referrers(self._files)
        self._editor = LayoutEditor(self._files, self._content, self._referrers, options.timeout)

    @property
    def repository(self) -> Repository:
        """The name of this layout."""
        return self._repository

    def resolve(self, name: str | Digest) -> Descriptor:
        """The descriptor of the manifest that a tag or a digest names, listed in the index or lying among the blobs.

        Raises:
            NotFound: no such layout, tag or manifest; the message lists what there is.
            ContentMissing: the index names a manifest that is not there.
            ContentMismatch: its bytes are others.
            ContentMalformed: two entries bear the tag, or a media type contradicts the bytes.
            StoreError: the layout cannot be read.
        """
        return self._content.digested(name) if isinstance(name, Digest) else self._content.named(name)

    def fetch(self, descriptor: Descriptor) -> bytes:
        """Bytes that match the descriptor, as the port says.

        Raises:
            ContentMissing: they are not there.
            ContentMismatch: there are others, or something that is no file.
            LimitExceeded: more than ``MAX_FETCH`` bytes.
            StoreError: they cannot be read.
        """
        if descriptor.size > MAX_FETCH:
            message = f"{self._content.at(descriptor.digest)}: {descriptor.size} bytes, at most {MAX_FETCH} are fetched"
            raise LimitExceeded(message)
        return self._content.fetch(descriptor)

    def stream(self, descriptor: Descriptor) -> Iterator[memoryview]:
        """The bytes of a blob, hashed on the way, as the port says.

        Raises:
            ContentMissing: as ``fetch``, like the others when the first piece is asked for.
            ContentMismatch: as ``fetch``.
            StoreError: as ``fetch``.
        """
        return self._content.stream(descriptor)

    def has(self, descriptor: Descriptor) -> bool:
        """Whether there is a file of this name and size.

        Raises:
            StoreError: it cannot be told.
        """
        return self._files.size(*blob_path(descriptor.digest)) == descriptor.size

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        """The manifests that refer to ``subject``, however the tool that wrote the layout listed them.

        Raises:
            StoreError: the layout cannot be read, or the list under a fallback tag is malformed.
            LimitExceeded: there are more than are read.
            ContentMalformed: the index is no index.
        """
        try:
            index = self._content.index()
        except NotFound:
            return
        yield from self._referrers.of(subject.digest, index)

    def tags(self) -> Iterator[str]:
        """All tags, in the order of the index; one that two entries bear comes once, and ``resolve`` refuses it.

        Raises:
            NotFound: there is no layout here.
            ContentMalformed: the index is no index.
            StoreError: it cannot be read.
        """
        yield from self._content.index().by_tag

    def manifests(self) -> Iterator[Descriptor]:
        """Every image, tagged or not, once; without referrers, evidence tags, and children of a listed index.

        What cannot be read is listed too, so that a judgement says so; so is a referrer that bears a tag of its own,
        for a subject must not hide an image.

        Raises:
            NotFound: there is no layout here.
            ContentMalformed: the index is no index.
            StoreError: it cannot be read.
        """
        index = self._content.index()
        below: set[Digest] = set()
        for entry in index.entries:
            if entry.descriptor.media_type in INDEX_TYPES:
                below |= self._referrers.peeked(entry.descriptor).children - {entry.descriptor.digest}
        given: set[Digest] = set()
        for entry in index.entries:
            listed = entry.descriptor
            if listed.digest in given or (entry.tag is not None and is_attachment_tag(entry.tag)):
                continue
            if entry.tag is None and (listed.digest in below or self._referrers.peeked(listed).subject is not None):
                continue
            given.add(listed.digest)
            yield Descriptor(listed.media_type, listed.digest, listed.size)

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        """Put a blob in place, or a manifest, which is listed in the index without a name (as oras does).

        Content that is there already, and right, is not written again; a ``BlobSource`` is then not opened.

        Raises:
            ContentMismatch: the content does not match the descriptor (nothing is stored).
            LimitExceeded: a manifest that is larger than is read.
            StoreError: the layout cannot be written; nothing is half-written.
        """
        if descriptor.is_manifest and descriptor.size > MAX_MANIFEST_BYTES:
            message = f"{self._content.at(descriptor.digest)}: a manifest has at most {MAX_MANIFEST_BYTES} bytes"
            raise LimitExceeded(message)
        self._editor.put(descriptor, content)
        if descriptor.is_manifest:
            manifest = content if isinstance(content, bytes) else self._content.fetch(descriptor)
            self._editor.list_manifest(descriptor, manifest)

    def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """False: layouts share nothing.

        A link would let whoever writes the origin alter this layout afterwards, and a copy is what the caller's own
        hashed stream makes.
        """
        del descriptor, origin
        return False

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        """Let ``tag`` name a manifest; the image that bore it stays in the index without a name.

        Raises:
            ContentMismatch: ``manifest`` does not match the descriptor.
            InvalidReference: ``tag`` is not a tag.
            StoreError: the layout cannot be written; the tag is as it was then.
        """
        if TAG.fullmatch(tag) is None:
            message = f"{tag[:100]!r} is not a tag"
            raise InvalidReference(message)
        self.push(descriptor, manifest)
        self._editor.name(tag, Descriptor(descriptor.media_type, descriptor.digest, descriptor.size))

    def close(self) -> None:
        """Nothing is kept open between two calls."""
