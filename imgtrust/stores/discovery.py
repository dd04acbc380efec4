"""All that a store has about one manifest: referrers, and cosign's legacy tags, each manifest opened and checked.

Knows how evidence is attached; knows nothing of who is believed. A store that cannot answer leaves an ``Unread``,
never "none"; content that shows its own fault becomes evidence with a problem, so that a person sees it refused.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Final

from imgtrust.content import MANIFEST_TYPES, MAX_MANIFEST_BYTES, Descriptor, Index, Manifest, parse_manifest
from imgtrust.errors import (
    ContentMissing,
    IntegrityError,
    LimitExceeded,
    NotFound,
    Refused,
    StoreError,
    Undecided,
)
from imgtrust.evidence import Claim, Evidence, Format, Found, Origin, Unread
from imgtrust.formats.attachments import Suffix, candidates, claim_of, legacy_tag
from imgtrust.formats.known import format_of
from imgtrust.formats.mediatypes import NOTARY_ARTIFACT, SIGNATURE_ARTIFACT
from imgtrust.reference import TAG, LayoutRepository
from imgtrust.refusals import RefusalCode
from imgtrust.stores.parallel import in_threads
from imgtrust.stores.port import MAX_FETCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["MAX_EVIDENCE_BYTES", "MAX_LISTED", "MAX_OPENED", "discover"]

MAX_LISTED: Final = 10_000
"""The most referrers of one manifest that are listed."""
MAX_OPENED: Final = 2_000
"""The most of them that are opened."""
MAX_EVIDENCE_BYTES: Final = 256 * 1024 * 1024
"""The most bytes of evidence that are held for one manifest."""

_TROUBLE: Final = (StoreError, LimitExceeded, IntegrityError)

_Item = Evidence | Claim | Unread
_Payload = bytes | Refused | Undecided
_Pick = Callable[[Manifest | Index], tuple[Descriptor, ...]]


def discover(store: Store, subject: Descriptor, *, jobs: int = 8) -> Found:
    """Find and open everything that is attached to ``subject``.

    Asks in ``jobs`` threads, for a registry answers late; a layout is read in this one. What is found comes in the
    store's order: referrers, then the tags ``.sig``, ``.att`` and ``.sbom``. The platform of ``Found`` is that of
    ``subject``. Raises nothing for what a store answers.
    """
    threads = 1 if isinstance(store.repository, LayoutRepository) else jobs
    search = _Search(store, subject, threads)
    places = (None, *Suffix)
    items = [item for part in in_threads(search.look, places, threads) for item in part]
    return Found(
        subject.digest,
        tuple(item for item in items if isinstance(item, Evidence)),
        tuple(item for item in items if isinstance(item, Claim)),
        tuple(item for item in items if isinstance(item, Unread)),
        subject.platform,
    )


class _Search:
    """One search: the store, what is asked about, and how many bytes may still be held."""

    def __init__(self, store: Store, subject: Descriptor, threads: int) -> None:
        self._store = store
        self._subject = subject
        self._threads = threads
        self._left = MAX_EVIDENCE_BYTES
        self._lock = Lock()

    def look(self, place: Suffix | None) -> Sequence[_Item]:
        """What is under one legacy tag, or (None) what refers to the subject."""
        return self._referrers() if place is None else self._legacy(place)

    def _referrers(self) -> Sequence[_Item]:
        what = f"the referrers of {self._subject.digest}"
        listed: list[Descriptor] = []
        unread: list[_Item] = []
        try:
            listed.extend(islice(self._store.referrers(self._subject), MAX_LISTED + 1))
        except _TROUBLE as exc:
            unread.append(Unread(what, str(exc)))
        if len(listed) > MAX_LISTED:
            told = f"more than {MAX_LISTED} are listed, {MAX_OPENED} of them were opened; the others were not looked at"
            unread.append(Unread(what, told))
        elif len(listed) > MAX_OPENED:
            left = len(listed) - MAX_OPENED
            told = f"{len(listed)} are listed, {MAX_OPENED} of them were opened; {left} were not looked at"
            unread.append(Unread(what, told))
        chosen = sorted(listed, key=_is_stranger)[:MAX_OPENED]
        opened = in_threads(self._referrer, chosen, self._threads)
        return [item for part in opened for item in part] + unread

    def _referrer(self, listed: Descriptor) -> Sequence[_Item]:
        return self._open(listed, f"the referrer {listed.digest}", Origin.REFERRER, self._of_referrer)

    def _legacy(self, suffix: Suffix) -> Sequence[_Item]:
        tag = legacy_tag(self._subject.digest, suffix)
        try:  # a sha512 digest makes the name longer than a tag may be, so nobody has it
            found = self._store.resolve(tag) if TAG.fullmatch(tag) else None
        except NotFound:
            found = None
        except _TROUBLE as exc:
            return [Unread(f"the tag {tag}", str(exc))]
        if found is None:
            return []
        pick = _nothing if suffix is Suffix.SBOM else _of_legacy
        return self._open(found, f"the tag {tag}", Origin.LEGACY_TAG, pick)

    def _open(self, at: Descriptor, what: str, origin: Origin, pick: _Pick) -> Sequence[_Item]:
        """What one attached manifest holds: the layers that ``pick`` chooses, or a claim where there are none."""
        try:
            manifest = self._manifest(at)
            layers = pick(manifest)
        except Refused as exc:
            return [self._problem(at.digest, origin, at, exc)]
        except _TROUBLE as exc:
            return [Unread(what, str(exc))]
        if layers:
            return self._evidence(manifest, at.digest, origin, layers)
        claim = claim_of(manifest)
        return [] if claim is None else [Claim(self._subject.digest, at.digest, *claim)]

    def _of_referrer(self, manifest: Manifest | Index) -> tuple[Descriptor, ...]:
        """The signatures of a referrer.

        Raises:
            Refused: it is about something else, or has more layers than its format.
        """
        about = manifest.subject
        if about is None or about.digest != self._subject.digest:
            said = "names no subject" if about is None else f"is about {about.digest}"
            message = f"listed as a referrer of {self._subject.digest}, the manifest itself {said}"
            raise Refused(RefusalCode.MANIFEST_SUBJECT, message)
        return candidates(manifest, legacy=False)

    def _manifest(self, descriptor: Descriptor) -> Manifest | Index:
        """An attached manifest.

        Raises:
            Refused: it is absent, altered or malformed.
            Undecided: it could not be read.
        """
        kind, size = descriptor.media_type, descriptor.size
        if kind not in MANIFEST_TYPES:
            raise Refused(RefusalCode.MANIFEST_MALFORMED, f"{kind[:100]!r} is not the type of a manifest")
        if size > MAX_MANIFEST_BYTES:
            message = f"a manifest of {size} bytes, at most {MAX_MANIFEST_BYTES} are read"
            raise Refused(RefusalCode.MANIFEST_MALFORMED, message)
        raw = self._fetch(descriptor)
        try:
            return parse_manifest(raw, kind, f"manifest {descriptor.digest}")
        except IntegrityError as exc:
            raise Refused(RefusalCode.MANIFEST_MALFORMED, str(exc)) from exc

    def _fetch(self, descriptor: Descriptor) -> bytes:
        try:
            return self._store.fetch(descriptor)
        except ContentMissing as exc:
            raise Refused(RefusalCode.BLOB_MISSING, str(exc)) from exc
        except IntegrityError as exc:
            raise Refused(RefusalCode.BLOB_MISMATCH, str(exc)) from exc

    def _evidence(
        self, manifest: Manifest | Index, digest: Digest, origin: Origin, layers: Sequence[Descriptor]
    ) -> Sequence[_Item]:
        """One item a layer. Layers that differ in their annotations only (cosign's signatures do) are fetched once.

        Under a legacy tag the manifest changes with each signature, so the layer's digest names the evidence.
        """
        distinct = list({(layer.digest, layer.size): layer for layer in layers}.values())
        payloads = in_threads(self._payload, distinct, self._threads)
        by_digest = {(layer.digest, layer.size): payload for layer, payload in zip(distinct, payloads, strict=True)}
        items: list[_Item] = []
        for layer in layers:
            payload = by_digest[layer.digest, layer.size]
            named = digest if origin is Origin.REFERRER else layer.digest
            if isinstance(payload, Undecided):
                items.append(Unread(f"the evidence {named}", str(payload)))
            elif isinstance(payload, Refused):
                items.append(self._problem(named, origin, layer, payload))
            else:
                about = self._subject.digest
                kind, notes = manifest.artifact_type, manifest.annotations
                items.append(Evidence(about, named, origin, layer, payload, kind, notes))
        return items

    def _payload(self, layer: Descriptor) -> _Payload:
        """The bytes of a layer, or what is wrong with them."""
        if layer.size > MAX_FETCH:
            return Refused(
                RefusalCode.MANIFEST_UNREADABLE, f"a layer of {layer.size} bytes, at most {MAX_FETCH} are read"
            )
        with self._lock:
            self._left -= layer.size
            if self._left < 0:
                return LimitExceeded(f"more than {MAX_EVIDENCE_BYTES} bytes of evidence for one image")
        try:
            return self._fetch(layer)
        except (Refused, StoreError, LimitExceeded) as exc:
            return exc

    def _problem(self, digest: Digest, origin: Origin, layer: Descriptor, why: Refused) -> Evidence:
        return Evidence(self._subject.digest, digest, origin, layer, problem=(why.code, why.reason))


def _of_legacy(manifest: Manifest | Index) -> tuple[Descriptor, ...]:
    return candidates(manifest, legacy=True)


def _nothing(_: Manifest | Index) -> tuple[Descriptor, ...]:
    return ()


def _is_stranger(listed: Descriptor) -> bool:
    """Whether the list gives no hint that this is a signature: where not all can be opened, those wait."""
    kind = listed.artifact_type or ""
    return format_of(kind) is Format.UNKNOWN and kind not in {SIGNATURE_ARTIFACT, NOTARY_ARTIFACT}
