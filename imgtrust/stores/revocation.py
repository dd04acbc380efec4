"""Revocation lists and OCSP responders, asked over HTTP, with the lists kept on disk; and who else is asked.

Knows addresses and bytes, limits and time-outs; knows nothing of what an answer says. Plain HTTP is allowed, as
RFC 5280 section 8 and notary.md 9 have it: what comes is public and signed, and whoever asked checks the signature. No
redirect is followed. Whoever is behind a proxy asks through it (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import stat
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from imgtrust.errors import InputFileError, StoreProtocol, StoreUnavailable, Undecided
from imgtrust.stores.addresses import origin_of
from imgtrust.stores.options import NO_ENVIRONMENT
from imgtrust.stores.proxies import proxy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import urllib3

__all__ = ["MAX_ANSWER", "MAX_KEPT", "MAX_LIST", "ResponderOptions", "Responders", "cache_folder"]

MAX_ANSWER: Final = 256 * 1024
"""The largest answer of a responder."""
MAX_LIST: Final = 32 * 1024 * 1024
"""The largest list."""
MAX_KEPT: Final = 64
"""The most files in the cache; the oldest go first."""
_OK: Final = 200
_PIECE: Final = 64 * 1024
_GRACE: Final = 0.25
"""Seconds that a thread has beyond the time-out to say itself what went wrong."""
_REMEMBERED: Final = 300.0
"""For so many seconds an answer, and that there was none, holds for all images of one process."""
_DAY: Final = 24 * 60 * 60
"""After so many seconds a list is asked for again although it still holds: an authority may have revoked since."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ResponderOptions:
    """How responders are reached.

    ``cache``: a folder for lists, or None. ``answer_timeout`` and ``list_timeout``: seconds for one whole answer
    (notary.md 9), names and headers counted. ``environment``: proxies. ``services``: who is asked where an address has
    this scheme and is no URL (``SCHEME:PLACE``), with the place and the request; ``service_timeout``: seconds for one
    answer of theirs, credentials and tries counted. ``clock``: for tests.
    """

    cache: Path | None = None
    answer_timeout: float = 2.0
    list_timeout: float = 5.0
    service_timeout: float = 30.0
    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT, repr=False)
    services: Mapping[str, Callable[[str, bytes], bytes]] = field(default_factory=dict, repr=False)
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
        """The answer to a DER OCSP request, or the list at a URL where ``request`` is empty; or what a service says.

        ``keep`` says whether bytes may be kept on disk and given again: only a list that verifies and is fresh.

        Raises:
            StoreUnavailable: nobody answered in time, or with an error, or with more than is read.
            InputFileError: the environment names a proxy that is none.
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
        """Ask, or take what was kept: a list of today at once, an older one that still holds where nobody answers."""
        file = None if request or self._options.cache is None else _place(self._options.cache, url)
        kept = None if file is None else _kept(file, keep)
        now = self.now().timestamp()
        if kept is not None and 0 <= now - kept.since < _DAY:
            slot.data = kept.data
        else:
            slot.data, slot.fault = self._asked(url, request)
            if file is not None and slot.data is not None and keep(slot.data):
                _keep(file, slot.data, now)
            elif kept is not None:
                slot.data = kept.data
        slot.until = time.monotonic() + _REMEMBERED

    def _asked(self, url: str, request: bytes) -> tuple[bytes | None, str]:
        """What came, or None and why not, in time whatever the server does.

        A thread asks, and is left alone where it has not finished: urllib3 counts the time of each read, not of all,
        and a server may send a header letter by letter, or the system may look for a name for minutes.
        """
        seconds, fetch = self._way(url, request)
        told: queue.SimpleQueue[tuple[bytes | None, str]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                told.put((fetch(), ""))
            except Undecided as exc:
                told.put((None, str(exc)))
            except Exception as exc:  # noqa: BLE001 - whatever a server's bytes make a library raise is no answer
                told.put((None, f"no answer ({type(exc.__cause__ or exc).__name__})"))

        threading.Thread(target=ask, name="revocation", daemon=True).start()
        try:
            return told.get(timeout=seconds + _GRACE)
        except queue.Empty:
            return None, f"no answer within {seconds:g} seconds"

    def _way(self, url: str, request: bytes) -> tuple[float, Callable[[], bytes]]:
        """How many seconds whoever is at an address has, and how it is asked."""
        scheme, _, place = url.partition(":")
        service = self._options.services.get(scheme)
        if service is not None:
            return self._options.service_timeout, lambda: service(place, request)
        manager = self._manager(url)
        seconds = self._options.answer_timeout if request else self._options.list_timeout
        return seconds, lambda: _fetch(manager, url, request, seconds)

    def _manager(self, url: str) -> urllib3.PoolManager:
        import urllib3  # noqa: PLC0415 - only where somebody is asked

        try:
            proxy = proxy_for(origin_of(url), self._options.environment, plain=True)
        except StoreProtocol:
            proxy = None
        if proxy is None:
            return urllib3.PoolManager()
        try:
            user = urllib3.util.parse_url(proxy).auth
            headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
            return urllib3.ProxyManager(proxy, proxy_headers=headers)
        except (urllib3.exceptions.HTTPError, ValueError) as exc:
            message = "HTTP_PROXY or HTTPS_PROXY does not name a proxy; expected http://HOST:PORT"
            raise InputFileError(message) from exc


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """Where lists are kept: below IMGTRUST_CACHE_DIR, else XDG's cache; None where there is no home."""
    if environment.get("IMGTRUST_CACHE_DIR"):
        return Path(environment["IMGTRUST_CACHE_DIR"]) / "revocation"
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "imgtrust" / "revocation"
    home = environment.get("HOME")
    return Path(home) / ".cache" / "imgtrust" / "revocation" if home else None


def _fetch(manager: urllib3.PoolManager, url: str, request: bytes, seconds: float) -> bytes:
    end = time.monotonic() + seconds
    headers = {"Accept": "application/ocsp-response" if request else "application/pkix-crl, */*"}
    if request:
        headers["Content-Type"] = "application/ocsp-request"
    with manager:
        response = manager.request(
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


class _Kept(NamedTuple):
    """A list on disk that still holds, and when it was written (seconds since 1970)."""

    data: bytes
    since: float


def _kept(file: Path, keep: Callable[[bytes], bool]) -> _Kept | None:
    """The list in a file, where it is one and still holds."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # what is no file, and never answers, is not waited for
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(handle)
            data = stream.read(MAX_LIST + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError:
        return None
    return _Kept(data, status.st_mtime) if len(data) <= MAX_LIST and keep(data) else None


def _keep(file: Path, data: bytes, now: float) -> None:
    """Write a file whole or not at all, for nobody else to read. A cache that cannot be written is none, no fault."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".list-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.utime(name, (now, now))
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _trim(file.parent)


def _trim(folder: Path) -> None:
    """Take out the oldest files where there are too many, and what an end without warning left behind."""
    found = sorted((entry.stat().st_mtime, entry.name) for entry in os.scandir(folder) if entry.is_file())
    for _, name in found[: max(0, len(found) - MAX_KEPT)]:
        (folder / name).unlink(missing_ok=True)
