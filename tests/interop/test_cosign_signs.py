"""What cosign 3 signs and attests with a key, imgtrust verifies: bundles, time-stamps, legacy tags, layouts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.fixtures.places import Name
from tests.simulators.images import image, index

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Cell, Pair
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Keys, Place
    from tests.fixtures.times import TimestampServer

pytestmark = pytest.mark.interop

OFFLINE: Final = ("--use-signing-config=false", "--tlog-upload=false", "--yes")
LEGACY: Final = (*OFFLINE, "--new-bundle-format=false")
PROVENANCE_TYPE: Final = ("--type", "slsaprovenance1")
PROVENANCE: Final = {
    "buildDefinition": {"buildType": "https://example.com/build/v1", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://example.com/builder"}},
}


@pytest.fixture
def predicate(tmp_path: Path) -> Path:
    """A SLSA provenance predicate in a file."""
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps(PROVENANCE))
    return path


@pytest.mark.parametrize(
    ("flags", "signature_format"),
    [(OFFLINE, "sigstore-bundle"), (LEGACY, "cosign-simplesigning")],
    ids=["bundle", "legacy"],
)
def test_a_signature_of_cosign_is_verified(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    cell: Cell,
    pair: Pair,
    flags: tuple[str, ...],
    signature_format: str,
) -> None:
    cell("cosign", registry_only.name, "sign")
    for reader in ("imgtrust", "cosign"):
        pair("cosign legacy" if flags is LEGACY else "cosign bundle, key", reader)
    name = registry_only.push(image("signed"))
    imgtrust.rejects("--key", keys.public, name)
    cosign("sign", "--key", keys.private, *flags, str(name))
    cosign("verify", "--key", keys.public, "--insecure-ignore-tlog", str(name))
    entry = imgtrust.accepts("--key", keys.public, name)
    assert [found["format"] for found in entry["signatures"]] == [signature_format]
    assert entry["digest"] == str(image("signed").digest)
    assert entry["published"]["earliest"] is None
    assert imgtrust.status("verify", "--key", keys.public, "--require-time", name) == 1


@pytest.mark.parametrize("flags", [OFFLINE, LEGACY], ids=["bundle", "legacy"])
@pytest.mark.parametrize("roots", ["chain", "trusted root"])
def test_a_time_stamp_that_cosign_asked_for_is_a_publish_date(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    timestamp_server: TimestampServer,
    cell: Cell,
    flags: tuple[str, ...],
    roots: str,
) -> None:
    cell("cosign", registry_only.name, "sign")
    name = registry_only.push(image("timed"))
    cosign("sign", "--key", keys.private, *flags, "--timestamp-server-url", timestamp_server.url, str(name))
    trust: tuple[str | Path, ...] = ("--trusted-root", timestamp_server.trusted_root)
    if roots == "chain":
        trust = ("--tsa-roots", timestamp_server.chain)
    entry = imgtrust.accepts("--key", keys.public, *trust, "--max-age", "1h", name)
    assert entry["published"]["source"] == "rfc3161"
    assert entry["published"]["earliest"] is not None
    assert imgtrust.status("verify", "--key", keys.public, "--max-age", "1h", name) == 1  # nobody to believe the time


def test_the_referrer_variant_of_a_legacy_signature_is_verified(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "sign")
    name = registry_only.push(image("variant"))
    mode = ("--registry-referrers-mode", "oci-1-1")
    cosign("sign", "--key", keys.private, *LEGACY, *mode, str(name), env={"COSIGN_EXPERIMENTAL": "1"})
    entry = imgtrust.accepts("--key", keys.public, name)
    assert [found["format"] for found in entry["signatures"]] == ["cosign-simplesigning"]


@pytest.mark.parametrize("flags", [OFFLINE, LEGACY], ids=["bundle", "legacy"])
def test_an_attestation_of_cosign_is_evidence_and_no_signature(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    predicate: Path,
    cell: Cell,
    flags: tuple[str, ...],
) -> None:
    cell("cosign", registry_only.name, "attest")
    name = registry_only.push(image("attested"))
    cosign("attest", "--key", keys.private, *flags, *PROVENANCE_TYPE, "--predicate", predicate, str(name))
    entry = imgtrust.rejects("--key", keys.public, "--evidence", "slsa-provenance", name)
    outcomes = {rule["rule"]: rule["outcome"] for rule in entry["rules"]}
    assert outcomes["evidence.slsa-provenance"] == "pass"
    assert outcomes["signatures"] == "fail"
    cosign("sign", "--key", keys.private, *flags, str(name))
    imgtrust.accepts("--key", keys.public, "--evidence", "slsa-provenance", name)
    assert imgtrust.status("verify", "--key", keys.public, "--evidence", "openvex", name) == 1


@pytest.mark.parametrize("flags", [OFFLINE, LEGACY], ids=["bundle", "legacy"])
def test_a_recursive_signature_of_an_index_is_verified_for_index_and_children(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, cell: Cell, flags: tuple[str, ...]
) -> None:
    cell("cosign", registry_only.name, "sign")
    children = (image("one", platform="linux/amd64"), image("two", platform="linux/arm64"))
    name = registry_only.push(index(*children))
    cosign("sign", "--recursive", "--key", keys.private, *flags, str(name))
    entry = imgtrust.accepts("--key", keys.public, name)
    assert {p["platform"] for p in entry["platforms"]} == {"linux/amd64", "linux/arm64"}
    for child in children:
        imgtrust.accepts("--key", keys.public, name.at(str(child.digest)))


def test_another_key_of_cosign_is_refused(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "sign")
    name = registry_only.push(image("other key"))
    cosign("generate-key-pair", cwd=tmp_path)
    cosign("sign", "--key", tmp_path / "cosign.key", *OFFLINE, str(name))
    entry = imgtrust.rejects("--key", keys.public, name)
    assert [refused["code"] for refused in entry["refused"]] == ["bundle.untrusted_key"]


@pytest.mark.parametrize("kind", ["p384", "p521", "rsa", "ed25519"])
def test_keys_of_every_kind_are_verified(
    cosign: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, cell: Cell, kind: str
) -> None:
    cell("cosign", registry_only.name, "sign")
    name = registry_only.push(image(f"kind {kind}"))
    made = _import_key(cosign, kind, tmp_path)
    cosign("sign", "--key", made.with_suffix(".key"), *OFFLINE, str(name))
    imgtrust.accepts("--key", made.with_suffix(".pub"), name)


def _import_key(cosign: Peer, kind: str, folder: Path) -> Path:
    """A key made by openssl and taken over by cosign; its path without suffix."""
    openssl = cosign.other("/usr/bin/openssl")
    options = {
        "p384": ("EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        "p521": ("EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
        "rsa": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "ed25519": ("ed25519",),
    }[kind]
    openssl("genpkey", "-algorithm", *options, "-out", folder / "plain.pem")
    cosign("import-key-pair", "--key", folder / "plain.pem", "--output-key-prefix", kind, cwd=folder)
    return folder / kind


@pytest.mark.parametrize("done", ["sign", "attest"])
def test_what_cosign_saved_as_a_layout_is_verified_there(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    predicate: Path,
    tmp_path: Path,
    cell: Cell,
    done: str,
) -> None:
    cell("cosign", "layout", done)
    name = registry_only.push(image("saved"))
    for flags in (OFFLINE, LEGACY):
        cosign("sign", "--key", keys.private, *flags, str(name))
    cosign("attest", "--key", keys.private, *OFFLINE, *PROVENANCE_TYPE, "--predicate", predicate, str(name))
    cosign("save", "--dir", tmp_path / "saved", str(name))
    saved = Name(f"oci:{tmp_path / 'saved'}", None, str(image("saved").digest))
    evidence = ("--evidence", "slsa-provenance") if done == "attest" else ()
    entry = imgtrust.accepts("--key", keys.public, *evidence, saved)
    formats = {found["format"] for found in entry["signatures"]}
    assert formats == {"sigstore-bundle", "cosign-simplesigning"}
