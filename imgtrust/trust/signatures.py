"""Belief, decided in one function: evidence under a trust root becomes a verified signature or a refusal. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.formats import format_of, read
from imgtrust.formats.known import FORMATS
from imgtrust.reference import Digest
from imgtrust.refusals import RefusalCode
from imgtrust.trust.dating import stamped_times
from imgtrust.trust.holding import holds
from imgtrust.trust.keys import plausible
from imgtrust.trust.notary.answers import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from imgtrust.evidence import Evidence, Format, Kind, Signed, Statement
    from imgtrust.trust.keyless import Keyless
    from imgtrust.trust.keys import TrustedKey
    from imgtrust.trust.notary.answers import Revocations
    from imgtrust.trust.roots import TrustRoot
    from imgtrust.trust.times import ClaimedTime, VerifiedTime

__all__ = ["Refusal", "VerifiedSignature", "assess"]

_FINGERPRINT: Final = 32
"""The bytes of a SHA-256."""


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """What was proven, and nothing else. The signed subject is ``subject``, the digest that was asked about.

    ``signers`` are all names in the policy that this key or identity has (sorted); ``identity`` is what makes
    signers distinct: ``key sha256:<fingerprint>`` for a key, ``NAME (ISSUER)`` for a Sigstore certificate. ``times``
    are proven, ``claims`` are not. ``not_checked``: what nobody asked or could ask about it, in words.
    ``second_opinion``: what another verifier said of it, empty where none was asked. ``ends``: the first moment at
    which it would no longer be believed, though nothing changed but the time; None where that never comes.
    """

    format: Format
    kind: Kind
    signers: tuple[str, ...]
    identity: str
    subject: Digest
    evidence: Digest
    statement: Statement | None
    times: tuple[VerifiedTime, ...] = ()
    claims: tuple[ClaimedTime, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    not_checked: tuple[str, ...] = ()
    second_opinion: str = ""
    ends: datetime | None = None

    @property
    def predicate_type(self) -> str | None:
        """The predicate type of the statement; None for a payload that is no statement."""
        return None if self.statement is None else self.statement.predicate_type

    @property
    def earliest(self) -> datetime | None:
        """The earliest proven time, or None."""
        return min((t.time for t in self.times), default=None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A piece of evidence that is not believed, with the reason in words."""

    format: Format
    evidence: Digest
    subject: Digest
    code: RefusalCode
    reason: str


@dataclass(frozen=True, slots=True)
class _Believed:
    """Who made the signature and when, however that was proven."""

    names: tuple[str, ...]
    identity: str
    times: tuple[VerifiedTime, ...]
    claims: tuple[ClaimedTime, ...]
    not_checked: tuple[str, ...] = ()
    keyless: Keyless | None = None
    ends: datetime | None = None


def assess(
    evidence: Evidence, root: TrustRoot, *, at: datetime, revocations: Revocations = NONE
) -> VerifiedSignature | Refusal:
    """Believe one piece of evidence, or say why not; ``at`` is the time of judgement (aware UTC).

    ``revocations``: what was answered to ``trust.notary.judgement.questions``, for Notary's certificates.

    The order is fixed: parse, signature and everything that proves who made it, subject, second opinion. A time-stamp
    that does not verify becomes a claim, and takes nothing from the signature but the time. Never raises for anything
    that the bytes could cause.
    """
    try:
        signed = read(evidence)
        _check_content(signed, evidence)
        if signed.notary is not None:
            believed = _by_notary(signed, evidence, root, at, revocations)
        else:
            judge = _by_certificate if signed.certificates else _by_key
            believed = judge(signed, evidence, root, at)
        _check_subject(signed, evidence)
        opinion, unjudged = ("", ()) if believed.keyless is None else _asked(signed, evidence, root, believed.keyless)
    except Refused as exc:
        layer_format = format_of(evidence.layer.media_type)
        return Refusal(layer_format, evidence.digest, evidence.subject, exc.code, exc.reason)
    return VerifiedSignature(
        signed.format,
        signed.kind,
        believed.names,
        believed.identity,
        evidence.subject,
        evidence.digest,
        signed.statement,
        believed.times,
        believed.claims,
        signed.annotations,
        (*believed.not_checked, *unjudged),
        opinion,
        believed.ends,
    )


