"""Keyless signing with a log of the first generation, which most of what is signed out there has: both ways.

Fulcio and the time-stamp server are real, the log is simulated: the real one needs a database server. cosign and
sigstore-python write to it with their own clients, and read what imgtrust wrote to it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

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
from tests.simulators.firstlog import ENTRIES
from tests.simulators.images import image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.matrix import Pair
    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Keys, Place
    from tests.fixtures.sigstore import PrivateSigstore
    from tests.simulators.firstlog import FirstLogServer

pytestmark = pytest.mark.interop

READERS: Final = ("imgtrust", "cosign", "sigstore-python", "@sigstore/verify")


def sources(entry: dict[str, Any]) -> set[str]:
    """Where the times of an image's signatures come from."""
    return {time["source"] for signature in entry["signatures"] for time in signature["times"]}


@pytest.mark.parametrize("stamped", [True, False], ids=["stamped", "promised"])
def test_what_imgtrust_writes_there_is_believed(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    old_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    pair: Pair,
    *,
    stamped: bool,
) -> None:
    for reader in READERS:
        pair("imgtrust bundle, Rekor v1", reader)
    if not stamped:
        config = json.loads(old_sigstore.signing_config.read_text())
        old_sigstore.signing_config.write_text(json.dumps({**config, "tsaUrls": [], "tsaConfig": {}}))
    name = ggcr_place.push(image(f"first generation {stamped}"))
    asked = services(old_sigstore, old_sigstore.token())
    imgtrust("sign", "--keyless", *asked, "--bundle-out", tmp_path / "bundle.json", name)
    imgtrust("attest", "--keyless", *asked, *provenance(tmp_path, "https://slsa.dev/provenance/v1"), name)
    who = identity(old_sigstore)
    entry = imgtrust.accepts(*who, "--require-time", "--evidence", "slsa-provenance", name)
    assert sources(entry) == ({"rekor", "rfc3161"} if stamped else {"rekor"})
    assert entry["signatures"][0]["second_opinion"].endswith("agrees")
    cosign("verify", *who, str(name))
    cosign("verify-attestation", *who, "--type", "slsaprovenance1", str(name))
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", old_sigstore, PERSON)


def test_what_cosign_writes_there_is_believed(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    old_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    pair: Pair,
) -> None:
    for reader in READERS:
        pair("cosign bundle, Rekor v1", reader)
    name = ggcr_place.push(image("first generation of cosign"))
    asked = services(old_sigstore, old_sigstore.token())
    cosign("sign", *asked, str(name))
    (bundle,) = attached(name)
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    cosign("attest", *asked, *provenance(tmp_path, "slsaprovenance1"), str(name))
    who = identity(old_sigstore)
    cosign("verify", *who, str(name))
    entry = imgtrust.accepts(*who, "--require-time", "--evidence", "slsa-provenance", name)
    assert sources(entry) == {"rekor", "rfc3161"}
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", old_sigstore, PERSON)


@pytest.mark.parametrize("referrer", [False, True], ids=["tag", "referrer"])
def test_a_legacy_signature_with_the_promise_of_its_log_is_believed(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    old_sigstore: PrivateSigstore,
    first_log: FirstLogServer,
    tmp_path: Path,
    pair: Pair,
    *,
    referrer: bool,
) -> None:
    pair("cosign legacy, Rekor v1", "imgtrust")
    pair("cosign legacy, Rekor v1", "cosign")
    name = ggcr_place.push(image(f"first generation, legacy {referrer}"))
    old = ("--use-signing-config=false", "--new-bundle-format=false", "--yes", "--rekor-url", first_log.base)
    where = ("--fulcio-url", old_sigstore.services.fulcio, "--oidc-issuer", old_sigstore.oidc.issuer)
    asked = (*old, *where, "--trusted-root", old_sigstore.trusted_root, "--identity-token", old_sigstore.token())
    who = identity(old_sigstore)
    evidence: tuple[str, ...] = ()
    if referrer:
        cosign("sign", *asked, "--registry-referrers-mode=oci-1-1", str(name), env={"COSIGN_EXPERIMENTAL": "1"})
        cosign("verify", *who, "--experimental-oci11", str(name))
    else:
        cosign("sign", *asked, str(name))
        cosign("attest", *asked, *provenance(tmp_path, "slsaprovenance1"), str(name))
        cosign("verify", *who, str(name))
        evidence = ("--evidence", "slsa-provenance")
    entry = imgtrust.accepts(*who, "--require-time", *evidence, name)
    assert sources(entry) == {"rekor"}
    assert entry["signatures"][0]["format"] == "cosign-simplesigning"
    imgtrust.rejects(*who[:2], "--certificate-identity", "stranger@acme.test", *who[4:], name)


def test_what_sigstore_python_writes_there_is_believed(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    old_sigstore: PrivateSigstore,
    sigstore_js: Peer,
    tmp_path: Path,
    pair: Pair,
) -> None:
    for reader in READERS:
        pair("sigstore-python, Rekor v1", reader)
    name = ggcr_place.push(image("first generation of sigstore-python"))
    (tmp_path / "bundle.json").write_text(sign_with_python(old_sigstore, name))
    who = identity(old_sigstore)
    assert "rekor" in sources(imgtrust.accepts(*who, "--require-time", name))
    cosign("verify", *who, str(name))
    assert_libraries_accept(sigstore_js, tmp_path / "bundle.json", old_sigstore, PERSON)


def test_an_entry_for_a_bare_key_proves_the_time_too(
    cosign: Peer,
    imgtrust: Imgtrust,
    ggcr_place: Place,
    old_sigstore: PrivateSigstore,
    first_log: FirstLogServer,
    keys: Keys,
    pair: Pair,
) -> None:
    pair("cosign bundle, key", "imgtrust")
    pair("cosign bundle, key", "cosign")
    name = ggcr_place.push(image("first generation, key"))
    root = ("--trusted-root", old_sigstore.trusted_root)
    cosign("sign", "--key", keys.private, "--signing-config", old_sigstore.signing_config, *root, str(name))
    assert first_log.asked(ENTRIES)
    cosign("verify", "--key", keys.public, *root, str(name))
    assert "rekor" in sources(imgtrust.accepts("--key", keys.public, *root, "--require-time", name))


def test_under_a_trusted_root_without_that_log_nothing_of_it_is_believed(
    cosign: Peer, imgtrust: Imgtrust, ggcr_place: Place, old_sigstore: PrivateSigstore
) -> None:
    name = ggcr_place.push(image("first generation, not trusted"))
    imgtrust("sign", "--keyless", *services(old_sigstore, old_sigstore.token()), name)
    root = json.loads(old_sigstore.trusted_root.read_text())
    root["tlogs"].pop()
    old_sigstore.trusted_root.write_text(json.dumps(root))
    who = identity(old_sigstore)
    assert [refused["code"] for refused in imgtrust.rejects(*who, name)["refused"]] == ["log.unknown_log"]
    assert cosign("verify", *who, str(name), check=False).returncode != 0
