"""Lists that come in pages: the Link header followed, within the same registry, and never for ever.

Knows RFC 8288 and the limits; knows nothing of what is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import LimitExceeded, StoreProtocol
from imgtrust.stores.addresses import origin_of, resolve_address
from imgtrust.stores.headers import media_type, next_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.stores.wire import Answer

__all__ = ["MAX_PAGE", "MAX_PAGES", "document_of", "next_page", "pages"]

MAX_PAGES: Final = 1_000
"""The most pages of one list."""
MAX_PAGE: Final = 32 * 1024 * 1024
"""The most bytes of one page."""


def pages(first: str, ask: Callable[[str], Answer], base: str, what: str) -> Iterator[tuple[dict[str, Any], Answer]]:
    """Each page as parsed JSON, with the answer that it came in (already read).

    ``first`` is the path of the first request; ``base`` the registry's address, which no page may leave.

    Raises:
        StoreProtocol: a page is no JSON object, leads elsewhere, or leads to one that was already read.
        LimitExceeded: there are more than ``MAX_PAGES``.
    """
    target = base + first
    seen = {target}
    for _ in range(MAX_PAGES):
        answer = ask(target)
        yield document_of(answer, what), answer
        following = next_page(answer, target, base, what)
        if following is None:
            return
        if following in seen:
            message = f"{what}: the registry's pages lead in a circle"
            raise StoreProtocol(message)
        seen.add(following)
        target = following
    message = f"{what}: more than {MAX_PAGES} pages; the rest was not read"
    raise LimitExceeded(message)


def next_page(answer: Answer, target: str, base: str, what: str) -> str | None:
    """The absolute address of the next page, or None at the last one."""
    link = next_link(answer.headers("Link"))
    if link is None:
        return None
    address = resolve_address(target, link, what="the next page")
    if origin_of(address) != origin_of(base):
        message = f"{what}: the next page is said to be at another host; it was not asked"
        raise StoreProtocol(message)
    return address


def document_of(answer: Answer, what: str) -> dict[str, Any]:
    """The JSON object that an answer brings; the answer is closed by this.

    Raises:
        StoreProtocol: it is none, or too large.
    """
    kind = media_type(answer.header("Content-Type"))
    if kind in {"text/html", "application/xhtml+xml"}:
        answer.close()
        message = f"{what}: expected JSON, a page of HTML came (is there a proxy or a portal in between?)"
        raise StoreProtocol(message)
    data = answer.read(MAX_PAGE)
    if len(data) > MAX_PAGE:
        message = f"{what}: a page of more than {MAX_PAGE} bytes"
        raise LimitExceeded(message)
    try:
        document = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        message = f"{what}: expected JSON, found something else ({exc})"
        raise StoreProtocol(message) from exc
    if not isinstance(document, dict):
        message = f"{what}: expected a JSON object, found {type(document).__name__}"
        raise StoreProtocol(message)
    return document
