"""What signing an image is, before anything is attached: statement, signature, time-stamps, and the proof of it all.

Knows which bytes are signed in which format; must not know where they go. Every signature is judged under its own
key, with the same function that judges everybody's, before it leaves this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.holding import Held, SignFormat, Signing, hold, log_entries
from imgtrust.content import Descriptor, describe
from imgtrust.errors import KeyUnusable, ServiceError, UsageError
from imgtrust.evidence import Evidence, Format, Origin
from imgtrust.formats.attachments import BUNDLE_TYPE, Suffix
from imgtrust.formats.bundle import write_bundle
from imgtrust.formats.dsse import PAYLOAD_TYPE, pae, write_envelope
from imgtrust.formats.mediatypes import DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.formats.simplesigning import (
    BUNDLE_ANNOTATION,
    PREDICATE_TYPE_ANNOTATION,
    TIMESTAMP_ANNOTATION,
    signature_annotations,
    write_payload,
)
from imgtrust.formats.statement import SIGN_PREDICATE, TYPE_V01, write_statement
from imgtrust.signers.notary import EnvelopeSigner
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import ClaimedTime, TimeSource, check_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.evidence import LogEntry
    from imgtrust.reference import Digest, Repository
    from imgtrust.trust.times import VerifiedTime

__all__ = ["Made", "SignFormat", "Signing", "find_same", "make_attestation", "make_signature"]

_ALGORITHM: Final = "sha256"


@dataclass(frozen=True, slots=True)
class Made:
    """A signature that verifies under its own key or identity, ready to be attached.

    ``payload`` is the blob and ``layer`` its descriptor (with the annotations that cosign's legacy layers carry).
    ``suffix`` is the legacy tag it belongs under, None for a bundle. ``times`` are what the time-stamp authorities
    said: proven where their anchors are known, else as they said it. ``signer`` is who signed, for people. ``logged``:
    the address of each log that has an entry, and its number there.
    """

    subject: Descriptor
    format: Format
    layer: Descriptor
    payload: bytes = field(repr=False)
    predicate_type: str | None
    suffix: Suffix | None
    times: tuple[VerifiedTime | ClaimedTime, ...]
    signer: str
    logged: tuple[tuple[str, int], ...] = ()


def make_signature(signing: Signing, subject: Descriptor, repository: Repository) -> Made:
    """Sign the digest of an image: cosign's sign statement in a bundle, or a simple-signing payload.

    Raises:
        UsageError: the digest is of a kind that no format can name.
        KeyUnusable: what the key signed does not verify.
        TimestampError: an authority gave no token that can be used.
        ServiceError: Fulcio or a log gave nothing that can be used, or what they gave does not verify.
        Undecided: the holder of the key cannot be reached.
    """
    _check_subject(subject)
    if isinstance(signing.signer, EnvelopeSigner):
        from imgtrust.commands.notarysigning import make_envelope  # noqa: PLC0415 - X.509 is slow to import

        wrapped = make_envelope(signing, signing.signer, subject)
        name = signing.signer_name
        return Made(subject, Format.NOTARY_JWS, wrapped.layer, wrapped.payload, None, None, wrapped.times, name)
    if signing.format is SignFormat.BUNDLE:
        statement = write_statement(subject.digest, SIGN_PREDICATE, {}, annotations=dict(signing.annotations))
        return _bundle(signing, subject, statement, SIGN_PREDICATE)
    held = hold(signing)
    payload = write_payload(str(repository), subject.digest, dict(signing.annotations))
    signature = held.signer.sign(payload)
    tokens, claims = _stamp(signing, signature)
    logged = _log(signing, held, payload, signature)
    found = signature_annotations(signature, tokens[0] if tokens else None, next(iter(logged.entries), None))
    layer = _annotated(payload, SIMPLESIGNING_LAYER, found)
    claims += logged.claims
    made = Made(subject, Format.SIMPLESIGNING, layer, payload, None, Suffix.SIG, claims, held.name, logged.places)
    return _proven(signing, held, made)


def make_attestation(
    signing: Signing, subject: Descriptor, repository: Repository, predicate_type: str, predicate: object
) -> Made:
    """Sign a statement about an image; ``predicate`` is any JSON value, ``predicate_type`` a URI.

    Raises:
        UsageError: the digest is of a kind that no format can name.
        KeyUnusable: what the key signed does not verify.
        TimestampError: an authority gave no token that can be used.
        ServiceError: Fulcio or a log gave nothing that can be used, or what they gave does not verify.
        Undecided: the holder of the key cannot be reached.
    """
    _check_subject(subject)
    annotations = dict(signing.annotations)
    if signing.format is SignFormat.BUNDLE:
        statement = write_statement(subject.digest, predicate_type, predicate, annotations=annotations)
        return _bundle(signing, subject, statement, predicate_type)
    statement = write_statement(
        subject.digest,
        predicate_type,
        predicate,
        name=str(repository),
        annotations=annotations,
        statement_type=TYPE_V01,
    )
    held = hold(signing)
    message = pae(PAYLOAD_TYPE, statement)
    signature = held.signer.sign(message)
    envelope = write_envelope(statement, signature)
    # cosign verifies the time-stamp of a legacy attestation over the whole envelope (cosign.md 1a).
    tokens, claims = _stamp(signing, envelope)
    logged = _log(signing, held, message, signature, statement)
    found = signature_annotations(b"", tokens[0] if tokens else None, next(iter(logged.entries), None))
    layer = _annotated(envelope, DSSE_LAYER, {**found, PREDICATE_TYPE_ANNOTATION: predicate_type})
    claims += logged.claims
    made = Made(
        subject, Format.SIMPLESIGNING, layer, envelope, predicate_type, Suffix.ATT, claims, held.name, logged.places
    )
    return _proven(signing, held, made)


def find_same(
    signing: Signing, subject: Descriptor, repository: Repository, layers: Sequence[Descriptor]
) -> Made | None:
    """The legacy signature of the same payload by the same key among ``layers``, or None.

    Where a time-stamp or a log entry is asked for, one without does not count.
    """
    held = hold(signing)
    payload = write_payload(str(repository), subject.digest, dict(signing.annotations))
    digest = describe(payload, SIMPLESIGNING_LAYER).digest
    for layer in layers:
        if layer.media_type != SIMPLESIGNING_LAYER or layer.digest != digest:
            continue
        if signing.timestampers and layer.annotation(TIMESTAMP_ANNOTATION) is None:
            continue
        if signing.logs and layer.annotation(BUNDLE_ANNOTATION) is None:
            continue
        made = Made(subject, Format.SIMPLESIGNING, layer, payload, None, Suffix.SIG, (), held.name)
        if not isinstance(_judge(signing, held, made), Refusal):
            return made
    return None


def _bundle(signing: Signing, subject: Descriptor, statement: bytes, predicate_type: str) -> Made:
    """A v0.3 bundle around a statement."""
    held = hold(signing)
    message = pae(PAYLOAD_TYPE, statement)
    signature = held.signer.sign(message)
    tokens, claims = _stamp(signing, signature)
    logged = _log(signing, held, message, signature, statement)
    bundle = write_bundle(
        key_hint=held.signer.public_key.hint if held.certificate is None else None,
        certificate=held.certificate,
        signature=signature,
        statement=statement,
        timestamps=tokens,
        log_entries=logged.entries,
    )
    claims += logged.claims
    layer = describe(bundle, BUNDLE_TYPE)
    made = Made(subject, Format.BUNDLE, layer, bundle, predicate_type, None, claims, held.name, logged.places)
    return _proven(signing, held, made)


@dataclass(frozen=True, slots=True)
class _Entered:
    """What the logs gave: entries, the times that they say, and where they are."""

    entries: tuple[LogEntry, ...] = ()
    claims: tuple[ClaimedTime, ...] = ()
    places: tuple[tuple[str, int], ...] = ()


def _log(signing: Signing, held: Held, message: bytes, signature: bytes, statement: bytes | None = None) -> _Entered:
    """An entry of each log; of a payload, or of an envelope around a statement."""
    if not signing.logs:
        return _Entered()
    from imgtrust.signers.logged import Logged  # noqa: PLC0415 - only where something is logged

    found = log_entries(signing, Logged(message, signature, held.signer.public_key, held.certificate, statement))
    return _Entered(
        tuple(entry for entry, _ in found),
        tuple(claim for _, claim in found if claim is not None),
        tuple((log.url, entry.log_index) for log, (entry, _) in zip(signing.logs, found, strict=True)),
    )


def _stamp(signing: Signing, message: bytes) -> tuple[list[bytes], tuple[ClaimedTime, ...]]:
    """One token of each authority, and the times that they say; all or none."""
    tokens = [stamper.stamp(message) for stamper in signing.timestampers]
    named = zip(tokens, signing.timestampers, strict=True)
    return tokens, tuple(
        ClaimedTime(check_response(token, message, None), TimeSource.RFC3161, stamper.name) for token, stamper in named
    )


def _proven(signing: Signing, held: Held, made: Made) -> Made:
    """The same, after it verified under the signer's own anchors, and with the times that could be proven.

    In a Sigstore instance each token has to be of an authority that its trusted root knows: one of somebody else's
    would be attached for nothing, and be missed when the log's own time is not enough.
    """
    outcome = _judge(signing, held, made)
    if isinstance(outcome, Refusal) and (held.certificate is not None or signing.logs):
        message = (
            f"the signature that was just made for {made.subject.digest} by {held.name} does not verify "
            f"({outcome.code}: {outcome.reason}); nothing was attached"
        )
        raise ServiceError(message)
    if isinstance(outcome, Refusal):
        message = (
            f"the signature that was just made for {made.subject.digest} does not verify under its own public key "
            f"({outcome.reason}); nothing was attached"
        )
        raise KeyUnusable(message)
    if held.certificate is not None and _stamps(outcome.times) < _stamps(made.times):
        asked = ", ".join(stamper.name for stamper in signing.timestampers)
        message = (
            f"a time-stamp for {made.subject.digest} proves nothing under the trusted root: expected tokens of "
            f"authorities that it knows from {asked}; nothing was attached"
        )
        raise ServiceError(message)
    return replace(made, times=outcome.times) if outcome.times else made


def _stamps(times: Iterable[VerifiedTime | ClaimedTime]) -> int:
    """How many of the times are those of tokens."""
    return sum(time.source is TimeSource.RFC3161 for time in times)


def _judge(signing: Signing, held: Held, made: Made) -> VerifiedSignature | Refusal:
    """Judge a signature as everybody else will, with the signer's own public key or identity as the only anchor."""
    origin = Origin.REFERRER if made.suffix is None else Origin.LEGACY_TAG
    evidence = Evidence(made.subject.digest, made.layer.digest, origin, made.layer, made.payload)
    # The clocks of authorities run a little ahead; the time-stamper has seen to it that it is no more than that.
    at = max([signing.now(), *(claim.time for claim in made.times if claim.time is not None)])
    return assess(evidence, held.root, at=at)


def _annotated(data: bytes, media_type: str, annotations: dict[str, str]) -> Descriptor:
    plain = describe(data, media_type)
    return Descriptor(plain.media_type, plain.digest, plain.size, annotations=tuple(annotations.items()))


def _check_subject(subject: Descriptor) -> None:
    """Signatures name an image by its sha256 (cosign.md 1a and 1b)."""
    digest: Digest = subject.digest
    if digest.algorithm != _ALGORITHM:
        message = f"{digest} cannot be signed: signatures name an image by its sha256 digest"
        raise UsageError(message)
