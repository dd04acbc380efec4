"""A signature by key that is logged: what the bundle carries, and that a log that lies or is dead leaves nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from imgtrust.evidence import Kind
from imgtrust.formats.simplesigning import BUNDLE_ANNOTATION
from imgtrust.trust.signatures import VerifiedSignature
from imgtrust.trust.times import TimeSource
from tests.simulators.evidence import Key
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.sigstoreserver import FULCIO, REKOR, REKOR_1, TSA, SigstoreServer
from tests.simulators.sigstoreworld import SigstoreWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Change = Callable[[SigstoreServer], object]

DEAD = Reply(503)
LEGACY = ("--format", "cosign-legacy")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SigstoreWorld]:
    with SigstoreServer() as sigstore:
        store = layout(tmp_path / "ci")
        yield SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        store.close()


def believed(world: SigstoreWorld) -> VerifiedSignature:
    """The one signature, judged by whoever trusts the key and the instance's logs."""
    (found,) = world.by_the_key()
    assert isinstance(found, VerifiedSignature), found
    assert found.not_checked == ()
    return found


def entries(world: SigstoreWorld) -> list[dict[str, Any]]:
    (bundle,) = world.bundles()
    found: list[dict[str, Any]] = bundle["verificationMaterial"].get("tlogEntries", [])
    return found


def test_an_entry_of_the_second_generation_is_in_the_bundle_beside_the_key_and_the_time_stamp(
    world: SigstoreWorld,
) -> None:
    status, out, err = world.by_key(*world.services())
    assert status == 0, err
    assert err == ""
    (signed,) = json.loads(out)["signed"]
    assert [(time["class"], time["source"]) for time in signed["times"]] == [("trusted", "rfc3161")]
    assert signed["signer"] == f"key {world.key.public.fingerprint[:8]}"
    (entry,) = entries(world)
    assert signed["log_entries"] == [{"log": world.sigstore.base, "index": int(entry["logIndex"])}]
    assert entry["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.2"}
    assert [time.source for time in believed(world).times] == [TimeSource.RFC3161]
    assert not world.sigstore.asked(FULCIO)


def test_an_entry_of_the_first_generation_gives_the_time_by_itself(world: SigstoreWorld) -> None:
    status, out, err = world.by_key(*world.services(version=1, tsa=False))
    assert (status, err) == (0, "")
    (signed,) = json.loads(out)["signed"]
    assert [(time["class"], time["source"]) for time in signed["times"]] == [("trusted", "rekor")]
    (entry,) = entries(world)
    assert entry["kindVersion"] == {"kind": "dsse", "version": "0.0.1"}
    assert [time.source for time in believed(world).times] == [TimeSource.REKOR]


def test_a_log_without_times_and_no_authority_is_said_to_prove_none(world: SigstoreWorld) -> None:
    status, _, err = world.by_key(*world.services(tsa=False))
    assert status == 0
    assert "no proven time" in err
    assert believed(world).times == ()


@pytest.mark.parametrize("generations", [(2,), (1,), (2, 1)])
def test_an_address_alone_is_enough_to_find_out_the_generation(
    world: SigstoreWorld, generations: tuple[int, ...]
) -> None:
    world.sigstore.generations = generations
    status, _, err = world.by_key(*world.addresses())
    assert status == 0, err
    assert len(entries(world)) == 1
    assert len(believed(world).times) == 1 + (generations == (1,))


def test_several_logs_each_have_an_entry(world: SigstoreWorld) -> None:
    status, out, err = world.by_key(*world.addresses(), "--rekor-url", world.sigstore.base)
    assert status == 0, err
    (signed,) = json.loads(out)["signed"]
    assert [each["index"] for each in signed["log_entries"]] == [2, 3]
    assert len(entries(world)) == 2
    believed(world)


def test_no_log_means_none_and_the_authorities_of_the_config_stamp(world: SigstoreWorld) -> None:
    status, out, err = world.by_key(*world.services(), "--no-log")
    assert status == 0, err
    assert not world.sigstore.asked(REKOR)
    assert entries(world) == []
    (signed,) = json.loads(out)["signed"]
    assert signed["log_entries"] == []
    assert len(signed["times"]) == 1


def test_a_trusted_root_alone_proves_the_time_of_the_stamp(world: SigstoreWorld) -> None:
    root = world.services()[2:4]
    status, out, err = world.by_key(*root, "--tsa", world.sigstore.base + TSA)
    assert status == 0, err
    (signed,) = json.loads(out)["signed"]
    assert [time["class"] for time in signed["times"]] == ["trusted"]
    assert not world.sigstore.asked(REKOR)


