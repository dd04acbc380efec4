"""What a mutant is: one change, in the right places, that compiles; and the module is whole again afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mutants.figures import Figures, equivalents, explained_list, key, shown_explained
from tests.mutants.mutations import mutants
from tests.mutants.running import ROOT, Outcome


def _kinds(source: str) -> list[tuple[str, str, str]]:
    """Kind and difference of every mutant."""
    return [(mutant.kind, mutant.was, mutant.now) for mutant in mutants(source, "sample.py")]


@pytest.mark.parametrize(
    ("source", "kind", "was", "now"),
    [
        (
            "def f(x):\n    if x > 1:\n        raise ValueError(x)",
            "check dropped",
            "if x > 1: raise ValueError(x)",
            "pass",
        ),
        ("def f(x):\n    check(x)", "call dropped", "check(x)", "pass"),
        ("y = not x", "not removed", "not x", "x"),
        ("y = a and b", "and/or", "a and b", "a or b"),
        ("y = a and b", "condition dropped", "a and b", "b"),
        ("y = a or b or c", "condition dropped", "a or b or c", "a or c"),
        ("y = a < b", "comparison", "Lt", "LtE"),
        ("y = a in b", "comparison", "In", "NotIn"),
        ("y = a + b", "arithmetic", "a + b", "a - b"),
        ("LIMIT = 100", "constant", "100", "101"),
        ("y = a > 7", "constant", "7", "6"),
        ("y = True", "constant", "True", "False"),
        ("def f():\n    return g()", "returned", "return g()", "return None"),
        ("y = 1 if x else 2", "condition negated", "x", "not x"),
        ("y = [a for a in b if a.good]", "condition negated", "a.good", "not a.good"),
    ],
)
def test_a_change_is_made(source: str, kind: str, was: str, now: str) -> None:
    assert (kind, was, now) in _kinds(source)


@pytest.mark.parametrize(
    "source",
    [
        "from a import b",
        '"""Text."""',
        "if TYPE_CHECKING:\n    from a import b",
        "__all__ = ['a']",
        "def f():\n    message = g(1) + 'text'",
        "def f(x: Literal[1]) -> Literal[2]: ...",
        "y = f'{x:3d}'",
        "y = field(repr=False)",
    ],
)
def test_what_no_test_has_to_notice_is_left_alone(source: str) -> None:
    assert not _kinds(source)


def test_each_mutant_has_one_change_only() -> None:
    source = "def f(a, b):\n    return a < b and not a\n"
    results = []
    for mutant in mutants(source, "sample.py"):
        names: dict[str, object] = {}
        exec(mutant.code, names)  # noqa: S102 - code that this test made
        function = names["f"]
        assert callable(function)
        results.append(tuple(bool(function(a, b)) for a, b in ((0, 0), (0, 1), (1, 0), (1, 2))))
    whole = (False, True, False, False)
    assert whole not in results
    assert len(results) == 5


def test_an_explanation_is_of_one_line_and_one_change() -> None:
    first, second = list(mutants("LIMIT = 100\nOTHER = 100\n", "sample.py"))
    assert (first.was, first.now) == (second.was, second.now)
    explained = {key(first): "a reason"}
    assert not Figures.of([Outcome(first, "survived"), Outcome(second, "survived")], explained).complete
    assert Figures.of([Outcome(first, "survived"), Outcome(second, "killed")], explained).complete
    assert not Figures.of([Outcome(first, "uncovered")], {}).complete
    assert not Figures.of([Outcome(first, "not run")], {}).complete
    assert Figures.of([Outcome(first, "hung")], {}).complete
    zeros = [key(mutant).nth for mutant in mutants("ORIGIN = (0, 0)\n", "sample.py")]
    assert zeros == [1, 2]


def test_the_page_lists_every_explanation() -> None:
    assert shown_explained() == explained_list(), "python -m tests.docs.update"
    assert all(len(reason) > len("it is the same") for reason in equivalents().values())


@pytest.mark.slow
def test_the_checks_of_a_module_are_all_noticed_when_they_go() -> None:
    command = [sys.executable, "-m", "tests.mutants", "--no-page", "imgtrust/formats/dsse.py"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=500)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "100.0" in done.stdout.splitlines()[-1]
