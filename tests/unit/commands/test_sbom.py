"""SBOMs: attached plain and signed, and which one is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.many import Failed
from imgtrust.commands.sbom import SbomFile, attach_sbom, read_sbom, sboms_in, show_sbom
from imgtrust.content import OCI_INDEX, describe
from imgtrust.errors import InputFileError, NotFound, StoreUnavailable, Undecided, UsageError
from imgtrust.reports.results import AttachedResult, SignedResult
from imgtrust.signers.authority import LocalAuthority
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import Image, artifact, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from imgtrust.commands.signing import Signing
    from imgtrust.stores.port import Store

RELEASE, OTHER = Publisher("release"), Publisher("other")
NOBODY = TrustRoot()
SPDX = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app", "packages": [{}, {}]}
CYCLONEDX = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}]}
TAG_VALUE = b"SPDXVersion: SPDX-2.3\nDocumentName: app\nPackageName: one\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = layout(tmp_path / "ci")
    push(found, index(image("a"), image("b", platform="linux/arm64")), "1")
    yield found
    found.close()


def sbom(tmp_path: Path, content: bytes | object = SPDX, name: str = "app.json", kind: str | None = None) -> SbomFile:
    target = tmp_path / name
    target.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_sbom(str(target), kind)


def attach(store: Store, file: SbomFile, signing: Signing | None = None, name: str = ":1") -> list[Any]:
    outcomes = list(attach_sbom([f"{store.repository}{name}"], file, signing=signing, now=lambda: NOON))
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
    return outcomes


def trust(*publishers: Publisher) -> TrustRoot:
    return TrustRoot(tuple(each.trusted for each in publishers), tuple(each.authority.authority for each in publishers))


@pytest.mark.parametrize(
    ("content", "media_type", "predicate_type", "kind"),
    [
        (SPDX, "application/spdx+json", "https://spdx.dev/Document", None),
        (CYCLONEDX, "application/vnd.cyclonedx+json", "https://cyclonedx.org/bom", None),
        (CYCLONEDX, "application/vnd.cyclonedx+json", "https://cyclonedx.org/bom", "cyclonedx"),
        (TAG_VALUE, "text/spdx", "https://spdx.dev/Document", None),
        ({"some": "format"}, "application/spdx+json", "https://spdx.dev/Document", "spdx"),
        (b"<bom/>", "application/vnd.cyclonedx+xml", "https://cyclonedx.org/bom", "cyclonedx"),
    ],
)
def test_what_an_sbom_is_can_be_told_or_said(
    tmp_path: Path, content: bytes | object, media_type: str, predicate_type: str, kind: str | None
) -> None:
    found = sbom(tmp_path, content, kind=kind)
    assert (found.title, found.media_type, found.predicate_type) == ("app.json", media_type, predicate_type)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"<bom/>", b'{"spdxVersion":"SPDX-2.3"}', b"text"])
def test_what_cannot_be_told_is_asked_for(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputFileError, match=r"--type spdx\|cyclonedx"):
        sbom(tmp_path, content)


def test_a_type_that_is_wrong_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is an SBOM of type spdx, not cyclonedx"):
        sbom(tmp_path, SPDX, kind="cyclonedx")
    with pytest.raises(UsageError, match="no type of SBOM"):
        sbom(tmp_path, SPDX, kind="syft")


def test_without_a_signer_it_is_a_claim(store: Store, tmp_path: Path) -> None:
    (result,) = attach(store, sbom(tmp_path))
    assert isinstance(result, AttachedResult)
    found = discover(store, store.resolve("1"))
    assert found.evidence == ()
    assert [claim.digest for claim in found.claims] == [result.evidence]
    (shown,) = show_sbom(f"{store.repository}:1", trust(RELEASE), at=NOON)
    assert (shown.signers, shown.time, shown.evidence) == ((), None, result.evidence)
    assert json.loads(shown.data) == SPDX


@pytest.mark.parametrize("content", [SPDX, CYCLONEDX, TAG_VALUE])
@pytest.mark.parametrize("legacy", [False, True])
def test_with_a_signer_it_is_attested_too(
    store: Store, tmp_path: Path, content: bytes | object, *, legacy: bool
) -> None:
    plain, signed = attach(store, sbom(tmp_path, content), RELEASE.signing(stamped=True, legacy=legacy))
    assert isinstance(plain, AttachedResult)
    assert isinstance(signed, SignedResult)
    (shown,) = show_sbom(f"{store.repository}:1", trust(RELEASE), at=NOON)
    assert (shown.signers, shown.evidence) == (("release",), signed.evidence)
    assert shown.time == NOON - timedelta(hours=1)
    assert shown.data == content if isinstance(content, bytes) else json.loads(shown.data) == content


def test_xml_is_attached_but_not_signed(store: Store, tmp_path: Path) -> None:
    file = sbom(tmp_path, b"<bom/>", kind="cyclonedx")
    attach(store, file)
    with pytest.raises(InputFileError, match="XML"):
        attach(store, file, RELEASE.signing())


def stamped_at(moment: datetime, publisher: Publisher = RELEASE) -> Signing:
    publisher.authority = LocalAuthority(lambda: moment)
    return publisher.signing(stamped=True)


def test_the_newest_that_is_trusted_counts(store: Store, tmp_path: Path) -> None:
    authorities = []
    for days, name in ((3, "old"), (1, "new"), (2, "middle")):
        attach(store, sbom(tmp_path, {**SPDX, "name": name}), stamped_at(NOON - timedelta(days=days)))
        authorities.append(RELEASE.authority.authority)
    attach(store, sbom(tmp_path, {**SPDX, "name": "no time"}), RELEASE.signing())
    attach(store, sbom(tmp_path, {**SPDX, "name": "stranger"}), OTHER.signing())
    attach(store, sbom(tmp_path, {**SPDX, "name": "claim"}))
    root = replace(trust(RELEASE), authorities=tuple(authorities))
    (shown,) = show_sbom(f"{store.repository}:1", root, at=NOON)
    assert shown.about is not None
    assert shown.about.name == "new"
    (claim,) = show_sbom(f"{store.repository}:1", NOBODY, at=NOON)
    assert claim.signers == ()


def test_a_type_chooses_among_sboms(store: Store, tmp_path: Path) -> None:
    attach(store, sbom(tmp_path, SPDX), RELEASE.signing())
    attach(store, sbom(tmp_path, CYCLONEDX), RELEASE.signing())
    for kind in ("spdx", "cyclonedx"):
        (shown,) = show_sbom(f"{store.repository}:1", trust(RELEASE), at=NOON, type_name=kind)
        assert shown.about is not None
        assert (shown.about.format, shown.signers) == (kind, ("release",))
        (claim,) = show_sbom(f"{store.repository}:1", NOBODY, at=NOON, type_name=kind)
        assert claim.about is not None
        assert (claim.about.format, claim.signers) == (kind, ())


def test_other_attestations_and_artifacts_are_no_sboms(store: Store) -> None:
    subject = store.resolve("1")
    RELEASE.sign(store, subject)
    RELEASE.attest(store, subject, "https://slsa.dev/provenance/v1", {})
    push(store, artifact(subject))
    push(store, artifact(subject, artifact_type="text/spdx", layers=[("text/spdx", b"no SBOM at all")]))
    with pytest.raises(NotFound, match="no SBOM is attached"):
        show_sbom(f"{store.repository}:1", trust(RELEASE), at=NOON)
    with pytest.raises(NotFound, match="no SBOM of type spdx"):
        show_sbom(f"{store.repository}:1", trust(RELEASE), at=NOON, type_name="spdx")


def test_an_index_without_one_shows_those_of_its_platforms(store: Store, tmp_path: Path) -> None:
    children = index(image("a"), image("b", platform="linux/arm64")).children
    attach(store, sbom(tmp_path), RELEASE.signing(), f"@{children[1].digest}")
    (shown,) = show_sbom(f"{store.repository}:1", trust(RELEASE), at=NOON)
    assert (shown.subject, str(shown.platform)) == (children[1].digest, "linux/arm64")


def test_an_image_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        show_sbom(f"{store.repository}:absent", NOBODY, at=NOON)


def test_evidence_that_cannot_be_read_is_no_reason_to_show_a_claim() -> None:
    store = MemoryStore()
    subject = push(store, image("a"), "1")
    text = json.dumps(SPDX).encode()
    push(store, artifact(subject, artifact_type="application/spdx+json", layers=[("application/spdx+json", text)]))
    store.failing["referrers"] = StoreUnavailable("503")
    with pytest.raises(Undecided, match=r"could be read.*503"):
        sboms_in(store, subject, trust(RELEASE), at=NOON)
    (claim,) = sboms_in(store, subject, NOBODY, at=NOON)
    assert claim.data == text


def test_the_date_of_an_sbom_is_now_unless_said(store: Store, tmp_path: Path) -> None:
    (result,) = attach_sbom([f"{store.repository}:1"], sbom(tmp_path))
    assert isinstance(result, AttachedResult)


def built_with(predicate: object, about: str | None = None) -> Image:
    """An index of BuildKit with a statement about its one image."""
    app = image("app")
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"digest": {"sha256": app.digest.encoded if about is None else about}}],
        "predicateType": "https://spdx.dev/Document",
        "predicate": predicate,
    }
    notes = artifact(None, layers=[("application/vnd.in-toto+json", json.dumps(statement).encode())])
    document = json.loads(index(app, notes).manifest)
    document["manifests"][1]["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": str(app.digest),
    }
    raw = json.dumps(document).encode()
    return Image(describe(raw, OCI_INDEX), raw, (), (app, notes))


def test_an_sbom_of_buildkit_is_a_claim(store: Store) -> None:
    root = push(store, built_with(SPDX))
    (shown,) = sboms_in(store, root, trust(RELEASE), at=NOON)
    assert (shown.subject, shown.signers, str(shown.platform)) == (image("app").digest, (), "linux/amd64")
    assert json.loads(shown.data) == SPDX
    assert sboms_in(store, root, NOBODY, at=NOON, predicate_type="https://cyclonedx.org/bom") == ()


@pytest.mark.parametrize("made", [built_with({}), built_with(SPDX, "0" * 64)])
def test_what_buildkit_says_of_something_else_is_no_sbom(store: Store, made: Image) -> None:
    assert sboms_in(store, push(store, made), NOBODY, at=NOON) == ()
