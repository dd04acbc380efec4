"""The examples of the documents: sections of scripts, run in a world of their own.

In that world ``registry.example.com`` is a registry, ``https://tsa.example.com`` an authority and
``https://sigstore.example.com`` a Sigstore instance on this machine; scripts are run with those names replaced, and
what they print has the names put back.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.x509 import UniformResourceIdentifier

from imgtrust import strict_json
from imgtrust.commands.demoauthority import DemoAuthority, demo_authority
from imgtrust.commands.demodocuments import cyclonedx, provenance
from imgtrust.commands.demoimage import build_image
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from tests.simulators.attached import NOTARY_ROOT, attach_keyless, attach_notary
from tests.simulators.images import image, index, push
from tests.simulators.registry import RegistrySimulator
from tests.simulators.sigstore import VirtualSigstore
from tests.simulators.sigstoreserver import SigstoreServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DOCS", "EXAMPLES", "ROOT", "Section", "World", "normal", "sections", "world"]

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
EXAMPLES: Final = DOCS / "examples"

_HEAD: Final = re.compile(r"# \[(?P<name>[a-z]+)\](?: exits (?P<status>\d))?(?P<hidden> hidden)?")
_EXPORT: Final = re.compile(r"^export (\w+)=(\S+)$", re.MULTILINE)
_WORKFLOW: Final = "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main"
_ACTIONS: Final = "https://token.actions.githubusercontent.com"
_REGISTRY: Final = "registry.example.com"
_TSA: Final = "https://tsa.example.com"
_TSA_NAME: Final = "tsa.example.com"
_SIGSTORE: Final = "https://sigstore.example.com"

_CHANGING: Final = (
    (re.compile(r"\s+"), " "),
    (re.compile(r"sha256:[0-9a-f]{8,64}…?"), "DIGEST"),
    (re.compile(r"\bkey [0-9a-f]{8}\b"), "KEY"),
    (re.compile(r"[A-Za-z0-9+/]{43}="), "HINT"),
    (re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}:\d{2}(?:\.\d+)?)?(?: UTC|Z)?"), "TIME"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:B|KiB|MiB)\b"), "SIZE"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|seconds?|minutes?|hours?|days?|years?)\b"), "DURATION"),
    (re.compile(r"(?:DURATION )+DURATION"), "DURATION"),
)


@dataclass(frozen=True)
class Section:
    """A part of an example: its commands, and the exit status of the last one."""

    name: str
    text: str
    status: int = 0
    hidden: bool = False


def sections(file: Path) -> tuple[Section, ...]:
    """The sections of a script; the whole file is one where it has no heads (Python, TOML)."""
    if file.suffix != ".sh":
        return (Section("all", file.read_text(encoding="utf-8").strip()),)
    found: list[Section] = []
    for block in re.split(r"^(?=# \[)", file.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if not block.strip():
            continue
        head, _, text = block.partition("\n")
        match = _HEAD.fullmatch(head)
        assert match is not None, f"{file.name}: {head}"
        found.append(Section(match["name"], text.strip(), int(match["status"] or 0), bool(match["hidden"])))
    return tuple(found)


def normal(output: str) -> str:
    """An output without what differs from run to run, and without its line breaks."""
    for pattern, word in _CHANGING:
        output = pattern.sub(word, output)
    return output.strip()


class World:
    """A folder, a registry and an authority; runs sections in turn. What one exports, the next ones have."""

    def __init__(self, folder: Path, host: str, authority: DemoAuthority, sigstore: SigstoreServer) -> None:
        """Put the names of this machine into a copy of the examples."""
        self._folder = folder
        self._exported: dict[str, str] = {}
        self._names = (
            (_REGISTRY, host),
            (_TSA, authority.url),
            (_TSA_NAME, authority.url.removeprefix("http://")),
            (_SIGSTORE, sigstore.base),
        )
        self.examples = folder / ".examples"
        self.examples.mkdir()
        for file in EXAMPLES.iterdir():
            (self.examples / file.name).write_text(self._there(file.read_text(encoding="utf-8")), encoding="utf-8")

    def run(self, section: Section) -> str:
        """Run one section of a shell script and return what it printed, errors and all."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "IMGTRUST_PASSPHRASE": "correct horse",
            "EXAMPLES": str(self.examples),
            **self._exported,
        }
        self._exported.update(_EXPORT.findall(self._there(section.text)))
        script = f"set -eo pipefail\n{self._there(section.text)}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=60,
        )
        printed = self._here(done.stdout)
        assert done.returncode == section.status, f"[{section.name}] ended with {done.returncode}:\n{printed}"
        return printed

    def _there(self, text: str) -> str:
        """The names of the documents become those of this machine."""
        for public, local in self._names:
            text = text.replace(public, local)
        return text

    def _here(self, text: str) -> str:
        """And back."""
        for public, local in reversed(self._names):
            text = text.replace(local, public)
        return text


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A world with the images and documents that the examples speak of."""

    def now() -> datetime:
        return datetime.now(UTC)

    with RegistrySimulator() as registry, demo_authority(now) as authority, SigstoreServer() as sigstore:
        build_image(str(folder / "build"), "1.4.2", says="hello", built=datetime(2026, 6, 1, tzinfo=UTC))
        for name, tag in (("team/app", "1.4.2"), ("team/tool", "2.0")):
            store = open_store(Reference.parse(f"{registry.host}/{name}:{tag}").repository)
            push(store, index(image(name), image(name, platform="linux/arm64")), tag)
            store.close()
        _foreign(folder, registry.host, now() - timedelta(hours=1))
        for name, text in (
            ("app.cdx.json", cyclonedx()),
            ("provenance.json", provenance(datetime(2026, 6, 1, tzinfo=UTC))),
            ("report.txt", "all is well\n"),
            ("tsa.pem", authority.pem.decode()),
        ):
            (folder / name).write_text(text, encoding="utf-8")
        sigstore.write(folder)
        yield World(folder, registry.host, authority, sigstore)


def _foreign(folder: Path, host: str, when: datetime) -> None:
    """Two images that others signed: a workflow with a Sigstore of its own, and a company with Notary."""
    instance = VirtualSigstore()
    workflow = UniformResourceIdentifier(_WORKFLOW)
    signer = instance.certify(names=(workflow,), issuer_v1=_ACTIONS, issuer_v2=_ACTIONS, when=when)
    for name, tag in (("team/web", "3.1"), ("team/api", "2.7")):
        store = open_store(Reference.parse(f"{host}/{name}:{tag}").repository)
        root = push(store, image(name), tag)
        if name == "team/web":
            attach_keyless(store, root, instance, signer, when=when)
        attach_notary(store, root)
        store.close()
    (folder / "sigstore.json").write_bytes(strict_json.dumps(instance.document()))
    (folder / "acme.pem").write_bytes(NOTARY_ROOT.pem)
