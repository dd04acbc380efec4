"""Evidence that is broken in every way one can think of: refused with a code, by bounded work, and never with a crash.

The certificates are in ``test_hostile_certificates``, the files in ``test_roots``, the store's side in
``tests/unit/stores``.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from imgtrust.formats.mediatypes import BUNDLE_TYPE, DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.refusals import RefusalCode
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource
from tests.simulators.evidence import AT, MANIFEST, Key, b64, evidence
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore, document_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.evidence import Evidence
    from imgtrust.trust.roots import TrustRoot

SIGSTORE: Final = VirtualSigstore()
ROOT: Final = SIGSTORE.trusting()
KEYED: Final = Signer(Key.new())
KEY_ROOT: Final = SIGSTORE.trusting_key(KEYED)
HASHED: Final = ("hashedrekord", "0.0.1")


def judged(candidate: Evidence, root: TrustRoot = ROOT) -> RefusalCode | VerifiedSignature:
    found = assess(candidate, root, at=AT)
    return found.code if isinstance(found, Refusal) else found


def refused(candidate: Evidence, root: TrustRoot = ROOT) -> RefusalCode:
    found = judged(candidate, root)
    assert isinstance(found, RefusalCode), found
    return found


# --- one byte ---------------------------------------------------------------------------------------------------------

ENTRY: Final = ("verificationMaterial", "tlogEntries", 0)
PROOF: Final = (*ENTRY, "inclusionProof")
TOKEN: Final = ("verificationMaterial", "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
STATEMENT: Final = {
    "payload": ("dsseEnvelope", "payload"),
    "signature": ("dsseEnvelope", "signatures", 0, "sig"),
}
MESSAGE: Final = {
    "digest": ("messageSignature", "messageDigest", "digest"),
    "signature": ("messageSignature", "signature"),
}
LOGGED: Final = {
    "body": (*ENTRY, "canonicalizedBody"),
    "root": (*PROOF, "rootHash"),
    "hash": (*PROOF, "hashes", 0),
}
PROMISE: Final = {"promise": (*ENTRY, "inclusionPromise", "signedEntryTimestamp")}
BUNDLES: Final[dict[str, tuple[dict[str, Any], TrustRoot, dict[str, tuple[Any, ...]]]]] = {
    "first log": (SIGSTORE.bundle(kind=V1), ROOT, {**STATEMENT, **LOGGED, **PROMISE}),
    "second log": (SIGSTORE.bundle(kind=V2), ROOT, {**STATEMENT, **LOGGED}),
    "message": (SIGSTORE.bundle(kind=HASHED, message=MANIFEST), ROOT, {**MESSAGE, **LOGGED}),
    "key": (SIGSTORE.bundle(KEYED, V1), KEY_ROOT, {**STATEMENT, **LOGGED, **PROMISE}),
    "key in the second log": (SIGSTORE.bundle(KEYED, V2), KEY_ROOT, {**STATEMENT, **LOGGED}),
}
ELEMENTS: Final = [(name, element) for name, (_, _, paths) in BUNDLES.items() for element in paths]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def altered(data: bytes) -> Iterator[bytes]:
    """The same bytes, each in turn with one bit changed."""
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        yield bytes(changed)


@pytest.mark.parametrize(("name", "element"), ELEMENTS, ids=[f"{name}, {element}" for name, element in ELEMENTS])
def test_any_one_byte_altered_in_any_element_refuses_the_evidence(name: str, element: str) -> None:
    original, root, paths = BUNDLES[name]
    document = json.loads(json.dumps(original))
    assert isinstance(judged(document_of(document), root), VerifiedSignature)
    holder, last = at(document, paths[element][:-1]), paths[element][-1]
    for changed in altered(base64.b64decode(holder[last])):
        holder[last] = b64(changed)
        assert isinstance(judged(document_of(document), root), RefusalCode), changed


def test_any_one_byte_altered_in_a_time_stamp_leaves_no_time_or_the_same() -> None:
    """Nobody signs the versions of CMS, nor the name of the signature's algorithm: fifteen bytes of all."""
    document = json.loads(json.dumps(SIGSTORE.bundle(KEYED, None)))
    believed = judged(document_of(document), KEY_ROOT)
    assert isinstance(believed, VerifiedSignature)
    holder, passed = at(document, TOKEN[:-1]), 0
    for changed in altered(base64.b64decode(holder["signedTimestamp"])):
        holder["signedTimestamp"] = b64(changed)
        found = judged(document_of(document), KEY_ROOT)
        assert isinstance(found, VerifiedSignature)
        assert found.times in {(), believed.times}
        passed += found.times != ()
    assert passed < 15