def _by_notary(
    signed: Signed, evidence: Evidence, root: TrustRoot, at: datetime, revocations: Revocations
) -> _Believed:
    """A signature of the Notary Project."""
    from imgtrust.trust.notary import judgement  # noqa: PLC0415 - a run with bare keys does not pay for X.509

    found = judgement.verify(signed, evidence, root, at=at, revocations=revocations)
    return _Believed(found.names, found.identity, found.times, found.claims, found.not_checked, ends=found.ends)


def _by_certificate(signed: Signed, evidence: Evidence, root: TrustRoot, at: datetime) -> _Believed:
    """A signature made with a Sigstore certificate."""
    from imgtrust.trust import keyless  # noqa: PLC0415 - a run with bare keys does not pay for X.509

    found = keyless.verify(signed, evidence, root, at=at)
    unlogged = () if found.logged else ("transparency log: the policy asks for no entry, and there is none",)
    return _Believed(found.names, found.identity, found.times, found.claims, unlogged, found)


def _asked(signed: Signed, evidence: Evidence, root: TrustRoot, found: Keyless) -> tuple[str, tuple[str, ...]]:
    """What another verifier says of a signature that is believed here, and what it could not judge.

    Raises:
        Refused: SECOND_OPINION, with both answers.
    """
    from imgtrust.trust import secondopinion  # noqa: PLC0415 - as above

    answer = secondopinion.second_opinion(evidence, signed, found.trusted, found.times, root.authorities)
    if isinstance(answer, secondopinion.Disagreement):
        message = f"imgtrust finds a signature by {found.identity[:200]}, and {answer.by} does not: {answer.reason}"
        raise Refused(RefusalCode.SECOND_OPINION, message)
    if isinstance(answer, secondopinion.NotSupported):
        missing = f"second opinion: sigstore-python does not judge this shape ({answer.reason})"
        return f"not judged by sigstore-python: {answer.reason}", (missing,)
    return f"{answer.by} agrees", ()


def _by_key(signed: Signed, evidence: Evidence, root: TrustRoot, at: datetime) -> _Believed:
    """A signature made with a key.

    An entry of a log that is trusted has to be about this signature; one of another log neither helps nor harms.
    """
    trusted = _signers(signed, evidence, root)
    times, claims = stamped_times(signed, root.authorities, at=at)
    unknown: tuple[str, ...] = ()
    if signed.log_entries:
        from imgtrust.trust.transparency import proving  # noqa: PLC0415 - as above
        from imgtrust.trust.transparency.expected import Expected  # noqa: PLC0415 - as above

        entries = proving.known(signed.log_entries, root.logs)
        logged, future = proving.logged_times(entries, at=at)
        times, claims = times + logged, claims + future
        earliest = min((each.time for each in times), default=None)
        for entry, own in entries:
            proving.prove(entry, own, Expected(signed, trusted[0].key, content=evidence.content), earliest)
        unknown = () if entries else ("transparency log: its entries are of no log that is trusted",)
    speaking = _speaking(trusted, times)
    names = tuple(sorted({each.name for each in speaking}))
    return _Believed(names, f"key sha256:{speaking[0].key.fingerprint}", tuple(times), tuple(claims), unknown)


