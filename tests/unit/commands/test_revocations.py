"""Revocation, asked for real: over a server that answers, lies, is slow, or is not there."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.gather import gather
from imgtrust.commands.pushing import push_attachment
from imgtrust.commands.revocations import ask_about, open_responders
from imgtrust.content import describe
from imgtrust.formats.attachments import artifact_attachment
from imgtrust.reference import Reference
from imgtrust.refusals import RefusalCode
from imgtrust.signers import der
from imgtrust.signers.keyfile import write_pkcs8
from imgtrust.stores.revocation import ResponderOptions, Responders
from imgtrust.trust.notary.answers import NONE
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.memory import MemoryStore
from tests.simulators.notaryenvelopes import AT, JWS, evidence, jws, notary, payload, trusting
from tests.simulators.pki import authority, leaf, odd_leaf
from tests.simulators.revocation import Server, listed, said
from tests.unit.cli.test_commands import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.rules.facts import SubjectFacts
    from tests.simulators.pki import Certified

ROOT = authority()
NAME = der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tagged(0x0C, b"\xff"))]))
"""A name that is no UTF-8."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def judged(signer: Certified, mode: str, responders: Responders | None, **target: Any) -> SubjectFacts:
    """The facts about an image with one Notary signature; ``target`` changes what it says that it is of."""
    store = MemoryStore()
    root = push(store, image(), "1.0")
    body = payload(**{"digest": str(root.digest), "size": root.size, "mediaType": root.media_type, **target})
    data = jws((signer, ROOT), body=body)
    attached = artifact_attachment(
        root, "application/vnd.cncf.notary.signature", [(describe(data, JWS), data)], annotations={}, created=AT
    )
    push_attachment(store, attached)
    trust = trusting(notary(ROOT, revocation=mode))
    return gather(store, Reference(store.repository, "1.0"), root, trust, at=AT, responders=responders).root


def asking(cache: Path | None = None) -> Responders:
    return Responders(ResponderOptions(cache, answer_timeout=0.3, list_timeout=0.3, clock=lambda: AT))


def test_the_size_that_was_signed_is_that_of_the_manifest() -> None:
    signer = leaf(ROOT)
    assert judged(signer, "skip", None).signatures
    assert [each.code for each in judged(signer, "skip", None, size=1).refusals] == [RefusalCode.NOTARY_SUBJECT]
    other = judged(signer, "skip", None, mediaType="application/vnd.docker.distribution.manifest.v2+json")
    assert [each.code for each in other.refusals] == [RefusalCode.NOTARY_SUBJECT]


def test_who_answers_decides(server: Server) -> None:
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),), crl=(server.url("/crl"),))
    server.answers["/ocsp"] = said(signer, ROOT)
    assert [each.signers for each in judged(signer, "enforce", asking()).signatures] == [("acme",)]
    server.answers["/ocsp"] = said(signer, ROOT, revoked_at=AT)
    for mode, codes in (("enforce", [RefusalCode.NOTARY_REVOKED]), ("log", []), ("skip", [])):
        facts = judged(signer, mode, asking())
        assert [each.code for each in facts.refusals] == codes
        assert bool(facts.signatures) is (codes == [])
        assert facts.unread == ()


def test_who_cannot_be_reached_is_could_not_tell_under_enforce_and_said_under_log(server: Server) -> None:
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),), crl=(server.url("/crl"),))
    server.loopback.fault("/ocsp", times=None, delay=0.5)
    server.loopback.fault("/crl", times=None, close=True)
    facts = judged(signer, "enforce", asking())
    assert (facts.signatures, facts.refusals) == ((), ())
    (unread,) = facts.unread
    assert unread.what.startswith("the signature sha256:")
    assert server.url("/ocsp") in unread.reason
    assert server.url("/crl") in unread.reason
    facts = judged(signer, "log", asking())
    assert [note for each in facts.signatures for note in each.not_checked if "could not be checked" in note]
    assert facts.unread == ()


def test_nobody_is_asked_where_nobody_may_be(server: Server) -> None:
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),))
    assert [each.what[:13] for each in judged(signer, "enforce", None).unread] == ["the signature"]
    assert judged(signer, "skip", asking()).signatures
    assert server.loopback.requests == []


def test_an_answer_that_lies_is_could_not_tell(server: Server) -> None:
    other = authority()
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),), crl=(server.url("/crl"),))
    server.answers["/ocsp"] = said(signer, ROOT, by=other)
    server.answers["/crl"] = listed(ROOT, by=other)
    assert len(judged(signer, "enforce", asking()).unread) == 1
    server.loopback.fault("/ocsp", times=None, reply=Reply(200, (), b"<html>"))
    assert len(judged(signer, "enforce", asking()).unread) == 1


def test_the_list_is_asked_for_where_the_responder_fails_and_is_kept(server: Server, tmp_path: Path) -> None:
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),), crl=(server.url("/crl"),), delta=(server.url("/delta"),))
    server.answers["/crl"] = listed(ROOT)
    server.answers["/delta"] = listed(ROOT, base=7, number=8)
    for _ in range(2):
        assert judged(signer, "enforce", asking(tmp_path)).signatures
    assert [request.path for request in server.loopback.requests] == ["/ocsp", "/crl", "/delta", "/ocsp"]
    server.answers["/delta"] = listed(ROOT, signer, base=7, number=9)
    stale = Responders(ResponderOptions(tmp_path, clock=lambda: AT + timedelta(hours=2)))
    assert judged(signer, "enforce", stale).unread
    assert [each.code for each in judged(signer, "enforce", asking()).refusals] == [RefusalCode.NOTARY_REVOKED]


