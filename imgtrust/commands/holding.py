"""Who signs, and with what: a key, or an identity with its certificate and its logs.

Knows how the two differ; must not know what is signed. Whoever signs is judged by the anchors that are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from imgtrust.errors import ServiceError, UsageError
from imgtrust.refusals import RefusalCode
from imgtrust.signers.keyless import KeylessSigner
from imgtrust.signers.notary import EnvelopeSigner
from imgtrust.signers.wire import AHEAD
from imgtrust.trust.anchors import TrustedIdentity
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.times import ClaimedTime, TimeSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import LogEntry
    from imgtrust.signers.logged import Logged
    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.signers.rekor import TransparencyLog
    from imgtrust.trust.anchors import SigstoreRoot
    from imgtrust.trust.times import TimestampAuthority

__all__ = ["Held", "SignFormat", "Signing", "hold", "log_entries", "rehearse"]

_SHOWN: Final = 8


def _now() -> datetime:
    return datetime.now(UTC)


class SignFormat(StrEnum):
    """What ``sign --format`` and ``attest --format`` take."""

    BUNDLE = "bundle"
    LEGACY = "cosign-legacy"
    NOTARY = "notary"


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, and how: one value for a whole command. ``now`` gives aware UTC.

    ``annotations`` are signed with each signature (``--annotation K=V``). ``authorities`` are the anchors under which
    the times of tokens are proven for the report. ``logs`` are written to; ``instance`` is the Sigstore instance under
    which the result is then judged, and has to know them.
    """

    signer: Signer | KeylessSigner | EnvelopeSigner
    timestampers: tuple[Timestamper, ...] = ()
    authorities: tuple[TimestampAuthority, ...] = ()
    format: SignFormat = SignFormat.BUNDLE
    annotations: tuple[tuple[str, str], ...] = ()
    now: Callable[[], datetime] = _now
    logs: tuple[TransparencyLog, ...] = ()
    instance: SigstoreRoot | None = None

    @property
    def signer_name(self) -> str:
        """Who signs, for people, before anything is signed."""
        if isinstance(self.signer, KeylessSigner):
            return "keyless"
        if isinstance(self.signer, EnvelopeSigner):
            return self.signer.name
        return f"key {self.signer.public_key.fingerprint[:_SHOWN]}"

    @property
    def dated(self) -> bool:
        """Whether anything may prove when it was signed."""
        return bool(self.timestampers) or any(log.promises_times for log in self.logs)


@dataclass(frozen=True, slots=True)
class Held:
    """Who signs one thing: the key, its certificate where it has one, and the anchors that judge the result."""

    signer: Signer
    name: str
    root: TrustRoot
    certificate: bytes | None = None


def hold(signing: Signing) -> Held:
    """Who signs now. A keyless signer is judged as the identity that its certificate names, in its own instance."""
    signer = signing.signer
    if signing.format is SignFormat.NOTARY or isinstance(signer, EnvelopeSigner):
        message = (
            "an envelope of the Notary Project is made with a Notary certificate, and has no place for a statement: "
            "sign images with --notary-key, and statements with --key or --keyless"
        )
        raise UsageError(message)
    if not isinstance(signer, KeylessSigner):
        return Held(signer, signing.signer_name, _by_key(signer, signing))
    if signing.format is not SignFormat.BUNDLE or signing.instance is None:
        message = "keyless signing makes bundles, and needs the trusted root of its Sigstore instance"
        raise UsageError(message)
    credential = signer.credential()
    named = credential.named
    identity = TrustedIdentity("own", signing.instance, named.issuer, named.name, log=bool(signing.logs))
    root = TrustRoot(authorities=signing.authorities, identities=(identity,))
    return Held(credential.signer, str(named), root, credential.certificate)


def _by_key(signer: Signer, signing: Signing) -> TrustRoot:
    """The anchors of a signature by key: the key itself, and what proves its times."""
    key, instance = TrustedKey("own", signer.public_key), signing.instance
    if instance is None:
        return TrustRoot((key,), signing.authorities)
    authorities = tuple(dict.fromkeys((*instance.authorities, *signing.authorities)))
    return TrustRoot((key,), authorities, logs=instance.logs)


def rehearse(signing: Signing) -> str:
    """See, while nothing is done yet, that it will be possible to sign; returns who will.

    A keyless signer gets its certificate, and logs are asked whether they are there. Time-stamp authorities are not:
    all that they can do is stamp.

    Raises:
        UsageError: there is no identity to sign as.
        ServiceError: no certificate, or a log that does not answer.
    """
    name = hold(signing).name
    for log in signing.logs:
        log.check_ready()
    return name


def log_entries(signing: Signing, logged: Logged) -> list[tuple[LogEntry, ClaimedTime | None]]:
    """One entry of each log, with the time that it says, if it says one.

    Raises:
        ServiceError: a log gave no entry, dates it in the future, or is none that the instance knows.
    """
    found: list[tuple[LogEntry, ClaimedTime | None]] = []
    for log in signing.logs:
        entry = log.record(logged)
        if signing.instance is not None and all(key.log_id != entry.log_id for key in signing.instance.logs):
            message = (
                f"the entry that {log.url} gave is of a log that the trusted root does not know "
                f"({RefusalCode.LOG_UNKNOWN}); nothing was attached"
            )
            raise ServiceError(message)
        if entry.promise is None:
            found.append((entry, None))
            continue
        when = datetime.fromtimestamp(entry.integrated_time, UTC)
        if when > signing.now() + AHEAD:
            message = f"the transparency log {log.url} dates its entry {when:%Y-%m-%d %H:%M:%S}Z, which is not yet"
            raise ServiceError(message)
        found.append((entry, ClaimedTime(when, TimeSource.REKOR, log.url)))
    return found
