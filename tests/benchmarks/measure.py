"""Runs programs and measures each whole process: wall time, CPU time, memory. Knows nothing of what they do.

This file is also the program that starts what is measured: a process inherits the peak memory of the one that
started it, so that must be small. It is run without site packages and imports almost nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(order: str) -> None:
    """Run the commands of an order, all at once, and print what they took together (JSON)."""
    wanted = json.loads(order)
    out = os.open(wanted["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    error = os.open(wanted["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, error, 2)]
    os.chdir(wanted["cwd"])
    began = time.perf_counter()
    running = [os.posix_spawn(c[0], c, wanted["env"], file_actions=actions) for c in wanted["commands"]]
    cpu, peak, status = 0.0, 0, 0
    for process in running:
        _, code, usage = os.wait4(process, 0)
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
        status = status or os.waitstatus_to_exitcode(code)
    wall = time.perf_counter() - began
    print(json.dumps({"wall": wall, "cpu": cpu, "rss": peak / 1024, "status": status}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(sys.argv[1])
else:
    import statistics
    import subprocess
    import tempfile
    from dataclasses import dataclass
    from pathlib import Path

    __all__ = ["Command", "Failed", "Taken", "compare", "run"]

    @dataclass(frozen=True)
    class Taken:
        """Seconds by the clock, seconds of CPU, and the peak of memory in MiB."""

        wall: float
        cpu: float
        rss: float

    @dataclass(frozen=True)
    class Command:
        """One program, or several that run at once, in one environment. ``status``: how each must end."""

        lines: Sequence[Sequence[str]]
        env: Mapping[str, str]
        cwd: Path
        status: int = 0

    class Failed(Exception):
        """A program under measurement did not end as it should."""

    def run(command: Command) -> Taken:
        """Run once.

        Raises:
            Failed: it ended otherwise than expected; the message has what it said.
        """
        with tempfile.TemporaryDirectory() as folder:
            order = {
                "commands": [list(line) for line in command.lines],
                "env": dict(command.env),
                "cwd": str(command.cwd),
                "stdout": f"{folder}/out",
                "stderr": f"{folder}/err",
            }
            starter = [sys.executable, "-I", "-S", __file__, json.dumps(order)]
            done = subprocess.run(starter, check=True, capture_output=True, text=True, timeout=600)
            answer = json.loads(done.stdout)
            if answer["status"] != command.status:
                said = Path(folder, "err").read_text(errors="replace")[-2000:]
                message = f"{' '.join(command.lines[0])[:300]} ended with {answer['status']}\n{said}"
                raise Failed(message)
        return Taken(answer["wall"], answer["cpu"], answer["rss"])

    def compare(sides: Mapping[str, Sequence[Command]]) -> dict[str, Taken]:
        """Run the sides in turn, round by round (each side has a command for each round); the median of each.

        The peak of memory is the highest of all rounds.
        """
        taken: dict[str, list[Taken]] = {name: [] for name in sides}
        for round_of_all in zip(*sides.values(), strict=True):
            for name, command in zip(sides, round_of_all, strict=True):
                taken[name].append(run(command))
        return {
            name: Taken(
                statistics.median(t.wall for t in runs),
                statistics.median(t.cpu for t in runs),
                max(t.rss for t in runs),
            )
            for name, runs in taken.items()
        }
