"""Docker's credential helpers: ``docker-credential-NAME get``, asked without a shell and not for long.

Knows the protocol of docker-credential-helpers; knows nothing of when a helper is asked. What a helper answers is
read up to a limit and never shown.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from typing import TYPE_CHECKING, Final

from imgtrust.errors import AccessDenied, InputFileError
from imgtrust.stores.credentials import Credential

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

__all__ = ["ask_helper"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TIMEOUT: Final = 30.0
_MAX_ANSWER: Final = 256 * 1024
_NONE: Final = b"credentials not found in native keychain"
_IDENTITY: Final = "<token>"


def ask_helper(
    name: str, server: str, environment: Mapping[str, str], *, timeout: float = _TIMEOUT
) -> Credential | None:
    """What a helper program knows about ``server``; None where it says that it has nothing.

    The program is looked for in the PATH of ``environment``, which is all of the environment that it gets.

    Raises:
        InputFileError: the name is none, or there is no such program.
        AccessDenied: it failed, took longer than ``timeout`` seconds, or did not answer with credentials.
    """
    if _NAME.fullmatch(name) is None:
        message = f"{name[:64]!r} is not the name of a credential helper (letters, digits, '.', '_' and '-')"
        raise InputFileError(message)
    program = shutil.which(f"docker-credential-{name}", path=environment.get("PATH", ""))
    if program is None:
        message = f"the credential helper docker-credential-{name} is named for {server}, but it is not in PATH"
        raise InputFileError(message)
    output, status = _run(program, server, environment, timeout)
    if status != 0:
        if output.strip() == _NONE:
            return None
        message = f"the credential helper docker-credential-{name} failed for {server} (status {status})"
        raise AccessDenied(message)
    return _read(output, name, server)


def _run(program: str, server: str, environment: Mapping[str, str], timeout: float) -> tuple[bytes, int]:
    """Run the program; its errors go nowhere, since some helpers write secrets there."""
    import subprocess  # noqa: PLC0415 - start-up time; most runs need no helper

    try:
        process = subprocess.Popen(  # noqa: S603 - a full path, no shell, the name was checked
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
        )
    except OSError as exc:
        message = f"the credential helper {program} cannot be run: {exc.strerror}"
        raise InputFileError(message) from exc
    late = threading.Event()

    def give_up() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout, give_up)
    timer.start()
    with process:
        try:
            output = _exchange(process, server)
            if len(output) > _MAX_ANSWER:
                process.kill()
        finally:
            status = process.wait()
            timer.cancel()
            timer.join()
    if late.is_set():
        message = f"the credential helper {program} did not answer for {server} within {timeout:g} s"
        raise AccessDenied(message)
    return output, status


def _exchange(process: subprocess.Popen[bytes], server: str) -> bytes:
    """Write the question, read the answer up to one byte more than is allowed."""
    assert process.stdin is not None  # noqa: S101 - Popen was given pipes
    assert process.stdout is not None  # noqa: S101 - the same
    try:
        process.stdin.write(server.encode())
        process.stdin.close()
    except BrokenPipeError:  # It did not want to read; what it says still counts.
        pass
    return process.stdout.read(_MAX_ANSWER + 1)


def _read(output: bytes, name: str, server: str) -> Credential | None:
    source = f"credential helper {name}"
    try:
        document = json.loads(output[: _MAX_ANSWER + 1]) if len(output) <= _MAX_ANSWER else None
    except (ValueError, RecursionError):
        document = None
    members = document if isinstance(document, dict) else {}
    user, secret = members.get("Username"), members.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str):
        message = f"the {source} did not answer with a user name and a secret for {server}"
        raise AccessDenied(message)
    if not secret:
        return None
    if user == _IDENTITY:
        return Credential(source, identity_token=secret)
    return Credential(source, user, secret)
