"""The record of a promotion, signed as an identity: verified before it is attached, and no tag moves without it."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.predicates.summary import VSA
from imgtrust.stores.discovery import discover
from imgtrust.trust.keys import PublicKey
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.sigstoreserver import FULCIO, ISSUER, PERSON, REKOR, REKOR_1, TSA, SigstoreServer, token
from tests.simulators.sigstoreworld import SigstoreWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from imgtrust.stores.port import Store

    Change = Callable[[SigstoreServer], object]

DEAD = Reply(503)
LOG_2 = "/api/v2/(log|checkpoint)"
"""Every path of a log of the second generation; Fulcio has others below /api/v2."""


@dataclass
class World:
    """An image signed by a key that a policy trusts, a place for production, and a Sigstore."""

    ci: SigstoreWorld
    prod: Store

    @property
    def sigstore(self) -> SigstoreServer:
        """Who signs the record."""
        return self.ci.sigstore

    def options(self, **shape: Any) -> tuple[str, ...]:
        """The instance, as options of the record."""
        return tuple(each.replace("--", "--record-", 1) for each in self.sigstore.write(self.ci.path, **shape))

    def promote(self, *arguments: str, output: str = "json") -> tuple[int, str, str]:
        """Promote under the policy that is there."""
        public = PublicKey(self.ci.key.public.der).pem
        (self.ci.path / "release.pub").write_bytes(public)
        trust = ("--key", str(self.ci.path / "release.pub"), "--print-policy")
        policy = self.ci.path / "gate.toml"
        if not policy.exists():
            policy.write_text(self.ci.command("verify", *trust)[1])
        cache = {"IMGTRUST_CACHE_DIR": str(self.ci.path / "cache")}
        way = ("promote", "--policy", str(policy), *arguments, self.ci.name, str(self.prod.repository), "-o", output)
        return self.ci.command(*way, **cache)

    def untouched(self) -> bool:
        """Whether nothing was written at the destination."""
        return not any(path.is_file() for path in (self.ci.path / "prod").rglob("*"))

    def tags(self) -> list[str]:
        """The tags at the destination that people see; a list of referrers has one too."""
        return [tag for tag in self.prod.tags() if not tag.startswith("sha256-")]

    def records(self) -> list[dict[str, Any]]:
        """The bundles of the records at the destination."""
        bundles = [json.loads(each.payload) for each in discover(self.prod, self.ci.root).evidence]
        return [each for each in bundles if VSA.encode() in b64decode(each["dsseEnvelope"]["payload"])]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SigstoreServer() as sigstore:
        store, prod = layout(tmp_path / "ci"), layout(tmp_path / "prod")
        ci = SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        assert ci.by_key()[0] == 0
        yield World(ci, prod)
        store.close()
        prod.close()


@pytest.mark.parametrize("version", [1, 2])
def test_the_record_has_certificate_log_entry_and_time_and_says_so(world: World, version: int) -> None:
    status, out, err = world.promote("--record-keyless", *world.options(version=version))
    assert status == 0, err
    (told,) = json.loads(out)["promoted"]
    assert told["recorder"] == f"{PERSON} ({ISSUER})"
    assert {time["class"] for time in told["record_times"]} == {"trusted"}
    assert [time["source"] for time in told["record_times"]] == (["rfc3161", "rekor"] if version == 1 else ["rfc3161"])
    assert [each["log"] for each in told["record_log_entries"]] == [world.sigstore.base]
    (record,) = world.records()
    assert set(record["verificationMaterial"]) == {"certificate", "tlogEntries", "timestampVerificationData"}
    (believed,) = world.ci.believed(store=world.prod)
    assert believed.predicate_type == VSA
    assert world.tags() == ["1"]


def test_the_text_says_who_when_and_where_it_is_logged(world: World) -> None:
    out = world.promote("--record-keyless", *world.options(), output="text")[1]
    flat = " ".join(out.split())
    assert f"signed by {PERSON} ({ISSUER}) (SLSA verification summary) time-stamp 20" in flat
    assert f"logged as number 2 in {world.sigstore.base}" in flat


def test_a_second_promotion_finds_the_record_and_asks_nobody(world: World) -> None:
    options = world.options()
    assert world.promote("--record-keyless", *options)[0] == 0
    asked = len(world.sigstore.requests)
    status, out, _ = world.promote("--record-keyless", *options)
    assert status == 0
    assert len(world.sigstore.requests) == asked
    (told,) = json.loads(out)["promoted"]
    assert told["record"] is not None
    assert len(world.records()) == 1


def test_a_plan_asks_no_service(world: World) -> None:
    status, out, err = world.promote("--plan", "--record-keyless", *world.options())
    assert status == 0, err
    assert json.loads(out)["promoted"][0]["recorder"] == "keyless"
    assert not world.sigstore.requests


def test_a_refused_image_makes_no_certificate(world: World) -> None:
    options = world.options()
    world.promote("--plan")
    push(world.ci.store, image("unsigned"), "1")
    assert world.promote("--record-keyless", *options)[0] == 1
    assert not world.sigstore.requests
    assert world.untouched()


BEFORE: list[tuple[str, Change]] = [
    ("fulcio dead", lambda s: s.fault(FULCIO, reply=DEAD, times=None)),
    ("fulcio hangs up", lambda s: s.fault(FULCIO, close=True, times=None)),
    ("fulcio refuses", lambda s: s.fault(FULCIO, reply=Reply(403, (), b'{"message": "no"}'))),
    ("fulcio lies", lambda s: setattr(s, "another_key", True)),
    ("log dead", lambda s: s.fault(LOG_2, reply=DEAD, times=None)),
    ("log hangs up", lambda s: s.fault(LOG_2, close=True, times=None)),
]


@pytest.mark.parametrize("fault", [each[1] for each in BEFORE], ids=[each[0] for each in BEFORE])
def test_who_cannot_sign_the_record_copies_nothing(world: World, fault: Change) -> None:
    options = world.options()
    fault(world.sigstore)
    status, out, err = world.promote("--record-keyless", *options)
    assert (status, out) == (3, "")
    assert "nothing was copied" in err
    assert world.untouched()
    assert token()[:40] not in err


def test_without_a_token_nothing_is_copied(world: World) -> None:
    status, _, err = world.promote("--record-keyless", *world.options()[:4])
    assert status == 2
    assert "give --record-identity-token" in err
    assert "nothing was copied" in err
    assert world.untouched()


def _other_root(entry: dict[str, Any]) -> None:
    entry["inclusionProof"]["rootHash"] = "A" * 43 + "="


AFTER: list[tuple[str, Change]] = [
    ("log dies", lambda s: s.fault(REKOR, reply=DEAD, times=None)),
    ("log lies", lambda s: s.lies.update({REKOR: _other_root})),
    ("authority dead", lambda s: s.fault(TSA, reply=DEAD, times=None)),
    ("no SCT", lambda s: s.issuing.update(timestamps=lambda *_: ())),
]


@pytest.mark.parametrize("fault", [each[1] for each in AFTER], ids=[each[0] for each in AFTER])
def test_a_record_that_fails_later_leaves_no_tag_and_the_same_command_goes_on(world: World, fault: Change) -> None:
    options = world.options()
    fault(world.sigstore)
    status, _, err = world.promote("--record-keyless", *options)
    assert status == 3
    assert "run the same command again to go on" in err
    assert (world.tags(), world.records()) == ([], [])
    world.sigstore.faults.clear()
    world.sigstore.lies.clear()
    world.sigstore.issuing.clear()
    status, out, err = world.promote("--record-keyless", *options)
    assert status == 0, err
    assert json.loads(out)["promoted"][0]["copied"] == []
    assert (world.tags(), len(world.records())) == (["1"], 1)


def test_a_certificate_that_expires_while_it_is_copied_is_got_again(world: World) -> None:
    options = world.options()
    world.sigstore.issuing["lasting"] = timedelta(seconds=90)
    assert world.promote("--record-keyless", *options)[0] == 0
    assert len(world.sigstore.asked(FULCIO)) == 2


def test_a_token_that_expires_while_it_is_copied_leaves_no_tag_and_the_same_command_goes_on(world: World) -> None:
    options = world.options()
    world.sigstore.issuing["lasting"] = timedelta(seconds=90)
    file = world.ci.path / "token"

    def expire(reply: Reply) -> Reply:
        file.write_text(token(exp=1))
        return reply

    world.sigstore.fault(FULCIO, change=expire)
    status, _, err = world.promote("--record-keyless", *options)
    assert (status, world.tags(), world.records()) == (2, [], [])
    assert "expired at" in err
    assert "run the same command again to go on" in err
    assert world.promote("--record-keyless", *world.options())[0] == 0
    assert (world.tags(), len(world.records())) == (["1"], 1)


@pytest.mark.parametrize("version", [1, 2])
def test_a_record_by_key_is_logged_where_a_log_is_named(world: World, version: int) -> None:
    options = world.options(version=version)[:4]
    status, out, err = world.promote("--record-key", str(world.ci.path / "signing.key"), *options)
    assert status == 0, err
    (told,) = json.loads(out)["promoted"]
    assert len(told["record_log_entries"]) == 1
    (record,) = world.records()
    assert set(record["verificationMaterial"]) == {"publicKey", "tlogEntries", "timestampVerificationData"}
    assert len(world.sigstore.asked(REKOR_1 if version == 1 else REKOR)) == 1
    assert not world.sigstore.asked(FULCIO)


def test_without_a_log_none_is_asked(world: World) -> None:
    assert world.promote("--record-keyless", "--record-no-log", *world.options())[0] == 0
    (record,) = world.records()
    assert "tlogEntries" not in record["verificationMaterial"]
    assert not [each for each in world.sigstore.requests if "log" in each.path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--record-keyless", "--record-key", "k"), "--record-keyless and --record-key exclude each other"),
        (("--record-identity-token", "t"), "--record-identity-token goes with --record-keyless"),
        (("--record-fulcio-url", "https://f", "--record-key", "k"), "--record-fulcio-url goes with --record-keyless"),
        (("--record-rekor-url", "https://r"), "nothing to sign with: give --record-key KEY or --record-keyless"),
        (("--record-tsa", "https://t"), "need --record-key KEY or --record-keyless"),
        (("--record-keyless", "--record-fulcio-url", "https://f"), "--record-fulcio-url without a log: give --record-"),
        (
            ("--record-keyless", "--record-signing-config", "c", "--record-rekor-url", "https://r"),
            "--record-signing-config says where the services are; leave out --record-fulcio-url and --record-rekor-url",
        ),
        (
            ("--record-keyless", "--record-rekor-url", "https://r", "--record-tsa", "https://t"),
            "give --record-fulcio-url, or a --record-signing-config",
        ),
        (("--record-keyless", "--record-identity-token", "eyJhbGciOi.eyJpc3Mi.c2ln"), "can be read by everybody"),
    ],
)
def test_what_cannot_go_together_is_said_in_the_words_of_the_record(
    world: World, arguments: tuple[str, ...], said: str
) -> None:
    status, _, err = world.promote(*arguments)
    assert status == 2
    assert said in " ".join(err.split())
    assert world.untouched()
