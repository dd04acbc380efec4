"""Promotions that meet trouble: what is "no", what is "not finished", and that the same command then goes on."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.passing import Passing
from imgtrust.commands.promotion.planning import MAX_ATTACHED
from imgtrust.commands.promotion.run import Terms, promote_between
from imgtrust.content import Descriptor
from imgtrust.errors import (
    AccessDenied,
    LimitExceeded,
    PromotionRefused,
    StoreError,
    StoreProtocol,
    StoreUnavailable,
    TagConflict,
    Undecided,
)
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Digest, Reference, RegistryRepository
from imgtrust.reports.results import Fate
from imgtrust.stores import StoreOptions
from imgtrust.stores.registry import RegistryStore
from tests.simulators.gate import NOON, NoWaiting, Publisher, judged_by
from tests.simulators.images import artifact, image, index, push
from tests.simulators.loopback import Reply
from tests.simulators.memory import MemoryStore
from tests.simulators.registry import DOCKER_REGISTRY, ECR, Behaviour, RegistrySimulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from imgtrust.reports.results import PromotionResult
    from imgtrust.stores.port import BlobSource, Store

RELEASE = Publisher("release")
OTHER = Publisher("other")
GATE = Publisher("gate")
TWO = index(image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))
LAYER = TWO.children[0].blobs[1][0]


def terms(**more: Any) -> Terms:
    return replace(Terms(judged_by(RELEASE), NOON, lambda: NOON), **more)


def source(*, legacy: bool = False) -> MemoryStore:
    store = MemoryStore("ci/app")
    root = push(store, TWO, "1")
    RELEASE.sign(store, root)
    if legacy:
        RELEASE.sign(store, root, legacy=True)
    return store


def promoted(origin: Store, goal: Store, **more: Any) -> PromotionResult:
    here, there = Reference(origin.repository, "1"), Reference(goal.repository, "1")
    return promote_between(origin, goal, here, there, terms(**more))


@pytest.fixture(params=[Behaviour(), DOCKER_REGISTRY], ids=["with referrers", "without referrers"])
def registry(request: pytest.FixtureRequest) -> Iterator[RegistrySimulator]:
    with RegistrySimulator(request.param) as simulator:
        yield simulator


@pytest.fixture
def goal(registry: RegistrySimulator) -> Iterator[RegistryStore]:
    with closing(at(registry, "prod/app")) as store:
        yield store


def at(registry: RegistrySimulator, path: str) -> RegistryStore:
    return RegistryStore(RegistryRepository(registry.host, path), StoreOptions(), waiter=NoWaiting())


def tags(registry: RegistrySimulator) -> set[str]:
    """The tags of production that are no evidence's."""
    return {tag for tag in registry.held("prod/app").tags if not tag.startswith("sha256-")}


UNFINISHED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "uploads answer 503": ({"path": "/blobs/uploads/", "reply": Reply(503)}, StoreUnavailable),
    "uploads answer 403": ({"path": "/blobs/uploads/", "reply": Reply(403)}, AccessDenied),
    "uploads are hung up": ({"path": "/blobs/uploads/", "method": "PUT", "close": True}, StoreUnavailable),
    "questions for blobs answer 500": ({"path": "/blobs/sha256", "method": "HEAD", "reply": Reply(500)}, StoreError),
    "manifests answer 503": ({"path": "/manifests/sha256:", "method": "PUT", "reply": Reply(503)}, StoreUnavailable),
    "the index answers 403": (
        {"path": f"/manifests/{TWO.digest}", "method": "PUT", "reply": Reply(403)},
        AccessDenied,
    ),
    "the tag answers 503": ({"path": "/manifests/1$", "method": "PUT", "reply": Reply(503)}, StoreUnavailable),
}


@pytest.mark.parametrize("trouble", UNFINISHED)
def test_a_destination_in_trouble_is_not_finished_and_the_same_command_goes_on(
    registry: RegistrySimulator, goal: RegistryStore, tmp_path: Path, trouble: str
) -> None:
    fault, error = UNFINISHED[trouble]
    journal = tmp_path / "journal.jsonl"
    injected = registry.fault(times=None, **fault)
    with pytest.raises(error) as caught:
        promoted(source(), goal, journal=journal)
    assert isinstance(caught.value, Undecided)
    assert str(journal) in "".join(caught.value.__notes__)
    assert tags(registry) == set()
    registry.faults.remove(injected)
    assert promoted(source(), goal, journal=journal).tags == ("1",)
    assert goal.resolve("1").digest == TWO.digest


