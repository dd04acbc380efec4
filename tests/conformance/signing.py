"""The signing half of sigstore-conformance's command line protocol (docs/cli_protocol.md), over imgtrust's own code.

What is made is judged before it is written, as it is for images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgtrust.commands.holding import hold, log_entries
from imgtrust.commands.keyless import KeylessTerms, keyless_signing
from imgtrust.errors import UsageError
from imgtrust.formats.bundle import write_bundle
from imgtrust.formats.dsse import PAYLOAD_TYPE, pae
from imgtrust.formats.statement import parse_statement
from imgtrust.reference import Digest
from imgtrust.signers.logged import Logged
from imgtrust.signers.tsa import TsaOptions
from imgtrust.trust.artifact import judge_artifact
from imgtrust.trust.signatures import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

__all__ = ["SignBundle", "sign_bundle"]


@dataclass(frozen=True)
class SignBundle:
    """The arguments of ``sign-bundle``, in their fixed order."""

    in_toto: bool
    token: str
    bundle: str
    trusted_root: str | None
    signing_config: str | None
    artifact: str

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> SignBundle:
        """Read a whole command, its name first.

        Raises:
            UsageError: another order, too few or too many, or the staging instance, whose root is not shipped.
        """
        left = list(arguments)
        names = ("--identity-token", "--bundle", "--trusted-root", "--signing-config")
        flags = [left.pop(0) for name in ("sign-bundle", "--staging", "--in-toto") if left[:1] == [name]]
        values = {name: (left.pop(0), left.pop(0))[1] for name in names if left[:1] == [name] and len(left) > 1}
        if flags[:1] != ["sign-bundle"] or "--staging" in flags or len(left) != 1 or not {*names[:2]} <= {*values}:
            message = f"expected sign-bundle and its options in their order, found {list(arguments)[:1]} … {left[:2]}"
            raise UsageError(message)
        root, config = values.get(names[2]), values.get(names[3])
        return cls("--in-toto" in flags, values[names[0]], values[names[1]], root, config, left[0])


def sign_bundle(given: SignBundle, now: Callable[[], datetime]) -> str:
    """Sign a file, or with ``--in-toto`` the statement in it; what to say.

    Raises:
        ImgtrustError: it could not be signed, or does not verify.
    """
    terms = KeylessTerms("env://TOKEN", signing_config=given.signing_config, trusted_root=given.trusted_root)
    environment = {"TOKEN": given.token}
    signing = keyless_signing(terms, TsaOptions(), environment=environment, now=now)
    held = hold(signing)
    artifact = Path(given.artifact).read_bytes()
    statement = artifact if given.in_toto else None
    message = artifact if statement is None else pae(PAYLOAD_TYPE, statement)
    subject = Digest.of(artifact) if statement is None else Digest("sha256", parse_statement(statement).subjects[0])
    signature = held.signer.sign(message)
    stamps = [stamper.stamp(signature) for stamper in signing.timestampers]
    entries = log_entries(signing, Logged(message, signature, held.signer.public_key, held.certificate, statement))
    bundle = write_bundle(
        certificate=held.certificate,
        signature=signature,
        statement=statement,
        message_digest=None if statement is not None else bytes.fromhex(subject.encoded),
        timestamps=stamps,
        log_entries=[entry for entry, _ in entries],
    )
    found = judge_artifact(bundle, artifact if statement is None else subject, held.root, at=now())
    if isinstance(found, Refusal):
        said = f"what was signed does not verify: {found.code}: {found.reason}"
        raise UsageError(said)
    Path(given.bundle).write_bytes(bundle)
    return f"signed by {held.name}"
