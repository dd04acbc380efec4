"""The process itself: signals, time-outs, pipes, full disks, and what it loads."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.commands.demoimage import build_image
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.registry import RegistrySimulator

if TYPE_CHECKING:
    from collections.abc import Iterator

_PYTHON = (sys.executable, "-m", "imgtrust")
_HTML = Reply(200, (("Content-Type", "text/html"),), b"<html>welcome</html>")


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "IMGTRUST_PASSPHRASE": "pw", **more}


def _start(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_PYTHON, *arguments],
        cwd=folder,
        env=_environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a signed image in a layout."""
    folder = tmp_path_factory.mktemp("project")
    build_image(str(folder / "build"), "1", says="hello", built=datetime(2026, 6, 1, tzinfo=UTC))
    for arguments in (
        ("keys", "generate", str(folder / "k")),
        ("sign", "--key", f"{folder}/k.key", f"oci:{folder}/build:1"),
    ):
        silent = io.StringIO()
        assert run(arguments, Session({"IMGTRUST_PASSPHRASE": "pw"}, stdout=silent, stderr=silent)) == 0
    return folder


@pytest.fixture
def registry() -> Iterator[RegistrySimulator]:
    """A registry with one image."""
    with RegistrySimulator() as simulated:
        store = open_store(Reference.parse(f"{simulated.host}/app:1").repository)
        push(store, image("app"), "1")
        store.close()
        yield simulated


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def _host(server: socket.socket) -> str:
    return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_ends_soon_with_130_and_one_sentence(
    project: Path, silence: socket.socket, number: signal.Signals
) -> None:
    process = _start(project, "verify", "--key", "k.pub", f"{_host(silence)}/app:1")
    connection, _ = silence.accept()
    with connection:
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err == "imgtrust: interrupted; nothing is half-written. The same command can be run again\n"
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("names", [1, 6])
def test_the_timeout_ends_the_whole_command_with_3(project: Path, silence: socket.socket, names: int) -> None:
    began = time.monotonic()
    images = [f"{_host(silence)}/app:{number}" for number in range(names)]
    process = _start(project, "verify", "--key", "k.pub", "--timeout", "2", "--report", "json=v.json", *images)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert out == ""
    assert "the 2 seconds of --timeout ran out" in err
    assert "Traceback" not in err
    assert time.monotonic() - began < 25
    assert not list(project.glob("*v.json*")), "a report is written whole or not at all"


def test_a_command_that_is_quick_enough_is_not_troubled_by_its_timeout(project: Path) -> None:
    process = _start(project, "verify", "--key", "k.pub", "--timeout", "30", "oci:build:1")
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out[:8]) == (0, "ACCEPTED")


def test_a_reader_that_went_away_does_not_change_the_verdict(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    report = project / "broken-pipe.txt"
    process = subprocess.run(
        [*_PYTHON, "verify", "--key", "k.pub", "--report", f"text={report}", "oci:build:1"],
        cwd=project, env=_environment(), stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (process.returncode, process.stderr) == (0, "")
    assert report.read_text().startswith("ACCEPTED")


def test_a_long_answer_that_nobody_reads_is_not_finished(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [*_PYTHON, "verify", "--key", "k.pub", "oci:build:1", "oci:build:1"],
        cwd=project, env=_environment(), stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (process.returncode, process.stderr) == (3, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_answer_that_does_not_fit_the_disk_is_no_success(project: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [*_PYTHON, "verify", "--key", "k.pub", "oci:build:1"],
            cwd=project, env=_environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert process.returncode == 2
    assert process.stderr == "imgtrust: cannot write the answer to standard output: No space left on device\n"


def test_a_closed_standard_output_is_no_traceback(project: Path) -> None:
    process = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m imgtrust verify --key k.pub oci:build:1 >&-'],
        cwd=project, env=_environment(), stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert process.returncode in {0, 2, 3}
    assert "Traceback" not in process.stderr


def test_a_plain_terminal_gets_plain_marks(project: Path) -> None:
    process = _start(project, "verify", "--key", "k.pub", "oci:build:1", LANG="C", LC_ALL="C")
    out, _ = process.communicate(timeout=30)
    assert out.isascii()
    assert "ok integrity" in out


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"reply": Reply(404)}, 2),
        ({"reply": Reply(500)}, 3),
        ({"reply": Reply(401)}, 3),
        ({"reply": Reply(403)}, 3),
        ({"reply": _HTML}, 3),
        ({"close": True}, 3),
    ],
    ids=["404", "500", "401", "403", "html", "closed"],
)
def test_could_not_tell_is_never_no(
    project: Path, registry: RegistrySimulator, fault: dict[str, Any], status: int
) -> None:
    registry.fault("/manifests/1", times=None, **fault)
    out, err = io.StringIO(), io.StringIO()
    session = Session({"LANG": "C.UTF-8"}, stdout=out, stderr=err)
    arguments = ("verify", "--key", str(project / "k.pub"), "--timeout", "2", f"{registry.host}/app:1")
    assert run(arguments, session) == status, out.getvalue() + err.getvalue()
    assert "REJECTED" not in out.getvalue()


def test_a_verification_loads_nothing_that_it_does_not_need(project: Path) -> None:
    code = (
        "import sys; sys.argv = ['imgtrust', 'verify', '--key', 'k.pub', 'oci:build:1']; "
        "from imgtrust.cli.main import main; status = main(); "
        "heavy = {'rich', 'httpx', 'urllib3', 'boto3', 'sigstore', 'oras', 'pydantic', 'rfc3161_client', 'asyncio',"
        " 'nacl', 'email', 'requests', 'cryptography.x509'} & set(sys.modules); "
        "print(heavy, file=sys.stderr); sys.exit(1 if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=_environment(), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_what_a_library_warns_of_is_not_shown_unless_it_is_asked_for() -> None:
    code = "import sys, warnings; from imgtrust.cli.main import main; main(); warnings.warn('odd certificate')"
    for more, shown in (((), False), (("-W", "default"), True)):
        command = [sys.executable, *more, "-c", code, "--version"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment())
        assert ("odd certificate" in done.stderr) is shown
        assert done.stdout.startswith("imgtrust ")
