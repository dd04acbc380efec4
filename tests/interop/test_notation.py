"""notation-go and imgtrust believe each other's signatures: JWS and COSE, with and without a time-stamp."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.signers.keyfile import write_pkcs8
from tests.fixtures.places import registry_place
from tests.simulators.images import image
from tests.simulators.pki import authority, leaf, new_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Pair
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Name, Place
    from tests.fixtures.registries import Registry
    from tests.fixtures.times import TimestampServer

pytestmark = pytest.mark.interop

KINDS = ("p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096")


@pytest.fixture
def docker_place(docker_registry: Registry) -> Place:
    """One registry that notation finds everything in, for what has nothing to do with registries."""
    return registry_place(docker_registry)


@dataclass(frozen=True)
class Holder:
    """A private key, its chain and the root, as files."""

    key: Path
    chain: Path
    root: Path

    @property
    def signs(self) -> tuple[str, ...]:
        """As flags of ``imgtrust sign``."""
        return "--notary-key", str(self.key), "--notary-chain", str(self.chain)

    @property
    def trusted(self) -> tuple[str, ...]:
        """As flags of ``imgtrust verify``."""
        return "--notary-roots", str(self.root), "--notary-identity", "x509.subject: C=US, ST=WA, O=Acme"


def holder(folder: Path, kind: str = "p256") -> Holder:
    """A fresh signer under a fresh root and an intermediate."""
    now = datetime.now(UTC)
    window = (now - timedelta(days=1), now + timedelta(days=1))
    root = authority(window=window)
    middle = authority("intermediate", root, window=window)
    signer = leaf(middle, window=window, key=new_key(kind))
    found = Holder(folder / "signer.key", folder / "chain.pem", folder / "root.pem")
    found.key.write_bytes(write_pkcs8(signer.key, b""))
    found.chain.write_bytes(signer.pem + middle.pem + root.pem)
    found.root.write_bytes(root.pem)
    return found


def by_digest(place: Place, seed: str) -> Name:
    """An image in a place, by its digest."""
    made = image(seed)
    return place.push(made).at(str(made.digest))


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_notation_signs_is_verified(
    notation: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, pair: Pair, form: str, kind: str
) -> None:
    for reader in ("imgtrust", "notation-go"):
        pair(f"notation-go {form.upper()}", reader)
    own = holder(tmp_path, kind)
    name = by_digest(registry_only, "by notation")
    imgtrust.rejects(*own.trusted, name)
    notation("sign", form, own.key, own.chain, str(name))
    if registry_only.name != "ggcr":  # which lists it under the type of its config, the legacy shape's own
        notation("verify", own.root, str(name))
    entry = imgtrust.accepts(*own.trusted, name)
    assert [found["format"] for found in entry["signatures"]] == [f"notary-{form}"]
    assert entry["signatures"][0]["identity"] == "x509.subject: CN=leaf,O=Acme,ST=WA,C=US"
    (tmp_path / "other").mkdir()
    imgtrust.rejects(*holder(tmp_path / "other").trusted, name)


@pytest.mark.parametrize("kind", KINDS)
def test_what_imgtrust_signs_notation_verifies(
    notation: Peer, imgtrust: Imgtrust, registry_only: Place, tmp_path: Path, pair: Pair, kind: str
) -> None:
    for reader in ("imgtrust", "notation-go"):
        pair("imgtrust notary JWS", reader)
    own = holder(tmp_path, kind)
    name = by_digest(registry_only, "by imgtrust")
    imgtrust("sign", *own.signs, "--annotation", "team=a", name)
    imgtrust.accepts(*own.trusted, name)
    if registry_only.name == "ggcr":  # it lists the referrer under the type of the empty config: notation finds nothing
        assert notation("verify", own.root, str(name), check=False).returncode != 0
        return
    assert "team:a" in notation("verify", own.root, str(name)).stdout
    (tmp_path / "other").mkdir()
    assert notation("verify", holder(tmp_path / "other").root, str(name), check=False).returncode != 0


def root_of(chain: Path, folder: Path) -> Path:
    """The last certificate of a chain, in a file."""
    found = folder / "tsa-root.pem"
    found.write_text("-----BEGIN CERTIFICATE-----" + chain.read_text().rpartition("-----BEGIN CERTIFICATE-----")[2])
    return found


def test_time_stamps_go_both_ways(
    notation: Peer,
    imgtrust: Imgtrust,
    registry_only: Place,
    chain_timestamp_server: TimestampServer,
    tmp_path: Path,
) -> None:
    if registry_only.name == "ggcr":
        pytest.skip("notation finds no time-stamped signature there that imgtrust attached")
    server, own = chain_timestamp_server, holder(tmp_path)
    tsa_root = root_of(server.chain, tmp_path)
    dated: tuple[Any, ...] = (*own.trusted, "--tsa-roots", server.chain, "--max-age", "1h")
    theirs = by_digest(registry_only, "stamped by notation")
    for form in ("jws", "cose"):
        notation("sign", form, own.key, own.chain, str(theirs), server.url, tsa_root)
        notation("verify", own.root, str(theirs), tsa_root)
    entry = imgtrust.accepts(*dated, theirs)
    assert entry["published"]["source"] == "rfc3161"
    assert {found["format"] for found in entry["signatures"]} == {"notary-jws", "notary-cose"}
    ours = by_digest(registry_only, "stamped by imgtrust")
    imgtrust("sign", *own.signs, "--tsa", server.url, ours)
    imgtrust.accepts(*dated, ours)
    notation("verify", own.root, str(ours), tsa_root)


@pytest.mark.parametrize("kind", ["p384", "p521", "rsa2048", "rsa3072", "rsa4096"])
def test_time_stamps_of_every_kind_of_key_go_both_ways(
    notation: Peer,
    imgtrust: Imgtrust,
    docker_place: Place,
    chain_timestamp_server: TimestampServer,
    tmp_path: Path,
    kind: str,
) -> None:
    server, own = chain_timestamp_server, holder(tmp_path, kind)
    tsa_root = root_of(server.chain, tmp_path)
    ours = by_digest(docker_place, f"stamped by imgtrust with {kind}")
    imgtrust("sign", *own.signs, "--tsa", server.url, ours)
    notation("verify", own.root, str(ours), tsa_root)
    notation("sign", "cose", own.key, own.chain, str(ours), server.url, tsa_root)
    entry = imgtrust.accepts(*own.trusted, "--tsa-roots", server.chain, "--max-age", "1h", ours)
    assert sorted(found["format"] for found in entry["signatures"]) == ["notary-cose", "notary-jws"]


# --- notation's trust policies, imported: the same verdict about the same image ---------------------------------------

ACME = "x509.subject: C=US, ST=WA, O=Acme"
CASES: dict[str, tuple[list[dict[str, Any]], bool, bool]] = {
    # the trust policies, each over one that is right; then the verdict without a time-stamp, and with one
    "right": ([{}], True, True),
    "anybody": ([{"trustedIdentities": ["*"]}], True, True),
    "one of two identities": ([{"trustedIdentities": [ACME, "x509.subject: C=DE, ST=BE, O=Else"]}], True, True),
    "more of the subject": ([{"trustedIdentities": [f"{ACME}, CN=leaf"]}], True, True),
    "state by its other name": ([{"trustedIdentities": ["x509.subject: C=US,S=WA,O=Acme"]}], True, True),
    "another subject": ([{"trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"]}], False, False),
    "an attribute too many": ([{"trustedIdentities": [f"{ACME}, OU=a"]}], False, False),
    "another root": ([{"trustStores": ["ca:other"]}], False, False),
    "one of two stores": ([{"trustStores": ["ca:other", "ca:acme"]}], True, True),
    "a store of another type": ([{"trustStores": ["signingAuthority:acme"]}], False, False),
    "both types": ([{"trustStores": ["signingAuthority:other", "ca:acme"]}], True, True),
    "an intermediate": ([{"trustStores": ["ca:middle"]}], True, True),
    "another repository": ([{"registryScopes": ["registry.example/other"]}], False, False),
    "all repositories": ([{"registryScopes": ["*"]}], True, True),
    "its own before all": ([{}, {"name": "all", "registryScopes": ["*"], "trustStores": ["ca:other"]}], True, True),
    "its own before all, wrong": (
        [{"trustStores": ["ca:other"]}, {"name": "all", "registryScopes": ["*"]}],
        False,
        False,
    ),
    "permissive": ([{"signatureVerification": {"level": "permissive"}}], True, True),
    "no revocation": ([{"signatureVerification": {"level": "strict", "override": {"revocation": "skip"}}}], True, True),
    "a time-stamp": ([{"trustStores": ["ca:acme", "tsa:acme"]}], False, True),
    "a time-stamp by another": ([{"trustStores": ["ca:acme", "tsa:other"]}], False, False),
    "a time-stamp after expiry": (
        [
            {
                "trustStores": ["ca:acme", "tsa:acme"],
                "signatureVerification": {"level": "strict", "verifyTimestamp": "afterCertExpiry"},
            }
        ],
        True,
        True,
    ),
}


def test_an_imported_trust_policy_gives_the_verdict_of_notation(
    notation: Peer,
    imgtrust: Imgtrust,
    docker_place: Place,
    chain_timestamp_server: TimestampServer,
    tmp_path: Path,
) -> None:
    own, server = holder(tmp_path), chain_timestamp_server
    other = authority("other").pem
    middle = "-----BEGIN CERTIFICATE-----" + own.chain.read_text().split("-----BEGIN CERTIFICATE-----")[2]
    stores = {
        "ca/acme": own.root.read_bytes(),
        "ca/other": other,
        "ca/middle": middle.encode(),
        "signingAuthority/acme": own.root.read_bytes(),
        "signingAuthority/other": other,
        "tsa/acme": root_of(server.chain, tmp_path).read_bytes(),
        "tsa/other": other,
    }
    for folder, data in stores.items():
        (tmp_path / "config" / "truststore" / "x509" / folder).mkdir(parents=True)
        (tmp_path / "config" / "truststore" / "x509" / folder / "root.pem").write_bytes(data)
    plain, stamped = (by_digest(docker_place, seed) for seed in ("imported plain", "imported stamped"))
    imgtrust("sign", *own.signs, plain)
    imgtrust("sign", *own.signs, "--tsa", server.url, stamped)
    theirs, ours = tmp_path / "trustpolicy.json", tmp_path / "gate.toml"
    for case, (statements, *verdicts) in CASES.items():
        for name, verdict in zip((plain, stamped), verdicts, strict=True):
            right: dict[str, Any] = {
                "name": "acme",
                "registryScopes": [name.repository],
                "signatureVerification": {"level": "strict"},
                "trustStores": ["ca:acme"],
                "trustedIdentities": [ACME],
            }
            document = {"version": "1.0", "trustPolicies": [{**right, **each} for each in statements]}
            theirs.write_text(json.dumps(document))
            ours.write_text(imgtrust("policy", "import", "notation", theirs, tmp_path / "config" / "truststore"))
            judged = notation("judge", theirs, tmp_path / "config", str(name), check=False)
            assert (judged.returncode == 0) is verdict, (case, name, judged.stderr)
            assert imgtrust.status("verify", "--policy", ours, name) == (0 if verdict else 1), (case, name)
