"""The architecture, checked over the syntax tree; each check first proves itself on a small bad sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from imgtrust.refusals import RefusalCode
from tests.architecture import conduct, directions
from tests.architecture.source import Source, package_sources, test_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Rule = Callable[[Sequence[Source]], list[str]]

RULES: Final[dict[str, tuple[Rule, Sequence[Source]]]] = {
    "the towers stand apart, and imports go downwards": (directions.towers, package_sources()),
    "third-party packages are imported by their owners": (directions.owners, package_sources()),
    "slow packages are imported where they are used": (directions.eager_imports, package_sources()),
    "no module imports itself in a circle": (directions.cycles, package_sources()),
    "the core reads no clock, environment, disk or network": (conduct.impure, package_sources()),
    "the core says that it is pure": (conduct.purity_said, package_sources()),
    "modules and functions stay small": (conduct.sizes, package_sources()),
    "no module is named for nothing": (conduct.names, (*package_sources(), *test_sources())),
    "proven values are made where they are proven": (conduct.makers, package_sources()),
    "a silenced check has its code and a reason": (conduct.reasons, (*package_sources(), *test_sources())),
    "tests use simulators, not patches": (conduct.patches, test_sources()),
    "tests do not sleep": (conduct.sleeps, test_sources()),
}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_house_keeps_the_rule(rule: str) -> None:
    check, sources = RULES[rule]
    complaints = check(sources)
    assert not complaints, "\n" + "\n".join(complaints)


def test_every_refusal_code_is_demanded_by_a_test() -> None:
    complaints = conduct.codes_demanded([(code.name, code.value) for code in RefusalCode], test_sources())
    assert not complaints, "\n" + "\n".join(complaints)


def test_the_sources_are_all_there() -> None:
    rooms = {source.room for source in package_sources()}
    assert rooms <= set(directions.MAY_IMPORT)
    assert {"trust", "stores", "errors", "cli"} <= rooms


def _source(name: str, text: str) -> Source:
    """A module that exists only here."""
    return Source(name, name.replace(".", "/") + ".py", text)


LONG: Final = "def f() -> None:\n" + "    x = 1\n" * 51
BAD: Final[list[tuple[Rule, str, str, str]]] = [
    (
        directions.towers,
        "imgtrust.stores.a",
        "from imgtrust.trust.keys import parse",
        "stores may not import imgtrust.trust",
    ),
    (directions.towers, "imgtrust.trust.a", "def f():\n    import imgtrust.stores.port", "trust may not import"),
    (directions.towers, "imgtrust.trust.a", "from imgtrust import stores", "trust may not import imgtrust.stores"),
    (directions.towers, "imgtrust.trust.a", "from ..stores import port", "trust may not import imgtrust.stores"),
    (directions.towers, "imgtrust.formats.a", "from imgtrust.rules import x", "formats may not import imgtrust.rules"),
    (directions.towers, "imgtrust.commands.a", "from imgtrust.cli import x", "commands may not import imgtrust.cli"),
    (directions.towers, "imgtrust.attic.a", "from imgtrust.errors import x", "attic may not import imgtrust.errors"),
    (
        directions.towers,
        "imgtrust.signers.a",
        "from imgtrust.stores import x",
        "signers may not import imgtrust.stores",
    ),
    (directions.owners, "imgtrust.trust.a", "import httpx", "imports httpx, which belongs to stores"),
    (directions.owners, "imgtrust.stores.a", "from oras import provider", "belongs to stores.orasadapter"),
    (directions.owners, "imgtrust.cli.a", "import requests", "belongs to nobody"),
    (directions.eager_imports, "imgtrust.stores.ecr", "import boto3", "when it is imported itself"),
    (directions.eager_imports, "imgtrust.cli.a", "from imgtrust.stores.orasadapter import x", "when it is imported"),
    (conduct.impure, "imgtrust.trust.a", "import os", "imports os"),
    (conduct.impure, "imgtrust.rules.a", "from datetime import datetime\nx = datetime.now()", "reads the clock"),
    (conduct.impure, "imgtrust.rules.a", "import datetime\nx = datetime.date.today()", "reads the clock"),
    (conduct.impure, "imgtrust.rules.a", "from time import time", "imports time"),
    (conduct.impure, "imgtrust.policy.a", "x = open('f')", "calls open()"),
    (conduct.impure, "imgtrust.policy.a", "from pathlib import Path", "imports pathlib.Path"),
    (conduct.impure, "imgtrust.policy.a", "import pathlib", "imports pathlib whole"),
    (conduct.impure, "imgtrust.policy.a", "def f(p):\n    return p.read_text()", "touches the disk"),
    (conduct.impure, "imgtrust.errors", "import socket", "imports socket"),
    (conduct.impure, "imgtrust.reports.a", "import urllib.request", "imports urllib.request"),
    (conduct.purity_said, "imgtrust.trust.a", '"""Keys."""', "does not say"),
    (conduct.sizes, "imgtrust.cli.a", "x = 1\n" * 301, "301 lines, more than 300"),
    (conduct.sizes, "imgtrust.cli.a", LONG, "f has 51 lines, more than 50"),
    (conduct.names, "imgtrust.stores.utils", "", "is named for nothing"),
    (conduct.names, "tests.helpers.a", "", "is named for nothing"),
    (conduct.makers, "imgtrust.rules.a", "t = VerifiedTime(1)", "makes a VerifiedTime"),
    (conduct.makers, "imgtrust.trust.times", "s = signatures.VerifiedSignature(1)", "makes a VerifiedSignature"),
    (conduct.reasons, "imgtrust.cli.a", "import os  # noqa", "without its code"),
    (conduct.reasons, "imgtrust.cli.a", "import os  # noqa: F401", "silences F401 without a reason"),
    (conduct.reasons, "imgtrust.cli.a", "x = 1  # type: ignore", "without its code"),
    (conduct.reasons, "imgtrust.cli.a", "x = 1  # type: ignore[misc]", "silences misc without a reason"),
    (conduct.reasons, "imgtrust.trust.a", "x = 1  # pragma: no cover", "hides a line"),
    (conduct.patches, "tests.a", "def test(monkeypatch): monkeypatch.setattr('a.b', 1)", "patches"),
    (conduct.sleeps, "tests.a", "import time\ntime.sleep(1)", "sleeps"),
]


@pytest.mark.parametrize(("rule", "name", "text", "complaint"), BAD, ids=[f"{b[1]}-{n}" for n, b in enumerate(BAD)])
def test_a_rule_finds_what_it_is_for(rule: Rule, name: str, text: str, complaint: str) -> None:
    found = rule([_source(name, text)])
    assert found
    assert complaint in found[0]


def test_the_rule_about_circles_finds_one_and_names_it() -> None:
    one = _source("imgtrust.trust.a", "from imgtrust.trust import b")
    two = _source("imgtrust.trust.b", "def f():\n    from imgtrust.trust.c import x")
    three = _source("imgtrust.trust.c", "import imgtrust.trust.a")
    circle = directions.cycles([one, two, three])
    assert circle == ["imgtrust.trust.a -> imgtrust.trust.b -> imgtrust.trust.c -> imgtrust.trust.a"]
    assert not directions.cycles([one, two])


def test_a_module_may_import_its_sibling_through_their_package() -> None:
    package = Source("imgtrust.trust", "imgtrust/trust/__init__.py", "from imgtrust.trust.a import x")
    one = _source("imgtrust.trust.a", "from imgtrust.trust import b")
    two = _source("imgtrust.trust.b", "")
    assert not directions.cycles([package, one, two])


def test_a_code_that_no_test_demands_is_found() -> None:
    tests = [_source("tests.a", "assert code == 'key.window' or RefusalCode.OTHER")]
    codes = [("WINDOW", "key.window"), ("OTHER", "o"), ("THIRD", "t")]
    assert conduct.codes_demanded(codes, tests) == ["no test demands THIRD (t)"]


def test_what_is_allowed_is_not_complained_about() -> None:
    good = [
        _source("imgtrust.stores.ecr", "from imgtrust.formats import x\ndef f():\n    import boto3"),
        _source("imgtrust.trust.times", '"""Times. Pure."""\nfrom pathlib import PurePosixPath\nt = VerifiedTime(1)'),
        _source("imgtrust.cli.a", "import os  # noqa: F401 - needed\nimport re  # noqa: F401\nopen('f')"),
    ]
    for rule, _ in RULES.values():
        assert not rule(good)
