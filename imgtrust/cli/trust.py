"""``imgtrust trust``. No postponed annotations here: typer reads the types at run time."""

from typing import TYPE_CHECKING, Any

from imgtrust.cli.compose import as_command, new_group
from imgtrust.cli.console import Console
from imgtrust.cli.data import RESULT, as_json
from imgtrust.cli.options import ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.trusting import Trust
from imgtrust.cli.work import RESULTS, work

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["app"]

app = new_group("Show trust anchors with fingerprints and validity.")


@as_command(app, "show")
def show(*, session: Session, trust: Trust, talk: ResultTalk) -> int:
    r"""Print what is trusted: keys and authorities, with fingerprints and validity.

    With a policy or its shorthand: its keys and time-stamp authorities. Without: the anchors that come with
    imgtrust. Of those, this version uses the time-stamp authority, where dates are asked for and no other trusted
    root is named.

    \b
    Examples:
      imgtrust trust show
      imgtrust trust show --policy gate.toml
      imgtrust trust show --key release.pub --tsa-roots tsa.pem -o json
    """
    with work(session, talk, RESULTS) as job:
        rows = _of_policy(trust, session, job.console) if trust.given(session) else _packaged()
        if trust.trusted_root not in {None, "public-good"}:
            rows += _of_root(trust.trusted_root)
        job.answer(lambda name: _text(rows) if name == "text" else as_json({"schema": RESULT, "anchors": rows}))
    return 0


def _of_policy(trust: Trust, session: Session, console: Console) -> list[dict[str, Any]]:
    """The keys and authorities that a policy names."""
    from hashlib import sha256  # noqa: PLC0415 - only here

    root = trust.judgement(session, console).trust
    rows = [
        _row("key", key.name, key.key.fingerprint, key.not_before, key.not_after, detail=key.key.kind)
        for key in root.keys
    ]
    for authority in root.authorities:
        rows += [
            _row(
                "timestamp-authority",
                authority.name,
                sha256(der).hexdigest(),
                authority.not_before,
                authority.not_after,
            )
            for der in authority.roots
        ]
    return rows


def _packaged() -> list[dict[str, Any]]:
    """The anchors that come with imgtrust."""
    from imgtrust.commands.anchors import packaged_anchors  # noqa: PLC0415 - only here

    rows = []
    for name, data in packaged_anchors():
        rows += _described(data, name)
    return rows


def _of_root(file: str) -> list[dict[str, Any]]:
    """Everything that a Sigstore trusted root holds, beside the authorities that this version believes."""
    from pathlib import Path  # noqa: PLC0415 - only here

    from imgtrust.commands.loading import read_input  # noqa: PLC0415 - only here

    rows = _described(read_input(Path(file), "the trusted root"), file)
    return [row for row in rows if row["kind"] != "timestamp-authority"]


def _described(data: bytes, name: str) -> list[dict[str, Any]]:
    """The rows of one trusted root."""
    from imgtrust.trust.roots import describe_root  # noqa: PLC0415 - x509 is slow to import

    return [
        _row(anchor.kind, anchor.name, anchor.fingerprint, anchor.not_before, anchor.not_after, detail=name)
        for anchor in describe_root(data, name)
    ]


def _row(
    kind: str, name: str, fingerprint: str, begin: "datetime | None", end: "datetime | None", *, detail: str = ""
) -> dict[str, Any]:
    """One anchor as data."""
    return {
        "kind": kind,
        "name": name,
        "fingerprint": f"sha256:{fingerprint}",
        "not_before": None if begin is None else f"{begin:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": None if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "detail": detail,
    }


def _text(rows: list[dict[str, Any]]) -> str:
    """Anchors for a person: two lines each."""
    if not rows:
        return "nothing is trusted\n"
    lines = []
    for row in rows:
        begin, end = row["not_before"], row["not_after"]
        window = "always" if begin is None and end is None else f"{begin or '…'} to {end or '…'}"
        lines.append(f"{row['kind']:<22} {row['name']}" + (f"  ({row['detail']})" if row["detail"] else ""))
        lines.append(f"{'':<22} {row['fingerprint']}")
        lines.append(f"{'':<22} valid {window}")
    return "\n".join(lines) + "\n"
