"""``trust update``: newer files along an unbroken chain of roots, and nothing changed by any other."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner

from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.errors import ServiceError
from imgtrust.signers.tuf import fetch_targets
from imgtrust.signers.wire import WireOptions
from tests.simulators.loopback import Reply
from tests.simulators.sigstore import VirtualSigstore
from tests.simulators.tuf import TufRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Change = Callable[[TufRepository], object]

OLD, NEW = (json.dumps(VirtualSigstore().document()).encode() for _ in range(2))
CONFIG = json.dumps({"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}).encode()


@dataclass
class World:
    """A repository, and a folder where its files go."""

    path: Path
    tuf: TufRepository
    environment: dict[str, str] = field(default_factory=dict)

    def update(self, *arguments: str) -> tuple[int, str]:
        """``trust update``: its exit status and what it said."""
        out, err = io.StringIO(), io.StringIO()
        session = Session(environment=self.environment, stdin=io.StringIO(), stdout=out, stderr=err)
        (self.path / "root.json").write_bytes(self.tuf.first_root)
        where = arguments or ("--url", self.tuf.base, "--root", str(self.path / "root.json"))
        out_dir = () if self.environment else ("--out", str(self.path / "trust"))
        return run(["trust", "update", *where, *out_dir, "-o", "json"], session), out.getvalue() + err.getvalue()

    @property
    def folder(self) -> Path:
        return next((self.path / "trust").iterdir())

    def kept(self) -> bytes | None:
        """The trusted root that is there."""
        found = list((self.path / "trust").glob("*/trusted_root.json"))
        return found[0].read_bytes() if found else None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with TufRepository() as tuf:
        tuf.publish(trusted_root__json=OLD)
        yield World(tmp_path, tuf)


def test_the_trusted_root_is_fetched_and_said(world: World) -> None:
    status, said = world.update()
    assert status == 0, said
    (row,) = json.loads(said)["updated"]
    assert (row["kind"], row["changed"], row["tuf_root"]) == ("trusted-root", True, 1)
    assert row["path"].endswith("/trusted_root.json")
    assert world.kept() == OLD


def test_the_signing_config_comes_with_it_where_there_is_one(world: World) -> None:
    world.tuf.publish(trusted_root__json=OLD, signing_config__v0__2__json=CONFIG)
    _, said = world.update()
    assert [row["kind"] for row in json.loads(said)["updated"]] == ["trusted-root", "signing-config"]
    assert (world.folder / "signing_config.v0.2.json").read_bytes() == CONFIG


def test_a_second_time_nothing_changes_until_something_new_is_published(world: World) -> None:
    world.update()
    assert [row["changed"] for row in json.loads(world.update()[1])["updated"]] == [False]
    world.tuf.publish(trusted_root__json=NEW)
    assert [row["changed"] for row in json.loads(world.update()[1])["updated"]] == [True]
    assert world.kept() == NEW


def test_a_root_is_followed_through_all_its_rotations(world: World) -> None:
    for _ in range(3):
        world.tuf.rotate()
    assert json.loads(world.update()[1])["updated"][0]["tuf_root"] == 4


def test_without_a_place_the_files_go_below_the_cache(world: World) -> None:
    world.environment["IMGTRUST_CACHE_DIR"] = str(world.path)
    assert world.update()[0] == 0
    assert world.kept() == OLD
    world.environment = {"NOTHING": "here"}
    status, said = world.update()
    assert status == 2
    assert "say where with --out DIR" in said


HALF = Reply(200, (), bytes(90), cut=9)


def _past() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def _publish_altered(tuf: TufRepository) -> None:
    tuf.publish(trusted_root__json=NEW)
    for path in [path for path in tuf.served if path.startswith("/targets/")]:
        tuf.served[path] = tuf.served[path].replace(b"acme", b"evil")


def _publish_gone(tuf: TufRepository) -> None:
    tuf.publish(trusted_root__json=NEW)
    tuf.fault("/targets/", reply=Reply(404), times=None)


def _publish_mixed(tuf: TufRepository) -> None:
    """The newest time-stamp, and beside it what an older snapshot said."""
    tuf.publish(trusted_root__json=NEW)
    tuf.served[f"/{tuf.version}.snapshot.json"] = tuf.served[f"/{tuf.version - 1}.snapshot.json"]


def _publish_old_targets(tuf: TufRepository) -> None:
    tuf.publish(trusted_root__json=NEW)
    tuf.served[f"/{tuf.version}.targets.json"] = tuf.served[f"/{tuf.version - 1}.targets.json"]


def _rotate_and_lose_the_old_key(tuf: TufRepository) -> None:
    """Two rotations, of which the second is not signed by the key of the first."""
    before = tuf.root_key
    tuf.rotate()
    tuf.rotate(by=before)


FAULTS: list[tuple[str, Change, str]] = [
    ("stranger signs a root", lambda t: t.rotate(by=CryptoSigner.generate_ed25519()), "is not believed"),
    ("a root between is not vouched for", _rotate_and_lose_the_old_key, "is not believed"),
    ("a root of another version", lambda t: t.served.update({"/2.root.json": t.roots[0]}), "is not believed"),
    ("file gone", _publish_gone, "could not be read"),
    ("mix and match", _publish_mixed, "is not believed"),
    ("targets of before", _publish_old_targets, "is not believed"),
    ("endless metadata", lambda t: t.fault("timestamp", reply=Reply(200, (), bytes(9_000_000))), "could not be read"),
    (
        "half an answer",
        lambda t: t.fault("timestamp", reply=Reply(200, (), bytes(90), cut=9), times=None),
        "not be read",
    ),
    ("hangs up", lambda t: t.fault("timestamp", close=True, times=None), "could not be read"),
    ("root expired", lambda t: t.rotate(expires=_past()), "is not believed"),
    ("freeze", lambda t: t.publish(trusted_root__json=NEW, expires=_past()), "is not believed"),
    (
        "stranger publishes",
        lambda t: t.publish(trusted_root__json=NEW, by=CryptoSigner.generate_ed25519()),
        "is not believed",
    ),
    ("altered file", _publish_altered, "is not believed"),
    ("no trusted root", lambda t: t.publish(other__json=NEW), "has no trusted_root.json"),
    ("not readable", lambda t: t.publish(trusted_root__json=b"{}"), "cannot be read by this version"),
    (
        "bad config",
        lambda t: t.publish(trusted_root__json=NEW, signing_config__v0__2__json=b"{}"),
        "cannot be read by this version",
    ),
    ("huge", lambda t: t.publish(trusted_root__json=bytes(9_000_000)), "expected at most 8388608"),
    ("dead", lambda t: t.fault("timestamp", reply=Reply(503), times=None), "could not be read: it answered 503"),
    ("forbidden", lambda t: t.fault("timestamp", reply=Reply(403), times=None), "could not be read"),
    ("page", lambda t: t.fault("timestamp", reply=Reply(200, (), b"<html>")), "is not believed"),
]


@pytest.mark.parametrize(("fault", "said"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_what_the_roots_do_not_vouch_for_changes_nothing(world: World, fault: Change, said: str) -> None:
    assert world.update()[0] == 0
    fault(world.tuf)
    status, told = world.update()
    assert (status, world.kept()) == (3, OLD)
    assert said in " ".join(told.split())


def test_an_older_state_than_the_last_that_was_seen_is_refused(world: World) -> None:
    before = dict(world.tuf.served)
    world.tuf.publish(trusted_root__json=NEW)
    assert world.update()[0] == 0
    world.tuf.served = before
    status, said = world.update()
    assert (status, world.kept()) == (3, NEW)
    assert "is not believed" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--url", "https://tuf.acme.test"), "needs --root FILE"),
        (("--url", "https://tuf.acme.test", "--root", "does-not-exist"), "cannot read the TUF root"),
    ],
)
def test_another_instance_needs_its_root(world: World, arguments: tuple[str, ...], said: str) -> None:
    status, told = world.update(*arguments)
    assert status == 2
    assert said in " ".join(told.split())


def test_plain_http_is_for_loopback_only(world: World) -> None:
    (world.path / "root.json").write_bytes(world.tuf.first_root)
    status, told = world.update("--url", "http://tuf.acme.test", "--root", str(world.path / "root.json"))
    assert status == 2
    assert "not asked without TLS" in told


def test_a_place_that_cannot_be_written_is_said(world: World) -> None:
    (world.path / "trust").write_text("a file")
    status, told = world.update()
    assert status == 2
    assert "cannot keep what is known" in told


def test_a_person_is_told_where_the_files_are(world: World) -> None:
    out = io.StringIO()
    (world.path / "root.json").write_bytes(world.tuf.first_root)
    session = Session(environment={}, stdin=io.StringIO(), stdout=out, stderr=io.StringIO())
    where: list[Any] = ["--url", world.tuf.base, "--root", str(world.path / "root.json")]
    assert run(["trust", "update", *where, "--out", str(world.path / "trust")], session) == 0
    assert "trusted-root    updated  sha256:" in out.getvalue()
    assert "vouched for by TUF root 1" in out.getvalue()


def test_a_mirror_that_is_slow_is_given_up_after_its_time(world: World) -> None:
    world.tuf.fault("timestamp", reply=Reply(200, (), bytes(200), drip=0.05), times=None)
    patience = WireOptions(timeout=0.2, tries=1)
    with pytest.raises(ServiceError, match=r"could not be read: .*; nothing was changed, run it again"):
        fetch_targets(world.tuf.base, world.tuf.first_root, world.path / "tuf", ["trusted_root.json"], patience)


def test_after_a_rotation_the_first_root_still_leads_to_the_newest_and_the_old_key_rules_no_more(world: World) -> None:
    assert world.update()[0] == 0
    old = world.tuf.root_key
    world.tuf.rotate()
    assert json.loads(world.update()[1])["updated"][0]["tuf_root"] == 2
    world.tuf.rotate(by=old)
    status, said = world.update()
    assert (status, world.kept()) == (3, OLD)
    assert "is not believed" in said


def test_a_relative_folder_is_below_the_working_directory(world: World) -> None:
    (world.path / "root.json").write_bytes(world.tuf.first_root)
    where = ("--url", world.tuf.base, "--root", "root.json", "--out", "trust")
    for changed in ("updated", "as it was"):
        done = subprocess.run(
            [sys.executable, "-m", "imgtrust", "trust", "update", *where],
            cwd=world.path,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert changed in done.stdout
    assert world.kept() == OLD
