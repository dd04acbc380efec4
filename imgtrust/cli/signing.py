"""The options of whoever signs: ``sign``, ``attest``, ``sbom attach`` and the record of ``promote``.

Knows how they are spelled; ``signers`` knows keys and authorities. No postponed annotations here: the types are
read at run time.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.console import Console
from imgtrust.cli.session import Session
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.commands.signing import SignFormat
    from imgtrust.signers import PassphraseSource
    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.signers.tsa import TsaOptions
    from imgtrust.stores.options import StoreOptions

__all__ = ["NO_TIME", "Annotations", "Form", "Passphrase", "SigningKey", "Stamping", "open_key", "service_options"]

NO_TIME = "no proven time: a policy that asks for a publish date will refuse this signature (--tsa URL)"


@dataclass(frozen=True)
class Passphrase:
    """Where the passphrase of a private key comes from."""

    TITLE: ClassVar[str] = "Signing"

    passphrase_file: Annotated[
        str | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help="The passphrase of the key, where IMGTRUST_PASSPHRASE and COSIGN_PASSWORD are not set. Without any of "
            "them a terminal is asked.",
            show_default=False,
        ),
    ] = None

    def source(self, session: Session) -> "PassphraseSource":
        """The variables, then the file, then the terminal; nothing is read yet."""
        from imgtrust.signers import PassphraseSource  # noqa: PLC0415 - options are read before commands are

        return PassphraseSource(session.environment, self.passphrase_file, session.prompt())


@dataclass(frozen=True)
class SigningKey:
    """The private key."""

    TITLE: ClassVar[str] = "Signing"

    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="The private key: FILE, env://NAME or awssm://SECRET; cosign's encrypted keys and PKCS#8 are read.",
            show_default=False,
        ),
    ] = None

    def signer(self, passphrase: Passphrase, session: Session) -> "Signer":
        """The signer behind the key, opened once for the whole command.

        Raises:
            UsageError: there is no key.
            KeyUnusable: the key cannot be used.
        """
        if self.key is None:
            message = "nothing to sign with: give --key KEY (imgtrust keys generate makes one), or --keyless"
            raise UsageError(message)
        return open_key(self.key, passphrase, session)


def open_key(name: str, passphrase: Passphrase, session: Session) -> "Signer":
    """The signer behind a private key.

    Raises:
        KeyUnusable: the key cannot be used.
    """
    from imgtrust.signers import open_signer  # noqa: PLC0415 - options are read before commands are

    return open_signer(name, passphrase=passphrase.source(session), environment=session.environment)


@dataclass(frozen=True)
class Stamping:
    """Who says what time it is."""

    TITLE: ClassVar[str] = "Signing"

    tsa: Annotated[
        list[str],
        typer.Option(
            "--tsa",
            metavar="URL",
            help="Have this authority time-stamp the signature (RFC 3161); without it, the one in IMGTRUST_TSA. "
            "Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)

    def timestampers(self, session: Session, options: "StoreOptions", console: Console) -> "tuple[Timestamper, ...]":
        """The authorities; where there is none, that is said.

        Raises:
            UsageError: a URL is not one that is used.
        """
        urls = self.urls(session)
        if not urls:
            console.warn(NO_TIME)
            return ()
        from imgtrust.signers import open_timestamper  # noqa: PLC0415 - options are read before commands are

        asked = service_options(session, options)
        return tuple(open_timestamper(url, asked) for url in urls)

    def urls(self, session: Session) -> tuple[str, ...]:
        """The authorities that are named."""
        return tuple(self.tsa) or tuple(session.environment.get("IMGTRUST_TSA", "").split())


def service_options(session: Session, options: "StoreOptions") -> "TsaOptions":
    """How the services that signing asks are reached."""
    from imgtrust.signers.tsa import TsaOptions  # noqa: PLC0415 - options are read before commands are

    return TsaOptions(
        deadline=options.deadline,
        ca_file=options.ca_file,
        client_cert=options.client_cert,
        client_key=options.client_key,
        environment=session.environment,
    )


@dataclass(frozen=True)
class Form:
    """In which form a signature is attached."""

    TITLE: ClassVar[str] = "Signing"

    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="bundle|cosign-legacy|notary",
            help="bundle: a Sigstore bundle as a referrer, which cosign 3 reads; cosign-legacy: under the .sig and "
            ".att tags of cosign 1 and 2; notary: an envelope that notation reads, with --notary-key (sign only).",
        ),
    ] = "bundle"

    @property
    def value(self) -> "SignFormat":
        """The format as a value.

        Raises:
            UsageError: there is no such format.
        """
        from imgtrust.commands.signing import SignFormat  # noqa: PLC0415 - options are read before commands are

        try:
            return SignFormat(self.format)
        except ValueError:
            message = f"--format {self.format}: expected bundle, cosign-legacy or notary"
            raise UsageError(message) from None

    def check_statement(self) -> None:
        """Refuse a format that holds no statement.

        Raises:
            UsageError: there is no such format, or it signs images only.
        """
        if self.value.value == "notary":
            message = (
                "--format notary: an envelope of the Notary Project signs an image and has no place for a statement; "
                "leave it out, and sign with --key or --keyless"
            )
            raise UsageError(message)


@dataclass(frozen=True)
class Annotations:
    """What is signed beside the digest, and where a copy goes."""

    TITLE: ClassVar[str] = "Signing"

    annotation: Annotated[
        list[str],
        typer.Option("--annotation", metavar="K=V", help="Sign this with the digest. Repeatable.", show_default=False),
    ] = field(default_factory=list)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The annotations.

        Raises:
            UsageError: not K=V, or a key twice.
        """
        found: dict[str, str] = {}
        for text in self.annotation:
            key, equals, value = text.partition("=")
            if not equals or not key or key in found:
                message = f"--annotation {text}: expected K=V, each K once"
                raise UsageError(message)
            found[key] = value
        return tuple(found.items())
