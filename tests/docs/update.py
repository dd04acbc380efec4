"""``python -m tests.docs.update`` fills the pages from the examples, what they print, and ``--help``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.docs.clireference import PAGE, reference
from tests.docs.examples import EXAMPLES, sections, world
from tests.docs.pages import pages, refill
from tests.mutants.figures import write_explained


def main() -> None:
    """Run every example and write what came of it into the pages."""
    contents: dict[tuple[str, str, str], str] = {}
    for file in sorted(EXAMPLES.iterdir()):
        with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as here:
            for section in sections(file):
                contents["example", file.name, section.name] = section.text
                if file.suffix == ".sh":
                    contents["output", file.name, section.name] = here.run(section)
    for page in pages():
        refill(page, contents)
    PAGE.write_text(reference(), encoding="utf-8")
    write_explained()


if __name__ == "__main__":
    main()
