"""``imgtrust keys``. No postponed annotations here: typer reads the types at run time."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgtrust.cli.compose import as_command, new_group
from imgtrust.cli.data import RESULT, as_json
from imgtrust.cli.options import ResultTalk
from imgtrust.cli.session import Session
from imgtrust.cli.signing import Passphrase
from imgtrust.cli.work import RESULTS, work

if TYPE_CHECKING:
    from imgtrust.commands.keys import KeyFiles

__all__ = ["app"]

app = new_group("Generate, show and import keys.")

_Kind = Annotated[
    str, typer.Option("--type", metavar="p256|p384|ed25519|rsa3072", help="The kind of key; cosign reads all of them.")
]
_Pkcs8 = Annotated[
    bool, typer.Option("--pkcs8", help="Write the private key as PKCS#8, which openssl reads, not in cosign's form.")
]
_Prefix = Annotated[str, typer.Argument(metavar="PREFIX", help="Where the pair goes: PREFIX.key and PREFIX.pub.")]
_Key = Annotated[
    str,
    typer.Argument(metavar="KEY", help="A key, either half: FILE, env://NAME or awssm://SECRET.", show_default=False),
]


@as_command(app, "generate")
def generate(
    *,
    session: Session,
    prefix: _Prefix,
    kind: _Kind = "p256",
    pkcs8: _Pkcs8 = False,
    passphrase: Passphrase,
    talk: ResultTalk,
) -> int:
    r"""Make a key pair: PREFIX.key (encrypted) and PREFIX.pub.

    Nothing is ever overwritten. The passphrase is asked for on the terminal, or taken from IMGTRUST_PASSPHRASE,
    COSIGN_PASSWORD or --passphrase-file; it is never an argument.

    \b
    Examples:
      imgtrust keys generate release
      imgtrust keys generate --type ed25519 --passphrase-file pass.txt keys/release
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.commands.keys import generate_keys  # noqa: PLC0415 - when it is known to run

        made = generate_keys(prefix, kind=kind, pkcs8=pkcs8, passphrase=passphrase.source(session))
        job.answer(lambda name: _pair(made, name))
    return 0


@as_command(app, "public")
def public(*, session: Session, key: _Key, passphrase: Passphrase, talk: ResultTalk) -> int:
    r"""Print the public half of a key as PEM.

    \b
    Examples:
      imgtrust keys public release.key > release.pub
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.commands.keys import public_key_of  # noqa: PLC0415 - when it is known to run

        found = public_key_of(key, passphrase=passphrase.source(session), environment=session.environment)
        pem = found.pem.decode()
        job.answer(lambda name: pem if name == "text" else as_json({"schema": RESULT, "key": key, "public_key": pem}))
    return 0


@as_command(app, "show")
def show(*, session: Session, key: _Key, passphrase: Passphrase, talk: ResultTalk) -> int:
    r"""Print type, fingerprint and hint of a key.

    The fingerprint is the SHA-256 of the public half; the hint is the same in the form that bundles carry.

    \b
    Examples:
      imgtrust keys show release.pub
      imgtrust keys show env://SIGNING_KEY -o json
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.commands.keys import show_key  # noqa: PLC0415 - when it is known to run

        facts = show_key(key, passphrase=passphrase.source(session), environment=session.environment)
        half = "private" if facts.private else "public"
        document = {
            "schema": RESULT,
            "key": key,
            "half": half,
            "type": facts.key.kind,
            "fingerprint": f"sha256:{facts.key.fingerprint}",
            "hint": facts.key.hint,
        }
        text = (
            f"{key}  {half} key, {facts.key.kind}\n"
            f"  fingerprint  sha256:{facts.key.fingerprint}\n"
            f"  hint         {facts.key.hint}\n"
        )
        job.answer(lambda name: text if name == "text" else as_json(document))
    return 0


@as_command(app, "import")
def import_(
    *,
    session: Session,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A private key: PKCS#8, SEC1, PKCS#1 or cosign's.", show_default=False)
    ],
    prefix: _Prefix,
    pkcs8: _Pkcs8 = False,
    passphrase: Passphrase,
    talk: ResultTalk,
) -> int:
    r"""Take over a private key of another tool.

    The pair is written as generate writes it; the key that was read stays as it is.

    \b
    Examples:
      imgtrust keys import openssl.pem release
      imgtrust keys import cosign.key release
    """
    with work(session, talk, RESULTS) as job:
        from imgtrust.commands.keys import import_key  # noqa: PLC0415 - when it is known to run

        made = import_key(
            key, prefix, pkcs8=pkcs8, passphrase=passphrase.source(session), environment=session.environment
        )
        job.answer(lambda name: _pair(made, name))
    return 0


def _pair(made: "KeyFiles", name: str) -> str:
    """A pair that was written."""
    if name == "json":
        document = {
            "schema": RESULT,
            "private": made.private,
            "public": made.public,
            "encrypted": made.encrypted,
            "type": made.key.kind,
            "fingerprint": f"sha256:{made.key.fingerprint}",
        }
        return as_json(document)
    sealed = "encrypted with the passphrase" if made.encrypted else "NOT encrypted"
    return (
        f"wrote  {made.private}  {sealed}; keep it secret\n"
        f"       {made.public}  {made.key.kind}, sha256:{made.key.fingerprint[:12]}; give it to whoever verifies\n"
    )
