"""Facts about images, made by hand: proven signatures and times without keys, for rules, policies and reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imgtrust.content import OCI_INDEX, OCI_MANIFEST, Descriptor, Platform
from imgtrust.evidence import Format, Kind, Statement
from imgtrust.policy.verdict import PolicyId
from imgtrust.reference import Digest, Reference
from imgtrust.refusals import RefusalCode
from imgtrust.rules.facts import ImageFacts, Integrity, IntegrityMode, SubjectFacts
from imgtrust.trust.signatures import Refusal, VerifiedSignature
from imgtrust.trust.times import TimeSource, VerifiedTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.evidence import Claim, Unread
    from imgtrust.rules.facts import Fault
    from imgtrust.trust.times import ClaimedTime

__all__ = [
    "AT",
    "CHILD",
    "POLICY",
    "REFERENCE",
    "ROOT",
    "attestation",
    "digest",
    "image",
    "judged_index",
    "key",
    "refusal",
    "signature",
    "subject",
    "time",
]

AT: Final = datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC)
REFERENCE: Final = Reference.parse("registry.example.com/team/app:1.4.2")


def digest(name: str) -> Digest:
    """A digest for a name."""
    return Digest.of(name.encode("utf-8", "surrogatepass"))


ROOT: Final = digest("root")
CHILD: Final = digest("child")
POLICY: Final = PolicyId("gate.toml", digest("policy"))


def key(name: str) -> str:
    """The identity of a key."""
    return f"key {digest(f'key of {name}')}"


def time(
    ago: timedelta = timedelta(days=3),
    *,
    source: TimeSource = TimeSource.RFC3161,
    accuracy: timedelta = timedelta(0),
    authority: str = "tsa.example.com",
) -> VerifiedTime:
    """A proven time so long before ``AT``."""
    return VerifiedTime(AT - ago, source, authority, accuracy)


def signature(
    signer: str = "release",
    *times: VerifiedTime,
    subject: Digest = ROOT,
    evidence: str = "signature",
    identity: str | None = None,
    signers: tuple[str, ...] = (),
    claims: tuple[ClaimedTime, ...] = (),
) -> VerifiedSignature:
    """A signature of the image."""
    return VerifiedSignature(
        Format.BUNDLE,
        Kind.SIGNATURE,
        signers or (signer,),
        identity or key(signer),
        subject,
        digest(evidence),
        None,
        times,
        claims,
    )


def attestation(
    predicate_type: str,
    signer: str = "ci",
    *times: VerifiedTime,
    predicate: object = None,
    evidence: str = "attestation",
    subject: Digest = ROOT,
) -> VerifiedSignature:
    """An attestation about the image."""
    statement = Statement(predicate_type, (subject.encoded,), predicate)
    made = signature(signer, *times, subject=subject, evidence=evidence)
    return replace(made, kind=Kind.ATTESTATION, statement=statement)


def refusal(
    code: RefusalCode = RefusalCode.BUNDLE_UNTRUSTED_KEY,
    reason: str = "signed by key a81c77e0, which the policy does not name",
    evidence: str = "refused",
    kind: Format = Format.BUNDLE,
) -> Refusal:
    """A piece of evidence that is not believed."""
    return Refusal(kind, digest(evidence), ROOT, code, reason)


def subject(
    name: str = "root",
    *signatures: VerifiedSignature,
    platform: str | None = None,
    refusals: Sequence[Refusal] = (),
    unread: Sequence[Unread] = (),
    claims: Sequence[Claim] = (),
    media_type: str = OCI_MANIFEST,
) -> SubjectFacts:
    """What is known about one manifest."""
    return SubjectFacts(
        Descriptor(media_type, digest(name), 500),
        None if platform is None else Platform(*platform.split("/")),
        signatures,
        tuple(refusals),
        tuple(claims),
        tuple(unread),
    )


def image(
    *signatures: VerifiedSignature,
    refusals: Sequence[Refusal] = (),
    unread: Sequence[Unread] = (),
    claims: Sequence[Claim] = (),
    children: Sequence[SubjectFacts] = (),
    faults: Sequence[Fault] = (),
    mode: IntegrityMode = IntegrityMode.FULL,
    checked: int = 14,
    at: datetime = AT,
    reference: Reference = REFERENCE,
) -> ImageFacts:
    """One image with this evidence on its root."""
    root = subject(
        "root",
        *signatures,
        refusals=refusals,
        unread=unread,
        claims=claims,
        media_type=OCI_INDEX if children else OCI_MANIFEST,
    )
    integrity = Integrity(mode, 1 + len(children), 14, checked, 432_013_312, tuple(faults))
    return ImageFacts(reference, root, tuple(children), integrity, at)


def judged_index(*signatures: VerifiedSignature) -> ImageFacts:
    """An index with two platforms, with this evidence on the index."""
    children = (subject("amd64", platform="linux/amd64"), subject("arm64", platform="linux/arm64"))
    return image(*signatures, children=children)
