"""Signatures with a certificate: who is believed, when, and each thing that is refused, with its own code."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from imgtrust.evidence import Format, Kind
from imgtrust.formats import read
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.signers import der
from imgtrust.trust import keyless
from imgtrust.trust.artifact import judge_artifact
from imgtrust.trust.identities import EXTENSIONS
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource
from tests.simulators.ctlog import CtLog
from tests.simulators.evidence import AT, IMAGE, MANIFEST, Key, b64, statement
from tests.simulators.fulcio import EMAIL, ISSUER, WHEN, Fulcio, ca_certificate, ca_chain, extension, usage, utf8
from tests.simulators.pki import odd_leaf
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore, document_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imgtrust.evidence import Evidence

SIGSTORE = VirtualSigstore()
ROOT = SIGSTORE.trusting()
TICK = timedelta(seconds=1)
HASHED = ("hashedrekord", "0.0.1")
WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"


def code(candidate: Evidence, root: TrustRoot = ROOT, at: datetime = AT) -> RefusalCode:
    found = assess(candidate, root, at=at)
    assert isinstance(found, Refusal), found
    assert found.reason
    return found.code


def believed(candidate: Evidence, root: TrustRoot = ROOT, at: datetime = AT) -> VerifiedSignature:
    found = assess(candidate, root, at=at)
    assert isinstance(found, VerifiedSignature), found
    return found


def proven(candidate: Evidence, root: TrustRoot = ROOT) -> keyless.Keyless:
    """Our own judgement alone, for shapes that the second opinion does not know."""
    return keyless.verify(read(candidate), candidate, root, at=AT)


def certified(**changes: Any) -> RefusalCode | VerifiedSignature:
    """The judgement of a signature whose certificate has changes."""
    found = assess(SIGSTORE.evidence(SIGSTORE.certify(**changes)), ROOT, at=AT)
    return found.code if isinstance(found, Refusal) else found


# --- what is believed -------------------------------------------------------------------------------------------------


def test_a_signature_says_who_and_when() -> None:
    found = believed(SIGSTORE.evidence())
    assert (found.format, found.kind) == (Format.BUNDLE, Kind.SIGNATURE)
    assert (found.signers, found.identity) == (("release",), f"{EMAIL} ({ISSUER})")
    assert (found.subject, found.earliest) == (IMAGE, WHEN)
    assert (found.claims, found.not_checked) == ((), ())


def test_an_attestation_is_no_signature() -> None:
    payload = statement(predicate_type="https://slsa.dev/provenance/v1")
    assert believed(SIGSTORE.evidence(payload=payload)).kind is Kind.ATTESTATION
    assert believed(SIGSTORE.layer(attestation=True)).kind is Kind.SIGNATURE


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["p256", "p384", "p521", "rsa", "ed25519"],
)
def test_certificates_of_every_kind_of_key_are_believed(private: Any) -> None:
    signer = SIGSTORE.certify(Key(private))
    for kind in (V1, V2, None):
        root = ROOT if kind else SIGSTORE.trusting(log=False)
        believed(SIGSTORE.evidence(signer, kind), root)


def test_a_message_signature_of_pure_ed25519_needs_the_message() -> None:
    signer = SIGSTORE.certify(Key(ed25519.Ed25519PrivateKey.generate()))
    candidate = SIGSTORE.evidence(signer, V2, message=MANIFEST)
    assert code(candidate) is RefusalCode.CERTIFICATE_BAD_SIGNATURE
    believed(replace(candidate, content=MANIFEST))


def test_content_that_is_not_the_subject_s_is_refused() -> None:
    candidate = replace(SIGSTORE.evidence(kind=HASHED, message=MANIFEST), content=b"something else")
    assert code(candidate) is RefusalCode.BUNDLE_DIGEST


def test_a_longer_digest_of_another_message_is_refused() -> None:
    signer = SIGSTORE.certify(Key(ec.generate_private_key(ec.SECP384R1())))
    document = SIGSTORE.bundle(signer, HASHED, message=MANIFEST, algorithm="sha384")
    other = hashlib.sha384(b"another").digest()
    document["messageSignature"]["messageDigest"]["digest"] = b64(other)
    candidate = replace(document_of(document), content=MANIFEST)
    assert code(candidate) is RefusalCode.BUNDLE_DIGEST


def test_older_bundles_with_a_chain_are_believed() -> None:
    for version in "12":
        document = SIGSTORE.bundle(media_type=f"application/vnd.dev.sigstore.bundle+json;version=0.{version}")
        material = document["verificationMaterial"]
        leaf = material.pop("certificate")
        material["x509CertificateChain"] = {"certificates": [leaf, {"rawBytes": b64(SIGSTORE.fulcio.chain[0].der)}]}
        believed(document_of(document))
        material["x509CertificateChain"]["certificates"].append({"rawBytes": b64(SIGSTORE.fulcio.chain[1].der)})
        assert code(document_of(document)) is RefusalCode.CERTIFICATE_MALFORMED


def test_a_chain_with_a_name_that_cannot_be_read_is_a_refusal() -> None:
    name = der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tagged(0x0C, b"\xff"))]))
    odd = odd_leaf(lambda members: [*members[:3], name, members[4], name, *members[6:]])
    document = SIGSTORE.bundle(media_type="application/vnd.dev.sigstore.bundle+json;version=0.2")
    material = document["verificationMaterial"]
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate"), {"rawBytes": b64(odd.der)}]}
    assert code(document_of(document)) is RefusalCode.CERTIFICATE_MALFORMED


def test_a_file_is_judged_by_itself_and_by_its_digest() -> None:
    bundle = SIGSTORE.evidence(kind=HASHED, message=b"a file").payload
    for artifact in (b"a file", Digest.of(b"a file")):
        assert isinstance(judge_artifact(bundle, artifact, ROOT, at=AT), VerifiedSignature)
    for artifact in (b"a file ", Digest.of(b"another")):
        found = judge_artifact(bundle, artifact, ROOT, at=AT)
        assert isinstance(found, Refusal)
        assert found.code is RefusalCode.BUNDLE_DIGEST


# --- when -------------------------------------------------------------------------------------------------------------


def test_every_proven_time_is_told() -> None:
    found = believed(SIGSTORE.evidence(stamped=2))
    assert [time.source for time in found.times] == [TimeSource.RFC3161, TimeSource.RFC3161, TimeSource.REKOR]


def stamped(*moments: datetime, kind: tuple[str, str] | None = None, log: datetime = WHEN) -> Evidence:
    """A bundle with a time-stamp of each moment."""
    sigstore = SIGSTORE
    document = sigstore.bundle(kind=kind, stamped=0, when=log)
    signature = document["dsseEnvelope"]["signatures"][0]["sig"]
    tokens = []
    for moment in moments:
        sigstore.now = moment
        tokens.append({"signedTimestamp": b64(sigstore.tsa.stamp(base64.b64decode(signature)))})
    sigstore.now = WHEN
    document["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": tokens}
    return document_of(document)


END = WHEN + timedelta(minutes=10)


def test_the_certificate_has_to_be_valid_at_every_proven_time_ends_inclusive() -> None:
    root = SIGSTORE.trusting(log=False)
    believed(stamped(WHEN), root)
    believed(stamped(END), root)
    believed(stamped(WHEN, END), root)
    for bad in (stamped(WHEN - TICK), stamped(END + TICK), stamped(WHEN, END + TICK), stamped(END + TICK, WHEN)):
        assert code(bad, root) is RefusalCode.CERTIFICATE_EXPIRED
    assert code(stamped(END + TICK, kind=V1)) is RefusalCode.CERTIFICATE_EXPIRED
    assert code(stamped(WHEN, kind=V1, log=END + TICK)) is RefusalCode.CERTIFICATE_EXPIRED


def test_without_a_proven_time_nothing_is_believed() -> None:
    assert code(SIGSTORE.evidence(kind=V2, stamped=0)) is RefusalCode.CERTIFICATE_NO_TIME
    assert (
        code(SIGSTORE.evidence(kind=V2), SIGSTORE.trusting(timestampAuthorities=[])) is RefusalCode.CERTIFICATE_NO_TIME
    )
    assert code(SIGSTORE.evidence(kind=V2), at=WHEN - TICK) is RefusalCode.CERTIFICATE_NO_TIME


def test_an_integrated_time_without_a_promise_is_no_time() -> None:
    def change(entry: dict[str, Any]) -> None:
        del entry["inclusionPromise"]

    assert code(SIGSTORE.evidence(entry=change, stamped=0)) is RefusalCode.CERTIFICATE_NO_TIME


def test_a_bad_time_stamp_beside_a_good_time_is_a_claim() -> None:
    document = SIGSTORE.bundle()
    tokens = [{"signedTimestamp": b64(b"garbage")}]
    document["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": tokens}
    found = proven(document_of(document))
    assert [claim.code for claim in found.claims] == [RefusalCode.TIME_MALFORMED]


def test_an_authority_of_the_policy_stamps_as_well_as_the_instance_s_own() -> None:
    without = SIGSTORE.trusting(timestampAuthorities=[])
    root = replace(without, authorities=(SIGSTORE.tsa.authority,))
    believed(SIGSTORE.evidence(kind=V2), root)


# --- certificates -----------------------------------------------------------------------------------------------------


def test_a_certificate_of_another_authority_is_refused() -> None:
    stranger = Fulcio(log=SIGSTORE.fulcio.log)
    signer = Signer(key := Key.new(), stranger.issue(key.private))
    assert code(SIGSTORE.evidence(signer)) is RefusalCode.CERTIFICATE_UNTRUSTED
    assert code(SIGSTORE.evidence(), SIGSTORE.trusting(certificateAuthorities=[])) is RefusalCode.CERTIFICATE_UNTRUSTED


def with_chain(*, chain: Any = None, window: dict[str, str] | None = None) -> RefusalCode | VerifiedSignature:
    """The judgement of a signature by an instance whose authority has another chain or window."""
    sigstore = VirtualSigstore(fulcio=Fulcio(chain or ca_chain()), log=SIGSTORE.log)
    authorities = sigstore.document()["certificateAuthorities"]
    if window is not None:
        authorities[0]["validFor"] = window
    found = assess(sigstore.evidence(), sigstore.trusting(certificateAuthorities=authorities), at=AT)
    return found.code if isinstance(found, Refusal) else found


def test_an_authority_speaks_in_its_window_only_ends_inclusive() -> None:
    assert isinstance(
        with_chain(window={"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T12:00:00Z"}), VerifiedSignature
    )
    for window in (
        {"start": "2026-03-01T12:00:01Z"},
        {"start": "2025-01-01T00:00:00Z", "end": "2026-03-01T11:59:59Z"},
    ):
        assert with_chain(window=window) is RefusalCode.CERTIFICATE_UNTRUSTED


def test_the_whole_chain_has_to_be_valid_at_the_time() -> None:
    ended = (datetime(2020, 1, 1, tzinfo=UTC), WHEN - TICK)
    assert with_chain(chain=ca_chain(window=ended)) is RefusalCode.CERTIFICATE_EXPIRED
    assert with_chain(chain=ca_chain(root_window=ended)) is RefusalCode.CERTIFICATE_EXPIRED
    assert isinstance(with_chain(chain=ca_chain(window=(WHEN, WHEN))), VerifiedSignature)


def test_an_authority_may_be_a_root_alone() -> None:
    assert isinstance(with_chain(chain=ca_chain(intermediate=False)), VerifiedSignature)


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=0), True)
SIGNS = (usage("key_cert_sign"), True)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [SIGNS],
        [(x509.BasicConstraints(ca=False, path_length=None), True), SIGNS],
        [AUTHORITY, (usage("crl_sign"), True)],
        [AUTHORITY, SIGNS, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)],
        [AUTHORITY, SIGNS, (UNKNOWN, True)],
        [
            AUTHORITY,
            SIGNS,
            (x509.NameConstraints(permitted_subtrees=[x509.DNSName("x")], excluded_subtrees=None), True),
        ],
        [
            AUTHORITY,
            SIGNS,
            (x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.RFC822Name("acme.test")]), False),
        ],
    ],
)
def test_an_authority_that_may_not_issue_is_refused(extensions: Sequence[tuple[x509.ExtensionType, bool]]) -> None:
    assert with_chain(chain=ca_chain(extensions=extensions)) is RefusalCode.CERTIFICATE_UNTRUSTED


def test_an_authority_without_usages_or_for_any_may_issue() -> None:
    any_usage = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False)
    for extensions in ([AUTHORITY], [AUTHORITY, SIGNS, any_usage], [AUTHORITY, SIGNS, (UNKNOWN, False)]):
        chain = ca_chain(extensions=extensions)
        sigstore = VirtualSigstore(fulcio=Fulcio(chain))
        assert proven(sigstore.evidence(), sigstore.trusting()).logged


def test_a_chain_is_no_longer_than_its_authorities_allow() -> None:
    issuing, root = ca_chain()
    below = ca_certificate("below", issuing, (WHEN, WHEN), [AUTHORITY, SIGNS])
    assert with_chain(chain=(below, issuing, root)) is RefusalCode.CERTIFICATE_UNTRUSTED
    free = ca_certificate("free", root, (WHEN, WHEN), [(x509.BasicConstraints(ca=True, path_length=None), True)])
    below = ca_certificate("below", free, (WHEN, WHEN), [AUTHORITY, SIGNS])
    assert with_chain(chain=(below, free, root)) is RefusalCode.CERTIFICATE_UNTRUSTED
    assert isinstance(with_chain(chain=(below, free)), VerifiedSignature)


def test_the_certificate_is_for_signing_and_no_authority() -> None:
    assert certified(authority=True) is RefusalCode.CERTIFICATE_USAGE
    assert isinstance(certified(authority=False), VerifiedSignature)
    assert certified(key_usage=usage("key_cert_sign")) is RefusalCode.CERTIFICATE_USAGE
    assert certified(key_usage=None) is RefusalCode.CERTIFICATE_USAGE
    assert certified(purposes=None) is RefusalCode.CERTIFICATE_USAGE


URI = x509.UniformResourceIdentifier(WORKFLOW)
MALFORMED: list[dict[str, Any]] = [
    {"names": ()},
    {"names": (x509.RFC822Name(EMAIL), URI)},
    {"names": [x509.RFC822Name(f"user{n}@acme.test") for n in range(1000)]},
    {"names": (x509.DNSName("acme.test"),)},
    {"names": (x509.UniformResourceIdentifier(""),)},
    {"names": (x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), utf8("x")),)},
    {"names": (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), b"\x04\x01x"),)},
    {"names": (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8("")),)},
    {"issuer_v1": None, "issuer_v2": None},
    {"issuer_v1": "https://elsewhere.test"},
    {"issuer_v1": b"\xff"},
    {"issuer_v2": b"bare text"},
    {"issuer_v2": utf8(ISSUER) + b"x"},
    {"more": (extension(12, b"no DER"),)},
    {"more": (extension(99, utf8("x"), critical=True),)},
    {"key": Key(ec.generate_private_key(ec.SECP256K1()))},
]


@pytest.mark.parametrize("changes", MALFORMED, ids=[f"{n}-{'-'.join(c)}" for n, c in enumerate(MALFORMED)])
def test_a_certificate_that_names_nobody_in_one_way_is_refused(changes: dict[str, Any]) -> None:
    signer = SIGSTORE.certify(**changes) if "key" not in changes else odd_key(changes["key"])
    assert code(SIGSTORE.evidence(signer)) is RefusalCode.CERTIFICATE_MALFORMED


def odd_key(key: Key) -> Signer:
    """A certificate of a curve that is not supported, carried by a key that can sign."""
    return Signer(Key.new(), SIGSTORE.fulcio.issue(key.private))


def test_bytes_that_are_no_certificate_are_refused() -> None:
    document = SIGSTORE.bundle()
    for data in (b"x", b"\x30\x00", SIGSTORE.fulcio.chain[0].der[:-1]):
        document["verificationMaterial"]["certificate"] = {"rawBytes": b64(data)}
        assert code(document_of(document)) is RefusalCode.CERTIFICATE_MALFORMED


# --- certificate transparency -----------------------------------------------------------------------------------------

LOG, STRANGER = SIGSTORE.fulcio.log, CtLog()


def timestamped(make: Callable[[x509.Certificate, x509.Certificate], Sequence[bytes]]) -> Evidence:
    return SIGSTORE.evidence(SIGSTORE.certify(timestamps=make))


def test_timestamps_of_trusted_ct_logs_are_believed() -> None:
    proven(timestamped(lambda cert, issuer: (LOG.timestamp(cert, issuer, WHEN, extensions=b"more"),)))
    proven(timestamped(lambda cert, issuer: [log.timestamp(cert, issuer, WHEN) for log in (STRANGER, LOG)]))


@pytest.mark.parametrize(
    "make",
    [
        lambda _cert, _issuer: (),
        lambda cert, issuer: (STRANGER.timestamp(cert, issuer, WHEN),),
        lambda cert, issuer: (LOG.timestamp(cert, issuer, WHEN, altered=True),),
        lambda cert, issuer: (LOG.timestamp(cert, issuer, WHEN), LOG.timestamp(cert, issuer, WHEN, altered=True)),
        lambda cert, _issuer: (LOG.timestamp(cert, SIGSTORE.fulcio.chain[1].certificate, WHEN),),
        lambda _cert, issuer: (LOG.timestamp(issuer, issuer, WHEN),),
        lambda cert, issuer: [LOG.timestamp(cert, issuer, WHEN)] * 17,
        lambda cert, issuer: (LOG.timestamp(cert, issuer, datetime(2024, 12, 31, tzinfo=UTC)),),
    ],
)
def test_certificates_that_no_trusted_ct_log_has_seen_are_refused(make: Any) -> None:
    assert code(timestamped(make)) is RefusalCode.CERTIFICATE_SCT


def test_timestamps_that_cannot_be_read_make_a_certificate_that_cannot() -> None:
    assert code(timestamped(lambda _cert, _issuer: (b"short",))) is RefusalCode.CERTIFICATE_MALFORMED


def test_a_ct_log_speaks_in_its_window_only() -> None:
    ctlogs = SIGSTORE.document()["ctlogs"]
    for end, good in (("2026-03-01T12:00:00Z", True), ("2026-03-01T11:59:59Z", False)):
        ctlogs[0]["publicKey"]["validFor"] = {"start": "2025-01-01T00:00:00Z", "end": end}
        root = SIGSTORE.trusting(ctlogs=ctlogs)
        assert isinstance(assess(SIGSTORE.evidence(), root, at=AT), VerifiedSignature) is good
    assert code(SIGSTORE.evidence(), SIGSTORE.trusting(ctlogs=[])) is RefusalCode.CERTIFICATE_SCT


def test_a_ct_log_may_have_an_rsa_key() -> None:
    log = CtLog(Key(rsa.generate_private_key(65537, 2048)))
    sigstore = VirtualSigstore(fulcio=Fulcio(log=log))
    assert isinstance(assess(sigstore.evidence(), sigstore.trusting(), at=AT), VerifiedSignature)


# --- identities -------------------------------------------------------------------------------------------------------


def test_a_name_may_be_a_uri_or_fulcio_s_other_name() -> None:
    found = believed(SIGSTORE.evidence(SIGSTORE.certify(names=(URI,))), SIGSTORE.trusting(WORKFLOW))
    assert found.identity == f"{WORKFLOW} ({ISSUER})"
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8("robot!acme"))
    believed(SIGSTORE.evidence(SIGSTORE.certify(names=(other,))), SIGSTORE.trusting("robot!acme"))


def test_either_way_of_writing_the_issuer_is_enough() -> None:
    assert isinstance(certified(issuer_v1=None), VerifiedSignature)
    assert isinstance(certified(issuer_v2=None), VerifiedSignature)


def test_a_pattern_matches_the_whole_text_only() -> None:
    candidate = SIGSTORE.evidence()
    for identity, issuer in ((r"[a-z]+@acme\.test", r"https://accounts\..*"), (r".*", re.escape(ISSUER))):
        believed(candidate, SIGSTORE.trusting(re.compile(identity), re.compile(issuer)))
    for identity, issuer in (
        (r"@acme\.test", r".*"),
        (r"[a-z]+@acme", r".*"),
        (r".*", r"https://accounts"),
        (r"RELEASE@acme\.test", r".*"),
    ):
        root = SIGSTORE.trusting(re.compile(identity), re.compile(issuer))
        assert code(candidate, root) is RefusalCode.IDENTITY_UNTRUSTED


def test_extensions_are_compared_exactly() -> None:
    values = {name: f"value of {name}" for name in EXTENSIONS}
    more = [extension(int(EXTENSIONS[name].rpartition(".")[2]), utf8(text)) for name, text in values.items()]
    candidate = SIGSTORE.evidence(SIGSTORE.certify(more=more))
    believed(candidate, SIGSTORE.trusting(extensions=tuple(values.items())))
    for name, text in values.items():
        for wrong in (text + "x", text[:-1], text.upper()):
            root = SIGSTORE.trusting(extensions=((name, wrong),))
            assert code(candidate, root) is RefusalCode.IDENTITY_EXTENSION
        assert (
            code(SIGSTORE.evidence(), SIGSTORE.trusting(extensions=((name, text),))) is RefusalCode.IDENTITY_EXTENSION
        )


def test_all_names_of_a_signer_are_told() -> None:
    (one,) = ROOT.identities
    two = replace(one, name="another", identity=re.compile(".*"))
    three = replace(one, name="nobody", identity="nobody")
    found = believed(SIGSTORE.evidence(), TrustRoot(identities=(one, two, three)))
    assert found.signers == ("another", "release")


# --- instances and logs -----------------------------------------------------------------------------------------------


def test_nothing_of_one_instance_proves_anything_to_another() -> None:
    other = VirtualSigstore("other")
    both = TrustRoot(identities=(*other.trusting().identities, *ROOT.identities))
    believed(SIGSTORE.evidence(), both)
    assert code(SIGSTORE.evidence(), other.trusting()) is RefusalCode.CERTIFICATE_NO_TIME
    mixed = VirtualSigstore("mixed", fulcio=SIGSTORE.fulcio, log=other.log)
    assert code(mixed.evidence(), both) is not None
    assert code(SIGSTORE.evidence(), SIGSTORE.trusting(EMAIL + "x")) is RefusalCode.IDENTITY_UNTRUSTED
    stranger = replace(both, identities=(*other.trusting().identities, *SIGSTORE.trusting("x").identities))
    assert code(SIGSTORE.evidence(), stranger) is RefusalCode.IDENTITY_UNTRUSTED


def test_a_log_entry_is_needed_unless_the_policy_says_otherwise() -> None:
    without = SIGSTORE.evidence(kind=None)
    assert code(without) is RefusalCode.LOG_MISSING
    found = believed(without, SIGSTORE.trusting(log=False))
    assert "transparency log: the policy asks for no entry, and there is none" in found.not_checked
    (asks,) = ROOT.identities
    lenient = replace(asks, name="lenient", log=False)
    assert believed(without, TrustRoot(identities=(asks, lenient))).signers == ("lenient",)


def test_an_entry_of_an_unknown_log_is_none() -> None:
    stranger = VirtualSigstore("other", fulcio=SIGSTORE.fulcio)
    stranger.tsa = SIGSTORE.tsa
    candidate = stranger.evidence(kind=V2)
    assert code(candidate) is RefusalCode.LOG_UNKNOWN
    believed(candidate, SIGSTORE.trusting(log=False))


def test_an_entry_that_is_not_needed_still_has_to_hold() -> None:
    candidate = SIGSTORE.evidence(body=lambda body: body["spec"]["payloadHash"].update(value="0" * 64))
    assert code(candidate, SIGSTORE.trusting(log=False)) is RefusalCode.LOG_INCONSISTENT


def test_legacy_signatures_are_believed_and_bound_as_bundles_are() -> None:
    found = believed(SIGSTORE.layer())
    assert (found.format, found.kind, found.earliest) == (Format.SIMPLESIGNING, Kind.SIGNATURE, WHEN)
    elsewhere = replace(SIGSTORE.layer(), subject=Digest.of(b"another"))
    assert code(elsewhere) is RefusalCode.SIMPLESIGNING_SUBJECT
    other = SIGSTORE.certify()
    assert other.certified is not None
    pem = other.certified.pem.decode()
    swapped = SIGSTORE.layer(annotations=lambda notes: notes.update({"dev.sigstore.cosign/certificate": pem}))
    assert code(swapped) is RefusalCode.CERTIFICATE_BAD_SIGNATURE
    unlogged = SIGSTORE.layer(annotations=lambda notes: notes.pop("dev.sigstore.cosign/bundle"))
    assert code(unlogged) is RefusalCode.CERTIFICATE_NO_TIME


def test_what_was_proven_has_a_name_for_people() -> None:
    found = proven(SIGSTORE.evidence())
    assert (found.names, found.identity, str(found.named)) == (
        ("release",),
        f"{EMAIL} ({ISSUER})",
        f"{EMAIL} ({ISSUER})",
    )
