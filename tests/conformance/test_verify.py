"""The conformance protocol: every vector by path and by digest, strictly, in this process and as a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from imgtrust.reference import Digest
from tests.conformance import entry
from tests.conformance.protocol import REFUSED, USAGE, VERIFIED, run

ROOT: Final = Path(__file__).resolve().parents[2]
BUNDLES: Final = (
    Path(os.environ.get("IMGTRUST_VECTORS") or ROOT.parent / "shared" / "vectors").resolve() / "sigstore" / "bundles"
)
NAMES: Final = sorted(path.parent.name for path in BUNDLES.glob("*/bundle.sigstore.json"))
AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
BEACON: Final = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ACTIONS: Final = "https://token.actions.githubusercontent.com"
needs_vectors = pytest.mark.skipif(not NAMES, reason=f"no vectors at {BUNDLES}; set IMGTRUST_VECTORS")


def command(folder: Path, artifact: str) -> list[str]:
    """The command of a case, as the suite writes it."""
    line = ["verify-bundle", "--bundle", str(folder / "bundle.sigstore.json")]
    if (folder / "key.pub").exists():
        line += ["--key", str(folder / "key.pub")]
    else:
        for option, file, usual in (
            ("--certificate-identity", "identity", BEACON),
            ("--certificate-oidc-issuer", "issuer", ACTIONS),
        ):
            own = folder / file
            line += [option, own.read_text().strip() if own.exists() else usual]
    if (folder / "trusted_root.json").exists():
        line += ["--trusted-root", str(folder / "trusted_root.json")]
    return [*line, artifact]


def artifact_of(folder: Path) -> Path:
    return folder / "artifact" if (folder / "artifact").exists() else BUNDLES / "a.txt"


@needs_vectors
@pytest.mark.parametrize("known", ["path", "digest"])
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_a_case_gives_its_expected_result(name: str, known: str) -> None:
    path = artifact_of(BUNDLES / name)
    artifact = str(path) if known == "path" else str(Digest.of(path.read_bytes()))
    status, said = run(command(BUNDLES / name, artifact), at=AT)
    assert status == (REFUSED if name.endswith("_fail") else VERIFIED), said
    assert said.startswith("refused: " if status else "verified: ")


@needs_vectors
@pytest.mark.parametrize(
    "name", ["happy-path-v0.3", "rekor2-happy-path", "managed-key-happy-path", "dsse-invalid-sig_fail"]
)
def test_a_case_gives_the_same_as_a_process_without_network_or_traceback(name: str, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES / name, tmp_path / "case")
    line = [sys.executable, str(Path(entry.__file__)), *command(tmp_path / "case", str(artifact_of(BUNDLES / name)))]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""})
    assert done.returncode == (REFUSED if name.endswith("_fail") else VERIFIED), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sign-bundle"],
        ["verify-bundle"],
        ["verify-bundle", "--bundle"],
        ["verify-bundle", "--bundle", "b"],
        ["verify-bundle", "--bundle", "b", "--key", "k"],
        ["verify-bundle", "--bundle", "b", "--key", "k", "f", "g"],
        ["verify-bundle", "--key", "k", "--bundle", "b", "f"],
        ["verify-bundle", "--bundle", "b", "--certificate-oidc-issuer", "i", "--certificate-identity", "n", "f"],
        ["verify-bundle", "--bundle", "b", "--certificate-identity", "n", "--certificate-oidc-issuer", "i"],
    ],
)
def test_another_order_is_a_usage_error_and_no_refusal(arguments: list[str]) -> None:
    assert run(arguments, at=AT)[0] == USAGE


def test_what_cannot_be_read_is_refused_without_a_crash(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_bytes(b"{}")
    (tmp_path / "key").write_bytes(b"no key")
    digest = f"sha256:{'0' * 64}"
    bundle, absent = str(tmp_path / "bundle"), str(tmp_path / "absent")
    identity = ["--certificate-identity", "n", "--certificate-oidc-issuer", "i"]
    for arguments in (
        ["--bundle", absent, *identity, digest],
        ["--bundle", bundle, *identity, absent],
        ["--bundle", bundle, *identity, "sha256:00"],
        ["--bundle", bundle, *identity, digest],
        ["--bundle", bundle, *identity, "--trusted-root", bundle, digest],
        ["--bundle", bundle, "--key", str(tmp_path / "key"), digest],
        ["--staging", "--bundle", bundle, *identity, digest],
    ):
        assert run(["verify-bundle", *arguments], at=AT)[0] == REFUSED
