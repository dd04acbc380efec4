"""notation-go and imgtrust believe each other's signatures: JWS and COSE, with and without a time-stamp."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.signers.keyfile import write_pkcs8
from tests.simulators.images import image
from tests.simulators.pki import authority, leaf, new_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Pair
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Name, Place
    from tests.fixtures.times import TimestampServer

pytestmark = pytest.mark.interop

KINDS = ("p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096")


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
