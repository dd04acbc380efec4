"""``attest --lift`` shows what nobody signed, and signs it only after a yes."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.content import OCI_INDEX, describe
from tests.simulators.gate import layout
from tests.simulators.images import Image, artifact, image, index, push

if TYPE_CHECKING:
    from pathlib import Path

SLSA = "https://slsa.dev/provenance/v1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A key, and an index with one statement of BuildKit."""
    app = image("app")
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": "app", "digest": {"sha256": app.digest.encoded}}],
        "predicateType": SLSA,
        "predicate": {"made": "by buildkit"},
    }
    notes = artifact(None, layers=(("application/vnd.in-toto+json", json.dumps(statement).encode()),))
    document = json.loads(index(app, notes).manifest)
    document["manifests"][1]["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": str(app.digest),
    }
    raw = json.dumps(document).encode()
    store = layout(tmp_path / "build")
    push(store, Image(describe(raw, OCI_INDEX), raw, (), (app, notes)), "1")
    store.close()
    assert _run(tmp_path, "keys", "generate", str(tmp_path / "k"))[0] == 0
    return tmp_path


def _run(folder: Path, *arguments: str, answer: bool | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    session = Session({"IMGTRUST_PASSPHRASE": "pw"}, stdout=out, stderr=err, confirm=lambda _question: answer)
    status = run([argument.replace("@", str(folder)) for argument in arguments], session)
    return status, out.getvalue(), err.getvalue()


LIFT = ("attest", "--lift", "--key", "@/k.key", "oci:@/build:1")


def test_what_is_signed_was_shown_before(project: Path) -> None:
    status, out, err = _run(project, *LIFT, "--yes", "-q")
    assert status == 0
    assert SLSA in err
    assert "which nobody signed" in err
    assert out.startswith("attested  ")


def test_a_person_may_say_no(project: Path) -> None:
    status, out, err = _run(project, *LIFT, answer=False)
    assert (status, out) == (2, "")
    assert "nothing was signed" in err
    assert _run(project, *LIFT, answer=True)[1].startswith("attested  ")


def test_where_nobody_can_be_asked_the_yes_has_to_be_given(project: Path) -> None:
    status, out, err = _run(project, *LIFT)
    assert (status, out) == (2, "")
    assert "give --yes" in err


@pytest.mark.parametrize(
    "more",
    [("--type", "spdx"), ("--predicate", "x.json"), ("--replace",), ("--bundle-out", "b.json")],
    ids=lambda more: more[0],
)
def test_what_does_not_go_with_it_is_wrong_usage(project: Path, more: tuple[str, ...]) -> None:
    assert _run(project, *LIFT, *more)[0] == 2


def test_an_attestation_needs_a_statement(project: Path) -> None:
    status, _, err = _run(project, "attest", "--key", "@/k.key", "oci:@/build:1")
    assert status == 2
    assert "--predicate FILE and --type TYPE, or --lift" in err