def _signers(signed: Signed, evidence: Evidence, root: TrustRoot) -> list[TrustedKey]:
    """Every trusted name of the key that made the signature; each distinct key is tried once.

    Two keys cannot both have made it, so the first that verifies decides. The hint only sets the order, and tells a
    broken signature from a stranger's.
    """
    distinct = sorted({each.key for each in root.keys}, key=lambda key: (key.hint != signed.key_hint, key.fingerprint))
    for key in distinct:
        if holds(key, signed, evidence.content):
            return [each for each in root.keys if each.key == key]
    untrusted, bad = FORMATS[signed.format].untrusted, FORMATS[signed.format].bad
    if not plausible(signed.signature):
        raise Refused(bad, "the signature has a form that no key makes")
    if not distinct and root.identities:
        message = "signed with a key, and only identities in certificates are trusted"
        raise Refused(RefusalCode.KEY_INSTEAD_OF_CERTIFICATE, message)
    if not distinct:
        raise Refused(untrusted, "signed with a key, and no key is trusted")
    if distinct[0].hint == signed.key_hint:
        message = f"the trusted key sha256:{distinct[0].fingerprint[:12]}… is named, and did not sign these bytes"
        raise Refused(bad, message)
    made = "another key than the trusted one" if len(distinct) == 1 else f"none of the {len(distinct)} trusted keys"
    raise Refused(untrusted, f"made with {made}, or altered afterwards{_named(signed.key_hint)}")


def _named(hint: str | None) -> str:
    """Which key a signature says that it is by: its fingerprint where the hint is one, else the hint itself."""
    if hint is None:
        return ""
    try:
        digest = base64.b64decode(hint, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    named = f"it names the key sha256:{digest.hex()}" if len(digest) == _FINGERPRINT else f"its hint is {hint[:60]!r}"
    return f" ({named})"


def _check_content(signed: Signed, evidence: Evidence) -> None:
    """The bytes at hand are the subject's, and those that a message signature names."""
    content, subject = evidence.content, evidence.subject
    if content is None:
        return
    if Digest.of(content, subject.algorithm) != subject:
        message = f"the bytes at hand are not those of {subject.short}…"
        raise Refused(RefusalCode.BUNDLE_DIGEST, message)
    named = signed.message_digest
    if named is not None and hashlib.new(signed.digest_algorithm, content).hexdigest() != named:
        message = f"signs a message with the digest {named[:12]}…, and {subject.short}… has another"
        raise Refused(RefusalCode.BUNDLE_DIGEST, message)


def _check_subject(signed: Signed, evidence: Evidence) -> None:
    """The signed subject is exactly the digest that was asked about.

    A message signature may name its message by a longer digest; where the message is at hand, that was compared.
    """
    if evidence.subject.encoded in signed.subjects:
        return
    if signed.message_digest is not None and evidence.content is not None:
        return
    if signed.message_digest is not None:
        code = RefusalCode.BUNDLE_DIGEST
    elif signed.statement is not None:
        code = RefusalCode.STATEMENT_SUBJECT
    else:
        code = RefusalCode.SIMPLESIGNING_SUBJECT
    others = ", ".join(f"{each[:12]}…" for each in signed.subjects[:3]) or "none that can be compared"
    number = f"{len(signed.subjects)} subject{'' if len(signed.subjects) == 1 else 's'}"
    message = f"about another image: {number} ({others}), expected {evidence.subject.short}…"
    raise Refused(code, message)


def _speaking(trusted: Sequence[TrustedKey], times: Sequence[VerifiedTime]) -> list[TrustedKey]:
    """The names whose window has the earliest proven time; one without a window always speaks (DESIGN section 5).

    Raises:
        Refused: KEY_WINDOW or KEY_WINDOW_UNPROVEN, where no name is left.
    """
    earliest = min((each.time for each in times), default=None)
    speaking = [each for each in trusted if not each.bounded or (earliest is not None and each.speaks_at(earliest))]
    if speaking:
        return speaking
    names = ", ".join(sorted({each.name for each in trusted}))
    if earliest is None:
        message = f"the key {names} is trusted for a while only, and no trusted time proves when it signed"
        raise Refused(RefusalCode.KEY_WINDOW_UNPROVEN, message)
    message = f"signed no later than {earliest.isoformat()}, outside the window of the key {names}"
    raise Refused(RefusalCode.KEY_WINDOW, message)