def test_a_destination_that_cannot_be_read_back_is_undecided_and_gets_no_tag(
    registry: RegistrySimulator, goal: RegistryStore
) -> None:
    registry.fault(f"/blobs/{TWO.children[0].blobs[0][0].digest}", "GET", times=None, reply=Reply(503))
    result = promoted(source(), goal)
    assert result.after is not None
    assert result.after.outcome is Outcome.UNDECIDED
    assert (result.tags, tags(registry)) == ((), set())


def test_a_source_that_fails_in_the_middle_is_not_finished(goal: RegistryStore, registry: RegistrySimulator) -> None:
    origin = source()
    origin.failing[LAYER.digest] = StoreUnavailable("registry.test is away")
    with pytest.raises(StoreUnavailable, match="away"):
        promoted(origin, goal)
    assert tags(registry) == set()


def test_nothing_is_read_twice_and_a_second_time_only_asked_for(
    registry: RegistrySimulator, goal: RegistryStore, tmp_path: Path
) -> None:
    origin, journal = source(), tmp_path / "journal.jsonl"
    layers = [blob.digest for child in TWO.children for blob, _ in child.blobs[1:]]
    promoted(origin, goal, journal=journal)
    assert {origin.asked[digest] for digest in layers} == {1}
    assert not [digest for digest in layers if registry.asked(f"/blobs/{digest}", "GET")]
    origin.asked.clear()
    registry.requests.clear()
    result = promoted(origin, goal, journal=journal)
    assert {item.fate for item in result.done} == {Fate.SKIP}
    assert {origin.asked[digest] for digest in layers} == {0}
    assert not [digest for digest in layers if registry.asked(f"/blobs/{digest}", "GET")]
    for blob in layers:
        assert len(registry.asked(f"/blobs/{blob}", "HEAD")) == 1
    assert not [request for request in registry.requests if request.method not in {"GET", "HEAD"}]


def test_without_a_journal_what_is_there_already_is_read_again(
    registry: RegistrySimulator, goal: RegistryStore
) -> None:
    promoted(source(), goal)
    registry.requests.clear()
    promoted(source(), goal)
    assert len(registry.asked(f"/blobs/{LAYER.digest}", "GET")) == 1


def falsified(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[:-1] + bytes([reply.body[-1] ^ 1]))


def test_a_registry_that_falsifies_a_stored_blob_is_found_out(registry: RegistrySimulator, goal: RegistryStore) -> None:
    promoted(source(), goal)
    del registry.held("prod/app").tags["1"]
    registry.fault(f"/blobs/{LAYER.digest}", "GET", times=None, change=falsified)
    result = promoted(source(), goal)
    assert result.after is not None
    assert result.after.outcome is Outcome.REJECTED
    assert {finding.rule for finding in result.after.findings if finding.outcome == "fail"} == {"integrity"}
    assert tags(registry) == set()


def test_an_old_trusted_root_is_said_of_each_verdict_of_a_promotion(
    registry: RegistrySimulator, goal: RegistryStore
) -> None:
    old = replace(judged_by(RELEASE), vouched=(("root.json", NOON - timedelta(days=1)),))
    result = promoted(source(), goal, judgement=old)
    del registry.held("prod/app").tags["1"]
    registry.fault(f"/blobs/{LAYER.digest}", "GET", times=None, change=falsified)
    refused = promoted(source(), goal, judgement=old)
    for verdict in (result.before, result.after, refused.after):
        assert verdict is not None
        assert [text for text in verdict.not_checked if "root.json is the newest" in text]


def test_a_blob_that_is_false_in_the_registry_is_written_anew(registry: RegistrySimulator, goal: RegistryStore) -> None:
    promoted(source(), goal)
    held = registry.held("prod/app").blobs
    data = held[str(LAYER.digest)]
    held[str(LAYER.digest)] = data[:-1] + bytes([data[-1] ^ 1])
    assert promoted(source(), goal).tags == ("1",)
    assert held[str(LAYER.digest)] == data


def test_false_bytes_under_a_digest_of_evidence_refuse_the_promotion(
    registry: RegistrySimulator, goal: RegistryStore
) -> None:
    origin = source()
    push(origin, artifact(origin.resolve("1"), layers=[("text/plain", b"a note")]))
    promoted(origin, goal)
    del registry.held("prod/app").tags["1"]
    registry.fault(f"/blobs/{Digest.of(b'a note')}", "GET", times=None, change=falsified)
    with pytest.raises(PromotionRefused, match="other bytes"):
        promoted(origin, goal)
    assert tags(registry) == set()


