"""The tree of errors is the one that the module draws, with the exit status that CLI.md section 2 gives."""

from __future__ import annotations

import inspect
import re

import pytest

from imgtrust import errors
from imgtrust.refusals import RefusalCode

# Indentation, name and exit status of each line of the drawing.
SOURCE = inspect.getsource(errors)
DRAWN = re.findall(r"^ {4}([| `-]*)([A-Z]\w+)(?: +([0-9])(?= ))?", SOURCE[: SOURCE.index('"""', 3)], re.MULTILINE)
CLASSES = {
    name: item
    for name, item in vars(errors).items()
    if inspect.isclass(item) and issubclass(item, errors.ImgtrustError)
}


def drawn_parents() -> dict[str, str]:
    """The parent of each class, by the depth at which it is drawn."""
    path: list[str] = []
    found: dict[str, str] = {}
    for indent, name, _ in DRAWN:
        depth = len(indent) // 4
        path = [*path[:depth], name]
        if depth:
            found[name] = path[depth - 1]
    return found


def test_the_tree_is_drawn_as_it_is() -> None:
    parents = {name: item.__bases__[0].__name__ for name, item in CLASSES.items() if item is not errors.ImgtrustError}
    assert drawn_parents() == parents


def test_the_exit_status_is_the_one_drawn() -> None:
    for _, name, status in DRAWN:
        if status:
            assert CLASSES[name].exit_status == int(status), name
    for name, item in CLASSES.items():
        (parent,) = item.__bases__
        if item is not errors.ImgtrustError and parent is not errors.ImgtrustError:
            assert item.exit_status == CLASSES[parent.__name__].exit_status, name


def test_every_error_is_exported_and_documented() -> None:
    assert sorted(errors.__all__) == sorted(CLASSES)
    assert all(item.__doc__ for item in CLASSES.values())


def test_an_error_of_nobody_is_never_a_no() -> None:
    assert errors.ImgtrustError.exit_status == 3


def test_errors_carry_what_they_are_about() -> None:
    assert errors.PolicyError("bad", line=3).line == 3
    assert errors.PolicyError("bad").line is None
    refused = errors.Refused(RefusalCode.TIME_IMPRINT, "why")
    assert (refused.code, refused.reason, str(refused)) == (RefusalCode.TIME_IMPRINT, "why", "why")
    verdict = object()
    rejected = errors.Rejected(verdict, "no")
    assert rejected.verdict is verdict
    assert str(rejected) == "no"


@pytest.mark.parametrize("name", ["StoreError", "TimestampError", "LimitExceeded", "TimedOut"])
def test_could_not_tell_is_a_status_of_its_own(name: str) -> None:
    assert issubclass(CLASSES[name], errors.Undecided)
    assert not issubclass(CLASSES[name], errors.IntegrityError)


def test_the_codes_of_refusals_are_distinct_and_have_a_form() -> None:
    values = [code.value for code in RefusalCode]
    assert len(set(values)) == len(RefusalCode.__members__)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", value) for value in values)
