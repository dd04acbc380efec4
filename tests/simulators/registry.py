"""An OCI registry in this process, to be spoiled at will. Knows distribution-spec 1.1 and how registries differ.

``RegistrySimulator(Behaviour(...))`` on a loopback port inside ``with``; see ``registrydata.Behaviour`` for how it
behaves, ``loopback.Fault`` for what can go wrong, ``tokens.TokenServer`` for Bearer authentication.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from imgtrust.content import OCI_INDEX
from imgtrust.reference import Digest
from tests.simulators.loopback import Loopback, Reply, Request
from tests.simulators.registrydata import DOCKER_REGISTRY, ECR, Behaviour, Data, Held, digest_of, index_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from tests.simulators.tokens import TokenServer

__all__ = ["DOCKER_REGISTRY", "ECR", "Behaviour", "RegistrySimulator", "StorageSimulator"]

_ROUTE: Final = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs|tags|referrers)/(?P<rest>.*)")
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


class RegistrySimulator(Loopback):
    """A registry that holds everything in memory. ``data`` may be read and altered by tests."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        user: tuple[str, str] | None = None,
        tokens: TokenServer | None = None,
        latency: float = 0.0,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """``user`` (name, password) asks for Basic, ``tokens`` for Bearer; neither: everybody may do everything."""
        super().__init__(self._route, latency=latency, certificate=certificate, key=key)
        self.behaviour = behaviour or Behaviour()
        self.data = Data(self.behaviour)
        self._user, self._tokens = user, tokens
        self._guard = threading.RLock()

    def held(self, name: str) -> Held:
        """A repository of the registry, made if need be."""
        return self.data.repositories.setdefault(name, Held())

    def _route(self, request: Request) -> Reply:  # noqa: PLR0911 - a table of routes
        refused = self._authorize(request)
        if refused is not None:
            return refused
        if self.behaviour.largest is not None and len(request.body) > self.behaviour.largest:
            return Reply(413, (("Content-Type", "text/plain"),), b"too large")
        with self._guard:
            if request.path == "/v2/":
                return Reply(200, (("Docker-Distribution-Api-Version", "registry/2.0"),))
            if request.path == "/v2/_catalog":
                if not self.behaviour.catalog:
                    return _error(404, "UNSUPPORTED")
                return self._listed(request, "repositories", sorted(self.data.repositories), {})
            route = _ROUTE.fullmatch(request.path)
            if route is None:
                return Reply(404, (("Content-Type", "text/plain; charset=utf-8"),), b"404 page not found\n")
            return self._serve(request, route["name"], route["kind"], route["rest"])

    def _authorize(self, request: Request) -> Reply | None:
        shown = request.headers.get("authorization")
        if self._tokens is not None:
            return self._tokens.check(request, shown)
        if self._user is None:
            return None
        expected = "Basic " + base64.b64encode(":".join(self._user).encode()).decode()
        if shown == expected:
            return None
        realm = 'Basic realm="simulated",service="registry"'
        return _error(401, "UNAUTHORIZED").with_header("WWW-Authenticate", realm)

    def _serve(self, request: Request, name: str, kind: str, rest: str) -> Reply:  # noqa: PLR0911 - the same
        writes = request.method in {"PUT", "POST", "PATCH"}
        held = self.data.make(name) if writes else self.data.find(name)
        if kind == "referrers" and not self.behaviour.referrers_api:
            return Reply(404, (("Content-Type", "text/plain; charset=utf-8"),), b"404 page not found\n")
        if held is None:
            return _error(404, "NAME_UNKNOWN")
        match kind:
            case "tags":
                return self._listed(request, "tags", sorted(held.tags), {"name": name})
            case "referrers":
                return self._referrers(request, held, rest)
            case "manifests":
                return self._put(request, held, rest) if request.method == "PUT" else self._manifest(held, rest)
            case _ if rest.startswith("uploads/"):
                return self._upload(request, name, held, rest.removeprefix("uploads/"))
        return self._blob(request, held, rest)

    def _listed(self, request: Request, field: str, names: Sequence[str], extra: dict[str, str]) -> Reply:
        asked = int(request.first("n", "0")) or None
        if self.behaviour.largest_page is not None and asked is not None and asked > self.behaviour.largest_page:
            return _error(405, "UNSUPPORTED")
        last = request.first("last")
        rest = [name for name in names if name > last]
        size = min(filter(None, (asked, self.behaviour.page)), default=len(rest))
        reply = _json(200, {**extra, field: rest[:size]})
        if len(rest) > size and self.behaviour.link:
            return reply.with_header("Link", f'<{request.path}?n={size}&last={quote(rest[size - 1])}>; rel="next"')
        return reply

    def _referrers(self, request: Request, held: Held, subject: str) -> Reply:
        entries = self.data.referrers(held, subject)
        reply = Reply(200, (("Content-Type", OCI_INDEX),))
        wanted = request.first("artifactType")
        if wanted and self.behaviour.filters:
            entries = [entry for entry in entries if entry.get("artifactType") == wanted]
            reply = reply.with_header("OCI-Filters-Applied", "artifactType")
        start, size = int(request.first("offset", "0")), self.behaviour.page or max(1, len(entries))
        if len(entries) > start + size and self.behaviour.link:
            reply = reply.with_header("Link", f'<{request.path}?offset={start + size}>; rel="next"')
        return Reply(200, reply.headers, index_of(entries[start : start + size]))

    def _manifest(self, held: Held, name: str) -> Reply:
        digest = name if ":" in name else held.tags.get(name, "")
        found = held.manifests.get(digest)
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN")
        return Reply(200, (("Content-Type", found[0]), ("Docker-Content-Digest", digest)), found[1])

    def _put(self, request: Request, held: Held, name: str) -> Reply:
        media_type, data = request.headers.get("content-type", ""), request.body
        if self.behaviour.refuses_semicolons and b";" in data:
            return _error(405, "UNSUPPORTED", "Invalid JSON syntax")
        by_digest = ":" in name
        digest = digest_of(data, name) if by_digest else str(Digest.of(data))
        if by_digest and digest != name:
            return _error(400, "DIGEST_INVALID")
        if self.behaviour.needs_children and self.data.missing_children(held, data):
            return _error(400, "MANIFEST_BLOB_UNKNOWN")
        if not by_digest and self.behaviour.immutable and name in held.tags:
            return _error(400, "TAG_INVALID", f"The image tag '{name}' already exists and the repository is immutable")
        held.manifests[digest] = (media_type, data)
        if not by_digest:
            held.tags[name] = digest
        reply = Reply(201, (("Location", f"/v2/x/manifests/{digest}"), ("Docker-Content-Digest", digest)))
        subject = json.loads(data).get("subject")
        if subject and self.behaviour.referrers_api and self.behaviour.subject_header:
            reply = reply.with_header("OCI-Subject", subject["digest"])
        return reply

    def _blob(self, request: Request, held: Held, digest: str) -> Reply:
        data = held.blobs.get(digest)
        if data is None:
            return _error(404, "BLOB_UNKNOWN")
        if self.behaviour.storage is not None and request.method == "GET":
            return Reply(307, (("Location", f"{self.behaviour.storage}/{digest}?X-Amz-Signature=presigned-secret"),))
        return ranged(request, data, digest, ranges=self.behaviour.ranges)

    def _upload(self, request: Request, name: str, held: Held, session: str) -> Reply:  # noqa: PLR0911 - the same
        if request.method == "POST":
            return self._begin(request, name, held)
        upload = held.uploads.get(session)
        if upload is None:
            return _error(404, "BLOB_UPLOAD_UNKNOWN")
        if request.method == "DELETE":
            del held.uploads[session]
            return Reply(204)
        if request.method == "PATCH":
            return self._patch(request, name, session, upload)
        if request.method == "GET":
            return self._progress(204, name, session, upload)
        upload += request.body
        digest = request.first("digest")
        if digest_of(bytes(upload), digest) != digest:
            del upload[len(upload) - len(request.body) :]
            return _error(400, "DIGEST_INVALID")
        held.blobs[digest] = bytes(upload)
        del held.uploads[session]
        return Reply(201, (("Location", f"/v2/{name}/blobs/{digest}"), ("Docker-Content-Digest", digest)))

    def _begin(self, request: Request, name: str, held: Held) -> Reply:
        mounted, origin = request.first("mount"), self.data.find(request.first("from"))
        if mounted and self.behaviour.mount and origin is not None and mounted in origin.blobs:
            held.blobs[mounted] = origin.blobs[mounted]
            return Reply(201, (("Location", f"/v2/{name}/blobs/{mounted}"),))
        session = uuid.uuid4().hex
        held.uploads[session] = bytearray()
        reply = self._progress(202, name, session, held.uploads[session])
        if self.behaviour.chunk_minimum is not None:
            reply = reply.with_header("OCI-Chunk-Min-Length", str(self.behaviour.chunk_minimum))
        return reply

    def _patch(self, request: Request, name: str, session: str, upload: bytearray) -> Reply:
        said = request.headers.get("content-range", f"{len(upload)}-").partition("-")[0]
        if int(said) != len(upload):
            reply = self._progress(416, name, session, upload)
            return Reply(416, reply.headers)
        upload += request.body
        return self._progress(202, name, session, upload)

    def _progress(self, status: int, name: str, session: str, upload: bytearray) -> Reply:
        base = "" if self.behaviour.relative_locations else self.base
        location = f"{base}/v2/{name}/blobs/uploads/{session}?state=kept"
        return Reply(status, (("Location", location), ("Range", f"0-{max(0, len(upload) - 1)}")))


