"""A TUF repository on loopback, as a Sigstore instance has one: good, and in every state that must not be believed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from tests.simulators.loopback import Loopback, Reply

if TYPE_CHECKING:
    from tests.simulators.loopback import Request

__all__ = ["TufRepository"]

_LATER = timedelta(days=7)


class TufRepository(Loopback):
    """One key for the root and one for the rest. ``publish`` writes a new state; ``served`` is what is answered."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.root_key, self.online = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
        self.served: dict[str, bytes] = {}
        self.roots: list[bytes] = []
        self.version = 0
        self.rotate()

    @property
    def first_root(self) -> bytes:
        """What a client is given to begin with."""
        return self.roots[0]

    def rotate(self, *, by: CryptoSigner | None = None, expires: datetime | None = None) -> None:
        """A new root with a new key, signed by the old key (or ``by``) and the new one."""
        old, new = by or self.root_key, CryptoSigner.generate_ed25519()
        end = datetime.now(UTC).replace(microsecond=0) + _LATER if expires is None else expires
        root = Root(version=len(self.roots) + 1, expires=end, consistent_snapshot=True)
        root.roles["root"] = Role([], 1)
        root.add_key(new.public_key, "root")
        for role in ("timestamp", "snapshot", "targets"):
            root.add_key(self.online.public_key, role)
        metadata = Metadata(root)
        metadata.sign(old if self.roots else new)
        metadata.sign(new, append=True)
        self.root_key = new
        self.roots.append(metadata.to_bytes(JSONSerializer()))
        self.served[f"/{len(self.roots)}.root.json"] = self.roots[-1]

    def publish(self, *, by: CryptoSigner | None = None, expires: datetime | None = None, **files: bytes) -> None:
        """A new state with these files; in a name ``__`` stands for a full stop."""
        self.version += 1
        end = datetime.now(UTC).replace(microsecond=0) + _LATER if expires is None else expires
        targets = Targets(version=self.version, expires=end)
        for word, data in files.items():
            name = word.replace("__", ".")
            targets.targets[name] = TargetFile.from_data(name, data, ["sha256"])
            self.served[f"/targets/{hashlib.sha256(data).hexdigest()}.{name}"] = data
        snapshot = Snapshot(version=self.version, expires=end)
        snapshot.meta["targets.json"] = MetaFile(self.version)
        timestamp = Timestamp(version=self.version, expires=end)
        timestamp.snapshot_meta = MetaFile(self.version)
        for path, signed in (
            (f"/{self.version}.targets.json", targets),
            (f"/{self.version}.snapshot.json", snapshot),
            ("/timestamp.json", timestamp),
        ):
            self.served[path] = self._signed(signed, by or self.online)

    def _signed(self, signed: Any, signer: CryptoSigner) -> bytes:
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(signer)
        return metadata.to_bytes(JSONSerializer())

    def _answer(self, request: Request) -> Reply:
        found = self.served.get(request.path)
        return Reply(404) if found is None else Reply(200, (("Content-Type", "application/json"),), found)
