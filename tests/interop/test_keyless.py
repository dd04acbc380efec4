"""Keyless signing against a private Sigstore: what imgtrust signs its peers believe, and the other way round."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from sigstore.dsse import DigestSet, StatementBuilder, Subject
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from imgtrust.commands.pushing import push_attachment
from imgtrust.formats.attachments import bundle_attachment
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from tests.fixtures.sigstore import PERSON
from tests.simulators.images import image
from tests.simulators.oidcserver import WORKFLOW_SAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Cell, Pair
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Name, Place
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


def assert_libraries_accept(sigstore_js: Peer, file: Path, instance: PrivateSigstore, name: str) -> None:
    """Sigstore's verifiers for Python and for JavaScript take the bundle."""
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(instance.trusted_root)))
    issuer = instance.oidc.ci_issuer if name == WORKFLOW_SAN else instance.oidc.issuer
    bundle = Bundle.from_json(file.read_bytes())
    kind, payload = verifier.verify_dsse(bundle, policy.Identity(identity=name, issuer=issuer))
    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload)["subject"]
    sigstore_js(instance.trusted_root, file, name, issuer)
    assert sigstore_js(instance.trusted_root, file, f"{name}x", issuer, check=False).returncode == 1


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
    (tmp_path / "predicate.json").write_text(json.dumps(PREDICATE))
    cosign("attest", *asked, "--type", "slsaprovenance1", "--predicate", tmp_path / "predicate.json", str(name))
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


def attached(name: Name) -> list[dict[str, Any]]:
    """The bundles that are attached to an image."""
    with closing(open_store(Reference.parse(str(name)).repository)) as store:
        found = discover(store, store.resolve("1"))
    return [json.loads(each.payload) for each in found.evidence]


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
    token = IdentityToken(private_sigstore.oidc.email_token(PERSON))
    with closing(open_store(Reference.parse(str(name)).repository)) as store:
        subject = store.resolve("1")
        statement = (
            StatementBuilder()
            .subjects([Subject(name="app", digest=DigestSet(root={"sha256": subject.digest.encoded}))])
            .predicate_type(SIGN_PREDICATE)
            .predicate({})
            .build()
        )
        config = ClientTrustConfig.from_json(private_sigstore.trust_config.read_text())
        with SigningContext.from_trust_config(config).signer(token) as signer:
            made = signer.sign_dsse(statement).to_json()
        attachment = bundle_attachment(
            subject, made.encode(), predicate_type=SIGN_PREDICATE, content="dsse-envelope", created=datetime.now(UTC)
        )
        push_attachment(store, attachment)
    (tmp_path / "bundle.json").write_text(made)
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
