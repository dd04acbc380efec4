"""The options of keyless signing, for ``sign`` and ``attest``.

Knows how they are spelled, and that they and a key exclude each other. No postponed annotations here: the types are
read at run time.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.console import Console
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Form, Passphrase, SigningKey, Stamping, service_options, signing_of
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.commands.signing import Signing
    from imgtrust.stores.options import StoreOptions

__all__ = ["Keyless", "signing_with"]

_PUBLIC = "the identity that signs will be in a public log for ever, with the digest of what it signed"


@dataclass(frozen=True)
class Keyless:
    """An identity in place of a key."""

    TITLE: ClassVar[str] = "Keyless signing"

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
            help="The transparency log, of either generation. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    signing_config: Annotated[
        str | None,
        typer.Option(
            "--signing-config",
            metavar="FILE",
            help="Where the services of the Sigstore instance are (JSON); without it and without URLs, those of the "
            "public good instance.",
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
    no_log: Annotated[bool, typer.Option("--no-log", help="Write to no transparency log; --tsa is needed then.")] = (
        False
    )

    def check(self, key: SigningKey, form: Form) -> None:
        """Refuse what cannot go together.

        Raises:
            UsageError: a key and an identity, options of one with the other, or a format that has no certificate.
        """
        given = {
            "--identity-token": self.identity_token,
            "--fulcio-url": self.fulcio_url,
            "--rekor-url": self.rekor_url,
            "--signing-config": self.signing_config,
            "--trusted-root": self.trusted_root,
        }
        mine = [name for name, value in given.items() if value]
        if not self.keyless and mine:
            message = f"{mine[0]} goes with --keyless: a signature by key asks neither Fulcio nor Rekor"
            raise UsageError(message)
        if self.keyless and key.key is not None:
            message = "--keyless and --key exclude each other: sign twice to have both"
            raise UsageError(message)
        if self.keyless and form.format != "bundle":
            message = f"--keyless makes bundles; leave out --format {form.format}"
            raise UsageError(message)

    def signing(
        self,
        stamping: Stamping,
        *,
        session: Session,
        options: "StoreOptions",
        console: Console,
        annotations: tuple[tuple[str, str], ...],
    ) -> "Signing":
        """Everything that a command signs with.

        Raises:
            UsageError: a part is lacking.
        """
        from imgtrust.commands.keyless import KeylessTerms, is_public, keyless_signing  # noqa: PLC0415 - options first

        terms = KeylessTerms(
            self.identity_token,
            self.fulcio_url,
            tuple(self.rekor_url),
            self.signing_config,
            self.trusted_root,
            not self.no_log,
            stamping.urls(session),
            session.prompt() is not None,
        )
        asked = service_options(session, options)
        made = keyless_signing(terms, asked, environment=session.environment, now=session.now, annotations=annotations)
        if is_public(terms) and made.logs:
            console.warn(_PUBLIC)
        return made


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
) -> "Signing":
    """Everything that a command signs with, by key or as an identity.

    Raises:
        UsageError: neither, both, or options that do not go together.
        KeyUnusable: the key cannot be used.
    """
    keyless.check(key, form)
    if keyless.keyless:
        return keyless.signing(stamping, session=session, options=options, console=console, annotations=annotations)
    return signing_of(
        key.signer(passphrase, session),
        stamping,
        form,
        session=session,
        options=options,
        console=console,
        annotations=annotations,
    )
