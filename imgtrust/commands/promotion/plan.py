"""What a promotion will do, as values: which manifests, blobs, referrers and tags go where.

Knows the shape of a plan and its digest; how one is made from a source is in ``planning``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgtrust import strict_json
from imgtrust.reference import Digest, Reference

if TYPE_CHECKING:
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import PolicyId
    from imgtrust.reference import Repository

__all__ = ["Attached", "LeftBehind", "LegacyTag", "Plan", "plan_digest"]


@dataclass(frozen=True, slots=True)
class Attached:
    """A referrer: ``subject`` is what it is attached to, ``manifests`` are its own parts, children first, itself last.

    ``depth`` is 0 for a referrer of the image, 1 for a referrer of such a referrer, and so on.
    """

    subject: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]
    depth: int

    @property
    def descriptor(self) -> Descriptor:
        """The referrer's own manifest."""
        return self.manifests[-1]


@dataclass(frozen=True, slots=True)
class LegacyTag:
    """A ``.sig``, ``.att`` or ``.sbom`` tag of cosign, and the manifest under it."""

    tag: str
    descriptor: Descriptor
    blobs: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Something attached that is not copied because it is broken at the source, and why."""

    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is copied.

    ``source`` is pinned to the root's digest. ``levels`` are the image's manifests in the order of pushing: each
    level needs only those before it; the last is the root alone. ``blobs`` are the image's configs and layers,
    each once (``configs`` says which are the former); those of ``attached`` and ``legacy`` are with them. ``tags`` are
    set at the end.
    """

    source: Reference
    destination: Repository
    root: Descriptor
    levels: tuple[tuple[Descriptor, ...], ...]
    blobs: tuple[Descriptor, ...]
    configs: frozenset[Digest] = frozenset()
    attached: tuple[Attached, ...] = ()
    legacy: tuple[LegacyTag, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()

    @property
    def evidence_blobs(self) -> tuple[Descriptor, ...]:
        """The blobs of what is attached, each once, without those of the image itself."""
        own = {blob.digest for blob in self.blobs}
        found = [blob for item in self.attached for blob in item.blobs]
        found += [blob for tag in self.legacy for blob in tag.blobs]
        return tuple({blob.digest: blob for blob in found if blob.digest not in own}.values())

    @property
    def target(self) -> Reference:
        """The image's name at the destination, pinned: under its first tag, if it gets one."""
        return Reference(self.destination, self.tags[0] if self.tags else None, self.root.digest)


def plan_digest(plan: Plan, policy: PolicyId) -> Digest:
    """What makes two plans the same: the image, where it goes, under which policy, and all that travels with it."""
    document = {
        "source": str(plan.source.repository),
        "destination": str(plan.destination),
        "root": str(plan.root.digest),
        "policy": str(policy.digest),
        "manifests": [str(item.digest) for level in plan.levels for item in level],
        "attached": sorted(str(item.descriptor.digest) for item in plan.attached),
        "legacy": sorted(f"{item.tag} {item.descriptor.digest}" for item in plan.legacy),
        "tags": list(plan.tags),
    }
    return Digest.of(strict_json.dumps(document))
