"""How many mutants there were and what became of them, as text and as a page of the docs; and those that are explained.

Knows outcomes; knows nothing of how they came about.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.mutants.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.mutants.mutations import Mutant
    from tests.mutants.running import Outcome

__all__ = [
    "NOTICED",
    "PAGE",
    "Figures",
    "Key",
    "equivalents",
    "explained_list",
    "key",
    "shown_explained",
    "write_explained",
]

PAGE: Final = ROOT / "docs" / "reference" / "mutants.md"
NOTICED: Final = ("killed", "hung")
_EQUIVALENT: Final = Path(__file__).parent / "equivalent.toml"
_BEGIN: Final = "<!-- mutants: begin -->"
_END: Final = "<!-- mutants: end -->"
_LIST_BEGIN: Final = "<!-- explained: begin -->"
_LIST_END: Final = "<!-- explained: end -->"
_HEAD: Final = "| module | mutants | noticed | of these by the clock | explained | survived |"
_RULE: Final = "|---|---|---|---|---|---|"


class Key(NamedTuple):
    """By what a mutant is found among the explained: lines move, their text does not."""

    module: str
    line: str
    was: str
    now: str
    nth: int = 1


def key(mutant: Mutant) -> Key:
    """The key of a mutant."""
    return Key(mutant.path, mutant.text, mutant.was, mutant.now, mutant.nth)


def equivalents() -> dict[Key, str]:
    """The mutants that no test can notice, with the reason of each."""
    entries = tomllib.loads(_EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    return {Key(**{name: each[name] for name in Key._fields if name in each}): each["reason"] for each in entries}


@dataclass
class Figures:
    """Counts of outcomes by module; ``complete`` where every mutant was noticed or is explained."""

    by_module: Mapping[str, Counter[str]]
    complete: bool

    @classmethod
    def of(cls, outcomes: Iterable[Outcome], explained: Mapping[Key, str]) -> Figures:
        """Count."""
        by_module: dict[str, Counter[str]] = defaultdict(Counter)
        for outcome in outcomes:
            known = outcome.outcome not in NOTICED and key(outcome.mutant) in explained
            by_module[outcome.mutant.path]["explained" if known else outcome.outcome] += 1
        left = [what for counts in by_module.values() for what in counts if what not in {*NOTICED, "explained"}]
        return cls(by_module, not left)

    def _rows(self) -> Iterator[Row]:
        """One for each module."""
        for name, counts in sorted(self.by_module.items()):
            yield Row(name, counts.total(), counts["killed"] + counts["hung"], counts["hung"], counts["explained"])

    def text(self) -> str:
        """A table for the terminal."""
        lines = [
            f"\n{'module':44}{'mutants':>8}{'noticed':>9}{'hung':>6}{'explained':>11}{'survived':>10}{'noticed %':>11}"
        ]
        rows = list(self._rows())
        for row in [*rows, in_all(rows)]:
            real = row.made - row.explained
            share = 100 * row.noticed / real if real else 100.0
            lines.append(
                f"{row.module:44}{row.made:>8}{row.noticed:>9}{row.hung:>6}{row.explained:>11}{row.left:>10}{share:>11.1f}"
            )
        return "\n".join(lines)

    def write(self, modules: Iterable[str]) -> None:
        """Put the figures of the modules that were run into the page; ``modules`` are all that there are."""
        known = {row.module: row for row in shown_rows()} | {row.module: row for row in self._rows()}
        rows = [known[module] for module in sorted(modules) if module in known]
        total = in_all(rows)
        lines = [f"| {' | '.join(map(str, (*row, row.left)))} |" for row in [*rows, total]]
        _fill(_BEGIN, _END, "\n".join([_HEAD, _RULE, *lines]))


class Row(NamedTuple):
    """The figures of one module; ``hung`` are among the noticed."""

    module: str
    made: int
    noticed: int
    hung: int
    explained: int

    @property
    def left(self) -> int:
        """How many survived."""
        return self.made - self.noticed - self.explained


def in_all(rows: Sequence[Row]) -> Row:
    """The sum."""
    return Row("in all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True)))


def shown_rows() -> list[Row]:
    """The figures of modules that the page has."""
    found = re.findall(
        r"^\| (imgtrust/\S+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
    return [Row(module, *map(int, numbers)) for module, *numbers in found]


def write_explained() -> None:
    """Put the list of the explained into the page of the docs."""
    _fill(_LIST_BEGIN, _LIST_END, explained_list())


def shown_explained() -> str:
    """The list of the explained as the page has it."""
    return PAGE.read_text(encoding="utf-8").partition(f"{_LIST_BEGIN}\n")[2].partition(f"\n{_LIST_END}")[0]


def _fill(begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks of the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def explained_list() -> str:
    """The explained, one by one, for the page of the docs."""
    lines: list[str] = []
    module = ""
    for each, reason in sorted(equivalents().items()):
        if each.module != module:
            module = each.module
            lines += ["", f"### {module}", ""]
        which = "" if each.nth == 1 else f" (number {each.nth} of the line)"
        lines.append(f"- `{each.line}`: `{each.was}` becomes `{each.now}`{which}. {reason[0].upper()}{reason[1:]}.")
    return "\n".join(lines[1:])
