"""Logs: trees, checkpoints, promises, kinds of entries; each thing that is wrong is refused with its own code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from imgtrust.errors import Refused
from imgtrust.evidence import InclusionProof, LogEntry
from imgtrust.formats import read
from imgtrust.formats.members import read_object
from imgtrust.refusals import RefusalCode
from imgtrust.trust.anchors import LogKey
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource, verify_promise
from imgtrust.trust.transparency import checkpoint, merkle, promise, proving
from imgtrust.trust.transparency.expected import Expected
from tests.simulators.evidence import AT, MANIFEST, Key, b64
from tests.simulators.fulcio import WHEN
from tests.simulators.logbodies import KINDS
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore, document_of
from tests.simulators.translog import Log, inclusion, note, root_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Evidence
    from imgtrust.trust.roots import TrustRoot

SIGSTORE = VirtualSigstore()
ROOT = SIGSTORE.trusting()
KEYED = Signer(Key.new())
KEY_ROOT = SIGSTORE.trusting_key(KEYED)
HASHED = ("hashedrekord", "0.0.1")


def code(candidate: Evidence, root: TrustRoot = ROOT, at: datetime = AT) -> RefusalCode | VerifiedSignature:
    found = assess(candidate, root, at=at)
    return found.code if isinstance(found, Refusal) else found


def believed(candidate: Evidence, root: TrustRoot = ROOT, at: datetime = AT) -> VerifiedSignature:
    found = assess(candidate, root, at=at)
    assert isinstance(found, VerifiedSignature), found
    return found


def raised(call: Callable[..., object], *arguments: object) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    assert caught.value.reason
    return caught.value.code


# --- trees ------------------------------------------------------------------------------------------------------------

LEAVES = [f"leaf {number}".encode() for number in range(9)]


@pytest.mark.parametrize("size", range(1, 10))
def test_every_leaf_of_every_small_tree_is_proven_and_at_its_own_place_only(size: int) -> None:
    leaves = LEAVES[:size]
    root = root_of(leaves)
    for index in range(size):
        path = tuple(inclusion(leaves, index))
        merkle.verify_inclusion(leaves[index], InclusionProof(index, size, root, path))
        for wrong in range(size + 2):
            proof = InclusionProof(wrong, size, root, path)
            if wrong != index:
                assert raised(merkle.verify_inclusion, leaves[index], proof) is RefusalCode.LOG_INCLUSION


def test_a_proof_of_another_length_or_size_or_body_proves_nothing() -> None:
    path, root = tuple(inclusion(LEAVES, 4)), root_of(LEAVES)
    good = InclusionProof(4, 9, root, path)
    merkle.verify_inclusion(LEAVES[4], good)
    for bad in (
        replace(good, hashes=path[:-1]),
        replace(good, hashes=(*path, bytes(32))),
        replace(good, hashes=()),
        replace(good, tree_size=2**40),
        replace(good, tree_size=4),
        replace(good, tree_size=0),
        replace(good, root_hash=bytes(32)),
        replace(good, hashes=(bytes(32), *path[1:])),
    ):
        assert raised(merkle.verify_inclusion, LEAVES[4], bad) is RefusalCode.LOG_INCLUSION
    assert raised(lambda: merkle.verify_inclusion(LEAVES[5], good)) is RefusalCode.LOG_INCLUSION
    node = merkle.node_hash(merkle.leaf_hash(LEAVES[0]), merkle.leaf_hash(LEAVES[1]))
    assert node == root_of(LEAVES[:2])
    assert raised(lambda: merkle.verify_inclusion(b"", InclusionProof(0, 1, node, ()))) is RefusalCode.LOG_INCLUSION


# --- checkpoints ------------------------------------------------------------------------------------------------------

START = datetime(2025, 1, 1, tzinfo=UTC)


def key_of(log: Log, **changes: Any) -> LogKey:
    return replace(LogKey(log.log_id, log.key.public, log.origin, START), **changes)


ANY_KEY: list[Any] = [
    ec.generate_private_key(ec.SECP256R1()),
    rsa.generate_private_key(65537, 2048),
    ed25519.Ed25519PrivateKey.generate(),
]


@pytest.mark.parametrize("private", ANY_KEY, ids=["ecdsa", "rsa", "ed25519"])
@pytest.mark.parametrize("generation", [1, 2])
def test_a_checkpoint_by_a_key_of_any_kind_is_read(private: Any, generation: int) -> None:
    log = Log("log.acme.test", generation, Key(private))
    size, root = len(log.leaves), root_of(log.leaves)
    checkpoint.verify_checkpoint(log.checkpoint(), key_of(log), size, root)
    checkpoint.verify_checkpoint(log.checkpoint(more="Timestamp: 1\n"), key_of(log), size, root)
    own = log.checkpoint(hint=b"four")
    checkpoint.verify_checkpoint(own, key_of(log, checkpoint_id=b"four and more"), size, root)
    other = key_of(Log("log.acme.test"))
    for bad, trusted in (
        (log.checkpoint(), replace(other, log_id=log.log_id)),
        (log.checkpoint(), other),
        (own, key_of(log)),
        (log.checkpoint(name="log.elsewhere.test"), key_of(log)),
        (log.checkpoint(), key_of(log, origin="")),
        (log.checkpoint(), key_of(log, origin="log.acme")),
        (log.checkpoint(size=size + 1), key_of(log)),
        (log.checkpoint(root=bytes(32)), key_of(log)),
    ):
        assert raised(checkpoint.verify_checkpoint, bad, trusted, size, root) is RefusalCode.LOG_CHECKPOINT


def test_signatures_of_witnesses_are_passed_over_wherever_they_stand() -> None:
    log = Log.second("log.acme.test")
    text, _, line = log.checkpoint().partition("\n\n")
    witness = note("", ("witness.test", b"hint", b"x" * 72), ("log.acme.test", b"hint", b"x" * 70)).strip("\n")
    for lines in (f"{line.strip()}\n{witness}\n", f"{witness}\n{line.strip()}\n"):
        checkpoint.verify_checkpoint(f"{text}\n\n{lines}", key_of(log), 2, root_of(log.leaves))
    twice = f"{text}\n\n{line}{note('', (log.origin, log.log_id[:4], bytes(64))).strip()}\n"
    assert (
        raised(lambda: checkpoint.verify_checkpoint(twice, key_of(log), 2, root_of(log.leaves)))
        is RefusalCode.LOG_CHECKPOINT
    )


GOOD = Log("log.acme.test").checkpoint()
HEAD, TAIL = GOOD.split("\n\n")


@pytest.mark.parametrize(
    "envelope",
    [
        "",
        "x",
        HEAD,
        f"{HEAD}\n\n",
        f"{HEAD}\n{TAIL}",
        f"{HEAD}\n\n{TAIL.strip()}",
        f"{HEAD}\n\n{TAIL}\n",
        f"{HEAD}\n\n{TAIL}x\n",
        f"\n{HEAD}\n\n{TAIL}",
        f"{HEAD}\n\n{TAIL}" + TAIL * 100,
        f"{HEAD}\n\n\u2014 log.acme.test AAAAAA==\n",
        f"{HEAD}\n\n\u2014 log.acme.test AAA\n",
        f"{HEAD}\n\n- log.acme.test AAAAAAAA\n",
        f"{HEAD}\n\n\u2014 log acme AAAAAAAA\n",
        "\n".join([*HEAD.split("\n")[:2], "AAAA"]) + f"\n\n{TAIL}",
        "\n".join(HEAD.split("\n")[:2]) + f"\n\n{TAIL}",
        "\n".join([HEAD.split("\n")[0], "02", HEAD.split("\n")[2]]) + f"\n\n{TAIL}",
        "\n".join([HEAD.split("\n")[0], "-2", HEAD.split("\n")[2]]) + f"\n\n{TAIL}",
        "\n".join([HEAD.split("\n")[0], "9" * 30, HEAD.split("\n")[2]]) + f"\n\n{TAIL}",
    ],
)
def test_what_is_no_checkpoint_is_refused(envelope: str) -> None:
    assert raised(lambda: checkpoint.parse_checkpoint(envelope)) is RefusalCode.LOG_CHECKPOINT


# --- promises ---------------------------------------------------------------------------------------------------------


def test_a_promise_is_over_all_four_members() -> None:
    entry = LogEntry("dsse", "0.0.1", bytes(32), 7, 1700000000, b"{}", b"x")
    assert json.loads(promise.promised_bytes(entry)) == {
        "body": "e30=",
        "integratedTime": 1700000000,
        "logID": "00" * 32,
        "logIndex": 7,
    }
    assert promise.promised_bytes(entry).startswith(b'{"body":"e30=","integratedTime":1700000000,"logID":"0')


def promised(**changes: Any) -> Callable[[], object]:
    key = Key.new()
    entry = LogEntry("dsse", "0.0.1", bytes(32), 7, int(WHEN.timestamp()), b"{}")
    signed = replace(entry, promise=key.sign(promise.promised_bytes(entry)))
    log = LogKey(bytes(32), key.public, "log.acme.test", START)
    return lambda: promise.promised_time(replace(signed, **changes), (log,))


def test_a_promise_of_anything_else_is_refused() -> None:
    found: Any = promised()()
    assert (found.time, found.source, found.authority) == (WHEN, TimeSource.REKOR, "log.acme.test")
    for changes in (
        {"body": b"{ }"},
        {"log_index": 8},
        {"log_id": bytes(31) + b"x"},
        {"integrated_time": int(WHEN.timestamp()) + 1},
        {"promise": None},
        {"promise": b"x"},
    ):
        assert raised(promised(**changes)) is RefusalCode.LOG_PROMISE


def test_a_time_that_cannot_be_told_is_none() -> None:
    key = Key.new()
    signature = key.sign(b"data")
    for seconds in (0, 253402300800, 2**63 - 1):
        assert verify_promise(signature, b"data", key.public, seconds, "log") is None
    assert verify_promise(signature, b"data", key.public, 253402300799, "log") is not None


# --- entries ----------------------------------------------------------------------------------------------------------


def changing(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for step in path[:-1]:
            document = document[step]
        if value is None:
            del document[path[-1]]
        else:
            document[path[-1]] = value

    return change


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ("intoto", "0.0.1")])
def test_an_entry_of_each_kind_is_believed_with_its_time(kind: tuple[str, str]) -> None:
    source = TimeSource.REKOR if kind not in {("hashedrekord", "0.0.2"), ("dsse", "0.0.2")} else TimeSource.RFC3161
    for candidate, root in ((SIGSTORE.evidence(kind=kind), ROOT), (SIGSTORE.evidence(KEYED, kind), KEY_ROOT)):
        found = believed(candidate, root)
        assert [(time.source, time.time) for time in found.times] == [(source, WHEN)]


@pytest.mark.parametrize("kind", [("intoto", "0.0.1"), ("intoto", "0.0.2"), V1, None])
def test_a_layer_is_believed_with_the_time_of_its_promise(kind: tuple[str, str] | None) -> None:
    for signer, root in ((None, ROOT), (KEYED, KEY_ROOT)):
        found = believed(SIGSTORE.layer(signer, kind, attestation=kind is not None), root)
        assert [(time.source, time.time) for time in found.times] == [(TimeSource.REKOR, WHEN)]


def test_an_entry_without_its_signature_needs_the_envelope_itself() -> None:
    assert code(SIGSTORE.evidence(kind=("intoto", "0.0.1"))) is RefusalCode.LOG_INCONSISTENT


ZEROS = "0" * 64
CHANGES: list[tuple[tuple[str, str], tuple[Any, ...], Any, RefusalCode]] = [
    (HASHED, ("data", "hash", "value"), ZEROS, RefusalCode.LOG_INCONSISTENT),
    (HASHED, ("data", "hash", "algorithm"), "md5", RefusalCode.LOG_INCONSISTENT),
    (HASHED, ("data", "hash"), None, RefusalCode.LOG_MALFORMED),
    (HASHED, ("signature",), None, RefusalCode.LOG_MALFORMED),
    (HASHED, ("signature", "content"), "AAAA", RefusalCode.LOG_INCONSISTENT),
    (HASHED, ("signature", "content"), "#", RefusalCode.LOG_MALFORMED),
    (HASHED, ("signature", "publicKey", "content"), "AAAA", RefusalCode.LOG_INCONSISTENT),
    (V1, ("payloadHash", "value"), ZEROS, RefusalCode.LOG_INCONSISTENT),
    (V1, ("payloadHash", "algorithm"), "sha1", RefusalCode.LOG_INCONSISTENT),
    (V1, ("envelopeHash",), None, RefusalCode.LOG_MALFORMED),
    (V1, ("signatures",), [], RefusalCode.LOG_INCONSISTENT),
    (V1, ("signatures",), [{}, {}], RefusalCode.LOG_MALFORMED),
    (V1, ("signatures", 0, "signature"), "AAAA", RefusalCode.LOG_INCONSISTENT),
    (("intoto", "0.0.2"), ("content", "envelope", "payloadType"), "x", RefusalCode.LOG_INCONSISTENT),
    (("intoto", "0.0.2"), ("content", "envelope", "signatures"), [], RefusalCode.LOG_INCONSISTENT),
    (("intoto", "0.0.2"), ("content", "envelope", "signatures"), [{}, {}], RefusalCode.LOG_MALFORMED),
    (("intoto", "0.0.2"), ("content", "envelope", "signatures", 0, "sig"), "AAAA", RefusalCode.LOG_INCONSISTENT),
    (("intoto", "0.0.2"), ("content", "payloadHash", "value"), ZEROS, RefusalCode.LOG_INCONSISTENT),
    (V2, ("hashedRekordV002", "data", "digest"), b64(bytes(32)), RefusalCode.LOG_INCONSISTENT),
    (V2, ("hashedRekordV002", "data", "algorithm"), "SHA2_257", RefusalCode.LOG_INCONSISTENT),
    (V2, ("hashedRekordV002", "signature", "content"), "AAAA", RefusalCode.LOG_INCONSISTENT),
    (V2, ("hashedRekordV002", "signature", "verifier", "keyDetails"), "PKIX_ED25519", RefusalCode.LOG_INCONSISTENT),
    (V2, ("hashedRekordV002", "signature", "verifier"), {}, RefusalCode.LOG_INCONSISTENT),
    (V2, ("hashedRekordV002",), None, RefusalCode.LOG_MALFORMED),
    (("dsse", "0.0.2"), ("dsseV002", "payloadHash", "digest"), b64(bytes(32)), RefusalCode.LOG_INCONSISTENT),
    (("dsse", "0.0.2"), ("dsseV002", "payloadHash", "algorithm"), "", RefusalCode.LOG_INCONSISTENT),
    (("dsse", "0.0.2"), ("dsseV002", "signatures"), [], RefusalCode.LOG_INCONSISTENT),
    (("dsse", "0.0.2"), ("dsseV002", "signatures", 0, "content"), "AAAA", RefusalCode.LOG_INCONSISTENT),
]


@pytest.mark.parametrize(
    ("kind", "path", "value", "expected"), CHANGES, ids=[f"{n}-{c[0][0]}-{c[0][1]}" for n, c in enumerate(CHANGES)]
)
def test_an_entry_about_something_else_is_refused(
    kind: tuple[str, str], path: tuple[Any, ...], value: Any, expected: RefusalCode
) -> None:
    body = changing("spec", *path, value=value)
    assert code(SIGSTORE.evidence(kind=kind, body=body)) is expected
    assert code(SIGSTORE.evidence(KEYED, kind, body=body), KEY_ROOT) is expected


def test_both_a_key_and_a_certificate_in_one_entry_are_refused() -> None:
    both = {"x509Certificate": {"rawBytes": "AAAA"}, "publicKey": {"rawBytes": b64(KEYED.key.public.der)}}
    for signer, root in ((None, ROOT), (KEYED, KEY_ROOT)):

        def change(body: dict[str, Any]) -> None:
            verifier = body["spec"]["hashedRekordV002"]["signature"]["verifier"]
            verifier.update({name: verifier.get(name, value) for name, value in both.items()})

        assert code(SIGSTORE.evidence(signer, V2, body=change), root) is RefusalCode.LOG_INCONSISTENT


def test_the_entry_of_a_layer_is_about_its_envelope() -> None:
    for kind, path in ((V1, ("envelopeHash", "value")), (("intoto", "0.0.1"), ("content", "hash", "value"))):
        change = changing("spec", *path, value=ZEROS)
        assert code(SIGSTORE.layer(kind=kind, attestation=True, body=change)) is RefusalCode.LOG_INCONSISTENT
    change = changing("spec", "envelopeHash", "algorithm", value="md5")
    assert code(SIGSTORE.layer(kind=V1, attestation=True, body=change)) is RefusalCode.LOG_INCONSISTENT


@pytest.mark.parametrize(
    ("path", "value"), [(("content", "payloadHash", "value"), ZEROS), (("publicKey",), "AAAA")], ids=["payload", "key"]
)
def test_an_entry_without_its_signature_is_also_about_the_payload_and_the_key(
    path: tuple[str, ...], value: str
) -> None:
    candidate = SIGSTORE.layer(kind=("intoto", "0.0.1"), attestation=True, body=changing("spec", *path, value=value))
    assert code(candidate) is RefusalCode.LOG_INCONSISTENT


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha3_256"])
def test_a_digest_that_logs_do_not_make_is_about_nothing_even_where_it_is_right(algorithm: str) -> None:
    signed = read(SIGSTORE.layer(kind=V1, attestation=True))
    expected = Expected(signed, KEYED.key.public)
    assert signed.envelope is not None
    assert signed.payload is not None
    for name, right in (("sha256", True), (algorithm, False)):
        stated = {"algorithm": name, "value": hashlib.new(name, signed.envelope).hexdigest()}
        members = read_object(json.dumps(stated).encode(), "digest", RefusalCode.LOG_MALFORMED)
        assert expected.is_envelope(members) is right
    expected.check_payload("sha256", hashlib.sha256(signed.payload).hexdigest())
    digest = hashlib.new(algorithm, signed.payload).hexdigest()
    assert raised(expected.check_payload, algorithm, digest) is RefusalCode.LOG_INCONSISTENT


def test_a_message_signature_needs_no_payload_hash_and_finds_none() -> None:
    for kind in (V1, ("dsse", "0.0.2")):
        assert code(SIGSTORE.evidence(kind=kind, message=MANIFEST)) is RefusalCode.LOG_INCONSISTENT


def test_a_longer_digest_of_the_message_is_compared_where_the_message_is_at_hand() -> None:
    signer = SIGSTORE.certify(Key(ec.generate_private_key(ec.SECP384R1())))
    for kind in (HASHED, V2):
        plain = SIGSTORE.evidence(signer, kind, message=MANIFEST, algorithm="sha384")
        assert code(plain) is RefusalCode.BUNDLE_DIGEST
        believed(replace(plain, content=MANIFEST))


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"[]",
        b'{"kind":"dsse"}',
        b'{"kind":"dsse","apiVersion":"0.0.3","spec":{}}',
        b'{"kind":"tuf","apiVersion":"0.0.1","spec":{}}',
        b'{"kind":1,"apiVersion":"0.0.1","spec":{}}',
        b'{"kind":"dsse","apiVersion":"0.0.1"}',
    ],
)
def test_a_body_of_no_kind_that_is_known_is_refused(body: bytes) -> None:
    log = SIGSTORE.log
    document = SIGSTORE.bundle()
    document["verificationMaterial"]["tlogEntries"] = [log.take(body, int(WHEN.timestamp()), V1)]
    assert code(document_of(document)) in {RefusalCode.LOG_KIND, RefusalCode.LOG_MALFORMED}


@pytest.mark.parametrize("kind", [V2, ("dsse", "0.0.2")], ids=str)
def test_the_index_of_the_second_generation_is_that_of_the_proof(kind: tuple[str, str]) -> None:
    found = SIGSTORE.evidence(kind=kind, entry=changing("logIndex", value="0"))
    assert code(found) is RefusalCode.LOG_INCONSISTENT


def test_an_entry_of_the_second_generation_without_a_proof_proves_nothing() -> None:
    signed = read(SIGSTORE.evidence(KEYED, V2))
    bare = replace(signed.log_entries[0], proof=None)
    expected = Expected(signed, KEYED.key.public)
    assert raised(lambda: proving.prove(bare, KEY_ROOT.logs, expected, None)) is RefusalCode.LOG_INCLUSION


def test_an_index_that_no_promise_covers_may_be_another_in_the_first_generation() -> None:
    def change(entry: dict[str, Any]) -> None:
        del entry["inclusionPromise"]
        entry["logIndex"] = "3"

    found = believed(SIGSTORE.evidence(entry=change, stamped=1))
    assert [time.source for time in found.times] == [TimeSource.RFC3161]


@pytest.mark.parametrize("kind", [V2, ("dsse", "0.0.2")], ids=str)
def test_a_log_of_the_second_generation_promises_no_time(kind: tuple[str, str]) -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["integratedTime"] = str(int(WHEN.timestamp()))
        entry["inclusionPromise"] = {"signedEntryTimestamp": b64(SIGSTORE.log2.promise(entry))}

    assert code(SIGSTORE.evidence(kind=kind, entry=change, stamped=1)) is RefusalCode.LOG_PROMISE


OLD = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def test_a_proof_without_its_checkpoint_needs_the_promise() -> None:
    change = changing("inclusionProof", "checkpoint", value=None)
    believed(SIGSTORE.evidence(entry=change, media_type=OLD))
    signed = read(SIGSTORE.evidence(KEYED, entry=change, media_type=OLD))
    bare = replace(signed.log_entries[0], promise=None)
    expected = Expected(signed, KEYED.key.public)
    logs = KEY_ROOT.logs
    assert raised(lambda: proving.prove(bare, logs, expected, None)) is RefusalCode.LOG_INCLUSION
    bare = replace(bare, proof=None)
    assert raised(lambda: proving.prove(bare, logs, expected, None)) is RefusalCode.LOG_INCLUSION


def test_a_proof_without_a_checkpoint_still_has_to_lead_to_its_root() -> None:
    def change(entry: dict[str, Any]) -> None:
        del entry["inclusionProof"]["checkpoint"]
        entry["inclusionProof"]["rootHash"] = b64(bytes(32))

    assert code(SIGSTORE.evidence(entry=change, media_type=OLD)) is RefusalCode.LOG_INCLUSION


def test_a_promise_after_the_time_of_judgement_is_a_claim() -> None:
    early = WHEN - timedelta(seconds=1)
    found = believed(SIGSTORE.evidence(KEYED), KEY_ROOT, early)
    assert found.times == ()
    assert [(claim.time, claim.code) for claim in found.claims] == [(WHEN, RefusalCode.TIME_FUTURE)]
    assert code(SIGSTORE.evidence(), at=early) is RefusalCode.CERTIFICATE_NO_TIME


def test_the_same_entry_twice_counts_once_and_a_bad_one_beside_a_good_one_refuses() -> None:
    document = SIGSTORE.bundle()
    (entry,) = document["verificationMaterial"]["tlogEntries"]
    document["verificationMaterial"]["tlogEntries"] = [entry, entry]
    assert len(believed(document_of(document)).times) == 1
    other = SIGSTORE.bundle()["verificationMaterial"]["tlogEntries"][0]
    document["verificationMaterial"]["tlogEntries"] = [entry, other]
    assert code(document_of(document)) is RefusalCode.LOG_INCONSISTENT


def test_an_entry_of_an_unknown_log_neither_helps_nor_harms_a_key() -> None:
    stranger = VirtualSigstore("other")
    found = believed(stranger.evidence(KEYED), KEY_ROOT)
    assert found.times == ()
    assert found.not_checked == ("transparency log: its entries are of no log that is trusted",)
    document = SIGSTORE.bundle(KEYED)
    document["verificationMaterial"]["tlogEntries"] += stranger.bundle(KEYED)["verificationMaterial"]["tlogEntries"]
    found = believed(document_of(document), KEY_ROOT)
    assert (len(found.times), found.not_checked) == (1, ())


def test_a_log_that_changed_its_key_is_known_by_either() -> None:
    tlogs = SIGSTORE.document()["tlogs"]
    other = Key.new().public
    first = {**tlogs[0], "publicKey": {**tlogs[0]["publicKey"], "rawBytes": b64(other.der)}}
    for order in ([first, tlogs[0]], [tlogs[0], first]):
        believed(SIGSTORE.evidence(), SIGSTORE.trusting(tlogs=order))
    assert code(SIGSTORE.evidence(), SIGSTORE.trusting(tlogs=[first])) is RefusalCode.LOG_PROMISE
