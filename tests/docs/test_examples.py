"""Every example of the documents runs, and prints what the documents say it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.examples import EXAMPLES, Section, normal, sections, world
from tests.docs.pages import blocks, pages

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = sorted(file.name for file in EXAMPLES.glob("*.sh"))
PREPARED = {
    "library.py": "verify.sh",
    "library-sign.py": "sign.sh",
    "library-keyless.py": "promote.sh",
}
"""Which script's first section makes what a Python example needs."""


def _shown(kind: str) -> dict[tuple[str, str], list[str]]:
    """The marked blocks of all pages."""
    found: dict[tuple[str, str], list[str]] = {}
    for page in pages():
        for block in blocks(page):
            if block.kind == kind:
                found.setdefault((block.file, block.section), []).append(block.text)
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_sections_of_a_script_run_in_their_order_and_print_what_the_pages_show(name: str, tmp_path: Path) -> None:
    outputs = _shown("output")
    with world(tmp_path) as here:
        for section in sections(EXAMPLES / name):
            printed = here.run(section)
            for shown in outputs.get((name, section.name), []):
                assert normal(printed) == normal(shown), f"{name} [{section.name}]: python -m tests.docs.update"


@pytest.mark.parametrize("name", sorted(PREPARED))
def test_a_python_example_runs(name: str, tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.run(sections(EXAMPLES / PREPARED[name])[0])
        printed = here.run(Section("python", f'python "$EXAMPLES/{name}"'))
    assert printed.strip()


def test_every_python_example_is_run() -> None:
    assert {file.name for file in EXAMPLES.glob("*.py")} == set(PREPARED)


def test_every_section_that_is_not_hidden_is_shown_somewhere() -> None:
    shown = _shown("example")
    missing = [
        f"{file.name} [{section.name}]"
        for file in sorted(EXAMPLES.iterdir())
        for section in sections(file)
        if not section.hidden and (file.name, section.name) not in shown
    ]
    assert not missing
