"""Signing as an identity on bad days: services that are silent, slow, dead, or answer with what is somebody else's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.sigstoreserver import FULCIO, REKOR, REKOR_1, TSA, SigstoreServer, token
from tests.simulators.sigstoreworld import SigstoreWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICES = (FULCIO, REKOR, REKOR_1, TSA)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SigstoreWorld]:
    with SigstoreServer() as sigstore:
        store = layout(tmp_path / "ci")
        yield SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        store.close()


def options(world: SigstoreWorld, service: str) -> tuple[str, ...]:
    """The options under which a service is asked: a log of each generation is there."""
    return world.sigstore.write(world.path, version=1 if service == REKOR_1 else 2)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_dead_or_hangs_up_is_3(world: SigstoreWorld, service: str) -> None:
    for fault in ({"reply": Reply(502)}, {"close": True}):
        world.sigstore.faults.clear()
        world.sigstore.fault(service, times=None, **fault)
        status, out, err = world.run(*options(world, service))
        assert (status, world.nothing_attached()) == (3, True), err
        assert "did not answer, 3 times" in " ".join(err.split())
        assert token()[:40] not in out + err


@pytest.mark.parametrize("service", SERVICES)
def test_what_another_instance_answers_is_not_believed(world: SigstoreWorld, service: str) -> None:
    with SigstoreServer() as other:
        world.sigstore.instead[service] = other
        status, _, err = world.run(*options(world, service))
    assert other.requests == []
    assert (status, world.nothing_attached()) == (3, True), err
    assert SAID_OF_ANOTHER[service] in " ".join(err.split())


def test_a_token_of_somebody_else_is_not_attached_even_where_the_log_proves_the_time(world: SigstoreWorld) -> None:
    with SigstoreServer() as other:
        world.sigstore.instead[TSA] = other
        status, _, err = world.run(*world.sigstore.write(world.path, version=1))
    assert (status, world.nothing_attached()) == (3, True), err
    assert "proves nothing under the trusted root" in " ".join(err.split())


SAID_OF_ANOTHER = {
    FULCIO: "is from no trusted certificate authority",
    REKOR: "a log that the trusted root does not know (log.unknown_log)",
    REKOR_1: "a log that the trusted root does not know (log.unknown_log)",
    TSA: "(time.untrusted_authority: the time-stamp is from no trusted authority",
}


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_answered_for_another_signature_is_not_believed(world: SigstoreWorld, service: str) -> None:
    first = push(world.store, image("first"), "first")
    status, _, err = world.command("sign", "--keyless", *options(world, service), f"{world.store.repository}:first")
    assert status == 0, err
    world.sigstore.stale.add(service)
    status, _, err = world.run(*options(world, service))
    assert (status, world.nothing_attached()) == (3, True), err
    assert SAID_OF_OTHERS[service] in " ".join(err.split())
    assert first != world.root


SAID_OF_OTHERS = {
    FULCIO: "its certificate is for another key",
    REKOR: "(log.inconsistent: the log entry is about another signature",
    REKOR_1: "(log.inconsistent: the log entry is about another signature",
    TSA: "gave no token that can be used",
}


@pytest.fixture
def silence() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["caUrls", "rekorTlogUrls", "tsaUrls"])
def test_a_service_that_never_answers_costs_no_more_than_the_time_that_was_given(
    world: SigstoreWorld, silence: str, kind: str
) -> None:
    world.sigstore.write(world.path)
    config = json.loads((world.path / "signing_config.json").read_text())
    config[kind][0]["url"] = silence
    (world.path / "signing_config.json").write_text(json.dumps(config))
    files = ("--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json")
    asked = (*files, "--identity-token", "token", "--timeout", "3")
    done = subprocess.run(
        [sys.executable, "-m", "imgtrust", "sign", "--keyless", *asked, world.name],
        cwd=world.path,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, world.nothing_attached()) == (3, True), done.stderr
    assert "Traceback" not in done.stderr
    assert token()[:40] not in done.stderr


def test_one_image_whose_log_fails_does_not_cost_the_others_their_signature(world: SigstoreWorld) -> None:
    push(world.store, image("second"), "2")
    world.sigstore.fault(REKOR, reply=Reply(400, (), b'{"message": "not this one"}'))
    status, out, err = world.run(*world.sigstore.write(world.path), f"{world.store.repository}:2", "--jobs", "1")
    assert status == 3
    assert "not this one" in err
    assert len(json.loads(out)["signed"]) == 1
