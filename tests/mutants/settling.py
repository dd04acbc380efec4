"""What could not be run: whether the mutant is to blame, which is noticing, or the machine, which proves nothing.

A mutant may stop pytest from finding its tests, because files of tests use the module while they are imported.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.mutants.running import ROOT, Outcome, run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.running import Covering

__all__ = ["settle"]


def settle(outcomes: Sequence[Outcome], covering: Covering, jobs: int, limit: float) -> list[Outcome]:
    """The outcomes, where each that was not run counts as noticed if the same tests run and pass without the change."""
    doubtful = [outcome.mutant for outcome in outcomes if outcome.outcome == "not run"]
    whole = {
        path: compile((ROOT / path).read_text("utf-8"), str(ROOT / path), "exec") for path in {m.path for m in doubtful}
    }
    again = [replace(mutant, code=whole[mutant.path]) for mutant in doubtful]
    passed = {o.mutant for o in run_all(again, covering, jobs, limit, lambda _: None) if o.outcome == "survived"}
    return [Outcome(o.mutant, "killed") if o.outcome == "not run" and o.mutant in passed else o for o in outcomes]
