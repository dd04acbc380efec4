"""``imgtrust attach``. No postponed annotations here: typer reads the types at run time."""

from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.made import report_made
from imgtrust.cli.options import Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Annotations
from imgtrust.cli.work import RESULTS, work

__all__ = ["app", "attach"]

app = new_app()


@as_command(app)
def attach(
    *,
    session: Session,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The image.", show_default=False)],
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Files (FILE or FILE:MEDIA/TYPE) and directories.", show_default=False),
    ],
    artifact_type: Annotated[
        str,
        typer.Option(
            "--artifact-type", metavar="TYPE", help="A media type, as application/vnd.acme.notes.", show_default=False
        ),
    ],
    annotation: Annotated[
        list[str] | None,
        typer.Option("--annotation", metavar="K=V", help="Write this on the artifact. Repeatable.", show_default=False),
    ] = None,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Attach files to an image as an artifact.

    The files become one manifest that refers to the image, in the conventions of oras. Nobody vouches for an
    artifact: it is a claim. To vouch for a document, use attest.

    \b
    Examples:
      imgtrust attach oci:build/app:1.4.2 report.pdf --artifact-type application/vnd.acme.report
      imgtrust attach registry.example.com/team/app:1.4.2 notes.md:text/markdown docs --artifact-type text/vnd.notes
    """
    with work(session, talk, RESULTS) as job:
        options = reach.store_options(session, talk.timeout)
        pairs = Annotations(list(annotation or ())).pairs()
        from imgtrust.commands.artifacts import attach_files  # noqa: PLC0415 - when it is known to run

        outcomes = attach_files([image], files, artifact_type, options, annotations=dict(pairs), now=session.now)
        return report_made(job, outcomes)
