"""The list of commands, and the options that stand before a command."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from imgtrust.cli.compose import new_app
from imgtrust.cli.lazy import LazyGroup, Part, Row

__all__ = ["COMMANDS", "root_command"]

COMMANDS: Final = {
    "verify": Row("imgtrust.cli.verify", "Judge images: who published them, when, and is that enough."),
    "inspect": Row("imgtrust.cli.inspect", "Show the tree of evidence: what is attached, by whom and when."),
    "promote": Row("imgtrust.cli.promote", "Verify an image, copy it with its evidence, verify again, tag."),
    "audit": Row("imgtrust.cli.audit", "Judge every image of repositories."),
    "sign": Row("imgtrust.cli.sign", "Sign images and attach the signatures."),
    "attest": Row("imgtrust.cli.attest", "Sign a statement about images and attach it."),
    "sbom": Row("imgtrust.cli.sbom", "Attach a software bill of materials, or show the trusted one."),
    "attach": Row("imgtrust.cli.attach", "Attach files to an image as an artifact."),
    "pull": Row("imgtrust.cli.pull", "Fetch files that are attached to an image."),
    "keys": Row("imgtrust.cli.keys", "Generate, show and import keys."),
    "policy": Row("imgtrust.cli.policy", "Start, check, explain and import policies."),
    "trust": Row("imgtrust.cli.trust", "Show trust anchors with fingerprints and validity, or fetch newer ones."),
    "demo": Row("imgtrust.cli.demo", "The whole story on this machine, offline, narrated."),
}
"""Every command of this version. The summaries are compared with the commands' own by a test."""


class _Root(LazyGroup):
    """The top level."""

    rows = COMMANDS


_app = new_app()
_app.info.cls = _Root
_app.info.no_args_is_help = True
_app.info.epilog = """\b
Exit status:
  0    accepted, or done
  1    rejected
  2    wrong usage, or a key, policy or input file that cannot be used
  3    could not tell, or not finished (registry, time-stamp authority, network): run it again
  130  interrupted"""


def _version(value: bool) -> None:
    """Print the version and end."""
    if value:
        from imgtrust import __version__  # noqa: PLC0415 - only here

        typer.echo(f"imgtrust {__version__}")
        raise typer.Exit


@_app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Who published this container image, when, and may it go to production?

    Images are named HOST/REPO:TAG, HOST/REPO@DIGEST or oci:DIR:TAG (an OCI image layout).
    Every command explains itself: imgtrust COMMAND --help. To see it all work: imgtrust demo.
    """


def root_command() -> Part:
    """The whole command line as one typer command; the commands are imported when they run."""
    return typer.main.get_command(_app)
