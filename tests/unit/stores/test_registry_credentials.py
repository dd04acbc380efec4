"""Where credentials are found, in which order, and what a broken source leads to."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.errors import AccessDenied, InputFileError
from imgtrust.stores.authfiles import auth_keys, parse_auth_file, read_auth_file
from imgtrust.stores.credentialhelpers import ask_helper
from imgtrust.stores.credentials import Credential
from imgtrust.stores.keyring import Keyring
from imgtrust.stores.options import StoreOptions
from tests.simulators.clients import Clock

if TYPE_CHECKING:
    from pathlib import Path

HOST = "registry.example:5000"


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def helper(folder: Path, name: str, script: str) -> None:
    """A credential helper: a shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def find(environment: dict[str, str], host: str = HOST, path: str = "team/app", **options: Any) -> Credential | None:
    return Keyring(host, StoreOptions(environment=environment, **options), Clock()).find(path)


def test_without_an_environment_there_are_no_credentials() -> None:
    assert find({}) is None


def test_the_sources_are_asked_in_their_order(tmp_path: Path) -> None:
    named = write(tmp_path / "named.json", {"auths": {HOST: auth("named", "p")}})
    docker = write(tmp_path / "docker/config.json", {"auths": {HOST: auth("docker", "p")}})
    home = write(tmp_path / "home/.docker/config.json", {"auths": {HOST: auth("home", "p")}})
    runtime = write(tmp_path / "run/containers/auth.json", {"auths": {HOST: auth("runtime", "p")}})
    config = write(tmp_path / "config/containers/auth.json", {"auths": {HOST: auth("config", "p")}})
    old = write(tmp_path / "home/.dockercfg", {HOST: auth("old", "p")})
    environment = {
        "REGISTRY_AUTH_FILE": str(named),
        "DOCKER_CONFIG": str(docker.parent),
        "HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    explicit = Credential("explicit", "explicit", "p")
    assert Keyring(HOST, StoreOptions(environment=environment), Clock(), explicit).find("team/app") is explicit
    users = []
    for gone in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", home, runtime, config, old):
        found = find(environment)
        assert found is not None
        users.append(found.username)
        if isinstance(gone, str):
            del environment[gone]
        else:
            gone.unlink()
    assert users == ["named", "docker", "home", "runtime", "config", "old"]
    assert find(environment) is None


def test_podmans_configuration_folder_is_below_home_by_default(tmp_path: Path) -> None:
    write(tmp_path / ".config/containers/auth.json", {"auths": {HOST: auth("u", "p")}})
    found = find({"HOME": str(tmp_path)})
    assert found is not None
    assert found.source.endswith(f"auth.json ({HOST})")


def test_a_file_that_is_named_but_absent_holds_nothing(tmp_path: Path) -> None:
    assert find({"REGISTRY_AUTH_FILE": str(tmp_path / "none"), "DOCKER_CONFIG": str(tmp_path / "x" / "y")}) is None


def test_what_was_found_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    file = write(tmp_path / "config.json", {"auths": {HOST: auth("first", "p")}})
    keyring = Keyring(HOST, StoreOptions(environment={"DOCKER_CONFIG": str(tmp_path)}), Clock())
    assert keyring.find("team/app") == keyring.find("team/app")
    write(file, {"auths": {HOST: auth("second", "p")}})
    found = keyring.find("team/app")
    assert found is not None
    assert found.username == "first"
    keyring.forget()
    found = keyring.find("team/app")
    assert found is not None
    assert found.username == "second"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (auth("u", "p:with:colons"), ("u", "p:with:colons", "", "")),
        (auth("u", "p\0\0"), ("u", "p", "", "")),
        ({"username": "u", "password": "p"}, ("u", "p", "", "")),
        ({"auth": auth("u", "")["auth"], "identitytoken": "i"}, ("u", "", "i", "")),
        ({"registrytoken": "r"}, ("", "", "", "r")),
        ({"identitytoken": "i", "email": "x", "unknown": 1}, ("", "", "i", "")),
    ],
)
def test_each_kind_of_entry_is_read(entry: dict[str, Any], expected: tuple[str, ...]) -> None:
    file = parse_auth_file(json.dumps({"auths": {HOST: entry}}).encode(), "file")
    found = file.entry_for(HOST, "team/app")
    assert found is not None
    assert (found.username, found.password, found.identity_token, found.registry_token) == expected
    assert "p:with" not in repr(found)