@pytest.mark.parametrize("name", BUNDLES)
def test_any_one_character_altered_in_what_a_log_signed_refuses_the_evidence(name: str) -> None:
    """The checkpoint: its text, its signer's name, its hint and its signature."""
    original, root, _ = BUNDLES[name]
    document = json.loads(json.dumps(original))
    holder = at(document, (*PROOF, "checkpoint"))
    note = holder["envelope"]
    for place, character in enumerate(note):
        holder["envelope"] = f"{note[:place]}{'x' if character != 'x' else 'y'}{note[place + 1 :]}"
        assert isinstance(judged(document_of(document), root), RefusalCode), place


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("step", [1, -1])
def test_any_number_of_a_log_entry_altered_refuses_the_evidence(name: str, step: int) -> None:
    original, root, _ = BUNDLES[name]
    paths = [(*ENTRY, "logIndex"), (*PROOF, "logIndex"), (*PROOF, "treeSize")]
    if "inclusionPromise" in at(original, ENTRY):
        paths.append((*ENTRY, "integratedTime"))
    for path in paths:
        document = json.loads(json.dumps(original))
        at(document, path[:-1])[path[-1]] = str(int(at(document, path)) + step)
        assert isinstance(judged(document_of(document), root), RefusalCode), path


def test_a_time_without_a_promise_says_nothing_whatever_it_is() -> None:
    document = SIGSTORE.bundle(kind=V2)
    at(document, ENTRY)["integratedTime"] = "1700000000"
    found = judged(document_of(document))
    assert isinstance(found, VerifiedSignature)
    assert [time.source for time in found.times] == [TimeSource.RFC3161]


LAYERS: Final = {
    "signature": (SIGSTORE.layer(), ROOT),
    "attestation": (SIGSTORE.layer(attestation=True), ROOT),
    "signature by key": (SIGSTORE.layer(KEYED), KEY_ROOT),
}


@pytest.mark.parametrize("name", LAYERS)
def test_any_one_byte_altered_in_a_layer_of_cosign_refuses_it(name: str) -> None:
    original, root = LAYERS[name]
    assert isinstance(judged(original, root), VerifiedSignature)
    for payload in altered(original.payload):
        assert isinstance(judged(replace(original, payload=payload), root), RefusalCode), payload


@pytest.mark.parametrize("name", LAYERS)
def test_any_one_character_altered_in_an_annotation_of_cosign_refuses_it_or_changes_nothing(name: str) -> None:
    """Base64 has one spelling and JSON little, so almost every change counts; PEM may have other line ends."""
    original, root = LAYERS[name]
    believed = judged(original, root)
    annotations = dict(original.layer.annotations)
    for key in ("dev.cosignproject.cosign/signature", "dev.sigstore.cosign/bundle"):
        text = annotations[key]
        for place, character in enumerate(text):
            changed = f"{text[:place]}{'A' if character != 'A' else 'B'}{text[place + 1 :]}"
            layer = replace(original.layer, annotations=tuple({**annotations, key: changed}.items()))
            found = judged(replace(original, layer=layer), root)
            assert isinstance(found, RefusalCode) or found == believed, (key, place)


# --- nothing, too much, too deep --------------------------------------------------------------------------------------

