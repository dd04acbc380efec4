"""Two small programs over imgtrust's stores that are measured against a peer's command; run as a process each.

``stream HOST/REPO DIGEST SIZE [CA]`` reads a blob and hashes it; ``copy SOURCE DESTINATION`` copies one image, every
byte hashed, with what a promotion copies with. Neither judges anything.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imgtrust.content import Descriptor, Manifest, parse_manifest
from imgtrust.reference import Digest, Reference
from imgtrust.stores import StoreOptions, open_store

if TYPE_CHECKING:
    from imgtrust.stores.port import Store

__all__: list[str] = []


def _open(name: str, ca_file: str | None = None) -> Store:
    """The store of a name."""
    return open_store(Reference.parse(name).repository, StoreOptions(ca_file=ca_file))


def stream(name: str, digest: str, size: str, ca_file: str | None = None) -> None:
    """Read a blob to its end; its digest is checked by the store."""
    descriptor = Descriptor("application/octet-stream", Digest.parse(digest), int(size))
    with closing(_open(name, ca_file)) as store:
        read = sum(len(piece) for piece in store.stream(descriptor))
    if read != descriptor.size:
        message = f"read {read} bytes of {descriptor.size}"
        raise SystemExit(message)


def copy(source: str, destination: str) -> None:
    """Copy blobs, manifest and tag."""
    from imgtrust.commands.progress import SILENT  # noqa: PLC0415 - only here
    from imgtrust.commands.promotion.copying import Copier  # noqa: PLC0415
    from imgtrust.commands.promotion.journal import Journal  # noqa: PLC0415

    wanted, target = Reference.parse(source), Reference.parse(destination)
    with closing(_open(source)) as origin, closing(_open(destination)) as goal:
        root = origin.resolve(wanted.tag or "")
        manifest = origin.fetch(root)
        parsed = parse_manifest(manifest, root.media_type)
        if not isinstance(parsed, Manifest):
            message = f"{source} is no single image"
            raise SystemExit(message)
        journal = Journal(
            None, root=root.digest, destination=goal.repository, plan=root.digest, now=lambda: datetime.now(UTC)
        )
        copier = Copier(origin, goal, journal, SILENT, 4)
        copier.blobs((parsed.config, *parsed.layers), give_up=True)
        copier.manifests([[root]])
        goal.tag(target.tag or "latest", root, manifest)


if __name__ == "__main__":
    if sys.argv[1] == "stream":
        stream(*sys.argv[2:])
    else:
        copy(*sys.argv[2:])
