"""Who signs, and which services take part: a key or an identity, and the logs of both, wherever something is signed.

Knows how these options are spelled and what goes with what. No postponed annotations here: the types are read at run
time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.console import Console
from imgtrust.cli.session import Session
from imgtrust.cli.signing import NO_TIME, Form, Passphrase, SigningKey, Stamping, service_options
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.commands.keyless import KeylessTerms
    from imgtrust.commands.signing import Signing
    from imgtrust.stores.options import StoreOptions

__all__ = ["Keyless", "as_option", "signing_with"]

_PUBLIC = "the identity that signs will be in a public log for ever, with the digest of what it signed"

as_option = "--{}".format
"""How an option is spelled by the commands that do nothing but sign."""


@dataclass(frozen=True)
class Keyless:
    """An identity in place of a key, and the logs that signatures of either are written to."""

    TITLE: ClassVar[str] = "Keyless signing and transparency logs"

    keyless: Annotated[
        bool,
        typer.Option(
            "--keyless",
            help="Sign as who you are, with a key that lives for minutes: Fulcio gives a certificate for your identity "
            "token, and Rekor logs the signature.",
        ),
    ] = False
    identity_token: Annotated[
        str | None,
        typer.Option(
            "--identity-token",
            metavar="FILE",
            help="The identity token: FILE, env://NAME or awssm://SECRET, never the token itself. Without it: "
            "SIGSTORE_ID_TOKEN, the CI system's, or a login with the browser.",
            show_default=False,
        ),
    ] = None
    fulcio_url: Annotated[
        str | None,
        typer.Option("--fulcio-url", metavar="URL", help="The certificate authority.", show_default=False),
    ] = None
    rekor_url: Annotated[
        list[str],
        typer.Option(
            "--rekor-url",
            metavar="URL",
            help="The transparency log, of either generation; with --key too. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    signing_config: Annotated[
        str | None,
        typer.Option(
            "--signing-config",
            metavar="FILE",
            help="Where the services of the Sigstore instance are (JSON); with --key its logs and time-stamp "
            "authorities. Keyless without it and without URLs: those of the public good instance.",
            show_default=False,
        ),
    ] = None
    trusted_root: Annotated[
        str | None,
        typer.Option(
            "--trusted-root",
            metavar="FILE",
            help="The instance's trusted root (JSON): what is signed is verified before it is attached.",
            show_default=False,
        ),
    ] = None
    no_log: Annotated[
        bool,
        typer.Option("--no-log", help="Write to no transparency log; a keyless signature needs --tsa then."),
    ] = False

    @property
    def services(self) -> bool:
        """Whether services or their anchors are named."""
        return bool(self.rekor_url or self.signing_config or self.trusted_root)

    def check(self, key: str | None, form: Form, spelled: Callable[[str], str] = as_option) -> None:
        """Refuse what cannot go together.

        Raises:
            UsageError: a key and an identity, options of one with the other, or a format that has no certificate.
        """
        keyless = spelled("keyless")
        own = {"identity-token": self.identity_token, "fulcio-url": self.fulcio_url}
        mine = [spelled(name) for name, value in own.items() if value]
        if not self.keyless and mine:
            message = f"{mine[0]} goes with {keyless}: a signature by key needs no certificate"
            raise UsageError(message)
        if self.keyless and key is not None:
            message = f"{keyless} and {spelled('key')} exclude each other: one signature has one signer"
            raise UsageError(message)
        if not self.keyless and key is None and (self.services or self.no_log):
            message = f"nothing to sign with: give {spelled('key')} KEY or {keyless}"
            raise UsageError(message)
        if self.keyless and form.format != "bundle":
            message = f"{keyless} makes bundles; leave out --format {form.format}"
            raise UsageError(message)

    def terms(self, stamping: Stamping, session: Session, spelled: Callable[[str], str]) -> "KeylessTerms":
        """The same as a value."""
        from imgtrust.commands.keyless import KeylessTerms  # noqa: PLC0415 - options are read before commands are

        return KeylessTerms(
            self.identity_token,
            self.fulcio_url,
            tuple(self.rekor_url),
            self.signing_config,
            self.trusted_root,
            not self.no_log,
            stamping.urls(session),
            session.prompt() is not None,
            spelled=spelled,
        )


def signing_with(
    keyless: Keyless,
    key: SigningKey,
    passphrase: Passphrase,
    stamping: Stamping,
    form: Form,
    *,
    session: Session,
    options: "StoreOptions",
    console: Console,
    annotations: tuple[tuple[str, str], ...] = (),
    spelled: Callable[[str], str] = as_option,
) -> "Signing":
    """Everything that a command signs with, by key or as an identity.

    Raises:
        UsageError: neither, both, or options that do not go together.
        KeyUnusable: the key cannot be used.
    """
    keyless.check(key.key, form, spelled)
    if keyless.keyless:
        from imgtrust.commands.keyless import is_public, keyless_signing  # noqa: PLC0415 - options are read first

        terms, asked = keyless.terms(stamping, session, spelled), service_options(session, options)
        made = keyless_signing(terms, asked, environment=session.environment, now=session.now, annotations=annotations)
        if is_public(terms) and made.logs:
            console.warn(_PUBLIC)
        return made
    signer = key.signer(passphrase, session)
    if keyless.services:
        from imgtrust.commands.keyless import key_signing  # noqa: PLC0415 - as above

        terms, asked = keyless.terms(stamping, session, spelled), service_options(session, options)
        made = key_signing(signer, terms, asked, form=form.value, now=session.now, annotations=annotations)
        if not made.dated:
            console.warn(NO_TIME)
        return made
    from imgtrust.commands.signing import Signing  # noqa: PLC0415 - as above

    stamps = stamping.timestampers(session, options, console)
    return Signing(signer, stamps, format=form.value, annotations=annotations, now=session.now)
