"""Kill -9 at fifty random points of a promotion: never a tag on what was not judged, always resumable."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imgtrust.commands.judge import judge_reference
from imgtrust.content import Descriptor
from imgtrust.errors import NotFound
from imgtrust.policy.verdict import Outcome
from imgtrust.predicates.summary import VSA
from imgtrust.reference import Reference
from tests.crash.driver import publisher
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import artifact, image, index, push

if TYPE_CHECKING:
    from imgtrust.stores.port import Store

POINTS: Final = 50
SPARE: Final = 10
"""Threads make the number of events vary, so a run that should die near its end may live."""
SEED: Final = 20261123
ROOT: Final = Path(__file__).parents[2]
TWO: Final = index(
    image("a", platform="linux/amd64", size=300_000), image("b", platform="linux/arm64", layers=3, size=5_000)
)


def private_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def drive(folder: Path, plan: dict[str, Any], runs: list[dict[str, Any]]) -> list[dict[str, int]]:
    """Have the driver do some runs."""
    path = folder / "plan.json"
    path.write_text(json.dumps({**plan, "runs": runs}))
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.driver", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    outcomes: list[dict[str, int]] = json.loads(done.stdout)
    return outcomes


def filled_source(store: Store, release: Publisher) -> Descriptor:
    """A signed image of two platforms with evidence of every shape."""
    root = push(store, TWO, "1.4")
    child = Descriptor(*(getattr(TWO.children[0].descriptor, name) for name in ("media_type", "digest", "size")))
    release.sign(store, root)
    release.sign(store, root, legacy=True)
    release.sign(store, child)
    release.attest(store, root, "https://example.com/test", {"passed": True})
    note = push(store, artifact(root))
    push(store, artifact(note, layers=[("text/plain", b"about the note")]))
    return root


def referrers(store: Store, root: Descriptor) -> set[str]:
    """All referrers below a manifest, recursively."""
    found: set[str] = set()
    waiting = [root, *(child.descriptor for child in TWO.children)]
    while waiting:
        for item in store.referrers(waiting.pop()):
            found.add(str(item.digest))
            waiting.append(item)
    return found


def tagged(store: Store) -> dict[str, str]:
    try:
        return {tag: str(store.resolve(tag).digest) for tag in store.tags()}
    except NotFound:
        return {}


def check_fully_judged(store: Store, root: Descriptor, release: Publisher, gate: Publisher) -> None:
    """What a tag points at was judged: it is whole, accepted, and its signed record is there."""
    verdict = judge_reference(store, Reference(store.repository, "1.4"), judged_by(release, gate), at=NOON)
    assert verdict.outcome is Outcome.ACCEPTED
    assert verdict.digest == root.digest
    assert verdict.facts is not None
    assert verdict.facts.integrity.faults == ()
    assert any(found.predicate_type == VSA for found in verdict.facts.root.signatures)


@pytest.mark.parametrize("start", ["an empty destination", "an older image under the tag"])
def test_a_killed_promotion_leaves_no_tag_on_what_was_not_judged_and_resumes(tmp_path: Path, start: str) -> None:
    plan = {"source": f"oci:{tmp_path}/ci:1.4", "release": private_pem(), "gate": private_pem()}
    release, gate = publisher("release", plan["release"]), publisher("gate", plan["gate"])
    with closing(layout(tmp_path / "ci")) as ci:
        root = filled_source(ci, release)
        evidence = referrers(ci, root)
    before: dict[str, str] = {}
    if start != "an empty destination":
        with closing(layout(tmp_path / "start")) as prod:
            push(prod, image("old"), "1.4")
            before = tagged(prod)

    def fresh(name: str, event: int) -> dict[str, Any]:
        if before:
            shutil.copytree(tmp_path / "start", tmp_path / name)
        return {"destination": f"oci:{tmp_path}/{name}:1.4", "journal": f"{tmp_path}/{name}.jsonl", "event": event}

    [undisturbed] = drive(tmp_path, plan, [fresh("whole", 0)])
    with closing(layout(tmp_path / "whole")) as whole:
        expected = tagged(whole)
        assert len(referrers(whole, root) - evidence) == 1
        check_fully_judged(whole, root, release, gate)

    points = sorted(random.Random(SEED).sample(range(1, undisturbed["events"]), POINTS + SPARE))  # noqa: S311 - no secret
    runs = [fresh(f"killed-{point}", point) for point in points]
    outcomes = drive(tmp_path, plan, runs)
    killed = [point for point, outcome in zip(points, outcomes, strict=True) if outcome["signal"] == 9]
    assert len(killed) >= POINTS
    for point in killed:
        with closing(layout(tmp_path / f"killed-{point}")) as prod:
            found = {tag: digest for tag, digest in tagged(prod).items() if not tag.startswith("sha256-")}
            if found != before:
                assert found == {"1.4": str(root.digest)}
                check_fully_judged(prod, root, release, gate)

    drive(tmp_path, plan, [{**run, "event": 0} for run in runs])
    for point in points:
        with closing(layout(tmp_path / f"killed-{point}")) as prod:
            assert tagged(prod) == expected, f"killed at event {point}"
            more = referrers(prod, root) - evidence
            assert len(more) == 1, f"killed at event {point}: one record, as undisturbed"
            assert evidence <= referrers(prod, root)
            check_fully_judged(prod, root, release, gate)
