"""ECR managed signing from the command line: believed as it comes, once AWS Signer says that nothing is revoked."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from imgtrust.commands.demoimage import build_image
from imgtrust.reference import Reference
from imgtrust.refusals import RefusalCode
from imgtrust.stores import open_store
from tests.simulators.attached import NOTARY_ROOT, attach_notary
from tests.simulators.awssigner import KEYS, Signer, refusal
from tests.simulators.notaryenvelopes import AWS_ATTRIBUTES, PROFILE, aws_header
from tests.simulators.pki import leaf
from tests.unit.cli.test_commands import NOON, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE: Final = "oci:build:1.4.2"
WITHOUT_VERSION: Final = PROFILE.rpartition("/")[0]
ROOT: Final = f"acme.pem#sha256:{hashlib.sha256(NOTARY_ROOT.der).hexdigest()}"
VERIFY: Final = ("verify", "--notary-roots", ROOT, "--notary-identity", WITHOUT_VERSION, IMAGE)
LEAF: Final = leaf(NOTARY_ROOT, ocsp=("http://ocsp.invalid/",))


@pytest.fixture
def signer() -> Iterator[Signer]:
    with Signer() as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, signer: Signer) -> Iterator[Shell]:
    with contextlib.chdir(tmp_path):
        Path("acme.pem").write_bytes(NOTARY_ROOT.pem)
        build_image("build", "1.4.2", says="hello", built=NOON)
        store = open_store(Reference.parse(IMAGE).repository)
        attach_notary(store, store.resolve("1.4.2"), (LEAF, NOTARY_ROOT), protected=aws_header(LEAF))
        store.close()
        yield Shell({"LANG": "C.UTF-8", **signer.environment})


def test_it_is_believed_by_default_with_the_time_that_the_authority_signed(shell: Shell, signer: Signer) -> None:
    report = shell.json(*VERIFY, "--require-time")
    (found,) = report["images"][0]["signatures"]
    assert (found["identity"], found["not_checked"]) == (WITHOUT_VERSION, [])
    assert [each["source"] for each in found["times"]] == ["signing-authority"]
    (request,) = signer.loopback.requests
    assert request.first("profileVersionArn") == PROFILE


@pytest.mark.parametrize("revoked", [PROFILE, AWS_ATTRIBUTES["com.amazonaws.signer.signingJob"]])
def test_what_aws_revoked_is_rejected(shell: Shell, signer: Signer, revoked: str) -> None:
    signer.revoked = {revoked}
    (refused,) = shell.json(*VERIFY, status=1)["images"][0]["refused"]
    assert refused["code"] == RefusalCode.NOTARY_REVOKED
    assert revoked in refused["reason"]
    logged = shell.json(*VERIFY, "--revocation", "log")
    assert "revoked, and believed all the same" in json.dumps(logged["images"][0]["signatures"])


def test_an_aws_that_does_not_say_is_could_not_tell(shell: Shell, signer: Signer) -> None:
    signer.loopback.fault(times=None, reply=refusal(403, "AccessDeniedException"))
    report = shell.json(*VERIFY, status=3)
    assert report["outcome"] == "undecided"
    assert "AWS says AccessDeniedException" in json.dumps(report)
    logged = shell.json(*VERIFY, "--revocation", "log")
    assert "could not be checked" in json.dumps(logged["images"][0]["signatures"])
    asked = len(signer.loopback.requests)
    shell(*VERIFY, "--revocation", "skip")
    assert len(signer.loopback.requests) == asked


def test_no_stranger_makes_it_ask(shell: Shell, signer: Signer) -> None:
    other = (*VERIFY[:4], WITHOUT_VERSION + "2", IMAGE)
    shell.json(*other, status=1)
    assert signer.loopback.requests == []


def test_nobody_else_is_asked_with_the_credentials_of_aws(shell: Shell) -> None:
    """The certificate names a responder of its own, which is not used."""
    report = Shell({"LANG": "C.UTF-8", **KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).json(*VERIFY, status=3)
    assert "GetRevocationStatus in eu-west-3: AWS could not be asked" in json.dumps(report)
    assert "ocsp.invalid" not in json.dumps(report)
    assert shell.json(*VERIFY)["outcome"] == "accepted"
