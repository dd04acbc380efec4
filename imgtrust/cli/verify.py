"""``imgtrust verify``. No postponed annotations here: typer reads the types at run time."""

from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.integrity import Integrity
from imgtrust.cli.names import read_names
from imgtrust.cli.options import At, Reach, Talk
from imgtrust.cli.session import Session
from imgtrust.cli.trusting import Trust, print_policy
from imgtrust.cli.verdicts import report_all, report_one
from imgtrust.cli.work import VERDICTS, work
from imgtrust.errors import UsageError

__all__ = ["app", "verify"]

app = new_app()

_Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="IMAGE",
        help="HOST/REPO:TAG, HOST/REPO@DIGEST or oci:DIR:TAG; - reads names from standard input, one per line.",
        show_default=False,
    ),
]


@as_command(app)
def verify(
    *, session: Session, trust: Trust, at: At, integrity: Integrity, talk: Talk, reach: Reach, images: _Names = None
) -> int:
    r"""Judge images: who published them, when, and is that enough.

    Every blob is re-hashed, the evidence is read and believed only as far as the policy's keys and time-stamp
    authorities prove it, and each rule says what it required, what was there, why, and what to do.

    \b
    Examples:
      imgtrust verify --key release.pub registry.example.com/team/app:1.4.2
      imgtrust verify --policy gate.toml --report json=verdict.json oci:build/app:1.4.2
      imgtrust verify --key release.pub --tsa-roots tsa.pem --max-age 90d IMAGE
      crane ls -O registry.example.com/team/app | imgtrust verify --policy gate.toml -o jsonl -

    Exit status: 0 accepted, 1 rejected, 2 wrong usage, 3 could not tell. With many images: 3 if any is undecided,
    else 1 if any is rejected.
    """
    with work(session, talk, VERDICTS) as job:
        if trust.print_policy:
            return print_policy(trust.judgement(session, job.console), job)
        if not images:
            message = "no image was named; give at least one, or - to read names from standard input"
            raise UsageError(message)
        names = read_names(images, session.stdin)
        judgement = trust.judgement(session, job.console)
        moment = at.when(session)
        options = reach.store_options(session, talk.timeout)
        from imgtrust.commands.judge import judge_many, judge_name  # noqa: PLC0415 - after the options are known to be good

        if len(names) == 1:
            verdict = judge_name(names[0], judgement, options, at=moment, integrity=integrity.mode, jobs=reach.jobs)
            return report_one(job, verdict, judgement.policy_id, moment)
        verdicts = judge_many(names, judgement, options, at=moment, integrity=integrity.mode, jobs=reach.jobs)
        return report_all(job, verdicts, judgement.policy_id, moment)
