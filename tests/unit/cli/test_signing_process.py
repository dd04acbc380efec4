"""Signing with services as a process of its own: the exit status for good, dead, slow and lying ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.sigstoreserver import FULCIO, REKOR, SigstoreServer
from tests.simulators.sigstoreworld import SigstoreWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Change = Callable[[SigstoreServer], object]

DEAD = Reply(503)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SigstoreWorld]:
    with SigstoreServer() as sigstore:
        store = layout(tmp_path / "ci")
        world = SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        private = world.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "signing.key").write_bytes(private)
        (tmp_path / "app.cdx.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6"}')
        (tmp_path / "release.pub").write_bytes(world.key.public.pem)
        yield world
        store.close()


def process(world: SigstoreWorld, *arguments: str) -> tuple[int, str, str]:
    """``imgtrust`` in the folder of the world."""
    done = subprocess.run(
        [sys.executable, "-m", "imgtrust", *arguments],
        cwd=world.path,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(world.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def commands(world: SigstoreWorld) -> dict[str, tuple[str, ...]]:
    """Everything that signs with services, whole."""
    options = world.sigstore.write(world.path)
    record = tuple(each.replace("--", "--record-", 1) for each in options)
    gate = ("--policy", "gate.toml")
    return {
        "sign by key": ("sign", "--key", "signing.key", *options[:4], "oci:ci:1"),
        "sbom attach": ("sbom", "attach", "--keyless", *options, "--file", "app.cdx.json", "oci:ci:1"),
        "promote": ("promote", *gate, "--record-keyless", *record, "oci:ci:1", "oci:prod"),
    }


def prepare(world: SigstoreWorld, name: str) -> None:
    """What a promotion needs: an image that may go, and a policy."""
    if name == "promote":
        assert process(world, "sign", "--key", "signing.key", "oci:ci:1")[0] == 0
        policy = process(world, "verify", "--key", "release.pub", "--print-policy")[1]
        (world.path / "gate.toml").write_text(policy)


NAMES = ("sign by key", "sbom attach", "promote")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_signed_ends_with_0(world: SigstoreWorld, name: str) -> None:
    prepare(world, name)
    status, out, err = process(world, *commands(world)[name], "-o", "json")
    assert status == 0, err
    document = json.loads(out)
    made: dict[str, Any] = document["promoted"][0] if name == "promote" else document["signed"][0]
    assert made["record_log_entries" if name == "promote" else "log_entries"][0]["log"] == world.sigstore.base


FAULTS: list[tuple[str, Change]] = [
    ("dead", lambda s: s.fault(REKOR, reply=DEAD, times=None)),
    ("slow", lambda s: s.fault(REKOR, reply=Reply(200, (), bytes(4000), drip=0.05), times=None)),
    ("lying", lambda s: s.lies.update({REKOR: lambda entry: entry["inclusionProof"].update(rootHash="A" * 43 + "=")})),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", [each[1] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_a_log_that_is_dead_slow_or_lies_ends_with_3(world: SigstoreWorld, name: str, fault: Change) -> None:
    prepare(world, name)
    before = world.evidence()
    asked = commands(world)[name]
    fault(world.sigstore)
    status, _, err = process(world, *asked, "--timeout", "4")
    assert status == 3
    assert err.startswith("imgtrust: ")
    assert world.evidence() == before
    if (world.path / "prod").exists():
        with closing(layout(world.path / "prod")) as prod:
            assert "1" not in prod.tags()


@pytest.mark.parametrize("name", ["sbom attach", "promote"])
def test_an_authority_that_is_dead_ends_with_3_and_nothing_is_written(world: SigstoreWorld, name: str) -> None:
    prepare(world, name)
    asked = commands(world)[name]
    world.sigstore.fault(FULCIO, reply=DEAD, times=None)
    status, _, err = process(world, *asked)
    assert status == 3
    assert "did not answer, 3 times" in err
    assert not (world.path / "prod").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_trusted_root_that_is_missing_ends_with_2(world: SigstoreWorld, name: str) -> None:
    prepare(world, name)
    asked = commands(world)[name]
    (world.path / "trusted_root.json").unlink()
    status, _, err = process(world, *asked)
    assert status == 2
    assert "cannot read the trusted root" in err
