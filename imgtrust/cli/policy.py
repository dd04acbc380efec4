"""``imgtrust policy``. No postponed annotations here: typer reads the types at run time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgtrust.cli.compose import as_command, new_group
from imgtrust.cli.data import RESULT, as_json
from imgtrust.cli.importing import app as importing
from imgtrust.cli.options import ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.work import RESULTS, work
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.policy.values import Policy

__all__ = ["app"]

app = new_group("Start, check, explain and import policies.")
app.add_typer(importing, name="import")

_File = Annotated[
    str | None,
    typer.Argument(metavar="FILE", help="The policy; without it, the one in IMGTRUST_POLICY.", show_default=False),
]
_Option = Annotated[
    str | None,
    typer.Option(
        "--policy", metavar="FILE", help="The policy; without it, the one in IMGTRUST_POLICY.", show_default=False
    ),
]


def _path(file: str | None, session: Session) -> Path:
    """The policy that is meant.

    Raises:
        UsageError: none is.
    """
    found = file or session.environment.get("IMGTRUST_POLICY")
    if not found:
        message = "no policy was named: give its file (or set IMGTRUST_POLICY); imgtrust policy init writes one"
        raise UsageError(message)
    return Path(found)


def _read(path: Path) -> "Policy":
    """A policy without the keys that it names.

    Raises:
        InputFileError: the file cannot be read.
        PolicyError: the policy is wrong; the message has its line.
    """
    from imgtrust.commands.loading import read_input  # noqa: PLC0415 - when it is known to run
    from imgtrust.policy.document import read_policy  # noqa: PLC0415 - as above

    return read_policy(read_input(path, "the policy"), str(path))


@as_command(app, "init")
def init(
    *,
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to write; - for standard output.")
    ] = "policy.toml",
    images: Annotated[
        str, typer.Option("--images", metavar="PATTERN", help="Which images it is about.")
    ] = "registry.example.com/team/**",
    key: Annotated[str, typer.Option("--key", metavar="PUB", help="The public key of who signs.")] = "release.pub",
    tsa_roots: Annotated[
        str | None,
        typer.Option("--tsa-roots", metavar="PEM", help="Who may say what time it is.", show_default=False),
    ] = None,
    promote_to: Annotated[
        str | None,
        typer.Option("--promote-to", metavar="PATTERN", help="Where these images may go.", show_default=False),
    ] = None,
    talk: ResultTalk,
) -> int:
    r"""Write a policy to start from, with a comment at each decision. Never overwrites.

    \b
    Examples:
      imgtrust policy init gate.toml
      imgtrust policy init - --images 'oci:**' --key keys/release.pub
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.commands.outfile import write_new  # noqa: PLC0415 - when it is known to run
        from imgtrust.policy.starter import starter  # noqa: PLC0415 - as above

        text = starter(images, key, tsa_roots, promote_to)
        if file == "-":
            job.answer(lambda name: text if name == "text" else as_json({"schema": RESULT, "policy": text}))
            return 0
        write_new({file: (text.encode(), 0o644)})
        told = f"wrote  {file}; next: imgtrust policy check {file}\n"
        job.answer(lambda name: told if name == "text" else as_json({"schema": RESULT, "file": file}))
    return 0


@as_command(app, "check")
def check(*, session: Session, file: _File = None, policy: _Option = None, talk: ResultTalk) -> int:
    r"""Read a policy with the keys that it names, and say what its author may not have meant.

    A mistake is named with its line and ends in 2; advice does not change the exit status.

    \b
    Examples:
      imgtrust policy check gate.toml
    """
    with work(session, talk, RESULTS) as job:
        if file and policy and file != policy:
            message = f"two policies were named, {file} and {policy}; check them one by one"
            raise UsageError(message)
        path = _path(file or policy, session)
        from imgtrust.cli.verdicts import style_of  # noqa: PLC0415 - when it is known to run
        from imgtrust.commands.loading import load_policy_file  # noqa: PLC0415 - as above
        from imgtrust.policy.lint import lint  # noqa: PLC0415 - as above
        from imgtrust.reports.advice import told_advice  # noqa: PLC0415 - as above

        judgement = load_policy_file(path, session.environment)
        advice = lint(judgement.policy)
        document = {
            "schema": RESULT,
            "policy": {"source": judgement.policy_id.source, "digest": str(judgement.policy_id.digest)},
            "advice": [{"code": one.code, "where": one.where, "advice": one.advice} for one in advice],
        }
        style = style_of(job)
        job.answer(lambda name: told_advice(advice, str(path), style) if name == "text" else as_json(document))
    return 0


@as_command(app, "explain")
def explain(
    *,
    session: Session,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The image; it need not exist.", show_default=False)],
    policy: _Option = None,
    destination: Annotated[
        str | None,
        typer.Option("--to", metavar="DESTINATION", help="Explain its promotion to here too.", show_default=False),
    ] = None,
    talk: ResultTalk,
) -> int:
    r"""Say which scope decides about an image, what it asks, and what a build has to attach.

    Nothing is fetched: the image need not exist yet.

    \b
    Examples:
      imgtrust policy explain --policy gate.toml registry.example.com/team/app:1.4.2
    """
    with work(session, talk, RESULTS) as job:
        path = _path(policy, session)
        from imgtrust.cli.verdicts import style_of  # noqa: PLC0415 - when it is known to run
        from imgtrust.policy.explain import explain as explained  # noqa: PLC0415 - as above
        from imgtrust.reference import Reference  # noqa: PLC0415 - as above
        from imgtrust.reports.advice import told_explanation  # noqa: PLC0415 - as above

        goal = None if destination is None else Reference.parse(destination, bare=True).repository
        found = explained(_read(path), Reference.parse(image, bare=True), goal)
        style = style_of(job)
        job.answer(
            lambda name: told_explanation(found, str(path), style) if name == "text" else as_json(found.document())
        )
    return 0


@as_command(app, "schema")
def schema(*, session: Session, talk: ResultTalk) -> int:
    r"""Print the JSON Schema of the policy file, for editors.

    \b
    Examples:
      imgtrust policy schema > policy.schema.json
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.policy.schema import json_schema  # noqa: PLC0415 - when it is known to run

        text = as_json(json_schema())
        job.answer(lambda _: text)
    return 0
