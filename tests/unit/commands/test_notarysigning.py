"""Signing for Notary: what is attached, in which manifest, and what is refused before anything is."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.many import Failed
from imgtrust.commands.sign import sign_images
from imgtrust.commands.signing import SignFormat, Signing, make_attestation, make_signature
from imgtrust.content import Descriptor, Manifest, parse_manifest
from imgtrust.errors import KeyUnusable, UsageError
from imgtrust.evidence import Format
from imgtrust.reports.results import SignedResult
from imgtrust.signers.authority import LocalAuthority
from imgtrust.signers.keyfile import write_pkcs8
from imgtrust.signers.notary import EnvelopeSigner
from imgtrust.stores.discovery import discover
from imgtrust.trust.signatures import VerifiedSignature, assess
from imgtrust.trust.times import ClaimedTime, VerifiedTime
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import image, push
from tests.simulators.memory import MemoryStore
from tests.simulators.notaryenvelopes import notary, trusting
from tests.simulators.pki import authority, chain, leaf
from tests.unit.cli.test_commands import Shell

if TYPE_CHECKING:
    from typing import Any

ROOT = authority()
LEAF = leaf(ROOT)
SIGNER = EnvelopeSigner(LEAF.key, chain(LEAF, ROOT))
SIGNING = Signing(SIGNER, format=SignFormat.NOTARY, now=lambda: NOON)
TSA = LocalAuthority(lambda: NOON, certificates=True)


def test_an_envelope_is_attached_in_the_new_shape(tmp_path: Path) -> None:
    store = layout(tmp_path)
    root = push(store, image(), "1")
    (result,) = sign_images([f"{store.repository}:1"], replace(SIGNING, annotations=(("team", "a"),)))
    assert isinstance(result, SignedResult)
    assert (result.format, result.signer, result.predicate_type) == (Format.NOTARY_JWS, SIGNER.name, None)
    (found,) = discover(store, root).evidence
    assert found.digest == result.evidence
    believed = assess(found, trusting(notary(ROOT)), at=NOON)
    assert isinstance(believed, VerifiedSignature)
    assert believed.annotations == (("team", "a"),)
    raw = store.fetch(store.resolve(found.digest))
    manifest = parse_manifest(raw, json.loads(raw)["mediaType"])
    assert isinstance(manifest, Manifest)
    assert manifest.artifact_type == "application/vnd.cncf.notary.signature"
    assert manifest.config.media_type == "application/vnd.oci.empty.v1+json"
    assert [layer.media_type for layer in manifest.layers] == ["application/jose+json"]
    prints: list[str] = json.loads(dict(manifest.annotations)["io.cncf.notary.x509chain.thumbprint#S256"])
    assert prints == [hashlib.sha256(each).hexdigest() for each in SIGNER.chain]
    store.close()


def subject() -> Descriptor:
    return image().descriptor


def made(signing: Signing) -> Any:
    return make_signature(signing, subject(), MemoryStore().repository)


def test_the_time_is_proven_where_the_authority_is_known_and_claimed_where_it_is_not() -> None:
    stamped = replace(SIGNING, timestampers=(TSA,))
    (claimed,) = made(stamped).times
    assert isinstance(claimed, ClaimedTime)
    assert (claimed.time, claimed.authority) == (NOON, TSA.name)
    (proven,) = made(replace(stamped, authorities=(TSA.authority,))).times
    assert isinstance(proven, VerifiedTime)
    assert made(SIGNING).times == ()


def test_what_notary_cannot_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="holds one time-stamp"):
        made(replace(SIGNING, timestampers=(TSA, TSA)))
    for name in ("io.cncf.notary", "io.cncf.notary.a", "io.cncf.notaryx"):
        with pytest.raises(UsageError, match="for itself"):
            made(replace(SIGNING, annotations=((name, "a"),)))
    with pytest.raises(UsageError, match="no place for a statement"):
        make_attestation(SIGNING, subject(), MemoryStore().repository, "https://example.com/a", {})
    with pytest.raises(UsageError, match="made with a Notary certificate"):
        made(replace(Publisher().signing(), format=SignFormat.NOTARY))


def test_an_expired_certificate_signs_nothing_that_is_attached(tmp_path: Path) -> None:
    old = leaf(ROOT, window=(NOON.replace(year=2025), NOON.replace(year=2026, month=1)))
    store = layout(tmp_path)
    root = push(store, image(), "1")
    signing = replace(SIGNING, signer=EnvelopeSigner(old.key, chain(old, ROOT)))
    (failed,) = sign_images([f"{store.repository}:1"], signing)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, KeyUnusable)
    assert "nothing was attached" in str(failed.error)
    assert discover(store, root).evidence == ()
    store.close()


def test_sign_takes_a_notary_key_and_verify_believes_it(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        Path("acme.key").write_bytes(write_pkcs8(LEAF.key, b"pw"))
        Path("acme.pem").write_bytes(LEAF.pem + ROOT.pem)
        Path("root.pem").write_bytes(ROOT.pem)
        store = layout(tmp_path / "build")
        push(store, image(), "1")
        store.close()
        shell = Shell({"LANG": "C.UTF-8", "IMGTRUST_PASSPHRASE": "pw"})
        name = "oci:build:1"
        keys = ("--notary-key", "acme.key", "--notary-chain", "acme.pem")
        told = shell.json("sign", *keys, name)["signed"]
        assert [each["format"] for each in told] == ["notary-jws"]
        shell("sign", *keys, "--format", "notary", name)
        shell("verify", "--notary-roots", "root.pem", "--notary-identity", "*", name)
        wrong: list[tuple[str, ...]] = [
            keys[:2],
            keys[2:],
            ("--format", "notary", "--key", "acme.key"),
            (*keys, "--key", "acme.key"),
            (*keys, "--keyless"),
            (*keys, "--format", "cosign-legacy"),
        ]
        for flags in wrong:
            shell("sign", *flags, name, status=2)
        shell("attest", "--format", "notary", "--key", "acme.key", "--type", "a:b", "--predicate", "x", name, status=2)
