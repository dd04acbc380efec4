"""Secrets stay where they are: no passphrase and no private key in any output, however much is told."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imgtrust.commands.keys import generate_keys
from imgtrust.signers import PassphraseSource
from imgtrust.signers.keyfile import generate, parse_private_key, write_pkcs8
from tests.simulators.gate import layout
from tests.simulators.images import image, push

ROOT = Path(__file__).parents[3]
PASSPHRASE = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key pair, the passphrase in a file, and a layout with one image."""
    generate_keys(str(tmp_path / "k"), passphrase=PassphraseSource({"IMGTRUST_PASSPHRASE": PASSPHRASE}))
    (tmp_path / "pass").write_text(PASSPHRASE)
    (tmp_path / "predicate").write_text("{}")
    store = layout(tmp_path / "ci")
    push(store, image("app"), "1")
    store.close()
    return tmp_path


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Everything that a command says, on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "imgtrust", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def needles(folder: Path) -> list[str]:
    """What must not be said: the passphrase, and the private key in the forms that it might be shown in."""
    data = (folder / "k.key").read_bytes()
    key = parse_private_key(data, "k", PASSPHRASE.encode)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    pem = data.decode().splitlines()[2]
    return [PASSPHRASE, base64.b64encode(der).decode()[:40], der.hex()[:40], pem]


FROM_FILE = ("--passphrase-file", "pass")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("sign", "-v", "--key", "k.key", "oci:ci:1", *FROM_FILE), 0),
        (("attest", "-v", "--key", "k.key", "--predicate", "predicate", "--type", "https://x.test/y", "oci:ci:1"), 0),
        (("sign", "-v", "--key", "k.key", "oci:ci:absent"), 2),
        (("sign", "-v", "--key", "k.pub", "oci:ci:1"), 2),
        (("sign", "-v", "--key", "k.key", "--tsa", "http://127.0.0.1:9/", "oci:ci:1"), 3),
        (("keys", "show", "k.key"), 0),
        (("keys", "generate", "k"), 2),
        (("keys", "import", "k.key", "k2", *FROM_FILE), 0),
    ],
)
def test_no_command_says_a_secret(folder: Path, arguments: tuple[str, ...], status: int) -> None:
    environment = {} if arguments[-2:] == FROM_FILE else {"IMGTRUST_PASSPHRASE": PASSPHRASE}
    found, said = run(folder, *arguments, **environment)
    assert found == status, said
    assert not [needle for needle in needles(folder) if needle in said]


def test_a_wrong_passphrase_is_not_repeated(folder: Path) -> None:
    status, said = run(folder, "sign", "-v", "--key", "k.key", "oci:ci:1", IMGTRUST_PASSPHRASE="wr0ng-one")
    assert status == 2
    assert "passphrase" in said
    assert "wr0ng-one" not in said


def test_a_key_in_a_variable_is_not_said(folder: Path) -> None:
    pem = write_pkcs8(generate("p256"), b"").decode()
    status, said = run(folder, "sign", "-v", "--key", "env://KEY", "oci:ci:1", KEY=pem)
    assert status == 0
    assert not [line for line in pem.splitlines()[1:-1] if line in said]
    status, said = run(folder, "sign", "-v", "--key", "env://KEY", "oci:ci:1", KEY=pem[:80])
    assert status == 2
    assert pem.splitlines()[1][:40] not in said
