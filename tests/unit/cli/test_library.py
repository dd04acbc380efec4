"""What ``import imgtrust`` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import imgtrust
from imgtrust.commands.demoauthority import demo_authority
from imgtrust.commands.demoimage import build_image
from imgtrust.policy.values import KeySigner, Policy, Scope, SignatureRule
from imgtrust.signers.keyfile import generate, write_pkcs8
from imgtrust.signers.local import LocalSigner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.signers.port import Signer

PROMISED = {
    "Reference", "Digest", "Policy", "Verdict", "Rejected", "open_store", "sign", "attest", "verify", "judge",
    "promote", "audit",
}  # fmt: skip
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[Signer]:
    """A folder with an image, a key and a policy, which is the working directory."""
    key = generate("p256")
    with contextlib.chdir(tmp_path):
        own = LocalSigner(key)
        Path("k.key").write_bytes(write_pkcs8(key, b""))
        Path("k.pub").write_bytes(own.public_key.pem)
        build_image("build", "1", says="hello", built=NOON)
        Path("gate.toml").write_text(
            'version = 1\n[signers.k]\nkey = "k.pub"\n[[scopes]]\nimages = ["oci:build", "oci:there"]\n'
            'promote_to = ["oci:there"]\nsignatures = { any_of = ["k"] }\n'
        )
        yield own


def test_the_surface_is_whole_sorted_and_every_name_is_there() -> None:
    assert set(imgtrust.__all__) >= PROMISED
    assert dir(imgtrust) == sorted(imgtrust.__all__)
    for name in imgtrust.__all__:
        assert getattr(imgtrust, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'veryfy'"):
        imgtrust.veryfy  # noqa: B018 - the access is the test


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == imgtrust.__version__


def test_importing_it_loads_nothing_of_weight() -> None:
    code = (
        "import sys, imgtrust; imgtrust.verify; heavy = {'sigstore', 'boto3', 'dask', 'typer', 'rich', 'httpx',"
        " 'urllib3', 'oras', 'cryptography.x509'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_image_is_judged_and_only_an_accepted_one_is_returned(signer: Signer) -> None:
    verdict = imgtrust.judge("oci:build:1", "gate.toml", at=NOON)
    assert verdict.outcome is imgtrust.Outcome.REJECTED
    with pytest.raises(imgtrust.Rejected, match="REJECTED  oci:build:1") as caught:
        imgtrust.verify("oci:build:1", "gate.toml", at=NOON)
    assert caught.value.verdict == verdict
    (made,) = imgtrust.sign(["oci:build:1"], signer)
    assert made.digest == verdict.digest
    assert imgtrust.verify("oci:build:1", Path("gate.toml"), at=NOON).outcome is imgtrust.Outcome.ACCEPTED


def test_what_could_not_be_told_is_not_returned_either(signer: Signer) -> None:
    assert signer.public_key.kind == "p256"
    with pytest.raises(imgtrust.Rejected) as caught:
        imgtrust.verify("oci:nowhere:1", "gate.toml")
    assert isinstance(caught.value.verdict, imgtrust.Verdict)
    assert caught.value.verdict.outcome is imgtrust.Outcome.UNDECIDED


def test_a_time_without_a_zone_is_nobodys_time(signer: Signer) -> None:
    assert signer.public_key.kind == "p256"
    with pytest.raises(imgtrust.ImgtrustError, match="has no zone"):
        imgtrust.judge("oci:build:1", "gate.toml", at=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_a_policy_may_be_built_in_code(signer: Signer) -> None:
    imgtrust.sign(["oci:build:1"], signer)
    policy = Policy(
        signers=(KeySigner("k", signer.public_key.pem.decode()),),
        scopes=(Scope("all", ("oci:build",), SignatureRule(("k",))),),
    )
    loaded = imgtrust.load_policy(policy, environment={})
    assert loaded.policy is policy
    assert loaded.policy_id.source == "code"
    assert imgtrust.verify("oci:build:1", loaded).policy == loaded.policy_id


def test_an_attestation_a_time_and_an_audit(signer: Signer) -> None:
    with demo_authority(lambda: datetime.now(UTC) - timedelta(hours=1)) as authority:
        clock = imgtrust.open_timestamper(authority.url)
        (made,) = imgtrust.attest(
            ["oci:build:1"], {"fine": True}, "https://example.com/review/v1", signer, timestampers=[clock]
        )
    assert made.predicate_type == "https://example.com/review/v1"
    assert made.times
    (verdict,) = imgtrust.audit(["oci:build"], "gate.toml")
    assert verdict.outcome is imgtrust.Outcome.REJECTED, "an attestation is no signature"


def test_a_promotion_returns_what_was_done_or_raises(signer: Signer) -> None:
    with pytest.raises(imgtrust.Rejected, match="nothing was written"):
        imgtrust.promote("oci:build:1", "oci:there", "gate.toml")
    assert not Path("there").exists()
    imgtrust.sign(["oci:build:1"], signer)
    result = imgtrust.promote("oci:build:1", "oci:there", "gate.toml", record_signer=signer)
    assert result.tags == ("1",)
    assert result.record is not None
    store = imgtrust.open_store("oci:there")
    try:
        assert "1" in store.tags()
    finally:
        store.close()


def test_a_key_is_opened_by_name_and_a_failure_is_raised(signer: Signer) -> None:
    opened = imgtrust.open_signer("k.key", environment={})
    assert opened.public_key == signer.public_key
    with pytest.raises(imgtrust.ImgtrustError):
        imgtrust.sign(["oci:build:none"], opened)
