"""The last that is read and the first that is refused, for each limit of the readers of Sigstore's formats."""

from __future__ import annotations

from typing import Any

import pytest

from imgtrust.errors import Refused
from imgtrust.formats import certificates, read
from imgtrust.formats.certificates import from_pem, pem_block
from imgtrust.formats.members import Members
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import Key, b64, bundle, evidence

CODE = RefusalCode.BUNDLE_MALFORMED
KEY = Key.new()
HASH = bytes(range(32))


def block(begin: str, content: str, end: str) -> str:
    return f"-----BEGIN {begin}-----\n{content}\n-----END {end}-----\n"


def entry(**proof: Any) -> dict[str, Any]:
    """A log entry with an inclusion proof, some members of which are replaced."""
    given = {
        "logIndex": "2",
        "rootHash": b64(HASH),
        "treeSize": "3",
        "hashes": [b64(HASH)],
        "checkpoint": {"envelope": "a note\n"},
    }
    return {
        "logIndex": "12",
        "logId": {"keyId": b64(b"log")},
        "kindVersion": {"kind": "dsse", "version": "0.0.1"},
        "integratedTime": "1700000000",
        "inclusionPromise": {"signedEntryTimestamp": b64(b"p")},
        "inclusionProof": given | proof,
        "canonicalizedBody": b64(b"{}"),
    }


def judged(one: dict[str, Any]) -> RefusalCode | None:
    material = {"publicKey": {"hint": ""}, "tlogEntries": [one]}
    try:
        read(evidence(bundle(KEY, verificationMaterial=material)))
    except Refused as exc:
        return exc.code
    return None


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1])
def test_a_number_is_read_up_to_64_bits(number: int) -> None:
    assert Members({"n": number}, "thing", CODE).number("n") == number
    assert Members({"n": str(number)}, "thing", CODE).number("n") == number


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_number_outside_64_bits_is_refused(number: int) -> None:
    for spelled in (number, str(number)):
        with pytest.raises(Refused, match="expected a whole number from 0"):
            Members({"n": spelled}, "thing", CODE).number("n")


def test_a_list_of_bytes_is_read_up_to_its_limit() -> None:
    assert Members({"a": ["YQ==", "Yg=="]}, "thing", CODE).data_list("a", 2) == (b"a", b"b")
    with pytest.raises(Refused, match="at most 1"):
        Members({"a": ["YQ==", "Yg=="]}, "thing", CODE).data_list("a", 1)


def test_what_a_stranger_wrote_is_shown_in_part() -> None:
    with pytest.raises(Refused) as caught:
        Members({"x" * 81: 1}, "thing", CODE).only("a")
    assert "x" * 80 in str(caught.value)
    assert "x" * 81 not in str(caught.value)
    with pytest.raises(Refused) as caught:
        Members({"n": "9" * 81}, "thing", CODE).number("n")
    assert "9" * 80 in str(caught.value)
    assert "9" * 81 not in str(caught.value)


def test_a_checkpoint_is_read_up_to_its_limit() -> None:
    longest = {"envelope": "x" * (64 * 1024)}
    assert judged(entry(checkpoint=longest)) is None
    assert judged(entry(checkpoint={"envelope": longest["envelope"] + "x"})) is RefusalCode.LOG_MALFORMED


def test_a_promise_of_one_byte_is_read_and_none_is_not() -> None:
    assert judged(entry()) is None
    empty = entry() | {"inclusionPromise": {"signedEntryTimestamp": ""}}
    assert judged(empty) is RefusalCode.LOG_MALFORMED
    longest = entry() | {"inclusionPromise": {"signedEntryTimestamp": b64(bytes(1024))}}
    assert judged(longest) is None


def test_both_labels_of_a_block_have_to_be_the_one_that_is_asked_for() -> None:
    assert pem_block(block("CERTIFICATE", "ZGVy", "CERTIFICATE"), "CERTIFICATE") == b"der"
    for begin, end in (("PUBLIC KEY", "CERTIFICATE"), ("CERTIFICATE", "PUBLIC KEY"), ("PUBLIC KEY", "PUBLIC KEY")):
        assert pem_block(block(begin, "ZGVy", end), "CERTIFICATE") is None
        with pytest.raises(Refused):
            from_pem(block(begin, "ZGVy", end), "x")


def test_a_block_without_content_is_none() -> None:
    assert pem_block(block("CERTIFICATE", "", "CERTIFICATE"), "CERTIFICATE") is None
    assert pem_block(block("CERTIFICATE", "AA==", "CERTIFICATE"), "CERTIFICATE") == b"\0"


def test_a_text_of_certificates_is_read_up_to_its_limit() -> None:
    one = block("CERTIFICATE", "ZGVy", "CERTIFICATE")
    limit = certificates.MAX_CERTIFICATES * certificates.MAX_CERTIFICATE_BYTES * 3 // 2
    filled = one + "\n" * (limit - 2 * len(one) + 1) + one.rstrip()
    assert len(filled) == limit
    assert from_pem(filled, "x") == (b"der", b"der")
    with pytest.raises(Refused):
        from_pem("\n".join([one, filled[len(one) :]]), "x")


def test_one_block_is_read_up_to_its_limit() -> None:
    limit = certificates.MAX_CERTIFICATES * certificates.MAX_CERTIFICATE_BYTES * 3 // 2
    frame = block("CERTIFICATE", "", "CERTIFICATE")
    padded = block("CERTIFICATE", "ZGVy" + "\n" * (limit - len(frame) - 4), "CERTIFICATE")
    assert len(padded) == limit
    assert pem_block(padded, "CERTIFICATE") == b"der"
    assert pem_block(padded + "\n", "CERTIFICATE") is None