@pytest.mark.parametrize("entry", [{}, {"email": "x"}, {"auth": ""}])
def test_an_entry_without_anything_is_none(entry: dict[str, Any]) -> None:
    assert parse_auth_file(json.dumps({"auths": {HOST: entry}}).encode(), "file").entry_for(HOST, "team/app") is None


def test_the_longest_key_wins() -> None:
    auths = {HOST: auth("host", "p"), f"{HOST}/team": auth("team", "p"), f"{HOST}/team/app": auth("app", "p")}
    file = parse_auth_file(json.dumps({"auths": auths}).encode(), "file")
    for path, user in (
        ("team/app", "app"),
        ("team/other", "team"),
        ("team", "team"),
        ("teams/app", "host"),
        ("", "host"),
    ):
        found = file.entry_for(HOST, path)
        assert found is not None
        assert found.username == user


@pytest.mark.parametrize("key", [f"https://{HOST}", f"https://{HOST}/v1/", f"https://{HOST}/v2/", f"http://{HOST}"])
def test_old_forms_of_keys_are_known(key: str) -> None:
    file = parse_auth_file(json.dumps({"auths": {key: auth("u", "p")}}).encode(), "file")
    assert file.entry_for(HOST, "team/app") is not None
    assert file.entry_for("other.example", "team/app") is None


@pytest.mark.parametrize(
    "key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "docker.io/library/app"]
)
def test_docker_hub_is_known_by_all_its_names(key: str) -> None:
    file = parse_auth_file(json.dumps({"auths": {key: auth("u", "p")}}).encode(), "file")
    assert file.entry_for("docker.io", "library/app") is not None
    assert key in set(auth_keys("docker.io", "library/app"))


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"auths": []}',
        '{"auths": {"x": 1}}',
        '{"credHelpers": {"x": 1}}',
        '{"credsStore": 1}',
        "[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(text: str, tmp_path: Path) -> None:
    write(tmp_path / "config.json", text)
    with pytest.raises(InputFileError, match=r"config\.json"):
        find({"DOCKER_CONFIG": str(tmp_path)})


@pytest.mark.parametrize("value", ["c2VjcmV0", "not base64 secret"])
def test_an_auth_that_is_none_is_named_by_its_key_and_not_quoted(value: str) -> None:
    file = parse_auth_file(json.dumps({"auths": {HOST: {"auth": value}}}).encode(), "file")
    with pytest.raises(InputFileError, match=HOST) as caught:
        file.entry_for(HOST, "team/app")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_a_folder_or_far_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(InputFileError):
        read_auth_file(tmp_path / "config.json")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    with pytest.raises(InputFileError, match="more than"):
        read_auth_file(large)
    assert read_auth_file(tmp_path / "none") is None


def test_helpers_go_before_entries_and_the_one_of_the_host_before_the_store(tmp_path: Path) -> None:
    helper(tmp_path, "mine", """read server; printf '{"Username":"mine","Secret":"%s"}' "$server" """)
    helper(tmp_path, "store", """read server; printf '{"Username":"store","Secret":"s"}'""")
    document: dict[str, Any] = {
        "credHelpers": {HOST: "mine"},
        "credsStore": "store",
        "auths": {HOST: auth("entry", "p")},
    }
    environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path)}
    for user in ("mine", "store", "entry"):
        write(tmp_path / "config.json", document)
        found = find(environment)
        assert found is not None
        assert found.username == user
        if user == "mine":
            assert found.password == HOST
            assert found.source == "credential helper mine"
        document.pop("credHelpers" if user == "mine" else "credsStore", None)


