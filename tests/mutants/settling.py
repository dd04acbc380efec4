"""What the machine itself proves: modules that were not changed must not be noticed, and what could not be run.

A mutant may stop pytest from finding its tests, because files of tests use the module while they are imported. That is
noticing, if the same tests run without the change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.mutants.mutations import Mutant
from tests.mutants.running import ROOT, Outcome, inside_functions, run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.running import Covering

__all__ = ["controls", "settle", "thinned"]

_SPREAD: Final = 100


def controls(covering: Covering) -> list[Mutant]:
    """For each module a mutant that changes nothing: where one is noticed, noticing proves nothing."""
    found = []
    for path, lines in sorted(covering.items()):
        inside = (line for line, tests in sorted(lines.items()) if tests and line in inside_functions(path))
        line = next(inside, None)
        if line is not None:
            code = compile((ROOT / path).read_text(encoding="utf-8"), str(ROOT / path), "exec")
            found.append(Mutant(path, line, "", 1, "control", "as it is", "as it is", code))
    return found


def thinned(covering: Covering) -> Covering:
    """At most so many tests of each line, from all over: those that are run over a module that was not changed."""
    return {
        path: {line: tests[:: len(tests) // _SPREAD + 1] for line, tests in lines.items()}
        for path, lines in covering.items()
    }


def settle(outcomes: Sequence[Outcome], covering: Covering, jobs: int, limit: float) -> list[Outcome]:
    """The outcomes, where each that was not run counts as noticed if the same tests run and pass without the change."""
    doubtful = [outcome.mutant for outcome in outcomes if outcome.outcome == "not run"]
    whole = {
        path: compile((ROOT / path).read_text("utf-8"), str(ROOT / path), "exec") for path in {m.path for m in doubtful}
    }
    again = [replace(mutant, code=whole[mutant.path]) for mutant in doubtful]
    passed = {o.mutant for o in run_all(again, covering, jobs, limit, lambda _: None) if o.outcome == "survived"}
    return [Outcome(o.mutant, "killed") if o.outcome == "not run" and o.mutant in passed else o for o in outcomes]
