"""The words of a policy file: one table of tables that drives the reader, the JSON Schema and the documentation. Pure.

Knows which key may stand where, of what kind, and what it means; knows nothing of how a file is read. Keys of later
versions are known too, so that they are refused by name and never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from imgtrust.policy.flags import NOTARY_TYPES, REVOCATIONS
from imgtrust.trust.identities import EXTENSIONS

__all__ = ["TABLES", "Choice", "Key", "Kind", "Table"]


class Kind(StrEnum):
    """What stands behind a key; the value is what a person is told was expected."""

    TEXT = "a string"
    TEXTS = "a list of strings"
    FLAG = "true or false"
    COUNT = "a whole number of at least 1"
    VERSION = "the number 1"
    DURATION = "a duration in quotes"
    TIME = "a time with a zone, without quotes"
    TABLE = "a table"
    TABLES = "a list of tables"
    NAMED = "tables by name"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``table`` names what stands below it; ``later`` says in words what this version does not judge.

    ``of``: the key beside which it stands, without which it means nothing.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    table: str = ""
    choices: tuple[str, ...] = ()
    later: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Exactly one of ``names`` stands in a table; where ``of`` is a key, in those tables that have it."""

    names: tuple[str, ...]
    of: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table: ``title`` is how messages and the documentation call it."""

    title: str
    doc: str
    keys: tuple[Key, ...]
    choices: tuple[Choice, ...] = ()


def _later(what: str, *names: str) -> tuple[Key, ...]:
    return tuple(Key(name, Kind.TEXT, "", later=what) for name in names)


_NOT_BEFORE: Final = "From this time on, itself included."
_NOT_AFTER: Final = "Up to this time, itself included."
_KEYLESS: Final = "sigstore"
_NOTARY: Final = "notary"
_PATTERN: Final = "A pattern (regular expression) that matches the whole of it."


def _keyless() -> tuple[Key, ...]:
    """The keys of a keyless signer."""
    extensions = (
        Key(name, Kind.TEXT, f"Exactly what the certificate says in extension {oid}.", of=_KEYLESS)
        for name, oid in EXTENSIONS.items()
    )
    return (
        Key(_KEYLESS, Kind.TEXT, "The Sigstore instance: `public-good`, or the NAME of a table `[sigstore.NAME]`."),
        Key("issuer", Kind.TEXT, "Exactly who vouched for the identity: the URL of the OIDC issuer.", of=_KEYLESS),
        Key("issuer_regexp", Kind.TEXT, _PATTERN, of=_KEYLESS),
        Key(
            "identity",
            Kind.TEXT,
            "Exactly who signed: the URI of a workflow, or an e-mail address, as the certificate names it.",
            of=_KEYLESS,
        ),
        Key("identity_regexp", Kind.TEXT, _PATTERN, of=_KEYLESS),
        *extensions,
        Key(
            "log",
            Kind.FLAG,
            "Whether an entry in a transparency log is needed (it is, where nothing is said); `false` lets a "
            "time-stamp alone be enough.",
            of=_KEYLESS,
        ),
    )


def _notary() -> tuple[Key, ...]:
    """The keys of a Notary signer."""
    return (
        Key(
            _NOTARY,
            Kind.TEXT,
            "The kind of trust store: a certificate authority, a signing authority (whose signing times are "
            "believed), or AWS Signer with ECR managed signing.",
            choices=NOTARY_TYPES,
        ),
        Key(
            "roots",
            Kind.TEXTS,
            "Files of PEM certificates, each with `#sha256:HEX` behind its name where its fingerprint is to be "
            "checked; may be left out for `aws-signer` alone.",
            of=_NOTARY,
        ),
        Key(
            "identities",
            Kind.TEXTS,
            "Who may sign: `x509.subject: C=…, ST=…, O=…` (the attributes that the subject has at least), or `*` for "
            "everybody under the roots; for `aws-signer` ARNs of signing profiles or of versions of them.",
            of=_NOTARY,
        ),
        Key("profile", Kind.TEXT, "For `aws-signer`: the one ARN.", of=_NOTARY),
        Key(
            "revocation",
            Kind.TEXT,
            "What is done where a certificate is revoked or nobody can tell: `enforce` (where nothing is said) does "
            "not believe it, `log` says it, `skip` does not ask.",
            choices=REVOCATIONS,
            of=_NOTARY,
        ),
    )


TABLES: Final[dict[str, Table]] = {
    "": Table(
        "the top level",
        "A policy has at least one signer and one scope. What no scope names is denied.",
        (
            Key("version", Kind.VERSION, "The version of this language: 1.", required=True),
            Key("time", Kind.TABLE, "Who may time-stamp.", table="time"),
            Key("sigstore", Kind.NAMED, "Sigstore instances, by the names that signers use.", table="sigstore"),
            Key(
                "signers", Kind.NAMED, "Who may sign, by the names that the scopes use.", required=True, table="signers"
            ),
            Key("scopes", Kind.TABLES, "What is asked of which images.", required=True, table="scopes"),
            *_later("exceptions", "exceptions"),
        ),
    ),
    "time": Table(
        "[time]",
        "Who may time-stamp. A token of anybody else proves nothing. Paths are relative to the policy file.",
        (
            Key(
                "tsa_roots",
                Kind.TEXTS,
                "Files of PEM certificates, one per authority: its root, and what else of its chain is known.",
            ),
            Key(
                "trusted_root",
                Kind.TEXT,
                "A Sigstore trusted root (JSON), whose time-stamp authorities count, and whose logs for signatures by "
                "a key; `public-good` is the one that comes with imgtrust.",
            ),
        ),
    ),
    "sigstore": Table(
        "[sigstore.NAME]",
        "A Sigstore instance beside the public good one, which is known as `public-good` without being named here.",
        (
            Key(
                "trusted_root",
                Kind.TEXT,
                "Its trusted root (JSON): certificate authorities, logs and time-stamp authorities.",
                required=True,
            ),
        ),
    ),
    "signers": Table(
        "[signers.NAME]",
        "A signer: by a public key (`key`), by an identity that a Sigstore certificate names (`sigstore`, keyless), or "
        "by Notary certificates (`notary`). NAME is letters, digits, `_` and `-`.",
        (
            Key(
                "key",
                Kind.TEXT,
                "The public key: a file (relative to the policy file), `env://NAME`, `awssm://SECRET`, or PEM text.",
            ),
            Key(
                "not_before",
                Kind.TIME,
                f"The key speaks for signatures whose proven time is in its window. {_NOT_BEFORE}",
                of="key",
            ),
            Key("not_after", Kind.TIME, _NOT_AFTER, of="key"),
            *_keyless(),
            *_notary(),
        ),
        (
            Choice(("key", _KEYLESS, _NOTARY)),
            Choice(("issuer", "issuer_regexp"), _KEYLESS),
            Choice(("identity", "identity_regexp"), _KEYLESS),
            Choice(("identities", "profile"), _NOTARY),
        ),
    ),
    "scopes": Table(
        "[[scopes]]",
        "What is asked of the images that its patterns name. The most specific pattern wins.",
        (
            Key("name", Kind.TEXT, "What reports call the scope; its first pattern where it has no name."),
            Key("images", Kind.TEXTS, "Patterns over `HOST/PATH` or `oci:DIR`.", required=True),
            Key(
                "promote_to",
                Kind.TEXTS,
                "Patterns of the repositories that images may be promoted to; none without it.",
            ),
            Key("signatures", Kind.TABLE, "Whose signatures are needed.", required=True, table="signatures"),
            Key("publish", Kind.TABLE, "When the image was published, by proven times.", table="publish"),
            Key("evidence", Kind.TABLES, "Which attestations are needed.", table="evidence"),
            *_later("vulnerabilities", "vulnerabilities"),
            *_later("image configurations", "config"),
            *_later("release statements", "release"),
        ),
    ),
    "signatures": Table(
        "signatures of [[scopes]]",
        "Distinct signers are distinct keys, however many names or signatures they have.",
        (
            Key("any_of", Kind.TEXTS, "Names of signers.", required=True),
            Key("count", Kind.COUNT, "How many distinct ones of them are needed; 1 where it is not said."),
        ),
    ),
    "publish": Table(
        "[scopes.publish]",
        "Every limit is inclusive. What has no proven time passes none of them.",
        (
            Key(
                "trusted_time",
                Kind.TEXTS,
                "Each signature that counts has a proven time of one of these; of any where only a limit is given.",
                choices=("tsa", "rekor", "signing-authority"),
            ),
            Key("max_age", Kind.DURATION, "Published at most so long ago, by the earliest proven time."),
            Key("min_soak", Kind.DURATION, "Published at least so long ago."),
            Key("not_before", Kind.TIME, "Published at this time or later."),
            Key("not_after", Kind.TIME, "Published at this time or earlier."),
        ),
    ),
    "evidence": Table(
        "[[scopes.evidence]]",
        "An attestation that must be there. The newest of each signer counts, by its proven time.",
        (
            Key(
                "type", Kind.TEXT, "A short name (`slsa-provenance`, `spdx`, …) or a predicate type URI.", required=True
            ),
            Key("signed_by", Kind.TEXTS, "Names of signers; one of them is enough.", required=True),
            Key("max_age", Kind.DURATION, "The attestation is at most so old, by its proven time."),
            Key("builder", Kind.TEXT, "The exact builder id of a SLSA provenance."),
        ),
    ),
}
"""Every table by the name that ``Key.table`` uses; the empty one is the top level."""
