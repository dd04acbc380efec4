"""``make fuzz``: a million cases of bad input, none of which may raise, and none of which may be believed.

``python -m tests.fuzz [--cases N] [--seconds S] [--seed N] [--jobs N] [TARGET ...]`` prints a table, and ends in 1 at
any traceback, false accept or case of more than two seconds. ``--replay TARGET:SEED:NUMBER``, or ``--replay FILE`` with
a case that was kept, runs that one alone and shows what it does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from imgtrust.trust.signatures import VerifiedSignature
from tests.fuzz.running import TARGETS, Score, make_case, run_all
from tests.fuzz.target import FalseAcceptError
from tests.fuzz.world import make_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fuzz.target import Target
    from tests.fuzz.world import World

ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = ROOT / "build" / "fuzz"
"""Outside git: the world that cases are made in, and the cases that went wrong."""
_TOLD: Final = 30.0
"""Seconds between two lines about how far it is."""


def main(arguments: Sequence[str]) -> int:
    """Run; 1 if something was found, 2 if there is no such target or case."""
    options = options_of(arguments)
    if options.list:
        _say("\n".join(TARGETS))
        return 0
    if options.replay:
        return _replay(options.replay, options.folder)
    return _run(options)


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="by name or the beginning of one; all of them")
    parser.add_argument("--cases", type=int, default=1_000_000, help="in all (1,000,000)")
    parser.add_argument("--seconds", type=float, default=3600, help="stop after so many (3600)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one for each core)")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the world and bad cases are kept")
    parser.add_argument("--replay", metavar="CASE", help="TARGET:SEED:NUMBER, or the file of a kept case")
    parser.add_argument("--list", action="store_true", help="name the targets")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> int:
    chosen = [each for each in TARGETS.values() if not options.targets or each.name.startswith(tuple(options.targets))]
    if not chosen:
        _say(f"no target is called {' or '.join(options.targets)}; --list names them")
        return 2
    world = kept_world(options.folder)
    began = time.monotonic()
    told = [began]
    named: set[str] = set()

    def tell(scores: dict[str, Score]) -> None:
        now = time.monotonic()
        for finding in [each for score in scores.values() for each in score.findings if each.name not in named]:
            named.add(finding.name)
            _say(f"{finding.kind} {finding.name}: {finding.place}, kept as {finding.keep(options.folder, world)}")
        if now - told[0] >= _TOLD:
            told[0] = now
            done = sum(each.cases for each in scores.values())
            bad = sum(each.kinds.total() for each in scores.values())
            _say(f"{now - began:6.0f} s  {done:>9,} cases  {bad} findings")

    shares = shared(chosen, options.cases)
    scores = run_all(world, shares, seed=options.seed, jobs=options.jobs, until=began + options.seconds, tell=tell)
    return sum_up(scores, options, world, time.monotonic() - began)


def shared(targets: Sequence[Target], cases: int) -> dict[str, int]:
    """How many of the cases each target gets: by its share, and all of them together exactly so many."""
    total = sum(each.share for each in targets)
    shares = {}
    given = 0
    passed = 0
    for each in targets:
        passed += each.share
        shares[each.name] = cases * passed // total - given
        given += shares[each.name]
    return shares


def kept_world(folder: Path) -> World:
    """The world that was made before, if all in it is what it was; else a new one, which is kept."""
    sources = [*sorted((ROOT / "tests" / "simulators").glob("*.py")), Path(__file__).with_name("world.py")]
    made_by = hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()
    path = folder / f"world-{made_by[:16]}.pickle"
    world = _read_world(path) if path.exists() else None
    if world is None:
        world = make_world()
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(world))
    # Judged once here, so that the processes that are forked have all of it at hand.
    for name in world.pieces:
        for root in world.roots:
            world.believed(name, root)
    return world


def _read_world(path: Path) -> World | None:
    """A kept world; None where its pieces are no longer believed, as after a change of the types that are kept."""
    try:
        world: World = pickle.loads(path.read_bytes())  # noqa: S301 - written by this very program
        good = all(isinstance(world.believed(*each), VerifiedSignature) for each in world.homes())
    except Exception:  # noqa: BLE001 - whatever a pickle of older types raises
        return None
    return world if good else None


def _replay(name: str, folder: Path) -> int:
    """Run one case, showing all that it does."""
    if Path(name).is_file():
        target_name, case, world = pickle.loads(Path(name).read_bytes())  # noqa: S301 - as above
        target = TARGETS[target_name]
    else:
        parts = name.split(":")
        if len(parts) != 3 or parts[0] not in TARGETS or not all(part.lstrip("-").isdigit() for part in parts[1:]):
            _say(f"{name!r} is no case: expected TARGET:SEED:NUMBER, or a file")
            return 2
        target, world = TARGETS[parts[0]], kept_world(folder)
        case = make_case(world, target, int(parts[1]), int(parts[2]))
    _say(f"{target.name}\n{_shown(case)}")
    try:
        _say(f"outcome: {target.judge(world, case)}")
    except FalseAcceptError as exc:
        _say(f"FALSE ACCEPT: {exc}")
    except Exception:  # noqa: BLE001 - this is what is looked for
        _say(traceback.format_exc())
    else:
        return 0
    return 1


def _shown(case: Any) -> str:
    return repr(case) if isinstance(case, bytes) else "\n".join(f"  {part}" for part in str(case).split(", "))


def sum_up(scores: dict[str, Score], options: argparse.Namespace, world: World, wall: float) -> int:
    """Print the table and what was found, keep the bad cases; 1 if there are any."""
    _say(table(scores))
    done, bad = sum(each.cases for each in scores.values()), [f for each in scores.values() for f in each.findings]
    _say(f"\n{done:,} cases, seed {options.seed}, {options.jobs} processes, {wall:.0f} s")
    if done < options.cases:
        _say(f"the time was over before all {options.cases:,} were done")
    for finding in bad:
        path = finding.keep(options.folder, world)
        _say(f"\n{finding.kind.upper()} {finding.name}: {finding.place}\n  kept: {path}\n{finding.text[:3000]}")
    return 1 if bad else 0


def table(scores: dict[str, Score]) -> str:
    """A line for each target, and one for all, as Markdown."""
    total = Score()
    columns = "target cases accepted=as=it=was refused,=most=of=all=by tracebacks false=accepts slow cases/s CPU=s"
    lines = [f"| {' | '.join(columns.split()).replace('=', ' ')} |", "|---|--:|--:|---|--:|--:|--:|--:|--:|"]
    for name, score in scores.items():
        total.add(score)
        lines.append(_line(name, score))
    return "\n".join([*lines, _line("**all**", total)])


def _line(name: str, score: Score) -> str:
    accepted = score.outcomes["accepted"]
    refused = [(code, count) for code, count in score.outcomes.most_common() if code not in {"accepted", *score.kinds}]
    top = ", ".join(f"{code} {100 * count / max(score.cases, 1):.0f} %" for code, count in refused[:3])
    rate = score.cases / score.seconds if score.seconds else 0
    kinds = score.kinds
    found = f"{kinds['traceback']} | {kinds['false accept']} | {kinds['slow']}"
    return f"| {name} | {score.cases:,} | {accepted:,} | {top} | {found} | {rate:,.0f} | {score.seconds:.1f} |"


def _say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
