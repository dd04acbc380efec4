"""Files and directories as layers of an artifact, in the conventions of oras.

Knows titles and reproducible archives; knows nothing of stores. A file is hashed once and read again when it is
pushed: if it changed in between, the push fails.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import stat
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from imgtrust.content import Descriptor
from imgtrust.errors import InputFileError
from imgtrust.formats.attachments import TITLE
from imgtrust.reference import Digest
from imgtrust.stores.titles import safe_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.stores.port import BlobSource

__all__ = ["CONTENT_DIGEST", "DIRECTORY_TYPE", "FILE_TYPE", "UNPACK", "Layer", "pack", "packed"]

FILE_TYPE: Final = "application/vnd.oci.image.layer.v1.tar"
"""What oras calls a file whose type is not said."""
DIRECTORY_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
UNPACK: Final = "io.deis.oras.content.unpack"
CONTENT_DIGEST: Final = "io.deis.oras.content.digest"
_PIECE: Final = 1024 * 1024
_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Layer:
    """One blob of an artifact: its descriptor, with its title, and where its bytes are."""

    descriptor: Descriptor
    source: BlobSource = field(repr=False)


@contextlib.contextmanager
def packed(files: list[str]) -> Iterator[tuple[Layer, ...]]:
    """The layers of files (``PATH`` or ``PATH:MEDIA/TYPE``) and directories; archives are gone after the block.

    Raises:
        InputFileError: one cannot be read, is no file or directory, or has a name that cannot be pulled again.
    """
    with contextlib.ExitStack() as stack:
        layers = tuple(pack(text, stack) for text in files)
        titles = [layer.descriptor.annotation(TITLE) for layer in layers]
        for title in titles:
            if titles.count(title) > 1:
                message = f"{title!r} is named twice; an artifact holds a file once"
                raise InputFileError(message)
        yield layers


def pack(text: str, stack: contextlib.ExitStack) -> Layer:
    """One file or directory as a layer; a directory's archive lives as long as ``stack``.

    Raises:
        InputFileError: see ``packed``.
    """
    name, media_type = _split(text)
    try:
        title = str(safe_title(name))
    except ValueError as exc:
        message = f"{name!r} cannot be attached under that name: {exc}; give a path below the current directory"
        raise InputFileError(message) from exc
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116 - the path stays as the user wrote it
        if stat.S_ISDIR(mode):
            temporary = tempfile.NamedTemporaryFile(prefix="imgtrust-")  # noqa: SIM115 - the stack closes it
            archive: IO[bytes] = stack.enter_context(temporary)
            plain = _archive(Path(name), title, archive)
            annotations = {TITLE: title, CONTENT_DIGEST: str(plain), UNPACK: "true"}
            return _layer(archive.name, media_type or DIRECTORY_TYPE, annotations)
        if not stat.S_ISREG(mode):
            message = f"{name} is neither a file nor a directory"
            raise InputFileError(message)
        return _layer(name, media_type or FILE_TYPE, {TITLE: title})
    except OSError as exc:
        message = f"cannot read {name}: {exc.strerror}"
        raise InputFileError(message) from exc


def _split(text: str) -> tuple[str, str | None]:
    """``PATH:MEDIA/TYPE`` as oras reads it; a colon without a slash behind it is part of the path."""
    name, colon, media_type = text.rpartition(":")
    if colon and "/" in media_type and not os.path.exists(text):  # noqa: PTH110 - as above
        return name, media_type
    return text, None


def _layer(path: str, media_type: str, annotations: dict[str, str]) -> Layer:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(path):
        digest.update(piece)
        size += len(piece)
    found = Digest("sha256", digest.hexdigest())
    descriptor = Descriptor(media_type, found, size, annotations=tuple(annotations.items()))
    return Layer(descriptor, lambda: _pieces(path))


def _pieces(path: str) -> Iterator[memoryview]:
    buffer = bytearray(_PIECE)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
        while count := file.readinto(buffer):
            yield view[:count]


def _archive(directory: Path, prefix: str, out: IO[bytes]) -> Digest:
    """Write a directory as tar.gz that depends on names, contents and the executable bit alone; the tar's digest."""
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0, filename="") as packed_out:
        hashed = _Hashing(packed_out)
        # PAX writes nothing of its own for plain names, and any name that ustar cannot hold.
        archive = tarfile.TarFile(fileobj=hashed, mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]  # the little that tarfile asks of a file
        for path in (directory, *sorted(directory.rglob("*"))):
            _member(archive, path, prefix, directory)
        # Not close(): it pads to 10 kB, and oras hashes no further than these two blocks.
        hashed.write(bytes(2 * tarfile.BLOCKSIZE))
    out.flush()
    return Digest("sha256", hashed.digest.hexdigest())


def _member(archive: tarfile.TarFile, path: Path, prefix: str, directory: Path) -> None:
    relative = path.relative_to(directory).as_posix()
    entry = tarfile.TarInfo(prefix if relative == "." else f"{prefix}/{relative}")
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
    elif stat.S_ISREG(found.st_mode):
        entry.mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
        entry.size = found.st_size
        with path.open("rb") as file:
            archive.addfile(entry, file)
    else:
        message = f"{path} is neither a file nor a directory (a link, a device?) and is not attached; leave it out"
        raise InputFileError(message)


class _Hashing:
    """A file to write to that hashes on the way, as far as tarfile needs one."""

    def __init__(self, out: gzip.GzipFile) -> None:
        self._out = out
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Hash and pass on."""
        self.digest.update(data)
        return self._out.write(data)

    def tell(self) -> int:
        """The number of bytes that were written."""
        return self._out.tell()
