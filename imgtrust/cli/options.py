"""The options that several commands share (CLI.md section 3), as groups.

Knows how each is spelled and explained; knows nothing of what they lead to. No postponed annotations here: the
types are read at run time.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.session import Session
from imgtrust.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from imgtrust.stores.options import StoreOptions

__all__ = ["At", "Images", "Reach", "ResultTalk", "Talk"]

_OUTPUT = "What goes to standard output: text, json, jsonl (one line per image, as it is decided) or markdown."
_RESULT_OUTPUT = "What goes to standard output: text or json."
_REPORT = (
    "Write another report to FILE, in any format of --output, whole or not at all, as in --report json=verdict.json. "
    "Repeatable."
)
_QUIET = "Say nothing beside the answer and errors."
_VERBOSE = "Tell requests and decisions on standard error (secrets masked), and show digests whole."
_TIMEOUT = "End the whole command after that many seconds, with exit status 3."

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE",
        help="HOST/REPO:TAG, HOST/REPO@DIGEST or oci:DIR:TAG; - reads names from standard input, one per line.",
        show_default=False,
    ),
]
"""The images of a command that takes many."""

_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_QUIET)]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help=_VERBOSE)]
_Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", help=_TIMEOUT, show_default=False)]


@dataclass(frozen=True)
class ResultTalk:
    """How a command that makes something answers."""

    TITLE: ClassVar[str] = "Output"

    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help=_RESULT_OUTPUT)] = "text"
    report: Annotated[list[str], typer.Option("--report", metavar="FORMAT=FILE", help=_REPORT, show_default=False)] = (
        field(default_factory=list)
    )
    quiet: _Quiet = False
    verbose: _Verbose = False
    timeout: _Timeout = None


@dataclass(frozen=True)
class Talk(ResultTalk):
    """How a command that gives verdicts answers: in more formats."""

    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help=_OUTPUT)] = "text"


@dataclass(frozen=True)
class Reach:
    """How registries are reached."""

    TITLE: ClassVar[str] = "Registry"

    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="How many things are done at once.")] = 8
    plain_http: Annotated[
        list[str],
        typer.Option(
            "--plain-http",
            metavar="HOST",
            help="Speak plain HTTP with this host, as HOST or HOST:PORT (loopback hosts need no flag). Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    ca_file: Annotated[
        str | None,
        typer.Option(
            "--ca-file", metavar="PEM", help="Trust these authorities for TLS, beside the system's.", show_default=False
        ),
    ] = None
    client_cert: Annotated[
        str | None,
        typer.Option("--client-cert", metavar="PEM", help="Certificate for mutual TLS.", show_default=False),
    ] = None
    client_key: Annotated[
        str | None,
        typer.Option("--client-key", metavar="PEM", help="Private key for mutual TLS.", show_default=False),
    ] = None

    def store_options(self, session: Session, timeout: float | None) -> "StoreOptions":
        """The values that a store is opened with; ``timeout`` is that of the whole command.

        Raises:
            UsageError: a number is out of range, or a certificate came without its key.
            InputFileError: a file of TLS cannot be read.
        """
        from imgtrust.stores.options import StoreOptions  # noqa: PLC0415 - options are read before commands are

        if self.jobs < 1:
            message = f"--jobs {self.jobs}: at least one thing has to be done at a time"
            raise UsageError(message)
        if (self.client_cert is None) != (self.client_key is None):
            message = "--client-cert and --client-key belong together: one came without the other"
            raise UsageError(message)
        for option, file in (
            ("--ca-file", self.ca_file),
            ("--client-cert", self.client_cert),
            ("--client-key", self.client_key),
        ):
            _readable(option, file)
        return StoreOptions(
            plain_http=frozenset(self.plain_http),
            ca_file=self.ca_file,
            client_cert=self.client_cert,
            client_key=self.client_key,
            deadline=None if timeout is None else time.monotonic() + timeout,
            environment=session.environment,
            jobs=self.jobs,
        )


@dataclass(frozen=True)
class At:
    """The time of judgement."""

    TITLE: ClassVar[str] = "Trust"

    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Judge as of this time instead of now (RFC 3339 with a zone, 2026-11-23T21:00:00Z); nothing dated "
            "later counts.",
            show_default=False,
        ),
    ] = None

    def when(self, session: Session) -> datetime:
        """The time of judgement: ``--at``, or the clock, which is read here and nowhere else in a command.

        Raises:
            UsageError: the time cannot be read.
        """
        if self.at is None:
            return session.now()
        from imgtrust.policy.durations import parse_time  # noqa: PLC0415 - only with --at

        return parse_time(self.at)


def _readable(option: str, file: str | None) -> None:
    """Open a file that TLS will need, so that a wrong name is a wrong name and not a failed connection."""
    if file is None:
        return
    try:
        with open(file, "rb"):  # noqa: PTH123 - pathlib is not needed otherwise
            pass
    except (OSError, ValueError) as exc:
        message = f"cannot read {option} {file}: {getattr(exc, 'strerror', None) or exc}"
        raise InputFileError(message) from exc
