"""Nobody silences the second opinion: not by what nobody signed, and not by the kind of key, log or authority.

Each piece of evidence here is one that we believe. It is asked about as it is, and as somebody would have made it who
got past us: with another name, authority or log than the one that sigstore-python knows. That has to stay a no.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from sigstore.errors import VerificationError

from imgtrust.formats import read
from imgtrust.refusals import RefusalCode
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust import keyless, question
from imgtrust.trust.secondopinion import Agreement, Disagreement, NotSupported, second_opinion
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.simulators.evidence import MANIFEST, Key, b64
from tests.simulators.fulcio import WHEN, utf8
from tests.simulators.logbodies import Logged
from tests.simulators.sigstore import V1, V2, VirtualSigstore, document_of
from tests.simulators.translog import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Evidence
    from imgtrust.trust.anchors import SigstoreRoot
    from imgtrust.trust.roots import TrustRoot

SIGSTORE: Final = VirtualSigstore()
OTHER: Final = VirtualSigstore("other")
YOUNG: Final = VirtualSigstore(log=Log("rekor.acme.test", leaves=[], before=0))
"""An instance whose log is empty."""
AT: Final = WHEN + timedelta(days=1)
HASHED: Final = ("hashedrekord", "0.0.1")

# --- what it can judge in part ----------------------------------------------------------------------------------------

STRANGE: Final[list[Any]] = [
    ec.generate_private_key(ec.SECP384R1()),
    ec.generate_private_key(ec.SECP521R1()),
    rsa.generate_private_key(65537, 2048),
    ed25519.Ed25519PrivateKey.generate(),
]
PARTS: Final[dict[str, Callable[[], Evidence]]] = {
    "P-384": lambda: SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[0])), V2),
    "P-384 and SHA-384": lambda: SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[0])), V1, algorithm="sha384"),
    "P-384 over a message": lambda: replace(
        SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[0])), V2, message=MANIFEST, algorithm="sha384"),
        content=MANIFEST,
    ),
    "P-521 and SHA-512": lambda: SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[1])), V1, algorithm="sha512"),
    "RSA": lambda: SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[2])), V1),
    "RSA in a second log": lambda: SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[2])), V2),
    "Ed25519": lambda: SIGSTORE.evidence(SIGSTORE.certify(Key(STRANGE[3])), V1),
    "dsse 0.0.2": lambda: SIGSTORE.evidence(kind=("dsse", "0.0.2")),
    "hashedrekord 0.0.1 over a statement": lambda: SIGSTORE.evidence(kind=HASHED),
    "intoto 0.0.2 with a time-stamp": lambda: SIGSTORE.evidence(
        kind=("intoto", "0.0.2"), stamped=1, entry=lambda entry: entry.pop("inclusionPromise")
    ),
}
"""Signatures that it cannot verify, and entries that it cannot compare; all else of them it can judge."""


def ask_of(candidate: Evidence, root: TrustRoot, /, **changes: Any) -> Agreement | Disagreement | NotSupported:
    """Its answer about evidence that we believe under a root; ``changes`` are those of the identity."""
    signed = read(candidate)
    found = keyless.verify(signed, candidate, root, at=AT)
    trusted = tuple(replace(each, **changes) for each in found.trusted)
    return second_opinion(candidate, signed, trusted, found.times, root.authorities)


@pytest.mark.parametrize("name", PARTS)
def test_what_it_judges_in_part_is_said_and_the_other_part_is_asked(name: str) -> None:
    root = SIGSTORE.trusting()
    answer = ask_of(PARTS[name](), root)
    assert isinstance(answer, NotSupported), answer
    assert answer.reason.endswith("; it agrees about the certificate and the log")


def with_root(**changes: Any) -> SigstoreRoot:
    """The instance as we know it, and as it is told to know it: a fault in one of the two, and in the other none."""
    return replace(SIGSTORE.root(), raw=SIGSTORE.root(**changes).raw)


FAULTS: Final[dict[str, dict[str, Any]]] = {
    "another identity": {"identity": "somebody@acme.test"},
    "another issuer": {"issuer": "https://elsewhere.test"},
    "another authority": {"root": with_root(certificateAuthorities=OTHER.document()["certificateAuthorities"])},
    "another CT log": {"root": with_root(ctlogs=OTHER.document()["ctlogs"])},
    "another log": {"root": with_root(tlogs=OTHER.document()["tlogs"])},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_it_cannot_judge_does_not_silence_its_no_about_the_rest(name: str, fault: str) -> None:
    """Whoever forges a certificate chooses its key and the kind of its entry: that must not choose the judge."""
    answer = ask_of(PARTS[name](), SIGSTORE.trusting(), **FAULTS[fault])
    assert isinstance(answer, Disagreement), answer


class Raising:
    """A pattern that raises when it is asked, as what a certificate says may make a library do."""

    def __init__(self, exc: Exception) -> None:
        self._exc = exc

    def fullmatch(self, _: str) -> NoReturn:
        """As a pattern has it."""
        raise self._exc

    def asked(self, name: str) -> Agreement | Disagreement | NotSupported:
        """What comes of it for one of the parts."""
        return ask_of(PARTS[name](), SIGSTORE.trusting(), identity=self)


@pytest.mark.parametrize("name", ["P-384", "RSA", "Ed25519"])
@pytest.mark.parametrize("exc", [TypeError("of a key"), VerificationError("Signature is invalid for input")], ids=str)
def test_words_that_are_excused_are_a_no_while_the_certificate_is_not_judged(name: str, exc: Exception) -> None:
    assert isinstance(Raising(exc).asked(name), Disagreement)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no\n  way", "no way"),
        ("", "VerificationError"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
    ],
    ids=["lines", "nothing", "long", "longer"],
)
def test_what_it_says_is_told_on_one_line_of_bounded_length(said: str, told: str) -> None:
    answer = Raising(VerificationError(said)).asked("P-384")
    assert isinstance(answer, Disagreement)
    assert answer.reason == told


SHAPES: Final[list[tuple[tuple[str, str], bytes | None]]] = [(V1, None), (V2, None), (HASHED, MANIFEST), (V2, MANIFEST)]


@pytest.mark.parametrize(("kind", "message"), SHAPES, ids=str)
def test_words_that_are_excused_for_one_shape_are_a_no_for_every_other(
    kind: tuple[str, str], message: bytes | None
) -> None:
    """P-256, SHA-256 and a kind that it knows: a signature that it finds wrong is wrong."""
    document = SIGSTORE.bundle(kind=kind, message=message)
    candidate, root = document_of(document), SIGSTORE.trusting()
    signed = read(candidate)
    found = keyless.verify(signed, candidate, root, at=AT)
    place, name = document.get("messageSignature"), "signature"
    if place is None:
        place, name = document["dsseEnvelope"]["signatures"][0], "sig"
    place[name] = b64(signed.signature[:-1] + bytes([signed.signature[-1] ^ 1]))
    if "timestampVerificationData" in document["verificationMaterial"]:  # the time is to be right
        tokens = [{"signedTimestamp": b64(SIGSTORE.tsa.stamp(base64.b64decode(place[name])))}]
        document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = tokens
    answer = second_opinion(document_of(document), signed, found.trusted, found.times)
    assert isinstance(answer, Disagreement)
    assert "ignature" in answer.reason


# --- what nobody signed -----------------------------------------------------------------------------------------------


def bundle_of(kind: tuple[str, str], change: Callable[[dict[str, Any]], object], **shape: Any) -> Evidence:
    """A bundle to which something was done afterwards."""
    document = SIGSTORE.bundle(kind=kind, **shape)
    change(document["verificationMaterial"])
    return document_of(document)


def unpromised(entry: dict[str, Any]) -> None:
    """Without the promise nothing covers the index of an entry in a log of the first generation."""
    del entry["inclusionPromise"], entry["logIndex"]


def foreign(material: dict[str, Any]) -> None:
    material["tlogEntries"].insert(0, OTHER.bundle()["verificationMaterial"]["tlogEntries"][0])


UNSIGNED: Final[dict[str, Callable[[], Evidence]]] = {
    "the entry twice": lambda: bundle_of(V1, lambda material: material["tlogEntries"].extend(material["tlogEntries"])),
    "an entry of a log that nobody knows": lambda: bundle_of(V1, foreign),
    "the same beside an entry of a second log": lambda: bundle_of(V2, foreign),
    "an index of zero": lambda: SIGSTORE.evidence(kind=V1, stamped=1, entry=unpromised),
    "zeros that are left out": lambda: YOUNG.evidence(kind=V1),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_nothing_that_anybody_can_add_or_leave_out_silences_it(name: str) -> None:
    candidate = UNSIGNED[name]()
    root = SIGSTORE.trusting() if "zeros" not in name else YOUNG.trusting()
    assert isinstance(ask_of(candidate, root), Agreement), ask_of(candidate, root)
    assert isinstance(ask_of(candidate, root, identity="somebody@acme.test"), Disagreement)


def test_zeros_that_protobuf_leaves_out_are_written_for_it() -> None:
    young = VirtualSigstore(log=Log("rekor.acme.test", leaves=[], before=0))

    def short(entry: dict[str, Any]) -> None:
        assert (entry.pop("logIndex"), entry["inclusionProof"].pop("logIndex")) == ("0", "0")
        assert entry["inclusionProof"].pop("hashes") == []

    assert isinstance(ask_of(young.evidence(entry=short), young.trusting()), Agreement)


def test_each_entry_is_asked_about_by_itself() -> None:
    """The first entry is one that both know; the second is in a log that it is told to know by another key."""
    signer = SIGSTORE.certify()
    document = SIGSTORE.bundle(signer, V1)
    envelope, material = document["dsseEnvelope"], document["verificationMaterial"]
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    logged = Logged(signer.key.public, signature, signer.certified, base64.b64decode(envelope["payload"]))
    material["tlogEntries"].append(SIGSTORE.entry(logged, V2))
    tokens = [{"signedTimestamp": b64(SIGSTORE.tsa.stamp(signature))}]
    material["timestampVerificationData"] = {"rfc3161Timestamps": tokens}
    candidate, root = document_of(document), SIGSTORE.trusting()
    assert isinstance(ask_of(candidate, root), Agreement)
    tlogs = SIGSTORE.document()["tlogs"]
    for number in (0, 1):
        other = [OTHER.document()["tlogs"][at] if at == number else each for at, each in enumerate(tlogs)]
        assert isinstance(ask_of(candidate, root, root=with_root(tlogs=other)), Disagreement)
    del material["timestampVerificationData"]
    answer = ask_of(document_of(document), root)
    assert answer == NotSupported("it finds no time beside an entry that has none")
    answer = ask_of(document_of(document), root, identity="somebody@acme.test")
    assert isinstance(answer, Disagreement)


def test_authorities_that_the_policy_names_beside_the_instance_are_told_to_it() -> None:
    """Else a time-stamp of theirs, which they give to anybody, would silence it, or make it refuse what is right."""
    bare = SIGSTORE.trusting(timestampAuthorities=[])
    for kind in (V1, V2):
        root = replace(bare, authorities=(SIGSTORE.tsa.authority,))
        candidate = SIGSTORE.evidence(kind=kind, stamped=1)
        assert isinstance(ask_of(candidate, root), Agreement)
        assert isinstance(ask_of(candidate, root, identity="somebody@acme.test"), Disagreement)


def test_an_authority_that_is_known_by_its_roots_alone_is_told_with_the_leaf_in_the_token() -> None:
    sigstore = VirtualSigstore()
    for intermediate in (False, True):
        sigstore.tsa = LocalAuthority(lambda: WHEN, certificates=True, intermediate=intermediate)
        rooted = replace(sigstore.tsa.authority, leaf=None)
        root = replace(sigstore.trusting(timestampAuthorities=[]), authorities=(rooted,))
        candidate = sigstore.evidence(kind=V2)
        assert isinstance(ask_of(candidate, root), Agreement)
        assert isinstance(ask_of(candidate, root, identity="somebody@acme.test"), Disagreement)


@pytest.mark.parametrize("late", [False, True])
def test_the_first_second_of_an_authority_counts_there_and_none_before(*, late: bool) -> None:
    bare = SIGSTORE.trusting(timestampAuthorities=[])
    candidate = SIGSTORE.evidence(kind=V2)
    signed = read(candidate)
    found = keyless.verify(signed, candidate, replace(bare, authorities=(SIGSTORE.tsa.authority,)), at=AT)
    authority = replace(SIGSTORE.tsa.authority, not_before=WHEN + timedelta(seconds=late))
    answer = second_opinion(candidate, signed, found.trusted, found.times, (authority,))
    assert isinstance(answer, Disagreement if late else Agreement)


@pytest.mark.parametrize("end", ["2026-03-01T12:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_last_second_of_an_authority_counts_there_as_well(end: str) -> None:
    authorities = SIGSTORE.document()["timestampAuthorities"]
    authorities[0]["validFor"]["end"] = end
    root = SIGSTORE.trusting(timestampAuthorities=authorities)
    assert isinstance(ask_of(SIGSTORE.evidence(kind=V2), root), Agreement)


def test_where_no_authority_is_trusted_a_time_stamp_is_no_reason_to_refuse() -> None:
    root = SIGSTORE.trusting(timestampAuthorities=[])
    candidate = SIGSTORE.evidence(kind=V1, stamped=1)
    assert isinstance(ask_of(candidate, root), Agreement)
    assert isinstance(ask_of(candidate, root, identity="somebody@acme.test"), Disagreement)


def test_a_time_stamp_of_a_stranger_beside_a_good_time_is_passed_over_by_both() -> None:
    tokens = [{"signedTimestamp": b64(OTHER.tsa.stamp(b"anything"))}]
    data = {"timestampVerificationData": {"rfc3161Timestamps": tokens}}
    found = assess(bundle_of(V1, lambda material: material.update(data)), SIGSTORE.trusting(), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert (found.second_opinion.endswith(" agrees"), len(found.claims)) == (True, 1)


@pytest.mark.parametrize("garbage", [b"garbage", b"\x30\x00", b"\xff" * 5000])
def test_garbage_beside_a_good_time_stamp_is_a_disagreement(garbage: bytes) -> None:
    """It can judge that shape, and says no: whoever adds garbage has made evidence that nobody needs to believe."""

    def add(material: dict[str, Any]) -> None:
        material["timestampVerificationData"]["rfc3161Timestamps"].append({"signedTimestamp": b64(garbage)})

    found = assess(bundle_of(V1, add, stamped=1), SIGSTORE.trusting(), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.SECOND_OPINION


def test_two_timestamps_in_a_certificate_are_a_disagreement() -> None:
    """Nobody but the authority chooses how many; Fulcio embeds one, and sigstore-python wants one."""
    log = SIGSTORE.fulcio.log
    signer = SIGSTORE.certify(timestamps=lambda cert, issuer: [log.timestamp(cert, issuer, WHEN)] * 2)
    found = assess(SIGSTORE.evidence(signer), SIGSTORE.trusting(), at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.SECOND_OPINION


def test_other_names_of_fulcio_are_asked_about_exactly_and_by_pattern() -> None:
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
    candidate = SIGSTORE.evidence(SIGSTORE.certify(names=(x509.OtherName(oid, utf8("robot!acme")),)))
    root = SIGSTORE.trusting("robot!acme")
    assert isinstance(ask_of(candidate, root), Agreement)
    assert isinstance(ask_of(candidate, root, identity=re.compile("robot!.*")), Agreement)
    for other in ("robot!acm", "robot!acme2", re.compile("robot!"), re.compile("x")):
        assert isinstance(ask_of(candidate, root, identity=other), Disagreement)
    assert isinstance(ask_of(SIGSTORE.evidence(), SIGSTORE.trusting(), identity="robot!acme"), Disagreement)


def test_an_instance_may_write_its_root_in_the_newer_spelling() -> None:
    root = SIGSTORE.trusting(mediaType="application/vnd.dev.sigstore.trustedroot.v0.1+json")
    assert isinstance(ask_of(SIGSTORE.evidence(), root), Agreement)


def test_a_bundle_that_needs_no_change_is_handed_over_to_the_byte() -> None:
    payload = b" " + SIGSTORE.evidence(kind=V2).payload
    assert question.about(payload, 0, stamped=True) is payload
    for number, stamped in ((0, False), (1, True)):
        document = json.loads(payload)
        document["verificationMaterial"]["tlogEntries"] *= 2
        changed = question.about(json.dumps(document).encode(), number, stamped=stamped)
        assert len(json.loads(changed)["verificationMaterial"]["tlogEntries"]) == 1
        assert ("timestampVerificationData" in json.loads(changed)["verificationMaterial"]) is stamped
