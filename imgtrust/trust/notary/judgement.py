"""Belief in one Notary signature: whom it is from, when it was made, and whether it still holds. Pure.

Knows the order of notary.md 7. What is asked of responders is asked only about signatures that hold in all other ways:
no address that a stranger wrote into a certificate is ever fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Format
from imgtrust.formats import format_of, read
from imgtrust.refusals import RefusalCode
from imgtrust.trust.dating import stamped_times
from imgtrust.trust.notary import awssigner, revocation
from imgtrust.trust.notary.answers import NONE
from imgtrust.trust.notary.chain import check_valid, read_chain
from imgtrust.trust.notary.envelopes import check_signature
from imgtrust.trust.notary.stamping import stamping_chain
from imgtrust.trust.notary.stores import AWS_SIGNER, identity_of, trusted_by
from imgtrust.trust.times import ClaimedTime, TimeSource, authentic_time

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from imgtrust.content import Descriptor
    from imgtrust.evidence import Evidence, NotaryClaims, Signed
    from imgtrust.trust.anchors import TrustedNotary
    from imgtrust.trust.notary.answers import Question, Revocations
    from imgtrust.trust.roots import TrustRoot
    from imgtrust.trust.times import VerifiedTime

__all__ = ["NotaryBelief", "questions", "verify"]

_ENFORCE: Final = "enforce"
_SKIP: Final = "skip"
_CLAIM: Final = "notary-signing-time"
_SIGNER: Final = "revocation"
_STAMPER: Final = "revocation of the time-stamp authority"


@dataclass(frozen=True, slots=True)
class NotaryBelief:
    """What was proven of a Notary signature.

    ``names`` are those of the policy (sorted), ``identity`` makes signers distinct, ``not_checked`` says what nobody
    asked or could tell. ``ends``: the first moment at which it would be refused as expired; None where it never is.
    """

    names: tuple[str, ...]
    identity: str
    times: tuple[VerifiedTime, ...]
    claims: tuple[ClaimedTime, ...]
    not_checked: tuple[str, ...]
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Proof:
    """All that holds before anybody is asked about revocation.

    ``moment``: when it was signed at the latest, where that is proven. ``stamping``: the certificates of the authority
    that proves it with a time-stamp, none where no way to its root is found; None without a time-stamp.
    """

    claims: NotaryClaims
    chain: tuple[x509.Certificate, ...]
    signers: tuple[TrustedNotary, ...]
    identity: str
    times: tuple[VerifiedTime, ...]
    claimed: tuple[ClaimedTime, ...]
    moment: datetime | None
    ends: datetime | None
    stamping: tuple[x509.Certificate, ...] | None


def verify(
    signed: Signed, evidence: Evidence, root: TrustRoot, *, at: datetime, revocations: Revocations = NONE
) -> NotaryBelief:
    """Prove who made a Notary signature of exactly this image, and when; ``at`` is the time of judgement (aware UTC).

    Raises:
        Refused: NOTARY_* or TIME_FUTURE; NOTARY_REVOCATION_UNKNOWN where it is believed but for an answer about
            revocation that the policy demands and that did not come.
    """
    proof = _prove(signed, evidence, root, at)
    standings = _standings(proof, revocations)
    refusals: list[Refused] = []
    notes: dict[str, None] = {}
    names = set()
    for signer in proof.signers:
        try:
            heard = [_hear(signer, what, standing) for what, standing in standings.items()]
        except Refused as exc:
            refusals.append(exc)
            continue
        names.add(signer.name)
        notes.update(dict.fromkeys(note for note in heard if note))
    if not names:
        raise refusals[0]
    return NotaryBelief(tuple(sorted(names)), proof.identity, proof.times, proof.claimed, tuple(notes), proof.ends)


def questions(
    evidence: Evidence, root: TrustRoot, *, at: datetime, revocations: Revocations = NONE
) -> tuple[Question, ...]:
    """What has to be asked before ``verify`` can tell, given the answers so far; nothing for any other evidence.

    Asked again with the answers until nothing is left: where a responder does not answer the next is named, then the
    lists.
    """
    if format_of(evidence.layer.media_type) not in {Format.NOTARY_JWS, Format.NOTARY_COSE}:
        return ()
    try:
        proof = _prove(read(evidence), evidence, root, at)
    except Refused:
        return ()
    if all(signer.revocation == _SKIP for signer in proof.signers):
        return ()
    if _is_aws(proof):
        return awssigner.next_question(proof.claims, proof.chain, revocations)
    chains = (proof.chain, proof.stamping or ())
    return tuple(dict.fromkeys(each for chain in chains for each in revocation.next_questions(chain, revocations)))


def _is_aws(proof: _Proof) -> bool:
    """Whether AWS Signer made the signature: all signers of the policy that it is of are then of that kind."""
    return any(each.kind == AWS_SIGNER for each in proof.signers)


def _standings(proof: _Proof, revocations: Revocations) -> dict[str, revocation.Standing]:
    """What is known of whom revocation is a question of: the signer, and whoever vouches for the time.

    No date helps an authority of time: whoever has its key writes the date (notary.md 8).
    """
    if _is_aws(proof):
        return {_SIGNER: awssigner.judge(proof.claims, proof.chain, revocations)}
    found = {_SIGNER: revocation.judge(proof.chain, revocations, proof.moment)}
    if proof.stamping:
        found[_STAMPER] = revocation.judge(proof.stamping, revocations, None)
    elif proof.stamping is not None:
        found[_STAMPER] = revocation.Standing(revocation.Outcome.UNKNOWN, "no way to its root is found again")
    return found


def _prove(signed: Signed, evidence: Evidence, root: TrustRoot, at: datetime) -> _Proof:
    claims = signed.notary
    if claims is None:
        message = "envelope: no header of the Notary Project"
        raise Refused(RefusalCode.NOTARY_MALFORMED, message)
    chain = read_chain(signed.certificates)
    check_signature(signed, claims.algorithm, chain[0].public_key())
    signers = trusted_by(signed, claims, chain, root.notary)
    if claims.expiry is not None and at >= claims.expiry:
        message = f"the signature expired at {claims.expiry.isoformat()}"
        raise Refused(RefusalCode.NOTARY_EXPIRED, message)
    times, claimed = _times(signed, claims, chain, root, at)
    _check_target(claims.target, evidence)
    moment = min((each.time + each.accuracy for each in times), default=None)
    identity, ends = identity_of(claims, chain), _ends(claims, chain, moment)
    stamped = [each for each in times if each.source is TimeSource.RFC3161]
    stamping = stamping_chain(signed.timestamps[0], stamped[0].authority, root.authorities) if stamped else None
    return _Proof(claims, chain, tuple(signers), identity, times, claimed, moment, ends, stamping)


def _ends(claims: NotaryClaims, chain: tuple[x509.Certificate, ...], moment: datetime | None) -> datetime | None:
    """When it is refused though nothing new came: at its expiry; without a proven time, after its certificates' end."""
    ends = [] if claims.expiry is None else [claims.expiry]
    if moment is None:
        ends.append(min(each.not_valid_after_utc for each in chain) + timedelta(microseconds=1))
    return min(ends, default=None)


