"""Signs, attests and attaches again and again in child processes, each of which kills itself at its own point.

Usage: ``python -m tests.crash.signing_driver PLAN.json``. The plan has a key and a list of runs: a layout, and the
number of the event at which the child dies (0: never, and the events are counted). Events are those of ``driver``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from imgtrust.commands.artifacts import attach_files
from imgtrust.commands.attest import Predicate, attest_images
from imgtrust.commands.many import Failed
from imgtrust.commands.sbom import attach_sbom, read_sbom
from imgtrust.commands.sign import sign_images
from tests.crash.driver import die_at, publisher
from tests.simulators.gate import NOON

NOTE = "application/vnd.acme.note"
PREDICATE = "https://acme.test/review/v1"


def everything(plan: dict[str, Any], layout: str) -> None:
    """All that attaches something, once."""
    release = publisher("release", plan["key"])
    name = f"oci:{layout}:1"
    sbom = read_sbom(plan["sbom"])
    os.chdir(plan["files"])
    for outcomes in (
        sign_images([name], release.signing(stamped=True), recursive=True, bundle_out=None),
        sign_images([name], release.signing(legacy=True)),
        sign_images([name], release.signing(), bundle_out=f"{layout}.bundle"),
        attest_images([name], Predicate(PREDICATE, {}), release.signing(legacy=True), replace=True),
        attach_files([name], ["docs", "note.txt"], NOTE, now=lambda: NOON),
        attach_sbom([name], sbom, signing=release.signing(), now=lambda: NOON),
    ):
        for outcome in outcomes:
            if isinstance(outcome, Failed):
                raise outcome.error


def in_child(plan: dict[str, Any], layout: str, event: int) -> tuple[int, int]:
    """The signal that ended the child (0: none) and, where it lived, the number of its events."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            events = die_at(event)
            everything(plan, layout)
            sys.setprofile(None)
            threading.setprofile(None)
            os.write(writer, str(next(events) - 1).encode())
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        text = answer.read()
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status), 0
    if os.WEXITSTATUS(status) or not text:
        message = f"signing in {layout} failed, event {event}"
        raise RuntimeError(message)
    return 0, int(text)


def main() -> None:
    """Do the runs of a plan and print what became of each, as JSON."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    outcomes = [in_child(plan, run["layout"], run["event"]) for run in plan["runs"]]
    print(json.dumps(outcomes))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main()
