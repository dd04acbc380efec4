"""The trust options of ``verify``, ``promote``, ``audit`` and ``inspect`` (CLI.md section 3).

Knows that ``--policy`` and the shorthand exclude each other; the shorthand becomes the same policy value. No
postponed annotations here: the types are read at run time.
"""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.cli.console import Console
from imgtrust.cli.session import Session
from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.cli.work import Work
    from imgtrust.commands.loading import Judgement
    from imgtrust.policy.flags import Shorthand

__all__ = ["Trust", "print_policy"]

_NOT_SHORTHAND = frozenset({"policy", "print_policy"})


@dataclass(frozen=True)
class Trust:
    """Whom to trust and what to ask for: a policy file, or the shorthand for one."""

    TITLE: ClassVar[str] = "Trust"

    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="The policy (TOML). Without it and without the shorthand below, IMGTRUST_POLICY names the file.",
            show_default=False,
        ),
    ] = None
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print the policy that these options mean, ready to save, and end.")
    ] = False
    key: Annotated[
        list[str],
        typer.Option(
            "--key",
            metavar="PUB",
            help="A signer by public key: FILE, env://NAME or awssm://SECRET. Repeatable, one signer each.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    certificate_identity: Annotated[
        str | None,
        typer.Option(
            "--certificate-identity",
            metavar="SAN",
            help="A keyless signer: the workflow's URI or the e-mail address that its certificate names, exactly.",
            show_default=False,
        ),
    ] = None
    certificate_identity_regexp: Annotated[
        str | None,
        typer.Option(
            "--certificate-identity-regexp",
            metavar="PATTERN",
            help="As --certificate-identity, by a pattern that matches the whole of it.",
            show_default=False,
        ),
    ] = None
    certificate_oidc_issuer: Annotated[
        str | None,
        typer.Option(
            "--certificate-oidc-issuer",
            metavar="URL",
            help="Who vouched for the keyless signer, exactly (https://token.actions.githubusercontent.com).",
            show_default=False,
        ),
    ] = None
    certificate_oidc_issuer_regexp: Annotated[
        str | None,
        typer.Option(
            "--certificate-oidc-issuer-regexp",
            metavar="PATTERN",
            help="As --certificate-oidc-issuer, by a pattern that matches the whole of it.",
            show_default=False,
        ),
    ] = None
    notary_identity: Annotated[
        list[str],
        typer.Option(
            "--notary-identity",
            metavar="NAME",
            help="A Notary signer: 'x509.subject: C=US, ST=WA, O=Acme', '*' for anybody under the roots, or the ARN "
            "of a signing profile. Repeatable, one signer in all.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    notary_roots: Annotated[
        list[str],
        typer.Option(
            "--notary-roots",
            metavar="PEM",
            help="The certificates that the Notary signer's come from, as FILE or FILE#sha256:FINGERPRINT. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    notary_type: Annotated[
        str | None,
        typer.Option(
            "--notary-type",
            metavar="TYPE",
            help="ca, signing-authority or aws-signer (meant where an ARN is given; otherwise ca is).",
            show_default=False,
        ),
    ] = None
    revocation: Annotated[
        str | None,
        typer.Option(
            "--revocation",
            metavar="MODE",
            help="What is done about Notary certificates that are revoked: enforce (default), log or skip.",
            show_default=False,
        ),
    ] = None
    tsa_roots: Annotated[
        list[str],
        typer.Option(
            "--tsa-roots",
            metavar="PEM",
            help="Who may time-stamp: a chain of certificates with its root. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    trusted_root: Annotated[
        str | None,
        typer.Option(
            "--trusted-root",
            metavar="FILE",
            help="A Sigstore trusted root (JSON) for keyless signers and time-stamps; without it, that of the public "
            "good instance which comes with imgtrust.",
            show_default=False,
        ),
    ] = None
    count: Annotated[
        int | None,
        typer.Option("--count", metavar="N", help="How many distinct signers are needed (1).", show_default=False),
    ] = None
    require_time: Annotated[
        bool, typer.Option("--require-time", help="Each signature that counts has a proven time.")
    ] = False
    max_age: Annotated[
        str | None,
        typer.Option(
            "--max-age",
            metavar="DURATION",
            help="Published at most so long ago (90d, 12h, 30m), by the earliest proven time.",
            show_default=False,
        ),
    ] = None
    min_soak: Annotated[
        str | None,
        typer.Option(
            "--min-soak", metavar="DURATION", help="Published at least so long ago, provably.", show_default=False
        ),
    ] = None
    not_before: Annotated[
        str | None,
        typer.Option("--not-before", metavar="TIME", help="Published at or after this time.", show_default=False),
    ] = None
    not_after: Annotated[
        str | None,
        typer.Option("--not-after", metavar="TIME", help="Published at or before this time.", show_default=False),
    ] = None
    evidence: Annotated[
        list[str],
        typer.Option(
            "--evidence",
            metavar="TYPE",
            help="An attestation of this type by one of the signers: slsa-provenance, spdx, cyclonedx, "
            "vulnerabilities, openvex, test-result or a URI. Repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)

    @property
    def _shorthand(self) -> list[str]:
        """The options of the shorthand that were given, as they are typed."""
        return [
            "--" + option.name.replace("_", "-")
            for option in fields(self)
            if option.name not in _NOT_SHORTHAND and getattr(self, option.name) not in (None, False, (), [])
        ]

    def given(self, session: Session) -> bool:
        """Whether anything says whom to trust."""
        return bool(self.policy or self._shorthand or session.environment.get("IMGTRUST_POLICY"))

    def judgement(self, session: Session, console: Console) -> "Judgement":
        """The policy with its keys and roots, from the file or from the shorthand.

        Raises:
            UsageError: both, or neither, or a value that cannot be read.
            PolicyError: the policy file is wrong.
            InputFileError: a file cannot be read.
            KeyUnusable: a key cannot be used.
        """
        from pathlib import Path  # noqa: PLC0415 - options are read before commands are

        from imgtrust.commands.loading import load_flags, load_policy_file  # noqa: PLC0415 - as above

        shorthand = self._shorthand
        if self.policy is not None and shorthand:
            message = f"--policy and {shorthand[0]} exclude each other: say in the policy what {shorthand[0]} means"
            raise UsageError(message)
        if shorthand:
            if session.environment.get("IMGTRUST_POLICY"):
                console.warn(f"IMGTRUST_POLICY is set and not used, because {shorthand[0]} was given")
            return load_flags(self._flags(), session.environment)
        file = self.policy or session.environment.get("IMGTRUST_POLICY")
        if not file:
            message = (
                "nothing says whom to trust: give --policy FILE (or set IMGTRUST_POLICY), at least one --key PUB, or "
                "--certificate-identity; imgtrust policy init writes a policy to start from"
            )
            raise UsageError(message)
        return load_policy_file(Path(file), session.environment)

    def _flags(self) -> "Shorthand":
        """The shorthand as values."""
        from imgtrust.policy.durations import parse_duration, parse_time  # noqa: PLC0415 - only with the shorthand
        from imgtrust.policy.flags import Shorthand  # noqa: PLC0415 - as above

        return Shorthand(
            keys=tuple(self.key),
            tsa_roots=tuple(self.tsa_roots),
            trusted_root=self.trusted_root,
            count=1 if self.count is None else self.count,
            require_time=self.require_time,
            max_age=None if self.max_age is None else parse_duration(self.max_age),
            min_soak=None if self.min_soak is None else parse_duration(self.min_soak),
            not_before=None if self.not_before is None else parse_time(self.not_before),
            not_after=None if self.not_after is None else parse_time(self.not_after),
            evidence=tuple(self.evidence),
            identity=self.certificate_identity,
            identity_regexp=self.certificate_identity_regexp,
            issuer=self.certificate_oidc_issuer,
            issuer_regexp=self.certificate_oidc_issuer_regexp,
            notary_roots=tuple(self.notary_roots),
            notary_identities=tuple(self.notary_identity),
            notary_type=self.notary_type,
            revocation=self.revocation,
        )


def print_policy(judgement: "Judgement", job: "Work") -> int:
    """Print the policy that the options mean, as a file that could be saved; done."""
    from imgtrust.policy.writing import write_policy  # noqa: PLC0415 - only with --print-policy

    job.print(write_policy(judgement.policy))
    return 0
