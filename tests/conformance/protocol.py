"""sigstore-conformance's command line protocol (docs/cli_protocol.md) over imgtrust's own code; verifying is here.

The order of arguments is fixed. The root is the one that imgtrust ships, unless the case brings its own; nothing is
asked of a network to verify. A usage error is told apart from a refusal, so that a case cannot "fail" for the wrong
reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.commands.anchors import packaged_root
from imgtrust.errors import ImgtrustError, UsageError
from imgtrust.reference import Digest
from imgtrust.trust.anchors import TrustedIdentity
from imgtrust.trust.artifact import judge_artifact
from imgtrust.trust.keys import TrustedKey, parse_public_key
from imgtrust.trust.roots import TrustRoot, parse_sigstore_root
from imgtrust.trust.signatures import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["REFUSED", "USAGE", "VERIFIED", "VerifyBundle", "run"]

VERIFIED: Final = 0
REFUSED: Final = 1
USAGE: Final = 2

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class VerifyBundle:
    """The arguments of ``verify-bundle``, in their fixed order."""

    bundle: str
    key: str | None
    identity: str
    issuer: str
    trusted_root: str | None
    artifact: str
    staging: bool = False

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> VerifyBundle:
        """Read a whole command, its name first.

        Raises:
            UsageError: another command, another order, a name that is not known, too few or too many.
        """
        left = list(arguments)
        if not _flag(left, "verify-bundle"):
            message = f"expected verify-bundle, found {left[:1]}"
            raise UsageError(message)
        staging = _flag(left, "--staging")
        bundle = _value(left, "--bundle")
        key = _optional(left, "--key")
        identity = issuer = ""
        if key is None:
            identity = _value(left, "--certificate-identity")
            issuer = _value(left, "--certificate-oidc-issuer")
        trusted_root = _optional(left, "--trusted-root")
        if len(left) != 1:
            message = f"expected one file or sha256:HEX at the end, found {left}"
            raise UsageError(message)
        return cls(bundle, key, identity, issuer, trusted_root, left[0], staging)


def run(arguments: Sequence[str], *, at: datetime) -> tuple[int, str]:
    """Run one command of the protocol: the exit status, and what to say."""
    if list(arguments[:1]) == ["sign-bundle"]:
        return _sign(arguments)
    try:
        given = VerifyBundle.parse(arguments)
    except UsageError as exc:
        return USAGE, f"usage: {exc}"
    try:
        return _verify(given, at)
    except ImgtrustError as exc:
        return REFUSED, f"refused: {exc}"
    except OSError as exc:
        return REFUSED, f"refused: {exc.strerror}: {exc.filename}"


def _sign(arguments: Sequence[str]) -> tuple[int, str]:
    from tests.conformance.signing import SignBundle, sign_bundle  # noqa: PLC0415 - a verifier needs none of it

    try:
        given = SignBundle.parse(arguments)
    except UsageError as exc:
        return USAGE, f"usage: {exc}"
    try:
        return VERIFIED, sign_bundle(given, lambda: datetime.now(UTC))
    except ImgtrustError as exc:
        return REFUSED, f"refused: {exc}"


def _verify(given: VerifyBundle, at: datetime) -> tuple[int, str]:
    found = judge_artifact(Path(given.bundle).read_bytes(), _artifact(given.artifact), _root(given), at=at)
    if isinstance(found, Refusal):
        return REFUSED, f"refused: {found.code}: {found.reason}"
    times = ", ".join(f"{each.time.isoformat()} by {each.authority} ({each.source})" for each in found.times)
    return VERIFIED, f"verified: {found.identity}; {times or 'at no proven time'}"


def _artifact(text: str) -> bytes | Digest:
    """A file, or a digest where there is no file of that name."""
    path = Path(text)
    if _DIGEST.fullmatch(text) and not path.exists():
        return Digest.parse(text)
    return path.read_bytes()


def _root(given: VerifyBundle) -> TrustRoot:
    if given.trusted_root is None and given.staging:
        message = "no root of the staging instance is shipped; give one with --trusted-root"
        raise UsageError(message)
    path = given.trusted_root
    data = packaged_root("public-good") if path is None else Path(path).read_bytes()
    instance = parse_sigstore_root(data, path or "public-good")
    if given.key is None:
        return TrustRoot(identities=(TrustedIdentity("signer", instance, given.issuer, given.identity),))
    key = parse_public_key(Path(given.key).read_bytes(), given.key)
    return TrustRoot((TrustedKey("key", key),), instance.authorities, logs=instance.logs)


def _flag(left: list[str], name: str) -> bool:
    found = left[:1] == [name]
    if found:
        left.pop(0)
    return found


def _optional(left: list[str], name: str) -> str | None:
    return _value(left, name) if left[:1] == [name] else None


def _value(left: list[str], name: str) -> str:
    if len(left) < 2 or left[0] != name:
        message = f"expected {name} and its value, found {left[:2]}"
        raise UsageError(message)
    left.pop(0)
    return left.pop(0)
