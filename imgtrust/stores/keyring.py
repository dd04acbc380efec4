"""Which credential a registry is shown: the sources in their order, asked once, the first that has one wins.

Knows the order and how long an answer holds: explicit, REGISTRY_AUTH_FILE, ECR, docker, podman. The sources
themselves are ``authfiles``, ``credentialhelpers`` and ``ecr``.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from imgtrust.stores.ecrhosts import parse_ecr_host

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imgtrust.stores.credentials import Credential
    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.retry import Waiter

__all__ = ["OPT_OUT", "Keyring"]

OPT_OUT: Final = "IMGTRUST_NO_ECR_LOGIN"
"""Set to anything, this variable keeps imgtrust from asking AWS for ECR tokens: files and helpers only."""
_FOREVER: Final = float("inf")
_SHORTEST: Final = 60.0
_log = logging.getLogger("imgtrust.stores.credentials")


class Keyring:
    """The credentials of one registry under one set of options."""

    def __init__(self, host: str, options: StoreOptions, waiter: Waiter, explicit: Credential | None = None) -> None:
        """``explicit`` goes before everything that would be found."""
        self._host, self._options, self._waiter, self._explicit = host, options, waiter, explicit
        self._lock = threading.Lock()
        self._found: dict[str, tuple[Credential | None, float]] = {}
        self._ecr: tuple[Credential | None, float] | None = None

    def find(self, path: str) -> Credential | None:
        """The credential for a repository of this registry, or None; each path is looked up once.

        Raises:
            InputFileError: a credential file or helper that is named for this registry does not work.
            AccessDenied: a helper or AWS refuses.
            StoreError: AWS does not answer.
        """
        if self._explicit is not None:
            return self._explicit
        with self._lock:
            now = self._waiter.monotonic()
            held = self._found.get(path)
            if held is None or held[1] <= now:
                held = self._found[path] = self._look(path)
                source = "none were found" if held[0] is None else held[0].source
                _log.info("credentials for %s/%s: %s", self._host, path, source)
            return held[0]

    def forget(self) -> None:
        """Drop what was found: the registry says that it has expired."""
        with self._lock:
            self._found.clear()
            self._ecr = None

    def _look(self, path: str) -> tuple[Credential | None, float]:
        from imgtrust.stores import authfiles  # noqa: PLC0415 - start-up time; many runs ask nobody who knows us

        environment = self._options.environment
        found = self._in_files(authfiles.named_file(environment), path)
        if found is not None:
            return found, _FOREVER
        native, until = self._native()
        if native is not None:
            return native, until
        for files in (authfiles.docker_files(environment), authfiles.podman_files(environment)):
            found = self._in_files(files, path)
            if found is not None:
                return found, _FOREVER
        return None, _FOREVER

    def _in_files(self, files: Iterable[Path], path: str) -> Credential | None:
        from imgtrust.stores.authfiles import helper_server, read_auth_file  # noqa: PLC0415 - the same
        from imgtrust.stores.credentialhelpers import ask_helper  # noqa: PLC0415 - the same

        for file in files:
            read = read_auth_file(file)
            if read is None:
                continue
            helper = read.helper_for(self._host)
            if helper is not None:
                found = ask_helper(helper, helper_server(self._host), self._options.environment)
                if found is not None:
                    return found
            found = read.entry_for(self._host, path)
            if found is not None:
                return found
        return None

    def _native(self) -> tuple[Credential | None, float]:
        """ECR's own token, where the host is one of ECR; kept until a tenth of its life is left."""
        host = parse_ecr_host(self._host)
        if host is None or self._options.environment.get(OPT_OUT):
            return None, _FOREVER
        now = self._waiter.monotonic()
        if self._ecr is None or self._ecr[1] <= now:
            from imgtrust.stores.ecr import authorization  # noqa: PLC0415 - start-up time

            given = authorization(host, self._options)
            if given is None:
                self._ecr = (None, _FOREVER)
            else:
                lifetime = (given[1].timestamp() - self._waiter.wall()) * 0.9
                self._ecr = (given[0], now + max(_SHORTEST, lifetime))
        return self._ecr
