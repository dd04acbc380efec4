"""The private Sigstore itself: cosign signs and verifies with it, and sigstore-python too."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.sigstore import PERSON
from tests.simulators.images import image
from tests.simulators.oidcserver import WORKFLOW_SAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Place
    from tests.fixtures.sigstore import PrivateSigstore

pytestmark = pytest.mark.interop


def test_cosign_signs_and_verifies_for_a_person_and_for_a_workflow(
    cosign: Peer, ggcr_place: Place, private_sigstore: PrivateSigstore
) -> None:
    config = ("--signing-config", private_sigstore.signing_config, "--trusted-root", private_sigstore.trusted_root)
    for token, identity, issuer in (
        (private_sigstore.token(), PERSON, private_sigstore.oidc.issuer),
        (private_sigstore.workflow_token(), WORKFLOW_SAN, private_sigstore.oidc.ci_issuer),
    ):
        name = ggcr_place.push(image(f"cosign, {identity}"))
        cosign("sign", *config, "--identity-token", token, str(name))
        expected = ("--certificate-identity", identity, "--certificate-oidc-issuer", issuer)
        cosign("verify", "--trusted-root", private_sigstore.trusted_root, *expected, str(name))


def test_the_trusted_root_is_the_one_that_cosign_writes(
    cosign: Peer, private_sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    services = private_sigstore.services
    (tmp_path / "rekor.pem").write_bytes(_pem(services.rekor_key))
    (tmp_path / "ctlog.pem").write_bytes(services.ctlog.public_pem)
    start = "start-time=2026-01-01T00:00:00Z"
    log = f"url=https://rekor.acme.test,public-key={tmp_path / 'rekor.pem'},{start},origin=rekor.acme.test"
    ct = f"url={services.ctlog.base},public-key={tmp_path / 'ctlog.pem'},{start}"
    cosign("trusted-root", "create", "--out", tmp_path / "root.json", "--rekor", log, "--ctfe", ct)
    theirs, ours = (
        json.loads((tmp_path / "root.json").read_text()),
        json.loads(private_sigstore.trusted_root.read_text()),
    )
    for kind in ("tlogs", "ctlogs"):
        assert theirs[kind][0]["logId"] == ours[kind][0]["logId"]
        assert theirs[kind][0]["publicKey"] == ours[kind][0]["publicKey"]


def _pem(spki: bytes) -> bytes:
    body = base64.encodebytes(spki).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n".encode()