def test_an_attestation_by_key_is_logged_too(world: SigstoreWorld) -> None:
    (world.path / "predicate.json").write_text("{}")
    said = ("--type", "https://acme.test/review/v1", "--predicate", str(world.path / "predicate.json"))
    status, _, err = world.by_key(*world.services(), *said, command="attest")
    assert status == 0, err
    assert len(entries(world)) == 1
    assert believed(world).kind is Kind.ATTESTATION


KEYS: dict[str, Callable[[], Any]] = {
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_other_kinds_are_logged_by_their_own_digest(world: SigstoreWorld, kind: str, version: int) -> None:
    world.key = Key(KEYS[kind]())
    status, _, err = world.by_key(*world.services(version=version))
    assert status == 0, err
    believed(world)


def test_ed25519_goes_into_a_log_that_takes_whole_envelopes_and_no_other(world: SigstoreWorld) -> None:
    world.key = Key(ed25519.Ed25519PrivateKey.generate())
    for version, form in ((2, ()), (0, ()), (1, LEGACY)):
        asked = world.services(version=version) if version else world.addresses()
        status, _, err = world.by_key(*asked, *form)
        assert (status, world.nothing_attached()) == (2, True)
        assert "a pure Ed25519 signature" in err
    assert not world.sigstore.asked(REKOR)
    assert world.by_key(*world.services(version=1))[0] == 0
    believed(world)


def test_a_kind_of_key_that_the_log_has_no_name_for_is_wrong_usage(world: SigstoreWorld) -> None:
    world.key = Key(rsa.generate_private_key(65537, 2560))
    status, _, err = world.by_key(*world.services())
    assert (status, world.nothing_attached()) == (2, True)
    assert "takes no rsa2560 keys" in err


# --- cosign's legacy format -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tsa", [False, True])
def test_a_legacy_signature_has_the_promise_of_the_log_in_its_annotation(world: SigstoreWorld, *, tsa: bool) -> None:
    status, out, err = world.by_key(*world.services(version=1, tsa=tsa), *LEGACY)
    assert status == 0, err
    (signed,) = json.loads(out)["signed"]
    assert len(signed["log_entries"]) == 1
    (evidence,) = world.evidence()
    assert set(json.loads(evidence.layer.annotation(BUNDLE_ANNOTATION) or "")) == {"SignedEntryTimestamp", "Payload"}
    sources = {time.source for time in believed(world).times}
    assert sources == {TimeSource.REKOR, *([TimeSource.RFC3161] if tsa else [])}


def test_a_legacy_attestation_has_it_too(world: SigstoreWorld) -> None:
    (world.path / "predicate.json").write_text("{}")
    said = ("--type", "https://acme.test/review/v1", "--predicate", str(world.path / "predicate.json"))
    status, _, err = world.by_key(*world.services(version=1, tsa=False), *said, *LEGACY, command="attest")
    assert status == 0, err
    assert [time.source for time in believed(world).times] == [TimeSource.REKOR]


def test_a_legacy_signature_that_is_there_without_an_entry_is_made_again_and_once(world: SigstoreWorld) -> None:
    assert world.by_key(*LEGACY)[0] == 0
    asked = (*world.services(version=1, tsa=False), *LEGACY)
    assert json.loads(world.by_key(*asked)[1])["signed"][0]["unchanged"] is False
    assert len(world.evidence()) == 2
    assert json.loads(world.by_key(*asked)[1])["signed"][0]["unchanged"] is True
    assert len(world.sigstore.asked(REKOR_1)) == 1


def test_an_address_is_of_the_first_generation_where_the_format_holds_no_other(world: SigstoreWorld) -> None:
    assert world.by_key(*world.addresses(tsa=False), *LEGACY)[0] == 0
    assert not world.sigstore.asked(REKOR)
    believed(world)


def test_the_legacy_format_takes_one_log_of_the_first_generation(world: SigstoreWorld) -> None:
    for asked in (world.services(), (*world.addresses(), "--rekor-url", world.sigstore.base)):
        status, _, err = world.by_key(*asked, *LEGACY)
        assert (status, world.nothing_attached()) == (2, True)
        assert "the promise of one log of the first generation" in err


# --- services that fail or lie ----------------------------------------------------------------------------------------


def other_root(entry: dict[str, Any]) -> None:
    entry["inclusionProof"]["rootHash"] = "A" * 43 + "="


def stranger(entry: dict[str, Any]) -> None:
    entry["logId"]["keyId"] = "A" * 43 + "="


def of_another(answer: dict[str, Any]) -> None:
    answer["abc123"]["integratedTime"] += 60


FAULTS: list[tuple[str, int, Change, str]] = [
    ("dead", 2, lambda s: s.fault(REKOR, reply=DEAD, times=None), "did not answer, 3 times: it answered 503"),
    ("hangs up", 1, lambda s: s.fault(REKOR_1, close=True, times=None), "did not answer, 3 times"),
    ("refuses", 2, lambda s: s.fault(REKOR, reply=Reply(400, (), b'{"message": "bad"}')), "it answered 400 (bad)"),
    ("a page", 2, lambda s: s.fault(REKOR, reply=Reply(200, (), b"<html>")), "its answer is no entry"),
    ("of another tree", 2, lambda s: s.lies.update({REKOR: other_root}), "log.inclusion"),
    ("of another log", 2, lambda s: s.lies.update({REKOR: stranger}), "does not know (log.unknown_log)"),
    ("another time", 1, lambda s: s.lies.update({REKOR_1: of_another}), "log.promise"),
    (
        "ahead of time",
        1,
        lambda s: s.lies.update({REKOR_1: lambda answer: answer["abc123"].update(integratedTime=4_000_000_000)}),
        "which is not yet",
    ),
    ("authority dead", 2, lambda s: s.fault(TSA, reply=DEAD, times=None), "did not answer, 3 times"),
]


@pytest.mark.parametrize(("version", "fault", "said"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_a_service_that_fails_or_lies_leaves_nothing_attached(
    world: SigstoreWorld, version: int, fault: Change, said: str
) -> None:
    options = world.services(version=version)
    fault(world.sigstore)
    status, _, err = world.by_key(*options)
    assert (status, world.nothing_attached()) == (3, True)
    assert said in " ".join(err.split())


def test_an_entry_about_another_signature_is_not_attached(world: SigstoreWorld) -> None:
    options = world.services()
    other: list[dict[str, Any]] = []

    def swap(entry: dict[str, Any]) -> None:
        other.append(dict(entry))
        entry.update(other[0])

    world.sigstore.lies[REKOR] = swap
    assert world.by_key(*options)[0] == 0
    status, _, err = world.by_key(*options)
    assert (status, len(world.evidence())) == (3, 1)
    assert "log.inconsistent" in err


def test_a_fault_that_passes_is_no_failure(world: SigstoreWorld) -> None:
    options = world.services()
    for path in (REKOR, TSA):
        world.sigstore.fault(path, reply=DEAD)
    assert world.by_key(*options)[0] == 0
    believed(world)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rekor-url", "https://r"), "needs --trusted-root FILE, which knows the key of the log"),
        (("--rekor-url", "https://r", "--trusted-root", "does-not-exist"), "cannot read the trusted root"),
        (("--rekor-url", "https://r", "--signing-config", "c"), "leave out --fulcio-url and --rekor-url"),
        (("--rekor-url", "http://r", "--trusted-root", "ROOT"), "http"),
        (("--rekor-url", "https://r", "--trusted-root", "EMPTY"), "knows no transparency log"),
        (("--signing-config", "does-not-exist"), "cannot read the signing config"),
    ],
)
def test_what_lacks_a_part_is_refused_before_anything_is_signed(
    world: SigstoreWorld, arguments: tuple[str, ...], said: str
) -> None:
    world.services()
    (world.path / "empty.json").write_text(json.dumps(world.sigstore.instance.document(tlogs=[])))
    files = {"ROOT": str(world.path / "trusted_root.json"), "EMPTY": str(world.path / "empty.json")}
    status, _, err = world.by_key(*(files.get(each, each) for each in arguments))
    assert (status, world.nothing_attached()) == (2, True)
    assert said in " ".join(err.split())
    assert not world.sigstore.requests


@pytest.mark.parametrize("option", ["--rekor-url", "--signing-config", "--trusted-root"])
def test_an_envelope_of_notary_holds_no_entry(world: SigstoreWorld, option: str) -> None:
    notary = ("--notary-key", "k", "--notary-chain", "c")
    status, _, err = world.command("sign", *notary, option, "https://r", world.name)
    assert status == 2
    assert "holds no log entry" in err
