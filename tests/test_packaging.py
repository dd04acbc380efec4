"""What is shipped: the wheel has all that it needs and nothing else, installs from the lock, and the page is right."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.architecture.directions import OWNERS
from tests.architecture.source import package_sources, third_party

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "reference" / "dependencies.md"
IMPORTED_AS: Final = {"pynacl": "nacl", "rfc3161-client": "rfc3161_client"}


def _run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed."""
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, cwd=cwd, timeout=600)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as anybody would."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_has_the_package_its_types_its_keys_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "imgtrust/py.typed" in names
    assert "imgtrust/keys/README.md" in names
    assert {f"imgtrust/keys/{path.name}" for path in (ROOT / "keys").iterdir()} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert {name.split("/")[0] for name in names} <= {
        "imgtrust",
        *(n.split("/")[0] for n in names if ".dist-info" in n),
    }
    assert {source.path for source in package_sources()} <= set(names)


def test_the_wheel_offers_the_command_and_asks_for_what_the_project_names(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {
            name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist() if "dist-info" in name
        }
    assert "imgtrust = imgtrust.cli.main:main" in files["entry_points.txt"]
    asked = re.findall(r"^Requires-Dist: ([A-Za-z0-9-]+)", files["METADATA"], re.MULTILINE)
    assert sorted(map(str.lower, asked)) == sorted(map(_name, _project()["project"]["dependencies"]))


@pytest.mark.slow
def test_the_wheel_installs_from_the_lock_into_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    pip = (tmp_path / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements.txt", cwd=tmp_path)
    _run(*pip, "--no-deps", wheel, cwd=tmp_path)
    command = tmp_path / "venv" / "bin" / "imgtrust"
    assert _project()["project"]["version"] in _run(command, "--version", cwd=tmp_path)
    assert "sigstore" in _run(command, "trust", "show", cwd=tmp_path).lower()
    _run(command, "demo", tmp_path / "demo", cwd=tmp_path)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not there")
def test_make_clean_removes_what_demos_left_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = ("docs", "imgtrust", "tests", "demo-mine", "demo-2-mine", "imgtrust-demonstration", "keys")
    for name in ("demo", "demo-2", "demo-13", "imgtrust-demo", "imgtrust-demo-999", ".venv", *kept):
        (tmp_path / name / "inner").mkdir(parents=True)
    _run("make", "clean", cwd=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["Makefile", *kept])
    assert all((tmp_path / name / "inner").is_dir() for name in kept)


def _name(requirement: str) -> str:
    """The name in a requirement, in lower case."""
    found = re.match(r"[A-Za-z0-9-]+", requirement)
    assert found is not None
    return found.group().lower()


def _rows() -> Sequence[Sequence[str]]:
    """The rows of the page's table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return rows[1:]


def test_every_dependency_has_its_row_with_its_range() -> None:
    declared = {_name(text): text[len(_name(text)) :] for text in _project()["project"]["dependencies"]}
    assert {row[0].lower(): row[1] for row in _rows()} == declared


def test_the_page_names_the_owners_of_each_dependency() -> None:
    for name, _, _, importers in _rows():
        package = IMPORTED_AS.get(name.lower(), name)
        if importers.startswith("nothing"):
            continue
        named = set(re.findall(r"`([a-z0-9.]+)`", importers))
        assert named == set(OWNERS[package]), name


def test_every_dependency_is_imported_or_says_that_it_is_not_yet() -> None:
    imported = {third_party(wanted.module) for source in package_sources() for wanted in source.imports()}
    for name, _, _, importers in _rows():
        used = IMPORTED_AS.get(name.lower(), name.lower()) in imported
        assert used != importers.startswith("nothing"), name


def test_both_locks_pin_every_package_with_hashes() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        entries = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        assert entries
        for entry in (line for line in entries if line and not line.startswith("#")):
            assert re.match(r"[a-z0-9.-]+==\S+ +--hash=sha256:[0-9a-f]{64}", entry), entry


def test_the_developer_lock_has_the_same_versions() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in ("requirements.txt", "requirements-dev.txt")
    ]
    assert pins[0].items() <= pins[1].items()


def test_sigstores_own_library_reads_the_pinned_trust_root_as_we_do() -> None:
    from sigstore.models import TrustedRoot  # noqa: PLC0415 - takes a third of a second

    from imgtrust.trust.roots import parse_sigstore_root  # noqa: PLC0415

    path = ROOT / "keys" / "sigstore-public-good.trusted_root.json"
    theirs = TrustedRoot.from_file(str(path)).get_timestamp_authorities()
    ours = parse_sigstore_root(path.read_bytes(), path.name).authorities
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        chain = [
            certificate.public_bytes_raw() if hasattr(certificate, "public_bytes_raw") else certificate
            for certificate in other.certificates(allow_expired=True)
        ]
        assert len(chain) == len(mine.roots) + len(mine.intermediates) + (mine.leaf is not None)
