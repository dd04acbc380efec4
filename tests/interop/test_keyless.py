"""Keyless signing with a private Sigstore: what imgtrust signs cosign and sigstore-python believe, and vice versa."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from tests.fixtures.sigstore import PERSON
from tests.simulators.images import image
from tests.simulators.oidcserver import WORKFLOW_SAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Cell
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Name, Place
    from tests.fixtures.sigstore import PrivateSigstore

pytestmark = pytest.mark.interop

PREDICATE: Final = {"builder": {"id": "https://acme.test/builder"}}


def services(instance: PrivateSigstore, token: Path) -> tuple[str | Path, ...]:
    """The options that name the private instance; cosign and imgtrust spell them alike."""
    config = ("--signing-config", instance.signing_config, "--trusted-root", instance.trusted_root)
    return (*config, "--identity-token", token)


def identity(instance: PrivateSigstore, *, workflow: bool = False) -> tuple[str | Path, ...]:
    """The options that say who must have signed."""
    name, issuer = (WORKFLOW_SAN, instance.oidc.ci_issuer) if workflow else (PERSON, instance.oidc.issuer)
    who = ("--certificate-identity", name, "--certificate-oidc-issuer", issuer)
    return ("--trusted-root", instance.trusted_root, *who)


@pytest.mark.parametrize("workflow", [False, True], ids=["person", "workflow"])
def test_cosign_and_sigstore_python_accept_a_keyless_signature_of_imgtrust(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    tmp_path: Path,
    cell: Cell,
    *,
    workflow: bool,
) -> None:
    cell("cosign", ggcr_place.name, "verify")
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
    assert_sigstore_python_accepts(tmp_path / "bundle.json", private_sigstore, signer)
    other = ("--certificate-identity", "stranger@acme.test", *who[4:])
    assert cosign("verify", *who[:2], *other, str(name), check=False).returncode != 0
    imgtrust.rejects(*who[:2], *other, name)


def assert_sigstore_python_accepts(file: Path, instance: PrivateSigstore, name: str) -> None:
    """Its verifier takes the bundle, and finds the statement in it."""
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(instance.trusted_root)))
    issuer = instance.oidc.ci_issuer if name == WORKFLOW_SAN else instance.oidc.issuer
    kind, payload = verifier.verify_dsse(
        Bundle.from_json(file.read_bytes()), policy.Identity(identity=name, issuer=issuer)
    )
    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload)["subject"]


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
    attest(imgtrust, asked, tmp_path, name)
    imgtrust("sign", "--keyless", *asked, name)
    who = identity(private_sigstore)
    said = cosign("verify-attestation", *who, "--type", "slsaprovenance1", str(name))
    assert '"payloadType"' in said.stdout
    imgtrust.accepts(*who, "--evidence", "slsa-provenance", name)


def attest(imgtrust: Imgtrust, asked: tuple[str | Path, ...], folder: Path, name: Name) -> Any:
    """Attest a provenance."""
    (folder / "predicate.json").write_text(json.dumps(PREDICATE))
    what = ("--type", "https://slsa.dev/provenance/v1", "--predicate", folder / "predicate.json")
    return imgtrust.json("attest", "--keyless", *asked, *what, name)


def test_imgtrust_accepts_what_cosign_signs_and_attests_keyless(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    private_sigstore: PrivateSigstore,
    tmp_path: Path,
    cell: Cell,
) -> None:
    cell("cosign", ggcr_place.name, "sign")
    cell("cosign", ggcr_place.name, "attest")
    name = ggcr_place.push(image("keyless of cosign"))
    asked = services(private_sigstore, private_sigstore.token())
    cosign("sign", *asked, str(name))
    (tmp_path / "predicate.json").write_text(json.dumps(PREDICATE))
    cosign("attest", *asked, "--type", "slsaprovenance1", "--predicate", tmp_path / "predicate.json", str(name))
    who = identity(private_sigstore)
    entry = imgtrust.accepts(*who, "--require-time", "--evidence", "slsa-provenance", name)
    assert entry["published"]["source"] == "rfc3161"
    imgtrust.rejects("--trusted-root", private_sigstore.trusted_root, *who[2:4], *who[4:5], "http://other.test", name)


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
