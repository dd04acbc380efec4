"""The demo tells the whole story with real commands, wherever it is run and however often."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from imgtrust.cli.console import Console
from imgtrust.cli.demo import Story
from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.errors import Undecided

if TYPE_CHECKING:
    from pathlib import Path


def _demo(folder: Path, *arguments: str, status: int = 0, **environment: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder):
        ended = run(("demo", *arguments), Session({"LANG": "C.UTF-8", **environment}, stdout=out, stderr=err))
    assert ended == status, out.getvalue() + err.getvalue()
    return out.getvalue() + err.getvalue()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where the demo was run, and what it told."""
    where = tmp_path_factory.mktemp("demo")
    return where, _demo(where)


def test_the_story_is_told_whole_and_every_attack_is_refused_with_reason_and_way_out(first: tuple[Path, str]) -> None:
    _, told = first
    for act in (
        "A release is built and signed",
        "Its papers are attached",
        "May it go to production?",
        "It goes to production",
        "Four attacks, refused",
        "Your turn",
    ):
        assert act in told
    assert told.count("\nREJECTED  ") == 4
    assert told.count("\nACCEPTED  ") == 1
    for reason in (
        "the bytes that came are",
        "[statement.wrong_subject]",
        "200 days, at most 90 days",
        "nothing that is",
    ):
        assert reason in told
    assert "nothing was written to oci:production" in told
    assert "Traceback" not in told
    assert told.count("      fix   ") >= 4


def test_what_it_leaves_can_be_played_with(first: tuple[Path, str]) -> None:
    folder = first[0] / "imgtrust-demo"
    made = {path.name for path in folder.iterdir()}
    assert {"build", "production", "attacks", "keys", "gate.toml", "tsa.pem", "shop.cdx.json"} <= made
    with contextlib.chdir(folder):
        for arguments, status in (
            (("verify", "--policy", "gate.toml", "oci:production:1.4.2"), 0),
            (("verify", "--policy", "gate.toml", "--at", "2050-01-01T00:00:00Z", "oci:production:1.4.2"), 1),
            (("audit", "--policy", "gate.toml", "oci:build"), 1),
            (("policy", "explain", "--policy", "gate.toml", "oci:production:1.4.2"), 0),
        ):
            silent = io.StringIO()
            assert run(arguments, Session({}, stdout=silent, stderr=silent)) == status, silent.getvalue()


def test_a_second_run_takes_a_new_folder_whatever_the_caller_has_set_up(first: tuple[Path, str]) -> None:
    mine = first[0] / "imgtrust-demo" / "mine.txt"
    mine.write_text("do not touch")
    told = _demo(
        first[0],
        IMGTRUST_POLICY="/nowhere/policy.toml",
        IMGTRUST_TSA="https://tsa.example.com",
        IMGTRUST_PASSPHRASE="another",
        COSIGN_PASSWORD="another",
        HTTPS_PROXY="http://127.0.0.1:9",
        HTTP_PROXY="http://127.0.0.1:9",
    )
    assert "Everything is in imgtrust-demo-2" in told
    assert mine.read_text() == "do not touch"
    assert sorted(path.name for path in first[0].iterdir()) == ["imgtrust-demo", "imgtrust-demo-2"]


def test_an_empty_folder_is_used_and_a_plain_terminal_gets_ascii(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told = _demo(tmp_path, "empty", LANG="C")
    assert "Everything is in empty:" in told
    assert "--- 1. A release is built" in told
    assert "✓" not in told


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot make the folder" in _demo(tmp_path, "file/below", status=2)


def test_a_step_that_does_not_end_as_told_ends_the_demo(tmp_path: Path) -> None:
    out = io.StringIO()
    session = Session({}, stdout=out, stderr=out)
    story = Story(session, Console(out, out, {}))
    with contextlib.chdir(tmp_path), pytest.raises(Undecided, match="expected exit status 0 and got 2"):
        story.run("verify", "oci:build:1")
    with contextlib.chdir(tmp_path), pytest.raises(Undecided, match=r"got 2\. .*nothing says whom to trust"):
        story.run("verify", "oci:build:1", quiet=True)


def test_the_process_needs_nothing_and_says_nothing_on_stderr(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imgtrust", "demo"],
        cwd=tmp_path,
        env={"PATH": "", "LANG": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Your turn" in done.stdout
