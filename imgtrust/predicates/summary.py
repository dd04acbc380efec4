"""The SLSA verification summary (VSA v1) that a promotion leaves behind. Pure.

Knows the predicate of https://slsa.dev/spec/v1.0/verification_summary and imgtrust's own extension fields in it
(``imgtrust_…``, as SLSA names a vendor's fields); knows nothing of who signs it or where it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from imgtrust.errors import InvalidDigest
from imgtrust.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VERIFIER_ID", "VSA", "Input", "Summary", "read_summary", "write_summary"]

VSA: Final = "https://slsa.dev/verification_summary/v1"
"""The predicate type."""
VERIFIER_ID: Final = "pkg:pypi/imgtrust"
"""``verifier.id``: which software judged. Who vouches for it is the signature's key."""

_SLSA_VERSION: Final = "1.0"
_PASSED: Final = "PASSED"
_FAILED: Final = "FAILED"
_UNEVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"


@dataclass(frozen=True, slots=True)
class Input:
    """One attestation that the judgement used, by the name and the digest of its manifest."""

    uri: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Summary:
    """What a verification summary says.

    ``resource`` is the name with digest at the destination, ``source`` the one that it came from. ``verified_at`` is
    the time of judgement (aware UTC). ``policy_source`` is a file name or ``flags``; ``policy_digest`` names its
    text. ``platforms`` are those that were chosen, empty for all. ``tags`` are those that the promotion then set.
    """

    version: str
    verified_at: datetime
    resource: str
    source: str
    policy_source: str
    policy_digest: Digest
    passed: bool = True
    inputs: tuple[Input, ...] = ()
    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def write_summary(summary: Summary) -> dict[str, Any]:
    """The predicate as a JSON object. Times are written in UTC to the second, as RFC 3339."""
    return {
        "verifier": {"id": VERIFIER_ID, "version": {"imgtrust": summary.version}},
        # Not strftime: it writes a year before 1000 without its zeros, and nobody reads that.
        "timeVerified": summary.verified_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "resourceUri": summary.resource,
        "policy": {"uri": summary.policy_source, "digest": _digest_set(summary.policy_digest)},
        "inputAttestations": [{"uri": item.uri, "digest": _digest_set(item.digest)} for item in summary.inputs],
        "verificationResult": _PASSED if summary.passed else _FAILED,
        "verifiedLevels": [_UNEVALUATED if summary.passed else _FAILED],
        "slsaVersion": _SLSA_VERSION,
        "imgtrust_source": summary.source,
        "imgtrust_platforms": list(summary.platforms),
        "imgtrust_tags": list(summary.tags),
    }


def read_summary(predicate: object) -> Summary | None:
    """Read a predicate that ``write_summary`` (or another verifier) wrote; None where it is not a summary.

    Fields that SLSA requires must be there and well-formed; absent optional ones are empty.
    """
    members = _members(predicate)
    result = members.get("verificationResult")
    version = _members(_members(members.get("verifier")).get("version")).get("imgtrust")
    policy = _members(members.get("policy"))
    digest = _digest(policy.get("digest"))
    verified_at = _time(members.get("timeVerified"))
    resource, source = members.get("resourceUri"), members.get("imgtrust_source")
    if result not in (_PASSED, _FAILED) or not isinstance(resource, str) or verified_at is None or digest is None:
        return None
    inputs = [
        (_members(item).get("uri"), _digest(_members(item).get("digest")))
        for item in _items(members, "inputAttestations")
    ]
    return Summary(
        version if isinstance(version, str) else "",
        verified_at,
        resource,
        source if isinstance(source, str) else "",
        str(policy.get("uri", "")),
        digest,
        result == _PASSED,
        tuple(Input(str(uri), found) for uri, found in inputs if found is not None),
        tuple(str(item) for item in _items(members, "imgtrust_platforms")),
        tuple(str(item) for item in _items(members, "imgtrust_tags")),
    )


def _digest_set(digest: Digest) -> dict[str, str]:
    return {digest.algorithm: digest.encoded}


def _members(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _items(members: Mapping[str, object], name: str) -> list[object]:
    value = members.get(name)
    return value if isinstance(value, list) else []


def _digest(value: object) -> Digest | None:
    """The sha256 of a digest set."""
    encoded = _members(value).get("sha256")
    try:
        return Digest("sha256", encoded) if isinstance(encoded, str) else None
    except InvalidDigest:
        return None


def _time(value: object) -> datetime | None:
    """An RFC 3339 time with a zone, in UTC."""
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if parsed is None or parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: a day before the year 1 or after 9999 in UTC
        return None
