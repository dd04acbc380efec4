"""What the benchmarks run against: registries on loopback, images and keys in them, and the commands of each side."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.reference import Reference
from imgtrust.stores import StoreOptions, open_store
from tests.benchmarks.measure import Command
from tests.fixtures.certificates import make_certificates
from tests.fixtures.peers import peer_environment, peers_folder
from tests.fixtures.registries import docker_server, go_server
from tests.simulators.images import image, push

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulators.images import Image

__all__ = ["ROOT", "World", "world"]

ROOT: Final = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


@dataclass
class World:
    """Hosts of the registries, the folder of everything, and keys that cosign made.

    ``source`` and ``destination`` are two docker-registries with their data on disk, ``secure`` one that speaks TLS,
    ``memory`` a Go registry in memory with the Referrers API.
    """

    folder: Path
    peers: Path
    source: str
    destination: str
    secure: str
    memory: str
    authority: Path
    env: dict[str, str] = field(repr=False)

    def imgtrust(self, *arguments: str | Path) -> Command:
        """A run of the command under test."""
        script = Path(sys.executable).with_name("imgtrust")
        first = [str(script)] if script.is_file() else [sys.executable, "-m", "imgtrust"]
        return self._command([*first, *map(str, arguments)])

    def program(self, *arguments: str | Path) -> Command:
        """A run of one of our small programs."""
        return self._command([sys.executable, "-m", "tests.benchmarks.programs", *map(str, arguments)])

    def peer(self, name: str, *arguments: str | Path, status: int = 0) -> Command:
        """A run of a peer."""
        program = shutil.which(name) if name == "skopeo" else str(self.peers / name)
        return self._command([program or name, *map(str, arguments)], status)

    def together(self, *commands: Command) -> Command:
        """Several at once."""
        return Command([line for command in commands for line in command.lines], self.env, self.folder)

    def _command(self, line: Sequence[str], status: int = 0) -> Command:
        """A command in the world's environment."""
        return Command([line], self.env, self.folder, status)

    def do(self, command: Command) -> str:
        """Run without measuring, for setting things up."""
        (line,) = command.lines
        done = subprocess.run(line, check=False, capture_output=True, text=True, env=command.env, cwd=command.cwd)
        if done.returncode != command.status:
            message = f"{' '.join(line)[:300]} ended with {done.returncode}\n{done.stderr[-2000:]}"
            raise RuntimeError(message)
        return done.stdout

    def fresh(self, host: str, name: str = "bench") -> str:
        """A repository that nobody used."""
        return f"{host}/{name}-{next(_numbers)}"

    def push(self, repository: str, images: Sequence[Image], *, secure: bool = False) -> list[str]:
        """Put images into one repository; their names by tag."""
        options = StoreOptions(ca_file=str(self.authority) if secure else None)
        names = [f"{repository}:{number}" for number, _ in enumerate(images)]
        with closing(open_store(Reference.parse(names[0]).repository, options)) as store:
            for number, each in enumerate(images):
                push(store, each, str(number))
        return names

    def small_images(self, repository: str, count: int) -> list[str]:
        """Images of a kilobyte, all different."""
        return self.push(repository, [image(f"{repository}/{n}", layers=1, size=200) for n in range(count)])

    def asked(self, repository: str) -> list[str]:
        """What the destination was asked about one of its repositories so far: ``METHOD kind``, in order."""
        path = re.escape(repository.partition("/")[2])
        log = (self.folder / "destination" / "log").read_text(errors="replace")
        return [" ".join(found) for found in re.findall(rf'"([A-Z]+) /v2/{path}/([a-z]+)/', log)]

    @property
    def offline(self) -> tuple[str, ...]:
        """What cosign needs to sign with a key and nothing else."""
        return ("--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false", "--yes")

    @property
    def by_key(self) -> tuple[str, ...]:
        """What cosign needs to verify with a key and nothing else."""
        return ("--key", "cosign.pub", "--insecure-ignore-tlog")


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start everything in a folder, and end it."""
    peers = peers_folder()
    certificates = make_certificates(folder)
    tls: dict[str, dict[str, object]] = {
        "http": {"tls": {"certificate": str(certificates.certificate), "key": str(certificates.key)}}
    }
    told: dict[str, dict[str, object]] = {"log": {"level": "info", "accesslog": {"disabled": False}}}
    settings: dict[str, dict[str, dict[str, object]]] = {"source": {}, "destination": told, "secure": tls}
    hosts = []
    with ExitStack() as stack:
        for name, extra in settings.items():
            (folder / name).mkdir()
            server = contextmanager(docker_server)(folder / name, extra)
            hosts.append(stack.enter_context(server).address)
        (folder / "memory").mkdir()
        memory = stack.enter_context(
            contextmanager(go_server)(peers / "ggcr-registry", folder / "memory", None)
        ).address
        env = peer_environment(folder) | {
            "IMGTRUST_PASSPHRASE": "bench",
            "COSIGN_PASSWORD": "bench",
            "IMGTRUST_CACHE_DIR": str(folder / "cache"),
            "PYTHONPATH": str(ROOT),
            "SSL_CERT_FILE": str(certificates.authority),
        }
        source, destination, secure = hosts
        made = World(folder, peers, source, destination, secure, memory, certificates.authority, env)
        made.do(made.peer("cosign", "generate-key-pair"))
        for host in (*hosts, memory):
            regctl = {"hosts": {host: {"tls": "disabled", "hostname": host}}}
            (folder / ".regctl").mkdir(exist_ok=True)
            config = folder / ".regctl" / "config.json"
            known = json.loads(config.read_text())["hosts"] if config.exists() else {}
            config.write_text(json.dumps({"hosts": known | regctl["hosts"]}))
        yield made
