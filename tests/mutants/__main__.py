"""``make mutants``: break the core, one small change at a time, and see whether a test notices.

``python -m tests.mutants [FOLDER_OR_FILE ...] [--sample N] [--jobs N] [--limit SECONDS]``. Prints each survivor with
its place and difference, and the figures for each module. Ends in 1 if one survives that is not explained in
``equivalent.toml``, in 2 if the tests fail even for modules that were not changed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.mutants.mutations import Mutant, mutants
from tests.mutants.running import ROOT, Outcome, controls, cover, run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

CORE: Final = (
    "imgtrust/formats",
    "imgtrust/trust",
    "imgtrust/predicates",
    "imgtrust/rules",
    "imgtrust/policy/evaluate.py",
)
TESTS: Final = tuple(f"tests/unit/{room}" for room in ("formats", "trust", "predicates", "rules", "policy"))
_EQUIVALENT: Final = Path(__file__).parent / "equivalent.toml"


def main(arguments: Sequence[str]) -> int:
    """Run; 0 if every mutant was noticed or is explained, 2 if even unchanged modules are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", default=CORE)
    parser.add_argument("--sample", type=int, help="so many mutants, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--limit", type=float, default=60, help="seconds after which a hanging mutant counts as noticed"
    )
    options = parser.parse_args(arguments)
    explained = {
        (entry["module"], entry["was"], entry["now"]): entry["reason"]
        for entry in tomllib.loads(_EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    }
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
    unchanged = run_all(controls(covering), covering, options.jobs, options.limit, lambda _: None)
    if noticed := [str(outcome.mutant.path) for outcome in unchanged if outcome.outcome == "killed"]:
        _say(f"the tests fail for modules that are as they should be, so they prove nothing: {', '.join(noticed)}")
        return 2
    _say(f"{len(unchanged)} modules that were not changed are not noticed")
    outcomes = run_all(wanted, covering, options.jobs, options.limit, lambda outcome: _tell(outcome, explained))
    return _sum_up(outcomes, explained)


def _modules(wanted: Sequence[str]) -> list[str]:
    """The files of folders and files, as paths from the root."""
    found = []
    for name in wanted:
        path = ROOT / name
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found += [str(file.relative_to(ROOT)) for file in files]
    return found


def _key(mutant: Mutant) -> tuple[str, str, str]:
    """By what a mutant is found in the list of the explained: lines move, code does not."""
    return mutant.path, mutant.was, mutant.now


def _tell(outcome: Outcome, explained: dict[tuple[str, str, str], str]) -> None:
    """Show a survivor when it is found."""
    if outcome.outcome != "killed" and _key(outcome.mutant) not in explained:
        _say(f"{outcome.outcome.upper()} {outcome.mutant}")


def _sum_up(outcomes: Sequence[Outcome], explained: dict[tuple[str, str, str], str]) -> int:
    """The figures; 1 if a survivor has no explanation."""
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        what = outcome.outcome
        if what != "killed" and _key(outcome.mutant) in explained:
            what = "explained"
        by_module[outcome.mutant.path][what] += 1
    total: Counter[str] = Counter()
    _say(f"\n{'module':44}{'mutants':>8}{'noticed':>9}{'explained':>11}{'survived':>10}{'noticed %':>11}")
    for module, counts in sorted(by_module.items()):
        total += counts
        _say(_figures(module, counts))
    _say(_figures("in all", total))
    return 0 if total["killed"] + total["explained"] == len(outcomes) else 1


def _figures(name: str, counts: Counter[str]) -> str:
    """One line; explained mutants count neither way."""
    mutants_of = sum(counts.values())
    real = mutants_of - counts["explained"]
    left = real - counts["killed"]
    percent = 100 * counts["killed"] / real if real else 100.0
    return f"{name:44}{mutants_of:>8}{counts['killed']:>9}{counts['explained']:>11}{left:>10}{percent:>11.1f}"


def _say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