class StorageSimulator(Loopback):
    """Where registries redirect blobs to: takes no Authorization, as S3 does not beside a signed address."""

    def __init__(self) -> None:
        """Put blobs into ``blobs``, by digest."""
        super().__init__(self._serve)
        self.blobs: dict[str, bytes] = {}

    def _serve(self, request: Request) -> Reply:
        if "authorization" in request.headers or "cookie" in request.headers:
            return Reply(400, (("Content-Type", "application/xml"),), b"<Error>Only one auth mechanism allowed</Error>")
        digest = request.path.lstrip("/")
        if request.first("X-Amz-Signature") != "presigned-secret" or digest not in self.blobs:
            return Reply(403)
        return ranged(request, self.blobs[digest], digest, ranges=True)


def ranged(request: Request, data: bytes, digest: str, *, ranges: bool) -> Reply:
    """A blob, or the part of it that was asked for."""
    headers = (("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", digest))
    wanted = _RANGE.fullmatch(request.headers.get("range", "")) if ranges else None
    if request.method == "HEAD":
        return Reply(200, (*headers, ("Content-Length", str(len(data)))))
    if wanted is None:
        return Reply(200, headers, data)
    first = int(wanted[1])
    if first >= len(data):
        return Reply(416, (*headers, ("Content-Range", f"bytes */{len(data)}")))
    last = min(len(data) - 1, int(wanted[2] or len(data) - 1))
    return Reply(206, (*headers, ("Content-Range", f"bytes {first}-{last}/{len(data)}")), data[first : last + 1])


def _json(status: int, document: dict[str, Any]) -> Reply:
    return Reply(status, (("Content-Type", "application/json; charset=utf-8"),), json.dumps(document).encode())


def _error(status: int, code: str, message: str = "") -> Reply:
    return _json(status, {"errors": [{"code": code, "message": message or code.lower().replace("_", " ")}]})
