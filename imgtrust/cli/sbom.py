"""``imgtrust sbom``. No postponed annotations here: typer reads the types at run time."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgtrust.cli.compose import as_command, new_group
from imgtrust.cli.data import RESULT, as_json
from imgtrust.cli.keyless import Keyless, signing_with
from imgtrust.cli.made import report_made
from imgtrust.cli.options import At, Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Form, Passphrase, SigningKey, Stamping
from imgtrust.cli.trusting import Trust, print_policy
from imgtrust.cli.work import RESULTS, Work, work

if TYPE_CHECKING:
    from imgtrust.commands.sbom import ShownSbom

__all__ = ["app"]

app = new_group("Attach a software bill of materials, or show the trusted one.")

_Image = Annotated[str, typer.Argument(metavar="IMAGE", help="The image.", show_default=False)]
_Type = Annotated[
    str | None,
    typer.Option("--type", metavar="spdx|cyclonedx", help="Which format, where it cannot be told.", show_default=False),
]


@as_command(app, "attach")
def attach(
    *,
    session: Session,
    image: _Image,
    file: Annotated[
        str,
        typer.Option(
            "--file", metavar="FILE", help="The SBOM: SPDX or CycloneDX, found out by looking.", show_default=False
        ),
    ],
    type_name: _Type = None,
    key: SigningKey,
    passphrase: Passphrase,
    keyless: Keyless,
    stamping: Stamping,
    form: Form,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Attach an SBOM; with a signer, also as a signed attestation.

    Unsigned, an SBOM is a claim that no policy counts. With --key or --keyless the same document is signed as an
    attestation, which --evidence spdx or cyclonedx asks for.

    \b
    Examples:
      imgtrust sbom attach oci:build/app:1.4.2 --file app.cdx.json
      imgtrust sbom attach --key ci.key --tsa URL registry.example.com/team/app:1.4.2 --file app.spdx.json
      imgtrust sbom attach --keyless registry.example.com/team/app:1.4.2 --file app.cdx.json
    """
    with work(session, talk, RESULTS) as job:
        options = reach.store_options(session, talk.timeout)
        form.check_statement()
        keyless.check(key.key, form)
        from imgtrust.commands.sbom import attach_sbom, read_sbom  # noqa: PLC0415 - when it is known to run

        sbom = read_sbom(file, type_name)
        signing = None
        if key.key is not None or keyless.keyless:
            signing = signing_with(
                keyless, key, passphrase, stamping, form, session=session, options=options, console=job.console
            )
        return report_made(job, attach_sbom([image], sbom, options, signing=signing, now=session.now))


@as_command(app, "show")
def show(
    *,
    session: Session,
    image: _Image,
    type_name: _Type = None,
    trust: Trust,
    at: At,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Print the SBOM of an image: the newest that a trusted key signed, else the newest claim.

    The document goes to standard output as it was attached; who vouches for it is said on standard error. For an
    index without an SBOM of its own, the first of its platforms is printed and the others are named; ask for one
    by its digest.

    \b
    Examples:
      imgtrust sbom show --key ci.pub registry.example.com/team/app:1.4.2 > app.cdx.json
    """
    with work(session, talk, RESULTS) as job:
        if trust.print_policy:
            return print_policy(trust.judgement(session, job.console), job)
        options = reach.store_options(session, talk.timeout)
        from imgtrust.commands.sbom import show_sbom  # noqa: PLC0415 - when it is known to run
        from imgtrust.trust.roots import TrustRoot  # noqa: PLC0415 - as above

        root = trust.judgement(session, job.console).trust if trust.given(session) else TrustRoot()
        found = show_sbom(image, root, options, at=at.when(session), type_name=type_name)
        _say(found, job)
        job.answer(lambda name: found[0].data.decode("utf-8", "replace") if name == "text" else _json(found))
    return 0


def _say(found: "tuple[ShownSbom, ...]", job: Work) -> None:
    """Who vouches for each, on stderr."""
    for sbom in found:
        about = "an SBOM" if sbom.about is None else f"{sbom.about.format} {sbom.about.version}"
        platform = "" if sbom.platform is None else f"{sbom.platform} "
        when = "" if sbom.time is None else f", {sbom.time:%Y-%m-%d %H:%M:%S} UTC"
        who = f"signed by {', '.join(sbom.signers)}{when}" if sbom.signers else "a claim that nobody trusted signed"
        job.console.talk(f"{platform}{sbom.subject.short}: {about}, {who} ({sbom.evidence.short})")
    if len(found) > 1:
        job.console.talk(f"printed is that of {found[0].subject.short}; ask for another by its digest")


def _json(found: "tuple[ShownSbom, ...]") -> str:
    """Every SBOM, each with its origin; the documents themselves as text."""
    documents = [
        {
            "subject": str(sbom.subject),
            "platform": None if sbom.platform is None else str(sbom.platform),
            "evidence": str(sbom.evidence),
            "signers": list(sbom.signers),
            "time": None if sbom.time is None else f"{sbom.time:%Y-%m-%dT%H:%M:%SZ}",
            "format": None if sbom.about is None else sbom.about.format,
            "version": None if sbom.about is None else sbom.about.version,
            "document": sbom.data.decode("utf-8", "replace"),
        }
        for sbom in found
    ]
    return as_json({"schema": RESULT, "sboms": documents})
