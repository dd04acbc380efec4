"""``make mutants``: break the core, one small change at a time, and see whether a test notices.

``python -m tests.mutants [FOLDER_OR_FILE ...] [--sample N] [--jobs N] [--limit SECONDS] [--no-page]``. Prints each
survivor with its place and difference, and the figures for each module, and writes these into the docs. Ends in 1 if
one survives that is not explained in ``equivalent.toml``, in 2 if the tests fail even for modules that were not
changed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.mutants.figures import NOTICED, PAGE, Figures, equivalents, key
from tests.mutants.mutations import mutants
from tests.mutants.running import ROOT, cover, run_all
from tests.mutants.settling import controls, settle, thinned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.mutants.figures import Key
    from tests.mutants.running import Outcome

CORE: Final = (
    "imgtrust/formats",
    "imgtrust/trust",
    "imgtrust/predicates",
    "imgtrust/rules",
    "imgtrust/policy/evaluate.py",
)
TESTS: Final = tuple(f"tests/unit/{room}" for room in ("formats", "trust", "predicates", "rules", "policy"))


def main(arguments: Sequence[str]) -> int:
    """Run; 0 if every mutant was noticed or is explained, 2 if even unchanged modules are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", default=CORE)
    parser.add_argument("--sample", type=int, help="so many mutants, chosen at random")
    parser.add_argument("--no-page", action="store_true", help="leave the page of the docs as it is")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--limit", type=float, default=60, help="seconds after which a hanging mutant counts as noticed"
    )
    options = parser.parse_args(arguments)
    explained = equivalents()
    modules = _modules(options.modules)
    tests = [folder for folder in TESTS if (ROOT / folder).is_dir()]
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        covering, seconds = cover(tests, sorted({*_modules(CORE), *modules}), Path(folder))
    _say(f"{len(tests)} folders of tests in {seconds:.0f} s")
    made = [mutant for module in modules for mutant in mutants((ROOT / module).read_text(encoding="utf-8"), module)]
    wanted = made
    if options.sample and options.sample < len(made):
        wanted = random.Random(options.seed).sample(made, options.sample)  # noqa: S311 - a sample, no secret
    _say(f"{len(made)} mutants in {len(modules)} modules, {len(wanted)} are run")
    wholes = controls({module: covering[module] for module in modules})
    unchanged = run_all(wholes, thinned(covering), options.jobs, options.limit, lambda _: None)
    if noticed := [str(outcome.mutant.path) for outcome in unchanged if outcome.outcome in NOTICED]:
        _say(f"the tests fail for modules that are as they should be, so they prove nothing: {', '.join(noticed)}")
        return 2
    _say(f"{len(unchanged)} modules that were not changed are not noticed")
    outcomes = run_all(wanted, covering, options.jobs, options.limit, lambda outcome: _tell(outcome, explained))
    outcomes = settle(outcomes, covering, options.jobs, options.limit)
    figures = Figures.of(outcomes, explained)
    _say(figures.text())
    if wanted is made and not options.no_page:
        figures.write(_modules(CORE))
        _say(f"written: {PAGE.relative_to(ROOT)}")
        for stale in sorted(set(explained) - {key(mutant) for mutant in made}):
            if stale.module in modules:
                _say(f"EXPLAINED, BUT THERE IS NO SUCH MUTANT {stale}")
                figures.complete = False
    return 0 if figures.complete else 1


def _modules(wanted: Sequence[str]) -> list[str]:
    """The files of folders and files, as paths from the root."""
    found = []
    for name in wanted:
        path = ROOT / name
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found += [str(file.relative_to(ROOT)) for file in files]
    return found


def _tell(outcome: Outcome, explained: Mapping[Key, str]) -> None:
    """Show a survivor when it is found."""
    if outcome.outcome not in NOTICED and key(outcome.mutant) not in explained:
        _say(f"{outcome.outcome.upper()} {outcome.mutant}")


def _say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
