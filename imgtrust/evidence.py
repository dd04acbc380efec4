"""What was found about an image (raw), and what was parsed from it (unverified). Pure.

``Evidence`` is bytes and what a *store* says they are about: nothing in it is true. ``Signed`` is what a format
read from those bytes: nothing in it is verified. Belief begins in ``trust.signatures.assess``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.content import Descriptor, Platform
    from imgtrust.reference import Digest

__all__ = [
    "Claim",
    "Evidence",
    "Format",
    "Found",
    "InclusionProof",
    "Kind",
    "LogEntry",
    "NotaryClaims",
    "Origin",
    "Signed",
    "Statement",
    "Unread",
]


class Format(StrEnum):
    """The signature formats of the report (CLI.md section 5)."""

    BUNDLE = "sigstore-bundle"
    SIMPLESIGNING = "cosign-simplesigning"
    NOTARY_JWS = "notary-jws"
    NOTARY_COSE = "notary-cose"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """How a store led to a piece of evidence."""

    REFERRER = "referrer"
    LEGACY_TAG = "legacy-tag"


class Kind(StrEnum):
    """What a verified piece of evidence is: only a signature is a signature for the gate."""

    SIGNATURE = "signature"
    ATTESTATION = "attestation"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One candidate: the bytes of one layer of an attached manifest.

    ``subject`` is the digest that was asked about. ``digest`` names this evidence in reports: the referrer's
    manifest, or for a legacy tag (whose manifest changes with each signature) the layer. ``layer`` has the
    media type and the annotations of the layer, where cosign's legacy format keeps the signature itself.
    ``problem`` is set instead of ``payload`` where the store's answer alone already shows that the evidence
    cannot be believed (a blob that is absent or altered, a manifest that breaks its specification); it is a
    pair of refusal code and reason. ``content`` is the bytes of the subject where the caller has them: pure Ed25519,
    SHA-384 and SHA-512 over a whole message can be judged only then.
    """

    subject: Digest
    digest: Digest
    origin: Origin
    layer: Descriptor
    payload: bytes = field(default=b"", repr=False)
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    problem: tuple[str, str] | None = None
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Unread:
    """Evidence that is listed and could not be read, or a list that could not be read to its end; why, in words."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Something attached without a signature: a plain SBOM referrer, BuildKit's attestation. Shown, never used."""

    subject: Digest
    digest: Digest
    artifact_type: str
    description: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that one store has about one manifest (``subject``)."""

    subject: Digest
    evidence: tuple[Evidence, ...] = ()
    claims: tuple[Claim, ...] = ()
    unread: tuple[Unread, ...] = ()
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """An in-toto statement, parsed and unverified (in-toto attestation spec v1, statement.md; v0.1 too).

    ``subjects`` are the sha256 digests named, as 64 lower-case hex digits. ``predicate`` is parsed JSON of any
    kind: cosign stores SPDX tag-value as a string. None where the predicate is absent.
    """

    predicate_type: str
    subjects: tuple[str, ...]
    predicate: object = field(repr=False, default=None)
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """A Merkle inclusion proof as a bundle carries it (RFC 6962), with the signed note it leads to; unverified."""

    log_index: int
    tree_size: int
    root_hash: bytes = field(repr=False)
    hashes: tuple[bytes, ...] = field(repr=False)
    checkpoint: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a transparency log, parsed and unverified (protobuf-specs ``sigstore_rekor.proto``).

    ``body`` is the canonicalized body, ``promise`` the signed entry timestamp (Rekor v1). ``integrated_time`` is in
    seconds since 1970, 0 where there is none. ``kind`` and ``version`` are what the bundle says, empty where it says
    nothing (cosign's legacy annotation); the body has its own.
    """

    kind: str
    version: str
    log_id: bytes
    log_index: int
    integrated_time: int
    body: bytes = field(repr=False)
    promise: bytes | None = field(default=None, repr=False)
    proof: InclusionProof | None = None


@dataclass(frozen=True, slots=True)
class NotaryClaims:
    """The signed header of a Notary envelope, parsed and unverified (notary.md 3 and 4).

    ``scheme``: ``notary.x509`` or ``notary.x509.signingAuthority``. Times are aware, None where absent.
    ``critical`` are the names that must be understood; ``attributes`` the extended ones with their text.
    ``target`` is the descriptor in the payload (media type, digest, size).
    """

    scheme: str
    algorithm: str
    signing_time: datetime | None
    authentic_time: datetime | None
    expiry: datetime | None
    critical: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    target: Descriptor


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature as its format reads it: parsed, unverified.

    ``message`` is the exact bytes that ``signature`` covers (the DSSE PAE, or the payload itself); for a bundle
    with a message signature the message is the image's manifest, which is not in the bundle, so ``message`` is None
    and ``message_digest`` the digest that the bundle names, made with ``digest_algorithm`` (``sha256``, ``sha384``
    or ``sha512``). ``payload`` is the payload of a DSSE envelope, ``envelope`` the envelope's own bytes where it
    stands alone (``.att``). ``stamped`` are the byte strings whose time-stamp counts as this signature's (cosign's
    ``.att`` stamps either the signature or the whole envelope). ``timestamps`` are DER TimeStampResp. ``key_hint``
    only hints. ``statement`` is None for simple signing and for message signatures, whose ``subjects`` are kept
    here instead. ``certificates`` are DER, leaf first; a signature has either those or a key behind it, never both.
    ``notary`` is set for Notary envelopes alone.
    """

    format: Format
    kind: Kind
    signature: bytes = field(repr=False)
    message: bytes | None = field(repr=False)
    subjects: tuple[str, ...]
    statement: Statement | None = None
    message_digest: str | None = None
    digest_algorithm: str = "sha256"
    payload: bytes | None = field(default=None, repr=False)
    envelope: bytes | None = field(default=None, repr=False)
    key_hint: str | None = None
    stamped: tuple[bytes, ...] = field(default=(), repr=False)
    timestamps: tuple[bytes, ...] = field(default=(), repr=False)
    log_entries: tuple[LogEntry, ...] = ()
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    notary: NotaryClaims | None = None
    annotations: tuple[tuple[str, str], ...] = ()
