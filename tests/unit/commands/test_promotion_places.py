"""Promotion from anywhere to anywhere: layouts and registries with and without the Referrers API."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.judge import judge_name
from imgtrust.commands.promotion.run import promote
from imgtrust.content import Descriptor
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.reports.results import Fate
from imgtrust.stores import StoreOptions, open_store
from tests.simulators.gate import NOON, Publisher, judged_by
from tests.simulators.images import artifact, image, index, push

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.reference import Digest
    from imgtrust.reports.results import PromotionResult
    from imgtrust.stores.port import Store
    from tests.fixtures.places import Place

RELEASE = Publisher("release")
GATE = Publisher("gate")
TWO = index(image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))
DOCKER = index(image("a", docker=True), image("b", platform="linux/arm64", docker=True), docker=True)


def plain(descriptor: Descriptor) -> Descriptor:
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)


def opened(stack: ExitStack, name: str, options: StoreOptions) -> Store:
    return stack.enter_context(closing(open_store(Reference.parse(name).repository, options)))


def fill(store: Store, *, docker: bool = False) -> Descriptor:
    """A signed image of two platforms, with referrers of index, child and referrer, and legacy tags."""
    root = push(store, DOCKER if docker else TWO, "1")
    child = plain((DOCKER if docker else TWO).children[1].descriptor)
    RELEASE.sign(store, root)
    RELEASE.sign(store, root, legacy=True)
    RELEASE.sign(store, child)
    RELEASE.attest(store, root, "https://example.com/test", {"passed": True})
    note = push(store, artifact(root))
    push(store, artifact(note, layers=[("text/plain", b"about the note")]))
    return root


def referrers(store: Store, root: Descriptor) -> set[Digest]:
    found: set[Digest] = set()
    waiting = [plain(root), *(plain(child.descriptor) for child in (*TWO.children, *DOCKER.children))]
    while waiting:
        below = [plain(item) for item in store.referrers(waiting.pop())]
        found |= {item.digest for item in below}
        waiting += below
    return found


def moved(source: str, destination: str, one: StoreOptions, two: StoreOptions, journal: Path) -> PromotionResult:
    return promote(
        source,
        destination,
        judged_by(RELEASE),
        source_options=one,
        destination_options=two,
        at=NOON,
        now=lambda: NOON,
        record=GATE.signing(),
        journal=journal,
    )


def check(result: PromotionResult, origin: Store, goal: Store, root: Descriptor, tag: str) -> None:
    assert result.after is not None, result.before
    assert result.after.outcome is Outcome.ACCEPTED, result.after.findings
    assert result.left_behind == ()
    assert goal.resolve(tag).digest == root.digest
    arrived = referrers(goal, root)
    assert referrers(origin, root) == arrived - {result.record}
    assert result.record in arrived
    signature = legacy_tag(root.digest, Suffix.SIG)
    assert goal.resolve(signature).digest == origin.resolve(signature).digest


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_from_a_layout_to_anywhere_twice(place: Place, tmp_path: Path, *, docker: bool) -> None:
    name = place.fresh("prod")
    with ExitStack() as stack:
        ci = opened(stack, f"oci:{tmp_path}/ci:1", StoreOptions())
        goal = opened(stack, str(name), place.options)
        root = fill(ci, docker=docker)
        for fates in ({Fate.COPY}, {Fate.SKIP}):
            result = moved(f"oci:{tmp_path}/ci:1", str(name), StoreOptions(), place.options, tmp_path / "journal")
            check(result, ci, goal, root, "prod")
            # One of the Go registries keeps the blobs of all repositories together: they may be there already.
            assert {item.fate for item in result.done if item.kind != "blob"} == fates
        assert len(referrers(goal, root) - referrers(ci, root)) == 1
    verdict = judge_name(str(name), judged_by(RELEASE, GATE), place.options, at=NOON)
    assert verdict.outcome is Outcome.ACCEPTED


def test_from_a_registry_to_a_layout(registry_only: Place, tmp_path: Path) -> None:
    name = registry_only.fresh("1")
    with ExitStack() as stack:
        ci = opened(stack, str(name), registry_only.options)
        goal = opened(stack, f"oci:{tmp_path}/prod:1", StoreOptions())
        root = fill(ci)
        result = moved(str(name), f"oci:{tmp_path}/prod", registry_only.options, StoreOptions(), tmp_path / "journal")
        check(result, ci, goal, root, "1")


def test_between_registries_of_different_kinds(registry_only: Place, elsewhere: Place, tmp_path: Path) -> None:
    name, there = registry_only.fresh("1"), elsewhere.fresh("2")
    with ExitStack() as stack:
        ci = opened(stack, str(name), registry_only.options)
        goal = opened(stack, str(there), elsewhere.options)
        root = fill(ci)
        result = moved(str(name), str(there), registry_only.options, elsewhere.options, tmp_path / "journal")
        check(result, ci, goal, root, "2")


def test_within_a_registry_blobs_are_mounted_and_read_back(registry_only: Place, tmp_path: Path) -> None:
    name, there = registry_only.fresh("1"), registry_only.fresh("2")
    with ExitStack() as stack:
        ci = opened(stack, str(name), registry_only.options)
        goal = opened(stack, str(there), registry_only.options)
        root = fill(ci)
        result = moved(str(name), str(there), registry_only.options, registry_only.options, tmp_path / "journal")
        check(result, ci, goal, root, "2")
        blobs = {item.fate for item in result.done if item.kind == "blob"}
        assert Fate.COPY not in blobs or registry_only.name == "ggcr"
        assert result.after is not None
        assert result.after.facts is not None
        assert result.after.facts.integrity.blobs_checked == result.after.facts.integrity.blobs


def test_an_unsigned_image_leaves_a_registry_untouched(registry_only: Place, tmp_path: Path) -> None:
    name = registry_only.fresh("1")
    with ExitStack() as stack:
        ci = opened(stack, f"oci:{tmp_path}/ci:1", StoreOptions())
        push(ci, TWO, "1")
        result = moved(f"oci:{tmp_path}/ci:1", str(name), StoreOptions(), registry_only.options, tmp_path / "journal")
        assert result.before.outcome is Outcome.REJECTED
    verdict = judge_name(str(name), judged_by(RELEASE), registry_only.options, at=NOON)
    assert verdict.not_found
