"""``imgtrust attest``. No postponed annotations here: typer reads the types at run time."""

from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.keyless import Keyless, signing_with
from imgtrust.cli.made import report_made
from imgtrust.cli.names import read_names
from imgtrust.cli.options import Images, Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Annotations, Form, Passphrase, SigningKey, Stamping
from imgtrust.cli.work import RESULTS, work

__all__ = ["app", "attest"]

app = new_app()

_PredicateFile = Annotated[
    str, typer.Option("--predicate", metavar="FILE", help="What is said: a JSON file.", show_default=False)
]
_Type = Annotated[
    str,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="What kind of statement it is: slsa-provenance, spdx, cyclonedx, vulnerabilities, openvex, test-result or "
        "a URI.",
        show_default=False,
    ),
]
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
    predicate: _PredicateFile,
    type_name: _Type,
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
    """
    with work(session, talk, RESULTS) as job:
        names = read_names(images, session.stdin)
        options = reach.store_options(session, talk.timeout)
        pairs = annotations.pairs()
        _ = form.value
        from imgtrust.commands.attest import attest_images, read_predicate  # noqa: PLC0415 - when it is known to run

        said = read_predicate(predicate, type_name)
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
        outcomes = attest_images(names, said, signing, options, replace=replace, bundle_out=bundle_out)
        return report_made(job, outcomes)