def test_docker_hub_is_asked_for_by_its_old_address(tmp_path: Path) -> None:
    helper(tmp_path, "x", """read server; printf '{"Username":"u","Secret":"%s"}' "$server" """)
    write(tmp_path / "config.json", {"credsStore": "x"})
    found = find({"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path)}, "docker.io")
    assert found is not None
    assert found.password == "https://index.docker.io/v1/"


def test_a_helper_that_knows_nothing_lets_others_speak(tmp_path: Path) -> None:
    helper(tmp_path, "x", "echo 'credentials not found in native keychain'; exit 1")
    write(tmp_path / "config.json", {"credsStore": "x", "auths": {HOST: auth("entry", "p")}})
    found = find({"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path)})
    assert found is not None
    assert found.username == "entry"


def test_a_helper_may_give_an_identity_token_or_nothing(tmp_path: Path) -> None:
    helper(tmp_path, "token", """printf '{"Username":"<token>","Secret":"identity"}'""")
    helper(tmp_path, "empty", """printf '{"Username":"","Secret":""}'""")
    found = ask_helper("token", HOST, {"PATH": str(tmp_path)})
    assert found is not None
    assert (found.username, found.identity_token) == ("", "identity")
    assert ask_helper("empty", HOST, {"PATH": str(tmp_path)}) is None


@pytest.mark.parametrize("name", ["../x", "x;y", "", "-x", "x y", "a" * 65])
def test_a_helper_has_a_plain_name(name: str) -> None:
    with pytest.raises(InputFileError, match="not the name"):
        ask_helper(name, HOST, {"PATH": "/bin"})


def test_a_helper_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="docker-credential-x"):
        ask_helper("x", HOST, {"PATH": str(tmp_path)})
    (tmp_path / "docker-credential-x").write_bytes(b"\x7fnothing that runs")
    (tmp_path / "docker-credential-x").chmod(0o755)
    with pytest.raises(InputFileError, match="cannot be run"):
        ask_helper("x", HOST, {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    "script",
    [
        "echo secret-in-error >&2; echo secret-out; exit 3",
        "echo not-json-secret",
        "echo '[]'",
        """echo '{"Username": 1, "Secret": "secret"}'""",
    ],
)
def test_a_helper_that_fails_is_a_denial_that_shows_nothing(script: str, tmp_path: Path) -> None:
    helper(tmp_path, "x", script)
    with pytest.raises(AccessDenied) as caught:
        ask_helper("x", HOST, {"PATH": str(tmp_path)})
    assert "secret-" not in str(caught.value)
    assert HOST in str(caught.value)


def test_a_helper_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    helper(tmp_path, "x", "exec /bin/sleep 60")
    with pytest.raises(AccessDenied, match="within"):
        ask_helper("x", HOST, {"PATH": str(tmp_path)}, timeout=0.1)


def test_a_helper_that_talks_without_end_is_ended(tmp_path: Path) -> None:
    helper(tmp_path, "x", "exec /bin/cat /dev/zero")
    with pytest.raises(AccessDenied):
        ask_helper("x", HOST, {"PATH": str(tmp_path)})


def test_a_helper_that_does_not_listen_may_still_answer(tmp_path: Path) -> None:
    helper(tmp_path, "x", """exec </dev/null; printf '{"Username":"u","Secret":"s"}'""")
    assert ask_helper("x", HOST * 20_000, {"PATH": str(tmp_path)}) is not None


def test_a_helper_gets_the_environment_that_was_given_and_no_other(tmp_path: Path) -> None:
    helper(tmp_path, "x", """printf '{"Username":"%s","Secret":"%s"}' "$GIVEN" "${HOME-none}" """)
    found = ask_helper("x", HOST, {"PATH": str(tmp_path), "GIVEN": "given"})
    assert found is not None
    assert (found.username, found.password) == ("given", "none")
