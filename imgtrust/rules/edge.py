"""Rule ``promotion.edge``: the policy allows this image to go there. Pure.

Knows the answer, which ``policy.scopes`` gives; knows nothing of patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.rules.finding import Finding, Level, RuleOutcome

if TYPE_CHECKING:
    from imgtrust.reference import Digest, Repository

__all__ = ["EDGE", "edge"]

EDGE: Final = "promotion.edge"


def edge(
    subject: Digest, promote_to: tuple[str, ...], destination: Repository, policy: str, *, allowed: bool
) -> Finding:
    """Passes where ``promote_to`` names the destination, which is ``allowed``; an empty one allows none."""
    required = f"one of {', '.join(promote_to)}" if promote_to else "no promotion from this scope"
    why = fix = ""
    if not allowed:
        why = f"{policy} does not allow this image to be promoted to {destination}"
        fix = f'if that is meant, add it to its scope in {policy}: promote_to = ["{destination}"]'
    outcome = RuleOutcome.PASS if allowed else RuleOutcome.FAIL
    return Finding(EDGE, outcome, Level.REQUIRED, subject, required, str(destination), why, fix)
