"""The tree of evidence: everything is shown, and only what was proven is said to be believed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.x509 import UniformResourceIdentifier

from imgtrust.commands.inspect import inspect_image, inspect_store
from imgtrust.content import Descriptor
from imgtrust.errors import ContentMismatch, NotFound, StoreUnavailable
from imgtrust.predicates.summary import VSA
from imgtrust.reference import Digest, Reference
from imgtrust.reports.text import Style
from imgtrust.reports.tree import Node, Standing, inspection_document, render_tree
from imgtrust.stores import StoreOptions
from imgtrust.trust.anchors import TrustedNotary
from imgtrust.trust.times import ClaimedTime, VerifiedTime
from tests.simulators.attached import NOTARY_ROOT, attach_keyless, attach_notary
from tests.simulators.gallery import RELEASE as GALLERY_KEY
from tests.simulators.gallery import SIGSTORE as SIGSTORE_OF_GALLERY
from tests.simulators.gallery import WORKFLOW, fill
from tests.simulators.gate import NOON, Publisher, judged_by, layout
from tests.simulators.images import artifact, image, index, push
from tests.simulators.memory import MemoryStore
from tests.simulators.sigstore import VirtualSigstore

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.commands.loading import Judgement
    from imgtrust.stores.port import Store

RELEASE: Final = Publisher("release")
OTHER: Final = Publisher("other")
TWO: Final = index(image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))
CYCLONEDX: Final = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}, {}]}
SPDX: Final = {"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "name": "x", "packages": [{}]}


def filled(store: Store) -> Reference:
    root = push(store, TWO, "1")
    found = TWO.children[0].descriptor
    child = Descriptor(found.media_type, found.digest, found.size)
    RELEASE.sign(store, root, stamped=True)
    OTHER.sign(store, root)
    RELEASE.sign(store, root, legacy=True)
    RELEASE.attest(store, root, VSA, {})
    RELEASE.attest(store, root, "https://example.com/own", {"x": 1})
    RELEASE.attest(store, child, "https://cyclonedx.org/bom", CYCLONEDX)
    RELEASE.attest(store, child, "https://spdx.dev/Document", SPDX)
    RELEASE.attest(store, child, "https://slsa.dev/provenance/v1", {})
    push(store, artifact(child, artifact_type="application/spdx+json", layers=[("application/spdx+json", b"{}")]))
    push(store, artifact(child))
    return Reference(store.repository, "1")


def rows(node: Node) -> set[tuple[str, str, Standing]]:
    return {(item.kind, item.what, item.standing) for item in node.attached}


def test_with_somebody_to_trust_each_thing_is_believed_or_not() -> None:
    store = MemoryStore()
    found = inspect_store(store, filled(store), at=NOON, judgement=judged_by(RELEASE))
    assert found.policy is not None
    assert (found.root.kind, found.root.digest) == ("index", TWO.digest)
    assert rows(found.root) == {
        ("signature", "Sigstore bundle", Standing.BELIEVED),
        ("signature", "Sigstore bundle", Standing.REFUSED),
        ("signature", "cosign legacy", Standing.BELIEVED),
        ("summary", "SLSA verification summary", Standing.BELIEVED),
        ("attestation", "https://example.com/own", Standing.BELIEVED),
    }
    refused = next(item for item in found.root.attached if item.standing is Standing.REFUSED)
    assert refused.code == "bundle.untrusted_key"
    amd, arm = found.root.children
    assert rows(amd) == {
        ("sbom", "CycloneDX 1.6, 2 packages", Standing.BELIEVED),
        ("sbom", "SPDX 2.3, 1 package", Standing.BELIEVED),
        ("provenance", "SLSA v1", Standing.BELIEVED),
        ("sbom", "SPDX JSON", Standing.CLAIM),
        ("artifact", "1 layer", Standing.CLAIM),
    }
    assert (str(arm.platform), arm.kind, arm.attached) == ("linux/arm64", "image", ())
    signature = next(item for item in found.root.attached if item.times and item.kind == "signature")
    assert (signature.signer, signature.identity) == (
        "release",
        f"key sha256:{RELEASE.signer.public_key.fingerprint}",
    )


def test_without_anybody_to_trust_everything_is_found_and_nothing_believed() -> None:
    store = MemoryStore()
    found = inspect_store(store, filled(store), at=NOON)
    assert found.policy is None
    everything = [*found.root.attached, *(item for child in found.root.children for item in child.attached)]
    assert {item.standing for item in everything} == {Standing.FOUND, Standing.CLAIM}
    assert {item.kind for item in everything} == {
        "signature",
        "summary",
        "attestation",
        "sbom",
        "provenance",
        "artifact",
    }
    said = f"says it is by key {RELEASE.signer.public_key.fingerprint[:8]}"
    assert said in {item.reason for item in everything}
    assert "Give --policy" in render_tree(found, Style())


def test_evidence_that_cannot_be_read_is_shown_as_refused_even_then() -> None:
    store = MemoryStore()
    root = push(store, image("a"), "1")
    bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
    push(store, artifact(root, artifact_type=bundle, layers=[(bundle, b"{")]))
    found = inspect_store(store, Reference(store.repository, "1"), at=NOON)
    (item,) = found.root.attached
    assert (item.kind, item.what, item.standing, item.code) == (
        "evidence",
        "Sigstore bundle",
        Standing.REFUSED,
        "bundle.malformed",
    )


def test_what_the_store_cannot_answer_is_a_line_and_no_silence() -> None:
    store = MemoryStore()
    reference = filled(store)
    store.failing["referrers"] = StoreUnavailable("registry.test is away")
    found = inspect_store(store, reference, at=NOON)
    assert any("away" in item.reason for item in found.root.unread)


def test_a_child_that_is_gone_is_a_line_too() -> None:
    store = MemoryStore()
    reference = filled(store)
    del store.blobs[TWO.children[1].digest]
    found = inspect_store(store, reference, at=NOON)
    assert [item.what for item in found.root.children[1].unread] == ["the manifest"]


def test_an_image_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with closing(layout(tmp_path / "ci")) as store:
        push(store, image("a"), "1")
    with pytest.raises(NotFound):
        inspect_image(Reference.parse(f"oci:{tmp_path}/ci:2"), StoreOptions(), at=NOON)
    with pytest.raises(ContentMismatch, match="points at"):
        inspect_image(Reference.parse(f"oci:{tmp_path}/ci:1@{Digest.of(b'x')}"), StoreOptions(), at=NOON)


def test_an_artifact_is_called_one(tmp_path: Path) -> None:
    with closing(layout(tmp_path / "ci")) as store:
        push(store, artifact(None), "1")
    found = inspect_image(Reference.parse(f"oci:{tmp_path}/ci:1"), StoreOptions(), at=NOON)
    assert found.root.kind == "artifact"
    assert inspection_document((found,))["images"][0]["root"]["kind"] == "artifact"


SIGSTORE: Final = VirtualSigstore()


def foreign(store: Store) -> Reference:
    """An image signed with a workflow's certificate, a person's, and by Notary; and one bundle cut short."""
    root = push(store, image("a"), "1")
    workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
    attach_keyless(store, root, SIGSTORE, SIGSTORE.certify(names=(UniformResourceIdentifier(workflow),)))
    attach_keyless(store, root, SIGSTORE)
    attach_keyless(store, root, SIGSTORE, SIGSTORE.certify(names=()))
    attach_notary(store, root)
    return Reference(store.repository, "1")


def test_keyless_and_notary_signatures_are_found_with_what_they_say_of_themselves() -> None:
    store = MemoryStore()
    found = inspect_store(store, foreign(store), at=NOON)
    assert {(item.what, item.reason) for item in found.root.attached if item.standing is Standing.FOUND} == {
        ("Notary JWS", "says it is by acme release"),
        ("Sigstore bundle", "says it is by acme/app release.yml@main"),
        ("Sigstore bundle", "says it is by release@acme.test"),
    }
    (refused,) = [item for item in found.root.attached if item.standing is not Standing.FOUND]
    assert (refused.standing, refused.code) == (Standing.REFUSED, "certificate.malformed")


def test_keyless_and_notary_signatures_are_believed_with_every_source_of_their_times() -> None:
    store = MemoryStore()
    reference = foreign(store)
    signer = TrustedNotary("acme", "ca", (NOTARY_ROOT.der,), ((("C", "US"),), ()), (), "skip")
    trust = replace(SIGSTORE.trusting(), notary=(signer,))
    judgement = replace(judged_by(RELEASE), trust=trust)
    found = inspect_store(store, reference, at=NOON, judgement=judgement).root.attached
    believed = {item.what: item for item in found if item.standing is Standing.BELIEVED}
    keyless, notary = believed["Sigstore bundle"], believed["Notary JWS"]
    assert keyless.identity == "release@acme.test (https://accounts.acme.test)"
    assert [(time.source, time.authority) for time in keyless.times] == [("rekor", "rekor.acme.test")]
    assert keyless.second_opinion.endswith("agrees")
    assert notary.identity is not None
    assert notary.identity.startswith("x509.subject: ")
    assert notary.not_checked == ("revocation: not asked, as the policy says (skip)",)
    assert {item.code for item in found if item.standing is Standing.REFUSED} == {
        "identity.untrusted",
        "certificate.malformed",
    }


# --- one image with everything on it ----------------------------------------------------------------------------------


def everything() -> tuple[MemoryStore, Reference]:
    store = MemoryStore()
    fill(store, "1")
    return store, Reference(store.repository, "1")


def everybody() -> Judgement:
    """Whoever signed the gallery but for ``OTHER``, and every authority but the one of the throw-away time-stamp."""
    signer = TrustedNotary("partner", "ca", (NOTARY_ROOT.der,), ((("C", "US"),), ()), (), "skip")
    keyless = SIGSTORE_OF_GALLERY.trusting(WORKFLOW)
    root = keyless.identities[0].root
    trust = replace(keyless, keys=(GALLERY_KEY.trusted,), authorities=root.authorities, logs=root.logs)
    return replace(judged_by(GALLERY_KEY), trust=replace(trust, notary=(signer,)))


def told(node: Node) -> set[tuple[str, str, Standing, str]]:
    return {(item.kind, item.what, item.standing, item.reason) for item in node.attached}


def test_each_thing_says_what_it_is_whom_it_is_by_and_when_where_nobody_is_trusted() -> None:
    store, reference = everything()
    found = inspect_store(store, reference, at=NOON).root
    key = f"says it is by key {GALLERY_KEY.signer.public_key.fingerprint[:8]}"
    workflow = "says it is by acme/app release.yml@main"
    assert told(found) >= {
        ("signature", "Sigstore bundle", Standing.FOUND, key),
        ("signature", "Sigstore bundle", Standing.FOUND, f"{key}, it is about another image"),
        ("signature", "Sigstore bundle", Standing.FOUND, workflow),
        ("signature", "cosign legacy", Standing.FOUND, workflow),
        ("signature", "cosign legacy", Standing.FOUND, ""),
        ("attestation", "openvex", Standing.FOUND, key),
        ("summary", "SLSA verification summary", Standing.FOUND, ""),
        ("signature", "Notary COSE", Standing.FOUND, "says it is by acme release"),
        ("sbom", "SPDX JSON", Standing.CLAIM, "application/spdx+json"),
        ("artifact", "2 layers", Standing.CLAIM, "application/vnd.example.note"),
    }
    assert all(isinstance(time, ClaimedTime) for item in found.attached for time in item.times)
    sources = {item.reason: {str(time.source) for time in item.times} for item in found.attached if item.times}
    assert sources["says it is by acme/app release.yml@main"] == {"rekor"}
    assert sources["says it is by release@acme.test"] == {"rfc3161"}
    assert sources["says it is by acme release"] >= {"notary-signing-time"}


def test_statements_of_buildkit_are_claims_one_by_one() -> None:
    store, reference = everything()
    (child, other) = inspect_store(store, reference, at=NOON).root.children
    claims = [(item.kind, item.what, item.reason) for item in other.attached]
    assert claims == [
        ("provenance", "SLSA v0.2", "BuildKit"),
        ("sbom", "SPDX", "BuildKit"),
        ("attestation", "a statement of no type", "BuildKit"),
    ]
    assert {item.standing for item in other.attached} == {Standing.CLAIM}
    assert ("sbom", "CycloneDX 1.6, 214 packages") in {(item.kind, item.what) for item in child.attached}


def test_each_thing_is_believed_with_its_times_or_refused_with_its_code() -> None:
    store, reference = everything()
    found = inspect_store(store, reference, at=NOON, judgement=everybody()).root
    believed = [
        (
            item.what,
            item.signer,
            tuple(sorted(time.source.value for time in item.times if isinstance(time, VerifiedTime))),
        )
        for item in found.attached
        if item.standing is Standing.BELIEVED and item.kind == "signature"
    ]
    assert sorted(believed, key=str) == sorted(
        [
            ("Sigstore bundle", "release", ()),
            ("Sigstore bundle", "release", ()),
            ("Sigstore bundle", "release", ("rekor",)),
            ("Sigstore bundle", "release", ("rekor", "rfc3161")),
            ("cosign legacy", "release", ()),
            ("cosign legacy", "release", ("rekor",)),
            ("Notary JWS", "partner", ()),
            ("Notary COSE", "partner", ()),
        ],
        key=str,
    )
    refused = sorted(str(item.code) for item in found.attached if item.standing is Standing.REFUSED)
    assert refused == [
        "bundle.malformed",
        "bundle.untrusted_key",
        "bundle.version",
        "identity.untrusted",
        "manifest.layers",
        "statement.wrong_subject",
    ]


def test_the_page_and_the_data_say_the_same_of_a_time_that_is_not_proven() -> None:
    store, reference = everything()
    found = inspect_store(store, reference, at=NOON, judgement=everybody())
    (data,) = inspection_document((found,))["images"]
    stamped = [item for item in data["root"]["attached"] if item["unproven"]]
    assert {item["unproven"][0]["code"] for item in stamped} == {"time.untrusted_authority"}
    text = render_tree(found, Style(verbose=True, width=200))
    assert "not proven: " in text
    assert "[time.untrusted_authority]" in text
    assert "no proven time, claims 2026-11-23 11:00:00 (time-stamp)" in render_tree(found, Style(width=200))
    assert f"judged by gate.toml {found.policy.digest if found.policy else ''}, 2026-11-23 12:00:00" in text


@pytest.mark.parametrize("width", [80, 100])
def test_a_tree_fits_the_page_whatever_hangs_on_it(width: int) -> None:
    store, reference = everything()
    for judgement in (None, everybody()):
        lines = render_tree(inspect_store(store, reference, at=NOON, judgement=judgement), Style(width=width)).split(
            "\n"
        )
        assert max(len(line) for line in lines) <= width
