"""The fallback tag of registries without the Referrers API: an index that clients keep together by hand. Pure.

Knows the "Referrers Tag Schema" of distribution-spec: the tag, what a good index is, and how entries are merged
(read, merge, write, read back). Nothing that is there is lost: entries, annotations and unknown members stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imgtrust import strict_json
from imgtrust.content import OCI_INDEX, Manifest, parse_descriptor, parse_manifest
from imgtrust.errors import ContentMalformed
from imgtrust.formats.attachments import fallback_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest

__all__ = ["entries_of", "entry_for", "merge"]


def entry_for(descriptor: Descriptor, manifest: bytes) -> dict[str, Any]:
    """The entry for a referrer: its type (or that of its config) and all its annotations.

    Raises:
        ContentMalformed: the manifest is none.
    """
    parsed = parse_manifest(manifest, descriptor.media_type, f"manifest {descriptor.digest}")
    kind = parsed.artifact_type
    if kind is None and isinstance(parsed, Manifest):
        kind = parsed.config.media_type
    entry: dict[str, Any] = {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
    if parsed.annotations:
        entry["annotations"] = dict(parsed.annotations)
    if kind is not None:
        entry["artifactType"] = kind
    return entry


def entries_of(data: bytes, media_type: str, subject: Digest, what: str) -> tuple[Descriptor, ...] | None:
    """What a fallback tag lists; None where what it points at is not such a list.

    A tag of that form may be something else altogether: GitLab resolves it to the subject itself, ``cosign copy``
    puts an image there. ``media_type`` is what the store says.

    Raises:
        ContentMalformed: it is a list, but an entry cannot be read: what it lists cannot be told.
    """
    document = _document(data, media_type, subject)
    if document is None:
        return None
    found = document["manifests"]
    return tuple(parse_descriptor(entry, f"entry {number} of {what}") for number, entry in enumerate(found))


def merge(data: bytes | None, media_type: str, subject: Digest, entries: Iterable[dict[str, Any]]) -> bytes | None:
    """The index with ``entries`` added, or None where all of them are already there as they should be.

    ``data`` is what the tag points at now, None where there is no such tag.

    Raises:
        ContentMalformed: the tag is not a list of referrers and must not be overwritten.
    """
    if data is None:
        document: dict[str, Any] | None = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    else:
        document = _document(data, media_type, subject)
    if document is None:
        message = (
            f"the tag {fallback_tag(subject)} should list the referrers of {subject.short}, but it is something else "
            f"({media_type}); it was left as it is. Move or delete that tag, or use a registry with the Referrers API"
        )
        raise ContentMalformed(message)
    listed = document["manifests"]
    places = {entry.get("digest"): number for number, entry in enumerate(listed) if isinstance(entry, dict)}
    changed = False
    for entry in entries:
        place = places.get(entry["digest"])
        if place is None:
            places[entry["digest"]] = len(listed)
            listed.append(entry)
            changed = True
    return strict_json.dumps(document) if changed else None


def _document(data: bytes, media_type: str, subject: Digest) -> dict[str, Any] | None:
    """The parsed index, or None where it is not an index of referrers of ``subject``."""
    if media_type != OCI_INDEX or subject == type(subject).of(data, subject.algorithm):
        return None
    try:
        document = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        message = f"the fallback tag {fallback_tag(subject)} is not JSON with one reading: {exc}"
        raise ContentMalformed(message) from exc
    if not isinstance(document, dict) or "layers" in document or "config" in document:
        return None
    listed = document.get("manifests")
    if listed is None:
        document["manifests"] = listed = []
    return document if isinstance(listed, list) else None
