"""Keyless signing against a private Sigstore: what imgtrust signs its peers believe, and the other way round."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.fixtures.sigstore import PERSON
from tests.interop.keyless import (
    assert_libraries_accept,
    attached,
    identity,
    provenance,
    services,
    sign_with_python,
)
from tests.simulators.images import image
from tests.simulators.oidcserver import WORKFLOW_SAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Cell, Pair
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Place
    from tests.fixtures.sigstore import PrivateSigstore

pytestmark = pytest.mark.interop

NO_LOG: Final = """
version = 1
[sigstore.private]
trusted_root = "trusted_root.json"
[signers.person]
sigstore = "private"
issuer = "{issuer}"
identity = "{person}"
log = false
[[scopes]]
images = ["**"]
signatures = {{ any_of = ["person"] }}
"""


@pytest.mark.parametrize("workflow", [False, True], ids=["person", "workflow"])
def test_cosign_and_sigstore_python_accept_a_keyless_signature_of_imgtrust(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    cell: Cell,
    pair: Pair,
    *,
    workflow: bool,
) -> None:
    cell("cosign", ggcr_place.name, "verify")
    for reader in ("imgtrust", "cosign", "sigstore-python", "@sigstore/verify"):
        pair("imgtrust bundle, keyless", reader)
    name = ggcr_place.push(image(f"keyless of imgtrust {workflow}"))
    token = private_sigstore.workflow_token() if workflow else private_sigstore.token()
    out = ("--bundle-out", tmp_path / "bundle.json")
    said = imgtrust.json("sign", "--keyless", *services(private_sigstore, token), *out, name)
    (signed,) = said["signed"]
    signer = WORKFLOW_SAN if workflow else PERSON
    assert signed["signer"].startswith(f"{signer} (")
    assert [time["class"] for time in signed["times"]] == ["trusted"]
    who = identity(private_sigstore, workflow=workflow)
    cosign("verify", *who, str(name))
    accepted = imgtrust.accepts(*who, "--require-time", name)
    assert accepted["signatures"][0]["identity"].startswith(signer)
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", private_sigstore, signer)
    other = ("--certificate-identity", "stranger@acme.test", *who[4:])
    assert cosign("verify", *who[:2], *other, str(name), check=False).returncode != 0
    imgtrust.rejects(*who[:2], *other, name)


def test_cosign_accepts_a_keyless_attestation_of_imgtrust(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    tmp_path: Path,
    cell: Cell,
) -> None:
    cell("cosign", ggcr_place.name, "verify")
    name = ggcr_place.push(image("keyless attestation"))
    asked = services(private_sigstore, private_sigstore.token())
    imgtrust("attest", "--keyless", *asked, *provenance(tmp_path, "https://slsa.dev/provenance/v1"), name)
    imgtrust("sign", "--keyless", *asked, name)
    who = identity(private_sigstore)
    said = cosign("verify-attestation", *who, "--type", "slsaprovenance1", str(name))
    assert '"payloadType"' in said.stdout
    imgtrust.accepts(*who, "--evidence", "slsa-provenance", name)


def test_what_cosign_signs_and_attests_keyless_is_accepted(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    cell: Cell,
    pair: Pair,
) -> None:
    cell("cosign", ggcr_place.name, "sign")
    cell("cosign", ggcr_place.name, "attest")
    for reader in ("imgtrust", "cosign", "sigstore-python", "@sigstore/verify"):
        pair("cosign bundle, keyless", reader)
    name = ggcr_place.push(image("keyless of cosign"))
    asked = services(private_sigstore, private_sigstore.token())
    for _ in range(2):  # sigstore-python does not read the first entry of a log
        cosign("sign", *asked, str(name))
    cosign("attest", *asked, *provenance(tmp_path, "slsaprovenance1"), str(name))
    who = identity(private_sigstore)
    cosign("verify", *who, str(name))
    entry = imgtrust.accepts(*who, "--require-time", "--evidence", "slsa-provenance", name)
    assert entry["published"]["source"] == "rfc3161"
    imgtrust.rejects("--trusted-root", private_sigstore.trusted_root, *who[2:4], *who[4:5], "http://other.test", name)
    bundles = attached(name)
    assert len(bundles) == 3
    last = max(bundles, key=lambda one: int(one["verificationMaterial"]["tlogEntries"][0].get("logIndex", 0)))
    (tmp_path / "bundle.json").write_text(json.dumps(last))
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", private_sigstore, PERSON)


def test_a_keyless_signature_under_a_legacy_tag_is_accepted(
    cosign: Peer, imgtrust: Imgtrust, ggcr_place: Place, private_sigstore: PrivateSigstore, pair: Pair
) -> None:
    pair("cosign legacy, keyless", "imgtrust")
    pair("cosign legacy, keyless", "cosign")
    name = ggcr_place.push(image("keyless legacy of cosign"))
    old = ("--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format=false", "--yes")
    where = ("--fulcio-url", private_sigstore.services.fulcio, "--oidc-issuer", private_sigstore.oidc.issuer)
    stamp = ("--timestamp-server-url", private_sigstore.tsa.url)
    trusted = ("--trusted-root", private_sigstore.trusted_root)
    cosign("sign", *old, *where, *stamp, *trusted, "--identity-token", private_sigstore.token(), str(name))
    who = identity(private_sigstore)
    cosign("verify", *who, "--insecure-ignore-tlog", "--use-signed-timestamps", str(name))
    policy_file = private_sigstore.folder / "policy.toml"
    policy_file.write_text(NO_LOG.format(issuer=private_sigstore.oidc.issuer, person=PERSON))
    imgtrust.accepts("--policy", policy_file, name)


def test_a_bundle_of_sigstore_python_is_accepted_once_it_is_attached(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    pair: Pair,
) -> None:
    for reader in ("imgtrust", "cosign", "sigstore-python", "@sigstore/verify"):
        pair("sigstore-python", reader)
    name = ggcr_place.push(image("of sigstore-python"))
    (tmp_path / "bundle.json").write_text(sign_with_python(private_sigstore, name))
    who = identity(private_sigstore)
    imgtrust.accepts(*who, "--require-time", name)
    cosign("verify", *who, str(name))
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", private_sigstore, PERSON)


def test_without_a_log_a_time_stamp_is_enough_where_the_policy_says_so(
    imgtrust: Imgtrust, ggcr_place: Place, private_sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    name = ggcr_place.push(image("no log"))
    asked = services(private_sigstore, private_sigstore.token())
    imgtrust("sign", "--keyless", "--no-log", *asked, "--bundle-out", tmp_path / "bundle.json", name)
    material = json.loads((tmp_path / "bundle.json").read_text())["verificationMaterial"]
    assert "tlogEntries" not in material
    entry = imgtrust.rejects(*identity(private_sigstore), name)
    assert [refused["code"] for refused in entry["refused"]] == ["log.missing"]


def test_addresses_do_instead_of_a_signing_config(
    imgtrust: Imgtrust, ggcr_place: Place, private_sigstore: PrivateSigstore
) -> None:
    name = ggcr_place.push(image("addresses"))
    services = private_sigstore.services
    where = ("--fulcio-url", services.fulcio, "--rekor-url", services.rekor, "--tsa", private_sigstore.tsa.url)
    root = ("--trusted-root", private_sigstore.trusted_root)
    imgtrust("sign", "--keyless", *where, *root, "--identity-token", private_sigstore.token(), name)
    imgtrust.accepts(*identity(private_sigstore), name)


def test_each_of_several_authorities_stamps_and_everybody_believes_it(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    stamped_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
) -> None:
    who = identity(stamped_sigstore)
    asked = services(stamped_sigstore, stamped_sigstore.token())
    ours = ggcr_place.push(image("stamped twice by imgtrust"))
    imgtrust("sign", "--keyless", *asked, "--bundle-out", tmp_path / "bundle.json", ours)
    cosign("verify", *who, str(ours))
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", stamped_sigstore, PERSON)
    theirs = ggcr_place.push(image("stamped twice by cosign"))
    cosign("sign", *asked, str(theirs))
    for name in (ours, theirs):
        (signature,) = imgtrust.accepts(*who, "--require-time", name)["signatures"]
        assert [time["source"] for time in signature["times"]] == ["rfc3161", "rfc3161"]
        assert len({time["authority"] for time in signature["times"]}) == 2
