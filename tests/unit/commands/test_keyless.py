"""Signing as an identity: what is attached when all goes well, and that nothing is when a service is slow or lies."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.evidence import Kind
from imgtrust.trust.times import TimeSource
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.sigstoreserver import FULCIO, ISSUER, PERSON, REKOR, REKOR_1, TSA, SigstoreServer, token
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
        yield SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        store.close()


def test_a_signature_has_its_certificate_its_log_entry_and_its_time_stamp(world: SigstoreWorld) -> None:
    status, out, err = world.run(*world.sigstore.write(world.path))
    assert status == 0, err
    (signed,) = json.loads(out)["signed"]
    assert signed["signer"] == f"{PERSON} ({ISSUER})"
    assert [(time["class"], time["source"]) for time in signed["times"]] == [("trusted", "rfc3161")]
    (believed,) = world.believed()
    assert (believed.kind, believed.identity) == (Kind.SIGNATURE, f"{PERSON} ({ISSUER})")


def test_a_log_of_the_first_generation_promises_the_time_by_itself(world: SigstoreWorld) -> None:
    status, _, err = world.run(*world.sigstore.write(world.path, version=1, tsa=False))
    assert status == 0, err
    (believed,) = world.believed()
    assert [time.source for time in believed.times] == [TimeSource.REKOR]


def test_an_entry_that_the_first_generation_has_already_is_fetched(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path, version=1, tsa=False)
    known = Reply(409, (("Location", f"{REKOR_1}/abc123"),), b"{}")
    world.sigstore.fault(f"^{REKOR_1}$", change=lambda _: known)
    assert world.run(*options)[0] == 0
    assert world.believed()


def test_a_conflict_without_a_place_is_no_entry(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path, version=1, tsa=False)
    world.sigstore.fault(f"^{REKOR_1}$", reply=Reply(409))
    status, _, err = world.run(*options)
    assert (status, world.nothing_attached()) == (3, True)
    assert "does not say where" in err


@pytest.mark.parametrize("generations", [(2,), (1,), (2, 1)])
def test_the_generation_of_a_log_that_is_named_by_its_address_is_found_out(
    world: SigstoreWorld, generations: tuple[int, ...]
) -> None:
    world.sigstore.write(world.path)
    world.sigstore.generations = generations
    base = world.sigstore.base
    where = ("--fulcio-url", base, "--rekor-url", base, "--tsa", base + TSA)
    root = ("--trusted-root", str(world.path / "trusted_root.json"), "--identity-token", str(world.path / "token"))
    status, _, err = world.run(*where, *root)
    assert status == 0, err
    assert world.believed()


def test_several_authorities_each_stamp(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path)
    tsa = world.sigstore.base + TSA
    assert world.run(*options, "--tsa", tsa, "--tsa", tsa)[0] == 0
    (believed,) = world.believed()
    assert len(believed.times) == 2


def test_without_a_log_nothing_is_logged(world: SigstoreWorld) -> None:
    assert world.run(*world.sigstore.write(world.path), "--no-log")[0] == 0
    assert not world.sigstore.asked(REKOR)
    assert not world.believed()
    assert world.believed(log=False)


def test_an_attestation_is_signed_as_an_identity_too(world: SigstoreWorld) -> None:
    (world.path / "predicate.json").write_text("{}")
    said = ("--type", "https://acme.test/review/v1", "--predicate", str(world.path / "predicate.json"))
    status, _, err = world.run(*world.sigstore.write(world.path), *said, command="attest")
    assert status == 0, err
    (believed,) = world.believed()
    assert believed.kind is Kind.ATTESTATION


def test_one_certificate_does_for_several_images_while_it_is_good(world: SigstoreWorld) -> None:
    push(world.store, image("second"), "2")
    status, _, err = world.run(*world.sigstore.write(world.path), f"{world.store.repository}:2")
    assert status == 0, err
    assert len(world.sigstore.asked(FULCIO)) == 1
    assert len(world.sigstore.asked(REKOR)) == 2


def test_a_certificate_that_is_about_to_expire_is_not_used_again(world: SigstoreWorld) -> None:
    push(world.store, image("second"), "2")
    world.sigstore.issuing["lasting"] = timedelta(seconds=90)
    status, _, err = world.run(*world.sigstore.write(world.path), f"{world.store.repository}:2")
    assert status == 0, err
    assert len(world.sigstore.asked(FULCIO)) == 2


def test_the_token_may_stand_in_the_variable_of_sigstore(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path)[:4]
    assert world.run(*options, SIGSTORE_ID_TOKEN=token())[0] == 0
    assert world.run(*options, "--identity-token", "env://MINE", MINE=token())[0] == 0


FAULTS: list[tuple[str, Change, str]] = [
    ("fulcio dead", lambda s: s.fault(FULCIO, reply=DEAD, times=None), "did not answer, 3 times: it answered 503"),
    ("fulcio hangs up", lambda s: s.fault(FULCIO, close=True, times=None), "did not answer, 3 times"),
    ("rekor dead", lambda s: s.fault(REKOR, reply=DEAD, times=None), "did not answer, 3 times: it answered 503"),
    ("tsa dead", lambda s: s.fault(TSA, reply=DEAD, times=None), "did not answer, 3 times"),
    (
        "fulcio refuses",
        lambda s: s.fault(FULCIO, reply=Reply(403, (), b'{"message": "no\\u0007 such issuer"}')),
        "it answered 403 (no such issuer)",
    ),
    ("fulcio page", lambda s: s.fault(FULCIO, reply=Reply(200, (), b"<html>")), "no certificate with an SCT"),
    ("fulcio huge", lambda s: s.fault(FULCIO, reply=Reply(200, (), bytes(300_000))), "more than 262144 bytes"),
    ("fulcio other key", lambda s: setattr(s, "another_key", True), "is for another key"),
    ("fulcio other issuer", lambda s: s.issuing.update(issuer_v1="x", issuer_v2="x"), "its issuer is 'x'"),
    ("fulcio no issuer", lambda s: s.issuing.update(issuer_v1=None, issuer_v2=None), "it names nobody"),
    ("fulcio no SCT", lambda s: s.issuing.update(timestamps=lambda *_: ()), "does not verify (certificate.sct"),
    ("rekor refuses", lambda s: s.fault(REKOR, reply=Reply(400, (), b'{"message": "bad"}')), "it answered 400 (bad)"),
    ("rekor page", lambda s: s.fault(REKOR, reply=Reply(200, (), b"[]")), "its answer is no entry"),
    ("rekor other tree", lambda s: s.lies.update({REKOR: _other_root}), "log.inclusion"),
    ("rekor stranger", lambda s: s.lies.update({REKOR: _stranger}), "log.unknown"),
    ("tsa of somebody else", lambda s: s.fault(TSA, reply=Reply(200, (), b"0\x03\x02\x01\x00")), "gave no token"),
]


def _other_root(entry: dict[str, Any]) -> None:
    entry["inclusionProof"]["rootHash"] = "A" * 43 + "="


def _stranger(entry: dict[str, Any]) -> None:
    entry["logId"]["keyId"] = "A" * 43 + "="


@pytest.mark.parametrize(("fault", "said"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_a_service_that_fails_or_lies_leaves_nothing_attached(world: SigstoreWorld, fault: Change, said: str) -> None:
    options = world.sigstore.write(world.path)
    fault(world.sigstore)
    status, _, err = world.run(*options)
    assert (status, world.nothing_attached()) == (3, True)
    assert said in " ".join(err.split())
    assert token()[:40] not in err


def test_a_certificate_for_somebody_else_is_not_used(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path)
    world.sigstore.issuing["names"] = (_mail("stranger@acme.test"),)
    status, _, err = world.run(*options)
    assert (status, world.nothing_attached()) == (3, True)
    assert "it is for 'stranger@acme.test'" in err
    assert not world.sigstore.asked(REKOR)


def _mail(name: str) -> object:
    from cryptography import x509  # noqa: PLC0415 - only here

    return x509.RFC822Name(name)


def test_a_fault_that_passes_is_no_failure(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path)
    for path in (FULCIO, REKOR, TSA):
        world.sigstore.fault(path, reply=DEAD)
    assert world.run(*options)[0] == 0
    assert world.believed()


def test_a_log_whose_clock_is_ahead_is_not_believed(world: SigstoreWorld) -> None:
    options = world.sigstore.write(world.path, version=1, tsa=False)
    world.sigstore.lies[REKOR_1] = lambda answer: answer["abc123"].update(integratedTime=4_000_000_000)
    status, _, err = world.run(*options)
    assert (status, world.nothing_attached()) == (3, True)
    assert "which is not yet" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--key", "release.key"), "--keyless and --key exclude each other"),
        (("--format", "cosign-legacy"), "--keyless makes bundles"),
        (("--signing-config", "c", "--rekor-url", "https://r"), "leave out --fulcio-url and --rekor-url"),
        (("--fulcio-url", "https://f"), "--fulcio-url without a log"),
        (("--rekor-url", "https://r", "--tsa", "https://t"), "needs a certificate authority"),
        (("--fulcio-url", "https://f", "--no-log"), "nothing would prove when this was signed"),
        (("--fulcio-url", "https://f", "--no-log", "--tsa", "https://t"), "needs its --trusted-root FILE"),
        (("--signing-config", "does-not-exist"), "cannot read the signing config"),
        (("--identity-token", "eyJhbGciOi.eyJpc3Mi.c2ln"), "arguments can be read by everybody"),
        (("--identity-token", "does-not-exist"), "no identity token"),
    ],
)
def test_what_cannot_go_together_is_wrong_usage(world: SigstoreWorld, arguments: tuple[str, ...], said: str) -> None:
    status, _, err = world.run(*arguments)
    assert (status, world.nothing_attached()) == (2, True)
    assert said in " ".join(err.split())
    assert "eyJ" not in err


@pytest.mark.parametrize("option", ["--identity-token", "--fulcio-url"])
def test_options_of_an_identity_do_not_go_with_a_key(world: SigstoreWorld, option: str) -> None:
    status, _, err = world.by_key(option, "x")
    assert status == 2
    assert f"{option} goes with --keyless" in err


def test_where_an_entry_is_logged_is_told(world: SigstoreWorld) -> None:
    status, out, err = world.command("sign", "--keyless", *world.sigstore.write(world.path), world.name)
    assert status == 0, err
    assert f"logged as number 2 in {world.sigstore.base}" in " ".join(out.split())
    (signed,) = json.loads(world.run(*world.sigstore.write(world.path))[1])["signed"]
    assert signed["log_entries"] == [{"log": world.sigstore.base, "index": 3}]


SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}]}


def sbom(world: SigstoreWorld, *arguments: str) -> tuple[int, str, str]:
    (world.path / "app.cdx.json").write_text(json.dumps(SBOM))
    file = ("--file", str(world.path / "app.cdx.json"))
    return world.command("sbom", "attach", world.name, *file, *arguments, "-o", "json")


def test_an_sbom_is_signed_as_an_identity_too(world: SigstoreWorld) -> None:
    status, out, err = sbom(world, "--keyless", *world.sigstore.write(world.path))
    assert status == 0, err
    document = json.loads(out)
    assert len(document["attached"]) == 1
    (signed,) = document["signed"]
    assert signed["signer"] == f"{PERSON} ({ISSUER})"
    assert signed["log_entries"]
    (believed,) = world.believed()
    assert believed.statement is not None
    assert (believed.kind, believed.statement.predicate) == (Kind.ATTESTATION, SBOM)


@pytest.mark.parametrize("path", [FULCIO, REKOR, TSA])
def test_an_sbom_that_cannot_be_signed_is_not_attached_at_all(world: SigstoreWorld, path: str) -> None:
    options = world.sigstore.write(world.path)
    world.sigstore.fault(path, reply=DEAD, times=None)
    status, out, err = sbom(world, "--keyless", *options)
    assert status == 3
    assert json.loads(out).get("attached", []) == []
    assert "did not answer, 3 times" in err
    assert not list(world.store.referrers(world.root))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keyless", "--key", "k"), "--keyless and --key exclude each other"),
        (("--keyless", "--format", "cosign-legacy"), "--keyless makes bundles"),
        (("--rekor-url", "https://r"), "nothing to sign with: give --key KEY or --keyless"),
        (("--no-log",), "nothing to sign with"),
        (("--identity-token", "t"), "--identity-token goes with --keyless"),
    ],
)
def test_an_sbom_is_not_attached_by_options_that_cannot_go_together(
    world: SigstoreWorld, arguments: tuple[str, ...], said: str
) -> None:
    status, _, err = sbom(world, *arguments)
    assert status == 2
    assert said in " ".join(err.split())
    assert not list(world.store.referrers(world.root))
