"""The in-toto statement: these subjects, and what is said about them. Pure.

Knows the in-toto attestation spec v1 (statement.md) and v0.1, and what makes a statement a signature for the gate;
knows nothing of predicates' content or of who signed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.evidence import Kind, Statement
from imgtrust.formats.members import read_object
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.reference import Digest

__all__ = ["MAX_SUBJECTS", "SIGN_PREDICATE", "TYPE_V01", "TYPE_V1", "kind_of", "parse_statement", "write_statement"]

SIGN_PREDICATE: Final = "https://sigstore.dev/cosign/sign/v1"
"""The one predicate type that is a signature (cosign.md 1b); any other statement is an attestation."""

TYPE_V1: Final = "https://in-toto.io/Statement/v1"
TYPE_V01: Final = "https://in-toto.io/Statement/v0.1"

MAX_SUBJECTS: Final = 1024
"""The most subjects of one statement, as in sigstore-go."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def kind_of(statement: Statement) -> Kind:
    """Whether a statement is a signature or some other attestation."""
    return Kind.SIGNATURE if statement.predicate_type == SIGN_PREDICATE else Kind.ATTESTATION


def parse_statement(payload: bytes) -> Statement:
    """Read a statement. Unknown members are ignored, as the specification demands; duplicate keys are refused.

    Only canonical sha256 digests of subjects are kept. Annotations of the subject (``cosign sign -a``) are kept where
    the statement has one subject, for else they could be another's.

    Raises:
        Refused: STATEMENT_MALFORMED, STATEMENT_TYPE or STATEMENT_PREDICATE.
    """
    members = read_object(payload, "statement", RefusalCode.STATEMENT_MALFORMED)
    kind = members.text("_type")
    if kind not in {TYPE_V1, TYPE_V01}:
        message = f"statement: _type is {kind[:80]!r}, expected {TYPE_V1} or {TYPE_V01}"
        raise Refused(RefusalCode.STATEMENT_TYPE, message)
    predicate_type = members.text("predicateType")
    if not predicate_type:
        message = "statement: predicateType is absent or empty"
        raise Refused(RefusalCode.STATEMENT_PREDICATE, message)
    subjects = members.children("subject", MAX_SUBJECTS)
    digests: list[str] = []
    for subject in subjects:
        digest = subject.child("digest")
        found = "" if digest is None else digest.text("sha256")
        if _SHA256.fullmatch(found):
            digests.append(found)
    annotations: tuple[tuple[str, str], ...] = ()
    if len(subjects) == 1 and (named := subjects[0].child("annotations")) is not None:
        annotations = tuple((name, value) for name, value in named.values.items() if isinstance(value, str))
    return Statement(predicate_type, tuple(digests), members.values.get("predicate"), annotations)


def write_statement(
    subject: Digest,
    predicate_type: str,
    predicate: object,
    *,
    name: str | None = None,
    annotations: Mapping[str, str] | None = None,
    statement_type: str = TYPE_V1,
) -> bytes:
    """A statement about one digest, as cosign writes it (cosign.md 1b): a name or annotations only where given.

    ``predicate``: any JSON value. ``statement_type``: ``TYPE_V01`` for cosign's legacy ``.att``.
    """
    about: dict[str, Any] = {} if name is None else {"name": name}
    about["digest"] = {subject.algorithm: subject.encoded}
    if annotations:
        about["annotations"] = dict(annotations)
    return strict_json.dumps(
        {"_type": statement_type, "subject": [about], "predicateType": predicate_type, "predicate": predicate}
    )
