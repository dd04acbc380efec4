"""What an answer of a registry means when it is not the one that was hoped for. Pure.

Knows statuses and the error JSON of distribution-spec ("Error Codes"); knows nothing of how to ask again.
Only a registry's own words are repeated, cut short; never an address with a query, never a credential.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from imgtrust.errors import (
    AccessDenied,
    NotFound,
    StoreError,
    StoreProtocol,
    StoreUnavailable,
    TooManyRequests,
)
from imgtrust.stores.headers import media_type

if TYPE_CHECKING:
    from imgtrust.stores.wire import Answer

__all__ = ["RETRYABLE", "Complaint", "complaint_of", "failure", "is_absence"]

RETRYABLE: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request is sent again."""
MAX_COMPLAINT: Final = 64 * 1024
_SHOWN: Final = 300
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A refused request: its status, the registry's error codes and words, and what kind of text came."""

    status: int
    codes: tuple[str, ...]
    text: str
    media_type: str

    @property
    def is_html(self) -> bool:
        """Whether a page for people came: then a portal or a proxy answered, not a registry."""
        return self.media_type in {"text/html", "application/xhtml+xml"}

    @property
    def is_expired(self) -> bool:
        """Whether the credentials were good once: ECR says so with 403 (or 401) after twelve hours."""
        return self.status in {401, 403} and "expired" in self.text.lower()


def complaint_of(answer: Answer) -> Complaint:
    """Read the body of a refused request; it is closed by this. What cannot be read is left out."""
    kind = media_type(answer.header("Content-Type"))
    try:
        body = answer.read(MAX_COMPLAINT)
    except StoreUnavailable:
        body = b""
    codes: list[str] = []
    words: list[str] = []
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    errors = document.get("errors") if isinstance(document, dict) else None
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            codes.append(str(error.get("code") or ""))
            words.append(": ".join(str(error[name]) for name in ("code", "message") if error.get(name)))
    if not words and body and kind == "text/plain":
        words = [body.decode("utf-8", "replace")]
    text = _UNPRINTABLE.sub(" ", "; ".join(words)).strip()[:_SHOWN]
    return Complaint(answer.status, tuple(codes), text, kind)


def is_absence(complaint: Complaint) -> bool:
    """Whether the registry itself says that it has no such thing: 404, and not the page of a portal."""
    return complaint.status == HTTPStatus.NOT_FOUND and not complaint.is_html


def failure(complaint: Complaint, what: str, credentials: str) -> StoreError:
    """The error for a refused request; ``what`` says what was asked of whom, ``credentials`` what was shown."""
    status = complaint.status
    said = f"{status} {_phrase(status)}" + (f", {complaint.text}" if complaint.text else "")
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessDenied(f"{what}: {said}; {credentials}. Log in to that registry, or name other credentials")
    if status == HTTPStatus.FORBIDDEN:
        return AccessDenied(
            f"{what}: {said}; {credentials}. The registry knows who asks and denies it: check the permissions of "
            "that identity on this repository"
        )
    if is_absence(complaint):
        return NotFound(f"{what}: {said}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(f"{what}: {said}, also after waiting; try again later or with fewer --jobs")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailable(f"{what}: {said}; try again later")
    page = " and a page of HTML (is there a proxy or a portal in between?)" if complaint.is_html else ""
    return StoreProtocol(f"{what}: {said}{page}; nothing can be concluded from this")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
