"""Entries of transparency logs as a bundle and as cosign's annotation carry them. Pure.

Knows protobuf-specs ``sigstore_rekor.proto`` in its JSON form and the ``dev.sigstore.cosign/bundle`` annotation
(cosign.md 1a); what is inside an entry's body, and whether a log holds it, is decided in trust.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import InclusionProof, LogEntry
from imgtrust.formats.members import Members, read_object
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence

__all__ = [
    "BUNDLE_ANNOTATION",
    "MAX_LOG_ENTRIES",
    "read_entries",
    "read_legacy_entry",
    "write_entry",
    "write_legacy_entry",
]

BUNDLE_ANNOTATION: Final = "dev.sigstore.cosign/bundle"

MAX_LOG_ENTRIES: Final = 32
"""The most log entries of one bundle, as in sigstore-go."""
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""The largest body of an entry that is read; a log of version 1 keeps whole attestations in some."""

_HASH_BYTES: Final = 32
_MAX_HASHES: Final = 64
"""A tree with more levels has more leaves than an int64 can count."""
_MAX_CHECKPOINT: Final = 64 * 1024
_MAX_PROMISE: Final = 1024
_HEX_ID: Final = re.compile(r"[0-9a-f]{64}")


def read_entries(material: Members, version: int) -> tuple[LogEntry, ...]:
    """``tlogEntries`` of a bundle v0.``version``.

    A bundle v0.1 needs the promise of each entry, a later one the inclusion proof (cosign.md 1b).

    Raises:
        Refused: LOG_MALFORMED, LOG_PROMISE or LOG_INCLUSION; the code of ``material`` where the list is none.
    """
    return tuple(_read_entry(each, version) for each in material.children("tlogEntries", MAX_LOG_ENTRIES))


def read_legacy_entry(evidence: Evidence) -> tuple[LogEntry, ...]:
    """The entry in the annotation of a cosign layer: with a promise, without a proof; empty where there is none.

    Raises:
        Refused: LOG_MALFORMED.
    """
    text = evidence.layer.annotation(BUNDLE_ANNOTATION)
    if not text:
        return ()
    members = read_object(text.encode("utf-8", "replace"), "log entry", RefusalCode.LOG_MALFORMED)
    members.only("SignedEntryTimestamp", "Payload")
    payload = members.child("Payload")
    if payload is None:
        message = "Payload is absent"
        raise members.refuse(message)
    payload.only("body", "integratedTime", "logIndex", "logID")
    log_id = payload.text("logID")
    if not _HEX_ID.fullmatch(log_id):
        message = f"logID is {log_id[:80]!r}, expected 64 hex digits"
        raise payload.refuse(message)
    entry = LogEntry(
        "",
        "",
        bytes.fromhex(log_id),
        payload.number("logIndex"),
        payload.number("integratedTime"),
        _bounded(payload, "body", MAX_BODY_BYTES),
        _bounded(members, "SignedEntryTimestamp", _MAX_PROMISE),
    )
    return (entry,)


def write_entry(entry: LogEntry) -> dict[str, Any]:
    """One element of ``tlogEntries`` of a bundle v0.3.

    Zeros are written out although protobuf's JSON may leave them away: sigstore-python does not read an entry without
    its index or its hashes, so that it refuses the first entry of a log that another client wrote (cosign.md 4.3).
    """
    made: dict[str, Any] = {
        "logIndex": str(entry.log_index),
        "logId": {"keyId": _text(entry.log_id)},
        "kindVersion": {"kind": entry.kind, "version": entry.version},
        "integratedTime": str(entry.integrated_time),
    }
    if entry.promise is not None:
        made["inclusionPromise"] = {"signedEntryTimestamp": _text(entry.promise)}
    proof = entry.proof
    if proof is not None:
        made["inclusionProof"] = {
            "logIndex": str(proof.log_index),
            "rootHash": _text(proof.root_hash),
            "treeSize": str(proof.tree_size),
            "hashes": [_text(each) for each in proof.hashes],
            **({} if proof.checkpoint is None else {"checkpoint": {"envelope": proof.checkpoint}}),
        }
    return {**made, "canonicalizedBody": _text(entry.body)}


