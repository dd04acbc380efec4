"""Files that come from an artifact: written beside their names, and given them only after all of it was checked.

Knows what a title and an archive may not do to a directory; knows nothing of registries.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.commands.packing import UNPACK
from imgtrust.errors import ContentMalformed, LimitExceeded, OutputFileError
from imgtrust.formats.attachments import TITLE
from imgtrust.stores.archives import open_archive
from imgtrust.stores.titles import safe_title

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from imgtrust.content import Descriptor

__all__ = ["MAX_MEMBERS", "MAX_UNPACKED", "Destination"]

MAX_UNPACKED: Final = 16 * 1024 * 1024 * 1024
"""The most bytes that one archive may unpack to."""
MAX_MEMBERS: Final = 200_000
"""The most files and directories of one archive."""
_SHOWN: Final = 120
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class Destination:
    """A directory that files arrive in: all of them, or none. Use as a context.

    ``members`` and ``unpacked`` (bytes) bound each archive.
    """

    def __init__(
        self, directory: str, *, overwrite: bool, members: int = MAX_MEMBERS, unpacked: int = MAX_UNPACKED
    ) -> None:
        self._members = members
        self._unpacked = unpacked
        self._root = Path(directory)
        self._overwrite = overwrite
        self._staged: dict[Path, Path] = {}
        self._directories: list[Path] = []
        self._above: set[Path] = set()
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        """Make the directory, and a hidden one in it for what is not checked yet.

        Raises:
            OutputFileError: it cannot be written.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._staging = self._root / f".imgtrust-{secrets.token_hex(8)}"
            self._staging.mkdir(mode=0o700)
        except (OSError, ValueError) as exc:
            message = f"cannot write to {self._root}: {getattr(exc, 'strerror', None) or 'it is not a path'}"
            raise OutputFileError(message) from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not given its name."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def add(self, layer: Descriptor, pieces: Iterator[memoryview]) -> None:
        """Write one layer aside; an archive of a directory (by its annotation) is unpacked there.

        Raises:
            ContentMalformed: its title or a member of the archive leads elsewhere, or it is no archive.
            LimitExceeded: the archive is larger than is unpacked.
            OutputFileError: the disk is full, or the like.
        """
        title = layer.annotation(TITLE) or ""
        try:
            path = Path(safe_title(title))
        except ValueError as exc:
            message = f"the artifact names a file {title[:_SHOWN]!r}, which is refused: {exc}"
            raise ContentMalformed(message) from exc
        try:
            aside = self._aside()
            with aside.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
            if layer.annotation(UNPACK) == "true":
                self._unpack(aside, path, title)
            else:
                self._stage(path, aside)
        except OSError as exc:
            message = f"cannot write {path} to {self._root}: {exc.strerror or exc}"
            raise OutputFileError(message) from exc

    def finish(self) -> tuple[str, ...]:
        """Give every file its name; the names, relative to the directory.

        Raises:
            OutputFileError: a file exists and may not be overwritten, a link stands in the way, or the disk is full.
                What could be told before the first file was given its name left nothing behind.
        """
        for path in self._directories:
            self._check_free(path, stat.S_ISDIR)
        for path in self._staged:
            self._check_free(path, stat.S_ISREG)
        try:
            for path in self._directories:
                (self._root / path).mkdir(parents=True, exist_ok=True)
            for path, aside in self._staged.items():
                final = self._root / path
                final.parent.mkdir(parents=True, exist_ok=True)
                if self._overwrite:
                    aside.replace(final)
                else:
                    _give(aside, final)
        except OSError as exc:
            message = f"cannot write {path} to {self._root}: {exc.strerror}"
            raise OutputFileError(message) from exc
        return tuple(str(path) for path in self._staged)

    def _aside(self) -> Path:
        """A name for what is not checked yet."""
        return self._staging / str(next(self._numbers))

    def _stage(self, path: Path, aside: Path) -> None:
        """Note a file under its name: one that no other file has, nor is a directory of."""
        if path in self._staged or path in self._above or not self._staged.keys().isdisjoint(path.parents):
            message = f"the artifact names the file {str(path)[:_SHOWN]!r} twice, or as a file and a directory"
            raise ContentMalformed(message)
        self._staged[path] = aside
        self._above.update(path.parents)

    def _check_free(self, path: Path, kind: Callable[[int], bool]) -> None:
        """No link on the way, and nothing in the place of the file that must stay."""
        at = self._root
        for part in path.parts:
            at = at / part
            try:
                mode = at.lstat().st_mode
            except FileNotFoundError:
                return
            except OSError as exc:
                message = f"cannot write {path} to {self._root}: {exc.strerror}"
                raise OutputFileError(message) from exc
            if stat.S_ISLNK(mode):
                message = f"{at} is a symbolic link; nothing is written through it"
                raise OutputFileError(message)
        if not kind(mode):
            message = f"{at} is in the place of something else that the artifact names; move it away first"
            raise OutputFileError(message)
        if kind is stat.S_ISREG and not self._overwrite:
            message = f"{at} exists already and is not overwritten; move it away, or say that it may be overwritten"
            raise OutputFileError(message)

    def _unpack(self, archive: Path, prefix: Path, title: str) -> None:
        """Take directories and plain files below ``prefix`` out of a tar.gz; anything else refuses the whole."""
        count = size = 0
        with open_archive(archive, f"{title} of the artifact") as members:
            for member in members:
                count, size = count + 1, size + member.size
                if count > self._members or size > self._unpacked:
                    limits = f"{self._members} files or {self._unpacked} bytes"
                    message = f"the archive {title} unpacks to more than {limits}"
                    raise LimitExceeded(message)
                self._take(members, member, prefix, title)
        archive.unlink()

    def _take(self, members: tarfile.TarFile, member: tarfile.TarInfo, prefix: Path, title: str) -> None:
        try:
            path = Path(safe_title(member.name))
        except ValueError as exc:
            message = f"the archive {title} names a file {member.name[:_SHOWN]!r}, which is refused: {exc}"
            raise ContentMalformed(message) from exc
        if not path.is_relative_to(prefix):
            message = f"the archive {title} names {member.name[:_SHOWN]!r}, which is not below {title}"
            raise ContentMalformed(message)
        if member.isdir():
            self._directories.append(path)
            return
        content = members.extractfile(member) if member.isreg() and member.size >= 0 else None
        if content is None:
            message = f"the archive {title} holds {member.name[:_SHOWN]!r}, which is no file (a link, a device?)"
            raise ContentMalformed(message)
        aside = self._aside()
        with content, aside.open("xb") as file:
            shutil.copyfileobj(content, file)
        aside.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
        self._stage(path, aside)


def _give(aside: Path, final: Path, link: Callable[[Path, Path], None] = os.link) -> None:
    """Give a file its name if nothing else has it; where links are not known, as far as can be told."""
    try:
        link(aside, final)
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        aside.replace(final)
