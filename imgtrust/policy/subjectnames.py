"""Whom a Notary signer is: distinguished names (``x509.subject: C=US, …``) and profiles of AWS Signer. Pure.

Knows the string form of RFC 4514 as far as notation reads it (notary.md section 6): one value in each part, no hex
values, no attribute twice, and C, ST and O always there.
"""

from __future__ import annotations

import re
from typing import Final

from imgtrust.errors import UsageError

__all__ = ["ANY", "PREFIX", "SubjectName", "check_identity", "check_root", "parse_identity"]

SubjectName = tuple[tuple[str, str], ...]
"""Pairs of attribute (upper case) and value, in the order written; nothing for any subject."""

PREFIX: Final = "x509.subject:"
ANY: Final = "*"
"""As an identity: whoever has a certificate under the roots."""

_PROFILE: Final = re.compile(
    r"arn:aws[a-z0-9-]*:signer:[a-z0-9-]+:[0-9]{12}:/signing-profiles/[A-Za-z0-9_]{2,64}(?:/[A-Za-z0-9]{10})?"
)
_PINNED: Final = re.compile(r"[^#]+(?:#sha256:[0-9a-f]{64})?")
_MANDATORY: Final = ("C", "ST", "O")
_ALIASES: Final = {"S": "ST"}
_ATTRIBUTE: Final = re.compile(r"[ \t]*([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)[ \t]*=[ \t]*")
_PIECE: Final = re.compile(r"\\([0-9A-Fa-f]{2})|\\([ \"#+,;<=>\\])|([^\\,+;<>\"\x00]+)")


def check_identity(kind: str, identity: str) -> None:
    """Refuse an identity that a Notary signer of this kind cannot have.

    Raises:
        UsageError: not a profile of AWS Signer, or not a subject.
    """
    if kind != "aws-signer":
        parse_identity(identity)
    elif _PROFILE.fullmatch(identity) is None:
        message = (
            f'"{identity[:120]}" is no signing profile: expected arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME, '
            "or that with /VERSION"
        )
        raise UsageError(message)


def check_root(root: str) -> None:
    """Refuse what names no file of certificates.

    Raises:
        UsageError: the fingerprint behind ``#`` is none.
    """
    if _PINNED.fullmatch(root) is None:
        message = f'"{root[:120]}" is no file of roots: expected FILE, or FILE#sha256: with 64 hex digits in lower case'
        raise UsageError(message)


def parse_identity(text: str) -> SubjectName:
    """The name that an identity asks for; the empty one, which every subject has, for ``*``.

    Raises:
        UsageError: not ``*`` or ``x509.subject: …``, or no name that notation reads.
    """
    if text.strip() == ANY:
        return ()
    if not text.startswith(PREFIX):
        message = f'"{text[:80]}" is no identity: expected "{PREFIX} C=…, ST=…, O=…", or "{ANY}" for any'
        raise UsageError(message)
    pairs = _pairs(text.removeprefix(PREFIX))
    names = [name for name, _ in pairs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        message = f'"{text[:80]}" has {double} twice: a name has each attribute once'
        raise UsageError(message)
    missing = [name for name in _MANDATORY if name not in names]
    if missing:
        message = f'"{text[:80]}" has no {missing[0]}: C, ST and O are needed'
        raise UsageError(message)
    return pairs


def _pairs(text: str) -> SubjectName:
    """All attributes of a name."""
    pairs, at = [], 0
    while True:
        found = _ATTRIBUTE.match(text, at)
        if found is None or text.startswith("#", found.end()):
            message = f'"{text.strip()[:80]}" is no distinguished name: expected attribute=value, separated by commas'
            raise UsageError(message)
        value, at = _value(text, found.end())
        if not text.startswith(",", at) and at < len(text):
            message = f'"{text.strip()[:80]}": {text[at]!r} has to be escaped with \\, and parts have one value each'
            raise UsageError(message)
        if not value:
            message = f'"{text.strip()[:80]}": {found[1]} is empty'
            raise UsageError(message)
        name = found[1].upper()
        pairs.append((_ALIASES.get(name, name), value))
        if at == len(text):
            return tuple(pairs)
        at += 1


def _value(text: str, at: int) -> tuple[str, int]:
    """One value and where it ends; blanks at its end belong to it only where they are escaped."""
    value, blanks = bytearray(), 0
    while (found := _PIECE.match(text, at)) is not None:
        at = found.end()
        piece = bytes.fromhex(found[1]) if found[1] else (found[2] or found[3]).encode("utf-8", "surrogateescape")
        blanks = len(piece) - len(piece.rstrip(b" \t")) if found[3] else 0
        value += piece
    try:
        return bytes(value[: len(value) - blanks]).decode(), at
    except UnicodeDecodeError as exc:
        message = f'"{text.strip()[:80]}": an escape that is no UTF-8'
        raise UsageError(message) from exc