def write_legacy_entry(entry: LogEntry) -> str:
    """The annotation of a cosign layer; it has the promise of a log of version 1, and no proof.

    Raises:
        ValueError: the entry has no promise.
    """
    if entry.promise is None:
        message = "an entry without a promise has no place in an annotation"
        raise ValueError(message)
    payload = {
        "body": _text(entry.body),
        "integratedTime": entry.integrated_time,
        "logIndex": entry.log_index,
        "logID": entry.log_id.hex(),
    }
    return strict_json.dumps({"SignedEntryTimestamp": _text(entry.promise), "Payload": payload}).decode("ascii")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _read_entry(given: Members, version: int) -> LogEntry:
    members = Members(given.values, "log entry", RefusalCode.LOG_MALFORMED)
    members.only(
        "logIndex",
        "logId",
        "kindVersion",
        "integratedTime",
        "inclusionPromise",
        "inclusionProof",
        "canonicalizedBody",
    )
    log_id, kind = _required(members, "logId"), _required(members, "kindVersion")
    log_id.only("keyId")
    kind.only("kind", "version")
    entry = LogEntry(
        _stated(kind, "kind"),
        _stated(kind, "version"),
        _bounded(log_id, "keyId", _HASH_BYTES),
        members.number("logIndex"),
        members.number("integratedTime"),
        _bounded(members, "canonicalizedBody", MAX_BODY_BYTES),
        _read_promise(members),
        _read_proof(members),
    )
    if version == 1 and entry.promise is None:
        message = "log entry: a bundle v0.1 needs an inclusionPromise, and there is none"
        raise Refused(RefusalCode.LOG_PROMISE, message)
    if version > 1 and (entry.proof is None or entry.proof.checkpoint is None):
        message = f"log entry: a bundle v0.{version} needs an inclusionProof with its checkpoint, and there is none"
        raise Refused(RefusalCode.LOG_INCLUSION, message)
    return entry


def _read_promise(members: Members) -> bytes | None:
    promise = members.child("inclusionPromise")
    if promise is None:
        return None
    promise.only("signedEntryTimestamp")
    return _bounded(promise, "signedEntryTimestamp", _MAX_PROMISE)


def _read_proof(members: Members) -> InclusionProof | None:
    proof = members.child("inclusionProof")
    if proof is None:
        return None
    proof.only("logIndex", "rootHash", "treeSize", "hashes", "checkpoint")
    note = proof.child("checkpoint")
    if note is not None:
        note.only("envelope")
        if len(note.text("envelope")) > _MAX_CHECKPOINT:
            message = f"a checkpoint of more than {_MAX_CHECKPOINT} characters"
            raise note.refuse(message)
    hashes = proof.data_list("hashes", _MAX_HASHES)
    root = proof.data("rootHash")
    if any(len(each) != _HASH_BYTES for each in (*hashes, root)):
        message = f"a hash of another length than {_HASH_BYTES} bytes"
        raise proof.refuse(message)
    text = "" if note is None else note.text("envelope")
    return InclusionProof(proof.number("logIndex"), proof.number("treeSize"), root, hashes, text or None)


def _required(members: Members, name: str) -> Members:
    found = members.child(name)
    if found is None:
        message = f"{name} is absent"
        raise members.refuse(message)
    return found


def _stated(members: Members, name: str) -> str:
    """A text that must not be empty."""
    found = members.text(name)
    if not found:
        message = f"{name} is absent or empty"
        raise members.refuse(message)
    return found


def _bounded(members: Members, name: str, limit: int) -> bytes:
    """Bytes that must be there, at most ``limit`` of them."""
    found = members.data(name)
    if not 0 < len(found) <= limit:
        message = f"{name} has {len(found)} bytes, expected 1 to {limit}"
        raise members.refuse(message)
    return found
