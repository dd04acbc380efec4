"""Kill -9 at random points of signing, attesting and attaching: whole or nothing, and it can be done again."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imgtrust.content import Manifest, parse_manifest
from imgtrust.evidence import Kind
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.crash.driver import publisher
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import image, index, push

POINTS: Final = 50
SPARE: Final = 6
ROOT: Final = Path(__file__).parents[2]
TWO: Final = index(image("a"), image("b", platform="linux/arm64"))


def drive(folder: Path, plan: dict[str, Any], runs: list[tuple[str, int]]) -> list[tuple[int, int]]:
    """Have the driver do some runs."""
    path = folder / "plan.json"
    path.write_text(json.dumps({**plan, "runs": [{"layout": name, "event": event} for name, event in runs]}))
    command = [sys.executable, "-m", "tests.crash.signing_driver", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    return [(ended, events) for ended, events in json.loads(done.stdout)]


def check_whole(folder: Path, release: Publisher) -> list[VerifiedSignature]:
    """Everything that can be seen is whole: evidence verifies, claims have all their blobs; the image is as it was."""
    believed = []
    root = TrustRoot((release.trusted,))
    with closing(layout(folder)) as store:
        assert {tag for tag in store.tags() if not tag.startswith("sha256-")} == {"1"}
        assert store.resolve("1").digest == TWO.digest
        for subject in (TWO, *TWO.children):
            found = discover(store, subject.descriptor)
            assert found.unread == ()
            for evidence in found.evidence:
                outcome = assess(evidence, root, at=NOON)
                assert isinstance(outcome, VerifiedSignature), outcome
                believed.append(outcome)
            for claim in found.claims:
                descriptor = store.resolve(claim.digest)
                manifest = parse_manifest(store.fetch(descriptor), descriptor.media_type)
                assert isinstance(manifest, Manifest)
                for blob in (manifest.config, *manifest.layers):
                    assert store.fetch(blob) is not None
    return believed


def test_a_killed_signing_leaves_whole_attachments_or_nothing_and_is_done_again(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = tmp_path / "files"
    (files / "docs").mkdir(parents=True)
    (files / "docs" / "a.md").write_text("a" * 5000)
    (files / "note.txt").write_text("note")
    sbom = files / "app.cdx.json"
    sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}))
    plan = {"key": key.decode(), "files": str(files), "sbom": str(sbom)}
    release = publisher("release", plan["key"])
    with closing(layout(tmp_path / "start")) as store:
        push(store, TWO, "1")

    def fresh(name: str) -> str:
        shutil.copytree(tmp_path / "start", tmp_path / name)
        return str(tmp_path / name)

    [(_, events)] = drive(tmp_path, plan, [(fresh("whole"), 0)])
    expected = check_whole(tmp_path / "whole", release)
    # Three by --recursive, one legacy, one more bundle; a legacy attestation, and that of the SBOM.
    assert [each.kind for each in expected].count(Kind.SIGNATURE) == 5
    assert [each.kind for each in expected].count(Kind.ATTESTATION) == 2

    points = sorted(random.Random(2026).sample(range(1, events), POINTS + SPARE))  # noqa: S311 - no secret
    runs = [(fresh(f"killed-{point}"), point) for point in points]
    outcomes = drive(tmp_path, plan, runs)
    killed = [name for (name, _), (ended, _) in zip(runs, outcomes, strict=True) if ended == 9]
    assert len(killed) >= POINTS
    for name in killed:
        check_whole(Path(name), release)
        bundle = Path(f"{name}.bundle")
        if bundle.exists():
            assert json.loads(bundle.read_bytes())["dsseEnvelope"]
    drive(tmp_path, plan, [(name, 0) for name in killed])
    for name in killed:
        again = check_whole(Path(name), release)
        assert {each.kind for each in again} == {Kind.SIGNATURE, Kind.ATTESTATION}
