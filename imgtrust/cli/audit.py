"""``imgtrust audit``. No postponed annotations here: typer reads the types at run time."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgtrust import __version__
from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.integrity import Integrity
from imgtrust.cli.names import read_names
from imgtrust.cli.options import At, Reach, Talk
from imgtrust.cli.session import Session
from imgtrust.cli.trusting import Trust, print_policy
from imgtrust.cli.verdicts import NOT_FINISHED, plain_style, style_of, tell_decision
from imgtrust.cli.work import VERDICTS, Work, work
from imgtrust.errors import NoImages, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.commands.audit import Audit, AuditSummary
    from imgtrust.policy.verdict import PolicyId, Verdict

__all__ = ["app", "audit"]

app = new_app()

_SPELLED = 20
"""So many images that are not accepted are told of at length; the others on their line."""

_FAIL_ON = ("rejected", "undecided", "never")


@as_command(app)
def audit(
    *,
    session: Session,
    repositories: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REPOSITORY",
            help="HOST/REPO, HOST/PREFIX/**, oci:DIR or an image; - reads names from standard input, one per line.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DURATION",
            help="Leave out what was provably published longer ago (30d, 12h).",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on",
            metavar="|".join(_FAIL_ON),
            help="What makes the exit status other than 0: only rejected images; rejected and undecided ones; nothing.",
        ),
    ] = "undecided",
    trust: Trust,
    at: At,
    integrity: Integrity,
    talk: Talk,
    reach: Reach,
) -> int:
    r"""Judge every image of repositories.

    Every tag is judged, and every image without a tag where the store can list those (a layout can, a registry
    cannot, which the report says). Each digest is judged once. Verdicts come as they are decided.

    \b
    Examples:
      imgtrust audit --policy gate.toml registry.example.com/prod/app
      imgtrust audit --policy gate.toml 'registry.example.com/prod/**' -o jsonl --report markdown=audit.md
      imgtrust audit --policy gate.toml oci:build --fail-on rejected
    """
    with work(session, talk, VERDICTS) as job:
        if trust.print_policy:
            return print_policy(trust.judgement(session, job.console), job)
        if not repositories:
            message = "no repository was named; give at least one, or - to read names from standard input"
            raise UsageError(message)
        if fail_on not in _FAIL_ON:
            message = f"--fail-on {fail_on}: expected one of {', '.join(_FAIL_ON)}"
            raise UsageError(message)
        names = read_names(repositories, session.stdin, "repository")
        judgement = trust.judgement(session, job.console)
        moment = at.when(session)
        options = reach.store_options(session, talk.timeout)
        from imgtrust.commands.audit import audit as run  # noqa: PLC0415 - after the options are known to be good
        from imgtrust.policy.durations import parse_duration  # noqa: PLC0415 - as above

        age = None if since is None else parse_duration(since)
        found = run(names, judgement, options, at=moment, integrity=integrity.mode, since=age, jobs=reach.jobs)
        keep = job.output in {"json", "markdown"} or bool(talk.report)
        kept = _stream(found, job, everything=keep)
        if kept is None:
            return NOT_FINISHED
        _close(kept, found.summary, job, judgement.policy_id, moment)
        return _status(found.summary, fail_on)


def _stream(found: "Audit", job: Work, *, everything: bool) -> "list[Verdict] | None":
    """Show each verdict as it is decided; returns those that the end needs, None where nobody reads any more."""
    from imgtrust.policy.verdict import Outcome  # noqa: PLC0415 - when there is a verdict
    from imgtrust.reports import jsonl_line  # noqa: PLC0415 - as above
    from imgtrust.reports.text import one_line  # noqa: PLC0415 - as above

    style = style_of(job)
    kept: list[Verdict] = []
    failures = 0
    for verdict in found:
        tell_decision(job, verdict)
        failed = verdict.outcome is not Outcome.ACCEPTED
        failures += failed
        if everything or (failed and failures <= _SPELLED):
            kept.append(verdict)
        if job.output == "text" and not job.stream(one_line(verdict, style)):
            return None
        if job.output == "jsonl" and not job.stream(jsonl_line(verdict)):
            return None
    return kept


def _close(kept: "list[Verdict]", summary: "AuditSummary", job: Work, policy: "PolicyId", at: "datetime") -> None:
    """The end of the answer: failures at length and the sum, or the whole document; then the reports."""
    from imgtrust.policy.verdict import Outcome  # noqa: PLC0415 - when there is a verdict
    from imgtrust.reports import Report, ReportFormat, render  # noqa: PLC0415 - as above
    from imgtrust.reports.page import plain, shorten  # noqa: PLC0415 - as above
    from imgtrust.reports.text import judged_by, render_failures  # noqa: PLC0415 - as above

    counts = summary.outcomes
    if job.output == "text":
        failed = [verdict for verdict in kept if verdict.outcome is not Outcome.ACCEPTED][:_SPELLED]
        more = counts[Outcome.REJECTED] + counts[Outcome.UNDECIDED] - len(failed)
        told = render_failures(failed, style_of(job))
        if more:
            told += f"\n{more} more on their lines above: imgtrust verify NAME tells of each.\n"
        by = judged_by(policy, at) if job.verbose else shorten(judged_by(policy, at))
        job.print(f"{told}\n{plain(by, unicode=job.console.unicode)}\n{_sum(summary)}\n")
    report = Report(tuple(kept), policy, at, __version__)
    if job.output in {"json", "markdown"}:
        job.print(render(ReportFormat(job.output), report, style_of(job)))
    for note in summary.not_checked:
        job.console.talk(f"not checked: {note}")
    job.write_reports(lambda name: render(ReportFormat(name), report, plain_style()))


def _sum(summary: "AuditSummary") -> str:
    """The last line."""
    from imgtrust.policy.verdict import Outcome  # noqa: PLC0415 - when there is a verdict
    from imgtrust.rules.wording import count  # noqa: PLC0415 - as above

    counts = summary.outcomes
    older = f", {summary.older} older and left out" if summary.older else ""
    where = "" if not summary.repositories else f" in {count(summary.repositories, 'repository', 'repositories')}"
    return (
        f"{count(sum(counts.values()), 'image')}{where}: {counts[Outcome.ACCEPTED]} accepted, "
        f"{counts[Outcome.REJECTED]} rejected, {counts[Outcome.UNDECIDED]} could not be told{older}"
    )


def _status(summary: "AuditSummary", fail_on: str) -> int:
    """The exit status of CLI.md section 2, as far as ``--fail-on`` lets it through.

    Raises:
        NoImages: every image was left out: an empty audit is never accepted.
    """
    from imgtrust.policy.verdict import Outcome  # noqa: PLC0415 - when there is a verdict

    if not sum(summary.outcomes.values()):
        message = f"all {summary.older} images are older than --since allows, so nothing was judged"
        raise NoImages(message)
    if fail_on == "undecided" and summary.outcomes[Outcome.UNDECIDED]:
        return NOT_FINISHED
    return 1 if fail_on != "never" and summary.outcomes[Outcome.REJECTED] else 0
