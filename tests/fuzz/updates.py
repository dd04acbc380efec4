"""Cases of what is read through more than bytes in memory: a TUF repository on loopback, and notation's policy files.

The oracle: only errors that are meant; a file that a repository gives is the one that it vouches for.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.commands.notation import import_notation
from imgtrust.errors import ServiceError, UsageError
from imgtrust.signers.tuf import fetch_targets
from imgtrust.signers.wire import WireOptions
from tests.fuzz.mutators import Mutator
from tests.fuzz.parsers import require
from tests.fuzz.target import Target
from tests.simulators.loopback import Loopback, Reply

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.world import World
    from tests.simulators.loopback import Request

__all__ = ["TARGETS"]

_FILES: Final = ("trusted_root.json", "signing_config.v0.2.json")


def _make_repository(world: World, random: Random) -> dict[str, bytes]:
    """What a repository serves, with a change in one or a few of its files, or one for another."""
    served = dict(world.served)
    mutator = Mutator(random, list(served.values()))
    for _ in range(mutator.count()):
        path = random.choice(list(served))
        match random.randrange(8):
            case 0:
                del served[path]
            case 1:
                served[path] = served[random.choice(list(served))]
            case _:
                served[path] = mutator.change(served[path])
    return served


def _judge_repository(world: World, case: dict[str, bytes]) -> str:
    def answer(request: Request) -> Reply:
        found = case.get(request.path)
        return Reply(404) if found is None else Reply(200, (("Content-Type", "application/json"),), found)

    options = WireOptions(timeout=5.0, tries=1, sleep=lambda _: None)
    with Loopback(answer) as server, tempfile.TemporaryDirectory(prefix="imgtrust-fuzz-") as folder:
        try:
            found = fetch_targets(server.base, world.material["tuf-root"], Path(folder), _FILES, options)
        except ServiceError:
            return "ServiceError"
    for name, data in found.files.items():
        require(data == world.material[f"tuf-{name}"], f"{name} is another file than the repository vouches for")
    return "accepted"


_IMPORTED: Final = {
    "version": "1.0",
    "trustPolicies": [
        {
            "name": "acme",
            "registryScopes": ["registry.example.com/team/app"],
            "signatureVerification": {"level": "strict", "override": {"expiry": "log"}, "verifyTimestamp": "always"},
            "trustStores": ["ca:acme", "signingAuthority:acme", "tsa:acme"],
            "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"],
        },
        {"name": "rest", "registryScopes": ["*"], "signatureVerification": {"level": "skip"}},
    ],
}


def _make_import(world: World, random: Random) -> bytes:
    del world
    good = json.dumps(_IMPORTED).encode()
    return Mutator(random, (good,)).several(good)


def _judge_import(world: World, case: bytes) -> str:
    with tempfile.TemporaryDirectory(prefix="imgtrust-fuzz-") as folder:
        home = Path(folder)
        (home / "trustpolicy.json").write_bytes(case)
        for kind in ("ca", "signingAuthority", "tsa"):
            store = home / "truststore" / "x509" / kind / "acme"
            store.mkdir(parents=True)
            (store / "root.crt").write_bytes(world.material["notary-2"])
        try:
            import_notation(home / "trustpolicy.json", home / "truststore")
        except UsageError as exc:
            return type(exc).__name__
    return "accepted"


TARGETS: Final = (
    Target("tuf-repository", _make_repository, _judge_repository, 1),
    Target("notation-policy", _make_import, _judge_import, 10),
)
"""What is read through files and over HTTP."""
