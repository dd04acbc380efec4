"""``make bench``: all rows, or those that are named; prints a table, and with all rows writes it into the docs."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.rows import ROWS, Row
from tests.benchmarks.world import ROOT, world
from tests.fixtures.peers import GO_PEERS, peers_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measure import Taken

_PAGE: Final = ROOT / "docs" / "reference" / "benchmarks.md"
_BEGIN: Final = "<!-- measured: begin -->"
_END: Final = "<!-- measured: end -->"


def main(wanted: Sequence[str]) -> int:
    """Run the rows; 1 if a goal was missed, 2 if there is nothing to compare with."""
    unknown = set(wanted) - set(ROWS)
    if unknown:
        _say(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
        return 2
    absent = [name for name in GO_PEERS if not (peers_folder() / name).exists()]
    if absent:
        _say(f"these peers are absent: {', '.join(absent)}; make peers builds them")
        return 2
    rows: list[Row] = []
    busy = os.getloadavg()[1]
    with tempfile.TemporaryDirectory(prefix="imgtrust-bench-") as folder, world(Path(folder)) as made:
        for name in wanted or ROWS:
            for row in ROWS[name](made):
                _say(line(row))
                rows.append(row)
    if not wanted:
        text = _PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        _PAGE.write_text(f"{before}{_BEGIN}\n{table(rows, busy)}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
        _say(f"written: {_PAGE.relative_to(ROOT)}")
    missed = [row for row in rows if not row.met]
    _say(f"{len(rows) - len(missed)} of {len(rows)} goals reached")
    return 1 if missed else 0


def line(row: Row) -> str:
    """A row as a line of the table."""
    theirs = "" if row.theirs is None else _seconds(row.theirs)
    ours = _seconds(row.ours)
    outcome = "yes" if row.met else "**behind**"
    return f"| {row.work} | {ours} | {row.peer} {theirs} | {row.figure:.3g} | {row.goal} | {outcome} | {row.note} |"


def _seconds(taken: Taken) -> str:
    """Seconds by the clock, and of CPU."""
    return f"{taken.wall:.3f} s ({taken.cpu:.2f} CPU)"


def table(rows: Sequence[Row], busy: float) -> str:
    """All rows, and on what they were measured; ``busy`` is the load of the machine before."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    folder = peers_folder()
    versions = [f"{name} {(folder / f'{name}.version').read_text().strip()}" for name in GO_PEERS[:4]]
    machine = f"{os.cpu_count()} cores and {memory:.0f} GiB"
    tools = ", ".join([f"Python {platform.python_version()}", *versions])
    return "\n".join(
        [
            f"Measured on {datetime.now(UTC):%Y-%m-%d} with {machine}, a load of {busy:.1f} before: {tools}.",
            "",
            "| work | imgtrust | peer | figure | goal | reached | |",
            "|---|---|---|---|---|---|---|",
            *map(line, rows),
        ]
    )


def _say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