def test_many_signatures_by_one_certificate_ask_once(server: Server) -> None:
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),))
    server.answers["/ocsp"] = said(signer, ROOT)
    candidates = [evidence(jws((signer, ROOT), body=payload(annotations={"n": str(n)}))) for n in range(20)]
    trust = trusting(notary(ROOT, revocation="enforce"))
    found = ask_about(candidates, trust, asking(), at=AT)
    assert len(found.answers) == len(server.loopback.requests) == 1


def test_each_signature_is_asked_about_until_it_has_its_answer(server: Server) -> None:
    first = leaf(ROOT, ocsp=(server.url("/1"),))
    second = leaf(ROOT, ocsp=(server.url("/dead"), server.url("/dead2")), crl=(server.url("/2"),))
    server.answers.update({"/1": said(first, ROOT), "/2": listed(ROOT)})
    candidates = [evidence(b"{}"), evidence(jws((first, ROOT))), evidence(jws((second, ROOT)))]
    found = ask_about(candidates, trusting(notary(ROOT, revocation="enforce")), asking(), at=AT)
    assert [url.rpartition("/")[2] for url, _ in found.answers] == ["1", "dead", "dead2", "2"]


def test_the_proxy_of_the_environment_is_asked(server: Server) -> None:
    signer = leaf(ROOT, crl=("http://ca.invalid/crl",))
    server.answers["/crl"] = listed(ROOT)
    trust = trusting(notary(ROOT, revocation="enforce"))
    ask_about(
        [evidence(jws((signer, ROOT)))], trust, open_responders(trust, {"http_proxy": server.loopback.base}), at=AT
    )
    assert [request.headers["host"] for request in server.loopback.requests] == ["ca.invalid"]


def test_nothing_is_opened_where_nothing_is_asked() -> None:
    assert open_responders(trusting(), {}) is None
    assert open_responders(trusting(notary(ROOT, revocation="skip")), {}) is None
    assert isinstance(open_responders(trusting(notary(ROOT, revocation="log")), {}), Responders)
    assert ask_about([], trusting(), asking(), at=AT) is NONE
    assert ask_about([evidence(b"")], replace(trusting(), notary=()), None, at=AT) is NONE


def test_a_bad_signature_beside_a_good_one_neither_stops_nor_hides_it(server: Server) -> None:
    store = MemoryStore()
    root = push(store, image(), "1.0")
    body = payload(digest=str(root.digest), size=root.size, mediaType=root.media_type)
    odd = odd_leaf(lambda members: [*members[:3], NAME, members[4], NAME, *members[6:]])
    unsure = leaf(ROOT, ocsp=(server.url("/dead"),))
    good = leaf(ROOT, ocsp=(server.url("/good"),))
    revoked = leaf(ROOT, ocsp=(server.url("/revoked"),))
    server.answers.update({"/good": said(good, ROOT), "/revoked": said(revoked, ROOT, revoked_at=AT)})
    envelopes = [jws((odd,), body=body), b"", *(jws((each, ROOT), body=body) for each in (unsure, revoked, good))]
    for data in envelopes:
        layers = [(describe(data, JWS), data)]
        attached = artifact_attachment(
            root, "application/vnd.cncf.notary.signature", layers, annotations={}, created=AT
        )
        push_attachment(store, attached)
    trust = trusting(notary(ROOT, revocation="enforce"))
    facts = gather(store, Reference(store.repository, "1.0"), root, trust, at=AT, responders=asking()).root
    assert [each.signers for each in facts.signatures] == [("acme",)]
    assert sorted(each.code for each in facts.refusals) == [
        RefusalCode.NOTARY_CHAIN,
        RefusalCode.NOTARY_MALFORMED,
        RefusalCode.NOTARY_REVOKED,
    ]
    assert [server.url("/dead") in each.reason for each in facts.unread] == [True]


def test_a_command_that_reaches_no_responder_ends_in_could_not_tell(server: Server, tmp_path: Path) -> None:
    signer = leaf(ROOT, ocsp=(server.url("/ocsp"),))
    with contextlib.chdir(tmp_path):
        Path("acme.key").write_bytes(write_pkcs8(signer.key, b"pw"))
        Path("acme.pem").write_bytes(signer.pem + ROOT.pem)
        Path("root.pem").write_bytes(ROOT.pem)
        store = layout(tmp_path / "build")
        push(store, image(), "1")
        store.close()
        shell = Shell({"LANG": "C.UTF-8", "IMGTRUST_PASSPHRASE": "pw"})
        shell("sign", "--notary-key", "acme.key", "--notary-chain", "acme.pem", "oci:build:1")
        verify = ("verify", "--notary-roots", "root.pem", "--notary-identity", "*", "oci:build:1")
        report = shell.json(*verify, status=3)
        assert report["outcome"] == "undecided"
        assert server.url("/ocsp") in json.dumps(report)
        logged = shell.json(*verify, "--revocation", "log")
        assert "could not be checked" in json.dumps(logged["images"][0]["signatures"])
        shell(*verify, "--revocation", "skip")
        now = datetime.now(UTC)
        window: dict[str, Any] = {"this_update": now - timedelta(minutes=1), "next_update": now + timedelta(hours=1)}
        server.answers["/ocsp"] = said(signer, ROOT, **window)
        assert shell.json(*verify)["outcome"] == "accepted"
        server.answers["/ocsp"] = said(signer, ROOT, revoked_at=now, **window)
        refused = shell.json(*verify, status=1)["images"][0]["refused"]
        assert [each["code"] for each in refused] == [RefusalCode.NOTARY_REVOKED]
