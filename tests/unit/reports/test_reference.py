"""The reference pages say what the code does: their tables are made from it, and their examples are run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from imgtrust.policy.document import read_policy
from imgtrust.policy.lint import lint
from imgtrust.policy.scopes import find_scope
from imgtrust.reference import Reference
from imgtrust.refusals import RefusalCode
from imgtrust.reports.reference import MEANINGS, policy_words, refusal_codes
from tests.unit.reports.test_data import GOOD, IMAGE_KEYS, REPORT_KEYS, RULE_KEYS, document

PAGES: Final = Path(__file__).parents[3] / "docs" / "reference"


def page(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def made(name: str, part: str) -> str:
    """A part of a page between its marks."""
    found = re.search(rf"<!-- {part} -->\n\n(.*?)\n\n<!-- end of {part} -->", page(name), re.DOTALL)
    assert found is not None, part
    return found[1]


def test_every_refusal_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(RefusalCode)


def test_the_page_of_the_policy_has_the_words_of_the_reader() -> None:
    assert made("policy.md", "words") == policy_words()


def test_the_page_of_the_report_has_every_code() -> None:
    assert made("report.md", "codes") == refusal_codes()


def test_the_policies_on_the_page_are_policies() -> None:
    texts = re.findall(r"```toml\n(.*?)```", page("policy.md"), re.DOTALL)
    assert texts
    policy = read_policy(texts[0].encode(), "gate.toml")
    assert not lint(policy)


WINNERS = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", page("policy.md"), re.MULTILINE)


@pytest.mark.parametrize(("name", "pattern"), WINNERS)
def test_the_patterns_on_the_page_win_where_it_says_so(name: str, pattern: str) -> None:
    everything = sorted({winner for _, winner in WINNERS})
    scopes = "".join(f'[[scopes]]\nimages = ["{one}"]\nsignatures = {{ any_of = ["k"] }}\n' for one in everything)
    policy = read_policy(f'version = 1\n[signers.k]\nkey = "k.pub"\n{scopes}'.encode(), "gate.toml")
    scope = find_scope(policy, Reference.parse(name, bare=True).repository)
    assert scope is not None
    assert scope.name == pattern


def test_the_document_on_the_page_has_the_shape_of_a_real_one() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", page("report.md"), re.DOTALL)
    shown, real = json.loads(text), document(GOOD)

    def shape(value: Any) -> Any:
        match value:
            case dict():
                return {name: shape(item) for name, item in value.items()}
            case [first, *_]:
                return [shape(first)]
            case _:
                return None

    assert list(shown) == REPORT_KEYS
    assert list(shown["images"][0]) == [*IMAGE_KEYS, "tags"]
    assert list(shown["images"][0]["rules"][0]) == RULE_KEYS
    assert shape(shown) == shape(real)
