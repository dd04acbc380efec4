"""Where the passphrase of a private key comes from, in the order of CLI.md section 1.

Knows the two variables, the file and the prompt; must not keep, print or log what it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from imgtrust.errors import InputFileError, KeyUnusable
from imgtrust.signers.material import NO_ENVIRONMENT, read_limited

__all__ = ["PASSPHRASE_VARIABLES", "PassphraseSource", "Prompt"]

PASSPHRASE_VARIABLES: Final = ("IMGTRUST_PASSPHRASE", "COSIGN_PASSWORD")
"""In this order. Set and empty is an explicit empty passphrase, as with cosign."""
_LONGEST: Final = 4096

Prompt = Callable[[str], str]
"""Asks a person for a line that is not shown; given the question."""


@dataclass(frozen=True, slots=True)
class PassphraseSource:
    """Asked only once a key turns out to be encrypted (or is about to be).

    ``environment`` is looked up for ``PASSPHRASE_VARIABLES``; ``file`` is ``--passphrase-file``; ``prompt`` is None
    where there is no terminal.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT, repr=False)
    file: str | None = None
    prompt: Prompt | None = field(default=None, repr=False)

    def read(self, what: str) -> bytes:
        """The passphrase that opens ``what``, as UTF-8.

        Raises:
            KeyUnusable: there is nowhere to take it from.
            InputFileError: the passphrase file cannot be read.
        """
        found = self._given()
        if found is not None:
            return found
        if self.prompt is None:
            raise KeyUnusable(_nowhere(what))
        return self.prompt(f"Passphrase for {what}: ").encode()

    def choose(self, what: str) -> bytes:
        """The passphrase for a new key; a prompt asks twice and takes no empty line.

        Raises:
            KeyUnusable: there is nowhere to take it from, the two lines differ, or the line is empty.
            InputFileError: the passphrase file cannot be read.
        """
        found = self._given()
        if found is not None:
            return found
        if self.prompt is None:
            raise KeyUnusable(_nowhere(what))
        first = self.prompt(f"Passphrase for the new key {what}: ")
        if not first:
            message = f"no passphrase was typed for {what}; for a key without one, set {PASSPHRASE_VARIABLES[0]} to ''"
            raise KeyUnusable(message)
        if self.prompt("The same once more: ") != first:
            message = f"the two passphrases for {what} differ; nothing was written"
            raise KeyUnusable(message)
        return first.encode()

    def _given(self) -> bytes | None:
        """What the environment or the file says; None where neither was given."""
        for name in PASSPHRASE_VARIABLES:
            if (value := self.environment.get(name)) is not None:
                return value.encode("utf-8", "surrogateescape")
        if self.file is None:
            return None
        return _first_line(read_limited(self.file, "passphrase file", _LONGEST), self.file)


def _first_line(data: bytes, path: str) -> bytes:
    """The one line of a passphrase file, without its end."""
    line = data.removesuffix(b"\n").removesuffix(b"\r")
    if b"\n" in line:
        message = f"the passphrase file {path} has more than one line"
        raise InputFileError(message)
    return line


def _nowhere(what: str) -> str:
    return (
        f"{what} needs a passphrase and there is no terminal to ask on; "
        f"set {' or '.join(PASSPHRASE_VARIABLES)}, or give --passphrase-file FILE"
    )
