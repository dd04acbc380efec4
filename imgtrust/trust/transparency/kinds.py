"""Which kinds of log entries are read, and whether a body is of the kind that it is said to be. Pure.

A new kind is one module with its comparison, and one row of ``KINDS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.formats.members import Members, read_object
from imgtrust.refusals import RefusalCode
from imgtrust.trust.transparency import dsse, hashedrekord, intoto
from imgtrust.trust.transparency.expected import Expected, disagree, required

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import LogEntry

__all__ = ["KINDS", "Kind", "check_body"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a body is compared, and whether the logs that take it promise a time: those of the first generation do."""

    check: Callable[[Members, Expected], None]
    promises: bool


KINDS: Final[dict[tuple[str, str], Kind]] = {
    ("hashedrekord", "0.0.1"): Kind(hashedrekord.check_v1, promises=True),
    ("hashedrekord", "0.0.2"): Kind(hashedrekord.check_v2, promises=False),
    ("dsse", "0.0.1"): Kind(dsse.check_v1, promises=True),
    ("dsse", "0.0.2"): Kind(dsse.check_v2, promises=False),
    ("intoto", "0.0.1"): Kind(intoto.check_0_0_1, promises=True),
    ("intoto", "0.0.2"): Kind(intoto.check_0_0_2, promises=True),
}
"""By kind and version, as Rekor names them."""


def check_body(entry: LogEntry, expected: Expected) -> Kind:
    """The body is of the kind that the bundle says (where it says one), and about this signature; gives its kind.

    Raises:
        Refused: LOG_MALFORMED, LOG_KIND (not read here) or LOG_INCONSISTENT.
    """
    members = read_object(entry.body, "log entry's body", RefusalCode.LOG_MALFORMED)
    name, version = members.text("kind"), members.text("apiVersion")
    kind = KINDS.get((name, version))
    if kind is None:
        message = f"log entries of kind {name[:40]!r} {version[:20]!r} are not read here"
        raise Refused(RefusalCode.LOG_KIND, message)
    if (entry.kind, entry.version) not in {(name, version), ("", "")}:
        disagree(f"is a {name} {version}, and the bundle calls it {entry.kind[:40]} {entry.version[:20]}")
    if not kind.promises and entry.proof is not None and entry.log_index != entry.proof.log_index:
        disagree("has another index in the proof than in the bundle")
    kind.check(required(members, "spec"), expected)
    return kind
