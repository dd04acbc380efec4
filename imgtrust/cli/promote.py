"""``imgtrust promote``. No postponed annotations here: typer reads the types at run time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.integrity import Integrity
from imgtrust.cli.options import At, Reach, ResultTalk
from imgtrust.cli.record import Record
from imgtrust.cli.session import Session
from imgtrust.cli.trusting import Trust, print_policy
from imgtrust.cli.work import RESULTS, Work, work
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.reports.results import PromotionResult

__all__ = ["app", "cache_folder", "promote"]

app = new_app()


@as_command(app)
def promote(
    *,
    session: Session,
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="The image that may go on.", show_default=False)
    ] = None,
    destination: Annotated[
        str | None,
        typer.Argument(
            metavar="DESTINATION",
            help="Where to: HOST/REPO[:TAG] or oci:DIR[:TAG]; the tag stays the same without one.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be done and what is in the way; write nothing.")
    ] = False,
    journal: Annotated[
        str | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="Where the steps that are done are written, so that the same command can go on after an interruption. "
            "By default below IMGTRUST_CACHE_DIR or ~/.cache/imgtrust.",
            show_default=False,
        ),
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            metavar="OS/ARCH",
            help="Promote these platforms only; the record says so. Repeatable.",
            show_default=False,
        ),
    ] = None,
    record: Record,
    trust: Trust,
    at: At,
    integrity: Integrity,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Verify an image, copy it with its evidence, verify again, tag.

    The image is judged at the source; blobs are copied and every byte is hashed once; manifests, configs and
    evidence are read back and judged again at the destination; a signed record is left; tags move last. A refused
    image leaves nothing new under any tag. The policy has to allow the way (promote_to).

    \b
    Examples:
      imgtrust promote --policy gate.toml --plan registry.example.com/team/app:1.4.2 registry.example.com/prod/app
      imgtrust promote --policy gate.toml --record-key gate.key SOURCE DESTINATION
      imgtrust promote --policy gate.toml --record-keyless SOURCE DESTINATION
      imgtrust promote --policy gate.toml oci:build/app:1.4.2 registry.example.com/prod/app:1.4.2

    Exit status: 0 promoted, 1 refused, 2 wrong usage, 3 not finished: the same command goes on.
    """
    with work(session, talk, RESULTS) as job:
        if trust.print_policy:
            return print_policy(trust.judgement(session, job.console), job)
        if source is None or destination is None:
            message = "promote needs two names: imgtrust promote SOURCE DESTINATION"
            raise UsageError(message)
        if integrity.mode.value != "full":
            message = "--integrity manifests: a promotion hashes every byte, once, and there is no other kind"
            raise UsageError(message)
        judgement = trust.judgement(session, job.console)
        moment = at.when(session)
        options = reach.store_options(session, talk.timeout)
        signing = None if plan and not record.wanted else record.signing(session, options, job)
        from imgtrust.cli.bars import progress_of  # noqa: PLC0415 - after the options are known to be good
        from imgtrust.commands.promotion.run import promote as run  # noqa: PLC0415 - as above

        with progress_of(job) as progress:
            result = run(
                source,
                destination,
                judgement,
                source_options=options,
                destination_options=options,
                at=moment,
                now=session.now,
                platforms=tuple(platform or ()),
                record=signing,
                journal=None if journal is None else Path(journal),
                cache=cache_folder(session),
                plan_only=plan,
                progress=progress,
                jobs=reach.jobs,
            )
        return _report(job, result)


def cache_folder(session: Session) -> Path | None:
    """The folder for what is kept between runs: IMGTRUST_CACHE_DIR, else XDG's; None where there is no home."""
    environment = session.environment
    if environment.get("IMGTRUST_CACHE_DIR"):
        return Path(environment["IMGTRUST_CACHE_DIR"])
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "imgtrust"
    return Path(environment["HOME"]) / ".cache" / "imgtrust" if environment.get("HOME") else None


def _report(job: Work, result: "PromotionResult") -> int:
    """Show the result; the exit status is that of the last judgement."""
    from imgtrust.cli.verdicts import plain_style, style_of, tell_decision  # noqa: PLC0415 - when there is a result
    from imgtrust.reports import exit_status  # noqa: PLC0415 - as above
    from imgtrust.reports.document import pretty  # noqa: PLC0415 - as above
    from imgtrust.reports.results import promotion_document  # noqa: PLC0415 - as above
    from imgtrust.reports.told import told_promotion  # noqa: PLC0415 - as above

    for verdict in (result.before, result.after):
        if verdict is not None:
            tell_decision(job, verdict)

    def document() -> str:
        return pretty(promotion_document([result]))

    job.print(document() if job.output == "json" else told_promotion(result, style_of(job)))
    job.write_reports(lambda name: document() if name == "json" else told_promotion(result, plain_style()))
    return exit_status([result.before if result.after is None else result.after])
