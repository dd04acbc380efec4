"""The options of whoever signs with a Notary certificate.

Knows how they are spelled and what goes with what; ``signers.notary`` knows keys and chains. No postponed annotations
here: the types are read at run time.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.console import Console
from imgtrust.cli.keyless import Keyless
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Form, Passphrase, SigningKey, Stamping
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.commands.signing import Signing
    from imgtrust.stores.options import StoreOptions

__all__ = ["NotaryKey"]

_FORMATS = ("bundle", "notary")
"""What ``--format`` says where it is left out, and where it is not."""


@dataclass(frozen=True)
class NotaryKey:
    """A private key with its X.509 chain."""

    TITLE: ClassVar[str] = "Signing for Notary"

    notary_key: Annotated[
        str | None,
        typer.Option(
            "--notary-key",
            metavar="KEY",
            help="Sign an envelope of the Notary Project, which notation verifies, with this private key; needs "
            "--notary-chain.",
            show_default=False,
        ),
    ] = None
    notary_chain: Annotated[
        str | None,
        typer.Option(
            "--notary-chain",
            metavar="PEM",
            help="The certificate of the key and those above it, the root last.",
            show_default=False,
        ),
    ] = None

    def wanted(self, key: SigningKey, keyless: Keyless, form: Form) -> bool:
        """Whether a Notary signature is asked for.

        Raises:
            UsageError: options that do not go together.
        """
        given = self.notary_key is not None
        if given is not (self.notary_chain is not None) or (form.format == "notary" and not given):
            message = "a Notary signature needs both --notary-key KEY and --notary-chain PEM"
            raise UsageError(message)
        if given and keyless.services:
            message = (
                "an envelope of the Notary Project holds no log entry: leave out --rekor-url, --signing-config and "
                "--trusted-root"
            )
            raise UsageError(message)
        if given and (key.key is not None or keyless.keyless):
            message = "--notary-key excludes --key and --keyless: sign twice to have both"
            raise UsageError(message)
        if given and form.format not in _FORMATS:
            message = f"--notary-key signs envelopes of the Notary Project; leave out --format {form.format}"
            raise UsageError(message)
        return given

    def signing(
        self,
        passphrase: Passphrase,
        stamping: Stamping,
        *,
        session: Session,
        options: "StoreOptions",
        console: Console,
        annotations: tuple[tuple[str, str], ...],
    ) -> "Signing":
        """Everything that the command signs with; ``wanted`` has said yes.

        Raises:
            KeyUnusable: the key cannot be used, or the chain is not its own.
            InputFileError: the chain cannot be read.
        """
        from imgtrust.commands.signing import SignFormat, Signing  # noqa: PLC0415 - options are read before commands are
        from imgtrust.signers.notary import open_envelope_signer  # noqa: PLC0415 - as above

        signer = open_envelope_signer(
            self.notary_key or "",
            self.notary_chain or "",
            passphrase=passphrase.source(session),
            environment=session.environment,
        )
        stamps = stamping.timestampers(session, options, console)
        return Signing(signer, stamps, format=SignFormat.NOTARY, annotations=annotations, now=session.now)
