"""When: times that are proven, and times that are merely claimed. Pure.

Knows RFC 3161, and policy.md section 3 for what each source proves; knows nothing of the signature that was stamped.
A ``VerifiedTime`` exists only after its proof: it is made in this module and nowhere else
(``tests/test_architecture.py``).
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from imgtrust.trust.keys import PublicKey
    from imgtrust.trust.tokens import Token

__all__ = [
    "MAX_TOKEN_BYTES",
    "ClaimedTime",
    "TimeClass",
    "TimeSource",
    "TimestampAuthority",
    "VerifiedTime",
    "authentic_time",
    "check_response",
    "read_token",
    "verify_promise",
    "verify_timestamp",
]

MAX_TOKEN_BYTES: Final = 64 * 1024
"""The largest time-stamp response that is read; with its certificates a token has a few thousand bytes."""

_MAX_SECONDS: Final = 253402300799
"""The end of the year 9999, the last that can be told."""


class TimeClass(StrEnum):
    """What a time is worth (DESIGN section 6)."""

    TRUSTED = "trusted"
    REGISTRY = "registry"
    CLAIMED = "claimed"


class TimeSource(StrEnum):
    """Who vouches for a verified time; the value is ``published.source`` of the report."""

    RFC3161 = "rfc3161"
    REKOR = "rekor"
    SIGNING_AUTHORITY = "signing-authority"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """A TSA that is believed: its chain as DER, leaf first where known, the root last, and when it may speak.

    ``leaf`` is None where only roots are given (``--tsa-roots``); the token then has to carry its certificate.
    """

    name: str
    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    leaf: bytes | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerifiedTime:
    """A proven time: aware UTC; the bytes existed at or before ``time + accuracy``."""

    time: datetime
    source: TimeSource
    authority: str
    accuracy: timedelta
    time_class: TimeClass = TimeClass.TRUSTED


@dataclass(frozen=True, slots=True)
class ClaimedTime:
    """A time that somebody wrote down; shown, never used to pass.

    A time-stamp that could not be proven is here too, with the refusal code and the reason; its ``time`` is None
    where not even a time could be read from it.
    """

    time: datetime | None
    source: str
    authority: str
    code: RefusalCode | None = None
    reason: str = ""


def verify_timestamp(
    response: bytes, stamped: Sequence[bytes], authorities: Sequence[TimestampAuthority], *, at: datetime
) -> VerifiedTime:
    """Prove that one of the byte strings ``stamped`` existed at a time; ``at`` is the time of judgement (aware UTC).

    Each authority is tried: the token's time lies in its window (ends inclusive), its leaf made the signature, and the
    chain was valid at that time.

    Raises:
        Refused: TIME_MALFORMED, TIME_INVALID (a rule is broken, or the signature), TIME_IMPRINT, TIME_UNTRUSTED (by
            none of the authorities), TIME_FUTURE.
    """
    token = read_token(response)
    if not any(token.imprint.is_of(data) for data in stamped):
        message = "the time-stamp is not over this signature"
        raise Refused(RefusalCode.TIME_IMPRINT, message)
    refusals: list[tuple[TimestampAuthority, Refused]] = []
    for authority in authorities:
        try:
            _check_authority(token, response, authority)
        except Refused as exc:
            refusals.append((authority, exc))
            continue
        if token.time > at:
            message = f"the time-stamp is dated {token.time.isoformat()}, after the time of judgement {at.isoformat()}"
            raise Refused(RefusalCode.TIME_FUTURE, message)
        return VerifiedTime(token.time, TimeSource.RFC3161, authority.name, token.accuracy)
    raise _no_authority(refusals)


def verify_promise(promise: bytes, data: bytes, key: PublicKey, seconds: int, log: str) -> VerifiedTime | None:
    """Prove that a log took an entry at a time (seconds since 1970): its key signed ``data``, which says so.

    None where it did not, or where the time is none. Rekor counts whole seconds.
    """
    from imgtrust.trust import keys  # noqa: PLC0415 - as below

    if not 0 < seconds <= _MAX_SECONDS or not keys.verify(key, promise, data):
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return VerifiedTime(moment, TimeSource.REKOR, log, timedelta(seconds=1))


def authentic_time(moment: datetime, authority: str, *, at: datetime) -> VerifiedTime:
    """The time that a signing authority of the Notary Project vouches for (notary.md 8).

    The caller has proven that ``moment`` (aware UTC) is in a header that such an authority signed. Its clock counts
    whole seconds, and Notary knows no accuracy of it.

    Raises:
        Refused: TIME_FUTURE, it lies after the time of judgement.
    """
    if moment > at:
        message = f"the authentic signing time {moment.isoformat()} lies after the time of judgement {at.isoformat()}"
        raise Refused(RefusalCode.TIME_FUTURE, message)
    return VerifiedTime(moment, TimeSource.SIGNING_AUTHORITY, authority, timedelta())


def check_response(response: bytes, message: bytes, nonce: int | None) -> datetime:
    """What a client checks of an answer before it attaches it: it is granted, of this message, with this nonce.

    Returns the time in the token. Whom the token is from is for ``verify_timestamp`` to say.

    Raises:
        Refused: TIME_MALFORMED, TIME_INVALID or TIME_IMPRINT.
    """
    token = read_token(response)
    if not token.imprint.is_of(message):
        reason = "the token is over something else than what was sent"
        raise Refused(RefusalCode.TIME_IMPRINT, reason)
    if nonce is not None and token.nonce != nonce:
        reason = "the token has another nonce than the request: it may be an old one"
        raise Refused(RefusalCode.TIME_INVALID, reason)
    return token.time


def read_token(response: bytes) -> Token:
    """Parse a DER TimeStampResp; nothing is verified.

    Raises:
        Refused: TIME_MALFORMED or TIME_INVALID.
    """
    from imgtrust.trust import der, tokens  # noqa: PLC0415 - a run without time-stamps does not pay for them

    if len(response) > MAX_TOKEN_BYTES:
        message = f"a time-stamp of {len(response)} bytes, expected at most {MAX_TOKEN_BYTES}"
        raise Refused(RefusalCode.TIME_MALFORMED, message)
    try:
        return tokens.parse_response(response)
    except der.DerError as exc:
        message = f"not a time-stamp response: {exc}"
        raise Refused(RefusalCode.TIME_MALFORMED, message) from exc
    except tokens.TokenFault as exc:
        message = f"the time-stamp breaks a rule: {exc}"
        raise Refused(RefusalCode.TIME_INVALID, message) from exc


def _no_authority(refusals: list[tuple[TimestampAuthority, Refused]]) -> Refused:
    """One refusal for all authorities; a broken signature says more than a stranger's name."""
    if not refusals:
        return Refused(RefusalCode.TIME_UNTRUSTED, "no time-stamp authority is trusted, so its time proves nothing")
    for _, refusal in refusals:
        if refusal.code is RefusalCode.TIME_INVALID:
            return refusal
    reasons = "; ".join(f"{authority.name}: {refusal.reason}" for authority, refusal in refusals)
    return Refused(RefusalCode.TIME_UNTRUSTED, f"the time-stamp is from no trusted authority ({reasons[:500]})")


