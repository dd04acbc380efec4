"""Log entries as bundles and cosign's annotation carry them: what is read, and each thing that is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import InclusionProof, LogEntry, Signed
from imgtrust.formats import read
from imgtrust.formats.bundle import MAX_LOG_ENTRIES
from imgtrust.formats.logentries import BUNDLE_ANNOTATION, MAX_BODY_BYTES
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import Key, attestation_layer, b64, bundle, evidence, signature_layer

KEY = Key.new()
OLD = "application/vnd.dev.sigstore.bundle+json;version=0."
HASH = bytes(range(32))
ENTRY: dict[str, Any] = {
    "logIndex": "12",
    "logId": {"keyId": b64(b"log")},
    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
    "integratedTime": "1700000000",
    "inclusionPromise": {"signedEntryTimestamp": b64(b"promise")},
    "inclusionProof": {
        "logIndex": "2",
        "rootHash": b64(HASH),
        "treeSize": "3",
        "hashes": [b64(HASH)],
        "checkpoint": {"envelope": "a note\n"},
    },
    "canonicalizedBody": b64(b"{}"),
}
PAYLOAD: dict[str, Any] = {"body": b64(b"{}"), "integratedTime": 1700000000, "logIndex": 12, "logID": "00" * 32}


def judge(*entries: Any, version: str = "3") -> tuple[LogEntry, ...] | RefusalCode:
    material = {"publicKey": {"hint": ""}, "tlogEntries": list(entries)}
    try:
        return read(evidence(bundle(KEY, mediaType=OLD + version, verificationMaterial=material))).log_entries
    except Refused as exc:
        return exc.code


def changed(*path: str, value: Any = None) -> dict[str, Any]:
    """The entry with one member set; left out where the value is None."""
    entry = copy.deepcopy(ENTRY)
    target = entry
    for step in path[:-1]:
        target = target[step]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return entry


def test_an_entry_is_read_whole() -> None:
    proof = InclusionProof(2, 3, HASH, (HASH,), "a note\n")
    expected = LogEntry("dsse", "0.0.1", b"log", 12, 1700000000, b"{}", b"promise", proof)
    assert judge(ENTRY) == (expected,)
    assert judge(*[ENTRY] * MAX_LOG_ENTRIES) == (expected,) * MAX_LOG_ENTRIES
    assert judge() == ()


def test_the_first_entry_of_a_log_leaves_out_its_zeros() -> None:
    entry = changed("logIndex")
    del entry["integratedTime"], entry["inclusionPromise"]
    del entry["inclusionProof"]["logIndex"], entry["inclusionProof"]["hashes"]
    found = judge(entry)
    assert found == (LogEntry("dsse", "0.0.1", b"log", 0, 0, b"{}", None, InclusionProof(0, 3, HASH, (), "a note\n")),)


def test_numbers_may_be_written_as_numbers() -> None:
    found = judge(changed("logIndex", value=12))
    assert isinstance(found, tuple)
    assert found[0].log_index == 12


def test_version_1_needs_the_promise_and_later_ones_the_proof() -> None:
    assert judge(changed("inclusionPromise"), version="1") is RefusalCode.LOG_PROMISE
    for version in "23":
        assert isinstance(judge(changed("inclusionPromise"), version=version), tuple)
        assert judge(changed("inclusionProof"), version=version) is RefusalCode.LOG_INCLUSION
        assert judge(changed("inclusionProof", "checkpoint"), version=version) is RefusalCode.LOG_INCLUSION
        empty = changed("inclusionProof", "checkpoint", value={"envelope": ""})
        assert judge(empty, version=version) is RefusalCode.LOG_INCLUSION
    for without in (changed("inclusionProof"), changed("inclusionProof", "checkpoint")):
        assert isinstance(judge(without, version="1"), tuple)


PROOF = ("inclusionProof",)
BROKEN: list[tuple[tuple[str, ...], Any]] = [
    (("extra",), 1),
    (("logIndex",), "-1"),
    (("logIndex",), -1),
    (("logIndex",), "01"),
    (("logIndex",), "1.0"),
    (("logIndex",), 1.0),
    (("logIndex",), True),
    (("logIndex",), ""),
    (("logIndex",), "\u0661"),
    (("logIndex",), str(2**63)),
    (("logIndex",), "9" * 5000),
    (("integratedTime",), "-5"),
    (("logId",), None),
    (("logId",), {}),
    (("logId", "extra"), 1),
    (("logId", "keyId"), "!"),
    (("logId", "keyId"), b64(bytes(33))),
    (("kindVersion",), None),
    (("kindVersion", "kind"), None),
    (("kindVersion", "version"), ""),
    (("kindVersion", "extra"), 1),
    (("inclusionPromise",), {}),
    (("inclusionPromise", "extra"), 1),
    (("inclusionPromise", "signedEntryTimestamp"), b64(bytes(1025))),
    ((*PROOF, "extra"), 1),
    ((*PROOF, "logIndex"), "-1"),
    ((*PROOF, "treeSize"), "x"),
    ((*PROOF, "rootHash"), None),
    ((*PROOF, "rootHash"), b64(bytes(31))),
    ((*PROOF, "hashes"), {}),
    ((*PROOF, "hashes"), [1]),
    ((*PROOF, "hashes"), ["AA"]),
    ((*PROOF, "hashes"), [b64(HASH), b64(bytes(33))]),
    ((*PROOF, "hashes"), [b64(HASH)] * 65),
    ((*PROOF, "checkpoint"), {"envelope": "x", "extra": 1}),
    ((*PROOF, "checkpoint"), {"envelope": "x" * (64 * 1024 + 1)}),
    (("canonicalizedBody",), None),
    (("canonicalizedBody",), ""),
    (("canonicalizedBody",), "e30"),
]


@pytest.mark.parametrize(
    ("path", "value"), BROKEN, ids=[f"{number}-{'.'.join(b[0])}" for number, b in enumerate(BROKEN)]
)
def test_what_breaks_the_shape_is_refused(path: tuple[str, ...], value: Any) -> None:
    assert judge(changed(*path, value=value)) is RefusalCode.LOG_MALFORMED


def test_a_body_has_a_largest_size() -> None:
    assert isinstance(judge(changed("canonicalizedBody", value=b64(bytes(MAX_BODY_BYTES)))), tuple)
    assert judge(changed("canonicalizedBody", value=b64(bytes(MAX_BODY_BYTES + 1)))) is RefusalCode.LOG_MALFORMED


def test_a_proof_may_have_a_hash_for_each_level_of_the_highest_tree() -> None:
    assert isinstance(judge(changed(*PROOF, "hashes", value=[b64(HASH)] * 64)), tuple)


# --- cosign's annotation ----------------------------------------------------------------------------------------------


def annotated(document: Any) -> tuple[LogEntry, ...] | RefusalCode:
    text = document if isinstance(document, str) else strict_json.dumps(document).decode()
    codes = []
    for make in (signature_layer, attestation_layer):
        try:
            found: Signed | RefusalCode = read(make(KEY, more={BUNDLE_ANNOTATION: text}))
        except Refused as exc:
            found = exc.code
        codes.append(found.log_entries if isinstance(found, Signed) else found)
    assert codes[0] == codes[1]
    return codes[0]


def test_the_annotation_has_a_promise_and_no_proof() -> None:
    found = annotated({"SignedEntryTimestamp": b64(b"promise"), "Payload": PAYLOAD})
    assert found == (LogEntry("", "", bytes(32), 12, 1700000000, b"{}", b"promise"),)
    assert annotated("") == ()


@pytest.mark.parametrize(
    "document",
    [
        "not even JSON",
        [],
        {},
        {"SignedEntryTimestamp": b64(b"promise")},
        {"Payload": PAYLOAD},
        {"SignedEntryTimestamp": "", "Payload": PAYLOAD},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": PAYLOAD, "extra": 1},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": {**PAYLOAD, "extra": 1}},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": {**PAYLOAD, "body": ""}},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": {**PAYLOAD, "logIndex": -1}},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": {**PAYLOAD, "integratedTime": "x"}},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": {**PAYLOAD, "logID": "AA" * 32}},
        {"SignedEntryTimestamp": b64(b"promise"), "Payload": {**PAYLOAD, "logID": "00" * 31}},
    ],
)
def test_an_annotation_of_another_shape_is_refused(document: Any) -> None:
    assert annotated(document) is RefusalCode.LOG_MALFORMED
