"""The command line is what its document promises: nothing is missing silently, nothing is named otherwise.

The document is ``CLI.md`` in the folder that IMGTRUST_SHARED names, else in ``../shared``.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from imgtrust.cli import cannot, later
from imgtrust.cli.app import COMMANDS, root_command
from tests.unit.reports import test_data

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTION: Final = re.compile(r"--[a-z][a-z0-9-]*[a-z0-9]")
_COMMON: Final = {"--output", "--report", "--quiet", "--verbose", "--timeout"}
_REACH: Final = {"--jobs", "--plain-http", "--ca-file", "--client-cert", "--client-key"}
_TRUST: Final = {"--policy", "--print-policy", "--at"}
_WITHOUT_REPORTS: Final = {"demo"}
_WITHOUT_STORES: Final = {"keys generate", "keys public", "keys show", "keys import", "trust show", "demo"} | {
    f"policy {name}" for name in ("init", "check", "explain", "schema", "import notation")
}


def _document() -> str:
    shared = Path(os.environ.get("IMGTRUST_SHARED") or Path(__file__).resolve().parents[4] / "shared")
    file = shared / "CLI.md"
    if not file.is_file():
        pytest.skip(f"the document of the surface is not here ({file.name} in IMGTRUST_SHARED or ../shared)")
    return file.read_text(encoding="utf-8")


def _section(number: int) -> str:
    return re.split(r"^## \d+\. ", _document(), flags=re.MULTILINE)[number]


def _commands() -> dict[str, Any]:
    """Every command that exists, by its full name."""
    root = root_command()
    context = root.make_context("imgtrust", ["verify"], resilient_parsing=True)
    return dict(each for name in COMMANDS for each in _below(name, root.get_command(context, name)))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, or all that are below a group."""
    members = getattr(command, "commands", None)
    if members is None:
        yield name, command
    else:
        for member, each in members.items():
            yield from _below(f"{name} {member}", each)


def _options(command: Any) -> set[str]:
    return {option for param in command.params for option in (*param.opts, *param.secondary_opts)}


def _rows() -> Iterator[tuple[list[str], str]]:
    """The rows of the table of commands: the names of the commands, and the column of their options."""
    for line in _section(4).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 3 or not cells[0].startswith("`"):
            continue
        yield list(_names(cells[0])), cells[2]


def _names(cell: str) -> Iterator[str]:
    """``policy init`` · ``check`` are two commands of one group."""
    group = ""
    for text in re.findall(r"`([^`]+)`", cell):
        words = [word for word in text.split() if re.fullmatch(r"[a-z]+", word)]
        if len(words) == 2:
            group = words[0]
        elif words[0] not in COMMANDS and group:
            words = [group, words[0]]
        yield " ".join(words)


def test_every_command_of_the_document_exists_or_comes_later_with_its_reason() -> None:
    there = _commands()
    promised = [name for names, _ in _rows() for name in names]
    assert len(promised) > 20
    missing = [name for name in promised if name not in there and name not in later.COMMANDS]
    assert not missing
    assert not [name for name in later.COMMANDS if name in there]


def test_every_option_of_a_command_exists_or_comes_later_with_its_reason() -> None:
    there = _commands()
    missing = [
        f"{'/'.join(names)} {option}"
        for names, cell in _rows()
        for option in sorted(set(_OPTION.findall(cell.replace("with `record-`", ""))))
        if not later.later_option(option) and not any(option in _options(there[n]) for n in names if n in there)
    ]
    assert not missing


def test_nothing_that_exists_is_also_said_to_come_later() -> None:
    existing = {option for command in _commands().values() for option in _options(command)}
    assert not set(later.OPTIONS) - {"--to"} & existing


def test_nothing_that_exists_is_also_said_to_be_impossible() -> None:
    for name, command in _commands().items():
        assert not [option for option in _options(command) if cannot.impossible_option(option, name)], name


def _signer_options() -> set[str]:
    """The options that say who signs: the first part of the row of ``sign``, up to its format."""
    (cell,) = (cell for names, cell in _rows() if names == ["sign"])
    return set(_OPTION.findall(cell.partition("`--format")[0]))


@pytest.mark.parametrize(("name", "prefix"), [("attest", "--"), ("sbom attach", "--"), ("promote", "--record-")])
def test_every_option_that_says_who_signs_exists_wherever_something_is_signed(name: str, prefix: str) -> None:
    promised = {option.replace("--", prefix, 1) for option in _signer_options()}
    assert len(promised) > 9
    here = _options(_commands()[name])
    missing = [each for each in promised - here if not cannot.impossible_option(each, name)]
    assert not [each for each in missing if not later.later_option(each, name)]


def test_every_trust_option_of_the_document_exists_or_comes_later() -> None:
    rows = re.findall(r"^\| (`--[^|]*(?:\\\|[^|]*)*) \|", _section(3), flags=re.MULTILINE)
    promised = {option for row in rows for option in _OPTION.findall(row)}
    assert len(promised) > 15
    for name in ("verify", "promote", "audit", "inspect"):
        here = _options(_commands()[name])
        assert not {option for option in promised if option not in here and not later.later_option(option, name)}, name


@pytest.mark.parametrize("name", sorted(_commands()))
def test_every_command_has_the_common_options(name: str) -> None:
    options = _options(_commands()[name])
    assert name in _WITHOUT_REPORTS or options >= _COMMON
    assert name in _WITHOUT_STORES or options >= _REACH
    assert name not in {"verify", "promote", "audit", "inspect"} or options >= _TRUST


@pytest.mark.parametrize("name", sorted(_commands()))
def test_every_option_and_argument_is_explained(name: str) -> None:
    command = _commands()[name]
    assert "Examples:" in (command.help or "")
    assert not [param.name for param in command.params if not param.help]


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    root = root_command()
    context = root.make_context("imgtrust", ["verify"], resilient_parsing=True)
    for name, row in COMMANDS.items():
        first = (root.get_command(context, name).help or "").strip().splitlines()[0]
        assert first == row.summary, name


def test_the_statuses_and_formats_of_the_document_are_those_of_the_help() -> None:
    statuses = set(re.findall(r"(?:^|· )(\d+) ", _section(2).split("\n", 1)[1], flags=re.MULTILINE))
    epilog = root_command().epilog
    assert statuses == {"0", "1", "2", "3", "130"}
    assert all(f"\n  {status} " in epilog for status in statuses)
    (formats,) = re.findall(r"--output ([a-z|]+)`", _section(3))
    assert set(formats.split("|")) == {"text", "json", "jsonl", "markdown", *later.FORMATS}


def test_the_keys_of_the_report_are_those_of_the_document_in_its_order() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", _section(5), flags=re.DOTALL)
    told = json.loads(example)
    image = told["images"][0]
    assert list(told) == test_data.REPORT_KEYS
    assert list(image) == test_data.IMAGE_KEYS
    assert list(image["published"]) == ["earliest", "latest", "source"]
    assert list(image["rules"][0]) == test_data.RULE_KEYS
    signature = image["signatures"][0]
    assert list(signature) == test_data.SIGNATURE_KEYS[: len(signature)]
    assert list(signature["times"][0]) == ["time", "class", "source", "authority"]
    assert list(image["refused"][0]) == ["format", "evidence", "code", "reason"]
