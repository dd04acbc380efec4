"""Attestations: what a predicate may be, and what is attached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.attest import Predicate, attest_images, read_predicate
from imgtrust.commands.many import Failed
from imgtrust.errors import InputFileError, NoImages, OutputFileError, UsageError
from imgtrust.evidence import Kind
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.reference import Reference
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import image, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imgtrust.content import Descriptor
    from imgtrust.reports.results import SignedResult
    from imgtrust.stores.port import Store

RELEASE = Publisher("release")
SLSA = "https://slsa.dev/provenance/v1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = layout(tmp_path / "ci")
    push(found, image("app"), "1")
    yield found
    found.close()


def write(tmp_path: Path, content: bytes | object) -> str:
    target = tmp_path / "predicate"
    target.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(target)


def believed(store: Store, subject: Descriptor) -> list[VerifiedSignature]:
    root = TrustRoot((RELEASE.trusted,), (RELEASE.authority.authority,))
    outcomes = [assess(evidence, root, at=NOON) for evidence in discover(store, subject).evidence]
    return [outcome for outcome in outcomes if isinstance(outcome, VerifiedSignature)]


def attest(store: Store, predicate: Predicate, **options: Any) -> SignedResult:
    legacy, stamped = options.pop("legacy", False), options.pop("stamped", False)
    signing = RELEASE.signing(legacy=legacy, stamped=stamped)
    (outcome,) = attest_images([f"{store.repository}:1"], predicate, signing, **options)
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("slsa-provenance", SLSA),
        ("spdx", "https://spdx.dev/Document"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
        ("https://acme.test/review/v1", "https://acme.test/review/v1"),
    ],
)
def test_a_predicate_is_read_with_its_type_as_a_uri(tmp_path: Path, name: str, uri: str) -> None:
    assert read_predicate(write(tmp_path, {"a": [1, None]}), name) == Predicate(uri, {"a": [1, None]})


def test_spdx_tag_value_is_a_predicate_of_one_string(tmp_path: Path) -> None:
    text = b"SPDXVersion: SPDX-2.3\nDocumentName: app\n"
    assert read_predicate(write(tmp_path, text), "spdx").value == text.decode()


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 200 + b"]" * 200, b'{"a":"\xff"}', b"SPDXVersion: \xff"],
)
@pytest.mark.parametrize("name", ["spdx", "cyclonedx"])
def test_a_predicate_that_could_be_read_in_two_ways_is_not_signed(tmp_path: Path, content: bytes, name: str) -> None:
    with pytest.raises(InputFileError, match="cannot be signed"):
        read_predicate(write(tmp_path, content), name)


def test_a_predicate_that_is_absent_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot read the predicate"):
        read_predicate(str(tmp_path / "absent"), "spdx")
    with pytest.raises(InputFileError, match="more than 16777216"):
        read_predicate(write(tmp_path, b" " * (16 * 1024 * 1024 + 1)), "spdx")


def test_an_attestation_cannot_be_made_to_look_like_a_signature(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="imgtrust sign"):
        read_predicate(write(tmp_path, {}), SIGN_PREDICATE)


def test_a_type_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        read_predicate(write(tmp_path, {}), "slsa-provenanse")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("stamped", [False, True])
def test_an_attestation_is_attached_and_believed(store: Store, *, legacy: bool, stamped: bool) -> None:
    result = attest(store, Predicate(SLSA, {"b": 1}), legacy=legacy, stamped=stamped)
    assert result.predicate_type == SLSA
    (found,) = believed(store, store.resolve("1"))
    assert found.kind is Kind.ATTESTATION
    assert found.statement is not None
    assert (found.predicate_type, found.statement.predicate) == (SLSA, {"b": 1})
    assert len(found.times) == len(result.times) == stamped


def test_attestations_add_up(store: Store) -> None:
    attest(store, Predicate(SLSA, {"b": 1}))
    attest(store, Predicate(SLSA, {"b": 2}))
    attest(store, Predicate("https://acme.test/x", "text"), legacy=True)
    assert len(believed(store, store.resolve("1"))) == 3


def test_replace_takes_the_older_legacy_attestations_of_the_type_away(store: Store) -> None:
    attest(store, Predicate(SLSA, {"b": 1}), legacy=True)
    attest(store, Predicate("https://acme.test/x", {}), legacy=True)
    attest(store, Predicate(SLSA, {"b": 2}), legacy=True, replace=True)
    found = {each.predicate_type: each.statement for each in believed(store, store.resolve("1"))}
    assert set(found) == {SLSA, "https://acme.test/x"}
    statement = found[SLSA]
    assert statement is not None
    assert statement.predicate == {"b": 2}


def test_replace_leaves_bundles_where_they_are(store: Store) -> None:
    attest(store, Predicate(SLSA, {"b": 1}))
    attest(store, Predicate(SLSA, {"b": 2}), replace=True)
    assert len(believed(store, store.resolve("1"))) == 2


def test_the_bundle_is_kept_in_a_file_too(store: Store, tmp_path: Path) -> None:
    attest(store, Predicate(SLSA, {}), bundle_out=str(tmp_path / "out"))
    (evidence,) = discover(store, store.resolve("1")).evidence
    assert (tmp_path / "out").read_bytes() == evidence.payload


def test_a_bundle_file_that_cannot_be_written_stops_before_anything_is_attached(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OutputFileError):
        attest(store, Predicate(SLSA, {}), bundle_out=str(tmp_path / "no" / "out"))
    assert discover(store, store.resolve("1")).evidence == ()


def test_no_image_is_wrong_usage() -> None:
    with pytest.raises(NoImages):
        attest_images([], Predicate(SLSA, {}), RELEASE.signing())


def test_a_failure_names_its_image(store: Store) -> None:
    (failed,) = attest_images([f"{store.repository}:absent"], Predicate(SLSA, {}), RELEASE.signing())
    assert isinstance(failed, Failed)
    assert failed.reference == Reference.parse(f"{store.repository}:absent")


def test_a_predicate_is_in_no_repr() -> None:
    assert "secret" not in repr(Predicate(SLSA, {"a": "secret"}))
