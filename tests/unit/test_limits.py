"""Every number that the readers and the verifier hold things against: a change of one is a decision, not an edit.

What happens at each limit is tested where it is used, with the limit by its name; here is how much it is.
"""

from __future__ import annotations

import ast
import importlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import imgtrust
from tests.mutants.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = {
    "formats.attachments._SHOWN": 100,
    "formats.bundle.MAX_BUNDLE_BYTES": 33_554_432,
    "formats.bundle.MAX_TIMESTAMPS": 8,
    "formats.bundle._SINGLE_CERTIFICATE": 3,
    "formats.cbor.MAX_DEPTH": 16,
    "formats.cbor.MAX_ITEMS": 10_000,
    "formats.cbor._SIMPLE": 7,
    "formats.cbor._DIRECT": 24,
    "formats.certificates.MAX_CERTIFICATES": 10,
    "formats.certificates.MAX_CERTIFICATE_BYTES": 65_536,
    "formats.certificates._PEM_BYTES": 983_040,
    "formats.dsse._MAX_SIGNATURES": 16,
    "formats.logentries.MAX_LOG_ENTRIES": 32,
    "formats.logentries.MAX_BODY_BYTES": 16_777_216,
    "formats.logentries._HASH_BYTES": 32,
    "formats.logentries._MAX_HASHES": 64,
    "formats.logentries._MAX_CHECKPOINT": 65_536,
    "formats.logentries._MAX_PROMISE": 1024,
    "formats.members._SHOWN": 80,
    "formats.members._MAX_INT64": 9_223_372_036_854_775_807,
    "formats.notary.MAX_ENVELOPE": 4_194_304,
    "formats.notary.MAX_CERTIFICATES": 16,
    "formats.notary._MAX_ATTRIBUTES": 256,
    "formats.notary._MAX_TOKEN": 61_440,
    "formats.notary._MAX_SIGNATURE": 1024,
    "formats.notary._SHOWN": 80,
    "formats.notarycose._SIGN1": 18,
    "formats.notarycose._EPOCH_TIME": 1,
    "formats.notarycose._EPOCH": datetime(1970, 1, 1, tzinfo=UTC),
    "formats.notarycose._SHOWN": 200,
    "formats.notarycose._PARTS": 4,
    "formats.notaryjws._SHOWN": 200,
    "formats.simplesigning._MAX_PAYLOAD": 1_048_576,
    "formats.simplesigning._MAX_ENVELOPE": 33_554_432,
    "formats.statement.MAX_SUBJECTS": 1024,
    "trust.der.BOOLEAN": 0x1,
    "trust.der.INTEGER": 0x2,
    "trust.der.OCTET_STRING": 4,
    "trust.der.OID": 0x6,
    "trust.der.GENERALIZED_TIME": 0x18,
    "trust.der.SEQUENCE": 0x30,
    "trust.der.SET": 0x31,
    "trust.der._MAX_LENGTH_BYTES": 4,
    "trust.der._LONG": 0x80,
    "trust.der._MULTI_BYTE_TAG": 0x1F,
    "trust.ed25519ph.KEY_BYTES": 32,
    "trust.ed25519ph.SIGNATURE_BYTES": 64,
    "trust.ed25519ph.DIGEST_BYTES": 64,
    "trust.ed25519ph._P": 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED,
    "trust.ed25519ph._L": 0x1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED,
    "trust.ed25519ph._D": 0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3,
    "trust.ed25519ph._ROOT_OF_MINUS_ONE": 0x2B8324804FC1DF0B2B4D00993DFBD7A72F431806AD2FE478C4EE1B274A0EA0B0,
    "trust.ed25519ph._BASE_X": 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A,
    "trust.ed25519ph._BASE_Y": 0x6666666666666666666666666666666666666666666666666666666666666658,
    "trust.identities._UTF8_STRING": 12,
    "trust.keys.MAX_KEY_BYTES": 65_536,
    "trust.notary.awssigner._MAX_ANSWER": 262_144,
    "trust.notary.awssigner._SHOWN": 300,
    "trust.notary.entries._SKEW": timedelta(seconds=300),
    "trust.notary.lists.MAX_LIST_BYTES": 33_554_432,
    "trust.notary.responses._AGE": timedelta(seconds=86400),
    "trust.notary.responses._MAX_BYTES": 262_144,
    "trust.notary.responses._MAX_RESPONDERS": 8,
    "trust.notary.revocation._MAX_URLS": 4,
    "trust.notary.revocation._MAX_URL": 2048,
    "trust.rootfile.MAX_ROOT_BYTES": 4_194_304,
    "trust.rootfile.MAX_ANCHORS": 256,
    "trust.sct._MAX_TIMESTAMPS": 16,
    "trust.sct._EPOCH": datetime(1970, 1, 1, tzinfo=UTC),
    "trust.secondopinion._LONGEST": 300,
    "trust.question._LONG": 128,
    "trust.question._TICK": timedelta(seconds=1),
    "trust.question._FIRST": datetime(1970, 1, 1, tzinfo=UTC),
    "trust.question._LAST": datetime(9999, 12, 31, tzinfo=UTC),
    "trust.signatures._FINGERPRINT": 32,
    "trust.times.MAX_TOKEN_BYTES": 65_536,
    "trust.times._MAX_SECONDS": 253402300799,
    "trust.tokens._GRANTED": 0,
    "trust.tokens._MAX_CERTIFICATES": 16,
    "trust.tokens._MAX_ATTRIBUTES": 16,
    "trust.tokens._MAX_EXTENSIONS": 16,
    "trust.tokens._MAX_SECONDS": 86_400,
    "trust.tokens._BASELINE_ACCURACY": timedelta(seconds=1),
    "trust.transparency.checkpoint._MAX_SIGNATURES": 100,
    "trust.transparency.checkpoint._HINT_BYTES": 4,
    "trust.transparency.checkpoint._HASH_BYTES": 32,
}


def _numbers() -> Iterator[tuple[str, int | datetime | timedelta]]:
    """Each number, time and duration at the top of a module of formats and trust."""
    for room in ("formats", "trust"):
        for file in sorted((ROOT / "imgtrust" / room).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            module = importlib.import_module(name)
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    value = getattr(module, node.target.id, None)
                    if isinstance(value, int | datetime | timedelta) and not isinstance(value, bool):
                        yield f"{name}.{node.target.id}".removeprefix(f"{imgtrust.__name__}."), value


def test_every_number_is_what_was_decided() -> None:
    assert dict(_numbers()) == NUMBERS
