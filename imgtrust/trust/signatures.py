"""Belief, decided in one function: evidence under a trust root becomes a verified signature or a refusal. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.evidence import Format
from imgtrust.formats import format_of, read
from imgtrust.refusals import RefusalCode
from imgtrust.trust.keys import plausible, verify, verify_digest
from imgtrust.trust.times import ClaimedTime, TimeSource, read_token, verify_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from imgtrust.evidence import Evidence, Kind, Signed, Statement
    from imgtrust.reference import Digest
    from imgtrust.trust.keys import PublicKey, TrustedKey
    from imgtrust.trust.roots import TrustRoot
    from imgtrust.trust.times import VerifiedTime

__all__ = ["Refusal", "VerifiedSignature", "assess"]

_CODES: Final = {
    Format.BUNDLE: (RefusalCode.BUNDLE_UNTRUSTED_KEY, RefusalCode.BUNDLE_BAD_SIGNATURE),
    Format.SIMPLESIGNING: (RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY, RefusalCode.SIMPLESIGNING_BAD_SIGNATURE),
}
"""For each format: no trusted key made it; and it is no signature, or a trusted key is named that did not make it."""
_FINGERPRINT: Final = 32
"""The bytes of a SHA-256."""


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """What was proven, and nothing else. The signed subject is ``subject``, the digest that was asked about.

    ``signers`` are all names in the policy that this key or identity has (sorted); ``identity`` is what makes
    signers distinct: ``key sha256:<fingerprint>`` for a key. ``times`` are proven, ``claims`` are not.
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


def assess(evidence: Evidence, root: TrustRoot, *, at: datetime) -> VerifiedSignature | Refusal:
    """Believe one piece of evidence, or say why not; ``at`` is the time of judgement (aware UTC).

    The order is fixed: parse, signature, subject, times, window of the key. A time-stamp that does not verify becomes
    a claim, and takes nothing from the signature but the time. Never raises for anything that the bytes could cause.
    """
    try:
        signed = read(evidence)
        trusted = _signers(signed, root)
        _check_subject(signed, evidence)
        times, claims = _times(signed, root, at)
        speaking = _speaking(trusted, times)
    except Refused as exc:
        layer_format = format_of(evidence.layer.media_type)
        return Refusal(layer_format, evidence.digest, evidence.subject, exc.code, exc.reason)
    return VerifiedSignature(
        signed.format,
        signed.kind,
        tuple(sorted({each.name for each in speaking})),
        f"key sha256:{speaking[0].key.fingerprint}",
        evidence.subject,
        evidence.digest,
        signed.statement,
        times,
        claims,
        signed.annotations,
    )


def _signers(signed: Signed, root: TrustRoot) -> list[TrustedKey]:
    """Every trusted name of the key that made the signature; each distinct key is tried once.

    Two keys cannot both have made it, so the first that verifies decides. The hint only sets the order, and tells a
    broken signature from a stranger's.
    """
    distinct = sorted({each.key for each in root.keys}, key=lambda key: (key.hint != signed.key_hint, key.fingerprint))
    for key in distinct:
        if _holds(key, signed):
            return [each for each in root.keys if each.key == key]
    untrusted, bad = _CODES[signed.format]
    if not plausible(signed.signature):
        raise Refused(bad, "the signature has a form that no key makes")
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


def _holds(key: PublicKey, signed: Signed) -> bool:
    """Check the signature over the message, or over the digest where the message is the image's manifest."""
    if signed.message is not None:
        return verify(key, signed.signature, signed.message)
    digest = bytes.fromhex(signed.message_digest or "")
    return verify_digest(key, signed.signature, digest, "sha256")


def _check_subject(signed: Signed, evidence: Evidence) -> None:
    """The signed subject is exactly the digest that was asked about."""
    if evidence.subject.encoded in signed.subjects:
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


def _times(signed: Signed, root: TrustRoot, at: datetime) -> tuple[tuple[VerifiedTime, ...], tuple[ClaimedTime, ...]]:
    """The time-stamps that are proven, and those that are not with the reason; a token given twice counts once."""
    times: list[VerifiedTime] = []
    claims: list[ClaimedTime] = []
    for token in dict.fromkeys(signed.timestamps):
        try:
            times.append(verify_timestamp(token, signed.stamped, root.authorities, at=at))
        except Refused as exc:
            claims.append(ClaimedTime(_claimed(token), TimeSource.RFC3161, "", exc.code, exc.reason))
    return tuple(times), tuple(claims)


def _claimed(token: bytes) -> datetime | None:
    """The time that an unproven token says, or None where not even that can be read."""
    try:
        return read_token(token).time
    except Refused:
        return None


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
