"""A promotion between layouts: what arrives is what was judged, all evidence with it, and the tag comes last."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from imgtrust import strict_json
from imgtrust.commands.promotion.run import Terms, promote, promote_between
from imgtrust.content import Descriptor, Manifest, parse_manifest
from imgtrust.errors import NotFound, UsageError
from imgtrust.formats.attachments import Suffix, is_attachment_tag, legacy_tag
from imgtrust.policy.verdict import Outcome
from imgtrust.predicates.summary import VSA
from imgtrust.reference import Digest, LayoutRepository, Reference
from imgtrust.reports.results import Fate, PromotionResult
from imgtrust.stores import StoreOptions
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import Image, artifact, image, index, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imgtrust.commands.loading import Judgement
    from imgtrust.stores.port import Store

RELEASE = Publisher("release")
OTHER = Publisher("other")
GATE = Publisher("gate")
TWO = index(image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))


@dataclass
class World:
    """Two layouts and what is between them."""

    path: Path
    ci: Store
    prod: Store

    def terms(self, judgement: Judgement | None = None, **more: object) -> Terms:
        base = Terms(judgement or judged_by(RELEASE), NOON, lambda: NOON, journal=self.path / "journal.jsonl")
        return replace(base, **more)  # type: ignore[arg-type]  # fields of Terms by name

    def promote(self, terms: Terms | None = None, *, to: str = "1.4", tag: str = "1.4") -> PromotionResult:
        return promote_between(
            self.ci,
            self.prod,
            Reference(self.ci.repository, tag),
            Reference(self.prod.repository, to),
            terms or self.terms(),
        )

    def files(self) -> set[Path]:
        return {path for path in (self.path / "prod").rglob("*") if path.is_file()}

    def blob(self, digest: Digest, where: str = "ci") -> Path:
        path = self.path / where / "blobs" / "sha256" / digest.encoded
        if path.exists():
            path.chmod(0o644)
        return path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        ci, prod = layout(tmp_path / "ci"), layout(tmp_path / "prod")
        stack.callback(ci.close)
        stack.callback(prod.close)
        yield World(tmp_path, ci, prod)


def signed(world: World, item: Image = TWO, *tags: str) -> Descriptor:
    root = push(world.ci, item, *(tags or ("1.4",)))
    RELEASE.sign(world.ci, root)
    return root


def referrers(store: Store, subject: Descriptor) -> set[Digest]:
    return {found.digest for found in store.referrers(subject)}


def under(store: Store, tag: str) -> Manifest:
    descriptor = store.resolve(tag)
    manifest = parse_manifest(store.fetch(descriptor), descriptor.media_type)
    assert isinstance(manifest, Manifest)
    return manifest


def plain(item: Image) -> Descriptor:
    found = item.descriptor
    return Descriptor(found.media_type, found.digest, found.size)


def test_an_accepted_image_arrives_whole_with_all_its_evidence(world: World) -> None:
    root = signed(world)
    child = plain(TWO.children[0])
    RELEASE.sign(world.ci, child)
    RELEASE.sign(world.ci, root, legacy=True)
    RELEASE.attest(world.ci, root, "https://example.com/test", {"passed": True}, legacy=True)
    note = push(world.ci, artifact(root))
    on_note = push(world.ci, artifact(note, layers=[("text/plain", b"about the note")]))
    result = world.promote()
    assert result.after is not None
    assert (result.before.outcome, result.after.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert world.prod.resolve("1.4").digest == root.digest
    assert referrers(world.prod, root) == referrers(world.ci, root)
    assert referrers(world.prod, child) == referrers(world.ci, child)
    assert referrers(world.prod, note) == {on_note.digest}
    for suffix in (Suffix.SIG, Suffix.ATT):
        tag = legacy_tag(root.digest, suffix)
        assert world.prod.resolve(tag).digest == world.ci.resolve(tag).digest
    assert set(world.ci.tags()) == set(world.prod.tags())
    assert {item.fate for item in result.done} == {Fate.COPY}
    assert result.tags == ("1.4",)
    assert result.left_behind == ()


def test_the_destination_is_judged_under_the_scope_of_the_source(world: World) -> None:
    signed(world)
    judgement = judged_by(RELEASE, images=(str(world.ci.repository),), promote_to=(str(world.prod.repository),))
    result = world.promote(world.terms(judgement))
    assert result.after is not None
    assert result.after.outcome is Outcome.ACCEPTED
    assert result.after.reference is not None
    assert result.after.reference.repository == world.prod.repository


def test_every_blob_of_the_image_was_checked_at_the_destination(world: World) -> None:
    signed(world)
    result = world.promote()
    assert result.after is not None
    assert result.after.facts is not None
    integrity = result.after.facts.integrity
    assert (integrity.blobs_checked, integrity.faults) == (integrity.blobs, ())


def test_a_refused_image_leaves_nothing_at_all(world: World) -> None:
    push(world.ci, TWO, "1.4")
    result = world.promote()
    assert (result.before.outcome, result.after) == (Outcome.REJECTED, None)
    assert world.files() == set()
    assert not (world.path / "journal.jsonl").exists()


def test_an_edge_that_the_policy_does_not_name_is_refused(world: World) -> None:
    signed(world)
    result = world.promote(world.terms(judged_by(RELEASE, promote_to=("oci:somewhere/else",))))
    assert result.before.outcome is Outcome.REJECTED
    assert "promotion.edge" in {item.rule for item in result.before.findings if item.outcome == "fail"}
    assert world.files() == set()


def test_a_source_that_is_not_there_is_not_a_rejection(world: World) -> None:
    signed(world)
    result = world.promote(tag="no-such-tag")
    assert (result.before.outcome, result.before.not_found) == (Outcome.UNDECIDED, True)
    assert world.files() == set()


@pytest.mark.parametrize("damage", ["altered", "truncated", "missing"])
def test_a_broken_layer_at_the_source_is_found_while_copying_and_rejected(world: World, damage: str) -> None:
    root = signed(world)
    layer = TWO.children[1].blobs[1][0]
    file = world.blob(layer.digest)
    data = file.read_bytes()
    match damage:
        case "altered":
            file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        case "truncated":
            file.write_bytes(data[:-1])
        case _:
            file.unlink()
    result = world.promote()
    assert result.after is not None
    assert result.after.outcome is Outcome.REJECTED
    assert result.after.facts is not None
    assert any(layer.digest == fault.digest for fault in result.after.facts.integrity.faults)
    assert result.tags == ()
    with pytest.raises(NotFound):
        world.prod.resolve(root.digest)
    assert not world.blob(layer.digest, "prod").exists()


def test_a_blob_that_was_already_there_is_read_back_and_a_false_one_replaced(world: World) -> None:
    signed(world)
    layer, data = TWO.children[0].blobs[2]
    world.prod.push(layer, data)
    world.blob(layer.digest, "prod").write_bytes(b"\0" * len(data))
    result = world.promote()
    assert result.tags == ("1.4",)
    assert next(item for item in result.done if item.digest == layer.digest).fate is Fate.COPY
    assert world.prod.fetch(layer) == data


def test_a_manifest_of_which_only_half_is_there_is_pushed_again(world: World) -> None:
    signed(world)
    child = TWO.children[0]
    push(world.prod, child)
    world.blob(child.digest, "prod").write_bytes(child.manifest[:100])
    assert world.promote().tags == ("1.4",)
    assert world.prod.fetch(plain(child)) == child.manifest


def test_evidence_that_is_broken_and_not_needed_stays_behind(world: World) -> None:
    root = signed(world)
    bad = push(world.ci, artifact(root, layers=[("text/plain", b"a note that gets lost")]))
    world.blob(Digest.of(b"a note that gets lost")).unlink()
    result = world.promote()
    assert result.tags == ("1.4",)
    assert [digest for digest, _ in result.left_behind] == [bad.digest]
    assert bad.digest not in referrers(world.prod, root)


def test_signatures_that_the_destination_has_under_the_tag_of_cosign_are_kept(world: World) -> None:
    root = signed(world)
    RELEASE.sign(world.ci, root, legacy=True)
    push(world.prod, TWO)
    OTHER.sign(world.prod, root, legacy=True)
    tag = legacy_tag(root.digest, Suffix.SIG)
    before = under(world.prod, tag)
    assert world.promote().tags == ("1.4",)
    after = under(world.prod, tag)
    assert {*before.layers, *under(world.ci, tag).layers} == set(after.layers)
    assert len(after.layers) == 2
    again = world.promote()
    assert again.tags == ("1.4",)
    assert world.prod.resolve(tag).digest == Digest.of(after.raw)


def test_another_sbom_under_the_tag_of_cosign_stays_and_is_said(world: World) -> None:
    root = signed(world)
    tag = legacy_tag(root.digest, Suffix.SBOM)
    push(world.ci, artifact(None, layers=[("text/spdx", b"ours")]), tag)
    theirs = push(world.prod, artifact(None, layers=[("text/spdx", b"theirs")]), tag)
    result = world.promote()
    assert result.tags == ("1.4",)
    assert world.prod.resolve(tag).digest == theirs.digest
    assert "holds another SBOM" in result.left_behind[0][1]


def test_the_record_is_signed_and_says_what_was_done(world: World) -> None:
    root = signed(world)
    result = world.promote(world.terms(record=GATE.signing(stamped=True)))
    assert result.record in referrers(world.prod, root)
    assert result.record not in referrers(world.ci, root)
    assert result.record is not None
    assert result.after is not None
    judgement = judged_by(RELEASE, GATE)
    again = promote_between(
        world.prod,
        world.ci,
        Reference(world.prod.repository, "1.4"),
        Reference(world.ci.repository, "promoted"),
        world.terms(judgement, journal=None, plan_only=True),
    )
    facts = again.before.facts
    assert facts is not None
    found = next(item for item in facts.root.signatures if item.predicate_type == VSA)
    assert found.signers == ("gate",)
    assert found.times
    predicate = found.statement.predicate if found.statement else None
    assert isinstance(predicate, dict)
    assert predicate["resourceUri"] == f"{world.prod.repository}@{root.digest}"
    assert predicate["imgtrust_source"] == f"{world.ci.repository}@{root.digest}"
    assert predicate["imgtrust_tags"] == ["1.4"]
    assert predicate["policy"]["digest"]["sha256"] == result.after.policy.digest.encoded
    assert predicate["inputAttestations"]


def test_without_a_signer_no_record_is_left(world: World) -> None:
    root = signed(world)
    result = world.promote()
    assert result.record is None
    assert referrers(world.prod, root) == referrers(world.ci, root)


def test_a_second_promotion_moves_nothing_and_leaves_one_record(world: World) -> None:
    root = signed(world)
    terms = world.terms(record=GATE.signing())
    first = world.promote(terms)
    files = {path: path.stat().st_mtime_ns for path in world.files()}
    second = world.promote(terms)
    assert {item.fate for item in second.done} == {Fate.SKIP}
    assert (second.record, second.tags) == (first.record, first.tags)
    assert {path: path.stat().st_mtime_ns for path in world.files()} == files
    assert len(referrers(world.prod, root)) == 2


def test_a_plan_writes_nothing_and_says_what_would_be_done(world: World) -> None:
    signed(world)
    layer, data = TWO.children[0].blobs[1]
    world.prod.push(layer, data)
    files = world.files()
    result = world.promote(world.terms(plan_only=True))
    assert world.files() == files
    assert not (world.path / "journal.jsonl").exists()
    assert result.dry
    assert [item.digest for item in result.plan if item.fate is Fate.SKIP] == [layer.digest]
    assert {item.kind for item in result.plan} == {"blob", "manifest", "referrer"}
    assert result.tags == ("1.4",)
    assert result.after is None


def test_a_plan_for_a_refused_image_is_the_refusal(world: World) -> None:
    push(world.ci, TWO, "1.4")
    result = world.promote(world.terms(plan_only=True))
    assert (result.dry, result.before.outcome, result.plan) == (True, Outcome.REJECTED, ())


def test_one_platform_is_promoted_as_its_own_image(world: World) -> None:
    signed(world)
    child = plain(TWO.children[1])
    RELEASE.sign(world.ci, child)
    result = world.promote(world.terms(platforms=("linux/arm64",), record=GATE.signing()))
    assert result.digest == child.digest
    assert world.prod.resolve("1.4").digest == child.digest
    assert result.platforms == ("linux/arm64",)
    with pytest.raises(NotFound):
        world.prod.resolve(TWO.digest)


def test_one_platform_without_evidence_of_its_own_is_refused(world: World) -> None:
    signed(world)
    result = world.promote(world.terms(platforms=("linux/arm64",)))
    assert result.before.outcome is Outcome.REJECTED
    assert world.files() == set()


def test_the_tag_of_the_source_is_kept_where_none_is_given(world: World) -> None:
    root = signed(world)
    promote_between(
        world.ci, world.prod, Reference(world.ci.repository, "1.4"), Reference(world.prod.repository), world.terms()
    )
    assert world.prod.resolve("1.4").digest == root.digest


def test_a_digest_alone_arrives_without_a_tag(world: World) -> None:
    root = signed(world)
    source = Reference(world.ci.repository, None, root.digest)
    result = promote_between(world.ci, world.prod, source, Reference(world.prod.repository), world.terms())
    assert result.tags == ()
    assert [tag for tag in world.prod.tags() if not is_attachment_tag(tag)] == []
    assert world.prod.resolve(root.digest).digest == root.digest


def test_another_digest_at_the_destination_is_wrong_usage(world: World) -> None:
    root = signed(world)
    elsewhere = Reference(world.prod.repository, "1.4", Digest.of(b"other"))
    for tag, digest in (("1.4", None), (None, root.digest)):
        with pytest.raises(UsageError, match="another digest"):
            promote_between(world.ci, world.prod, Reference(world.ci.repository, tag, digest), elsewhere, world.terms())
    assert world.files() == set()


@pytest.mark.parametrize("tag", [None, "1.4"])
def test_a_promotion_to_where_it_is_already_is_wrong_usage(world: World, tag: str | None) -> None:
    signed(world)
    here = world.ci.repository
    with pytest.raises(UsageError, match="already in"):
        promote_between(world.ci, world.ci, Reference(here, "1.4"), Reference(here, tag), world.terms())


def test_another_tag_in_the_same_repository_is_a_promotion_too(world: World) -> None:
    root = signed(world)
    here = world.ci.repository
    result = promote_between(world.ci, world.ci, Reference(here, "1.4"), Reference(here, "stable"), world.terms())
    assert result.tags == ("stable",)
    assert world.ci.resolve("stable").digest == root.digest


def test_the_tag_moves_from_an_older_image(world: World) -> None:
    push(world.prod, image("old"), "1.4")
    root = signed(world)
    assert world.promote().tags == ("1.4",)
    assert world.prod.resolve("1.4").digest == root.digest


def test_promote_opens_the_stores_by_name(tmp_path: Path) -> None:
    ci = layout(tmp_path / "ci")
    root = push(ci, TWO, "1.4")
    RELEASE.sign(ci, root)
    ci.close()
    result = promote(
        f"oci:{tmp_path}/ci:1.4",
        f"oci:{tmp_path}/prod",
        judged_by(RELEASE),
        source_options=StoreOptions(),
        destination_options=StoreOptions(),
        at=NOON,
        now=lambda: NOON,
        cache=tmp_path / "cache",
    )
    assert result.tags == ("1.4",)
    prod = layout(tmp_path / "prod")
    assert prod.resolve("1.4").digest == root.digest
    prod.close()
    lines = [
        strict_json.loads(line)
        for file in (tmp_path / "cache" / "promotions").iterdir()
        for line in file.read_bytes().splitlines()
    ]
    assert lines[-1]["step"] == "done"
    assert LayoutRepository(f"{tmp_path}/prod") == prod.repository
