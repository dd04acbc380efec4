"""Signatures made with a Sigstore certificate: who signed, when, and every proof that it takes. Pure.

Knows the order of the Sigstore client specification ("Verification"): times, chain at each time, usage, SCT, identity,
log, signature, consistency. Knows nothing of formats or of how an identity got into the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode
from imgtrust.trust import certificates, identities, sct
from imgtrust.trust.dating import stamped_times
from imgtrust.trust.holding import holds
from imgtrust.trust.transparency import proving
from imgtrust.trust.transparency.expected import Expected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from imgtrust.evidence import Evidence, Signed
    from imgtrust.trust.anchors import SigstoreRoot, TrustedIdentity
    from imgtrust.trust.certificates import Leaf
    from imgtrust.trust.roots import TrustRoot
    from imgtrust.trust.times import ClaimedTime, VerifiedTime

__all__ = ["Keyless", "verify"]

_STRANGERS = frozenset({RefusalCode.CERTIFICATE_UNTRUSTED, RefusalCode.CERTIFICATE_NO_TIME})
"""What an instance says of signatures that have nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Keyless:
    """What was proven: the trusted identities that signed (at least one), whom the certificate names, and when."""

    trusted: tuple[TrustedIdentity, ...]
    named: identities.Named
    times: tuple[VerifiedTime, ...]
    claims: tuple[ClaimedTime, ...]
    logged: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the policy has for the signer, sorted."""
        return tuple(sorted({each.name for each in self.trusted}))

    @property
    def identity(self) -> str:
        """What makes signers distinct: the name in the certificate, and who vouches for it."""
        return str(self.named)


def verify(signed: Signed, evidence: Evidence, root: TrustRoot, *, at: datetime) -> Keyless:
    """Believe a signature made with a certificate; ``at`` is the time of judgement (aware UTC).

    Each Sigstore instance that an identity names is asked by itself: nothing of one proves anything to another.

    Raises:
        Refused: CERTIFICATE_*, LOG_* or IDENTITY_*; the reason of the instance that got furthest.
    """
    leaf = certificates.read_leaf(signed)
    instances = dict.fromkeys(each.root for each in root.identities)
    if not instances:
        message = "signed with a certificate, and only keys are trusted"
        raise Refused(RefusalCode.CERTIFICATE_INSTEAD_OF_KEY, message)
    refusals: list[Refused] = []
    for instance in instances:
        try:
            return _judge(signed, evidence, leaf, _Basis(instance, root, at))
        except Refused as exc:
            refusals.append(exc)
    raise next((each for each in refusals if each.code not in _STRANGERS), refusals[0])


@dataclass(frozen=True, slots=True)
class _Basis:
    """What one judgement rests on: an instance among all that is trusted, and the time of judgement."""

    instance: SigstoreRoot
    root: TrustRoot
    at: datetime


def _judge(signed: Signed, evidence: Evidence, leaf: Leaf, basis: _Basis) -> Keyless:
    """The whole judgement by one instance."""
    instance, root, at = basis.instance, basis.root, basis.at
    entries = proving.known(signed.log_entries, instance.logs)
    authorities = tuple(dict.fromkeys((*instance.authorities, *root.authorities)))
    times, claims = stamped_times(signed, authorities, at=at)
    logged, future = proving.logged_times(entries, at=at)
    times, claims = times + logged, claims + future
    if not times:
        reasons = "; ".join(f"{each.code}: {each.reason}" for each in claims) or "it carries none"
        message = f"no trusted time says when the certificate was used ({reasons[:500]})"
        raise Refused(RefusalCode.CERTIFICATE_NO_TIME, message)
    moments = [each.time for each in times]
    authority = certificates.find_authority(leaf, instance.certificate_authorities, moments)
    certificates.check_usage(leaf)
    sct.verify(leaf.certificate, certificates.load(authority.chain[0]), instance.ct_logs)
    mine = [each for each in root.identities if each.root == instance]
    trusted = _logged(identities.matching(leaf.named, mine), signed, logged=bool(entries))
    if not holds(leaf.key, signed, evidence.content):
        message = "the signature is not by the key of its certificate over these bytes"
        raise Refused(RefusalCode.CERTIFICATE_BAD_SIGNATURE, message)
    expected = Expected(signed, leaf.key, leaf.der, evidence.content)
    for entry, logs in entries:
        proving.prove(entry, logs, expected, min(moments))
    return Keyless(tuple(trusted), leaf.named, tuple(times), tuple(claims), bool(entries))


def _logged(trusted: Sequence[TrustedIdentity], signed: Signed, *, logged: bool) -> list[TrustedIdentity]:
    """The identities that are content with the log entries there are (by name; they are proven afterwards).

    Raises:
        Refused: LOG_MISSING or LOG_UNKNOWN, where none is.
    """
    content = [each for each in trusted if logged or not each.log]
    if content:
        return content
    if signed.log_entries:
        message = "its log entries are of no log that is trusted"
        raise Refused(RefusalCode.LOG_UNKNOWN, message)
    message = "it has no log entry, and the policy asks for one"
    raise Refused(RefusalCode.LOG_MISSING, message)
