"""What came of a promotion, object by object, as the values that ``reports`` show.

Knows the order of the work and what became of each object; does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.reports.results import Fate, Planned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from imgtrust.commands.promotion.plan import Plan
    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest

__all__ = ["objects", "with_fates"]


def objects(plan: Plan) -> Iterator[tuple[str, Descriptor]]:
    """Kind and descriptor of everything that a plan moves, in the order of the work."""
    for blob in (*plan.blobs, *plan.evidence_blobs):
        yield "blob", blob
    for level in plan.levels:
        for manifest in level:
            yield "manifest", manifest
    for item in plan.attached:
        for part in item.manifests[:-1]:
            yield "manifest", part
        yield "referrer", item.descriptor
    for tag in plan.legacy:
        yield "legacy-tag", tag.descriptor


def with_fates(plan: Plan, fates: Mapping[Digest, Fate], default: Fate | None = None) -> tuple[Planned, ...]:
    """The objects with what became of them; without ``default`` only those of which that is known."""
    found = [(kind, item, fates.get(item.digest, default)) for kind, item in objects(plan)]
    return tuple(Planned(item.digest, kind, item.size, fate) for kind, item, fate in found if fate is not None)
