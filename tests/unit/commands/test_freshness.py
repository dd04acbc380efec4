"""An old trusted root is said, used as it is, and never fetched anew by itself."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.commands.freshness import old_roots, vouched_roots
from imgtrust.policy.values import KeylessSigner as Keyless
from imgtrust.policy.values import KeySigner, Policy, SigstoreTrust, TimeTrust
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.sigstoreserver import ISSUER, PERSON, SigstoreServer
from tests.simulators.sigstoreworld import SigstoreWorld
from tests.simulators.tuf import TufRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = ("--certificate-identity", PERSON, "--certificate-oidc-issuer", ISSUER)
OLD = "is the newest: it was vouched for until"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SigstoreWorld]:
    with SigstoreServer() as sigstore:
        store = layout(tmp_path / "ci")
        yield SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        store.close()


def verify(world: SigstoreWorld, root: Path, *arguments: str) -> tuple[int, list[str]]:
    """The exit status, and what was not checked."""
    status, out, _ = world.command("verify", "--trusted-root", str(root), *WHO, *arguments, world.name, "-o", "json")
    (entry,) = json.loads(out)["images"]
    return status, entry["not_checked"]


def test_a_root_for_which_nobody_vouches_any_more_is_used_and_said(world: SigstoreWorld) -> None:
    assert world.run(*world.sigstore.write(world.path))[0] == 0
    with TufRepository() as tuf:
        tuf.publish(trusted_root__json=json.dumps(world.sigstore.instance.document()).encode())
        (world.path / "root.json").write_bytes(tuf.first_root)
        where = ("--url", tuf.base, "--root", str(world.path / "root.json"), "--out", str(world.path / "trust"))
        assert world.command("trust", "update", *where)[0] == 0
    (root,) = (world.path / "trust").glob("*/trusted_root.json")
    status, said = verify(world, root)
    assert (status, [text for text in said if OLD in text]) == (0, [])
    later = f"{datetime.now(UTC) + timedelta(days=8):%Y-%m-%dT%H:%M:%SZ}"
    status, said = verify(world, root, "--at", later)
    assert status == 0
    assert said[0].startswith(f"whether the Sigstore trusted root {root} {OLD}")
    assert said[0].endswith("imgtrust trust update fetches a newer one")
    _, told, _ = world.command("verify", "--trusted-root", str(root), *WHO, "--at", later, world.name)
    assert "it was vouched for until" in " ".join(told.split())


def keyless(instance: str) -> Keyless:
    """A signer of an instance."""
    return Keyless(name="ci", sigstore=instance, issuer=ISSUER, identity=PERSON)


def test_the_packaged_root_is_vouched_for_until_its_tuf_root_ends() -> None:
    (found,) = vouched_roots(Policy((keyless("public-good"),), ()), Path("/does/not/exist"))
    assert found[0] == "public-good"
    assert found[1] > datetime(2026, 11, 1, tzinfo=UTC)
    assert old_roots((found,), found[1]) == ()
    (said,) = old_roots((found,), found[1] + timedelta(seconds=1))
    assert "trusted root public-good" in said
    dated = Policy((KeySigner("release", "release.pub"),), (), time=TimeTrust(trusted_root="public-good"))
    assert vouched_roots(dated, Path("/does/not/exist")) == ()


def test_of_a_root_without_metadata_nothing_is_known_and_a_key_needs_none(tmp_path: Path) -> None:
    own = (SigstoreTrust("own", "trusted_root.json"),)
    assert vouched_roots(Policy((keyless("own"),), (), sigstore=own), tmp_path) == ()
    assert vouched_roots(Policy((KeySigner("release", "release.pub"),), ()), tmp_path) == ()


@pytest.mark.parametrize(
    "metadata",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"signed": []}',
        b'{"signed": {"expires": 5}}',
        b'{"signed": {"expires": "soon"}}',
        b'{"signed": {"expires": "2026-01-01T00:00:00"}}',
    ],
)
def test_metadata_that_cannot_be_read_says_nothing(tmp_path: Path, metadata: bytes) -> None:
    folder = tmp_path / "tuf" / "metadata"
    folder.mkdir(parents=True)
    (folder / "root.json").write_bytes(b'{"signed": {"expires": "2027-01-01T00:00:00Z"}}')
    (folder / "targets.json").write_bytes(metadata)
    policy = Policy((), (), time=TimeTrust(trusted_root="trusted_root.json"))
    assert vouched_roots(policy, tmp_path) == ()
    (folder / "targets.json").write_bytes(b'{"signed": {"expires": "2026-06-01T00:00:00Z"}}')
    assert vouched_roots(policy, tmp_path) == (("trusted_root.json", datetime(2026, 6, 1, tzinfo=UTC)),)


def test_nothing_is_fetched_unless_it_is_asked_for(world: SigstoreWorld) -> None:
    assert world.run(*world.sigstore.write(world.path))[0] == 0
    with Loopback(lambda _: Reply(502)) as proxy:
        environment = {"PATH": os.environ["PATH"], "HOME": str(world.path)}
        environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy.base)
        asked: list[list[Any]] = [
            ["verify", *WHO, world.name],
            ["inspect", *WHO, world.name],
            ["trust", "show"],
            ["trust", "update", "--out", world.path / "trust"],
        ]
        seen = []
        for arguments in asked:
            subprocess.run(
                [sys.executable, "-m", "imgtrust", *map(str, arguments)],
                env=environment,
                capture_output=True,
                timeout=60,
                check=False,
            )
            seen.append(len(proxy.requests))
    assert seen[:3] == [0, 0, 0]
    assert seen[3] > 0, "this way it is noticed"


def test_the_image_of_a_key_says_nothing_of_trusted_roots(world: SigstoreWorld) -> None:
    out, err = io.StringIO(), io.StringIO()
    session = Session({"IMGTRUST_PASSPHRASE": "pw"}, stdin=io.StringIO(), stdout=out, stderr=err)
    assert run(["keys", "generate", str(world.path / "k")], session) == 0
    assert run(["sign", "--key", str(world.path / "k.key"), world.name], session) == 0
    out.truncate(0)
    assert run(["verify", "--key", str(world.path / "k.pub"), world.name, "-o", "json"], session) == 0
    assert OLD not in out.getvalue()
