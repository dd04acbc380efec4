"""Revocation lists and OCSP responders, asked over HTTP, with the lists kept on disk.

Knows addresses and bytes, limits and time-outs; knows nothing of what an answer says. Plain HTTP is allowed, as
RFC 5280 section 8 and notary.md 9 have it: what comes is public and signed, and whoever asked checks the signature. No
redirect is followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgtrust.errors import StoreProtocol, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import urllib3

__all__ = ["MAX_ANSWER", "MAX_LIST", "ResponderOptions", "Responders", "cache_folder"]

MAX_ANSWER: Final = 256 * 1024
"""The largest answer of a responder."""
MAX_LIST: Final = 32 * 1024 * 1024
"""The largest list."""
_OK: Final = 200
_PIECE: Final = 64 * 1024
_REMEMBERED: Final = 300.0
"""For so many seconds an answer, and that there was none, holds for all images of one process."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ResponderOptions:
    """How responders are reached.

    ``cache``: a folder for lists, or None. ``answer_timeout`` and ``list_timeout``: seconds for one whole answer
    (notary.md 9). ``clock``: for tests.
    """

    cache: Path | None = None
    answer_timeout: float = 2.0
    list_timeout: float = 5.0
    clock: Callable[[], datetime] = _now


@dataclass(slots=True)
class _Slot:
    """What is remembered of one question."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    data: bytes | None = None
    fault: str = ""


class Responders:
    """All responders and lists that one command asks; safe to use from several threads. Each is asked once."""

    def __init__(self, options: ResponderOptions | None = None) -> None:
        """Nothing is asked yet, and nothing is imported for it."""
        self._options = options or ResponderOptions()
        self._slots: dict[tuple[str, bytes], _Slot] = {}
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """What time it is, for the freshness of answers (aware UTC)."""
        return self._options.clock()

    def ask(self, url: str, request: bytes, keep: Callable[[bytes], bool]) -> bytes:
        """The answer to a DER OCSP request, or the list at a URL where ``request`` is empty.

        ``keep`` says whether bytes may be kept on disk and given again: only a list that verifies and is fresh.

        Raises:
            StoreUnavailable: nobody answered in time, or with an error.
            StoreProtocol: the answer is larger than is read.
        """
        with self._lock:
            slot = self._slots.setdefault((url, request), _Slot())
        with slot.lock:
            if time.monotonic() >= slot.until:
                self._fill(slot, url, request, keep)
            if slot.data is None:
                raise StoreUnavailable(slot.fault)
            return slot.data

    def _fill(self, slot: _Slot, url: str, request: bytes, keep: Callable[[bytes], bool]) -> None:
        file = None if request or self._options.cache is None else _place(self._options.cache, url)
        slot.data = None if file is None else _kept(file, keep)
        if slot.data is None:
            try:
                slot.data = self._fetch(url, request)
            except (StoreUnavailable, StoreProtocol) as exc:
                slot.fault = str(exc)
            else:
                if file is not None and keep(slot.data):
                    _keep(file, slot.data)
        slot.until = time.monotonic() + _REMEMBERED

    def _fetch(self, url: str, request: bytes) -> bytes:
        import urllib3  # noqa: PLC0415 - only where somebody is asked

        seconds = self._options.answer_timeout if request else self._options.list_timeout
        end = time.monotonic() + seconds
        headers = {"Accept": "application/ocsp-response" if request else "application/pkix-crl, */*"}
        if request:
            headers["Content-Type"] = "application/ocsp-request"
        try:
            with urllib3.PoolManager() as pool:
                response = pool.request(
                    "POST" if request else "GET",
                    url,
                    body=request or None,
                    headers=headers,
                    preload_content=False,
                    redirect=False,
                    retries=False,
                    timeout=seconds,
                )
                try:
                    return _read(response, MAX_ANSWER if request else MAX_LIST, end)
                finally:
                    response.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            message = f"no answer ({type(exc.__cause__ or exc).__name__})"
            raise StoreUnavailable(message) from exc


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """Where lists are kept: below IMGTRUST_CACHE_DIR, else XDG's cache; None where there is no home."""
    if environment.get("IMGTRUST_CACHE_DIR"):
        return Path(environment["IMGTRUST_CACHE_DIR"]) / "revocation"
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "imgtrust" / "revocation"
    home = environment.get("HOME")
    return Path(home) / ".cache" / "imgtrust" / "revocation" if home else None


def _read(response: urllib3.BaseHTTPResponse, limit: int, end: float) -> bytes:
    """The body, bounded in size and in time."""
    if response.status != _OK:
        message = f"the answer has status {response.status}"
        raise StoreUnavailable(message)
    body = bytearray()
    while piece := response.read1(_PIECE, decode_content=False):
        body += piece
        if len(body) > limit:
            message = f"the answer has more than {limit} bytes"
            raise StoreProtocol(message)
        if time.monotonic() > end:
            message = "the answer was not complete in time"
            raise StoreUnavailable(message)
    return bytes(body)


def _place(cache: Path, url: str) -> Path:
    return cache / hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()


def _kept(file: Path, keep: Callable[[bytes], bool]) -> bytes | None:
    """The list in a file, where it still holds."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_LIST + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_LIST and keep(data) else None


def _keep(file: Path, data: bytes) -> None:
    """Write a file whole or not at all. A cache that cannot be written is none, and no fault."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".list-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
