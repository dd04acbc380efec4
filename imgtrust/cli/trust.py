"""``imgtrust trust``. No postponed annotations here: typer reads the types at run time."""

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgtrust.cli.compose import as_command, new_group
from imgtrust.cli.console import Console
from imgtrust.cli.data import RESULT, as_json
from imgtrust.cli.options import Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.trusting import Trust
from imgtrust.cli.work import RESULTS, work
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from imgtrust.trust.anchors import TrustedIdentity, TrustedNotary

__all__ = ["app"]

app = new_group("Show trust anchors with fingerprints and validity, or fetch newer ones.")


@as_command(app, "show")
def show(*, session: Session, trust: Trust, talk: ResultTalk) -> int:
    r"""Print what is trusted: keys and authorities, with fingerprints and validity.

    With a policy or its shorthand: its keys, identities and certificates, and the authorities and logs that say when.
    Without: the anchors that come with imgtrust, which count where a policy names them as public-good, or flags ask
    for dates or a keyless signer and name no other trusted root.

    \b
    Examples:
      imgtrust trust show
      imgtrust trust show --policy gate.toml
      imgtrust trust show --key release.pub --tsa-roots tsa.pem -o json
    """
    with work(session, talk, RESULTS) as job:
        rows = _of_policy(trust, session, job.console) if trust.given(session) else _packaged()
        if trust.trusted_root not in {None, "public-good"}:
            shown = {(row["kind"], row["fingerprint"]) for row in rows}
            rows += [row for row in _of_root(trust.trusted_root) if (row["kind"], row["fingerprint"]) not in shown]
        job.answer(lambda name: _text(rows) if name == "text" else as_json({"schema": RESULT, "anchors": rows}))
    return 0


@as_command(app, "update")
def update(
    *,
    session: Session,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The TUF repository of another instance; without it that of the public good instance.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(
            "--root",
            metavar="FILE",
            help="The TUF root (JSON) to begin with, needed with --url. Get it by a way that you trust.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where the files go; by default below IMGTRUST_CACHE_DIR or ~/.cache/imgtrust.",
            show_default=False,
        ),
    ] = None,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Fetch the newest trusted root and signing config of a Sigstore instance over TUF.

    Nothing uses the files by itself: name them with --trusted-root and --signing-config, or in a policy. A
    repository that goes back to an older state, or that its roots do not vouch for, changes nothing.

    \b
    Examples:
      imgtrust trust update
      imgtrust trust update --out trust
      imgtrust trust update --url https://tuf.example.com --root root.json
    """
    with work(session, talk, RESULTS) as job:
        options = reach.store_options(session, talk.timeout)
        from imgtrust.cli.signing import service_options  # noqa: PLC0415 - only here
        from imgtrust.commands.refresh import refresh_trust  # noqa: PLC0415 - only here

        wire = service_options(session, options).wire
        made = refresh_trust(_folder(out, session), wire, url=url, root=root, at=session.now())
        rows = [
            {
                "kind": each.kind,
                "path": str(each.path),
                "sha256": each.sha256,
                "changed": each.changed,
                "tuf_root": each.root_version,
                "fresh_until": f"{each.fresh_until:%Y-%m-%dT%H:%M:%SZ}",
            }
            for each in made
        ]
        job.answer(lambda name: _updated(rows) if name == "text" else as_json({"schema": RESULT, "updated": rows}))
    return 0


def _folder(out: str | None, session: Session) -> "Path":
    """Where trusted roots are kept."""
    from pathlib import Path  # noqa: PLC0415 - only here

    from imgtrust.cli.promote import cache_folder  # noqa: PLC0415 - only here

    if out is not None:
        return Path(out)
    cache = cache_folder(session)
    if cache is None:
        message = "there is no home to keep trusted roots in; say where with --out DIR"
        raise UsageError(message)
    return cache / "trust"


def _updated(rows: list[dict[str, Any]]) -> str:
    """What was fetched, for a person."""
    lines = []
    for row in rows:
        lines.append(f"{row['kind']:<15} {'updated' if row['changed'] else 'as it was'}  sha256:{row['sha256']}")
        lines.append(f"{'':<15} {row['path']}")
    lines.append(f"vouched for by TUF root {rows[0]['tuf_root']}, fresh until {rows[0]['fresh_until']}")
    return "\n".join(lines) + "\n"


def _of_policy(trust: Trust, session: Session, console: Console) -> list[dict[str, Any]]:
    """The keys, authorities, logs, identities and certificates that a policy names."""
    root = trust.judgement(session, console).trust
    rows = [
        _row("key", key.name, key.key.fingerprint, key.not_before, key.not_after, detail=key.key.kind)
        for key in root.keys
    ]
    for authority in root.authorities:
        window = (authority.not_before, authority.not_after)
        rows += [_certificate("timestamp-authority", authority.name, der, window) for der in authority.roots]
    if root.keys:
        rows += [
            _row("log", log.origin, log.key.fingerprint, log.not_before, log.not_after, detail="for signatures by keys")
            for log in root.logs
        ]
    for instance in dict.fromkeys(identity.root for identity in root.identities):
        rows += _described(instance.raw, instance.name)
    rows += [_row("keyless", each.name, None, None, None, detail=_asked(each)) for each in root.identities]
    for signer in root.notary:
        rows += [_certificate(f"notary-{signer.kind}", signer.name, der, detail=_named(signer)) for der in signer.roots]
    return rows


def _certificate(
    kind: str, name: str, der: bytes, window: "tuple[datetime | None, datetime | None]" = (None, None), detail: str = ""
) -> dict[str, Any]:
    """A root certificate; where nothing else limits it, what it says of its own validity does."""
    from hashlib import sha256  # noqa: PLC0415 - only here

    from imgtrust.trust.certificates import load  # noqa: PLC0415 - X.509 is slow to import

    if window == (None, None):
        with contextlib.suppress(ValueError):  # a root that no reader but ours has to like is shown all the same
            certificate = load(der)
            window = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return _row(kind, name, sha256(der).hexdigest(), *window, detail=detail)


def _asked(identity: "TrustedIdentity") -> str:
    """Which identity is meant, with its issuer and what else its certificate has to say; a pattern between slashes."""
    san, issuer = (
        text if isinstance(text, str) else f"/{text.pattern}/" for text in (identity.identity, identity.issuer)
    )
    more = "".join(f", {word} {value}" for word, value in identity.extensions)
    unlogged = "" if identity.log else ", without a log entry too"
    return f"{san} by {issuer}{more}, in {identity.root.name}{unlogged}"


def _named(signer: "TrustedNotary") -> str:
    """Who counts under the roots of a Notary signer, and what is done about revocation."""
    subjects = ("x509.subject: " + ", ".join(f"{part}={value}" for part, value in each) for each in signer.subjects)
    names = [*signer.profiles, *(text if text != "x509.subject: " else "anybody" for text in subjects)]
    return f"{' or '.join(names)}; revocation: {signer.revocation}"


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
    kind: str, name: str, fingerprint: str | None, begin: "datetime | None", end: "datetime | None", *, detail: str = ""
) -> dict[str, Any]:
    """One anchor as data."""
    return {
        "kind": kind,
        "name": name,
        "fingerprint": None if fingerprint is None else f"sha256:{fingerprint}",
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
        if row["fingerprint"] is not None:
            lines.append(f"{'':<22} {row['fingerprint']}")
            lines.append(f"{'':<22} valid {window}")
    return "\n".join(lines) + "\n"