def _check_authority(token: Token, response: bytes, authority: TimestampAuthority) -> None:
    """Refuse a token that this authority did not make, or not in its window."""
    early = authority.not_before is not None and token.time < authority.not_before
    if early or (authority.not_after is not None and token.time > authority.not_after):
        message = f"the token's time {token.time.isoformat()} is outside the window of the authority"
        raise Refused(RefusalCode.TIME_UNTRUSTED, message)
    leaf = token.leaf or authority.leaf
    if leaf is None:
        message = "the token has no certificate and only roots are named; name the authority's whole chain"
        raise Refused(RefusalCode.TIME_UNTRUSTED, message)
    if authority.leaf not in {None, leaf} or not token.is_named(leaf):
        message = "the token was made with another certificate"
        raise Refused(RefusalCode.TIME_UNTRUSTED, message)
    if not token.signer.is_certificate(leaf):
        message = "the time-stamp breaks a rule: its signed attributes name another certificate than the signer's"
        raise Refused(RefusalCode.TIME_INVALID, message)
    _check_signature(token, leaf)
    _check_chain(_in_order(token, response), authority)


def _in_order(token: Token, response: bytes) -> bytes:
    """The response with its certificates in the order of a DER SET (X.690 section 11.6).

    Nobody signed their order, some authorities write them leaf to root, and rfc3161-client reads no such token.
    """
    return response.replace(b"".join(token.certificates), b"".join(sorted(token.certificates)), 1)


def _check_signature(token: Token, leaf: bytes) -> None:
    """The signature over the attributes, with the leaf's key (RFC 5652 section 5.6)."""
    from imgtrust.trust import keys  # noqa: PLC0415 - as above

    signer = token.signer
    try:
        key = keys.supported(_certificate(leaf).public_key())
    except Exception as exc:  # what cryptography raises is decided by the bytes (InvalidVersion is no ValueError)
        message = f"the time-stamp was signed with a key that cannot be used: {exc}"
        raise Refused(RefusalCode.TIME_INVALID, message) from exc
    digest = hashlib.new(signer.algorithm, signer.attributes).digest()
    if not keys.check_digest(key, signer.signature, digest, signer.algorithm):
        message = "the signature of the time-stamp is wrong"
        raise Refused(RefusalCode.TIME_INVALID, message)


def _check_chain(response: bytes, authority: TimestampAuthority) -> None:
    """Chain, purpose and signature by rfc3161-client, at the token's own time (RFC 3161 section 2.3)."""
    from rfc3161_client import VerifierBuilder, decode_timestamp_response  # noqa: PLC0415 - 80 ms, as above

    try:
        decoded = decode_timestamp_response(response)
        verifier = VerifierBuilder(
            tsa_certificate=None if authority.leaf is None else _certificate(authority.leaf),
            intermediates=[_certificate(each) for each in authority.intermediates],
            roots=[_certificate(each) for each in authority.roots],
        ).build()
        verifier.verify(decoded, decoded.tst_info.message_imprint.message)
    except Exception as exc:  # as above, and rfc3161-client lets cryptography's exceptions through
        message = f"the chain of the time-stamp does not end at a root of the authority: {str(exc)[:200]}"
        raise Refused(RefusalCode.TIME_UNTRUSTED, message) from exc


@functools.lru_cache(maxsize=64)
def _certificate(der: bytes) -> x509.Certificate:
    from cryptography import x509  # noqa: PLC0415 - 40 ms, as above

    return x509.load_der_x509_certificate(der)
