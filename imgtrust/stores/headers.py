"""The headers that registries answer with, read whole and without surprises. Pure.

Knows the grammars of WWW-Authenticate (RFC 9110 section 11), Link (RFC 8288), Content-Range and Range (RFC 9110
section 14), Retry-After and Warning; knows nothing of what is done with them. No input makes these functions raise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Challenge", "content_range", "media_type", "next_link", "parse_challenges", "range_end", "retry_after"]

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_PARAMETER: Final = re.compile(rf"\s*({_WORD})\s*=\s*({_QUOTED}|{_WORD})\s*")
_BARE: Final = re.compile(r"\s*[A-Za-z0-9\-._~+/]+=*\s*(?=,|$)")
_SCHEME: Final = re.compile(rf"\s*({_WORD})(?:\s+|(?=,)|$)")
_COMMA: Final = re.compile(r"[\s,]*,[\s,]*|\s*$")
_ESCAPE: Final = re.compile(r"\\(.)")
_LINK: Final = re.compile(rf"\s*<([^<>]*)>((?:\s*;\s*{_WORD}(?:\s*=\s*(?:{_QUOTED}|{_WORD}))?)*)\s*(?:,|$)")
_REL: Final = re.compile(rf";\s*rel\s*=\s*({_QUOTED}|{_WORD})", re.IGNORECASE)
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_RANGE: Final = re.compile(r"(?:bytes[ =])?(\d{1,18})-(\d{1,18})")
_SECONDS: Final = re.compile(r"\s*(\d{1,9})\s*")
_MEDIA_TYPE: Final = re.compile(rf"{_WORD}/{_WORD}")
_MAX_HEADER: Final = 16_384


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which a server wants to be asked: the scheme and the names of its parameters in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """All challenges of the WWW-Authenticate headers, in order; what cannot be read ends its header."""
    found: list[Challenge] = []
    for value in values:
        found += _challenges(value[:_MAX_HEADER])
    return tuple(found)


def _challenges(text: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while position < len(text):
        scheme = _SCHEME.match(text, position)
        if scheme is None:
            break
        position = scheme.end()
        parameters: dict[str, str] = {}
        bare = _BARE.match(text, position)
        if bare is not None and _PARAMETER.match(text, position) is None and "=" not in bare.group().rstrip("= \t"):
            position = bare.end()
        while (parameter := _PARAMETER.match(text, position)) is not None:
            parameters.setdefault(parameter.group(1).lower(), _unquoted(parameter.group(2)))
            position = parameter.end()
            comma = _COMMA.match(text, position)
            if comma is None or _PARAMETER.match(text, comma.end()) is None:
                break
            position = comma.end()
        found.append(Challenge(scheme.group(1).lower(), parameters))
        comma = _COMMA.match(text, position)
        if comma is None:
            break
        position = comma.end()
    return found


def next_link(values: Iterable[str]) -> str | None:
    """The target of the first ``rel="next"`` of the Link headers, as written, or None."""
    for value in values:
        position = 0
        text = value[:_MAX_HEADER]
        while (link := _LINK.match(text, position)) is not None and link.end() > position:
            relation = _REL.search(link.group(2))
            if relation is not None and "next" in _unquoted(relation.group(1)).lower().split():
                return link.group(1).strip()
            position = link.end()
    return None


def content_range(value: str | None) -> tuple[int, int, int | None] | None:
    """First and last byte and the total (None where unknown) of a Content-Range; None where there is none."""
    found = None if value is None else _CONTENT_RANGE.fullmatch(value.strip())
    if found is None:
        return None
    first, last = int(found.group(1)), int(found.group(2))
    total = None if found.group(3) == "*" else int(found.group(3))
    if last < first or (total is not None and last >= total):
        return None
    return first, last, total


def range_end(value: str | None) -> int | None:
    """How many bytes an upload has, by the Range of its status (``0-99`` is 100); None where it cannot be told."""
    found = None if value is None else _RANGE.fullmatch(value.strip())
    if found is None or int(found.group(1)) != 0:
        return None
    return int(found.group(2)) + 1


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After of seconds or a date; ``now`` is the wall clock in seconds since 1970."""
    if value is None:
        return None
    seconds = _SECONDS.fullmatch(value)
    if seconds is not None:
        return float(seconds.group(1))
    try:
        when = parsedate_to_datetime(value[:_MAX_HEADER])
        when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
        return max(0.0, when.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def media_type(value: str | None) -> str:
    """The media type of a Content-Type without its parameters; empty where there is none."""
    bare = (value or "").partition(";")[0].strip()
    return bare if _MEDIA_TYPE.fullmatch(bare) else ""


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1]) if text.startswith('"') else text
