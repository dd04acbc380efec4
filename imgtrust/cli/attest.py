"""``imgtrust attest``. No postponed annotations here: typer reads the types at run time."""

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.keyless import Keyless, signing_with
from imgtrust.cli.made import report_made
from imgtrust.cli.names import read_names
from imgtrust.cli.options import Images, Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Annotations, Form, Passphrase, SigningKey, Stamping
from imgtrust.cli.work import RESULTS, Work, work
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.commands.attest import Predicate
    from imgtrust.commands.lift import Unsigned
    from imgtrust.reference import Reference

__all__ = ["app", "attest"]

app = new_app()

_PredicateFile = Annotated[
    str | None, typer.Option("--predicate", metavar="FILE", help="What is said: a JSON file.", show_default=False)
]
_Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="What kind of statement it is: slsa-provenance, spdx, cyclonedx, vulnerabilities, openvex, test-result or "
        "a URI.",
        show_default=False,
    ),
]
_Lift = Annotated[
    bool,
    typer.Option(
        "--lift",
        help="Sign what BuildKit attached without a signature, after showing it; a terminal is asked, else --yes.",
    ),
]
_Yes = Annotated[bool, typer.Option("--yes", help="With --lift: yes, sign what is shown.")]
_Replace = Annotated[
    bool, typer.Option("--replace", help="Take the place of older ones of the type (cosign-legacy format only).")
]
_BundleOut = Annotated[
    str | None,
    typer.Option(
        "--bundle-out", metavar="FILE", help="Keep the bundle of the one image in FILE too.", show_default=False
    ),
]


@as_command(app)
def attest(
    *,
    session: Session,
    images: Images,
    predicate: _PredicateFile = None,
    type_name: _Type = None,
    lift: _Lift = False,
    yes: _Yes = False,
    key: SigningKey,
    passphrase: Passphrase,
    keyless: Keyless,
    stamping: Stamping,
    form: Form,
    annotations: Annotations,
    replace: _Replace = False,
    bundle_out: _BundleOut = None,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Sign a statement about images and attach it.

    A statement says something about one digest: how it was built, what is inside, what a scan found. It is no
    signature for a gate: sign the image too.

    \b
    Examples:
      imgtrust attest --key ci.key --type slsa-provenance --predicate provenance.json IMAGE
      imgtrust attest --key ci.key --type cyclonedx --predicate app.cdx.json --tsa URL oci:build/app:1.4.2
      imgtrust attest --key ci.key --type https://example.com/review/v1 --predicate review.json IMAGE
      imgtrust attest --keyless --type vulnerabilities --predicate scan.json IMAGE
      imgtrust attest --key ci.key --lift registry.example.com/team/app:1.4.2
    """
    with work(session, talk, RESULTS) as job:
        names = read_names(images, session.stdin)
        options = reach.store_options(session, talk.timeout)
        pairs = annotations.pairs()
        form.check_statement()
        said = _said(predicate, type_name, lift=lift)
        signing = signing_with(
            keyless,
            key,
            passphrase,
            stamping,
            form,
            session=session,
            options=options,
            console=job.console,
            annotations=pairs,
        )
        if said is None:
            if replace or bundle_out:
                message = (
                    "--lift makes one attestation for each statement; --replace and --bundle-out do not go with it"
                )
                raise UsageError(message)
            from imgtrust.commands.lift import lift_images  # noqa: PLC0415 - when it is known to run

            return report_made(job, lift_images(names, signing, options, approve=_Shown(job, yes=yes)))
        from imgtrust.commands.attest import attest_images  # noqa: PLC0415 - when it is known to run

        outcomes = attest_images(names, said, signing, options, replace=replace, bundle_out=bundle_out)
        return report_made(job, outcomes)


def _said(file: str | None, type_name: str | None, *, lift: bool) -> "Predicate | None":
    """The statement to sign, or None where BuildKit's are.

    Raises:
        UsageError: neither, or both.
        InputFileError: the file cannot be read, or is no JSON.
    """
    if lift:
        if file is not None or type_name is not None:
            message = "--lift signs what is in the image; --predicate and --type do not go with it"
            raise UsageError(message)
        return None
    if file is None or type_name is None:
        message = "nothing to sign: give --predicate FILE and --type TYPE, or --lift for what BuildKit attached"
        raise UsageError(message)
    from imgtrust.commands.attest import read_predicate  # noqa: PLC0415 - when it is known to run

    return read_predicate(file, type_name)


class _Shown:
    """Shows what nobody signed yet, and finds out whether it may be signed; one image at a time."""

    def __init__(self, job: Work, *, yes: bool) -> None:
        """``yes``: nobody has to be asked."""
        self._job = job
        self._yes = yes
        self._turn = threading.Lock()

    def __call__(self, reference: "Reference", found: "tuple[Unsigned, ...]") -> bool:
        """Whether all of it may be signed.

        Raises:
            UsageError: there is nobody to ask.
        """
        lines = [f"{reference}: {len(found)} statements by BuildKit, which nobody signed:"]
        for each in found:
            about = each.subject.digest.short if each.platform is None else str(each.platform)
            lines.append(f"  {each.predicate_type}  about {about}  {each.layer.size} bytes  {each.layer.digest}")
        with self._turn:
            self._job.console.say("\n".join(lines))
            if self._yes:
                return True
            answer = self._job.session.confirm("Sign them?")
        if answer is None:
            message = (
                f"{reference}: there is no terminal to ask on whether this may be signed; look at it, then give --yes"
            )
            raise UsageError(message)
        if not answer:
            message = f"{reference}: the answer was no, so nothing was signed"
            raise UsageError(message)
        return True