def _times(
    signed: Signed, claims: NotaryClaims, chain: tuple[x509.Certificate, ...], root: TrustRoot, at: datetime
) -> tuple[tuple[VerifiedTime, ...], tuple[ClaimedTime, ...]]:
    """The proven times, at which every certificate was valid; without one they must be valid now (notary.md 8)."""
    if claims.authentic_time is not None:  # of the scheme that has one, which formats.notary sees to
        own = authentic_time(claims.authentic_time, _common_name(chain[0]), at=at)
        check_valid(chain, own.time, own.time, "the authentic signing time")
        return (own,), ()
    times, claimed = stamped_times(signed, root.authorities, at=at)
    for each in times:
        check_valid(chain, each.time - each.accuracy, each.time + each.accuracy, "the time-stamp")
    if not times:
        check_valid(chain, at, at, "no time-stamp proves when it was signed; the time of judgement")
    return tuple(times), (*claimed, ClaimedTime(claims.signing_time, _CLAIM, "the signer"))


def _check_target(target: Descriptor, evidence: Evidence) -> None:
    """The signed descriptor is that of the image: digest, and size and media type where its bytes are at hand."""
    if target.digest != evidence.subject:
        message = f"about another image: {target.digest.short}…, expected {evidence.subject.short}…"
        raise Refused(RefusalCode.NOTARY_SUBJECT, message)
    if evidence.content is None:
        return
    if len(evidence.content) != target.size:
        message = f"about {target.size} bytes, and the image's manifest has {len(evidence.content)}"
        raise Refused(RefusalCode.NOTARY_SUBJECT, message)
    media_type = _media_type(evidence.content)
    if media_type not in (None, target.media_type):
        message = f"about a {target.media_type[:80]!r}, and the image's manifest is of another media type"
        raise Refused(RefusalCode.NOTARY_SUBJECT, message)


def _media_type(manifest: bytes) -> object:
    """What a manifest says that it is; None where it does not (image-spec makes the member optional)."""
    try:
        document = strict_json.loads(manifest)
    except strict_json.StrictJsonError:
        return None
    return document.get("mediaType") if isinstance(document, dict) else None


def _hear(signer: TrustedNotary, what: str, standing: revocation.Standing) -> str:
    """What is to be said about revocation under a signer of the policy; empty where all is well.

    Raises:
        Refused: NOTARY_REVOKED or NOTARY_REVOCATION_UNKNOWN, where the policy enforces the answer.
    """
    if signer.revocation == _SKIP:
        return f"{what}: not asked, as the policy says (skip)"
    if standing.outcome is revocation.Outcome.GOOD:
        return standing.reason and f"{what}: {standing.reason}"
    if standing.outcome is revocation.Outcome.REVOKED:
        code, note = RefusalCode.NOTARY_REVOKED, "revoked, and believed all the same"
    else:
        code, note = RefusalCode.NOTARY_REVOCATION_UNKNOWN, "could not be checked"
    if signer.revocation == _ENFORCE:
        message = f"{what}: {standing.reason}"
        raise Refused(code, message)
    return f"{what}: {note} (log): {standing.reason}"


def _common_name(certificate: x509.Certificate) -> str:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - only here

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
