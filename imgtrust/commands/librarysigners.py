"""The surface for Python (CLI.md section 6): who signs, as values, and what is signed with made of them.

Knows defaults that suit a caller in Python, and how such a caller spells things; decides nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from imgtrust.commands.signing import Signing
    from imgtrust.signers.notary import EnvelopeSigner
    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.signers.tsa import TsaOptions
    from imgtrust.stores.options import StoreOptions

__all__ = ["Keyless", "Logs", "open_notary_signer", "open_signer", "open_timestamper", "signing_by"]

_SPELLED: Final = {"identity-token": "token", "no-log": "log=False"}
"""Arguments that have another name than the option of the command line."""


@dataclass(frozen=True, slots=True)
class Keyless:
    """Sign as an identity, with a key that lives for minutes.

    ``token``: the identity token, or what gives a fresh one each time that a certificate is asked for (once in about
    eight minutes); without it SIGSTORE_ID_TOKEN, then the CI system's. Nobody is asked to log in. ``signing_config``
    and ``trusted_root``: files of the Sigstore instance. ``fulcio_url``, ``rekor_url``, ``tsa``: its addresses, in
    place of a signing config (``tsa`` also in place of the authorities in it). With none of them the public good
    instance is meant, whose log shows for ever who signed which digest. ``log``: False writes to no log.
    """

    token: str | Callable[[], str] | None = field(default=None, repr=False)
    signing_config: str | Path | None = None
    trusted_root: str | Path | None = None
    fulcio_url: str | None = None
    rekor_url: str | Sequence[str] = ()
    tsa: str | Sequence[str] = ()
    log: bool = True


@dataclass(frozen=True, slots=True)
class Logs:
    """The transparency logs that signatures by a key are written to, and the trusted root that knows their keys.

    ``rekor_url``: addresses; or ``signing_config``, a file that names them (and time-stamp authorities).
    """

    trusted_root: str | Path
    rekor_url: str | Sequence[str] = ()
    signing_config: str | Path | None = None


def open_signer(
    key: str, *, passphrase_file: str | None = None, environment: Mapping[str, str] | None = None
) -> Signer:
    """The private key ``FILE``, ``env://NAME`` or ``awssm://SECRET``, opened once.

    Its passphrase comes from IMGTRUST_PASSPHRASE or COSIGN_PASSWORD, else from the file; nobody is asked.

    Raises:
        KeyUnusable: the key cannot be used; WrongPassphrase where the passphrase does not open it.
    """
    from imgtrust.signers import PassphraseSource  # noqa: PLC0415 - at first use
    from imgtrust.signers import open_signer as opened  # noqa: PLC0415 - as above

    variables = os.environ if environment is None else environment
    return opened(key, passphrase=PassphraseSource(variables, passphrase_file), environment=variables)


def open_notary_signer(
    key: str, chain: str, *, passphrase_file: str | None = None, environment: Mapping[str, str] | None = None
) -> EnvelopeSigner:
    """A private key (as in ``open_signer``) with its certificates in a PEM file, for signatures that notation verifies.

    Raises:
        KeyUnusable: the key cannot be used, or the chain is not its own.
        InputFileError: the chain cannot be read.
    """
    from imgtrust.signers import PassphraseSource  # noqa: PLC0415 - at first use
    from imgtrust.signers.notary import open_envelope_signer  # noqa: PLC0415 - as above

    variables = os.environ if environment is None else environment
    source = PassphraseSource(variables, passphrase_file)
    return open_envelope_signer(key, chain, passphrase=source, environment=variables)


def open_timestamper(url: str) -> Timestamper:
    """The RFC 3161 authority at a URL.

    Raises:
        UsageError: the URL is not one that is used.
    """
    from imgtrust.signers import open_timestamper as opened  # noqa: PLC0415 - at first use
    from imgtrust.signers.tsa import TsaOptions  # noqa: PLC0415 - as above

    return opened(url, TsaOptions(environment=os.environ))


def signing_by(
    signer: Signer | Keyless | EnvelopeSigner,
    timestampers: Sequence[Timestamper],
    logs: Logs | None,
    options: StoreOptions,
) -> Signing:
    """Everything that is signed with; no service is asked yet. ``options`` say how services are reached, too.

    Raises:
        UsageError: what is asked for cannot go together, or lacks a part.
        InputFileError: a file cannot be read.
    """
    from imgtrust.commands.signing import SignFormat, Signing  # noqa: PLC0415 - at first use
    from imgtrust.signers.notary import EnvelopeSigner  # noqa: PLC0415 - as above

    stamps = tuple(timestampers)
    if logs is not None and isinstance(signer, (Keyless, EnvelopeSigner)):
        message = "logs go with a signer by key: a keyless one names its own, and an envelope of Notary holds no entry"
        raise UsageError(message)
    if isinstance(signer, Keyless):
        return _keyless(signer, stamps, options)
    if isinstance(signer, EnvelopeSigner):
        return Signing(signer, stamps, format=SignFormat.NOTARY)
    return Signing(signer, stamps) if logs is None else _logged(signer, stamps, logs, options)


def _keyless(signer: Keyless, stamps: tuple[Timestamper, ...], options: StoreOptions) -> Signing:
    """What an identity signs with."""
    from imgtrust.commands.keyless import KeylessTerms, keyless_signing  # noqa: PLC0415 - at first use

    terms = KeylessTerms(
        None,
        signer.fulcio_url,
        _many(signer.rekor_url),
        _path(signer.signing_config),
        _path(signer.trusted_root),
        signer.log,
        stamps or _many(signer.tsa),
        token=_token(signer.token),
        spelled=_spelled,
    )
    return keyless_signing(terms, _reached(options), environment=options.environment, now=_now)


def _logged(signer: Signer, stamps: tuple[Timestamper, ...], logs: Logs, options: StoreOptions) -> Signing:
    """What a key signs with whose signatures are logged."""
    from imgtrust.commands.keyless import KeylessTerms, key_signing  # noqa: PLC0415 - at first use

    terms = KeylessTerms(
        rekor=_many(logs.rekor_url),
        signing_config=_path(logs.signing_config),
        trusted_root=_path(logs.trusted_root),
        stampers=stamps,
        spelled=_spelled,
    )
    return key_signing(signer, terms, _reached(options), now=_now)


def _reached(options: StoreOptions) -> TsaOptions:
    """How services are reached: as registries are."""
    from imgtrust.signers.tsa import TsaOptions  # noqa: PLC0415 - at first use

    return TsaOptions(
        deadline=options.deadline,
        ca_file=options.ca_file,
        client_cert=options.client_cert,
        client_key=options.client_key,
        environment=options.environment,
    )


def _token(token: str | Callable[[], str] | None) -> Callable[[], str] | None:
    return (lambda: token) if isinstance(token, str) else token


def _many(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _path(given: str | Path | None) -> str | None:
    return None if given is None else str(given)


def _spelled(option: str) -> str:
    """An option as a caller in Python writes it."""
    return _SPELLED.get(option, option.replace("-", "_"))


def _now() -> datetime:
    """The clock, aware UTC."""
    return datetime.now(UTC)