def test_blobs_of_the_same_registry_are_mounted_and_read_back(registry: RegistrySimulator) -> None:
    with closing(at(registry, "ci/app")) as origin, closing(at(registry, "prod/app")) as there:
        RELEASE.sign(origin, push(origin, TWO, "1"))
        registry.requests.clear()
        result = promoted(origin, there)
    assert {item.fate for item in result.done if item.kind == "blob"} == {Fate.MOUNT}
    assert len(registry.asked(f"/prod/app/blobs/{LAYER.digest}", "GET")) == 1
    assert not registry.asked(f"/ci/app/blobs/{LAYER.digest}", "GET")


def test_an_immutable_tag_that_points_there_already_is_success() -> None:
    with RegistrySimulator(replace(ECR, immutable=True)) as registry, closing(at(registry, "prod/app")) as goal:
        assert promoted(source(), goal).tags == ("1",)
        assert promoted(source(), goal).tags == ("1",)


def test_an_immutable_tag_that_points_elsewhere_is_a_conflict_and_stays() -> None:
    with RegistrySimulator(replace(ECR, immutable=True)) as registry, closing(at(registry, "prod/app")) as goal:
        old = push(goal, image("old"), "1")
        with pytest.raises(TagConflict):
            promoted(source(), goal)
        assert goal.resolve("1").digest == old.digest


def test_a_repository_that_has_to_be_made_first_is_named() -> None:
    with (
        RegistrySimulator(ECR) as registry,
        closing(at(registry, "prod/unknown")) as goal,
        pytest.raises(StoreError, match="prod/unknown"),
    ):
        promoted(source(), goal)


@dataclass
class Disturbed(Passing):
    """A destination in which something happens right before the n-th question about a tag, or after a push."""

    store: MemoryStore
    before_resolve: dict[int, Callable[[], object]] = field(default_factory=dict)
    hidden: set[Digest] = field(default_factory=set)
    asked: int = 0

    def __post_init__(self) -> None:
        super().__init__(self.store)

    def resolve(self, name: str | Digest) -> Descriptor:
        if name == "1":
            self.asked += 1
            self.before_resolve.get(self.asked, lambda: None)()
        return super().resolve(name)

    def referrers(self, subject: Descriptor) -> Iterator[Descriptor]:
        return (found for found in super().referrers(subject) if found.digest not in self.hidden)


def test_a_tag_that_somebody_else_moves_meanwhile_is_left_alone() -> None:
    there = MemoryStore("prod/app")
    other = push(there, image("other"))
    disturbed = Disturbed(there, {2: lambda: there.names.update({"1": other.digest})})
    with pytest.raises(TagConflict, match="moved by somebody else"):
        promoted(source(), disturbed)
    assert there.names["1"] == other.digest


def test_a_tag_that_reads_back_otherwise_is_a_conflict() -> None:
    there = MemoryStore("prod/app")
    other = push(there, image("other"))
    disturbed = Disturbed(there, {3: lambda: there.names.update({"1": other.digest})})
    with pytest.raises(TagConflict, match="reads back as"):
        promoted(source(), disturbed)


def test_referrers_that_the_destination_does_not_list_are_not_a_no() -> None:
    origin, there = source(), MemoryStore("prod/app")
    signature = next(iter(origin.referrers(origin.resolve("1"))))
    with pytest.raises(StoreProtocol, match="does not list"):
        promoted(origin, Disturbed(there, hidden={signature.digest}))
    assert there.names == {}


def test_a_referrer_that_lies_about_its_subject_stays_behind() -> None:
    origin, there = source(), MemoryStore("prod/app")
    other = push(origin, image("other"))
    liar = push(origin, artifact(other))
    orphan = push(origin, artifact(None))
    origin.listed += [liar, orphan]
    result = promoted(origin, there)
    assert result.tags == ("1",)
    assert {digest for digest, _ in result.left_behind} == {liar.digest, orphan.digest}
    assert not {liar.digest, orphan.digest} & set(there.manifests)


def test_more_referrers_than_are_promoted_are_said_to_be_too_many() -> None:
    origin = source()
    kind = TWO.descriptor.media_type
    origin.listed += [Descriptor(kind, Digest.of(number.to_bytes(4, "big")), 2) for number in range(MAX_ATTACHED + 1)]
    with pytest.raises(LimitExceeded, match=str(MAX_ATTACHED)):
        promoted(origin, MemoryStore("prod/app"))


class Contested(Passing):
    """A destination where somebody else replaces the tags of cosign, ``times`` times."""

    def __init__(self, store: MemoryStore, others: Descriptor, times: int) -> None:
        super().__init__(store)
        self._names = store.names
        self._others = others
        self._times = times

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        super().tag(tag, descriptor, manifest)
        if tag.endswith(".sig") and self._times:
            self._times -= 1
            self._names[tag] = self._others.digest


