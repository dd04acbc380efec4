"""The pages hold together: blocks come from tested files, links lead somewhere, the reference is what --help says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.clireference import PAGE, reference
from tests.docs.examples import DOCS, EXAMPLES, ROOT, sections
from tests.docs.pages import blocks, pages

if TYPE_CHECKING:
    from pathlib import Path

_CODE = frozenset({"sh", "bash", "console", "python", "toml"})
_OTHERS = frozenset({"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"})
"""Pages about the work on imgtrust: their commands are make's."""
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_ADRS = sorted((DOCS / "adr").glob("*.md"))


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_a_block_that_is_marked_is_its_source_word_for_word(page: Path) -> None:
    for block in blocks(page):
        if block.kind == "example":
            found = {section.name: section.text for section in sections(EXAMPLES / block.file)}
            assert block.text.strip() == found[block.section], f"{block.file} [{block.section}]"
        elif block.kind == "output":
            assert block.section in {section.name for section in sections(EXAMPLES / block.file)}


@pytest.mark.parametrize("page", [page for page in pages() if page.name not in _OTHERS], ids=_name)
def test_every_block_of_code_comes_from_a_file_that_is_tested(page: Path) -> None:
    if "reference" in page.parts and page.name in {"policy.md", "report.md", "benchmarks.md", "dependencies.md"}:
        pytest.skip("examples of this page are tested beside what it describes")
    loose = [block.text for block in blocks(page) if block.language in _CODE and block.kind != "example"]
    made = {"make demo\nmake test\n"}
    assert not [text for text in loose if text not in made and not text.startswith(("git clone", "python3 -m venv"))]


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for match in _LINK.finditer(_prose(page)):
        target, _, anchor = match["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{_name(page)} -> {match['target']}"
        if anchor and file.suffix == ".md":
            headings = {_anchor(m["text"]) for m in _HEADING.finditer(file.read_text(encoding="utf-8"))}
            assert anchor in headings, f"{_name(page)} -> {match['target']}"


def _anchor(heading: str) -> str:
    """The anchor that a heading gets on the usual hosts."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_reference_of_commands_is_what_help_prints() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "python -m tests.docs.update"


@pytest.mark.parametrize("adr", _ADRS, ids=_name)
def test_a_decision_is_short_and_keeps_what_was_rejected(adr: Path) -> None:
    text = adr.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert re.match(r"# \d+\. ", text)
    for heading in ("## The question", "## The decision", "## What follows", "## Rejected"):
        assert f"\n{heading}\n" in text


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    assert [adr.name[:4] for adr in _ADRS] == [f"{n:04}" for n in range(1, len(_ADRS) + 1)]
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert all(f"adr/{adr.name}" in index for adr in _ADRS)


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    missing = [
        str(page.relative_to(DOCS))
        for page in DOCS.rglob("*.md")
        if page.name != "README.md" and str(page.relative_to(DOCS)) not in index
    ]
    assert not missing


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_a_page_names_no_machine_of_ours(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w/])/(?:root|work|home)/\w", text)
