"""The second opinion: asked about all that it can read, said where it is not, and its no is a no."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography import x509

from imgtrust.content import describe
from imgtrust.evidence import Evidence, Format
from imgtrust.formats import read
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keyless
from imgtrust.trust.identities import EXTENSIONS
from imgtrust.trust.question import POLICIES
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.secondopinion import Agreement, Disagreement, NotSupported, second_opinion
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource
from tests.simulators.evidence import MANIFEST, Key
from tests.simulators.fulcio import ISSUER, WHEN, extension, utf8
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore
from tests.simulators.translog import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import LogEntry, Signed
    from imgtrust.trust.anchors import SigstoreRoot, TrustedIdentity
    from imgtrust.trust.keyless import Keyless
    from imgtrust.trust.times import VerifiedTime

SIGSTORE: Final = VirtualSigstore()
HASHED: Final = ("hashedrekord", "0.0.1")
YOUNG: Final = VirtualSigstore(log=Log("rekor.acme.test", leaves=[], before=0))
"""An instance whose log is empty."""
AT: Final = WHEN + timedelta(days=1)
WORKFLOW: Final = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
DETAILS: Final = {name: f"the {name}" for name in EXTENSIONS}

MESSAGE: Final[dict[str, Any]] = {"kind": V2, "message": MANIFEST}
STATEMENT: Final[dict[str, Any]] = {"kind": V2}
PROMISED: Final[dict[str, Any]] = {"kind": V1}


def workflow() -> Signer:
    """Somebody whose certificate has everything that a policy may ask for."""
    more = [extension(int(oid.rpartition(".")[2]), utf8(DETAILS[name])) for name, oid in EXTENSIONS.items()]
    return SIGSTORE.certify(names=(x509.UniformResourceIdentifier(WORKFLOW),), more=more)


class Case:
    """One bundle that we believe, with all that is asked about it."""

    def __init__(self, shape: dict[str, Any]) -> None:
        self.evidence = SIGSTORE.evidence(workflow(), **shape)
        self.root = SIGSTORE.trusting(WORKFLOW)
        self.signed = read(self.evidence)
        self.found: Keyless = keyless.verify(self.signed, self.evidence, self.root, at=AT)

    def ask(
        self,
        *,
        evidence: Evidence | None = None,
        signed: Signed | None = None,
        trusted: tuple[TrustedIdentity, ...] = (),
        times: tuple[VerifiedTime, ...] | None = None,
    ) -> Agreement | Disagreement | NotSupported:
        return second_opinion(
            evidence or self.evidence,
            signed or self.signed,
            trusted or self.found.trusted,
            self.found.times if times is None else times,
        )

    def instance(self, **changes: Any) -> tuple[TrustedIdentity, ...]:
        """The identity under another instance."""
        (identity,) = self.found.trusted
        root: SigstoreRoot = replace(identity.root, **changes)
        return (replace(identity, root=root),)

    def entry(self, **changes: Any) -> Signed:
        """What was read, with another log entry."""
        entry: LogEntry = replace(self.signed.log_entries[0], **changes)
        return replace(self.signed, log_entries=(entry,))

    def payload(self, change: Callable[[dict[str, object]], object]) -> Evidence:
        """The evidence with another bundle."""
        bundle = json.loads(self.evidence.payload)
        change(bundle)
        payload = json.dumps(bundle).encode()
        layer = describe(payload, BUNDLE_TYPE)
        return replace(self.evidence, payload=payload, layer=layer, digest=layer.digest)


SHAPES: Final[list[dict[str, Any]]] = [MESSAGE, STATEMENT, PROMISED, {"kind": HASHED, "message": MANIFEST}]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_bundle_of_a_known_shape_is_believed_by_both(shape: dict[str, Any]) -> None:
    answer = Case(shape).ask()
    assert isinstance(answer, Agreement), answer
    assert answer.by.startswith("sigstore-python ")


def test_the_report_of_a_signature_says_that_both_agree() -> None:
    case = Case(MESSAGE)
    found = assess(case.evidence, case.root, at=AT)
    assert isinstance(found, VerifiedSignature)
    assert found.second_opinion.endswith("agrees")


def test_patterns_are_asked_there_too() -> None:
    case = Case(MESSAGE)
    (identity,) = case.found.trusted
    pattern = replace(identity, identity=re.compile("https://.*/main"), issuer=re.compile(f"{ISSUER}|x"))
    assert isinstance(case.ask(trusted=(pattern,)), Agreement)
    for other in (replace(pattern, identity=re.compile("https")), replace(pattern, issuer=re.compile("x"))):
        answer = case.ask(trusted=(identity, other))
        assert isinstance(answer, Disagreement)
        assert "of the certificate matches" in answer.reason


def test_another_identity_or_issuer_is_refused_there_too() -> None:
    case = Case(MESSAGE)
    (identity,) = case.found.trusted
    for other in (replace(identity, identity="x"), replace(identity, issuer="x")):
        assert isinstance(case.ask(trusted=(other,)), Disagreement)


def test_every_extension_of_a_policy_is_asked_there_too() -> None:
    assert set(POLICIES) == set(EXTENSIONS)
    case = Case(MESSAGE)
    (identity,) = case.found.trusted
    assert isinstance(case.ask(trusted=(replace(identity, extensions=case.found.named.extensions),)), Agreement)
    for name in EXTENSIONS:
        answer = case.ask(trusted=(replace(identity, extensions=((name, "other"),)),))
        assert isinstance(answer, Disagreement), name


def test_an_image_that_the_bundle_is_not_about_is_refused_there_too() -> None:
    case = Case(MESSAGE)
    other = replace(case.evidence, subject=Digest.of(b"another image"))
    assert isinstance(case.ask(evidence=other), Disagreement)


def test_an_altered_signature_is_refused_there_too() -> None:
    case = Case(STATEMENT)

    def alter(bundle: dict[str, object]) -> None:
        envelope = bundle["dsseEnvelope"]
        assert isinstance(envelope, dict)
        envelope["payload"] = envelope["payload"][:-4] + "fQ=="

    assert isinstance(case.ask(evidence=case.payload(alter)), Disagreement)


def test_a_bundle_that_it_cannot_even_read_is_a_no() -> None:
    case = Case(MESSAGE)
    answer = case.ask(evidence=case.payload(lambda bundle: bundle.update(surprise=1)))
    assert isinstance(answer, Disagreement)
    assert answer.reason


def test_another_reading_of_the_payload_is_a_no() -> None:
    case = Case(STATEMENT)
    answer = case.ask(signed=replace(case.signed, message=b"something else"))
    assert answer == Disagreement(
        answer.by if isinstance(answer, Disagreement) else "", "it reads another payload in the envelope"
    )
    assert isinstance(case.ask(signed=replace(case.signed, message=None)), Disagreement)


def test_a_disagreement_rejects_and_shows_both_answers() -> None:
    """The same token twice: here it counts once, there it is an error."""
    case = Case(MESSAGE)

    def twice(bundle: dict[str, object]) -> None:
        material = bundle["verificationMaterial"]
        assert isinstance(material, dict)
        material["timestampVerificationData"]["rfc3161Timestamps"] *= 2

    found = assess(case.payload(twice), case.root, at=AT)
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.SECOND_OPINION
    assert f"imgtrust finds a signature by {WORKFLOW} ({ISSUER})" in found.reason
    assert "does not: duplicate timestamp found" in found.reason


def test_shapes_that_it_cannot_read_are_said() -> None:
    case = Case(MESSAGE)
    entry = case.signed.log_entries[0]
    proof = entry.proof
    assert proof is not None
    promised = replace(entry, kind="intoto", version="0.0.2", promise=b"x")
    answers = [
        (case.ask(signed=replace(case.signed, format=Format.SIMPLESIGNING)), "it reads Sigstore bundles only"),
        (case.ask(signed=replace(case.signed, log_entries=())), "there is none"),
        (case.ask(signed=case.entry(log_id=b"x")), "an entry of one of the instance's logs"),
        (case.ask(signed=case.entry(proof=None)), "an inclusion proof with a checkpoint"),
        (case.ask(signed=case.entry(proof=replace(proof, checkpoint=None))), "an inclusion proof with a checkpoint"),
        (
            case.ask(signed=replace(case.signed, log_entries=(promised,))),
            "no promise of a log for entries of kind intoto",
        ),
        (case.ask(times=()), "no time beside an entry that has none"),
        (case.ask(times=(replace(case.found.times[0], source=TimeSource.REKOR),)), "no time beside an entry"),
        (case.ask(trusted=case.instance(raw=b"{}")), "cannot use the trusted root"),
    ]
    for answer, said in answers:
        assert isinstance(answer, NotSupported), said
        assert said in answer.reason


def test_keys_are_never_asked_about() -> None:
    signer = Signer(Key.new())
    found = assess(SIGSTORE.evidence(signer), SIGSTORE.trusting_key(signer), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert (found.second_opinion, found.not_checked) == ("", ())


@pytest.mark.parametrize(
    ("instance", "make", "said"),
    [
        (
            SIGSTORE,
            lambda: SIGSTORE.evidence(kind=("intoto", "0.0.2")),
            "it counts no promise of a log for entries of kind intoto 0.0.2",
        ),
        (SIGSTORE, SIGSTORE.layer, "it reads Sigstore bundles only"),
    ],
)
def test_what_it_does_not_judge_is_said_with_the_signature(
    instance: VirtualSigstore, make: Callable[[], Evidence], said: str
) -> None:
    found = assess(make(), instance.trusting(), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert found.second_opinion == f"not judged by sigstore-python: {said}"
    assert found.not_checked == (f"second opinion: sigstore-python does not judge this shape ({said})",)


def test_a_trust_root_without_identities_asks_nobody() -> None:
    case = Case(MESSAGE)
    found = assess(case.evidence, TrustRoot(), at=AT)
    assert isinstance(found, Refusal)
