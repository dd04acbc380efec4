"""Errors become exit statuses, and nothing is a traceback."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from imgtrust import __version__, errors
from imgtrust.cli import later
from imgtrust.cli.app import COMMANDS
from imgtrust.cli.interrupts import Expired
from imgtrust.cli.main import _ended, run
from imgtrust.cli.names import read_names
from imgtrust.cli.session import Session


def _run(*arguments: str, stdin: str = "", **environment: str) -> tuple[int, str, str]:
    session = Session(environment, stdin=io.StringIO(stdin), stdout=io.StringIO(), stderr=io.StringIO())
    status = run(arguments, session)
    assert isinstance(session.stdout, io.StringIO)
    assert isinstance(session.stderr, io.StringIO)
    return status, session.stdout.getvalue(), session.stderr.getvalue()


@pytest.mark.parametrize("name", sorted(errors.__all__))
def test_every_error_ends_with_the_status_of_its_class_and_never_with_0(name: str) -> None:
    cls: type[errors.ImgtrustError] = getattr(errors, name)
    exc = cls.__new__(cls)
    Exception.__init__(exc, "what happened")
    status, text = _ended(exc)
    assert status in {1, 2, 3}
    assert status == (2 if cls is errors.NotFound else cls.exit_status)
    assert text == "what happened"


def test_an_error_that_nobody_foresaw_is_never_accepted_and_says_how_to_report_it() -> None:
    def fail() -> None:
        message = "odd"
        raise ZeroDivisionError(message)

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    status, text = _ended(caught.value)
    assert status == 3
    assert "ZeroDivisionError: odd at test_main.py:" in text
    assert "report it" in text
    assert "\n" not in text


def test_interruption_time_and_depth_have_their_words_and_statuses() -> None:
    assert _ended(KeyboardInterrupt())[0] == 130
    assert _ended(RecursionError())[0] == 3
    status, text = _ended(Expired(2.5))
    assert status == 3
    assert "2.5 seconds of --timeout" in text


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version")[0] == 0
    assert capsys.readouterr().out == f"imgtrust {__version__}\n"


def test_nothing_typed_shows_the_help_and_is_wrong_usage() -> None:
    status, out, err = _run()
    assert (status, out) == (2, "")
    assert "Commands:" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["veryfy"], "there is no command 'veryfy'; did you mean 'verify'? Help: imgtrust --help"),
        (["frobnicate"], "there is no command 'frobnicate'. Help"),
        (["doctor", "x"], "doctor is not in this version; it comes with checking an ECR set-up"),
        (["--nonsense"], "No such option: --nonsense"),
        (["-o", "json", "verify"], "-o belongs after the command, as in: imgtrust verify -o"),
        (["verify", "--cache"], "--cache is not in this version; it comes with the audit"),
        (["verify", "--keey", "x"], "No such option: --keey (Possible options: --key)"),
        (["verify", "--jobs", "many", "x"], "Invalid value for '--jobs': 'many' is not a whole number"),
        (["verify", "--key"], "requires an argument"),
        (["verify", "oci:x:1", "-o", "sarif"], "--output sarif is not in this version"),
        (["verify", "oci:x:1", "--report", "json"], "expected FORMAT=FILE"),
        (["verify", "oci:x:1", "--timeout", "-1"], "--timeout -1: expected seconds, more than 0"),
        (["verify", "oci:x:1"], "nothing says whom to trust"),
        (["verify", "--policy", "p", "--key", "k", "oci:x:1"], "--policy and --key exclude each other"),
        (["verify", "--policy", "does-not-exist.toml", "oci:x:1"], "cannot read the policy does-not-exist.toml"),
        (["verify", "--key", "does-not-exist.pub", "oci:x:1"], "does-not-exist.pub"),
        (["verify", "--key", "k"], "no image was named"),
        (["verify", "--key", "k", "-"], "an empty list is never accepted"),
        (["verify", "--key", "k", "-", "-"], "- was given twice"),
    ],
)
def test_wrong_usage_is_2_with_one_paragraph_and_no_answer(arguments: list[str], said: str) -> None:
    status, out, err = _run(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("imgtrust: ")
    assert err.count("\n") == 1


def test_names_come_in_their_order_and_from_standard_input_where_the_dash_stands() -> None:
    stdin = io.StringIO("b\n\n  c  \n")
    assert read_names(["a", "-", "d"], stdin) == ["a", "b", "c", "d"]


def test_standard_input_that_is_no_text_is_an_input_error() -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8")
    with pytest.raises(errors.InputFileError, match="standard input"):
        read_names(["-"], stdin)
    stdin.close()


def test_no_name_is_both_there_and_promised_for_later() -> None:
    assert not set(COMMANDS) & set(later.COMMANDS)
    assert later.later_option("--signer-profile", "sign") == later.OPTIONS["--signer-profile"]
    assert later.later_option("--key") is None


def test_the_help_of_the_process_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['imgtrust', '--help']; from imgtrust.cli.main import main; status = main();"
        "heavy = {'rich', 'httpx', 'urllib3', 'cryptography', 'boto3', 'sigstore', 'oras', 'pydantic', 'logging',"
        " 'importlib.metadata', 'msgspec', 'asyncio'} & set(sys.modules); sys.exit(1 if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Exit status:" in done.stdout
