"""From the words of a command line to everything that signing with services needs: keyless, or a key with logs.

Knows which services, which trusted root and which identity are meant, and what cannot go together; what signing is, is
in ``signing``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from imgtrust.commands.anchors import packaged_root, packaged_signing_config
from imgtrust.commands.holding import SignFormat, Signing
from imgtrust.errors import UsageError
from imgtrust.signers.material import read_limited
from imgtrust.signers.signingconfig import MAX_CONFIG_BYTES, LogService, Services, read_signing_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.signers.tsa import TsaOptions
    from imgtrust.trust.anchors import SigstoreRoot

__all__ = ["PUBLIC_GOOD", "KeylessTerms", "is_public", "key_signing", "keyless_signing"]

PUBLIC_GOOD: Final = "sigstore-public-good"
_UNKNOWN: Final = 0
_FIRST: Final = 1
_SECOND: Final = 2
_ED25519: Final = "ed25519"


@dataclass(frozen=True, slots=True)
class KeylessTerms:
    """What is asked for. Without ``fulcio``, ``rekor`` and ``signing_config`` the public good instance is meant.

    ``identity_token``: FILE, ``env://NAME`` or ``awssm://SECRET``; ``token``: gives the token itself, where a caller
    has it. ``rekor``: URLs. ``signing_config``, ``trusted_root``: files. ``log``: whether logs are written to.
    ``stampers``: time-stamp authorities (URLs, or opened), in place of the instance's. ``person``: somebody can be
    asked to log in. ``spelled``: how the person who reads messages spells an option.
    """

    identity_token: str | None = None
    fulcio: str | None = None
    rekor: tuple[str, ...] = ()
    signing_config: str | None = None
    trusted_root: str | None = None
    log: bool = True
    stampers: tuple[str | Timestamper, ...] = ()
    person: bool = False
    token: Callable[[], str] | None = field(default=None, repr=False)
    spelled: Callable[[str], str] = "--{}".format


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
    """Everything that a command signs with as an identity; no service is asked yet.

    Raises:
        UsageError: what is asked for cannot go together, or lacks a part.
        InputFileError: a file cannot be read.
    """
    services = _services(terms, now())
    if services.certificates is None:
        message = (
            f"keyless signing needs a certificate authority: give {terms.spelled('fulcio-url')}, or a "
            f"{terms.spelled('signing-config')} that has one"
        )
        raise UsageError(message)
    logs = services.logs if terms.log else ()
    stampers = terms.stampers or services.stampers
    if not stampers and (not logs or all(log.version == _SECOND for log in logs)):
        message = (
            "nothing would prove when this was signed, and a certificate that has expired says nothing without that: "
            f"give {terms.spelled('tsa')} URL"
        )
        raise UsageError(message)
    instance = _instance(terms)
    from imgtrust.signers.keyless import KeylessSigner  # noqa: PLC0415 - after the options are known to be good
    from imgtrust.signers.oidc import TokenSource  # noqa: PLC0415 - as above

    option = terms.spelled("identity-token")
    tokens = TokenSource(
        environment, terms.identity_token, services.identities, person=terms.person, given=terms.token, option=option
    )
    signer = KeylessSigner(services.certificates, tokens.read, now, options.wire)
    plain = Signing(signer, format=SignFormat.BUNDLE, annotations=annotations, now=now, instance=instance)
    return _with_services(plain, stampers, logs, options)


def key_signing(
    signer: Signer,
    terms: KeylessTerms,
    options: TsaOptions,
    *,
    form: SignFormat = SignFormat.BUNDLE,
    now: Callable[[], datetime],
    annotations: tuple[tuple[str, str], ...] = (),
) -> Signing:
    """Everything that a command signs with by key, where logs or a trusted root are named; no service is asked yet.

    Nothing is logged that is not named: a key has no instance of its own.

    Raises:
        UsageError: what is asked for cannot go together, or lacks a part.
        InputFileError: a file cannot be read.
    """
    services = Services(None, None) if is_public(terms) else _services(terms, now())
    logs = _fitting(services.logs if terms.log else (), signer, form)
    if logs and terms.trusted_root is None:
        message = (
            f"a signature that is logged needs {terms.spelled('trusted-root')} FILE, which knows the key of the log: "
            "what is signed is verified before it is attached (imgtrust trust update writes that of the public good "
            "instance)"
        )
        raise UsageError(message)
    instance = None if terms.trusted_root is None else _instance(terms)
    if logs and instance is not None and not instance.logs:
        message = f"the trusted root {terms.trusted_root} knows no transparency log; nothing was signed"
        raise UsageError(message)
    plain = Signing(signer, format=form, annotations=annotations, now=now, instance=instance)
    return _with_services(plain, terms.stampers or services.stampers, logs, options)


def _with_services(
    plain: Signing, stampers: tuple[str | Timestamper, ...], logs: tuple[LogService, ...], options: TsaOptions
) -> Signing:
    """The same, with authorities that stamp and logs that are written to."""
    from imgtrust.signers import open_timestamper  # noqa: PLC0415 - after the options are known to be good
    from imgtrust.signers.rekor import open_log  # noqa: PLC0415 - as above

    return replace(
        plain,
        timestampers=tuple(open_timestamper(each, options) if isinstance(each, str) else each for each in stampers),
        logs=tuple(open_log(log, options.wire) for log in logs),
    )


def _fitting(logs: tuple[LogService, ...], signer: Signer, form: SignFormat) -> tuple[LogService, ...]:
    """The logs, after it is known that they take what this key signs and that the format can hold their entries.

    Raises:
        UsageError: they do not, or it cannot.
    """
    from imgtrust.signers.logged import DETAILS  # noqa: PLC0415 - only where something is logged

    kind = signer.public_key.kind
    if form is SignFormat.LEGACY and logs:
        if len(logs) > 1 or logs[0].version == _SECOND:
            message = (
                "cosign's legacy format holds the promise of one log of the first generation; leave out --format "
                "cosign-legacy, or name one such log"
            )
            raise UsageError(message)
        logs = (LogService(logs[0].url, _FIRST),)
    second = [log.url for log in logs if log.version != _FIRST]
    if kind == _ED25519 and (second or (logs and form is SignFormat.LEGACY)):
        message = (
            "logs take the digest of what was signed, and a pure Ed25519 signature, the only kind that cosign accepts, "
            "cannot be checked with that: sign with a P-256 key, or without a log"
        )
        raise UsageError(message)
    if kind not in DETAILS and kind != _ED25519 and second:
        message = f"the log {second[0]} takes no {kind} keys: expected P-256, P-384, P-521 or RSA 2048, 3072 or 4096"
        raise UsageError(message)
    return logs


def _services(terms: KeylessTerms, at: datetime) -> Services:
    """Which services are asked."""
    config, fulcio, rekor = (terms.spelled(name) for name in ("signing-config", "fulcio-url", "rekor-url"))
    if terms.signing_config is not None:
        if terms.fulcio is not None or terms.rekor:
            message = f"{config} says where the services are; leave out {fulcio} and {rekor}"
            raise UsageError(message)
        data = read_limited(terms.signing_config, "signing config", MAX_CONFIG_BYTES)
        return read_signing_config(data, terms.signing_config, at=at)
    if is_public(terms):
        return read_signing_config(packaged_signing_config(PUBLIC_GOOD), PUBLIC_GOOD, at=at)
    if terms.log and not terms.rekor:
        message = (
            f"{fulcio} without a log: give {rekor} too, or {terms.spelled('no-log')} with {terms.spelled('tsa')} URL"
        )
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
            f"a Sigstore instance of your own needs its {terms.spelled('trusted-root')} FILE: what is signed is "
            "verified before it is attached"
        )
        raise UsageError(message)
    return parse_sigstore_root(packaged_root(PUBLIC_GOOD), PUBLIC_GOOD)
