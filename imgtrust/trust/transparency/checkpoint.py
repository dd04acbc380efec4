"""Checkpoints: the signed note in which a log states the size and root of its tree. Pure.

Knows C2SP signed-note and tlog-checkpoint, and the ECDSA signatures that Rekor v1 puts into such notes; knows nothing
of entries. Signatures of witnesses are by keys that nobody here knows, and are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from imgtrust.errors import Refused
from imgtrust.formats.members import decode_base64
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keys

if TYPE_CHECKING:
    from imgtrust.trust.anchors import LogKey

__all__ = ["Checkpoint", "Note", "parse_checkpoint", "verify_checkpoint"]

_MAX_SIGNATURES: Final = 100
"""As in Go's ``sumdb/note``."""
_HINT_BYTES: Final = 4
_HASH_BYTES: Final = 32
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]{1,255}) ([A-Za-z0-9+/=]+)")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_TREE: Final = re.compile(r" - [0-9]+", re.ASCII)
"""What Rekor v1 adds to its name in the first line: the id of the tree."""


@dataclass(frozen=True, slots=True)
class Note:
    """One signature line: who is said to have signed, the first bytes of the key's id, and the signature."""

    name: str
    hint: bytes
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A parsed, unverified checkpoint; ``text`` is what its signatures cover."""

    origin: str
    size: int
    root: bytes
    text: bytes = field(repr=False)
    notes: tuple[Note, ...]


def parse_checkpoint(envelope: str) -> Checkpoint:
    """Read a signed note that is a checkpoint.

    Raises:
        Refused: LOG_CHECKPOINT.
    """
    text, separator, signatures = envelope.rpartition("\n\n")
    lines = text.split("\n")
    root = decode_base64(lines[2]) if len(lines) > 2 else None  # noqa: PLR2004 - the third line
    written = signatures.removesuffix("\n").split("\n")
    if not separator or not lines[0] or root is None or len(root) != _HASH_BYTES or not _SIZE.fullmatch(lines[1]):
        _refuse("expected the log's name, the size of its tree and the hash of its root, a line each")
    if not signatures.endswith("\n") or len(written) > _MAX_SIGNATURES:
        _refuse(f"expected 1 to {_MAX_SIGNATURES} lines with signatures after an empty line")
    notes = tuple(_parse_note(line) for line in written)
    return Checkpoint(lines[0], int(lines[1]), root, (text + "\n").encode("utf-8", "replace"), notes)


def verify_checkpoint(envelope: str, log: LogKey, size: int, root: bytes) -> None:
    """The log itself signed that its tree has this size and this root, under its own name.

    Raises:
        Refused: LOG_CHECKPOINT.
    """
    checkpoint = parse_checkpoint(envelope)
    suffix = checkpoint.origin.removeprefix(log.origin)
    if not log.origin or suffix == checkpoint.origin or (suffix and not _TREE.fullmatch(suffix)):
        _refuse(f"it is of {checkpoint.origin[:100]!r}, and the trusted log is {log.origin!r}")
    hint = (log.checkpoint_id or log.log_id)[:_HINT_BYTES]
    own = [note for note in checkpoint.notes if note.name == log.origin and note.hint == hint]
    if not own:
        _refuse(f"it has no signature by the key of {log.origin}")
    if not all(keys.verify(log.key, note.signature, checkpoint.text) for note in own):
        _refuse(f"its signature is not by the key of {log.origin}")
    if (checkpoint.size, checkpoint.root) != (size, root):
        _refuse("it states another size or another root than the inclusion proof")


def _parse_note(line: str) -> Note:
    match = _SIGNATURE.fullmatch(line)
    data = None if match is None else decode_base64(match[2])
    if match is None or data is None or len(data) <= _HINT_BYTES:
        _refuse("a line after the empty one is no signature")
    return Note(match[1], data[:_HINT_BYTES], data[_HINT_BYTES:])


def _refuse(fault: str) -> NoReturn:
    raise Refused(RefusalCode.LOG_CHECKPOINT, f"the log's checkpoint: {fault}")
