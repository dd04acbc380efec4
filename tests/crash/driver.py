"""Promotes again and again in child processes, each of which kills or interrupts itself at its own point.

Usage: ``python -m tests.crash.driver PLAN.json``. The plan names the source, the keys and a list of runs; a run has a
destination, a journal, and the number of the event at which it gets its signal (0: never, and the events are
counted; 9 is a kill, 2 is Ctrl-C). An event is any call, Python's or C's, that the stores or the promotion make, in
any thread: so a run can die between a write and its sync, in the middle of a blob, or just before a tag moves.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from imgtrust.commands.promotion.run import promote
from imgtrust.signers.local import LocalSigner
from imgtrust.stores import StoreOptions
from tests.simulators.gate import NOON, Publisher, judged_by

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130
WATCHED = (f"{os.sep}imgtrust{os.sep}stores{os.sep}", f"{os.sep}imgtrust{os.sep}commands{os.sep}")


def publisher(name: str, pem: str) -> Publisher:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Publisher(name, LocalSigner(key))


def die_at(event: int, number: int = signal.SIGKILL) -> itertools.count[int]:
    """Count the events of this process from now on, and get a signal at one of them."""
    events = itertools.count(1)

    def watch(frame: FrameType, kind: str, _: object) -> None:
        seen = kind in {"call", "c_call"} and any(part in frame.f_code.co_filename for part in WATCHED)
        if seen and next(events) == event:
            os.kill(os.getpid(), number)

    threading.setprofile(watch)
    sys.setprofile(watch)
    return events


def run(plan: dict[str, Any], item: dict[str, Any]) -> int:
    """One promotion in this process; how many events it had."""
    release, gate = publisher("release", plan["release"]), publisher("gate", plan["gate"])
    events = die_at(item["event"], item.get("signal", signal.SIGKILL))
    result = promote(
        plan["source"],
        item["destination"],
        judged_by(release),
        source_options=StoreOptions(),
        destination_options=StoreOptions(),
        at=NOON,
        now=lambda: datetime.now(UTC),
        record=gate.signing(),
        journal=Path(item["journal"]),
    )
    sys.setprofile(None)
    threading.setprofile(None)
    assert result.after is not None, result.before
    assert result.tags, result.after
    return next(events) - 1


def in_child(plan: dict[str, Any], item: dict[str, Any]) -> dict[str, int]:
    """The signal that ended the child (0: none) and, where it lived, the number of its events."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # Whoever started the tests in the background of a shell without job control has SIGINT ignored below it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.close(reader)
            os.write(writer, str(run(plan, item)).encode())
            status = 0
        except KeyboardInterrupt:
            status = INTERRUPTED
        except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        text = answer.read()
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status), "events": 0}
    if os.WEXITSTATUS(status) == INTERRUPTED:
        return {"signal": signal.SIGINT, "events": 0}
    if os.WEXITSTATUS(status) or not text:
        message = f"the promotion failed: {item}"
        raise RuntimeError(message)
    return {"signal": 0, "events": int(text)}


def main() -> None:
    """Do the runs of a plan and print what became of each, as JSON."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    outcomes = [in_child(plan, item) for item in plan["runs"]]
    print(json.dumps(outcomes))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main()
