"""``sign-bundle`` of the conformance protocol: against a Sigstore on loopback, and against a real private one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from tests.conformance.protocol import REFUSED, USAGE, VERIFIED, run
from tests.fixtures.sigstore import PERSON
from tests.simulators.evidence import statement
from tests.simulators.sigstoreserver import FULCIO, ISSUER, SigstoreServer, token

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.sigstore import PrivateSigstore

STATEMENT = statement()
SUBJECT = f"sha256:{json.loads(STATEMENT)['subject'][0]['digest']['sha256']}"


def command(folder: Path, text: str, root: str, config: str, *flags: str) -> list[str]:
    """A whole command, for the file ``artifact``."""
    where = ("--trusted-root", root, "--signing-config", config)
    bundle = ("--bundle", str(folder / "bundle"))
    return ["sign-bundle", *flags, "--identity-token", text, *bundle, *where, str(folder / "artifact")]


def verified(folder: Path, root: str, issuer: str, what: str) -> tuple[int, str]:
    """What ``verify-bundle`` says of it."""
    who = ("--certificate-identity", PERSON, "--certificate-oidc-issuer", issuer)
    line = ["verify-bundle", "--bundle", str(folder / "bundle"), *who, "--trusted-root", root, what]
    return run(line, at=datetime.now(UTC))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("in_toto", [True, False], ids=["statement", "file"])
def test_what_is_signed_verifies(tmp_path: Path, version: int, *, in_toto: bool) -> None:
    (tmp_path / "artifact").write_bytes(STATEMENT if in_toto else b"hello")
    with SigstoreServer() as sigstore:
        _, config, _, root, _, _ = sigstore.write(tmp_path, version=version)
        flags = ("--in-toto",) if in_toto else ()
        status, said = run(command(tmp_path, token(), root, config, *flags), at=datetime.now(UTC))
    assert status == VERIFIED, said
    found = verified(tmp_path, root, ISSUER, SUBJECT if in_toto else str(tmp_path / "artifact"))
    assert found[0] == VERIFIED, found


@pytest.mark.interop
def test_sigstore_python_accepts_a_file_that_was_signed_with_a_private_sigstore(
    tmp_path: Path, private_sigstore: PrivateSigstore
) -> None:
    (tmp_path / "artifact").write_bytes(b"hello")
    root, config = str(private_sigstore.trusted_root), str(private_sigstore.signing_config)
    text = private_sigstore.oidc.email_token(PERSON)
    status, said = run(command(tmp_path, text, root, config), at=datetime.now(UTC))
    assert status == VERIFIED, said
    issuer = private_sigstore.oidc.issuer
    assert verified(tmp_path, root, issuer, str(tmp_path / "artifact"))[0] == VERIFIED
    bundle = Bundle.from_json((tmp_path / "bundle").read_bytes())
    verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
    verifier.verify_artifact(b"hello", bundle, policy.Identity(identity=PERSON, issuer=issuer))


def test_without_a_certificate_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "artifact").write_bytes(b"hello")
    with SigstoreServer() as sigstore:
        _, config, _, root, _, _ = sigstore.write(tmp_path)
        sigstore.another_key = True
        status, said = run(command(tmp_path, token(), root, config), at=datetime.now(UTC))
        assert sigstore.asked(FULCIO)
    assert (status, (tmp_path / "bundle").exists()) == (REFUSED, False)
    assert "another key" in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--identity-token", "t", "f"],
        ["--bundle", "b", "--identity-token", "t", "f"],
        ["--identity-token", "t", "--bundle", "b"],
        ["--identity-token", "t", "--bundle", "b", "f", "g"],
        ["--in-toto", "--staging", "--identity-token", "t", "--bundle", "b", "f"],
        ["--staging", "--identity-token", "t", "--bundle", "b", "f"],
    ],
)
def test_another_order_is_a_usage_error(arguments: list[str]) -> None:
    assert run(["sign-bundle", *arguments], at=datetime.now(UTC))[0] == USAGE
