"""Signatures by key that are logged, against a private Sigstore: cosign believes the entry, and so do we cosign's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from imgtrust.predicates.summary import VSA
from tests.fixtures.sigstore import PERSON
from tests.simulators.images import image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Keys, Place
    from tests.fixtures.sigstore import PrivateSigstore
    from tests.simulators.firstlog import FirstLogServer

pytestmark = pytest.mark.interop


def services(instance: PrivateSigstore) -> tuple[str | Path, ...]:
    """The options that name an instance to whoever signs with a key; cosign and imgtrust spell them alike."""
    return ("--signing-config", instance.signing_config, "--trusted-root", instance.trusted_root)


@pytest.mark.parametrize("stamped", [True, False], ids=["stamped", "unstamped"])
def test_cosign_believes_the_log_entry_of_a_signature_by_key(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    *,
    stamped: bool,
) -> None:
    if not stamped:
        config = json.loads(private_sigstore.signing_config.read_text())
        private_sigstore.signing_config.write_text(json.dumps({**config, "tsaUrls": [], "tsaConfig": {}}))
    name = ggcr_place.push(image(f"by key and logged {stamped}"))
    out = ("--bundle-out", tmp_path / "bundle.json")
    said = imgtrust.json("sign", "--key", keys.private, *services(private_sigstore), *out, name)
    (signed,) = said["signed"]
    assert [entry["log"] for entry in signed["log_entries"]] == [private_sigstore.services.rekor]
    assert [time["class"] for time in signed["times"]] == ["trusted"] * stamped
    trusted = ("--trusted-root", private_sigstore.trusted_root)
    # without --insecure-ignore-tlog: the entry is what is believed
    cosign("verify", "--key", keys.public, *trusted, str(name))
    if stamped:
        cosign("verify", "--key", keys.public, *trusted, "--use-signed-timestamps", str(name))
        sigstore_js(private_sigstore.trusted_root, tmp_path / "bundle.json", "--key", keys.public)
    entry = imgtrust.accepts("--key", keys.public, *trusted, *(["--require-time"] if stamped else []), name)
    assert not [each for each in entry["signatures"][0]["not_checked"] if "log" in each]


def test_cosign_refuses_the_same_signature_without_its_entry(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, ggcr_place: Place, private_sigstore: PrivateSigstore
) -> None:
    name = ggcr_place.push(image("by key and not logged"))
    imgtrust("sign", "--key", keys.private, *services(private_sigstore), "--no-log", name)
    trusted = ("--trusted-root", private_sigstore.trusted_root)
    assert cosign("verify", "--key", keys.public, *trusted, str(name), check=False).returncode != 0
    cosign("verify", "--key", keys.public, *trusted, "--insecure-ignore-tlog", str(name))


@pytest.mark.parametrize("kind", ["p384", "rsa3072"])
def test_a_real_log_takes_keys_of_other_kinds(
    imgtrust: Imgtrust, ggcr_place: Place, private_sigstore: PrivateSigstore, tmp_path: Path, kind: str
) -> None:
    name = ggcr_place.push(image(f"logged by {kind}"))
    imgtrust("keys", "generate", "--type", kind, "--pkcs8", "other", cwd=tmp_path)
    asked = services(private_sigstore)
    (signed,) = imgtrust.json("sign", "--key", tmp_path / "other.key", *asked, name)["signed"]
    assert len(signed["log_entries"]) == 1
    imgtrust.accepts("--key", tmp_path / "other.pub", *asked[2:], "--require-time", name)


def test_what_cosign_signs_by_key_and_logs_is_believed(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, ggcr_place: Place, private_sigstore: PrivateSigstore
) -> None:
    name = ggcr_place.push(image("by key and logged, of cosign"))
    cosign("sign", "--key", keys.private, *services(private_sigstore), "--yes", str(name))
    trusted = ("--trusted-root", private_sigstore.trusted_root)
    entry = imgtrust.accepts("--key", keys.public, *trusted, "--require-time", name)
    assert not [each for each in entry["signatures"][0]["not_checked"] if "log" in each]


@pytest.mark.parametrize("legacy", [False, True], ids=["bundle", "legacy"])
def test_cosign_believes_an_entry_of_the_first_generation(
    cosign: Peer,
    imgtrust: Imgtrust,
    keys: Keys,
    ggcr_place: Place,
    old_sigstore: PrivateSigstore,
    first_log: FirstLogServer,
    *,
    legacy: bool,
) -> None:
    name = ggcr_place.push(image(f"by key and promised {legacy}"))
    where = ("--rekor-url", first_log.base, "--trusted-root", old_sigstore.trusted_root)
    form = ("--format", "cosign-legacy") if legacy else ()
    (signed,) = imgtrust.json("sign", "--key", keys.private, *where, *form, name)["signed"]
    assert [time["source"] for time in signed["times"]] == ["rekor"]
    cosign("verify", "--key", keys.public, *where[2:], str(name))
    entry = imgtrust.accepts("--key", keys.public, *where[2:], "--require-time", name)
    assert entry["published"]["source"] == "rekor"


def test_the_record_of_a_promotion_by_an_identity_is_an_attestation_for_cosign(
    cosign: Peer, imgtrust: Imgtrust, keys: Keys, ggcr_place: Place, private_sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    name = ggcr_place.push(image("promoted by an identity"))
    imgtrust("sign", "--key", keys.private, name)
    policy = tmp_path / "gate.toml"
    policy.write_text(imgtrust("verify", "--key", keys.public, "--print-policy"))
    record: tuple[str | Path, ...] = (
        *("--record-keyless", "--record-identity-token", private_sigstore.token()),
        *(str(each).replace("--", "--record-", 1) for each in services(private_sigstore)),
    )
    there = str(name).rpartition(":")[0] + "-prod:1"
    said = imgtrust.json("promote", "--policy", policy, *record, name, there)
    (told,) = said["promoted"]
    assert told["recorder"].startswith(PERSON)
    assert [time["class"] for time in told["record_times"]] == ["trusted"]
    assert len(told["record_log_entries"]) == 1
    who = ("--certificate-identity", PERSON, "--certificate-oidc-issuer", private_sigstore.oidc.issuer)
    trusted = ("--trusted-root", private_sigstore.trusted_root)
    cosign("verify-attestation", *trusted, *who, "--type", VSA, there)


def test_cosign_believes_an_sbom_that_an_identity_signed(
    cosign: Peer, imgtrust: Imgtrust, ggcr_place: Place, private_sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    name = ggcr_place.push(image("an SBOM by an identity"))
    (tmp_path / "app.cdx.json").write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6"}))
    asked = ("--keyless", *services(private_sigstore), "--identity-token", private_sigstore.token())
    imgtrust("sbom", "attach", *asked, "--file", tmp_path / "app.cdx.json", name)
    who = ("--certificate-identity", PERSON, "--certificate-oidc-issuer", private_sigstore.oidc.issuer)
    trusted = ("--trusted-root", private_sigstore.trusted_root)
    cosign("verify-attestation", *trusted, *who, "--type", "cyclonedx", str(name))
