"""A small image for two platforms, built in code: real layers, so that any other tool can run or unpack it.

Knows how an image is put together; knows nothing of signatures or of the story that is told with it.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.content import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, describe
from imgtrust.reference import Digest, LayoutRepository
from imgtrust.stores import open_store

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.stores.port import Store

__all__ = ["PLATFORMS", "build_image"]

PLATFORMS: Final = ("linux/amd64", "linux/arm64")
"""What the image is built for."""

_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


def build_image(layout: str, tag: str, *, says: str, built: datetime) -> Descriptor:
    """Build an image into a layout and tag it; returns the descriptor of its index.

    ``says`` is what the program prints, ``built`` the time that its config claims (aware UTC).
    """
    store = open_store(LayoutRepository(layout))
    try:
        children = [(_platform_image(store, platform, says, built), platform) for platform in PLATFORMS]
        entries = [
            {
                "mediaType": child.media_type,
                "digest": str(child.digest),
                "size": child.size,
                "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
            }
            for child, platform in children
        ]
        return _put_manifest(store, OCI_INDEX, {"manifests": entries}, tag)
    finally:
        store.close()


def _platform_image(store: Store, platform: str, says: str, built: datetime) -> Descriptor:
    """One platform: a base layer, an application layer, a config and a manifest."""
    system, architecture = platform.split("/")
    layers, diff_ids = [], []
    for name, content in (
        ("etc/os-release", f'NAME="demo base"\nARCHITECTURE={architecture}\n'),
        ("app/shop", f"#!/bin/sh\necho '{says}'\n"),
    ):
        plain, packed = _layer(name, content.encode())
        descriptor = describe(packed, _LAYER)
        _put_blob(store, descriptor, packed)
        layers.append(_entry(descriptor))
        diff_ids.append(str(Digest.of(plain)))
    created = f"{built:%Y-%m-%dT%H:%M:%SZ}"
    config = strict_json.dumps(
        {
            "architecture": architecture,
            "config": {"Cmd": ["/app/shop"], "User": "1000"},
            "created": created,
            "history": [{"created": created, "created_by": step} for step in ("base", "COPY shop /app/shop")],
            "os": system,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
    )
    described = describe(config, OCI_CONFIG)
    _put_blob(store, described, config)
    return _put_manifest(store, OCI_MANIFEST, {"config": _entry(described), "layers": layers})


def _put_blob(store: Store, descriptor: Descriptor, data: bytes) -> None:
    """Push a blob."""
    store.push(descriptor, lambda: iter((memoryview(data),)))


def _put_manifest(store: Store, media_type: str, members: dict[str, Any], tag: str | None = None) -> Descriptor:
    """Push a manifest or an index, and tag it where a tag is given."""
    raw = strict_json.dumps({"schemaVersion": 2, "mediaType": media_type, **members})
    descriptor = describe(raw, media_type)
    store.push(descriptor, raw)
    if tag is not None:
        store.tag(tag, descriptor, raw)
    return descriptor


def _entry(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as it stands in a manifest."""
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}


def _layer(name: str, content: bytes) -> tuple[bytes, bytes]:
    """One file as a tar archive, plain and gzipped; the same content gives the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o755
        archive.addfile(info, io.BytesIO(content))
    return plain.getvalue(), gzip.compress(plain.getvalue(), mtime=0)
