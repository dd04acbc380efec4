"""Judging by name: which failure is "no", which is "could not tell", and that they are never mixed up."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from imgtrust.commands.judge import judge_many, judge_name, judge_reference
from imgtrust.commands.passing import Passing
from imgtrust.errors import InvalidReference, NoImages, StoreUnavailable
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Digest, LayoutRepository, Reference
from imgtrust.rules.facts import IntegrityMode
from imgtrust.stores import StoreOptions, open_store
from imgtrust.stores.registry import RegistryStore
from tests.simulators.gate import NOON, NoWaiting, Publisher, judged_by, layout
from tests.simulators.images import image, index, push
from tests.simulators.loopback import Reply
from tests.simulators.memory import MemoryStore
from tests.simulators.registry import DOCKER_REGISTRY, Behaviour, RegistrySimulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict

RELEASE: Final = Publisher("release")
OTHER: Final = Publisher("other")
ONE: Final = image("one")
OPTIONS: Final = StoreOptions(timeout=5.0)
HTML: Final = Reply(200, (("Content-Type", "text/html"),), b"<html>Please log in</html>")


@pytest.fixture(params=[Behaviour(), DOCKER_REGISTRY], ids=["with referrers", "without referrers"])
def registry(request: pytest.FixtureRequest) -> Iterator[RegistrySimulator]:
    with RegistrySimulator(request.param) as simulator:
        yield simulator


def filled(registry: RegistrySimulator, *, signed: bool = True, legacy: bool = False) -> str:
    """Put an image in and give its name."""
    name = f"{registry.host}/team/app:1"
    with closing(open_store(Reference.parse(name).repository, StoreOptions())) as store:
        root = push(store, ONE, "1")
        if signed:
            RELEASE.sign(store, root, legacy=legacy)
    return name


def judged(name: str, **more: Any) -> Verdict:
    reference = Reference.parse(name)
    if isinstance(reference.repository, LayoutRepository):
        return judge_name(name, judged_by(RELEASE), OPTIONS, at=NOON, **more)
    with closing(RegistryStore(reference.repository, OPTIONS, waiter=NoWaiting())) as store:
        return judge_reference(store, reference, judged_by(RELEASE), at=NOON, name=name, **more)


def failing_rules(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.findings if finding.outcome == "fail"}


def test_a_signed_image_is_accepted(registry: RegistrySimulator) -> None:
    verdict = judged(filled(registry))
    assert (verdict.outcome, verdict.digest) == (Outcome.ACCEPTED, ONE.digest)


def test_an_unsigned_image_is_rejected(registry: RegistrySimulator) -> None:
    verdict = judged(filled(registry, signed=False))
    assert (verdict.outcome, failing_rules(verdict)) == (Outcome.REJECTED, {"signatures"})


MANIFEST: Final = "/manifests/(1|sha256:[0-9a-f]+)$"
COULD_NOT_TELL: Final[dict[str, dict[str, Any]]] = {
    "401": {"path": MANIFEST, "reply": Reply(401, (("WWW-Authenticate", 'Basic realm="x"'),))},
    "403": {"path": MANIFEST, "reply": Reply(403)},
    "429": {"path": MANIFEST, "reply": Reply(429)},
    "429 with Retry-After": {"path": MANIFEST, "reply": Reply(429, (("Retry-After", "3600"),))},
    "500": {"path": MANIFEST, "reply": Reply(500)},
    "503": {"path": MANIFEST, "reply": Reply(503)},
    "HTML for a manifest": {"path": MANIFEST, "reply": HTML},
    "a short body": {"path": MANIFEST, "change": lambda reply: replace(reply, cut=20)},
    "a closed connection": {"path": MANIFEST, "close": True},
    "503 for a layer": {"path": "/blobs/", "reply": Reply(503)},
    "403 for a layer": {"path": "/blobs/", "reply": Reply(403)},
    "a layer cut short": {"path": "/blobs/", "change": lambda reply: replace(reply, cut=5)},
    "a realm on another host over http": {
        "path": MANIFEST,
        "reply": Reply(401, (("WWW-Authenticate", 'Bearer realm="http://evil.example/token",service="x"'),)),
    },
}


@pytest.mark.parametrize("cause", COULD_NOT_TELL)
def test_a_registry_that_cannot_answer_is_never_a_no(registry: RegistrySimulator, cause: str) -> None:
    name = filled(registry)
    registry.fault(times=None, **COULD_NOT_TELL[cause])
    verdict = judged(name)
    assert verdict.outcome is Outcome.UNDECIDED
    assert not verdict.not_found
    assert registry.host in (verdict.error or "")


@pytest.mark.parametrize("cause", ["403", "429", "500", "HTML for a manifest", "a short body", "a closed connection"])
def test_evidence_that_cannot_be_listed_is_not_unsigned(registry: RegistrySimulator, cause: str) -> None:
    name = filled(registry)
    places = r"/referrers/|/manifests/sha256-[0-9a-f]{64}"
    registry.fault(times=None, **{**COULD_NOT_TELL[cause], "path": places})
    verdict = judged(name)
    assert verdict.outcome is Outcome.UNDECIDED
    assert {finding.outcome for finding in verdict.findings if finding.rule == "signatures"} == {"unknown"}


def test_evidence_that_cannot_be_listed_does_not_matter_where_the_rest_is_enough(registry: RegistrySimulator) -> None:
    name = filled(registry, legacy=True)
    registry.fault(r"/referrers/|/manifests/sha256-[0-9a-f]{64}$", times=None, reply=Reply(503))
    assert judged(name).outcome is Outcome.ACCEPTED


def test_a_tag_that_is_not_there_is_neither_yes_nor_no(registry: RegistrySimulator) -> None:
    filled(registry)
    verdict = judged(f"{registry.host}/team/app:none")
    assert (verdict.outcome, verdict.not_found) == (Outcome.UNDECIDED, True)


def test_a_digest_that_is_not_there_is_neither_yes_nor_no(registry: RegistrySimulator) -> None:
    filled(registry)
    verdict = judged(f"{registry.host}/team/app@{Digest.of(b'none')}")
    assert (verdict.outcome, verdict.not_found) == (Outcome.UNDECIDED, True)


def test_other_bytes_under_a_digest_are_a_no(registry: RegistrySimulator) -> None:
    filled(registry)
    held = registry.held("team/app")
    kind, data = held.manifests[str(ONE.digest)]
    held.manifests[str(ONE.digest)] = (kind, data.replace(b"application", b"Application", 1))
    verdict = judged(f"{registry.host}/team/app@{ONE.digest}")
    assert verdict.outcome is Outcome.REJECTED


@pytest.mark.parametrize("damage", ["altered", "longer", "missing"])
@pytest.mark.parametrize("number", [0, 1], ids=["config", "layer"])
def test_a_blob_that_is_not_what_the_manifest_says_is_a_no(
    registry: RegistrySimulator, damage: str, number: int
) -> None:
    name = filled(registry)
    held = registry.held("team/app")
    blob = ONE.blobs[number][0]
    data = held.blobs.pop(str(blob.digest))
    if damage == "altered":
        held.blobs[str(blob.digest)] = data[:-1] + bytes([data[-1] ^ 1])
    if damage == "longer":
        held.blobs[str(blob.digest)] = data + b"\0"
    verdict = judged(name)
    assert (verdict.outcome, failing_rules(verdict)) == (Outcome.REJECTED, {"integrity"})
    assert judged(name, integrity=IntegrityMode.MANIFESTS).outcome is Outcome.ACCEPTED


def test_a_tag_and_a_digest_have_to_agree(registry: RegistrySimulator) -> None:
    name = filled(registry)
    assert judged(f"{name}@{ONE.digest}").outcome is Outcome.ACCEPTED
    verdict = judged(f"{name}@{Digest.of(b'another')}")
    assert verdict.outcome is Outcome.REJECTED
    assert str(ONE.digest) in (verdict.error or "")
    assert verdict.digest == Digest.of(b"another")


@pytest.mark.parametrize("name", ["app:1", "registry.example.com/app", "oci:", "oci:x:y:z", "a b", ""])
def test_a_name_that_cannot_be_read_is_wrong_usage(name: str) -> None:
    with pytest.raises(InvalidReference):
        judge_name(name, judged_by(RELEASE), OPTIONS, at=NOON)


def test_all_names_are_read_before_anything_is_judged(registry: RegistrySimulator) -> None:
    name = filled(registry)
    registry.requests.clear()
    with pytest.raises(InvalidReference):
        judge_many([name, "nonsense"], judged_by(RELEASE), OPTIONS, at=NOON)
    assert registry.requests == []


def test_no_names_at_all_are_never_accepted() -> None:
    with pytest.raises(NoImages):
        judge_many([], judged_by(RELEASE), OPTIONS, at=NOON)


def test_a_layout_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    verdict = judged(f"oci:{tmp_path}/nothing:1")
    assert (verdict.outcome, verdict.not_found) == (Outcome.UNDECIDED, True)


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_many_images_come_in_the_order_of_their_names(tmp_path: Path, jobs: int) -> None:
    with closing(layout(tmp_path / "ci")) as store:
        for number in range(12):
            root = push(store, image(f"number {number}"), f"v{number}")
            if number % 3:
                RELEASE.sign(store, root)
    names = [f"oci:{tmp_path}/ci:v{number}" for number in range(12)]
    verdicts = list(judge_many(names, judged_by(RELEASE), OPTIONS, at=NOON, jobs=jobs))
    assert [verdict.name for verdict in verdicts] == names
    accepted = [verdict.outcome is Outcome.ACCEPTED for verdict in verdicts]
    assert accepted == [bool(number % 3) for number in range(12)]


def test_verdicts_that_nobody_takes_are_not_made(registry: RegistrySimulator) -> None:
    name = filled(registry)
    verdicts = judge_many([name] * 500, judged_by(RELEASE), OPTIONS, at=NOON, jobs=1)
    next(verdicts)
    verdicts.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(registry.asked(f"/blobs/{ONE.blobs[0][0].digest}")) < 50


def test_the_tags_of_a_repository_are_listed_once_for_many_images(registry: RegistrySimulator) -> None:
    repository = f"{registry.host}/team/app"
    with closing(open_store(Reference.parse(f"{repository}:1").repository, StoreOptions())) as store:
        for number in range(10):
            RELEASE.sign(store, push(store, image(f"number {number}"), f"v{number}"), legacy=number == 3)
    registry.requests.clear()
    names = [f"{repository}:v{number}" for number in range(10)]
    verdicts = list(judge_many(names, judged_by(RELEASE), OPTIONS, at=NOON))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.ACCEPTED}
    assert len(registry.asked("/tags/list")) == 1
    assert len(registry.asked(r"/manifests/sha256-.*\.(sig|att|sbom)$")) == 1


@pytest.mark.parametrize("listing", [Reply(200, (("Content-Type", "application/json"),), b'{"tags":[]}'), Reply(403)])
def test_a_list_of_tags_that_is_wrong_never_makes_a_no(registry: RegistrySimulator, listing: Reply) -> None:
    repository = f"{registry.host}/team/app"
    with closing(open_store(Reference.parse(f"{repository}:1").repository, StoreOptions())) as store:
        for number in range(8):
            RELEASE.sign(store, push(store, image(f"number {number}"), f"v{number}"), legacy=True)
    registry.fault("/tags/list", times=None, reply=listing)
    names = [f"{repository}:v{number}" for number in range(8)]
    verdicts = list(judge_many(names, judged_by(RELEASE), OPTIONS, at=NOON))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.ACCEPTED}


class Moving(Passing):
    """A store whose tag is moved to another image right after it was resolved."""

    def __init__(self, store: MemoryStore, after: Descriptor) -> None:
        super().__init__(store)
        self._names = store.names
        self._after = after

    def resolve(self, name: str | Digest) -> Descriptor:
        found = super().resolve(name)
        if isinstance(name, str) and name in self._names:
            self._names[name] = self._after.digest
        return found


def test_a_tag_that_moves_while_the_image_is_judged_changes_nothing() -> None:
    store = MemoryStore()
    good = push(store, index(image("good")), "1")
    RELEASE.sign(store, good)
    evil = push(store, image("evil"))
    verdict = judge_reference(
        Moving(store, evil), Reference(store.repository, "1"), judged_by(RELEASE), at=NOON, jobs=1
    )
    assert (verdict.outcome, verdict.digest) == (Outcome.ACCEPTED, good.digest)
    assert store.resolve("1").digest == evil.digest
    assert store.asked[evil.digest] == 0


def test_a_signature_of_another_key_is_a_no_with_its_code() -> None:
    store = MemoryStore()
    OTHER.sign(store, push(store, ONE, "1"))
    verdict = judge_reference(store, Reference(store.repository, "1"), judged_by(RELEASE), at=NOON)
    assert verdict.outcome is Outcome.REJECTED
    assert verdict.facts is not None
    assert [refusal.code for refusal in verdict.facts.root.refusals] == ["bundle.untrusted_key"]


def test_one_image_that_cannot_be_told_does_not_hold_up_the_others(registry: RegistrySimulator) -> None:
    name = filled(registry)
    missing = f"{registry.host}/team/app:none"
    verdicts = list(judge_many([missing, name, missing, name], judged_by(RELEASE), OPTIONS, at=NOON))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.UNDECIDED, Outcome.ACCEPTED] * 2


def test_a_reference_without_tag_and_digest_names_nothing() -> None:
    verdict = judge_reference(MemoryStore(), Reference(MemoryStore().repository), judged_by(RELEASE), at=NOON)
    assert (verdict.outcome, verdict.not_found) == (Outcome.UNDECIDED, True)


def test_threads_end_with_the_judgement(registry: RegistrySimulator) -> None:
    name = filled(registry)
    list(judge_many([name] * 20, judged_by(RELEASE), OPTIONS, at=NOON))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("judge")]


def test_a_store_that_fails_while_it_is_read_is_undecided() -> None:
    store = MemoryStore()
    RELEASE.sign(store, push(store, ONE, "1"))
    store.failing[ONE.blobs[1][0].digest] = StoreUnavailable("registry.test is away")
    verdict = judge_reference(store, Reference(store.repository, "1"), judged_by(RELEASE), at=NOON)
    assert (verdict.outcome, verdict.error) == (Outcome.UNDECIDED, "registry.test is away")
