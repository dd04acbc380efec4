"""Manifests of a registry: by tag or digest, whole, in their raw bytes, and never more than is allowed.

Knows the manifest end-points of distribution-spec; knows nothing of what a manifest says. Digests are computed
over the bytes that came; a Docker-Content-Digest is only ever a second witness.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.content import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MANIFEST_TYPES,
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
)
from imgtrust.errors import (
    ContentMismatch,
    ContentMissing,
    InvalidDigest,
    LimitExceeded,
    NotFound,
    StoreError,
    StoreProtocol,
    TagConflict,
)
from imgtrust.reference import Digest
from imgtrust.stores.answers import complaint_of, failure
from imgtrust.stores.hashing import mismatch
from imgtrust.stores.headers import media_type
from imgtrust.stores.retry import Attempts

if TYPE_CHECKING:
    from imgtrust.stores.remote import Remote
    from imgtrust.stores.retry import TokenBucket
    from imgtrust.stores.wire import Answer

__all__ = ["ACCEPT", "LostRace", "Manifests"]

ACCEPT: Final = f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"
"""All four types, always: with fewer a registry may convert what it has (and so give another digest)."""
_PLAUSIBLE: Final = MANIFEST_TYPES | {"application/json", "application/octet-stream", "text/plain", ""}
_CONFLICTS: Final = (400, 403, 405, 409, 412)
_PUTS: Final = 4


class LostRace(TagConflict):
    """The registry compared (If-Match) and says that a tag has been moved in the meantime."""


class Manifests:
    """The manifests of one repository."""

    def __init__(self, remote: Remote, pace: TokenBucket | None = None) -> None:
        """``pace`` limits how many manifests are put in a second (ECR: 10)."""
        self._remote, self._pace = remote, pace

    def read(self, name: str | Digest) -> tuple[Descriptor, bytes]:
        """The manifest under a tag or a digest, and what it is.

        Raises:
            NotFound: the registry says that it has none.
            ContentMismatch: the bytes under a digest are others.
            LimitExceeded: it is larger than ``MAX_MANIFEST_BYTES``; not more than that was read.
            StoreProtocol: the answer is no manifest, or contradicts itself.
        """
        found, data, _ = self.read_marked(name)
        return found, data

    def read_marked(self, name: str | Digest) -> tuple[Descriptor, bytes, str | None]:
        """As ``read``, with the ETag, by which a later ``put`` may be bound to what was read here."""
        what = self._remote.what(f"manifest {name}")
        headers = {"Accept": ACCEPT}
        answer = self._remote.ask("GET", f"manifests/{name}", what, headers=headers, hold=MAX_MANIFEST_BYTES)
        kind = media_type(answer.header("Content-Type"))
        if kind not in _PLAUSIBLE:
            message = f"{what}: expected a manifest, the registry answered with {kind or 'no media type'}"
            raise StoreProtocol(message)
        said = answer.header("Docker-Content-Digest")
        data = _data_of(answer, what)
        digest = Digest.of(data, name.algorithm if isinstance(name, Digest) else "sha256")
        if isinstance(name, Digest) and digest != name:
            raise mismatch(name, digest, what)
        _second_witness(said, data, what)
        if kind not in MANIFEST_TYPES:
            kind = _type_inside(data, what)
        return Descriptor(kind, digest, len(data)), data, answer.header("ETag")

    def fetch(self, descriptor: Descriptor) -> bytes:
        """The bytes of a manifest that another manifest names.

        Raises:
            ContentMissing: the registry says that it has none.
            ContentMismatch: it has others.
        """
        what = self._remote.what(f"manifest {descriptor.digest}")
        if descriptor.size > MAX_MANIFEST_BYTES:
            message = f"{what}: {descriptor.size} bytes, at most {MAX_MANIFEST_BYTES} are read of a manifest"
            raise LimitExceeded(message)
        try:
            found, data = self.read(descriptor.digest)
        except NotFound as exc:
            message = f"{what}: the registry does not have it although it is named: {exc}"
            raise ContentMissing(message) from exc
        if found.size != descriptor.size:
            message = f"{what}: expected {descriptor.size} bytes, {found.size} came"
            raise ContentMismatch(message)
        return data

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the registry says that it has this manifest."""
        what = self._remote.what(f"manifest {descriptor.digest}")
        try:
            answer = self._remote.ask("HEAD", f"manifests/{descriptor.digest}", what, headers={"Accept": ACCEPT})
        except NotFound:
            return False
        answer.close()
        return True

    def put(self, name: str | Digest, descriptor: Descriptor, data: bytes, *, match: str | None = None) -> str | None:
        """Store a manifest under a digest or a tag; gives back the OCI-Subject of the answer.

        ``match`` is the ETag of what a tag should still point at; not every registry compares it.

        Raises:
            LostRace: it points at something else by now.
            TagConflict: the tag is immutable and points elsewhere.
            StoreProtocol: the registry says that it stored something else.
        """
        what = self._remote.what(f"manifest {name}")
        headers = {"Content-Type": descriptor.media_type} | ({} if match is None else {"If-Match": match})
        endpoint = self._remote.endpoint
        attempts = Attempts(endpoint.waiter, endpoint.options.deadline, _PUTS)
        while True:
            if self._pace is not None:
                self._pace.take()
            answer = self._remote.ask(
                "PUT",
                f"manifests/{name}",
                f"pushing {what}",
                write=True,
                headers=headers,
                body=data,
                accept=(HTTPStatus.CREATED, HTTPStatus.OK, HTTPStatus.ACCEPTED, *_CONFLICTS),
            )
            if answer.status not in _CONFLICTS:
                break
            error, passing = self._refused(answer, name, what)
            if not passing:
                raise error
            attempts.again(error)
        said, subject = answer.header("Docker-Content-Digest"), answer.header("OCI-Subject")
        answer.read(MAX_MANIFEST_BYTES)
        _second_witness(said, data, what)
        return subject

    def _refused(self, answer: Answer, name: str | Digest, what: str) -> tuple[StoreError, bool]:
        """Why a manifest was not taken, and whether that may pass: a tag that cannot be moved is told apart.

        Registries may not see for a moment what was just uploaded (docker-registry while another client uploads the
        same blob).
        """
        complaint = complaint_of(answer)
        credentials = self._remote.endpoint.auth.describe(self._remote.repository.path)
        error = failure(complaint, f"pushing {what}", credentials)
        text = f"{' '.join(complaint.codes)} {complaint.text}".lower()
        if isinstance(name, str) and complaint.status == HTTPStatus.PRECONDITION_FAILED:
            return LostRace(f"{error} (the tag was moved in the meantime)"), False
        if isinstance(name, str) and (
            complaint.status == HTTPStatus.CONFLICT or "immutable" in text or "tag_invalid" in text
        ):
            return TagConflict(f"{error} (the tag cannot be moved)"), False
        return error, any(code.endswith("BLOB_UNKNOWN") for code in complaint.codes)