def contested(times: int) -> tuple[MemoryStore, MemoryStore, Contested, str]:
    origin, there = source(legacy=True), MemoryStore("prod/app")
    root = origin.resolve("1")
    tag = legacy_tag(root.digest, Suffix.SIG)
    push(there, TWO)
    OTHER.sign(there, root, legacy=True)
    others = there.resolve(tag)
    return origin, there, Contested(there, others, times), tag


def test_a_tag_of_cosign_that_somebody_else_writes_too_loses_nobody_s_signature() -> None:
    origin, there, destination, tag = contested(2)
    assert promoted(origin, destination).tags == ("1",)
    manifest = there.fetch(there.resolve(tag))
    assert manifest.count(b"dev.cosignproject.cosign/signature") == 2


def test_a_tag_of_cosign_that_never_comes_to_rest_is_a_conflict() -> None:
    origin, there, destination, _ = contested(100)
    with pytest.raises(TagConflict, match="somebody else"):
        promoted(origin, destination)
    assert "1" not in there.names


@pytest.mark.parametrize("what", ["index", "broken"])
def test_a_tag_of_cosign_that_holds_something_else_is_a_conflict(what: str) -> None:
    origin, there = source(legacy=True), MemoryStore("prod/app")
    tag = legacy_tag(origin.resolve("1").digest, Suffix.SIG)
    found = push(there, index(image("x")), tag)
    if what == "broken":
        there.blobs[found.digest] = b"{}"
    with pytest.raises(TagConflict, match="holds"):
        promoted(origin, there)
    assert "1" not in there.names


def test_evidence_that_loses_a_blob_while_it_is_copied_stays_behind() -> None:
    origin, there = source(legacy=True), MemoryStore("prod/app")
    root = origin.resolve("1")
    note = push(origin, artifact(root, layers=[("text/plain", b"a note")]))
    del origin.blobs[Digest.of(b"a note")]
    sbom = push(origin, artifact(None, layers=[("text/spdx", b"sbom")]), legacy_tag(root.digest, Suffix.SBOM))
    del origin.blobs[Digest.of(b"sbom")]
    result = promoted(origin, there)
    assert result.tags == ("1",)
    assert {digest for digest, _ in result.left_behind} == {note.digest, sbom.digest}


class Interrupting:
    """A listener during whose n-th step the user presses Ctrl-C."""

    def __init__(self, at: str) -> None:
        self._at = at

    def step(self, name: str, detail: str) -> None:
        del detail
        if name == self._at:
            raise KeyboardInterrupt

    def expect(self, blobs: int, size: int) -> None:
        del blobs, size

    def moved(self, blob: Descriptor, count: int) -> None:
        del blob, count

    def finished(self, blob: Descriptor, how: str) -> None:
        del blob, how


@pytest.mark.parametrize("step", ["copied", "judged at destination", "recorded"])
def test_ctrl_c_leaves_no_tag_and_says_how_to_go_on(tmp_path: Path, step: str) -> None:
    origin, there, journal = source(), MemoryStore("prod/app"), tmp_path / "journal.jsonl"
    with pytest.raises(KeyboardInterrupt) as caught:
        promoted(origin, there, journal=journal, progress=Interrupting(step), record=GATE.signing())
    assert "run the same command again" in "".join(caught.value.__notes__)
    assert there.names == {}
    assert promoted(origin, there, journal=journal, record=GATE.signing()).tags == ("1",)
    assert len(list(there.referrers(there.resolve("1")))) == 2


class Full(Passing):
    """A destination whose disk is full after so many blobs."""

    def __init__(self, store: Store, room: int) -> None:
        super().__init__(store)
        self._room = room

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        if self._room <= 0:
            message = "no space left on the device"
            raise StoreUnavailable(message)
        self._room -= 1
        super().push(descriptor, content)


@pytest.mark.parametrize("room", range(0, 12, 2))
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_full_disk_is_not_finished_and_goes_on_when_there_is_room(tmp_path: Path, room: int, jobs: int) -> None:
    origin, there, journal = source(), MemoryStore("prod/app"), tmp_path / "journal.jsonl"
    with pytest.raises(StoreUnavailable, match="no space"):
        promoted(origin, Full(there, room), journal=journal, record=GATE.signing(), jobs=jobs)
    assert there.names == {}
    result = promoted(origin, there, journal=journal, record=GATE.signing(), jobs=jobs)
    assert result.tags == ("1",)
    assert {digest: data for digest, data in origin.blobs.items() if digest not in there.blobs} == {}
