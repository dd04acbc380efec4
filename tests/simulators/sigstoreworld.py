"""A layout with one image, a key, and a whole Sigstore over HTTP: where the command line signs with services."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.stores.discovery import discover
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.evidence import Key
from tests.simulators.sigstore import Signer
from tests.simulators.sigstoreserver import ISSUER, PERSON, TSA

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from imgtrust.content import Descriptor
    from imgtrust.evidence import Evidence
    from imgtrust.stores.port import Store
    from tests.simulators.sigstoreserver import SigstoreServer

__all__ = ["SigstoreWorld"]


@dataclass
class SigstoreWorld:
    """The image under the tag ``1``; files lie in ``path``. ``key`` is what ``--key`` signs with."""

    path: Path
    store: Store
    root: Descriptor
    sigstore: SigstoreServer
    key: Key = field(default_factory=Key.new)

    @property
    def name(self) -> str:
        """The image."""
        return f"{self.store.repository}:1"

    @property
    def later(self) -> datetime:
        """A moment after everything that was signed."""
        return self.sigstore.instance.now + timedelta(seconds=5)

    def command(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Run any command; its status, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        status = run(arguments, Session(variables, stdin=io.StringIO(), stdout=out, stderr=err))
        assert "Traceback" not in err.getvalue()
        return status, out.getvalue(), err.getvalue()

    def run(self, *arguments: str, command: str = "sign", **variables: str) -> tuple[int, str, str]:
        """Sign the image keyless with these arguments."""
        return self.command(command, "--keyless", *arguments, self.name, "-o", "json", **variables)

    def by_key(self, *arguments: str, command: str = "sign") -> tuple[int, str, str]:
        """Sign the image with the key and these arguments."""
        file = self.path / "signing.key"
        file.write_bytes(self.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return self.command(command, "--key", str(file), *arguments, self.name, "-o", "json")

    def services(self, *, version: int = 2, tsa: bool = True) -> tuple[str, ...]:
        """The options that name the instance to whoever signs with a key."""
        return self.sigstore.write(self.path, version=version, tsa=tsa)[:4]

    def addresses(self, *, tsa: bool = True) -> tuple[str, ...]:
        """The same by addresses."""
        self.sigstore.write(self.path)
        base = self.sigstore.base
        stamps = ("--tsa", base + TSA) if tsa else ()
        return ("--rekor-url", base, "--trusted-root", str(self.path / "trusted_root.json"), *stamps)

    def evidence(self, store: Store | None = None) -> tuple[Evidence, ...]:
        """What is attached to the image."""
        return discover(store or self.store, self.root).evidence

    def believed(self, *, log: bool = True, store: Store | None = None) -> list[VerifiedSignature]:
        """What is attached and believed to be of the person."""
        root = self.sigstore.instance.trusting(PERSON, ISSUER, log=log)
        outcomes = [assess(each, root, at=self.later) for each in self.evidence(store)]
        return [each for each in outcomes if isinstance(each, VerifiedSignature)]

    def by_the_key(self) -> list[VerifiedSignature | Refusal]:
        """What is attached, as whoever trusts the key and the instance's logs and authorities judges it."""
        root = self.sigstore.instance.trusting_key(Signer(self.key))
        return [assess(each, root, at=self.later) for each in self.evidence()]

    def bundles(self) -> list[dict[str, Any]]:
        """The bundles that are attached, as documents."""
        return [json.loads(each.payload) for each in self.evidence()]

    def nothing_attached(self) -> bool:
        """Whether the image is as it was."""
        return not self.evidence()