def _data_of(answer: Answer, what: str) -> bytes:
    if (answer.header("Content-Encoding") or "identity") != "identity":
        message = f"{what}: it came compressed although that was not asked for"
        raise StoreProtocol(message)
    data = answer.read(MAX_MANIFEST_BYTES)
    if len(data) > MAX_MANIFEST_BYTES:
        message = f"{what}: more than {MAX_MANIFEST_BYTES} bytes, which is the most that is read of a manifest"
        raise LimitExceeded(message)
    return data


def _second_witness(said: str | None, data: bytes, what: str) -> None:
    """A Docker-Content-Digest must not contradict the bytes; one by another algorithm or unreadable is no witness."""
    if said is None:
        return
    try:
        claimed = Digest.parse(said.strip())
    except InvalidDigest:
        return
    computed = Digest.of(data, claimed.algorithm)
    if claimed != computed:
        message = (
            f"{what}: the registry says {claimed} (Docker-Content-Digest), its bytes are {computed}; "
            "one of both is wrong, so nothing is concluded"
        )
        raise StoreProtocol(message)


def _type_inside(data: bytes, what: str) -> str:
    """The media type that the manifest itself names, where the Content-Type says nothing."""
    try:
        document = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        message = f"{what}: expected a manifest, the answer is not JSON with one reading ({exc})"
        raise StoreProtocol(message) from exc
    inside = document.get("mediaType") if isinstance(document, dict) else None
    if inside not in MANIFEST_TYPES:
        message = f"{what}: expected one of the four manifest types, the registry names none"
        raise StoreProtocol(message)
    return str(inside)
