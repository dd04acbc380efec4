"""``imgtrust sign``. No postponed annotations here: typer reads the types at run time."""

from typing import Annotated

import typer

from imgtrust.cli.compose import as_command, new_app
from imgtrust.cli.keyless import Keyless, signing_with
from imgtrust.cli.made import report_made
from imgtrust.cli.names import read_names
from imgtrust.cli.notary import NotaryKey
from imgtrust.cli.options import Images, Reach, ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Annotations, Form, Passphrase, SigningKey, Stamping
from imgtrust.cli.work import RESULTS, work

__all__ = ["app", "sign"]

app = new_app()

_Recursive = Annotated[bool, typer.Option("--recursive", help="Sign an index and every manifest below it.")]
_BundleOut = Annotated[
    str | None,
    typer.Option(
        "--bundle-out", metavar="FILE", help="Keep the bundle of the one image in FILE too.", show_default=False
    ),
]


@as_command(app)
def sign(
    *,
    session: Session,
    images: Images,
    key: SigningKey,
    passphrase: Passphrase,
    keyless: Keyless,
    notary: NotaryKey,
    stamping: Stamping,
    form: Form,
    annotations: Annotations,
    recursive: _Recursive = False,
    bundle_out: _BundleOut = None,
    talk: ResultTalk,
    reach: Reach,
) -> int:
    r"""Sign images and attach the signatures.

    What is signed is the digest that the name means now; a signature of an index covers its platforms. With a
    time-stamp the signature proves when it was made; without one no policy on dates can accept it.

    \b
    Examples:
      imgtrust sign --key release.key --tsa https://tsa.example.com registry.example.com/team/app:1.4.2
      imgtrust sign --key release.key oci:build/app:1.4.2
      imgtrust sign --key env://SIGNING_KEY --annotation commit=4f2a91c IMAGE IMAGE
      imgtrust sign --notary-key acme.key --notary-chain acme.pem registry.example.com/team/app:1.4.2
      imgtrust sign --keyless registry.example.com/team/app:1.4.2
      imgtrust sign --key release.key --rekor-url https://log.example.com --trusted-root acme.json IMAGE
    """
    with work(session, talk, RESULTS) as job:
        names = read_names(images, session.stdin)
        options = reach.store_options(session, talk.timeout)
        pairs = annotations.pairs()
        _ = form.value
        if notary.wanted(key, keyless, form):
            signing = notary.signing(
                passphrase, stamping, session=session, options=options, console=job.console, annotations=pairs
            )
        else:
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
        from imgtrust.commands.sign import sign_images  # noqa: PLC0415 - after the options are known to be good

        outcomes = sign_images(names, signing, options, recursive=recursive, bundle_out=bundle_out)
        return report_made(job, outcomes)
