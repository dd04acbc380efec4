"""``imgtrust pull``. No postponed annotations here: typer reads the types at run time."""

from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.options import Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.work import RESULTS, work

__all__ = ["app", "pull"]

app = new_app()


@as_command(app)
def pull(
    *,
    session: Session,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="The image, or the artifact itself.", show_default=False)
    ],
    artifact_type: Annotated[
        str,
        typer.Option(
            "--artifact-type", metavar="TYPE", help="The type that is wanted; the newest is taken.", show_default=False
        ),
    ],
    directory: Annotated[str, typer.Option("--dir", metavar="DIR", help="Where the files go.")] = ".",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Fetch files that are attached to an image.

    Files get their names only after all of them matched their digests. A name that leads out of the directory is
    refused. Nobody vouches for an artifact: its files are as trustworthy as whoever may write to the repository.

    \b
    Examples:
      imgtrust pull oci:build/app:1.4.2 --artifact-type application/vnd.acme.report --dir report
    """
    with work(session, talk, RESULTS) as job:
        options = reach.store_options(session, talk.timeout)
        from imgtrust.commands.artifacts import pull_artifact  # noqa: PLC0415 - when it is known to run

        pulled = pull_artifact(image, artifact_type, directory, options, overwrite=overwrite)
        from imgtrust.cli.verdicts import style_of  # noqa: PLC0415 - as above
        from imgtrust.reports.document import pretty  # noqa: PLC0415 - as above
        from imgtrust.reports.results import pulled_document  # noqa: PLC0415 - as above
        from imgtrust.reports.told import told_pulled  # noqa: PLC0415 - as above

        style = style_of(job)
        job.answer(lambda name: told_pulled(pulled, style) if name == "text" else pretty(pulled_document([pulled])))
    return 0
