"""Who refers to a manifest: the Referrers API, and the fallback tag beside it and instead of it.

Knows both ways of distribution-spec 1.1 to list and to attach; the merging of fallback indexes is ``fallback``.
A registry that is busy or broken is never taken for one without the API: only a plain "no such thing" is.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.content import OCI_INDEX, Descriptor, describe, parse_descriptor
from imgtrust.errors import ContentMalformed, LimitExceeded, NotFound, StoreProtocol, TagConflict
from imgtrust.formats.attachments import fallback_tag
from imgtrust.stores.answers import complaint_of, failure
from imgtrust.stores.fallback import entries_of, entry_for, merge
from imgtrust.stores.headers import media_type
from imgtrust.stores.manifests import LostRace
from imgtrust.stores.pagination import MAX_PAGE, pages
from imgtrust.stores.turns import turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.reference import Digest
    from imgtrust.stores.manifests import Manifests
    from imgtrust.stores.remote import Remote
    from imgtrust.stores.wire import Answer

__all__ = ["MAX_REFERRERS", "Referrers"]

MAX_REFERRERS: Final = 50_000
"""The most referrers of one manifest that are listed."""
_MERGES: Final = 12
_CLEAN_READS: Final = 2
_SETTLE: Final = 0.02
_UNSUPPORTED: Final = (400, 404, 405, 406, 501)
_log = logging.getLogger("imgtrust.stores.registry")


class Referrers:
    """The referrers of the manifests of one repository."""

    def __init__(self, remote: Remote, manifests: Manifests) -> None:
        """``manifests`` reads and writes the fallback tag."""
        self._remote, self._manifests = remote, manifests

    def list(self, subject: Descriptor) -> Iterator[Descriptor]:
        """See ``Store.referrers``: the API's entries, then those that only the fallback tag has."""
        beside = self._remote.endpoint.executor.submit(self._listed_by_tag, subject.digest)
        seen: set[Digest] = set()
        try:
            for entry in self._listed_by_api(subject.digest):
                if entry.digest not in seen:
                    seen.add(entry.digest)
                    yield entry
                if len(seen) > MAX_REFERRERS:
                    message = f"{self._remote.what(str(subject.digest))}: more than {MAX_REFERRERS} referrers"
                    raise LimitExceeded(message)
        finally:
            listed = beside.result()
        for entry in listed:
            if entry.digest not in seen:
                seen.add(entry.digest)
                yield entry

    def attach(self, descriptor: Descriptor, manifest: bytes, told: str | None) -> None:
        """Make a manifest discoverable that was just pushed; ``told`` is the OCI-Subject of the registry's answer.

        Raises:
            ContentMalformed: the fallback tag is something else and was left alone.
            TagConflict: others kept overwriting it.
        """
        subject = _subject_of(manifest, descriptor)
        if subject is None or told is not None:
            return
        tag = fallback_tag(subject)
        with turn(f"{self._remote.repository}:{tag}", self._remote.endpoint.waiter):
            self._merge(tag, subject, entry_for(descriptor, manifest))

    def _listed_by_api(self, subject: Digest) -> Iterator[Descriptor]:
        repository = self._remote.repository
        what = self._remote.what(f"referrers of {subject.short}")
        if repository.host in self._remote.endpoint.without_referrers:
            return
        base = self._remote.endpoint.base
        for document, _ in pages(
            f"/v2/{repository.path}/referrers/{subject}", lambda t: self._page(t, what), base, what
        ):
            listed = document.get("manifests")
            if listed is None:
                listed = []
            if not isinstance(listed, list):
                message = f"{what}: expected an index with a list of manifests"
                raise StoreProtocol(message)
            for number, entry in enumerate(listed):
                try:
                    yield parse_descriptor(entry, f"entry {number} of {what}")
                except ContentMalformed as exc:
                    message = f"{what}: {exc}"
                    raise StoreProtocol(message) from exc

    def _page(self, target: str, what: str) -> Answer:
        """One page; an answer that says "no such API" becomes an empty one."""
        accept = (200, *_UNSUPPORTED)
        answer = self._remote.ask("GET", target, what, headers={"Accept": OCI_INDEX}, accept=accept, hold=MAX_PAGE)
        if answer.status == HTTPStatus.OK:
            kind = media_type(answer.header("Content-Type"))
            if kind not in {OCI_INDEX, "application/json", "application/octet-stream", "text/plain", ""}:
                answer.close()
                message = f"{what}: expected an index, the registry answered with {kind}"
                raise StoreProtocol(message)
            return answer
        complaint = complaint_of(answer)
        if complaint.status == HTTPStatus.BAD_REQUEST and complaint.codes:
            credentials = self._remote.endpoint.auth.describe(self._remote.repository.path)
            raise failure(complaint, what, credentials)
        known = {"NAME_UNKNOWN", "MANIFEST_UNKNOWN"} & set(complaint.codes)
        if not known:
            _log.info("%s has no Referrers API (%d)", self._remote.repository.host, complaint.status)
            self._remote.endpoint.without_referrers.add(self._remote.repository.host)
        return _Nothing()

    def _listed_by_tag(self, subject: Digest) -> tuple[Descriptor, ...]:
        tag = fallback_tag(subject)
        try:
            found, data = self._manifests.read(tag)
        except NotFound:
            return ()
        what = self._remote.what(f"fallback tag {tag}")
        try:
            entries = entries_of(data, found.media_type, subject, what)
        except ContentMalformed as exc:
            message = f"{what}: its list of referrers cannot be read: {exc}"
            raise StoreProtocol(message) from exc
        if entries is None:
            _log.info("%s is no list of referrers (%s); left out", what, found.media_type)
        return entries or ()

    def _merge(self, tag: str, subject: Digest, entry: dict[str, object]) -> None:
        """Read, merge, write, and read back until one's own entry stays (other processes do the same)."""
        waiter = self._remote.endpoint.waiter
        clean = 0
        pause = _SETTLE
        for _ in range(_MERGES):
            begun = waiter.monotonic()
            match: str | None = None
            try:
                found, data, match = self._manifests.read_marked(tag)
            except NotFound:
                merged = merge(None, "", subject, (entry,))
            else:
                merged = merge(data, found.media_type, subject, (entry,))
            if merged is None:
                clean += 1
                if clean >= _CLEAN_READS:
                    return
            else:
                clean = 0
                with suppress(LostRace):  # Somebody else was faster, and the registry said so.
                    self._manifests.put(tag, describe(merged, OCI_INDEX), merged, match=match)
                pause = max(_SETTLE, 3 * (waiter.monotonic() - begun))
            waiter.sleep(pause * (0.5 + waiter.jitter()))
        message = (
            f"{self._remote.what(f'fallback tag {tag}')}: others kept overwriting it, {_MERGES} times. The manifest "
            "is stored but not listed; this registry has no Referrers API and is not safe for many attachers at once"
        )
        raise TagConflict(message)


class _Nothing:
    """The empty index that stands for a registry without the Referrers API."""

    status = 200

    def header(self, name: str) -> str | None:
        return OCI_INDEX if name == "Content-Type" else None

    def headers(self, _name: str) -> tuple[str, ...]:
        return ()

    def read(self, _limit: int) -> bytes:
        return b"{}"

    def pieces(self) -> Iterator[bytes]:
        yield b"{}"

    def close(self) -> None:
        """Nothing is open."""


def _subject_of(manifest: bytes, descriptor: Descriptor) -> Digest | None:
    """The digest that a manifest has as its subject, or None."""
    if b'"subject"' not in manifest:
        return None
    try:
        document = strict_json.loads(manifest)
    except strict_json.StrictJsonError as exc:
        message = f"manifest {descriptor.digest}: {exc}"
        raise ContentMalformed(message) from exc
    subject = document.get("subject") if isinstance(document, dict) else None
    return None if subject is None else parse_descriptor(subject, f"subject of {descriptor.digest}").digest
