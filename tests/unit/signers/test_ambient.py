"""The token of each CI system that gives one: asked for as that system wants it, and what is said where it gives none.

Each runs in a process of its own, whose environment is that of the CI system and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulators.loopback import Loopback, Reply
from tests.simulators.sigstoreserver import token

ROOT = Path(__file__).resolve().parents[3]
READ = """
import sys
from datetime import UTC, datetime
from imgtrust.errors import ImgtrustError
from imgtrust.signers.oidc import TokenSource
try:
    print(TokenSource(dict(__import__("os").environ)).read(datetime.now(UTC)).email)
except ImgtrustError as exc:
    sys.exit(f"{exc.exit_status} {exc}")
"""
GOOGLE = """
import sys
from id._internal.oidc import ambient
ambient._GCP_PRODUCT_NAME_FILE, ambient._GCP_IDENTITY_REQUEST_URL = sys.argv[1:3]
"""
"""A machine of Google is told by a file that it alone has, and its metadata server by a name that it alone resolves."""


def read(folder: Path, *arguments: str, before: str = "", **environment: str) -> tuple[int, str, str]:
    """The person of the token that is found, or why there is none."""
    done = subprocess.run(
        [sys.executable, "-c", before + READ, *arguments],
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.strip(), " ".join(done.stderr.split())


def program(folder: Path, name: str, says: str, status: int = 0) -> Path:
    """The tool of a CI system: it keeps what it was asked, and says something."""
    file = folder / name
    file.write_text(f'#!/bin/sh\necho "$@" > {folder}/asked\necho {says}\nexit {status}\n')
    file.chmod(0o755)
    return folder / "asked"


def test_github_actions(tmp_path: Path) -> None:
    answer = Reply(200, (("Content-Type", "application/json"),), json.dumps({"value": token("ci@acme.test")}).encode())
    with Loopback(lambda _: answer) as github:
        where = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret", "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.base}/id?api=2"}
        assert read(tmp_path, GITHUB_ACTIONS="true", **where) == (0, "ci@acme.test", "")
        (request,) = github.asked()
        github.fault(reply=Reply(403, (), b"no"), times=None)
        refused = read(tmp_path, GITHUB_ACTIONS="true", **where)
    assert (request.first("audience"), request.first("api")) == ("sigstore", "2")
    assert request.headers["authorization"] == "bearer secret"
    assert refused[0] == 1
    assert "this CI system gives no identity token" in refused[2]
    assert "nothing was signed" in refused[2]
    assert "secret" not in refused[2]


def test_gitlab(tmp_path: Path) -> None:
    assert read(tmp_path, GITLAB_CI="true", SIGSTORE_ID_TOKEN=token("ci@acme.test")) == (0, "ci@acme.test", "")
    _, _, said = read(tmp_path, GITLAB_CI="true")
    assert "SIGSTORE_ID_TOKEN not found" in said


def test_circleci(tmp_path: Path) -> None:
    asked = program(tmp_path, "circleci", token("ci@acme.test"))
    assert read(tmp_path, CIRCLECI="true") == (0, "ci@acme.test", "")
    assert asked.read_text() == 'run oidc get --claims {"aud": "sigstore"} --root-issuer\n'
    program(tmp_path, "circleci", "no", 1)
    assert "this CI system gives no identity token" in read(tmp_path, CIRCLECI="true")[2]


def test_buildkite(tmp_path: Path) -> None:
    asked = program(tmp_path, "buildkite-agent", token("ci@acme.test"))
    assert read(tmp_path, BUILDKITE="true") == (0, "ci@acme.test", "")
    assert asked.read_text() == "oidc request-token --audience sigstore\n"
    program(tmp_path, "buildkite-agent", "no", 1)
    assert "this CI system gives no identity token" in read(tmp_path, BUILDKITE="true")[2]


def test_google_cloud(tmp_path: Path) -> None:
    (tmp_path / "product").write_text("Google Compute Engine\n")
    with Loopback(lambda _: Reply(200, (), token("ci@acme.test").encode())) as metadata:
        machine = (str(tmp_path / "product"), f"{metadata.base}/identity")
        assert read(tmp_path, *machine, before=GOOGLE) == (0, "ci@acme.test", "")
        (request,) = metadata.asked("/identity")
        metadata.fault(reply=Reply(404), times=None)
        refused = read(tmp_path, *machine, before=GOOGLE)
    assert (request.first("audience"), request.headers["metadata-flavor"]) == ("sigstore", "Google")
    assert "this CI system gives no identity token" in refused[2]


@pytest.mark.parametrize("variable", ["CIRCLECI", "BUILDKITE"])
def test_a_ci_system_without_its_tool_gives_none(tmp_path: Path, variable: str) -> None:
    status, _, said = read(tmp_path, **{variable: "true"})
    assert status == 1
    assert said.startswith("3 this CI system gives no identity token")


def test_a_token_for_somebody_else_is_no_token_for_signing(tmp_path: Path) -> None:
    program(tmp_path, "buildkite-agent", token("ci@acme.test", aud="other"))
    _, _, said = read(tmp_path, BUILDKITE="true")
    assert said.startswith("3 this CI system gives no identity token: Token audience claim mismatch")
    assert "eyJ" not in said


def test_the_variable_comes_before_the_ci_system(tmp_path: Path) -> None:
    asked = program(tmp_path, "buildkite-agent", token("agent@acme.test"))
    found = read(tmp_path, BUILDKITE="true", SIGSTORE_ID_TOKEN=token("variable@acme.test"))
    assert found == (0, "variable@acme.test", "")
    assert not asked.exists()
