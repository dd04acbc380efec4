"""The names of things: digests, repositories and references. Pure.

Knows the grammar of CLI.md section 1 and the distribution-spec; knows nothing of what stands behind a name.
Every parser matches the whole string, and ``parse(str(x)) == x`` holds for each type.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Final

from imgtrust.errors import ContentMismatch, InvalidDigest, InvalidReference

__all__ = ["TAG", "Digest", "LayoutRepository", "Reference", "RegistryRepository", "Repository"]

_DIGEST: Final = re.compile(r"(sha256):([a-f0-9]{64})|(sha512):([a-f0-9]{128})")

_HOST_PART: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = re.compile(rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[0-9a-fA-F:]{{2,45}}\])(?::[0-9]{{1,5}})?")
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*")
_MAX_NAME: Final = 255

TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""A tag, whole-string (distribution-spec, "Pulling manifests")."""

_LAYOUT: Final = "oci:"
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A content digest in canonical form: ``sha256`` or ``sha512``, full length, lower case."""

    algorithm: str
    encoded: str

    def __post_init__(self) -> None:
        """Hold the invariant for digests that are made without ``parse``."""
        if _DIGEST.fullmatch(f"{self.algorithm}:{self.encoded}") is None:
            shown = f"{self.algorithm}:{self.encoded}"[:_SHOWN]
            message = f"{shown!r} is not a digest: expected sha256: or sha512: and its full length of lower-case hex"
            raise InvalidDigest(message)

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``sha256:<64 hex>`` or ``sha512:<128 hex>``.

        Raises:
            InvalidDigest: anything else, upper case and other algorithms included.
        """
        algorithm, _, encoded = text.partition(":")
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, data: bytes | memoryview, algorithm: str = "sha256") -> Digest:
        """Compute the digest of bytes."""
        return cls(algorithm, hashlib.new(algorithm, data).hexdigest())

    def check(self, data: bytes, what: str = "content") -> bytes:
        """Return the same bytes if this is their digest.

        Raises:
            ContentMismatch: it is not; ``what`` says in the message what was read.
        """
        found = Digest.of(data, self.algorithm)
        if found != self:
            message = f"{what}: expected {self}, the bytes that came are {found}"
            raise ContentMismatch(message)
        return data

    @property
    def short(self) -> str:
        """The form for people: the algorithm and twelve digits."""
        return f"{self.algorithm}:{self.encoded[:12]}"

    def __str__(self) -> str:
        """The canonical form, which ``parse`` reads."""
        return f"{self.algorithm}:{self.encoded}"


@dataclass(frozen=True, slots=True, order=True)
class RegistryRepository:
    """A repository of a registry: ``host`` with an optional port, and ``path``."""

    host: str
    path: str

    def __post_init__(self) -> None:
        """Refuse what no registry could be asked for."""
        if _HOST.fullmatch(self.host) is None:
            message = f"{self.host[:_SHOWN]!r} is not the name of a registry (HOST or HOST:PORT)"
            raise InvalidReference(message)
        if _PATH.fullmatch(self.path) is None or len(self.host) + len(self.path) > _MAX_NAME:
            message = (
                f"{self.path[:_SHOWN]!r} is not the name of a repository: expected lower-case letters, digits and "
                f"single separators (. _ -), parts joined with /, at most {_MAX_NAME} characters with the registry"
            )
            raise InvalidReference(message)

    def __str__(self) -> str:
        """``HOST[:PORT]/PATH``."""
        return f"{self.host}/{self.path}"


@dataclass(frozen=True, slots=True, order=True)
class LayoutRepository:
    """An OCI image layout: ``directory`` as the user wrote it."""

    directory: str

    def __post_init__(self) -> None:
        """A layout needs a directory, and one that cannot be taken for a tag or a digest."""
        if not self.directory or set(self.directory) & {"\0", "\n", "\r", "@", ":"}:
            message = (
                f"{self.directory[:_SHOWN]!r} is not the directory of a layout: expected a path without ':', '@' "
                "or control characters, as in oci:DIR:TAG"
            )
            raise InvalidReference(message)

    def __str__(self) -> str:
        """``oci:DIR``."""
        return f"{_LAYOUT}{self.directory}"


Repository = RegistryRepository | LayoutRepository


@dataclass(frozen=True, slots=True)
class Reference:
    """A fully qualified image name: a repository with a tag, a digest, or both.

    With both, the digest names the content, and the tag must still point at it. Only ``parse`` with
    ``bare=True`` gives a reference with neither, for commands that take a repository.
    """

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        """Hold the grammar of tags."""
        if self.tag is not None and TAG.fullmatch(self.tag) is None:
            message = (
                f"{self.tag[:_SHOWN]!r} is not a tag: expected a letter, digit or _, "
                "then up to 127 letters, digits, '.', '_' or '-'"
            )
            raise InvalidReference(message)

    @classmethod
    def parse(cls, text: str, *, bare: bool = False) -> Reference:
        """Read ``HOST[:PORT]/REPO[:TAG][@DIGEST]`` or ``oci:DIR[:TAG][@DIGEST]`` (CLI.md section 1).

        ``bare`` allows a name without tag and digest.

        Raises:
            InvalidReference: the name is not one; the message offers the likely full name.
            InvalidDigest: what follows ``@`` is not a digest.
        """
        name, at, digest_text = text.partition("@")
        digest = Digest.parse(digest_text) if at else None
        layout = name.startswith(_LAYOUT)
        repository: Repository
        if layout:
            directory, colon, tag = name[len(_LAYOUT) :].partition(":")
            repository = LayoutRepository(directory)
        else:
            head, slash, last = name.rpartition("/")
            last, colon, tag = last.partition(":")
            host, _, _ = name.partition("/")
            if not slash or not _is_host(host):
                raise InvalidReference(_no_registry(text, name))
            repository = RegistryRepository(host, f"{head}/{last}".partition("/")[2])
        if not colon and digest is None and not bare:
            message = (
                f"{text[:_SHOWN]!r} names neither a tag nor a digest; "
                f"did you mean {str(repository)[:_SHOWN]}:latest? (imgtrust never assumes one)"
            )
            raise InvalidReference(message)
        return cls(repository, tag if colon else None, digest)

    def with_digest(self, digest: Digest) -> Reference:
        """The same name, pinned to a digest."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        """The full name, which ``parse`` reads."""
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return f"{self.repository}{tag}{digest}"


def _is_host(text: str) -> bool:
    """Tell a registry's host from the first part of a path: it has a dot, a port, or is localhost."""
    return text == "localhost" or "." in text or ":" in text


def _no_registry(text: str, name: str) -> str:
    shown = text[:_SHOWN]
    path, _, _ = name.partition(":")
    if _PATH.fullmatch(path) is None:
        return f"{shown!r} is not an image name; expected HOST/REPO:TAG, HOST/REPO@sha256:… or oci:DIR:TAG"
    likely = shown if "/" in path else f"library/{shown}"
    return f"{shown!r} names no registry; did you mean docker.io/{likely} or oci:{shown}?"
