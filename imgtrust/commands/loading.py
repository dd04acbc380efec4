"""From a policy file or flags to a judgement: the policy, its digest, and the keys and roots that it names.

Knows where files, variables and secrets are read from; knows nothing of what is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.commands.anchors import packaged_root
from imgtrust.commands.files import read_input
from imgtrust.commands.freshness import vouched_roots
from imgtrust.commands.revocations import open_responders
from imgtrust.policy.values import PUBLIC_GOOD, KeylessSigner, KeySigner, NotarySigner
from imgtrust.trust.keys import TrustedKey, parse_public_key
from imgtrust.trust.roots import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.commands.freshness import Vouched
    from imgtrust.policy.flags import Shorthand
    from imgtrust.policy.values import Policy
    from imgtrust.policy.verdict import PolicyId
    from imgtrust.stores.revocation import Responders
    from imgtrust.trust.anchors import LogKey
    from imgtrust.trust.times import TimestampAuthority

__all__ = [
    "PUBLIC_GOOD",
    "Judgement",
    "load_flags",
    "load_policy_file",
    "load_value",
    "read_input",
    "read_key_reference",
]

_PEM: Final = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that a judgement needs beside an image: ``policy``, ``policy_id`` for reports, and ``trust``.

    ``responders`` are asked about the revocation of Notary certificates; with None nobody is, which is said.
    ``vouched``: until when somebody vouched for the Sigstore trusted roots that are used.
    """

    policy: Policy
    policy_id: PolicyId
    trust: TrustRoot
    responders: Responders | None = field(default=None, repr=False, compare=False)
    vouched: tuple[Vouched, ...] = field(default=(), repr=False, compare=False)


def load_policy_file(path: Path, environment: Mapping[str, str]) -> Judgement:
    """Read a policy file and all that it names; paths in it are relative to its directory.

    Raises:
        InputFileError: a file cannot be read, or is not what it should be.
        PolicyError: the policy is wrong; the message has its line.
        KeyUnusable: a key that is named cannot be read or used.
    """
    from imgtrust.policy.document import read_policy  # noqa: PLC0415 - the TOML reader is not needed for flags
    from imgtrust.policy.identity import policy_id  # noqa: PLC0415 - as above

    data = read_input(path, "the policy")
    policy = read_policy(data, str(path))
    trust = load_trust(policy, environment, path.parent)
    identity = policy_id(data, str(path))
    return Judgement(policy, identity, trust, open_responders(trust, environment), vouched_roots(policy, path.parent))


def load_flags(shorthand: Shorthand, environment: Mapping[str, str]) -> Judgement:
    """The judgement that the flags of ``verify`` mean; paths are relative to the working directory.

    Where the flags ask for dates and name no trusted root, the packaged one of Sigstore's public good is meant
    (CLI.md section 3); the policy then names it.

    Raises:
        UsageError: as ``load_policy_file``, or the flags contradict each other.
    """
    from imgtrust.policy.flags import policy_from_flags  # noqa: PLC0415 - not needed for a policy file

    if shorthand.trusted_root is None and _asks_for_dates(shorthand):
        shorthand = replace(shorthand, trusted_root=PUBLIC_GOOD)
    return load_value(policy_from_flags(shorthand), "flags", environment)


def load_value(policy: Policy, source: str, environment: Mapping[str, str]) -> Judgement:
    """The judgement by a policy that is no file; paths in it are relative to the working directory.

    Its digest is that of the file that it would be.

    Raises:
        InputFileError: a file cannot be read, or is not what it should be.
        KeyUnusable: a key cannot be read or used.
    """
    from imgtrust.policy.identity import policy_id  # noqa: PLC0415 - as above
    from imgtrust.policy.writing import write_policy  # noqa: PLC0415 - as above

    identity = policy_id(write_policy(policy).encode(), source)
    trust = load_trust(policy, environment, Path())
    return Judgement(policy, identity, trust, open_responders(trust, environment), vouched_roots(policy, Path()))


def _asks_for_dates(shorthand: Shorthand) -> bool:
    """Whether a proven time could matter: reading a trusted root costs more than verifying a signature."""
    dated = (shorthand.max_age, shorthand.min_soak, shorthand.not_before, shorthand.not_after)
    return shorthand.require_time or any(value is not None for value in dated)


def load_trust(policy: Policy, environment: Mapping[str, str], base: Path) -> TrustRoot:
    """Read the keys, instances, certificates and time-stamp authorities that a policy names.

    Raises:
        InputFileError: a file cannot be read, or is not what it should be.
        KeyUnusable: a key cannot be read or used.
    """
    keys = tuple(
        TrustedKey(
            signer.name,
            parse_public_key(
                read_key_reference(signer.key, environment, base),
                f"the key of signer {signer.name} ({_shown(signer.key)})",
            ),
            signer.not_before,
            signer.not_after,
        )
        for signer in policy.signers
        if isinstance(signer, KeySigner)
    )
    authorities, logs = _times(policy, base)
    root = TrustRoot(keys, authorities, logs=logs)
    kinds = {type(signer) for signer in policy.signers}
    if kinds <= {KeySigner}:
        return root
    from imgtrust.commands.certifying import load_identities, load_notary  # noqa: PLC0415 - certificates are slow

    return replace(
        root,
        identities=load_identities(policy, base) if KeylessSigner in kinds else (),
        notary=load_notary(policy, base) if NotarySigner in kinds else (),
    )


def _times(policy: Policy, base: Path) -> tuple[tuple[TimestampAuthority, ...], tuple[LogKey, ...]]:
    """Who may say what time it was: PEM chains, and the authorities and logs of the trusted root.

    The logs also where no scope takes a time from them: an earlier time of any source makes an image older, and an
    entry of a log that is named has to be about the signature that it came with.
    """
    from imgtrust.trust.roots import parse_sigstore_root, parse_tsa_chain  # noqa: PLC0415 - X.509 is slow to import

    found: list[TimestampAuthority] = [
        parse_tsa_chain(read_input(base / name, "the time-stamp root"), name) for name in policy.time.tsa_roots
    ]
    name = policy.time.trusted_root
    if name is None:
        return tuple(found), ()
    data = packaged_root(name) if name == PUBLIC_GOOD else read_input(base / name, "the trusted root")
    root = parse_sigstore_root(data, name)
    return (*found, *root.authorities), root.logs


def read_key_reference(text: str, environment: Mapping[str, str], base: Path) -> bytes:
    """The bytes of a public key that is named as in CLI.md section 1: PEM text, ``env://NAME``, ``awssm://`` or a path.

    ``base`` is the directory that a relative path starts from.

    Raises:
        KeyUnusable: the file or variable cannot be read, or the key is held by a service that is not asked here.
        Undecided: AWS Secrets Manager could not answer.
    """
    if _PEM in text:
        return text.encode()
    from imgtrust.signers.material import read_material  # noqa: PLC0415 - inline keys need none of it

    return read_material(text if "://" in text else str(base / text), environment)


def _shown(key: str) -> str:
    """A key reference as messages name it: inline PEM is not repeated."""
    return "inline PEM" if _PEM in key else key
