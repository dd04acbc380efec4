"""Docker's and podman's credential files: where they lie, and what they say about a registry.

Knows both formats (docker's ``config.json``, containers-auth.json, the old ``.dockercfg``) and their keys; runs no
helper program. Files are read once and never written; no message repeats a value of theirs.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.errors import InputFileError
from imgtrust.stores.addresses import HUB_NAMES
from imgtrust.stores.credentials import Credential

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "AuthFile",
    "auth_keys",
    "docker_files",
    "helper_server",
    "named_file",
    "parse_auth_file",
    "podman_files",
    "read_auth_file",
]

_HUB_KEY: Final = "https://index.docker.io/v1/"
_MAX_FILE: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AuthFile:
    """One file: entries, helper programs per host, and the helper for all others."""

    source: str
    auths: Mapping[str, Mapping[str, object]] = field(repr=False)
    helpers: Mapping[str, str]
    store: str | None = None

    def helper_for(self, host: str) -> str | None:
        """The name of the helper program that answers for a host, or None."""
        for name in _host_names(host):
            if name in self.helpers:
                return self.helpers[name]
        return self.store

    def entry_for(self, host: str, path: str) -> Credential | None:
        """What the file itself holds for a repository: the longest key that names it.

        Raises:
            InputFileError: the entry cannot be read.
        """
        for key in auth_keys(host, path):
            entry = self.auths.get(key)
            if entry:
                found = _credential(entry, self.source, key)
                if found is not None:
                    return found
        return None


def auth_keys(host: str, path: str) -> Iterator[str]:
    """The keys under which a repository's credentials may be kept, the most specific first."""
    for name in _host_names(host):
        parts = path.split("/") if path else []
        for length in range(len(parts), 0, -1):
            yield f"{name}/{'/'.join(parts[:length])}"
        yield name
    for name in _host_names(host):
        for form in ("https://{}", "https://{}/", "https://{}/v1/", "https://{}/v2/", "{}/v1/", "{}/v2/", "http://{}"):
            yield form.format(name)


def helper_server(host: str) -> str:
    """What a helper program is asked for: the host, but Docker Hub by its old address."""
    return _HUB_KEY if host in HUB_NAMES else host


def named_file(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The file that REGISTRY_AUTH_FILE names, if any."""
    named = environment.get("REGISTRY_AUTH_FILE")
    return (Path(named),) if named else ()


def docker_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Docker's file: in DOCKER_CONFIG, else in the home directory."""
    folder, home = environment.get("DOCKER_CONFIG"), environment.get("HOME")
    if folder:
        return (Path(folder) / "config.json",)
    return (Path(home) / ".docker" / "config.json",) if home else ()


def podman_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The files of podman, skopeo and buildah, and the one of very old dockers."""
    home, runtime = environment.get("HOME"), environment.get("XDG_RUNTIME_DIR")
    config = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    found = [Path(folder) / "containers" / "auth.json" for folder in (runtime, config) if folder]
    return (*found, Path(home) / ".dockercfg") if home else tuple(found)


def read_auth_file(path: Path) -> AuthFile | None:
    """Read a file; None where there is none.

    Raises:
        InputFileError: it is there but cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        message = f"{path}: credentials of registries cannot be read from it: {exc.strerror}"
        raise InputFileError(message) from exc
    if len(data) > _MAX_FILE:
        message = f"{path}: expected a file of credentials, it has more than {_MAX_FILE} bytes"
        raise InputFileError(message)
    return parse_auth_file(data, str(path), old=path.name == ".dockercfg")


def parse_auth_file(data: bytes, source: str, *, old: bool = False) -> AuthFile:
    """Read the bytes of a file; ``old`` ones hold nothing but entries. Unknown members are others' business.

    Raises:
        InputFileError: it is no such file.
    """
    try:
        document = json.loads(data or b"{}")
    except (ValueError, RecursionError) as exc:
        message = f"{source}: expected the JSON of a docker or podman credential file"
        raise InputFileError(message) from exc
    members = _members(document, source, "the file")
    auths = _members(members if old else members.get("auths"), source, "auths")
    named = _members(members.get("credHelpers") if not old else None, source, "credHelpers")
    helpers = {host: name for host, name in named.items() if isinstance(name, str)}
    store = members.get("credsStore") if not old else None
    if len(helpers) != len(named) or (store is not None and not isinstance(store, str)):
        message = f"{source}: credsStore and credHelpers are expected to name helper programs"
        raise InputFileError(message)
    entries = {key: _members(entry, source, f"the entry {key[:80]!r}") for key, entry in auths.items()}
    return AuthFile(source, entries, helpers, store or None)


def _members(value: object, source: str, what: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        message = f"{source}: {what} is a {type(value).__name__}, expected a JSON object"
        raise InputFileError(message)
    return value


def _credential(entry: Mapping[str, object], source: str, key: str) -> Credential | None:
    """One entry; None where it holds nothing (as beside a credsStore)."""
    texts = {name: value for name, value in entry.items() if isinstance(value, str) and value}
    user, password = texts.get("username", ""), texts.get("password", "")
    if "auth" in texts:
        try:
            plain = base64.b64decode(texts["auth"], validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as exc:
            message = f"{source}: the entry {key[:80]!r} has an auth that is not base64 of USER:PASSWORD"
            raise InputFileError(message) from exc
        user, colon, password = plain.rstrip("\0").partition(":")
        if not colon:
            message = f"{source}: the entry {key[:80]!r} has an auth that is not base64 of USER:PASSWORD"
            raise InputFileError(message)
    identity, token = texts.get("identitytoken", ""), texts.get("registrytoken", "")
    if not any((user, password, identity, token)):
        return None
    return Credential(f"{source} ({key})", user, password, identity, token)


def _host_names(host: str) -> tuple[str, ...]:
    return ("docker.io", "index.docker.io", "registry-1.docker.io") if host in HUB_NAMES else (host,)
