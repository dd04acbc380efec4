"""The pairs of the matrix that cannot exist: each reader is really asked, refuses, and says the reason of the table."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from sigstore.errors import Error
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from imgtrust.reference import Reference
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from tests.fixtures.matrix import READERS, UNPAIRED, WRITERS
from tests.fixtures.places import registry_place
from tests.interop.keyless import identity, services
from tests.interop.test_notation import Holder, holder
from tests.simulators.images import image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Imgtrust, Keys, Name
    from tests.fixtures.registries import Registry
    from tests.fixtures.sigstore import PrivateSigstore

pytestmark = pytest.mark.interop

Flags = tuple["str | Path", ...]
OFFLINE: Final = ("--use-signing-config=false", "--tlog-upload=false", "--yes")
OLD: Final = ("--new-bundle-format=false",)


class Field:
    """One image in one registry, and everybody who can sign it or read it."""

    def __init__(self, name: Name, own: Holder, keys: Keys, instance: PrivateSigstore, tools: dict[str, Peer]) -> None:
        self.name, self.own, self.keys, self.instance, self.tools = name, own, keys, instance, tools

    def sign(self, writer: str, imgtrust: Imgtrust) -> Flags:
        """Sign as a writer of the matrix; the options with which imgtrust believes it."""
        key, token = ("--key", self.keys.private), self.instance.token()
        old = ("--format", "cosign-legacy")
        match writer.split(", ", maxsplit=1)[0], "keyless" in writer:
            case (("imgtrust bundle" | "imgtrust legacy") as form, False):
                imgtrust("sign", *key, *(old if "legacy" in form else ()), self.name)
            case (("cosign bundle" | "cosign legacy") as form, False):
                self.tools["cosign"]("sign", *key, *OFFLINE, *(OLD if "legacy" in form else ()), str(self.name))
            case ("imgtrust bundle", True):
                imgtrust("sign", "--keyless", *services(self.instance, token), self.name)
                return identity(self.instance)
            case ("cosign bundle", True):
                self.tools["cosign"]("sign", *services(self.instance, token), str(self.name))
                return identity(self.instance)
            case ("imgtrust notary JWS", _):
                imgtrust("sign", *self.own.signs, self.name)
                return self.own.trusted
            case _:
                envelope = "jws" if writer.endswith("JWS") else "cose"
                self.tools["notation-go"]("sign", envelope, self.own.key, self.own.chain, str(self.name))
                return self.own.trusted
        return ("--key", self.keys.public)

    def payload(self) -> bytes:
        """What the one signature is, as bytes."""
        reference = Reference.parse(str(self.name))
        with closing(open_store(reference.repository)) as store:
            (found,) = discover(store, store.resolve(str(reference.digest))).evidence
        return found.payload


def said(reader: str, field: Field, folder: Path) -> str:
    """What a reader says of the signature; it must not believe it."""
    if reader in {"cosign", "notation-go"}:
        arguments: Sequence[str | Path] = ("verify", field.own.root, str(field.name))
        if reader == "cosign":
            arguments = ("verify", "--key", field.keys.public, "--insecure-ignore-tlog", str(field.name))
        done = field.tools[reader](*arguments, check=False)
        assert done.returncode != 0
        return done.stderr
    data = field.payload()
    if reader == "@sigstore/verify":
        (folder / "evidence").write_bytes(data)
        root = field.instance.trusted_root
        done = field.tools[reader](root, folder / "evidence", "--key", field.keys.public, check=False)
        assert done.returncode == 1
        return done.stderr
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(field.instance.trusted_root)))
    with pytest.raises(Error) as caught:
        verifier.verify_dsse(Bundle.from_json(data), policy.UnsafeNoOp())
    return f"{type(caught.value).__name__}: {caught.value}"


SAME: Final = {
    *("imgtrust bundle, Rekor v1", "cosign bundle, Rekor v1", "sigstore-python", "sigstore-python, Rekor v1"),
    *("cosign legacy, keyless", "cosign legacy, Rekor v1"),
}
"""What has the form of another writer: what its readers can read of it does not depend on who signed."""
SAID: Final = {
    "cosign": "no signatures found",
    "sigstore-python": "InvalidBundle",
    "@sigstore/verify": "Error",
    "notation-go": "no signature is associated",
}


@pytest.mark.parametrize("writer", [each for each in WRITERS if each not in SAME])
def test_a_pair_that_the_table_calls_impossible_is(
    writer: str,
    docker_registry: Registry,
    imgtrust: Imgtrust,
    keys: Keys,
    private_sigstore: PrivateSigstore,
    cosign: Peer,
    notation: Peer,
    sigstore_js: Peer,
    tmp_path: Path,
) -> None:
    made = image("impossible")
    name = registry_place(docker_registry).push(made).at(str(made.digest))
    tools = {"cosign": cosign, "notation-go": notation, "@sigstore/verify": sigstore_js}
    field = Field(name, holder(tmp_path), keys, private_sigstore, tools)
    imgtrust.accepts(*field.sign(writer, imgtrust), name)
    refused = [reader for reader in READERS if (writer, reader) in UNPAIRED]
    assert refused
    for reader in refused:
        assert SAID[reader] in said(reader, field, tmp_path), reader
