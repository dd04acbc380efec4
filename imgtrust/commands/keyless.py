"""From the words of a command line to everything that keyless signing needs.

Knows which services, which trusted root and which identity are meant, and what cannot go together; what signing is, is
in ``signing``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.commands.anchors import packaged_root, packaged_signing_config
from imgtrust.commands.holding import SignFormat, Signing
from imgtrust.errors import UsageError
from imgtrust.signers.material import read_limited
from imgtrust.signers.signingconfig import MAX_CONFIG_BYTES, LogService, Services, read_signing_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from imgtrust.signers.tsa import TsaOptions
    from imgtrust.trust.anchors import SigstoreRoot

__all__ = ["PUBLIC_GOOD", "KeylessTerms", "is_public", "keyless_signing"]

PUBLIC_GOOD: Final = "sigstore-public-good"
_UNKNOWN: Final = 0
_SECOND: Final = 2


@dataclass(frozen=True, slots=True)
class KeylessTerms:
    """What is asked for. Without ``fulcio``, ``rekor`` and ``signing_config`` the public good instance is meant.

    ``identity_token``: FILE, ``env://NAME`` or ``awssm://SECRET``. ``rekor``: URLs. ``signing_config``,
    ``trusted_root``: files. ``log``: whether logs are written to. ``stampers``: URLs of time-stamp authorities, in
    place of the instance's. ``person``: somebody can be asked to log in.
    """

    identity_token: str | None = None
    fulcio: str | None = None
    rekor: tuple[str, ...] = ()
    signing_config: str | None = None
    trusted_root: str | None = None
    log: bool = True
    stampers: tuple[str, ...] = ()
    person: bool = False


def is_public(terms: KeylessTerms) -> bool:
    """Whether the public good instance is meant, whose logs everybody can read."""
    return terms.signing_config is None and terms.fulcio is None and not terms.rekor


def keyless_signing(
    terms: KeylessTerms,
    options: TsaOptions,
    *,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    annotations: tuple[tuple[str, str], ...] = (),
) -> Signing:
    """Everything that a command signs with; no service is asked yet.

    Raises:
        UsageError: what is asked for cannot go together, or lacks a part.
        InputFileError: a file cannot be read.
    """
    services = _services(terms, now())
    if services.certificates is None:
        message = "keyless signing needs a certificate authority: give --fulcio-url, or a --signing-config that has one"
        raise UsageError(message)
    logs = services.logs if terms.log else ()
    stampers = terms.stampers or services.stampers
    if not stampers and (not logs or all(log.version == _SECOND for log in logs)):
        message = (
            "nothing would prove when this was signed, and a certificate that has expired says nothing without that: "
            "give --tsa URL"
        )
        raise UsageError(message)
    instance = _instance(terms)
    from imgtrust.signers import open_timestamper  # noqa: PLC0415 - after the options are known to be good
    from imgtrust.signers.keyless import KeylessSigner  # noqa: PLC0415 - as above
    from imgtrust.signers.oidc import TokenSource  # noqa: PLC0415 - as above
    from imgtrust.signers.rekor import open_log  # noqa: PLC0415 - as above

    tokens = TokenSource(environment, terms.identity_token, services.identities, person=terms.person)
    return Signing(
        KeylessSigner(services.certificates, tokens.read, now, options.wire),
        tuple(open_timestamper(url, options) for url in stampers),
        format=SignFormat.BUNDLE,
        annotations=annotations,
        now=now,
        logs=tuple(open_log(log, options.wire) for log in logs),
        instance=instance,
    )


def _services(terms: KeylessTerms, at: datetime) -> Services:
    """Which services are asked."""
    if terms.signing_config is not None:
        if terms.fulcio is not None or terms.rekor:
            message = "--signing-config says where the services are; leave out --fulcio-url and --rekor-url"
            raise UsageError(message)
        data = read_limited(terms.signing_config, "signing config", MAX_CONFIG_BYTES)
        return read_signing_config(data, terms.signing_config, at=at)
    if is_public(terms):
        return read_signing_config(packaged_signing_config(PUBLIC_GOOD), PUBLIC_GOOD, at=at)
    if terms.log and not terms.rekor:
        message = "--fulcio-url without a log: give --rekor-url too, or --no-log with --tsa URL"
        raise UsageError(message)
    return Services(terms.fulcio, None, tuple(LogService(url, _UNKNOWN) for url in terms.rekor))


def _instance(terms: KeylessTerms) -> SigstoreRoot:
    """The instance under which the result is judged before it is attached."""
    from imgtrust.trust.roots import MAX_ROOT_BYTES, parse_sigstore_root  # noqa: PLC0415 - X.509 is slow to import

    if terms.trusted_root is not None:
        data = read_limited(terms.trusted_root, "trusted root", MAX_ROOT_BYTES)
        return parse_sigstore_root(data, terms.trusted_root)
    if not is_public(terms):
        message = (
            "a Sigstore instance of your own needs its --trusted-root FILE: what is signed is verified before it is "
            "attached"
        )
        raise UsageError(message)
    return parse_sigstore_root(packaged_root(PUBLIC_GOOD), PUBLIC_GOOD)
