"""Whether the certificates of a chain are revoked: whom to ask, and what the answers prove together. Pure.

Knows notary.md 9: OCSP first, then certificate revocation lists with their deltas, and the date since which a
certificate is invalid against the proven time of signing. Whatever proves nothing is "could not tell", never "good".
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from imgtrust.trust.certificates import load
from imgtrust.trust.notary import lists, responses
from imgtrust.trust.notary.answers import Question
from imgtrust.trust.notary.entries import Unusable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from imgtrust.trust.notary.answers import Revocations
    from imgtrust.trust.notary.entries import Entry

__all__ = ["Outcome", "Standing", "judge", "next_questions", "usable"]

_MAX_URLS: Final = 4
"""The most addresses of one kind that are asked for one certificate."""
_MAX_URL: Final = 2048
_NO_ADDRESS: Final = "it names no address that is asked (http or https)"
_NOBODY: Final = "no certificate names a responder or a list, so there was nobody to ask"


class Outcome(StrEnum):
    """What is known of a certificate or a chain."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """The outcome with its reason; for a good one, what there is to say about it, mostly nothing."""

    outcome: Outcome
    reason: str = ""


class _Unasked(Exception):
    """An answer is needed that nobody has asked for."""

    def __init__(self, question: Question) -> None:
        self.question = question


def judge(chain: Sequence[x509.Certificate], revocations: Revocations, moment: datetime | None) -> Standing:
    """What the answers prove about a chain (leaf to root, its rules hold); ``moment`` is the proven time of signing.

    One revoked certificate revokes the chain, else one that nobody can tell about leaves it open. The root is its own
    word.
    """
    found = [_judge_one(each, issuer, revocations, moment) for each, issuer in _pairs(chain)]
    for outcome in (Outcome.REVOKED, Outcome.UNKNOWN):
        for standing in found:
            if standing is not None and standing.outcome is outcome:
                return standing
    asked = [standing for standing in found if standing is not None]
    if not asked:
        return Standing(Outcome.GOOD, _NOBODY)
    return Standing(Outcome.GOOD, "; ".join(each.reason for each in asked if each.reason))


def next_questions(chain: Sequence[x509.Certificate], revocations: Revocations) -> tuple[Question, ...]:
    """What has to be asked next, given the answers so far; nothing where ``judge`` can tell all that it ever will."""
    found: list[Question] = []
    for certificate, issuer in _pairs(chain):
        try:
            _consult(certificate, issuer, revocations)
        except _Unasked as exc:
            found.append(exc.question)
        except Unusable:
            continue
    return tuple(dict.fromkeys(found))


def usable(question: Question, data: bytes, now: datetime) -> bool:
    """Whether an answer may be kept and given again: a list that its issuer signed and that is fresh."""
    if question.request:
        return False
    try:
        lists.read_any(data, load(question.issuer), now)
    except Unusable:
        return False
    return True


def _pairs(chain: Sequence[x509.Certificate]) -> list[tuple[x509.Certificate, x509.Certificate]]:
    """Each certificate with its issuer."""
    return list(itertools.pairwise(chain))


def _judge_one(
    certificate: x509.Certificate, issuer: x509.Certificate, revocations: Revocations, moment: datetime | None
) -> Standing | None:
    """What is known of one certificate; None where it names nobody to ask."""
    who = certificate.subject.rfc4514_string()[:80]
    if not _named(certificate):
        return None
    try:
        entry = _consult(certificate, issuer, revocations)
    except _Unasked as exc:
        return Standing(Outcome.UNKNOWN, f"{exc.question.url[:120]} was not asked about {who}")
    except Unusable as exc:
        return Standing(Outcome.UNKNOWN, f"nobody could tell about {who}: {exc}"[:500])
    if entry is None:
        return Standing(Outcome.GOOD)
    since = entry.invalid_since
    if since is not None and moment is not None and moment < since:
        reason = f"{who} is revoked, and was invalid only since {since.isoformat()}, after it signed"
        return Standing(Outcome.GOOD, reason)
    return Standing(Outcome.REVOKED, f"{who} is revoked ({entry.reason.value})")


def _consult(certificate: x509.Certificate, issuer: x509.Certificate, revocations: Revocations) -> Entry | None:
    """What the first usable answer says, responders before lists.

    Raises:
        _Unasked: an answer is needed first.
        Unusable: no answer is usable; why, for each address.
    """
    faults: list[str] = []
    for url in _responders(certificate):
        try:
            request = responses.request_for(certificate, issuer)
            data, now = _answer(url, request, issuer, revocations)
            return responses.read_response(data, certificate, issuer, now)
        except Unusable as exc:
            faults.append(f"{url[:120]}: {exc}")
    for url in _lists(certificate):
        try:
            data, now = _answer(url, b"", issuer, revocations)
            found = lists.read_list(data, certificate, issuer, now)
            return _with_delta(found, certificate, issuer, revocations)
        except Unusable as exc:
            faults.append(f"{url[:120]}: {exc}")
    raise Unusable("; ".join(faults) or _NO_ADDRESS)


def _with_delta(
    base: x509.CertificateRevocationList,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    revocations: Revocations,
) -> Entry | None:
    """The entry of a list, or of the delta to it where there is one: a list that has a delta is not enough alone."""
    entry = lists.find_entry(base, certificate)
    if not lists.has_delta(certificate, base):
        return entry
    faults: list[str] = []
    for url in _allowed(lists.delta_urls(certificate, base)):
        try:
            data, now = _answer(url, b"", issuer, revocations)
            newer = lists.find_entry(lists.read_delta(data, certificate, issuer, now, base), certificate)
        except Unusable as exc:
            faults.append(f"delta {url[:120]}: {exc}")
            continue
        if newer is None:
            return entry
        return None if newer.removed else newer
    raise Unusable("; ".join(faults) or f"delta: {_NO_ADDRESS}")


def _answer(url: str, request: bytes, issuer: x509.Certificate, revocations: Revocations) -> tuple[bytes, datetime]:
    """The bytes that came for a question, and when."""
    question = Question(url, request, issuer.public_bytes(Encoding.DER))
    answer, now = revocations.answers.get(question.key), revocations.asked_at
    if answer is None or now is None:
        raise _Unasked(question)
    if answer.data is None:
        raise Unusable(answer.reason)
    return answer.data, now


def _named(certificate: x509.Certificate) -> bool:
    """Whether a certificate says that somebody knows of its revocation, whether or not they can be asked.

    One that is in a directory (``ldap:``) can be revoked like any other; that it is not is for nobody to tell here.
    """
    return bool(_places(certificate)) or lists.has_list(certificate)


def _responders(certificate: x509.Certificate) -> tuple[str, ...]:
    return _allowed(
        [place.value for place in _places(certificate) if isinstance(place, x509.UniformResourceIdentifier)]
    )


def _places(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Where the responders of a certificate are."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return [each.access_location for each in access if each.access_method == AuthorityInformationAccessOID.OCSP]


def _lists(certificate: x509.Certificate) -> tuple[str, ...]:
    return _allowed(lists.list_urls(certificate))


def _allowed(urls: Sequence[str]) -> tuple[str, ...]:
    """The addresses that are asked: over HTTP, for what comes is signed (RFC 5280 section 8); a bounded number."""
    web = [url for url in urls if url.lower().startswith(("http://", "https://")) and len(url) <= _MAX_URL]
    return tuple(dict.fromkeys(web))[:_MAX_URLS]