TYPES: Final = (BUNDLE_TYPE, SIMPLESIGNING_LAYER, DSSE_LAYER)
HUGE: Final = 64 * 1024 * 1024
MALFORMED: Final = {
    RefusalCode.BUNDLE_MALFORMED,
    RefusalCode.SIMPLESIGNING_MALFORMED,
    RefusalCode.DSSE_MALFORMED,
}
SIGNATURE: Final = {"dev.cosignproject.cosign/signature": "AAAA"}


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize(
    "payload", [b"", b"\0", b" ", b"null", b"[]", b'""', b"{}", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0"]
)
def test_evidence_of_nothing_is_malformed(media_type: str, payload: bytes) -> None:
    assert refused(evidence(payload, media_type, SIGNATURE)) in MALFORMED | {RefusalCode.DSSE_PAYLOAD_TYPE}


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize(
    "filling", [b" ", b"[", b'{"a":', b'"', b"9"], ids=["space", "lists", "objects", "text", "digits"]
)
def test_evidence_of_64_mib_is_not_parsed(media_type: str, filling: bytes) -> None:
    payload = filling * (HUGE // len(filling) + 1)
    found = assess(evidence(payload, media_type, SIGNATURE), ROOT, at=AT)
    assert isinstance(found, Refusal)
    assert (found.code in MALFORMED, "expected at most" in found.reason) == (True, True)


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_evidence_that_is_nested_100_000_deep_is_malformed(media_type: str, opening: bytes, closing: bytes) -> None:
    payload = opening * 100_000 + b"1" + closing * 100_000
    found = assess(evidence(payload, media_type, SIGNATURE), ROOT, at=AT)
    assert isinstance(found, Refusal)
    assert found.code in MALFORMED
    assert "nested deeper" in found.reason


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (STATEMENT["payload"], RefusalCode.STATEMENT_MALFORMED),
        (LOGGED["body"], RefusalCode.LOG_MALFORMED),
    ],
)
def test_what_is_inside_the_base64_may_be_nested_no_deeper(path: tuple[Any, ...], code: RefusalCode) -> None:
    document = SIGSTORE.bundle(KEYED, V1, payload=b"[" * 5000 if code is RefusalCode.STATEMENT_MALFORMED else None)
    if code is RefusalCode.LOG_MALFORMED:
        at(document, path[:-1])[path[-1]] = b64(b"[" * 5000)
        del at(document, ENTRY)["inclusionPromise"]
    assert refused(document_of(document), KEY_ROOT) is code


LISTS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "log entries": lambda document: document["verificationMaterial"]["tlogEntries"].extend(
        [at(document, ENTRY)] * 9999
    ),
    "hashes of a proof": lambda document: at(document, PROOF)["hashes"].extend([b64(bytes(32))] * 9999),
    "time-stamps": lambda document: document["verificationMaterial"].update(
        timestampVerificationData={"rfc3161Timestamps": [{"signedTimestamp": b64(b"x")}] * 10_000}
    ),
    "signatures": lambda document: document["dsseEnvelope"].update(signatures=[{"sig": "AAAA"}] * 10_000),
    "signatures of a checkpoint": lambda document: at(document, (*PROOF, "checkpoint")).update(
        envelope=at(document, PROOF)["checkpoint"]["envelope"] + "\u2014 witness AAAAAAAA\n" * 10_000
    ),
    "certificates": lambda document: document.update(
        mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2",
        verificationMaterial={
            **{name: value for name, value in document["verificationMaterial"].items() if name != "publicKey"},
            "x509CertificateChain": {"certificates": [{"rawBytes": "AAAA"}] * 10_000},
        },
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_ten_thousand_of_anything_in_one_bundle_are_refused_unread(name: str) -> None:
    document = SIGSTORE.bundle(KEYED, V1)
    LISTS[name](document)
    codes = {
        RefusalCode.BUNDLE_MALFORMED,
        RefusalCode.LOG_MALFORMED,
        RefusalCode.LOG_CHECKPOINT,
        RefusalCode.DSSE_MALFORMED,
    }
    assert refused(document_of(document), KEY_ROOT) in codes


# --- times ------------------------------------------------------------------------------------------------------------


def promised(seconds: int, root: TrustRoot, signer: Signer | None = None) -> RefusalCode | VerifiedSignature:
    """The judgement of an entry that the log really promises for this time."""
    document = SIGSTORE.bundle(signer, V1)
    entry = at(document, ENTRY)
    entry["integratedTime"] = str(seconds)
    entry["inclusionPromise"]["signedEntryTimestamp"] = b64(SIGSTORE.log.promise(entry))
    return judged(document_of(document), root)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (0, RefusalCode.LOG_PROMISE),
        (1, RefusalCode.LOG_WINDOW),
        (315_532_800, RefusalCode.LOG_WINDOW),
        (253_402_300_800, RefusalCode.LOG_PROMISE),
        (2**63 - 1, RefusalCode.LOG_PROMISE),
    ],
    ids=["none", "1970", "1980", "10000", "for ever"],
)
def test_a_log_that_promises_an_impossible_time_is_not_believed(seconds: int, code: RefusalCode) -> None:
    assert promised(seconds, ROOT) is code
    assert promised(seconds, KEY_ROOT, KEYED) is code


