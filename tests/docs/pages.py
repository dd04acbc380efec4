"""The pages of the documents: their blocks, and where each block comes from.

A fenced block of commands, Python or TOML stands below a line ``<!-- example: FILE SECTION -->``; a block of text
below ``<!-- output: FILE SECTION -->`` is what that section prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.docs.examples import DOCS, ROOT, normal

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Block", "blocks", "pages", "refill"]

_BLOCK: Final = re.compile(
    r"(?:^<!-- (?P<kind>example|output): (?P<file>\S+) (?P<section>\S+) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block; ``kind`` is empty where it has no mark."""

    page: Path
    kind: str
    file: str
    section: str
    language: str
    text: str


def pages() -> tuple[Path, ...]:
    """Every page that people read, the generated and the historical ones included."""
    return (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))


def blocks(page: Path) -> tuple[Block, ...]:
    """The fenced blocks of a page."""
    return tuple(
        Block(page, m["kind"] or "", m["file"] or "", m["section"] or "", m["language"], m["text"])
        for m in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    )


def refill(page: Path, contents: dict[tuple[str, str, str], str]) -> None:
    """Write a page anew with the marked blocks filled from their sources; an output that says the same stays."""

    def fill(match: re.Match[str]) -> str:
        key = (match["kind"] or "", match["file"] or "", match["section"] or "")
        if key not in contents:
            return match[0]
        if key[0] == "output" and normal(match["text"]) == normal(contents[key]):
            return match[0]
        head = f"<!-- {key[0]}: {key[1]} {key[2]} -->\n"
        return f"{head}```{match['language']}\n{contents[key].strip()}\n```"

    text = page.read_text(encoding="utf-8")
    page.write_text(_BLOCK.sub(fill, text), encoding="utf-8")
