"""The second opinion: sigstore-python's ``Verifier`` is asked about each keyless bundle that it can read. Pure.

Knows which shapes it cannot judge, whole or in part, and what its answer means (sigstore-python.md section 1). It is
asked after our own answer was yes, and only its no counts: it adds no belief, it takes some away. The time of judgement
is not passed to it, since its API takes none; it looks at its own clock in one place alone (a key or authority that is
not valid yet). What is dated after the time of judgement was refused before, and nothing else that it checks depends on
today.

Nobody can have it silenced by what nobody signed (docs/threat-model.md, "The second opinion"): each entry of a log that
is trusted is asked about by itself, tokens are left in, and where the signature or the entry is of a kind that it does
not read, its no about everything before that still counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Format
from imgtrust.formats.dsse import pae
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sigstore.verify import Verifier

    from imgtrust.evidence import Evidence, LogEntry, Signed
    from imgtrust.trust.anchors import SigstoreRoot, TrustedIdentity
    from imgtrust.trust.times import TimestampAuthority, VerifiedTime

__all__ = ["Agreement", "Disagreement", "NotSupported", "second_opinion"]

_READ: Final = {
    "statement": frozenset({("dsse", "0.0.1"), ("hashedrekord", "0.0.2")}),
    "message": frozenset({("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2")}),
}
"""Kinds and versions of log entries that it compares with a DSSE envelope and with a message signature."""
_DATED: Final = frozenset({("dsse", "0.0.1"), ("hashedrekord", "0.0.1")})
"""Those whose promised time it counts; it refuses a promise with any other."""
_LONGEST: Final = 300

_ENTRY: Final = ("VerificationError: Unsupported DSSE log entry type",)
"""What it says of entries of a kind that it does not compare."""
_DIGEST: Final = ("Error: unknown hash algorithm",)
"""What it says of digests other than SHA-256."""
_KEY: Final = (
    "TypeError: ",
    "VerificationError: DSSE: invalid signature",
    "VerificationError: Signature is invalid for input",
    "VerificationError: transparency log entry is inconsistent",
    *_ENTRY,
)
"""What it says of signatures by keys that it takes for ECDSA with SHA-256, and of their entries."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """It believes the bundle as well; ``by`` is who was asked."""

    by: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """It does not believe the bundle, for its own ``reason``."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotSupported:
    """It cannot judge this, or a part of it; ``reason`` says what."""

    reason: str


Answer = Agreement | Disagreement | NotSupported


@dataclass(frozen=True, slots=True)
class _Believed:
    """What we believe, of whom."""

    evidence: Evidence
    signed: Signed
    trusted: Sequence[TrustedIdentity]


@dataclass(frozen=True, slots=True)
class _Limit:
    """Something of a shape that it does not judge, and the words in which it says so."""

    reason: str
    words: tuple[str, ...]


def second_opinion(
    evidence: Evidence,
    signed: Signed,
    trusted: Sequence[TrustedIdentity],
    times: Sequence[VerifiedTime],
    authorities: Sequence[TimestampAuthority] = (),
) -> Answer:
    """Ask about a bundle that we believe; ``trusted`` are the identities (of one instance) and ``times`` the proofs.

    ``authorities``: who may stamp beside the instance's own. The shape decides what is asked; from then on all that it
    raises is a no, whatever the kind, but for the words of the part that it cannot judge.
    """
    instance = trusted[0].root
    numbers = _entries(signed, instance)
    reason = next(_unreadable(signed, numbers), None)
    if reason is not None:
        return NotSupported(reason)
    from imgtrust.trust import question  # noqa: PLC0415 - it comes with 0.3 s of imports

    stamping = question.named_leaves(dict.fromkeys((*instance.authorities, *authorities)), signed.timestamps)
    try:
        verifier = question.verifier(instance.raw, stamping)
    except Exception as exc:  # noqa: BLE001 - raw pydantic errors among others; the root is ours, no bundle's
        return NotSupported(f"it cannot use the trusted root {instance.name}: {_said(exc)}")
    believed = _Believed(evidence, signed, trusted)
    answers: list[Answer] = []
    for number in numbers:
        undated = next(_undated(signed.log_entries[number], times), None)
        if undated is not None:
            answers.append(NotSupported(undated))
            continue
        bundle = question.about(evidence.payload, number, stamped=bool(stamping))
        answers.append(_ask(verifier, bundle, believed, tuple(_limits(signed, signed.log_entries[number]))))
    return _together(answers)


