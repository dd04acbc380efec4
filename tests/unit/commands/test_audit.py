"""Audits: every image once, evidence is no image, nothing found is never accepted."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.audit import Audit, Prefix, audit, parse_target
from imgtrust.errors import InvalidReference, NoImages, StoreError
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.stores import StoreOptions, open_store
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import artifact, image, index, push
from tests.simulators.loopback import Reply
from tests.simulators.registry import Behaviour, RegistrySimulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imgtrust.stores.port import Store

RELEASE = Publisher("release")
OPTIONS = StoreOptions()


@pytest.fixture
def registry() -> Iterator[RegistrySimulator]:
    with RegistrySimulator(Behaviour(page=3)) as simulator:
        yield simulator


def audited(*targets: str, **more: Any) -> Audit:
    return audit(targets, judged_by(RELEASE), OPTIONS, at=NOON, **more)


def at(registry: RegistrySimulator, path: str) -> Store:
    return open_store(Reference.parse(f"{registry.host}/{path}", bare=True).repository, OPTIONS)


def test_every_tag_is_judged_and_each_digest_once(registry: RegistrySimulator) -> None:
    with closing(at(registry, "team/app")) as store:
        good = push(store, index(image("good")), "1.4", "1", "latest")
        bad = push(store, image("bad"), "2.0")
        RELEASE.sign(store, good)
        RELEASE.sign(store, good, legacy=True)
    run = audited(f"{registry.host}/team/app")
    verdicts = {verdict.digest: verdict for verdict in run}
    assert {digest: found.outcome for digest, found in verdicts.items()} == {
        good.digest: Outcome.ACCEPTED,
        bad.digest: Outcome.REJECTED,
    }
    assert set(verdicts[good.digest].tags) == {"1", "1.4", "latest"}
    assert verdicts[bad.digest].tags == ("2.0",)
    assert run.summary.outcomes == Counter({Outcome.ACCEPTED: 1, Outcome.REJECTED: 1})
    assert (run.summary.repositories, run.summary.images) == (1, 2)
    for verdict in verdicts.values():
        assert Reference.parse(verdict.name).digest == verdict.digest
        assert any("untagged" in said for said in verdict.not_checked)
    assert any("untagged" in said for said in run.summary.not_checked)


def test_untagged_images_of_a_layout_are_judged_too(tmp_path: Path) -> None:
    with closing(layout(tmp_path / "ci")) as store:
        tagged = push(store, index(image("a"), image("b", platform="linux/arm64")), "1")
        loose = push(store, image("loose"))
        push(store, artifact(tagged))
        RELEASE.sign(store, tagged, legacy=True)
        RELEASE.sign(store, loose)
    run = audited(f"oci:{tmp_path}/ci")
    verdicts = {verdict.digest: verdict for verdict in run}
    assert set(verdicts) == {tagged.digest, loose.digest}
    assert verdicts[loose.digest].tags == ()
    assert run.summary.outcomes[Outcome.ACCEPTED] == 2
    assert run.summary.not_checked == []


def test_a_prefix_means_every_repository_below_it(registry: RegistrySimulator) -> None:
    for path in ("team/app", "team/deep/tool", "other/app"):
        with closing(at(registry, path)) as store:
            RELEASE.sign(store, push(store, image(path), "1"))
    run = audited(f"{registry.host}/team/**")
    names = {Reference.parse(verdict.name).repository for verdict in run}
    assert {str(name).partition("/")[2] for name in names} == {"team/app", "team/deep/tool"}
    assert run.summary.repositories == 2
    assert len(list(audited(f"{registry.host}/**"))) == 3


def test_a_list_of_images_is_judged_as_named_and_a_repository_only_once(registry: RegistrySimulator) -> None:
    with closing(at(registry, "team/app")) as store:
        RELEASE.sign(store, push(store, image("a"), "1"))
        RELEASE.sign(store, push(store, image("b"), "2"))
    here = f"{registry.host}/team/app"
    assert [verdict.name for verdict in audited(f"{here}:2")] == [f"{here}:2"]
    assert len(list(audited(here, here, f"{registry.host}/team/**"))) == 2


def test_what_is_provably_older_is_left_out_and_what_has_no_date_is_not(tmp_path: Path) -> None:
    with closing(layout(tmp_path / "ci")) as store:
        dated = push(store, image("dated"), "dated")
        RELEASE.sign(store, dated, stamped=True)
        undated = push(store, image("undated"), "undated")
        RELEASE.sign(store, undated)
    run = audited(f"oci:{tmp_path}/ci", since=timedelta(minutes=30))
    assert [verdict.digest for verdict in run] == [undated.digest]
    assert run.summary.older == 1
    assert len(list(audited(f"oci:{tmp_path}/ci", since=timedelta(hours=2)))) == 2


def test_nothing_at_all_is_never_accepted(tmp_path: Path, registry: RegistrySimulator) -> None:
    with pytest.raises(NoImages):
        audited()
    with closing(layout(tmp_path / "empty")) as store:
        push(store, artifact(push(store, image("a"))), legacy_tag(image("a").digest, Suffix.SIG))
    with closing(at(registry, "team/evidence")) as store:
        push(store, image("x"), legacy_tag(image("a").digest, Suffix.SIG))
    for target in (f"{registry.host}/none/**", f"{registry.host}/team/evidence"):
        with pytest.raises(NoImages):
            list(audited(target))


def test_a_repository_that_is_not_there_is_said_and_not_accepted(registry: RegistrySimulator, tmp_path: Path) -> None:
    for target in (f"{registry.host}/no/such", f"oci:{tmp_path}/nothing"):
        run = audited(target)
        verdict = next(iter(run))
        assert (verdict.outcome, verdict.not_found) == (Outcome.UNDECIDED, True)
        with pytest.raises(NoImages) as caught:
            list(run)
        assert str(caught.value).splitlines() == [
            "no image was found in what was named; an empty audit is never accepted",
            verdict.error,
        ]


def test_of_many_that_are_not_there_the_first_are_told_of(tmp_path: Path) -> None:
    targets = [f"oci:{tmp_path}/nothing{number}" for number in range(8)]
    with pytest.raises(NoImages) as caught:
        list(audited(*targets))
    lines = str(caught.value).splitlines()
    assert len(lines) == 7
    assert all("/nothing" in line for line in lines[1:6])
    assert lines[6] == "and 3 more"


def test_a_tag_that_cannot_be_resolved_is_undecided_and_the_others_are_judged(registry: RegistrySimulator) -> None:
    with closing(at(registry, "team/app")) as store:
        RELEASE.sign(store, push(store, image("a"), "good"))
        push(store, image("b"), "gone")
    registry.fault("/manifests/gone", times=None, reply=Reply(403))
    outcomes = {verdict.tags: verdict.outcome for verdict in audited(f"{registry.host}/team/app")}
    assert outcomes == {("good",): Outcome.ACCEPTED, ("gone",): Outcome.UNDECIDED}


def test_a_registry_that_does_not_list_its_repositories_cannot_be_told() -> None:
    with RegistrySimulator(Behaviour(catalog=False)) as registry, pytest.raises(StoreError, match="does not list"):
        list(audited(f"{registry.host}/team/**"))


def test_an_image_that_hides_behind_a_broken_tag_list_is_undecided(registry: RegistrySimulator) -> None:
    with closing(at(registry, "team/app")) as store:
        RELEASE.sign(store, push(store, image("a"), "1"))
    registry.fault("/tags/list", times=None, reply=Reply(403))
    [verdict] = audited(f"{registry.host}/team/app")
    assert (verdict.outcome, verdict.not_found) == (Outcome.UNDECIDED, False)


@pytest.mark.parametrize("jobs", [1, 3])
def test_many_images_are_all_judged_whatever_the_number_of_threads(tmp_path: Path, jobs: int) -> None:
    with closing(layout(tmp_path / "ci")) as store:
        for number in range(40):
            root = push(store, image(f"number {number}", size=10), f"v{number}")
            if number % 2:
                RELEASE.sign(store, root)
    run = audited(f"oci:{tmp_path}/ci", jobs=jobs)
    assert len({verdict.digest for verdict in run}) == 40
    assert run.summary.outcomes == Counter({Outcome.ACCEPTED: 20, Outcome.REJECTED: 20})


def test_an_audit_that_is_given_up_ends_its_threads(registry: RegistrySimulator) -> None:
    with closing(at(registry, "team/app")) as store:
        for number in range(30):
            push(store, image(f"number {number}", size=10), f"v{number}")
    verdicts = iter(audited(f"{registry.host}/team/app", jobs=2))
    next(verdicts)
    verdicts.close()  # type: ignore[attr-defined]  # it is a generator


@pytest.mark.parametrize("text", ["app", "oci:dir/**", "HOST NAME/x/**", "host.example/UPPER/**", "/**", "**"])
def test_a_target_that_cannot_be_read_is_wrong_usage(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_target(text)


def test_targets_are_read_as_images_repositories_and_prefixes() -> None:
    assert parse_target("host.example/team/**") == Prefix("host.example", "team")
    assert parse_target("host.example/**") == Prefix("host.example", "")
    assert parse_target("host.example/team/app") == Reference.parse("host.example/team/app", bare=True)
    assert parse_target("oci:dir") == Reference.parse("oci:dir", bare=True)
