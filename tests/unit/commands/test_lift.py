"""BuildKit's statements: shown, then signed about the image that they name, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.lift import Unsigned, find_unsigned, lift_images
from imgtrust.commands.many import Failed
from imgtrust.content import OCI_INDEX, Descriptor, describe
from imgtrust.errors import ContentMalformed, NotFound
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import Image, artifact, image, index, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imgtrust.reference import Reference
    from imgtrust.stores.port import Store

RELEASE = Publisher("release")
SLSA, SPDX = "https://slsa.dev/provenance/v1", "https://spdx.dev/Document"
APP = image("app")
IN_TOTO = "application/vnd.in-toto+json"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = layout(tmp_path / "ci")
    yield found
    found.close()


def statement(kind: str = SLSA, about: str | None = None, predicate: object = None) -> bytes:
    digest = {"sha256": APP.digest.encoded if about is None else about}
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v0.1",
            "subject": [{"name": "pkg:docker/app@1", "digest": digest}],
            "predicateType": kind,
            "predicate": {"made": "by buildkit"} if predicate is None else predicate,
        }
    ).encode()


def built(*layers: tuple[str, bytes], about: str | None = None) -> Image:
    """An index as BuildKit makes it: an image, and the manifest of statements about it."""
    notes = artifact(None, layers=layers or ((IN_TOTO, statement()),))
    document: dict[str, Any] = json.loads(index(APP, notes).manifest)
    document["manifests"][1]["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": str(APP.digest) if about is None else about,
    }
    document["manifests"][1]["platform"] = {"os": "unknown", "architecture": "unknown"}
    raw = json.dumps(document).encode()
    return Image(describe(raw, OCI_INDEX), raw, (), (APP, notes))


def believed(store: Store, subject: Descriptor) -> list[VerifiedSignature]:
    root = TrustRoot((RELEASE.trusted,))
    outcomes = [assess(evidence, root, at=NOON) for evidence in discover(store, subject).evidence]
    return [outcome for outcome in outcomes if isinstance(outcome, VerifiedSignature)]


def yes(_: Reference, __: tuple[Unsigned, ...]) -> bool:
    return True


def test_statements_are_shown_then_signed_about_their_image(store: Store) -> None:
    root = push(store, built((IN_TOTO, statement(SLSA)), ("text/plain", b"?"), (IN_TOTO, statement(SPDX))), "1")
    shown: list[Unsigned] = []

    def approve(_: Reference, found: tuple[Unsigned, ...]) -> bool:
        assert believed(store, APP.descriptor) == []
        shown.extend(found)
        return True

    outcomes = list(lift_images([f"{store.repository}:1"], RELEASE.signing(), approve=approve))
    assert not [each for each in outcomes if isinstance(each, Failed)]
    assert [each.predicate_type for each in shown] == [SLSA, SPDX]
    found = believed(store, APP.descriptor)
    assert {each.predicate_type for each in found} == {SLSA, SPDX}
    assert all(each.statement is not None and each.statement.predicate == {"made": "by buildkit"} for each in found)
    assert believed(store, root) == []


def test_what_is_not_approved_is_not_signed(store: Store) -> None:
    push(store, built(), "1")
    assert list(lift_images([f"{store.repository}:1"], RELEASE.signing(), approve=lambda *_: False)) == []
    assert believed(store, APP.descriptor) == []


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (built((IN_TOTO, statement(about="0" * 64))), "not about"),
        (built((IN_TOTO, statement(about="short"))), "about nothing"),
        (built((IN_TOTO, statement(SIGN_PREDICATE))), "claims to be a signature"),
        (built((IN_TOTO, b"no statement")), "cannot be signed"),
        (built((IN_TOTO, b'{"_type":"https://in-toto.io/Statement/v1","_type":"x"}')), "cannot be signed"),
        (built(about="sha256:" + "0" * 64), "about no image"),
        (built(about=""), "about no image"),
    ],
)
def test_a_statement_that_says_something_else_refuses_the_whole(store: Store, made: Image, words: str) -> None:
    push(store, made, "1")
    (failed,) = lift_images([f"{store.repository}:1"], RELEASE.signing(), approve=yes)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ContentMalformed)
    assert words in str(failed.error)
    assert believed(store, APP.descriptor) == []


@pytest.mark.parametrize("made", [APP, index(APP)])
def test_without_statements_there_is_nothing_to_lift(store: Store, made: Image) -> None:
    root = push(store, made, "1")
    assert find_unsigned(store, root) == ()
    (failed,) = lift_images([f"{store.repository}:1"], RELEASE.signing(), approve=yes)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NotFound)
