"""Tools that carry and attach: what oras, regctl, crane and skopeo move stays verifiable, and each sees the other's.

They sign nothing. "sign" and "attest" in their rows mean: signed by imgtrust elsewhere, carried to that place by the
tool with its own way to take referrers along, and verified there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.fixtures.places import Name, digests, registry_place
from tests.simulators.images import image, index

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Cell
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Keys, Place
    from tests.fixtures.registries import Registry

pytestmark = pytest.mark.interop

NOTE: Final = "application/vnd.example.note"
CYCLONEDX: Final = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": []}
SIGN_PREDICATE: Final = "https://sigstore.dev/cosign/sign/v1"


class Signed(NamedTuple):
    """An image and the digests of the manifests that carry its evidence."""

    name: Name
    evidence: tuple[str, ...]


@pytest.fixture
def signed(imgtrust: Imgtrust, keys: Keys, elsewhere: Place, tmp_path: Path) -> Signed:
    """An image that imgtrust signed and attested on a registry of another kind."""
    name = elsewhere.push(image("carried"))
    (tmp_path / "bom.json").write_text(json.dumps(CYCLONEDX))
    attest = ("attest", "--type", "cyclonedx", "--predicate", tmp_path / "bom.json")
    made = [imgtrust.json(*command, "--key", keys.private, name) for command in (("sign",), attest)]
    return Signed(name, tuple(digests(made, "evidence")))


def _is_verified(imgtrust: Imgtrust, keys: Keys, name: Name) -> None:
    """Signature and attestation are believed."""
    entry = imgtrust.accepts("--key", keys.public, "--evidence", "cyclonedx", name)
    assert [found["format"] for found in entry["signatures"] if found["predicate_type"] == SIGN_PREDICATE]


def test_oras_carries_an_image_with_all_its_evidence(
    oras: Peer, imgtrust: Imgtrust, keys: Keys, signed: Signed, place: Place, cell: Cell
) -> None:
    for action in ("sign", "attest"):
        cell("oras", place.name, action)
    name = place.fresh()
    oras("cp", "-r", *signed.name.oras("from-"), *name.oras("to-"))
    _is_verified(imgtrust, keys, name)


def test_oras_lists_what_imgtrust_signed(oras: Peer, imgtrust: Imgtrust, keys: Keys, place: Place, cell: Cell) -> None:
    cell("oras", place.name, "verify")
    name = place.push(image("listed by oras"))
    made = imgtrust.json("sign", "--key", keys.private, name)
    listed = digests(oras.json("discover", "--format", "json", *name.oras()))
    assert made["signed"][0]["evidence"] in listed


def test_oras_pulls_what_imgtrust_attached_and_the_other_way_round(
    oras: Peer, imgtrust: Imgtrust, place: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("oras", place.name, "attach")
    name = place.push(image("with notes"))
    (tmp_path / "ours.txt").write_text("from imgtrust")
    (tmp_path / "theirs.txt").write_text("from oras")
    imgtrust("attach", name, "ours.txt", "--artifact-type", NOTE, cwd=tmp_path)
    (found,) = oras.json("discover", "--format", "json", *name.oras())["referrers"]
    oras("pull", *name.at(found["digest"]).oras(), "-o", tmp_path / "by-oras")
    assert (tmp_path / "by-oras" / "ours.txt").read_text() == "from imgtrust"
    oras("attach", "--artifact-type", f"{NOTE}.2", *name.oras(), "theirs.txt", cwd=tmp_path)
    imgtrust("pull", name, "--artifact-type", f"{NOTE}.2", "--dir", tmp_path / "by-imgtrust")
    assert (tmp_path / "by-imgtrust" / "theirs.txt").read_text() == "from oras"


def test_regctl_carries_an_image_with_all_its_evidence(
    regctl: Peer, imgtrust: Imgtrust, keys: Keys, signed: Signed, place: Place, cell: Cell
) -> None:
    for action in ("sign", "attest"):
        cell("regctl", place.name, action)
    name = place.fresh()
    _plain(regctl, signed.name, name)
    regctl("image", "copy", "--referrers", signed.name.regctl(), name.regctl())
    _is_verified(imgtrust, keys, name)


def test_regctl_carries_legacy_signatures_by_their_tags(
    regctl: Peer, imgtrust: Imgtrust, keys: Keys, elsewhere: Place, place: Place, cell: Cell
) -> None:
    cell("regctl", place.name, "sign")
    signed, name = elsewhere.push(image("legacy")), place.fresh()
    imgtrust("sign", "--format", "cosign-legacy", "--key", keys.private, signed)
    _plain(regctl, signed, name)
    regctl("image", "copy", "--digest-tags", signed.regctl(), name.regctl())
    entry = imgtrust.accepts("--key", keys.public, name)
    assert [found["format"] for found in entry["signatures"]] == ["cosign-simplesigning"]


def test_regctl_lists_what_imgtrust_signed(
    regctl: Peer, imgtrust: Imgtrust, keys: Keys, place: Place, cell: Cell
) -> None:
    cell("regctl", place.name, "verify")
    name = place.push(index(image("x"), image("y", platform="linux/arm64")))
    made = imgtrust.json("sign", "--recursive", "--key", keys.private, name)
    _plain(regctl, name)
    shown = regctl("artifact", "tree", name.regctl()).stdout
    for signature in made["signed"]:
        evidence = name.at(signature["evidence"])
        read = json.loads(regctl("manifest", "get", "--format", "raw-body", evidence.regctl()).stdout)
        assert read["subject"]["digest"] == signature["digest"]
        assert name.is_layout or signature["evidence"] in shown  # in a layout regctl lists by a fallback tag only


def test_regctl_gets_what_imgtrust_attached_and_the_other_way_round(
    regctl: Peer, imgtrust: Imgtrust, place: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("regctl", place.name, "attach")
    name = place.push(image("with notes"))
    (tmp_path / "ours.txt").write_text("from imgtrust")
    (tmp_path / "theirs.txt").write_text("from regctl")
    _plain(regctl, name)
    attached = _attach(imgtrust, name, tmp_path)
    assert regctl("artifact", "get", name.at(attached).regctl()).stdout == "from imgtrust"
    if not name.is_layout:  # in a layout regctl looks for referrers under a fallback tag, which no specification has
        assert regctl("artifact", "get", "--subject", name.regctl()).stdout == "from imgtrust"
    put = ("artifact", "put", "--artifact-type", f"{NOTE}.2", "--file", "theirs.txt", "--file-title")
    regctl(*put, "--subject", name.regctl(), cwd=tmp_path)
    imgtrust("pull", name, "--artifact-type", f"{NOTE}.2", "--dir", tmp_path / "by-imgtrust")
    assert (tmp_path / "by-imgtrust" / "theirs.txt").read_text() == "from regctl"


def _attach(imgtrust: Imgtrust, name: Name, folder: Path) -> str:
    """Attach ``ours.txt``; the digest of the manifest that carries it."""
    (attached,) = digests(imgtrust.json("attach", name, "ours.txt", "--artifact-type", NOTE, cwd=folder), "evidence")
    return attached


def _plain(regctl: Peer, *names: Name) -> None:
    """Tell regctl that registries on loopback speak plain HTTP."""
    for name in names:
        if not name.is_layout:
            regctl("registry", "set", "--tls", "disabled", name.repository.partition("/")[0])


def test_crane_carries_an_image_with_each_of_its_referrers(
    crane: Peer, imgtrust: Imgtrust, keys: Keys, signed: Signed, registry_only: Place, cell: Cell
) -> None:
    for action in ("sign", "attest"):
        cell("crane", registry_only.name, action)
    name = registry_only.fresh()
    crane("copy", str(signed.name), str(name))
    attached = [str(signed.name.at(found)) for found in signed.evidence]
    for number, found in enumerate(attached):
        crane("copy", found, str(name.tagged(f"referrer-{number}")))
    if registry_only.name == "docker-registry":  # no Referrers API: the fallback tag is an index like any other
        fallback = name.tagged(str(image("carried").digest).replace(":", "-"))
        crane(
            "index", "append", *(part for found in attached for part in ("--manifest", found)), "--tag", str(fallback)
        )
    _is_verified(imgtrust, keys, name)


def test_crane_reads_what_imgtrust_signed(
    crane: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, cell: Cell
) -> None:
    cell("crane", registry_only.name, "verify")
    name = registry_only.push(image("read by crane"))
    made = imgtrust.json("sign", "--key", keys.private, name)
    manifest = crane.json("manifest", str(name.at(made["signed"][0]["evidence"])))
    assert manifest["subject"]["digest"] == str(image("read by crane").digest)
    crane("validate", "--remote", str(name))


def test_crane_reads_what_imgtrust_attached(
    crane: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("crane", registry_only.name, "attach")
    name = registry_only.push(image("with notes"))
    (tmp_path / "ours.txt").write_text("from imgtrust")
    attached = _attach(imgtrust, name, tmp_path)
    (layer,) = crane.json("manifest", str(name.at(attached)))["layers"]
    assert crane("blob", str(name.at(layer["digest"]))).stdout == "from imgtrust"


@pytest.mark.parametrize("done", ["sign", "verify", "attest", "attach"])
def test_crane_and_imgtrust_take_each_others_layouts(
    crane: Peer, imgtrust: Imgtrust, keys: Keys, ggcr_registry: Registry, tmp_path: Path, cell: Cell, done: str
) -> None:
    cell("crane", "layout", done)
    place = registry_place(ggcr_registry)
    pushed, back = place.push(image("pulled")), place.fresh()
    crane("pull", "--format", "oci", str(pushed), tmp_path / "pulled")
    name = Name(f"oci:{tmp_path / 'pulled'}", None, str(image("pulled").digest))  # crane keeps no tag
    assert imgtrust.status("verify", "--key", keys.public, name) == 1
    (tmp_path / "bom.json").write_text(json.dumps(CYCLONEDX))
    imgtrust("sign", "--key", keys.private, name)
    imgtrust("attest", "--type", "cyclonedx", "--predicate", tmp_path / "bom.json", "--key", keys.private, name)
    imgtrust("attach", name, "bom.json", "--artifact-type", NOTE, cwd=tmp_path)
    _is_verified(imgtrust, keys, name)
    crane("push", "--index", tmp_path / "pulled", str(back))  # all that the layout lists, referrers too
    _is_verified(imgtrust, keys, back.at(str(image("pulled").digest)))
    imgtrust("pull", back.at(str(image("pulled").digest)), "--artifact-type", NOTE, "--dir", tmp_path / "notes")
    assert json.loads((tmp_path / "notes" / "bom.json").read_text()) == CYCLONEDX


def test_skopeo_carries_an_image_into_a_layout_and_back(
    skopeo: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, tmp_path: Path
) -> None:
    name = registry_only.push(image("carried by skopeo"))
    copied = Name(f"oci:{tmp_path / 'skopeo'}", "one")
    skopeo("copy", "--src-tls-verify=false", f"docker://{name}", str(copied))
    imgtrust("sign", "--key", keys.private, copied)
    entry = imgtrust.accepts("--key", keys.public, copied)
    assert entry["digest"] == str(image("carried by skopeo").digest)
    back = registry_only.fresh()
    skopeo("copy", "--dest-tls-verify=false", str(copied), f"docker://{back}")
    assert imgtrust.status("verify", "--key", keys.public, back) == 1  # skopeo leaves referrers behind
    imgtrust("promote", "--key", keys.public, copied, back.tagged("promoted"))
    imgtrust.accepts("--key", keys.public, back.tagged("promoted"))
