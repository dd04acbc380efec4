"""What a promotion has already done, in a file that survives kill -9.

Knows lines of JSON that are appended and synced one by one; knows nothing of stores. A line counts only when it is
whole. What is written here is what this user's imgtrust saw with its own eyes (ADR "bytes hashed once per
promotion"): a blob that was hashed on its way to, or read back from, this destination. The file is believed only if
nobody else can write it.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from imgtrust.errors import InputFileError, OutputFileError, Undecided
from imgtrust.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from imgtrust.reference import Repository

__all__ = ["BELIEVED_FOR", "Journal", "journal_path"]

BELIEVED_FOR: Final = timedelta(hours=24)
"""How long a blob that was hashed at the destination is not read again; later it could have rotted."""

_SCHEMA: Final = "imgtrust-journal/1"
_MAX_BYTES: Final = 64 * 1024 * 1024
_OTHERS_MAY_WRITE: Final = 0o022


def journal_path(cache: Path, root: Digest, destination: Repository) -> Path:
    """Where the journal of a promotion is kept by default: one file per image and destination."""
    key = Digest.of(f"{root}\n{destination}".encode())
    return cache / "promotions" / f"{key.encoded[:32]}.jsonl"


@dataclass(frozen=True, slots=True)
class _Past:
    """What the whole lines of an existing journal say."""

    end: int
    hashed: frozenset[Digest]
    record: Digest | None


class Journal:
    """An open journal, locked against a second process. All methods may be called from several threads."""

    def __init__(
        self, path: Path | None, *, root: Digest, destination: Repository, plan: Digest, now: Callable[[], datetime]
    ) -> None:
        """Open or create the journal of a promotion; ``plan`` is the digest of the plan that runs now.

        Without a ``path`` it lasts as long as the process.

        Raises:
            InputFileError: the file is no journal, or that of another promotion.
            OutputFileError: it cannot be written.
            Undecided: another process is at the same promotion.
        """
        self.path = path
        self._now = now
        self.hashed: set[Digest] = set()
        self.record: Digest | None = None
        self._fd: int | None = None
        self._head = {"journal": _SCHEMA, "root": str(root), "destination": str(destination)}
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            message = f"cannot write the journal {path}: {exc.strerror}; name another file with --journal"
            raise OutputFileError(message) from exc
        try:
            self._begin(fd, plan)
        except BaseException:
            self.close()
            raise

    def _begin(self, fd: int, plan: Digest) -> None:
        """Lock, read what is there, cut a torn last line, and say which plan runs from here."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            message = f"another process is at this promotion (the journal {self.path} is locked); wait for it to end"
            raise Undecided(message) from exc
        past = self._read(fd, plan)
        self.hashed |= past.hashed
        self.record = past.record
        if past.end == 0:
            self._append(self._head)
        self._append({"plan": str(plan)})

    def _read(self, fd: int, plan: Digest) -> _Past:
        """Read the whole lines, and cut off what a kill left behind them."""
        with os.fdopen(os.dup(fd), "rb") as file:
            file.seek(0)
            data = file.read(_MAX_BYTES + 1)
        end = data.rfind(b"\n") + 1
        lines = [_line(raw) for raw in data[:end].splitlines()]
        if len(data) > _MAX_BYTES or (lines and lines[0] != self._head) or (not lines and not _torn(data)):
            message = (
                f"the journal {self.path} is not that of this image and destination; nothing was written to it. "
                "Name another file with --journal, or leave the option out"
            )
            raise InputFileError(message)
        os.ftruncate(fd, end)
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
            return _Past(end, frozenset(), None)
        return _replay(lines[1:], end, plan, self._now())

    def blob(self, digest: Digest, how: str) -> None:
        """A blob is at the destination and its bytes there were hashed; ``how`` is copied, mounted or present."""
        self.hashed.add(digest)
        self._append({"blob": str(digest), "how": how, "at": self._now().astimezone(UTC).isoformat()})

    def step(self, name: str, **details: str) -> None:
        """A step of the plan is done, for the person who reads the file."""
        self._append({"step": name, "at": self._now().astimezone(UTC).isoformat(), **details})

    def recorded(self, record: Digest) -> None:
        """The signed record with this digest is about to be pushed."""
        self.record = record
        self._append({"record": str(record)})

    def _append(self, line: dict[str, str]) -> None:
        """Write one line with one call, and see it on the disk before going on."""
        if self._fd is None:
            return
        data = json.dumps(line).encode() + b"\n"
        try:
            written = os.write(self._fd, data)
            os.fsync(self._fd)
        except OSError as exc:
            message = f"cannot write the journal {self.path}: {exc.strerror}; what is done so far is in it"
            raise Undecided(message) from exc
        if written != len(data):
            message = f"cannot write the journal {self.path}: the disk is full; what is done so far is in it"
            raise Undecided(message)

    def close(self) -> None:
        """Let go of the file and its lock; the file stays."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _line(raw: bytes) -> dict[str, Any]:
    """One line; an empty object where it cannot be read."""
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _torn(data: bytes) -> bool:
    """Whether bytes without a line end can be the torn first line of a journal (or an empty file)."""
    begin = b'{"journal"'
    return data.startswith(begin) or begin.startswith(data)


def _replay(lines: list[dict[str, Any]], end: int, plan: Digest, now: datetime) -> _Past:
    """What counts of the past: blobs hashed lately under any plan, and the record of this very plan."""
    hashed: set[Digest] = set()
    record: Digest | None = None
    current = ""
    for line in lines:
        with suppress(Exception):
            if "plan" in line:
                current = str(line["plan"])
            elif "blob" in line and timedelta() <= now - datetime.fromisoformat(line["at"]) <= BELIEVED_FOR:
                hashed.add(Digest.parse(line["blob"]))
            elif "record" in line and current == str(plan):
                record = Digest.parse(line["record"])
    return _Past(end, frozenset(hashed), record)
