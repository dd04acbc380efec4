"""How many mutants there were and what became of them, as text and as a page of the docs; and those that are explained.

Knows outcomes; knows nothing of how they came about.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.mutants.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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

    def _rows(self) -> Iterator[tuple[str, int, int, int, int, int, float]]:
        """Name, mutants, noticed, of these by the clock, explained, survived, and the share noticed."""
        total: Counter[str] = Counter()
        for counts in self.by_module.values():
            total += counts
        for name, counts in [*sorted(self.by_module.items()), ("in all", total)]:
            made, noticed = counts.total(), counts["killed"] + counts["hung"]
            real = made - counts["explained"]
            share = 100 * noticed / real if real else 100.0
            yield name, made, noticed, counts["hung"], counts["explained"], real - noticed, share

    def text(self) -> str:
        """A table for the terminal."""
        lines = [
            f"\n{'module':44}{'mutants':>8}{'noticed':>9}{'hung':>6}{'explained':>11}{'survived':>10}{'noticed %':>11}"
        ]
        for name, made, noticed, hung, explained, left, share in self._rows():
            lines.append(f"{name:44}{made:>8}{noticed:>9}{hung:>6}{explained:>11}{left:>10}{share:>11.1f}")
        return "\n".join(lines)

    def write(self) -> None:
        """Put the table into the page of the docs."""
        rows = [
            f"| {name} | {made} | {noticed} | {hung} | {explained} | {left} |"
            for name, made, noticed, hung, explained, left, _ in self._rows()
        ]
        table = "\n".join(
            [
                f"Measured on {datetime.now(UTC):%Y-%m-%d}.",
                "",
                "| module | mutants | noticed | of these by the clock | explained | survived |",
                "|---|---|---|---|---|---|",
                *rows,
            ]
        )
        _fill(_BEGIN, _END, table)


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
