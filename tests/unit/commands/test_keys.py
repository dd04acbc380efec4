"""Key pairs on disk: both or none, never over another, and readable by others."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.keys import generate_keys, import_key, public_key_of, show_key
from imgtrust.errors import KeyUnusable, OutputFileError, WrongPassphrase
from imgtrust.signers import PassphraseSource, open_signer
from imgtrust.signers.keyfile import KEY_TYPES, generate, write_pkcs8
from imgtrust.trust.keys import parse_public_key

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = PassphraseSource({"IMGTRUST_PASSPHRASE": "correct horse"})


def answers(*lines: str) -> Callable[[str], str]:
    waiting = list(lines)
    return lambda _: waiting.pop(0)


@pytest.mark.parametrize("kind", list(KEY_TYPES))
@pytest.mark.parametrize("pkcs8", [False, True])
def test_a_pair_is_made_that_signs_and_is_shown(tmp_path: Path, kind: str, *, pkcs8: bool) -> None:
    prefix = str(tmp_path / "release")
    made = generate_keys(prefix, kind=kind, pkcs8=pkcs8, passphrase=SOURCE)
    assert (made.private, made.public, made.encrypted) == (f"{prefix}.key", f"{prefix}.pub", True)
    assert stat.S_IMODE(Path(made.private).stat().st_mode) == 0o600
    text = Path(made.private).read_text()
    assert ("SIGSTORE" not in text) is pkcs8
    assert "ENCRYPTED" in text
    assert parse_public_key(Path(made.public).read_bytes(), "public") == made.key
    assert open_signer(made.private, passphrase=SOURCE, environment={}).public_key == made.key
    for reference, private in ((made.private, True), (made.public, False)):
        shown = show_key(reference, passphrase=SOURCE, environment={})
        assert (shown.key, shown.private, shown.key.kind) == (made.key, private, kind)


@pytest.mark.parametrize("taken", ["release.key", "release.pub"])
def test_a_key_is_never_overwritten_and_half_a_pair_never_left(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("mine")
    with pytest.raises(OutputFileError, match=r"release\.(key|pub) exists already"):
        generate_keys(str(tmp_path / "release"), passphrase=SOURCE)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {taken: "mine"}


def test_an_empty_passphrase_has_to_be_meant(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="needs a passphrase"):
        generate_keys(str(tmp_path / "a"), passphrase=PassphraseSource())
    with pytest.raises(KeyUnusable, match="no passphrase was typed"):
        generate_keys(str(tmp_path / "a"), passphrase=PassphraseSource(prompt=answers("")))
    assert list(tmp_path.iterdir()) == []
    meant = PassphraseSource({"COSIGN_PASSWORD": ""})
    assert generate_keys(str(tmp_path / "a"), passphrase=meant).encrypted
    assert not generate_keys(str(tmp_path / "b"), pkcs8=True, passphrase=meant).encrypted


def test_a_type_that_is_not_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="p256"):
        generate_keys(str(tmp_path / "a"), kind="rsa1024", passphrase=SOURCE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "algorithm", ["EC -pkeyopt ec_paramgen_curve:P-256", "RSA -pkeyopt rsa_keygen_bits:2048", "ED25519"]
)
def test_keys_of_openssl_are_taken_over(tmp_path: Path, algorithm: str) -> None:
    target = tmp_path / "openssl.pem"
    command = f"openssl genpkey -algorithm {algorithm} -out {target}"
    subprocess.run(command.split(), check=True, capture_output=True, timeout=30)
    made = import_key(str(target), str(tmp_path / "mine"), passphrase=SOURCE, environment={})
    shown = public_key_of(str(target), passphrase=PassphraseSource(), environment={})
    assert made.key == shown == open_signer(made.private, passphrase=SOURCE, environment={}).public_key


def test_a_key_is_sealed_anew_under_another_passphrase(tmp_path: Path) -> None:
    generate_keys(str(tmp_path / "old"), passphrase=SOURCE)
    new = PassphraseSource(prompt=answers("another", "another"))
    made = import_key(
        str(tmp_path / "old.key"), str(tmp_path / "new"), passphrase=SOURCE, new_passphrase=new, environment={}
    )
    with pytest.raises(WrongPassphrase):
        open_signer(made.private, passphrase=SOURCE, environment={})
    opened = PassphraseSource({"IMGTRUST_PASSPHRASE": "another"})
    assert open_signer(made.private, passphrase=opened, environment={}).public_key == made.key


def test_a_public_key_cannot_be_taken_over(tmp_path: Path) -> None:
    made = generate_keys(str(tmp_path / "a"), passphrase=SOURCE)
    with pytest.raises(KeyUnusable, match="it is a public key; a private key is needed here"):
        import_key(made.public, str(tmp_path / "b"), passphrase=SOURCE, environment={})


def test_a_key_in_the_environment_is_shown() -> None:
    key = generate("p256")
    environment = {"KEY": write_pkcs8(key, b"").decode()}
    assert show_key("env://KEY", passphrase=PassphraseSource(), environment=environment).private


@pytest.mark.parametrize(
    "content", ["", "nothing like a key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_key_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "k").write_text(content)
    with pytest.raises(KeyUnusable):
        show_key(str(tmp_path / "k"), passphrase=SOURCE, environment={})
