"""Where keys and passphrases come from."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.errors import InputFileError, KeyUnusable, Undecided, WrongPassphrase
from imgtrust.signers import PassphraseSource, open_signer
from imgtrust.signers.keyfile import generate, write_pkcs8, write_sealed
from imgtrust.signers.material import MAX_KEY_BYTES, read_material

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "eu-west-3"}


def answers(*lines: str) -> Callable[[str], str]:
    """A prompt that answers these lines, one after the other."""
    waiting = list(lines)
    return lambda _: waiting.pop(0)


def test_a_key_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b"content")
    assert read_material(str(tmp_path / "k"), {}) == b"content"


def test_a_key_is_read_from_the_environment_that_is_given() -> None:
    assert read_material("env://KEY", {"KEY": "content"}) == b"content"


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}])
def test_a_variable_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(KeyUnusable, match="env://KEY"):
        read_material("env://KEY", environment)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("awskms:///alias/release", "not in this version"),
        ("gcpkms://projects/p", "gcpkms://"),
        ("https://example.com/key", "https://"),
    ],
)
def test_other_holders_of_keys_are_refused_by_name(reference: str, words: str) -> None:
    with pytest.raises(KeyUnusable, match=words):
        read_material(reference, {})


def test_files_that_cannot_be_keys_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(MAX_KEY_BYTES + 1))
    for name, words in (("absent", "No such file"), ("large", "more than 65536"), (".", "directory"), ("a\0b", "name")):
        with pytest.raises(KeyUnusable, match=words) as caught:
            read_material(str(tmp_path / name) if name != "a\0b" else name, {})
        assert caught.value.exit_status == 2


def test_the_passphrase_comes_from_the_first_source_that_has_one(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"from the file\n")
    file, prompt = str(tmp_path / "p"), answers("from the prompt")
    both = {"IMGTRUST_PASSPHRASE": "ours", "COSIGN_PASSWORD": "theirs"}
    assert PassphraseSource(both, file, prompt).read("k") == b"ours"
    assert PassphraseSource({"COSIGN_PASSWORD": "theirs"}, file, prompt).read("k") == b"theirs"
    assert PassphraseSource({}, file, prompt).read("k") == b"from the file"
    assert PassphraseSource({}, None, prompt).read("k") == b"from the prompt"


def test_a_variable_that_is_set_and_empty_is_an_empty_passphrase() -> None:
    assert PassphraseSource({"IMGTRUST_PASSPHRASE": "", "COSIGN_PASSWORD": "x"}).read("k") == b""
    assert PassphraseSource({"COSIGN_PASSWORD": ""}).choose("k") == b""


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"p", b"p"), (b"p\r\n", b"p"), (b" p \n", b" p "), (b"", b""), ("ü".encode(), "ü".encode())],
)
def test_only_the_end_of_the_line_is_taken_off_a_passphrase_file(
    tmp_path: Path, content: bytes, expected: bytes
) -> None:
    (tmp_path / "p").write_bytes(content)
    assert PassphraseSource({}, str(tmp_path / "p")).read("k") == expected


def test_a_passphrase_file_of_two_lines_or_none_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"one\ntwo\n")
    with pytest.raises(InputFileError, match="more than one line"):
        PassphraseSource({}, str(tmp_path / "p")).read("k")
    with pytest.raises(InputFileError, match="No such file"):
        PassphraseSource({}, str(tmp_path / "absent")).read("k")


def test_without_a_terminal_it_is_said_where_a_passphrase_is_looked_for() -> None:
    for ask in (PassphraseSource().read, PassphraseSource().choose):
        with pytest.raises(KeyUnusable, match=r"IMGTRUST_PASSPHRASE or COSIGN_PASSWORD.*--passphrase-file"):
            ask("the key k")


def test_a_new_passphrase_is_asked_for_twice() -> None:
    assert PassphraseSource(prompt=answers("a", "a")).choose("k") == b"a"
    with pytest.raises(KeyUnusable, match="differ"):
        PassphraseSource(prompt=answers("a", "b")).choose("k")
    with pytest.raises(KeyUnusable, match="no passphrase was typed"):
        PassphraseSource(prompt=answers("")).choose("k")


def test_a_source_of_passphrases_shows_none() -> None:
    source = PassphraseSource({"IMGTRUST_PASSPHRASE": "hunter2"}, prompt=answers("hunter2"))
    assert "hunter2" not in repr(source)


def test_a_signer_opens_its_key_once_and_asks_once(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(write_sealed(generate("p256"), b"pw"))
    signer = open_signer(str(tmp_path / "k"), passphrase=PassphraseSource(prompt=answers("pw")), environment={})
    assert signer.sign(b"a") != signer.sign(b"b")


def test_a_plain_key_asks_for_no_passphrase() -> None:
    key = write_pkcs8(generate("ed25519"), b"").decode()
    assert open_signer("env://K", passphrase=PassphraseSource(), environment={"K": key}).public_key.kind == "ed25519"


def test_a_wrong_passphrase_is_in_no_message(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(write_sealed(generate("p256"), b"pw"))
    source = PassphraseSource({"COSIGN_PASSWORD": "hunter2"})
    with pytest.raises(WrongPassphrase) as caught:
        open_signer(str(tmp_path / "k"), passphrase=source, environment={})
    assert "hunter2" not in str(caught.value) + repr(caught.value)


@pytest.fixture
def secrets() -> Iterator[Any]:
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        session = boto3.session.Session("testing", "testing", region_name="eu-west-3")
        yield session.client("secretsmanager")


def test_a_key_is_read_from_secrets_manager_by_name_and_by_arn(secrets: Any) -> None:
    made = secrets.create_secret(Name="release/key", SecretString="content")
    assert read_material("awssm://release/key", AWS) == b"content"
    elsewhere = {**AWS, "AWS_REGION": "us-east-1"}
    assert read_material(f"awssm://{made['ARN']}", elsewhere) == b"content"


def test_a_binary_secret_is_a_key_too(secrets: Any) -> None:
    secrets.create_secret(Name="binary", SecretBinary=b"\x00content")
    assert read_material("awssm://binary", AWS) == b"\x00content"


def test_a_secret_that_is_not_there_is_a_key_that_cannot_be_used(secrets: Any) -> None:
    assert secrets is not None
    with pytest.raises(KeyUnusable, match=r"ResourceNotFoundException.*GetSecretValue"):
        read_material("awssm://absent", AWS)


def test_without_a_region_nothing_is_asked() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": ""}
    with pytest.raises(KeyUnusable, match="region"):
        read_material("awssm://x", environment)


def test_a_secrets_manager_that_does_not_answer_is_a_reason_to_try_again() -> None:
    environment = {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with pytest.raises(Undecided, match="did not answer") as caught:
        read_material("awssm://x", environment)
    assert caught.value.exit_status == 3


class _Confused(BaseHTTPRequestHandler):
    """A service that answers with an error of which nobody has heard."""

    def do_POST(self) -> None:
        body = b'{"__type": "NeverHeardOfException", "message": "?"}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""


def test_an_error_that_nobody_knows_may_go_away() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Confused) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        environment = {**AWS, "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://127.0.0.1:{server.server_address[1]}"}
        try:
            with pytest.raises(Undecided, match="NeverHeardOfException; run it again"):
                read_material("awssm://x", environment)
        finally:
            server.shutdown()
            thread.join()