@pytest.mark.parametrize("seconds", [2**31, 2**32, 253_402_300_799], ids=["2038", "2106", "9999"])
def test_a_promise_from_the_future_is_no_time(seconds: int) -> None:
    assert promised(seconds, ROOT) is RefusalCode.CERTIFICATE_NO_TIME
    found = promised(seconds, KEY_ROOT, KEYED)
    assert isinstance(found, VerifiedSignature)
    assert (found.times, [claim.code for claim in found.claims]) == ((), [RefusalCode.TIME_FUTURE])


@pytest.mark.parametrize("written", ["-1", "1e3", "1.5", " 1", "+1", "0x10", "01", "", "\u0661", 1.5, True, [1], 2**63])
def test_a_time_that_is_no_whole_number_is_malformed(written: object) -> None:
    document = SIGSTORE.bundle(KEYED, V1)
    at(document, ENTRY)["integratedTime"] = written
    assert refused(document_of(document), KEY_ROOT) is RefusalCode.LOG_MALFORMED


@pytest.mark.parametrize(
    ("year", "code"),
    [(1970, RefusalCode.TIME_UNTRUSTED), (1980, RefusalCode.TIME_UNTRUSTED), (2106, RefusalCode.TIME_UNTRUSTED)],
)
def test_a_time_stamp_of_another_age_is_no_time(year: int, code: RefusalCode) -> None:
    """Its authority's certificates were not valid then; what the authority's window says comes on top."""
    document = SIGSTORE.bundle(KEYED, None, stamped=0)
    signature = base64.b64decode(at(document, STATEMENT["signature"]))
    SIGSTORE.now = datetime(year, 1, 1, tzinfo=UTC)
    token = SIGSTORE.tsa.stamp(signature)
    SIGSTORE.now = VirtualSigstore.now
    document["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": b64(token)}]
    }
    found = judged(document_of(document), KEY_ROOT)
    assert isinstance(found, VerifiedSignature)
    assert (found.times, [claim.code for claim in found.claims]) == ((), [code])
    future = assess(document_of(document), KEY_ROOT, at=datetime(2200, 1, 1, tzinfo=UTC))
    assert isinstance(future, VerifiedSignature)
    assert future.times == ()


def test_two_time_stamps_that_disagree_are_both_told_and_the_certificate_has_to_outlast_both() -> None:
    sigstore = VirtualSigstore()
    for later, good in ((timedelta(minutes=9), True), (timedelta(minutes=11), False)):
        document = sigstore.bundle(kind=V2)
        signature = base64.b64decode(at(document, STATEMENT["signature"]))
        sigstore.now += later
        tokens = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
        tokens.append({"signedTimestamp": b64(sigstore.tsa.stamp(signature))})
        sigstore.now -= later
        found = judged(document_of(document), sigstore.trusting())
        assert isinstance(found, VerifiedSignature) is good
        assert not isinstance(found, VerifiedSignature) or len({time.time for time in found.times}) == 2
        assert isinstance(found, VerifiedSignature) or found is RefusalCode.CERTIFICATE_EXPIRED


# --- two readings -----------------------------------------------------------------------------------------------------


