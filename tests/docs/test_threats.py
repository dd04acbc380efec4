"""The threat model names a test for each check, and each of those tests is there."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs.examples import DOCS, ROOT

PAGE: Final = (DOCS / "threat-model.md").read_text(encoding="utf-8")
NAMED: Final = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
THERE: Final = frozenset(
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^\s*def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_threat_model_names_exists(name: str) -> None:
    assert name in THERE


def test_every_row_of_an_attack_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    attacks = [line for line in rows if not line.startswith(("| attack", "| **"))]
    assert len(attacks) > 30
    assert not [line for line in attacks if "`test_" not in line]


def test_every_published_attack_of_the_plan_has_a_test_of_its_number() -> None:
    for number in ("2022_35929", "2022_35930", "2022_47633", "2025_25204", "2026_22703"):
        assert any(name.startswith(f"test_cve_{number}_") for name in THERE), number
