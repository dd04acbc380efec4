"""Transparency logs in memory, of both generations: trees, proofs, checkpoints, promises (RFC 6962, C2SP notes)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ed25519

from imgtrust import strict_json
from tests.simulators.evidence import Key, b64

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Log", "inclusion", "note", "root_of"]

_TREE_ID: Final = "1193050959916656506"


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of leaves, straight from the definition in RFC 6962 section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of one leaf, straight from the definition in RFC 6962 section 2.1.1."""
    if len(leaves) <= 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*inclusion(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root_of(leaves[:split])]


def note(text: str, *signatures: tuple[str, bytes, bytes]) -> str:
    """A signed note: name, hint and signature of each line."""
    lines = "".join(f"\u2014 {name} {b64(hint + signature)}\n" for name, hint, signature in signatures)
    return f"{text}\n{lines}"


@dataclass
class Log:
    """A log of generation 1 (promises times) or 2 (does not); its tree grows with each entry."""

    origin: str
    generation: int = 1
    key: Key = field(default_factory=Key.new)
    leaves: list[bytes] = field(default_factory=lambda: [b"the first entry", b"the second entry"])
    before: int = 40
    """Entries in older trees of a log of generation 1: they are in its index, and not in its proofs."""

    @classmethod
    def second(cls, origin: str) -> Log:
        """A log of generation 2 as the public ones are: Ed25519."""
        return cls(origin, 2, Key(ed25519.Ed25519PrivateKey.generate()))

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the key, or for the second generation the key id of signed notes."""
        if self.generation == 1:
            return hashlib.sha256(self.key.public.der).digest()
        raw = self.key.public.der[-32:]
        return hashlib.sha256(self.origin.encode() + b"\n\x01" + raw).digest()

    def checkpoint(self, size: int | None = None, root: bytes | None = None, **changes: Any) -> str:
        """A checkpoint over the tree; ``origin``, ``name``, ``hint``, ``key`` and ``more`` (lines) can be changed."""
        size = len(self.leaves) if size is None else size
        root = root_of(self.leaves) if root is None else root
        usual = self.origin if self.generation > 1 else f"{self.origin} - {_TREE_ID}"
        text = f"{changes.get('origin', usual)}\n{size}\n{b64(root)}\n{changes.get('more', '')}"
        signer: Key = changes.get("key", self.key)
        line = (changes.get("name", self.origin), changes.get("hint", self.log_id[:4]), signer.sign(text.encode()))
        return note(text, line)

    def take(self, body: bytes, seconds: int, kind: tuple[str, str]) -> dict[str, Any]:
        """Log an entry: what a bundle says about it, in protojson."""
        self.leaves.append(body)
        index = len(self.leaves) - 1
        first = self.generation == 1
        entry: dict[str, Any] = {
            "logIndex": str(index + (self.before if first else 0)),
            "logId": {"keyId": b64(self.log_id)},
            "kindVersion": {"kind": kind[0], "version": kind[1]},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": b64(root_of(self.leaves)),
                "treeSize": str(len(self.leaves)),
                "hashes": [b64(each) for each in inclusion(self.leaves, index)],
                "checkpoint": {"envelope": self.checkpoint()},
            },
            "canonicalizedBody": b64(body),
        }
        if first:
            entry["integratedTime"] = str(seconds)
            entry["inclusionPromise"] = {"signedEntryTimestamp": b64(self.promise(entry))}
        return entry

    def promise(self, entry: dict[str, Any]) -> bytes:
        """The signed entry timestamp over what an entry says."""
        members = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": self.log_id.hex(),
            "logIndex": int(entry["logIndex"]),
        }
        return self.key.sign(strict_json.dumps(members))
