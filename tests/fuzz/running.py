"""Runs cases: one, a stretch of them, all of them over all cores; and keeps what went wrong.

A case is named by target, seed and number: the same name makes the same case in the same world.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import time
import traceback
import warnings
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from tests.fuzz import files, forging, judgement, parsers, trusted, updates
from tests.fuzz.target import FalseAcceptError, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import FrameType

    from tests.fuzz.world import World

__all__ = ["SLOW", "TARGETS", "Finding", "Score", "make_case", "run_all", "run_case", "run_stretch"]

TARGETS: Final[dict[str, Target]] = {
    each.name: each for module in (parsers, trusted, files, updates, judgement, forging) for each in module.TARGETS
}
"""All targets by name."""
SLOW: Final = 2.0
"""Seconds of CPU after which a case is a finding."""
_HANGING: Final = 30.0
"""Seconds of CPU after which a case is ended."""
_STRETCH: Final = 500
"""The most cases of one piece of work."""
_KEPT: Final = 5
"""How many findings of one kind are kept whole."""


class _Hanging(BaseException):
    """The time of a case is over; no guard against odd bytes takes it for one of them."""


def _over(_signal: int, _frame: FrameType | None) -> None:
    raise _Hanging


@dataclass(frozen=True)
class Finding:
    """What went wrong with one case: ``kind`` is ``traceback``, ``false accept`` or ``slow``; ``place`` where."""

    target: str
    seed: int
    number: int
    kind: str
    place: str
    text: str = field(repr=False)
    case: Any = field(repr=False, default=None)

    @property
    def name(self) -> str:
        """What ``--replay`` takes."""
        return f"{self.target}:{self.seed}:{self.number}"

    def keep(self, folder: Path, world: World) -> Path:
        """Write the case, with the world that it needs."""
        path = folder / f"{self.name.replace(':', '-')}.case"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps((self.target, self.case, world)))
        return path


@dataclass
class Score:
    """What came of the cases of one target. ``seconds`` are of CPU."""

    cases: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Take in another one; of findings at the same place the first few."""
        self.cases += other.cases
        self.seconds += other.seconds
        self.outcomes += other.outcomes
        self.kinds += other.kinds
        for each in other.findings:
            if sum((each.kind, each.place) == (known.kind, known.place) for known in self.findings) < _KEPT:
                self.findings.append(each)


def make_case(world: World, target: Target, seed: int, number: int) -> Any:
    """The case of a name."""
    return target.make(world, Random(f"{target.name}:{seed}:{number}"))  # noqa: S311 - cases, no secrets


def run_case(world: World, target: Target, case: Any, limit: float = _HANGING) -> tuple[str, str, str]:
    """Outcome, kind of finding (empty where there is none), and what is to be said about it.

    After ``limit`` seconds of CPU the case is ended.
    """
    before = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        outcome = target.judge(world, case)
    except FalseAcceptError as exc:
        return "false accept", "false accept", f"{_place(exc)}\n{exc}"
    except _Hanging as exc:
        return "slow", "slow", f"{_place(exc)}\n{traceback.format_exc()}"
    except Exception as exc:  # noqa: BLE001 - whatever comes through is what is looked for
        return "traceback", "traceback", f"{_place(exc)}\n{traceback.format_exc()}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if (took := time.process_time() - before) > SLOW:
        return outcome, "slow", f"{outcome}\n{took:.1f} s"
    return outcome, "", ""


def _place(exc: BaseException) -> str:
    """The kind of an exception, and the last line of imgtrust that it came through."""
    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if "/imgtrust/" in frame.filename]
    last = f" {frames[-1].filename.rpartition('/imgtrust/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(exc).__name__}{last}"


def run_stretch(world: World, target: Target, seed: int, numbers: Iterable[int], *, limit: float = _HANGING) -> Score:
    """Run some cases of a target, one after the other; in the main thread, for only there a case can be ended."""
    score = Score()
    before = time.process_time()
    known = signal.signal(signal.SIGPROF, _over)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in numbers:
            case = make_case(world, target, seed, number)
            outcome, kind, text = run_case(world, target, case, limit)
            score.cases += 1
            score.outcomes[outcome] += 1
            if kind:
                score.kinds[kind] += 1
                place, _, rest = text.partition("\n")
                found = Finding(target.name, seed, number, kind, place, rest, case)
                score.add(Score(findings=[found]))
    signal.signal(signal.SIGPROF, known)
    score.seconds = time.process_time() - before
    return score


_world: list[World] = []
"""The world of this process and of those that it forks."""


def _work(name: str, seed: int, start: int, stop: int) -> tuple[str, Score]:
    return name, run_stretch(_world[0], TARGETS[name], seed, range(start, stop))


def run_all(
    world: World,
    shares: dict[str, int],
    *,
    seed: int,
    jobs: int,
    until: float,
    tell: Callable[[dict[str, Score]], None],
) -> dict[str, Score]:
    """Run so many cases of each target over ``jobs`` processes, until ``until`` (monotonic) at the latest.

    ``tell`` is called now and then with what there is. One job is this process.
    """
    _world[:] = [world]
    waiting = deque(_stretches(shares))
    scores = {name: Score() for name in shares}
    running: set[Future[tuple[str, Score]]] = set()
    if jobs == 1:
        while waiting and time.monotonic() < until:
            name, start, stop = waiting.popleft()
            scores[name].add(_work(name, seed, start, stop)[1])
            tell(scores)
        return scores
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        while running or waiting:
            while waiting and len(running) < 2 * jobs and time.monotonic() < until:
                name, start, stop = waiting.popleft()
                running.add(pool.submit(_work, name, seed, start, stop))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                name, score = each.result()
                scores[name].add(score)
            tell(scores)
    return scores


def _stretches(shares: dict[str, int]) -> Sequence[tuple[str, int, int]]:
    """All cases in stretches, the targets in turn, so that all have come equally far whenever time is over."""
    rounds = max(1, max(shares.values(), default=0) // _STRETCH)
    found = []
    for number in range(rounds):
        for name, count in shares.items():
            start, stop = count * number // rounds, count * (number + 1) // rounds
            if stop > start:
                found.append((name, start, stop))
    return found
