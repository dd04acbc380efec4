"""``sign --keyless`` on a real terminal: a person logs in with a browser, here or on another machine."""

from __future__ import annotations

import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.oidcserver import OidcServer
from tests.simulators.sigstoreserver import FULCIO, SigstoreServer
from tests.simulators.sigstoreworld import SigstoreWorld
from tests.unit.cli.test_terminal import _screen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("setsid") is None, reason="setsid gives a process its terminal")

BROWSER = """
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=10).read()
"""
SIGN = ("sign", "--keyless", "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json")
NO_LOGIN = "Enter verification code: "


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SigstoreWorld]:
    """An instance whose people log in at ``provider``, as its signing config says."""
    with SigstoreServer() as sigstore:
        store = layout(tmp_path / "ci")
        made = SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        made.sigstore.write(tmp_path)
        yield made
        store.close()


@pytest.fixture
def provider(world: SigstoreWorld) -> Iterator[OidcServer]:
    """Where people log in."""
    with OidcServer() as found:
        file = world.path / "signing_config.json"
        config: dict[str, Any] = json.loads(file.read_text())
        config["oidcUrls"] = [{**config["caUrls"][0], "url": found.issuer}]
        file.write_text(json.dumps(config))
        yield found


def signers(world: SigstoreWorld, provider: OidcServer) -> list[str]:
    """Who signed, as the instance's own judgement has it."""
    root = world.sigstore.instance.trusting(provider.person, provider.issuer)
    outcomes = [assess(each, root, at=world.later) for each in world.evidence()]
    return [each.identity for each in outcomes if isinstance(each, VerifiedSignature)]


def test_a_person_logs_in_with_the_browser_of_this_machine(world: SigstoreWorld, provider: OidcServer) -> None:
    (world.path / "browser.py").write_text(BROWSER)
    browser = f"{sys.executable} {world.path / 'browser.py'} %s"
    with _screen(world.path, *SIGN, world.name, BROWSER=browser, HOME=str(world.path)) as screen:
        assert screen.close() == 0, screen.seen
    assert "Waiting for browser interaction" in screen.seen
    assert f"by {provider.person}" in " ".join(screen.seen.split())
    assert signers(world, provider) == [f"{provider.person} ({provider.issuer})"]
    assert "eyJ" not in screen.seen


def test_where_no_browser_opens_the_address_is_shown_and_a_code_is_asked_for(
    world: SigstoreWorld, provider: OidcServer
) -> None:
    with _screen(world.path, *SIGN, world.name, BROWSER="/bin/false %s", HOME=str(world.path)) as screen:
        screen.read_until(NO_LOGIN)
        address = re.search(r"http://127\.0\.0\.1\S+/auth\?\S+", screen.seen)
        assert address is not None, screen.seen
        assert "redirect_uri=urn" in address.group(0)
        screen.type("let me in\n")
        assert screen.close() == 0, screen.seen
    assert signers(world, provider) == [f"{provider.person} ({provider.issuer})"]


def test_who_does_not_log_in_signs_nothing(world: SigstoreWorld, provider: OidcServer) -> None:
    for keys, status in (("\x04", 3), ("\x03", 130)):
        with _screen(world.path, *SIGN, world.name, BROWSER="/bin/false %s", HOME=str(world.path)) as screen:
            screen.read_until(NO_LOGIN)
            screen.type(keys)
            assert screen.close(keys) == status, screen.seen
        assert "Traceback" not in screen.seen
    provider.fault("/token", reply=Reply(401), times=None)
    with _screen(world.path, *SIGN, world.name, BROWSER="/bin/false %s", HOME=str(world.path)) as screen:
        screen.read_until(NO_LOGIN)
        screen.type("a wrong code\n")
        assert screen.close() == 3
    assert "nothing was signed" in " ".join(screen.seen.split())
    assert world.nothing_attached()
    assert not world.sigstore.asked(FULCIO)


def test_without_a_terminal_nobody_is_asked(world: SigstoreWorld, provider: OidcServer) -> None:
    files = ("--signing-config", str(world.path / SIGN[3]), "--trusted-root", str(world.path / SIGN[5]))
    status, _, err = world.run(*files)
    assert status == 2
    assert "no identity to sign as" in " ".join(err.split())
    assert provider.requests == []
