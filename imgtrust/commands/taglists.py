"""Which tags a repository has, asked once for many images of it, so that tags of cosign need not be asked for singly.

Knows that a list of tags may lag behind or be incomplete: it only saves questions on the way to a "yes". A "no"
that was reached with its help is looked at again without it.
"""

from __future__ import annotations

import threading
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from imgtrust.commands.passing import Passing
from imgtrust.errors import ImgtrustError, NotFound
from imgtrust.formats.attachments import is_attachment_tag
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import LayoutRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest, Repository
    from imgtrust.stores.port import Store

__all__ = ["Listed", "TagLists"]

_WORTH: Final = 6
"""From so many images of a repository on, its list costs fewer requests than it saves."""
_MAX_TAGS: Final = 10_000
"""A longer list is not read."""


class Listed(Passing):
    """A store that knows which tags there are, and does not ask for a tag of cosign that is not among them.

    One for each judgement: it keeps what it denied.
    """

    def __init__(self, store: Store, tags: frozenset[str]) -> None:
        super().__init__(store)
        self._tags = tags
        self._denied: set[str] = set()

    def resolve(self, name: str | Digest) -> Descriptor:
        """As the store's ``resolve``.

        Raises:
            NotFound: the tag is one of cosign's, and not in the list.
        """
        if isinstance(name, str) and is_attachment_tag(name) and name not in self._tags:
            self._denied.add(name)
            message = f"{self.repository} lists no tag {name}"
            raise NotFound(message)
        return self._store.resolve(name)

    def _misled(self) -> bool:
        """Whether a tag is there although the list has it not, or that cannot be told."""
        for name in self._denied:
            try:
                self._store.resolve(name)
            except NotFound:
                continue
            except ImgtrustError:
                return True
            return True
        return False

    def judge(self, ask: Callable[[Store], Verdict]) -> Verdict:
        """The verdict by the list; one that is not "accepted" stands only if the list was right about every tag."""
        verdict = ask(self)
        if verdict.outcome is Outcome.ACCEPTED or not self._misled():
            return verdict
        return ask(self._store)


class TagLists:
    """The lists of the repositories that several of the images are in; each is asked for when it is first needed."""

    def __init__(self, repositories: Iterable[Repository]) -> None:
        counts = Counter(item for item in repositories if not isinstance(item, LayoutRepository))
        self._locks: dict[Repository, threading.Lock] = {
            item: threading.Lock() for item, number in counts.items() if number >= _WORTH
        }
        self._lists: dict[Repository, frozenset[str] | None] = {}

    def over(self, store: Store) -> Listed | None:
        """The store with its list; None where there is none to be had, or it is not worth it."""
        lock = self._locks.get(store.repository)
        if lock is None:
            return None
        with lock:
            if store.repository not in self._lists:
                self._lists[store.repository] = _listed(store)
        tags = self._lists[store.repository]
        return None if tags is None else Listed(store, tags)


def _listed(store: Store) -> frozenset[str] | None:
    try:
        tags = list(islice(store.tags(), _MAX_TAGS + 1))
    except ImgtrustError:
        return None
    return None if len(tags) > _MAX_TAGS else frozenset(tags)
