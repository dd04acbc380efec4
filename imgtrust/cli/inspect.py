"""``imgtrust inspect``. No postponed annotations here: typer reads the types at run time."""

from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.options import At, Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.trusting import Trust, print_policy
from imgtrust.cli.work import RESULTS, work
from imgtrust.errors import UsageError

__all__ = ["app", "inspect"]

app = new_app()


@as_command(app)
def inspect(
    *,
    session: Session,
    image: Annotated[
        str | None,
        typer.Argument(metavar="IMAGE", help="HOST/REPO:TAG, HOST/REPO@DIGEST or oci:DIR:TAG.", show_default=False),
    ] = None,
    trust: Trust,
    at: At,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Show the tree of evidence: what is attached, by whom and when.

    Each thing is believed or not, and why. Without trust options everything is shown as found, and nothing as
    believed. Nothing is decided here: verify does that.

    \b
    Examples:
      imgtrust inspect registry.example.com/team/app:1.4.2
      imgtrust inspect --policy gate.toml oci:build/app:1.4.2 -o json
    """
    with work(session, talk, RESULTS) as job:
        if trust.print_policy:
            return print_policy(trust.judgement(session, job.console), job)
        if image is None:
            message = "no image was named; give its name"
            raise UsageError(message)
        judgement = trust.judgement(session, job.console) if trust.given(session) else None
        moment = at.when(session)
        options = reach.store_options(session, talk.timeout)
        from imgtrust.cli.verdicts import plain_style, style_of  # noqa: PLC0415 - when it is known to run
        from imgtrust.commands.inspect import inspect_image  # noqa: PLC0415 - as above
        from imgtrust.reference import Reference  # noqa: PLC0415 - as above
        from imgtrust.reports.document import pretty  # noqa: PLC0415 - as above
        from imgtrust.reports.tree import inspection_document, render_tree  # noqa: PLC0415 - as above

        tree = inspect_image(Reference.parse(image), options, at=moment, judgement=judgement, jobs=reach.jobs)

        def document() -> str:
            return pretty(inspection_document((tree,)))

        job.print(document() if job.output == "json" else render_tree(tree, style_of(job)))
        job.write_reports(lambda name: document() if name == "json" else render_tree(tree, plain_style()))
    return 0
