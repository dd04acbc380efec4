"""Options that cannot be: who types one is told why and what to do instead, and never that it comes later."""

from __future__ import annotations

import io

import pytest

from imgtrust.cli import cannot, later
from imgtrust.cli.main import run
from imgtrust.cli.session import Session

COMMANDS = {
    "attest": ("attest", "--type", "https://acme.test/v1", "--predicate", "p.json", "oci:x:1"),
    "sbom attach": ("sbom", "attach", "--file", "s.json", "oci:x:1"),
    "promote": ("promote", "oci:x:1", "oci:y"),
}
CASES = [
    (command, option)
    for command in COMMANDS
    for option in (
        ("--record-notary-key", "--record-notary-chain", "--record-signer-profile")
        if command == "promote"
        else ("--notary-key", "--notary-chain", "--signer-profile")
    )
]


def said(*arguments: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    status = run(arguments, Session({}, stdin=io.StringIO(), stdout=out, stderr=err))
    assert (status, out.getvalue()) == (2, "")
    return " ".join(err.getvalue().split())


@pytest.mark.parametrize(("command", "option"), CASES)
def test_no_statement_can_be_put_into_an_envelope_of_notary(command: str, option: str) -> None:
    text = said(*COMMANDS[command], option, "x")
    assert f"{option} cannot be: an envelope of the Notary Project" in text
    assert "signs the descriptor of an image" in text
    assert ("--record-key or --record-keyless" if command == "promote" else "--key or --keyless") in text
    assert "not in this version" not in text


@pytest.mark.parametrize("command", ["attest", "sbom attach"])
def test_neither_does_the_format_of_notary_hold_a_statement(command: str, tmp_path: object) -> None:
    text = said(*COMMANDS[command], "--format", "notary", "--key", f"{tmp_path}/none")
    assert "--format notary" in text
    assert "has no place for a statement" in text


def test_what_cannot_be_does_not_also_come_later() -> None:
    for name in cannot.OPTIONS:
        command, _, option = name.rpartition(" ")
        assert name not in later.OPTIONS
        assert cannot.impossible_option(option, command) is not None
    assert cannot.impossible_option("--notary-key", "sign") is None
    assert cannot.impossible_option("--key", "attest") is None
