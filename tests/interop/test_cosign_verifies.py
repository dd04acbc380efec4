"""What imgtrust signs, attests and attaches, cosign 3 accepts and shows, on each registry and in its saved layouts."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

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

IGNORE_LOG: Final = "--insecure-ignore-tlog"
FORMATS: Final = [(), ("--format", "cosign-legacy")]
FORMAT_NAMES: Final = ["bundle", "legacy"]
NOTE: Final = "application/vnd.example.note"
SPDX: Final = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "app",
    "documentNamespace": "https://example.com/app",
    "creationInfo": {"created": "2026-01-02T03:04:05Z", "creators": ["Tool: test"]},
    "packages": [],
}


@pytest.mark.parametrize("flags", FORMATS, ids=FORMAT_NAMES)
def test_cosign_accepts_a_signature_of_imgtrust(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    cell: Cell,
    pair: Pair,
    flags: tuple[str, ...],
) -> None:
    cell("cosign", registry_only.name, "verify")
    for reader in ("cosign", "imgtrust"):
        pair("imgtrust legacy" if flags else "imgtrust bundle, key", reader)
    name = registry_only.push(image("ours"))
    imgtrust("sign", "--key", keys.private, *flags, name)
    cosign("verify", "--key", keys.public, IGNORE_LOG, str(name))
    imgtrust.accepts("--key", keys.public, name)


@pytest.mark.parametrize("flags", FORMATS, ids=FORMAT_NAMES)
def test_cosign_accepts_the_time_stamp_that_imgtrust_attached(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    timestamp_server: TimestampServer,
    cell: Cell,
    flags: tuple[str, ...],
) -> None:
    cell("cosign", registry_only.name, "verify")
    name = registry_only.push(image("ours, timed"))
    tsa = ("--tsa", timestamp_server.url)
    imgtrust("sign", "--key", keys.private, *tsa, *flags, name)
    believed: tuple[str | Path, ...] = ("--use-signed-timestamps", "--trusted-root", timestamp_server.trusted_root)
    if flags:
        believed = ("--use-signed-timestamps", "--timestamp-certificate-chain", timestamp_server.chain)
    cosign("verify", "--key", keys.public, IGNORE_LOG, *believed, str(name))
    entry = imgtrust.accepts("--key", keys.public, "--tsa-roots", timestamp_server.chain, "--require-time", name)
    assert entry["published"]["source"] == "rfc3161"


def test_sigstore_for_javascript_accepts_a_bundle_by_key_with_a_time_stamp(
    sigstore_js: Peer,
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    ggcr_place: Place,
    timestamp_server: TimestampServer,
    tmp_path: Path,
    pair: Pair,
) -> None:
    for writer in ("imgtrust bundle, key", "cosign bundle, key"):
        pair(writer, "@sigstore/verify")
    name = ggcr_place.push(image("ours, for javascript"))
    out = ("--bundle-out", tmp_path / "ours.json")
    imgtrust("sign", "--key", keys.private, "--tsa", timestamp_server.url, *out, name)
    offline = ("--use-signing-config=false", "--tlog-upload=false", "--yes")
    stamped = ("--timestamp-server-url", timestamp_server.url, "--bundle", tmp_path / "theirs.json")
    cosign("sign", "--key", keys.private, *offline, *stamped, str(name))
    cosign("generate-key-pair", cwd=tmp_path)
    for bundle in (tmp_path / "ours.json", tmp_path / "theirs.json"):
        sigstore_js(timestamp_server.trusted_root, bundle, "--key", keys.public)
        other = sigstore_js(timestamp_server.trusted_root, bundle, "--key", tmp_path / "cosign.pub", check=False)
        assert other.returncode == 1


@pytest.mark.parametrize("flags", FORMATS, ids=FORMAT_NAMES)
def test_cosign_accepts_an_attestation_of_imgtrust(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    registry_only: Place,
    tmp_path: Path,
    cell: Cell,
    flags: tuple[str, ...],
) -> None:
    cell("cosign", registry_only.name, "verify")
    name = registry_only.push(image("ours, attested"))
    predicate = tmp_path / "sbom.spdx.json"
    predicate.write_text(json.dumps(SPDX))
    imgtrust("attest", "--key", keys.private, *flags, "--predicate", predicate, "--type", "spdx", name)
    said = cosign("verify-attestation", "--key", keys.public, IGNORE_LOG, "--type", "spdxjson", str(name))
    statement = _statement(said.stdout)
    assert statement["predicate"] == SPDX
    assert statement["subject"][0]["digest"]["sha256"] == image("ours, attested").digest.encoded
    imgtrust("sign", "--key", keys.private, *flags, name)
    imgtrust.accepts("--key", keys.public, "--evidence", "spdx", name)


def _statement(said: str) -> Any:
    """The statement in the last envelope that cosign printed."""
    envelope = json.loads(said.strip().splitlines()[-1])
    return json.loads(base64.b64decode(envelope["payload"]))


def test_cosign_refuses_with_another_key_what_imgtrust_signed(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "verify")
    name = registry_only.push(image("ours, other key"))
    imgtrust("sign", "--key", keys.private, name)
    cosign("generate-key-pair", cwd=tmp_path)
    assert cosign("verify", "--key", tmp_path / "cosign.pub", IGNORE_LOG, str(name), check=False).returncode != 0


def test_cosign_accepts_every_child_that_imgtrust_signed_recursively(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "verify")
    children = (image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))
    name = registry_only.push(index(*children))
    imgtrust("sign", "--recursive", "--key", keys.private, name)
    for each in (name, *(name.at(str(child.digest)) for child in children)):
        cosign("verify", "--key", keys.public, IGNORE_LOG, str(each))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("p256", ()), ("p384", ("--signature-digest-algorithm", "sha384")), ("rsa3072", ()), ("ed25519", ())],
)
def test_cosign_accepts_keys_that_imgtrust_generated(
    cosign: Peer,
    imgtrust: Imgtrust,
    registry_only: Place,
    tmp_path: Path,
    cell: Cell,
    kind: str,
    options: tuple[str, ...],
) -> None:
    cell("cosign", registry_only.name, "verify")
    name = registry_only.push(image(f"ours by {kind}"))
    imgtrust("keys", "generate", tmp_path / kind, "--type", kind)
    imgtrust("sign", "--key", tmp_path / f"{kind}.key", name)
    cosign("verify", "--key", tmp_path / f"{kind}.pub", IGNORE_LOG, *options, str(name))


def test_cosign_signs_with_a_key_that_imgtrust_generated(
    cosign: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "sign")
    name = registry_only.push(image("key of imgtrust"))
    imgtrust("keys", "generate", tmp_path / "mine")
    offline = ("--use-signing-config=false", "--tlog-upload=false", "--yes")
    cosign("sign", "--key", tmp_path / "mine.key", *offline, str(name))
    imgtrust.accepts("--key", tmp_path / "mine.pub", name)


@pytest.mark.parametrize(
    "name",
    ["docker_registry_tls", "ggcr_registry_tls", "cue_registry_tls", "docker_registry_basic", "docker_registry_token"],
)
def test_both_ways_work_over_tls_and_with_a_password(
    name: str, cosign: Peer, imgtrust: Imgtrust, keys: Keys, cell: Cell, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from tests.fixtures.places import registry_place  # noqa: PLC0415 - the module is a plugin of pytest

    registry = request.getfixturevalue(name)
    env = {"DOCKER_CONFIG": str(registry.docker_config(tmp_path))}
    place = registry_place(registry, env)
    cell("cosign", place.name, "sign")
    cell("cosign", place.name, "verify")
    authority = registry.certificate_authority
    tls = () if authority is None else ("--ca-file", authority)
    peer_tls = () if authority is None else ("--registry-cacert", authority)
    offline = ("--use-signing-config=false", "--tlog-upload=false", "--yes")
    theirs, ours = place.push(image("theirs")), place.push(image("ours"))
    cosign("sign", "--key", keys.private, *offline, *peer_tls, str(theirs), env=env)
    imgtrust.accepts("--key", keys.public, *tls, theirs, env=env)
    imgtrust("sign", "--key", keys.private, *tls, ours, env=env)
    cosign("verify", "--key", keys.public, IGNORE_LOG, *peer_tls, str(ours), env=env)


def test_cosign_shows_what_imgtrust_attached(
    cosign: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "attach")
    name = registry_only.push(image("with a note"))
    (tmp_path / "note.txt").write_text("hello")
    imgtrust("attach", name, "note.txt", "--artifact-type", NOTE, cwd=tmp_path)
    shown = cosign("tree", "--experimental-oci11", str(name)).stdout
    assert "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" in shown


def test_imgtrust_shows_an_sbom_that_cosign_attached_as_an_unsigned_claim(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", registry_only.name, "attach")
    name = registry_only.push(image("with an sbom"))
    (tmp_path / "sbom.json").write_text(json.dumps(SPDX))
    flags = ("--type", "spdx", "--input-format", "json")
    cosign("attach", "sbom", "--sbom", tmp_path / "sbom.json", *flags, str(name))
    assert imgtrust.status("verify", "--key", keys.public, name) == 1
    assert "spdx" in imgtrust("inspect", name).lower()


def test_cosign_accepts_a_signature_in_the_layout_that_it_saved(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", "layout", "verify")
    name = registry_only.push(image("saved, then signed"))
    cosign("save", "--dir", tmp_path / "saved", str(name))
    saved = Name(f"oci:{tmp_path / 'saved'}", None, str(image("saved, then signed").digest))
    refused = cosign("verify", "--local-image", "--key", keys.public, IGNORE_LOG, tmp_path / "saved", check=False)
    assert refused.returncode != 0
    imgtrust("sign", "--key", keys.private, saved)
    cosign("verify", "--local-image", "--key", keys.public, IGNORE_LOG, tmp_path / "saved")


def test_cosign_saves_what_imgtrust_attached(
    cosign: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, cell: Cell
) -> None:
    cell("cosign", "layout", "attach")
    name = registry_only.push(image("saved with a note"))
    (tmp_path / "note.txt").write_text("hello")
    imgtrust("attach", name, "note.txt", "--artifact-type", NOTE, cwd=tmp_path)
    cosign("save", "--dir", tmp_path / "saved", str(name))
    saved = Name(f"oci:{tmp_path / 'saved'}", None, str(image("saved with a note").digest))
    imgtrust("pull", saved, "--artifact-type", NOTE, "--dir", tmp_path / "pulled")
    assert (tmp_path / "pulled" / "note.txt").read_text() == "hello"