def doubled(document: object, path: tuple[Any, ...]) -> bytes:
    """The JSON with one object's first member written twice, the second time with another value."""
    place = json.loads(json.dumps(document))
    holder = at(place, path)
    name = next(iter(holder))
    text = json.dumps(holder)
    twice = text[:-1] + f", {json.dumps(name)}: null}}"
    holder.clear()
    holder["here"] = 1
    return json.dumps(place).replace('{"here": 1}', twice).encode()


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("verificationMaterial",),
        ENTRY,
        (*ENTRY, "logId"),
        (*ENTRY, "kindVersion"),
        (*ENTRY, "inclusionPromise"),
        PROOF,
        (*PROOF, "checkpoint"),
        ("dsseEnvelope",),
        ("dsseEnvelope", "signatures", 0),
    ],
    ids=str,
)
def test_a_member_that_stands_twice_anywhere_in_a_bundle_refuses_it(path: tuple[Any, ...]) -> None:
    """One parser takes the first, another the last: who judges and who runs would not read the same."""
    document = SIGSTORE.bundle(KEYED, V1)
    payload = doubled(document, path)
    assert json.loads(payload) != document
    found = assess(evidence(payload), KEY_ROOT, at=AT)
    assert isinstance(found, Refusal)
    assert (found.code, "twice" in found.reason) == (RefusalCode.BUNDLE_MALFORMED, True)


@pytest.mark.parametrize("path", [(), ("subject", 0), ("subject", 0, "digest"), ("predicate",)], ids=str)
def test_a_member_that_stands_twice_in_a_signed_statement_refuses_it(path: tuple[Any, ...]) -> None:
    document = SIGSTORE.bundle(KEYED, V1)
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    statement["predicate"] = {"a": 1}
    payload = doubled(statement, path)
    assert refused(SIGSTORE.evidence(KEYED, V1, payload=payload), KEY_ROOT) is RefusalCode.STATEMENT_MALFORMED


@pytest.mark.parametrize("path", [(), ("spec",), ("spec", "payloadHash"), ("spec", "signatures", 0)], ids=str)
def test_a_member_that_stands_twice_in_what_was_logged_refuses_it(path: tuple[Any, ...]) -> None:
    document = SIGSTORE.bundle(KEYED, V1)
    body = json.loads(base64.b64decode(at(document, LOGGED["body"])))
    entry = SIGSTORE.log.take(doubled(body, path), int(at(document, ENTRY)["integratedTime"]), V1)
    document["verificationMaterial"]["tlogEntries"] = [entry]
    assert refused(document_of(document), KEY_ROOT) is RefusalCode.LOG_MALFORMED


@pytest.mark.parametrize("path", [(), ("critical",), ("critical", "image"), ("critical", "identity")], ids=str)
def test_a_member_that_stands_twice_in_a_payload_of_cosign_refuses_it(path: tuple[Any, ...]) -> None:
    layer = SIGSTORE.layer(KEYED)
    changed = replace(layer, payload=doubled(json.loads(layer.payload), path))
    assert refused(changed, KEY_ROOT) is RefusalCode.SIMPLESIGNING_MALFORMED


@pytest.mark.parametrize("path", [(), ("Payload",)], ids=str)
def test_a_member_that_stands_twice_in_an_annotation_of_cosign_refuses_it(path: tuple[Any, ...]) -> None:
    def change(notes: dict[str, Any]) -> None:
        name = "dev.sigstore.cosign/bundle"
        notes[name] = doubled(json.loads(notes[name]), path).decode()

    assert refused(SIGSTORE.layer(KEYED, annotations=change), KEY_ROOT) is RefusalCode.LOG_MALFORMED


# --- beside each other ------------------------------------------------------------------------------------------------


def test_a_bad_piece_of_evidence_beside_a_good_one_changes_nothing_about_it() -> None:
    """Belief is about one piece at a time, and keeps nothing from one to the next."""
    good = SIGSTORE.evidence()
    before = judged(good)
    assert isinstance(before, VerifiedSignature)
    for bad in (replace(good, payload=b"{"), replace(good, payload=good.payload[:-9]), evidence(b"x", DSSE_LAYER)):
        refused(bad)
        assert judged(good) == before
