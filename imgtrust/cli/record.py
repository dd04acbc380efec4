"""Who signs the record of a promotion: the options of ``sign`` with ``record-`` before them.

Knows how they are spelled; what they mean is in ``signing`` and ``keyless``. No postponed annotations here: the types
are read at run time.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.keyless import Keyless, signing_with
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Form, Passphrase, SigningKey, Stamping
from imgtrust.cli.work import Work
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.commands.signing import Signing
    from imgtrust.stores.options import StoreOptions

__all__ = ["Record"]

_NO_RECORD = "no record will be left at the destination of what was judged (--record-key KEY, or --record-keyless)"

_spelled = "--record-{}".format


@dataclass(frozen=True)
class Record:
    """Who signs the record of a promotion, and which services take part."""

    TITLE: ClassVar[str] = "Record"

    record_key: Annotated[
        str | None,
        typer.Option(
            "--record-key",
            metavar="KEY",
            help="Sign a record of the promotion (SLSA verification summary) with this private key: FILE, env://NAME "
            "or awssm://SECRET.",
            show_default=False,
        ),
    ] = None
    record_passphrase_file: Annotated[
        str | None,
        typer.Option(
            "--record-passphrase-file",
            metavar="FILE",
            help="The passphrase of the record's key, where IMGTRUST_PASSPHRASE and COSIGN_PASSWORD are not set.",
            show_default=False,
        ),
    ] = None
    record_keyless: Annotated[
        bool,
        typer.Option(
            "--record-keyless",
            help="Sign the record as who you are, as sign --keyless does. The certificate is asked for, and the log "
            "whether it is there, before anything is copied.",
        ),
    ] = False
    record_identity_token: Annotated[
        str | None,
        typer.Option(
            "--record-identity-token",
            metavar="FILE",
            help="The identity token: FILE, env://NAME or awssm://SECRET. Without it: SIGSTORE_ID_TOKEN, the CI "
            "system's, or a login with the browser.",
            show_default=False,
        ),
    ] = None
    record_fulcio_url: Annotated[
        str | None,
        typer.Option("--record-fulcio-url", metavar="URL", help="The certificate authority.", show_default=False),
    ] = None
    record_rekor_url: Annotated[
        list[str],
        typer.Option(
            "--record-rekor-url",
            metavar="URL",
            help="The transparency log that the record is written to; with --record-key too. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    record_signing_config: Annotated[
        str | None,
        typer.Option(
            "--record-signing-config",
            metavar="FILE",
            help="Where the services of the Sigstore instance are (JSON); with --record-key its logs and time-stamp "
            "authorities.",
            show_default=False,
        ),
    ] = None
    record_trusted_root: Annotated[
        str | None,
        typer.Option(
            "--record-trusted-root",
            metavar="FILE",
            help="The instance's trusted root (JSON): the record is verified before it is attached.",
            show_default=False,
        ),
    ] = None
    record_no_log: Annotated[bool, typer.Option("--record-no-log", help="Write the record to no transparency log.")] = (
        False
    )
    record_tsa: Annotated[
        list[str],
        typer.Option(
            "--record-tsa",
            metavar="URL",
            help="Have this authority time-stamp the record; without it, the one in IMGTRUST_TSA. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)

    @property
    def wanted(self) -> bool:
        """Whether somebody is to sign."""
        return self.record_keyless or self.record_key is not None

    def signing(self, session: Session, options: "StoreOptions", job: Work) -> "Signing | None":
        """Everything that the record is signed with, or None, which is said.

        Raises:
            UsageError: options that do not go together.
            KeyUnusable: the key cannot be used.
        """
        keyless = Keyless(
            self.record_keyless,
            self.record_identity_token,
            self.record_fulcio_url,
            list(self.record_rekor_url),
            self.record_signing_config,
            self.record_trusted_root,
            self.record_no_log,
        )
        keyless.check(self.record_key, Form(), _spelled)
        if not self.wanted:
            if self.record_tsa or self.record_passphrase_file:
                message = "--record-tsa and --record-passphrase-file need --record-key KEY or --record-keyless"
                raise UsageError(message)
            job.console.warn(_NO_RECORD)
            return None
        return signing_with(
            keyless,
            SigningKey(self.record_key),
            Passphrase(self.record_passphrase_file),
            Stamping(list(self.record_tsa)),
            Form(),
            session=session,
            options=options,
            console=job.console,
            spelled=_spelled,
        )
