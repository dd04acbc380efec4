"""The words of a policy file: one table of tables that drives the reader, the JSON Schema and the documentation. Pure.

Knows which key may stand where, of what kind, and what it means; knows nothing of how a file is read. Keys of later
versions are known too, so that they are refused by name and never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["TABLES", "Key", "Kind", "Table"]


class Kind(StrEnum):
    """What stands behind a key; the value is what a person is told was expected."""

    TEXT = "a string"
    TEXTS = "a list of strings"
    COUNT = "a whole number of at least 1"
    VERSION = "the number 1"
    DURATION = "a duration in quotes"
    TIME = "a time with a zone, without quotes"
    TABLE = "a table"
    TABLES = "a list of tables"
    NAMED = "tables by name"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``table`` names what stands below it; ``later`` says in words what this version does not judge."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    table: str = ""
    choices: tuple[str, ...] = ()
    later: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table: ``title`` is how messages and the documentation call it."""

    title: str
    doc: str
    keys: tuple[Key, ...]


def _later(what: str, *names: str) -> tuple[Key, ...]:
    return tuple(Key(name, Kind.TEXT, "", later=what) for name in names)


_NOT_BEFORE: Final = "From this time on, itself included."
_NOT_AFTER: Final = "Up to this time, itself included."
_KEYLESS: Final = "keyless signers"
_NOTARY: Final = "Notary signers"

TABLES: Final[dict[str, Table]] = {
    "": Table(
        "the top level",
        "A policy has at least one signer and one scope. What no scope names is denied.",
        (
            Key("version", Kind.VERSION, "The version of this language: 1.", required=True),
            Key("time", Kind.TABLE, "Who may time-stamp.", table="time"),
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
                "A Sigstore trusted root (JSON), whose time-stamp authorities count; `public-good` is the one that "
                "comes with imgtrust.",
            ),
        ),
    ),
    "signers": Table(
        "[signers.NAME]",
        "A signer by its public key, and when that key may speak. NAME is letters, digits, `_` and `-`.",
        (
            Key(
                "key",
                Kind.TEXT,
                "The public key: a file (relative to the policy file), `env://NAME`, `awssm://SECRET`, or PEM text.",
                required=True,
            ),
            Key(
                "not_before",
                Kind.TIME,
                f"The key speaks for signatures whose proven time is in its window. {_NOT_BEFORE}",
            ),
            Key("not_after", Kind.TIME, _NOT_AFTER),
            *_later(_KEYLESS, "sigstore", "issuer", "issuer_regexp", "identity", "identity_regexp"),
            *_later(_NOTARY, "notary", "notary_identity", "notary_roots", "profile", "revocation"),
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
