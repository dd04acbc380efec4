"""What a simulated registry holds, and how one behaves. Knows repositories, tags and uploads; knows nothing of HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from imgtrust.content import OCI_INDEX
from imgtrust.reference import Digest

__all__ = ["DOCKER_REGISTRY", "ECR", "Behaviour", "Data", "Held"]


@dataclass(frozen=True)
class Behaviour:
    """How registries differ.

    ``page``: entries of a page of tags, referrers and catalog (None: all at once); ``link`` whether a page names
    the next one. ``existing``: the only repositories that there are (None: made on push). ``storage``: where blobs
    are redirected to. ``chunk_minimum`` is announced and then demanded; ``largest`` body in one request, in bytes.
    """

    referrers_api: bool = True
    subject_header: bool = True
    config_type_in_index: bool = False
    filters: bool = False
    page: int | None = None
    link: bool = True
    largest_page: int | None = None
    mount: bool = True
    ranges: bool = True
    immutable: bool = False
    existing: frozenset[str] | None = None
    storage: str | None = None
    chunk_minimum: int | None = None
    largest: int | None = None
    needs_children: bool = True
    refuses_semicolons: bool = False
    relative_locations: bool = True
    catalog: bool = True


DOCKER_REGISTRY: Final = Behaviour(referrers_api=False, subject_header=False, relative_locations=False)
"""Debian's docker-registry: no Referrers API."""
ECR: Final = Behaviour(
    page=50, largest_page=1000, mount=False, existing=frozenset({"team/app", "prod/app"}), refuses_semicolons=True
)
"""Amazon ECR as far as it is documented; immutable tags, storage and throttling are set where a test wants them."""


@dataclass
class Held:
    """One repository."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)


class Data:
    """All repositories of one registry."""

    def __init__(self, behaviour: Behaviour) -> None:
        """``behaviour.existing`` repositories are there from the start."""
        self.behaviour = behaviour
        self.repositories: dict[str, Held] = {name: Held() for name in behaviour.existing or ()}

    def find(self, name: str) -> Held | None:
        """A repository, or None."""
        return self.repositories.get(name)

    def make(self, name: str) -> Held | None:
        """A repository to push to; None where it would have to be created first."""
        if name not in self.repositories and self.behaviour.existing is not None:
            return None
        return self.repositories.setdefault(name, Held())

    def missing_children(self, held: Held, data: bytes) -> list[str]:
        """The digests that a manifest names and that the repository does not have."""
        document = json.loads(data)
        named = [document[name]["digest"] for name in ("config",) if name in document]
        named += [layer["digest"] for layer in document.get("layers") or ()]
        children = [child["digest"] for child in document.get("manifests") or ()]
        return [d for d in named if d not in held.blobs] + [d for d in children if d not in held.manifests]

    def referrers(self, held: Held, subject: str) -> list[dict[str, Any]]:
        """The entries of the referrers index, in the order of pushing."""
        found: list[dict[str, Any]] = []
        for digest, (media_type, data) in held.manifests.items():
            document = json.loads(data)
            if not isinstance(document, dict) or (document.get("subject") or {}).get("digest") != subject:
                continue
            config = (document.get("config") or {}).get("mediaType")
            kind = config if self.behaviour.config_type_in_index else document.get("artifactType") or config
            entry: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(data)}
            if kind:
                entry["artifactType"] = kind
            if document.get("annotations"):
                entry["annotations"] = document["annotations"]
            found.append(entry)
        return found


def index_of(entries: list[dict[str, Any]]) -> bytes:
    """An index with entries, as registries answer it."""
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def digest_of(data: bytes, like: str) -> str:
    """The digest of data by the algorithm of another digest."""
    return str(Digest.of(data, like.partition(":")[0]))
