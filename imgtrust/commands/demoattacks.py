"""What somebody with write access to a repository could try: each attack works on a copy of the demo's layout.

Knows how to do harm to a layout; says nothing and decides nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from imgtrust import strict_json
from imgtrust.commands.demoimage import build_image
from imgtrust.content import Index, Manifest, describe, parse_manifest
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.reference import Digest, LayoutRepository
from imgtrust.stores import open_store

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.content import Descriptor
    from imgtrust.stores.port import Store

__all__ = ["alter_layer", "forge_unsigned", "move_signature", "put_back"]


def alter_layer(layout: str, tag: str, copy: str) -> Digest:
    """Change one byte of a layer in a copy of the layout; returns the layer's digest."""
    shutil.copytree(layout, copy)
    store = open_store(LayoutRepository(copy))
    try:
        layer = _last_layer(store, tag)
    finally:
        store.close()
    file = Path(copy, "blobs", layer.digest.algorithm, layer.digest.encoded)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return layer.digest


def move_signature(layout: str, tag: str, copy: str, *, built: datetime) -> Digest:
    """Put another image under the tag in a copy, and hang the signature of the good one on it; returns its digest."""
    shutil.copytree(layout, copy)
    other = build_image(copy, tag, says="all your baskets are mine", built=built)
    origin, goal = open_store(LayoutRepository(layout)), open_store(LayoutRepository(copy))
    try:
        for referrer in origin.referrers(origin.resolve(tag)):
            raw = origin.fetch(referrer)
            members = strict_json.loads(raw)
            if isinstance(members, dict) and SIGN_PREDICATE.encode() in raw:
                members["subject"] = {"mediaType": other.media_type, "digest": str(other.digest), "size": other.size}
                moved = strict_json.dumps(members)
                goal.push(describe(moved, referrer.media_type), moved)
    finally:
        origin.close()
        goal.close()
    return other.digest


def put_back(layout: str, old: str, tag: str, copy: str) -> Digest:
    """Let the tag point at an older release in a copy; returns the older digest."""
    shutil.copytree(layout, copy)
    store = open_store(LayoutRepository(copy))
    try:
        descriptor = store.resolve(old)
        store.tag(tag, descriptor, store.fetch(descriptor))
    finally:
        store.close()
    return descriptor.digest


def forge_unsigned(copy: str, tag: str, *, built: datetime) -> Digest:
    """Build an image that nobody signed into a layout of its own; returns its digest."""
    return build_image(copy, tag, says="trust me", built=built).digest


def _last_layer(store: Store, tag: str) -> Descriptor:
    """The last layer of the first platform of an image."""
    root = store.resolve(tag)
    index = parse_manifest(store.fetch(root), root.media_type)
    child = index.manifests[0] if isinstance(index, Index) else root
    manifest = parse_manifest(store.fetch(child), child.media_type)
    return manifest.layers[-1] if isinstance(manifest, Manifest) else child
