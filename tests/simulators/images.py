"""Small images that are made from a seed: the same seed gives the same digests. Knows content and the store port.

Layers are real gzipped tar archives with one file each, and configs name their uncompressed digests, so that any
other tool accepts what is made here.
"""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.content import (
    DOCKER_CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY_BLOB,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Platform,
    describe,
)
from imgtrust.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.stores.port import Store

__all__ = ["OCI_LAYER", "Image", "artifact", "image", "index", "push"]

OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CREATED: Final = "2026-01-02T03:04:05Z"


@dataclass(frozen=True)
class Image:
    """A manifest or index with all that it names. ``children`` are the images of an index."""

    descriptor: Descriptor
    manifest: bytes = field(repr=False)
    blobs: tuple[tuple[Descriptor, bytes], ...] = field(repr=False)
    children: tuple[Image, ...] = ()

    @property
    def digest(self) -> Digest:
        """The digest of the manifest."""
        return self.descriptor.digest


def image(
    seed: str = "app",
    *,
    layers: int = 2,
    size: int = 1000,
    platform: str = "linux/amd64",
    docker: bool = False,
    created: str = _CREATED,
    annotations: dict[str, str] | None = None,
) -> Image:
    """A platform image. ``size`` is the number of random bytes in each layer's one file (a layer is a bit larger)."""
    os, architecture, *variant = platform.split("/")
    layer_type = _DOCKER_LAYER if docker else OCI_LAYER
    parts = [_layer(f"{seed}/{n}", size) for n in range(layers)]
    blobs = [(describe(packed, layer_type), packed) for _, packed in parts]
    config: dict[str, Any] = {
        "created": created,
        "architecture": architecture,
        "os": os,
        "config": {"User": "1000", "Cmd": ["/app"], "Labels": {"seed": seed}},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(plain)) for plain, _ in parts]},
        "history": [{"created": created, "created_by": f"layer {n}"} for n in range(layers)],
    }
    if variant:
        config["variant"] = variant[0]
    data = strict_json.dumps(config)
    config_descriptor = describe(data, DOCKER_CONFIG if docker else OCI_CONFIG)
    media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config_descriptor.to_json(),
        "layers": [layer.to_json() for layer, _ in blobs],
    }
    if annotations:
        document["annotations"] = annotations
    manifest = strict_json.dumps(document)
    named = Platform(os, architecture, variant[0] if variant else None)
    plain = describe(manifest, media_type)
    descriptor = Descriptor(plain.media_type, plain.digest, plain.size, platform=named)
    return Image(descriptor, manifest, ((config_descriptor, data), *blobs))


def index(*images: Image, docker: bool = False, annotations: dict[str, str] | None = None) -> Image:
    """An index (or docker manifest list) over images, in the order given."""
    media_type = DOCKER_LIST if docker else OCI_INDEX
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [child.descriptor.to_json() for child in images],
    }
    if annotations:
        document["annotations"] = annotations
    manifest = strict_json.dumps(document)
    return Image(describe(manifest, media_type), manifest, (), images)


def artifact(
    subject: Descriptor | None,
    *,
    artifact_type: str = "application/vnd.example.note",
    layers: Sequence[tuple[str, bytes]] = (("text/plain", b"hello"),),
    annotations: dict[str, str] | None = None,
) -> Image:
    """An artifact manifest with the empty config; with ``subject`` it is a referrer."""
    blobs = [(describe(data, media_type), data) for media_type, data in layers]
    empty = describe(EMPTY_BLOB, OCI_EMPTY)
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": empty.to_json(),
        "layers": [layer.to_json() for layer, _ in blobs],
    }
    if subject is not None:
        plain = Descriptor(subject.media_type, subject.digest, subject.size)
        document["subject"] = plain.to_json()
    if annotations:
        document["annotations"] = annotations
    manifest = strict_json.dumps(document)
    return Image(describe(manifest, OCI_MANIFEST, artifact_type=artifact_type), manifest, ((empty, EMPTY_BLOB), *blobs))


def push(store: Store, image: Image, *tags: str) -> Descriptor:
    """Push an image with all it names, children first, then its tags; the descriptor without platform."""
    for child in image.children:
        push(store, child)
    for descriptor, data in image.blobs:
        store.push(descriptor, data)
    found = image.descriptor
    root = Descriptor(found.media_type, found.digest, found.size, found.artifact_type)
    store.push(root, image.manifest)
    for tag in tags:
        store.tag(tag, root, image.manifest)
    return root


def _layer(seed: str, size: int) -> tuple[bytes, bytes]:
    """A tar archive with one file of random bytes, and the same gzipped."""
    data = random.Random(seed).randbytes(size)  # noqa: S311 - content, not a secret
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo(f"data/{Digest.of(seed.encode()).encoded[:8]}.bin")
        entry.size = size
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue(), gzip.compress(buffer.getvalue(), compresslevel=1, mtime=0)
