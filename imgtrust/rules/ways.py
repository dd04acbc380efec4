"""How to make what is missing: the command for each kind of signer, and what the others would do. Pure.

Knows how each kind of signer signs and which times that can give; knows nothing of policies, which say who is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from imgtrust.rules.wording import command, listed, one_line
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Means", "Way", "attest_words", "best_time", "how_to_attest", "how_to_sign", "sign_words"]


class Means(StrEnum):
    """What a signer signs with; the value is what people call it."""

    KEY = "key"
    KEYLESS = "keyless"
    NOTARY = "Notary certificate"
    AWS_SIGNER = "AWS Signer"
    AUTHORITY = "signing authority"


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody becomes one signer of a policy.

    ``whom``: as whom one has to sign, in words; for AWS Signer the ARN of the profile. ``own_instance``: keyless, and
    not by Sigstore's public good instance. ``key``: how commands name the private key.
    """

    name: str
    means: Means = Means.KEY
    whom: str = ""
    own_instance: bool = False
    key: str = "KEY"


_TIMES: Final = {
    Means.KEY: (TimeSource.RFC3161, TimeSource.REKOR),
    Means.KEYLESS: (TimeSource.RFC3161, TimeSource.REKOR),
    Means.NOTARY: (TimeSource.RFC3161,),
    Means.AWS_SIGNER: (TimeSource.SIGNING_AUTHORITY,),
    Means.AUTHORITY: (TimeSource.SIGNING_AUTHORITY,),
}
"""The proven times that a signature of each kind can have, what is easiest to have first."""
_OPTIONS: Final = {TimeSource.RFC3161: ("--tsa", "URL"), TimeSource.REKOR: ("--rekor-url", "URL")}
_WITH: Final = {TimeSource.RFC3161: " with a time-stamp", TimeSource.REKOR: " and log it where the time is promised"}
_ATTESTING: Final = frozenset({Means.KEY, Means.KEYLESS})
_PLUGIN: Final = "com.amazonaws.signer.notation.plugin"


def sign_words(way: Way, target: str, time: TimeSource | None = None) -> str:
    """The command with which somebody signs; empty where imgtrust and notation have none."""
    match way.means:
        case Means.AUTHORITY:
            return ""
        case Means.AWS_SIGNER:
            return command("notation", "sign", "--plugin", _PLUGIN, "--id", way.whom, target)
        case _:
            options = () if time is None else _OPTIONS[time]
            return command("imgtrust", "sign", *_identity(way), *options, target)


def attest_words(way: Way, kind: str, target: str, *, timed: bool) -> str:
    """The command with which somebody attests; empty for who cannot, for Notary signs images only."""
    if way.means not in _ATTESTING:
        return ""
    stamp = _OPTIONS[TimeSource.RFC3161] if timed else ()
    return command("imgtrust", "attest", *_identity(way), "--type", kind, "--predicate", "FILE", *stamp, target)


def best_time(way: Way, sources: Sequence[TimeSource]) -> TimeSource | None:
    """The time that a signer would best give, of those that count; None where it can give none of them."""
    return next((time for time in _TIMES[way.means] if time in sources), None)


def how_to_sign(ways: Sequence[Way], target: str, sources: Sequence[TimeSource] | None = None) -> str:
    """How to get a signature that is missing, by the first who can give it; and who else could.

    ``sources``: the times of which it has to have one; None where it needs none.
    """
    able = [(way, None) for way in ways] if sources is None else [(way, best_time(way, sources)) for way in ways]
    able = [(way, time) for way, time in able if sources is None or time is not None]
    if not able:
        return "none of these signers can have a time that the policy takes: name another source in trusted_time"
    lines = [_line(*able[0], target)]
    others = [f"{other.name} ({other.means.value})" for other, _ in able[1:]]
    if others:
        lines.append(f"or have it signed by {', '.join(listed(others))}")
    return "\n".join(lines)


def how_to_attest(ways: Sequence[Way], kind: str, target: str, *, timed: bool) -> str:
    """How to get an attestation that is missing, by the first who can make it."""
    able = [(way, words) for way in ways if (words := attest_words(way, kind, target, timed=timed))]
    if not able:
        return "name a key or a keyless signer in signed_by: Notary signs images only"
    way, words = able[0]
    return f"attest it{_as(way)}: {words}"


def _line(way: Way, time: TimeSource | None, target: str) -> str:
    """What one signer does."""
    words = sign_words(way, target, time)
    match way.means:
        case Means.AUTHORITY:
            return f"have it signed by the signing authority {way.name}: imgtrust makes no such signatures"
        case Means.AWS_SIGNER:
            return f"sign it with AWS Signer, or push it anew where ECR signs with that profile: {words}"
        case _:
            return f"sign it{_as(way)}{'' if time is None else _WITH[time]}: {words}"


def _as(way: Way) -> str:
    return f" as {one_line(way.whom)}" if way.whom else ""


def _identity(way: Way) -> tuple[str, ...]:
    """The options of ``sign`` and ``attest`` with which somebody is this signer."""
    match way.means:
        case Means.KEYLESS:
            own = ("--signing-config", "FILE", "--trusted-root", "FILE") if way.own_instance else ()
            return ("--keyless", *own)
        case Means.NOTARY:
            return "--notary-key", way.key, "--notary-chain", "PEM"
        case _:
            return "--key", way.key
