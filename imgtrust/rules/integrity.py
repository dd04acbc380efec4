"""Rule ``integrity``: every byte of the image is what its digest says. Pure.

Knows what re-hashing found; knows nothing of signatures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.rules.facts import IntegrityMode
from imgtrust.rules.finding import Finding, Level, RuleOutcome
from imgtrust.rules.wording import count, listed, one_line

if TYPE_CHECKING:
    from imgtrust.rules.facts import ImageFacts

__all__ = ["INTEGRITY", "integrity"]

INTEGRITY = "integrity"


def integrity(facts: ImageFacts) -> Finding:
    """Fails on any fault; with ``--integrity manifests`` blobs are not asked about (and the report says so).

    Where every blob should have been hashed and some were not, without a fault, it is unknown.
    """
    found = facts.integrity
    full = found.mode is IntegrityMode.FULL
    manifests = count(found.manifests, "manifest")
    required = "every manifest and every blob matches its digest" if full else "every manifest matches its digest"
    observed = f"{found.blobs_checked} of {count(found.blobs, 'blob')} re-hashed, {manifests}"
    if not full:
        observed = f"{manifests} re-hashed, {count(found.blobs, 'blob')} not read"
    outcome, why, fix = RuleOutcome.PASS, "", ""
    if found.faults:
        outcome = RuleOutcome.FAIL
        why = "\n".join(listed([f"{fault.digest}: {one_line(fault.reason)}" for fault in found.faults]))
        fix = "do not use this image: its content is not what was built; push it again from a build that you trust"
    elif full and found.blobs_checked < found.blobs:
        outcome = RuleOutcome.UNKNOWN
        why = f"{found.blobs - found.blobs_checked} of {count(found.blobs, 'blob')} could not be read"
        fix = "run it again"
    return Finding(INTEGRITY, outcome, Level.REQUIRED, facts.root.descriptor.digest, required, observed, why, fix)
