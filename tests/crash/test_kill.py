"""Kill -9 and Ctrl-C at random points of a promotion: never a tag on what was not judged, always resumable."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
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
from imgtrust.stores import StoreOptions, open_store
from tests.crash.driver import publisher
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import artifact, image, index, push

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.stores.port import Store
    from tests.fixtures.places import Place

POINTS: Final = 50
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
        timeout=280,
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


@dataclass
class Gate:
    """One source, many destinations of one kind, and what an undisturbed promotion leaves there."""

    folder: Path
    destination: Callable[[str], str]
    older: bool = False

    def __post_init__(self) -> None:
        self.plan = {"source": f"oci:{self.folder}/ci:1.4", "release": private_pem(), "gate": private_pem()}
        self.release = publisher("release", self.plan["release"])
        self.gate = publisher("gate", self.plan["gate"])
        with closing(layout(self.folder / "ci")) as ci:
            self.root = filled_source(ci, self.release)
            self.evidence = referrers(ci, self.root)
        self.before = {"1.4": str(image("old").digest)} if self.older else {}

    def fresh(self, name: str, event: int, number: int = signal.SIGKILL) -> dict[str, Any]:
        """A run to a destination that nobody else uses."""
        run = {"destination": f"{self.destination(name)}:1.4", "journal": f"{self.folder}/{name}.jsonl"}
        if self.older:
            with self.opened(run) as prod:
                push(prod, image("old"), "1.4")
        return {**run, "event": event, "signal": number}

    @contextmanager
    def opened(self, run: dict[str, Any]) -> Iterator[Store]:
        """The destination of a run."""
        with closing(open_store(Reference.parse(run["destination"]).repository, StoreOptions())) as store:
            yield store

    def disturbed(self, number: int, points: int) -> None:
        """Give many runs a signal, look at what they leave, go on, and look again."""
        whole = self.fresh("whole", 0)
        [undisturbed] = drive(self.folder, self.plan, [whole])
        with self.opened(whole) as prod:
            expected = tagged(prod)
        self.check_whole(whole, expected)
        # Threads make the number of events vary: a run that should end near its end may live, so there are a few more.
        events = range(1, undisturbed["events"])
        chosen = sorted(random.Random(SEED).sample(events, points + points // 5))  # noqa: S311 - no secret
        runs = [self.fresh(f"run-{event}", event, number) for event in chosen]
        outcomes = drive(self.folder, self.plan, runs)
        ended = [run for run, outcome in zip(runs, outcomes, strict=True) if outcome["signal"] == number]
        assert len(ended) >= points
        for run in ended:
            self.check_nothing_unjudged(run)
        drive(self.folder, self.plan, [{**run, "event": 0} for run in runs])
        for run in runs:
            self.check_whole(run, expected)

    def check_nothing_unjudged(self, run: dict[str, Any]) -> None:
        """Either the tag is what it was, or what it points at was judged: whole, accepted, and recorded."""
        with self.opened(run) as prod:
            found = {tag: digest for tag, digest in tagged(prod).items() if not tag.startswith("sha256-")}
            if found != self.before:
                assert found == {"1.4": str(self.root.digest)}, run
                check_fully_judged(prod, self.root, self.release, self.gate)

    def check_whole(self, run: dict[str, Any], expected: dict[str, str]) -> None:
        """The destination is as an undisturbed promotion leaves it, with one record."""
        with self.opened(run) as prod:
            found = referrers(prod, self.root)
            assert self.evidence <= found, run
            assert len(found - self.evidence) == 1, run
            here = tagged(prod)
            assert here.keys() == expected.keys(), run
            assert here["1.4"] == expected["1.4"]
            check_fully_judged(prod, self.root, self.release, self.gate)


@pytest.mark.parametrize("older", [False, True], ids=["empty destination", "older image under the tag"])
def test_a_killed_promotion_to_a_layout_tags_nothing_unjudged_and_resumes(tmp_path: Path, *, older: bool) -> None:
    Gate(tmp_path, lambda name: f"oci:{tmp_path}/{name}", older).disturbed(signal.SIGKILL, POINTS)


def test_an_interrupted_promotion_to_a_layout_tags_nothing_unjudged_and_resumes(tmp_path: Path) -> None:
    Gate(tmp_path, lambda name: f"oci:{tmp_path}/{name}").disturbed(signal.SIGINT, POINTS // 2)


def test_a_killed_promotion_to_a_registry_tags_nothing_unjudged_and_resumes(
    tmp_path: Path, registry_only: Place
) -> None:
    prefix = registry_only.fresh().repository
    Gate(tmp_path, lambda name: f"{prefix}/{name}").disturbed(signal.SIGKILL, POINTS // 5)