def _together(answers: Sequence[Answer]) -> Answer:
    """One answer about all entries: a no counts more than what could not be judged, and that more than a yes."""
    for kind in (Disagreement, NotSupported):
        for answer in answers:
            if isinstance(answer, kind):
                return answer
    return answers[0]


def _entries(signed: Signed, instance: SigstoreRoot) -> list[int]:
    """The places of the entries that our yes rests upon: those of the instance's logs, each once."""
    known = {log.log_id for log in instance.logs}
    places = {entry: number for number, entry in reversed(list(enumerate(signed.log_entries)))}
    return sorted(number for entry, number in places.items() if entry.log_id in known)


def _unreadable(signed: Signed, numbers: Sequence[int]) -> Iterator[str]:
    """Why it cannot be asked at all."""
    if signed.format is not Format.BUNDLE:
        yield "it reads Sigstore bundles only"
    if not numbers:
        yield "it wants an entry of one of the instance's logs, and there is none"
    for number in numbers:
        proof = signed.log_entries[number].proof
        if proof is None or proof.checkpoint is None:
            yield "it wants an inclusion proof with a checkpoint"


def _undated(entry: LogEntry, times: Sequence[VerifiedTime]) -> Iterator[str]:
    """Why it finds no time with one of the entries."""
    if entry.promise is not None and (entry.kind, entry.version) not in _DATED:
        yield f"it counts no promise of a log for entries of kind {entry.kind} {entry.version}"
    if entry.promise is None and all(time.source is TimeSource.REKOR for time in times):
        yield "it finds no time beside an entry that has none"


def _limits(signed: Signed, entry: LogEntry) -> Iterator[_Limit]:
    """What it cannot judge of a bundle that it can read."""
    from cryptography import x509  # noqa: PLC0415 - as everywhere
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    key = x509.load_der_x509_certificate(signed.certificates[0]).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        yield _Limit("it verifies ECDSA P-256 with SHA-256 only", _KEY)
    if signed.digest_algorithm != "sha256":
        yield _Limit("it knows sha256 only", _DIGEST)
    if (entry.kind, entry.version) not in _READ["statement" if signed.message_digest is None else "message"]:
        yield _Limit(f"it does not read log entries of kind {entry.kind} {entry.version} for this", _ENTRY)


def _ask(verifier: Verifier, bundle: bytes, believed: _Believed, limits: Sequence[_Limit]) -> Answer:
    """Its answer about a bundle with one log entry."""
    import sigstore  # noqa: PLC0415 - 0.3 s, for keyless bundles alone
    from sigstore.models import Bundle  # noqa: PLC0415 - as above

    from imgtrust.trust import question  # noqa: PLC0415 - as above

    by = f"sigstore-python {sigstore.__version__}"
    signed, heard = believed.signed, question.asked_of(believed.trusted)
    try:
        read = Bundle.from_json(bundle)
        if signed.message_digest is None:
            if pae(*verifier.verify_dsse(read, heard)) != signed.message:
                return Disagreement(by, "it reads another payload in the envelope")
        else:
            subject, named = believed.evidence.subject, signed.digest_algorithm
            digest = subject.encoded if subject.algorithm == named else signed.message_digest
            verifier.verify_artifact(question.named_message(named, digest), read, heard)
    except Exception as exc:  # noqa: BLE001 - ValueError, TypeError, x509 and pydantic errors escape it (1.3)
        said = f"{type(exc).__name__}: {exc}"
        for limit in limits:
            if heard.content and said.startswith(limit.words):
                return NotSupported(f"{limit.reason}; it agrees about the certificate and the log")
        return Disagreement(by, _said(exc))
    return Agreement(by)


def _said(exc: Exception) -> str:
    """What it says, on one line."""
    text = " ".join(str(exc).split()) or type(exc).__name__
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
