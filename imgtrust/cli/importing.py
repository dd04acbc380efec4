"""``imgtrust policy import``. No postponed annotations here: typer reads the types at run time."""

from pathlib import Path
from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_group
from imgtrust.cli.data import RESULT, as_json
from imgtrust.cli.options import ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.work import RESULTS, work

__all__ = ["app"]

app = new_group("Make a policy from another tool's.")


@as_command(app, "notation")
def notation(
    *,
    session: Session,
    trust_policy: Annotated[
        str, typer.Argument(metavar="TRUSTPOLICY", help="notation's trustpolicy.json.", show_default=False)
    ],
    trust_store: Annotated[
        str, typer.Argument(metavar="TRUSTSTORE", help="The folder of its trust stores.", show_default=False)
    ],
    talk: ResultTalk,
) -> int:
    r"""Print the policy that means what notation's trust policy means, and say what could not be carried over.

    Nothing is made laxer: what notation only logs is enforced, and what it skips is denied. Certificates stay where
    they are: the paths are written as they were given.

    \b
    Examples:
      imgtrust policy import notation trustpolicy.json truststore > gate.toml
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.commands.notation import import_notation  # noqa: PLC0415 - when it is known to run

        found = import_notation(Path(trust_policy), Path(trust_store))
        for note in found.not_carried_over:
            job.console.warn(f"not carried over: {note}")
        document = {"schema": RESULT, "policy": found.text, "not_carried_over": list(found.not_carried_over)}
        job.answer(lambda name: found.text if name == "text" else as_json(document))
    return 0
