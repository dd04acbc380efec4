"""``trust update``: the newest trusted root and signing config of a Sigstore instance, as files.

Knows where an instance publishes them and where they are written; uses none of them: a policy or an option has to name
the file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from imgtrust.commands.anchors import packaged_tuf_root
from imgtrust.commands.outfile import OutFile
from imgtrust.errors import InputFileError, OutputFileError, ServiceError, UsageError
from imgtrust.signers.material import read_limited
from imgtrust.signers.signingconfig import read_signing_config

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.signers.wire import WireOptions

__all__ = ["PUBLIC_GOOD_URL", "Refreshed", "refresh_trust"]

PUBLIC_GOOD_URL: Final = "https://tuf-repo-cdn.sigstore.dev"
_TRUSTED_ROOT: Final = "trusted_root.json"
_SIGNING_CONFIG: Final = "signing_config.v0.2.json"
_MAX_TUF_ROOT: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One file that was written: what it is, where, its SHA-256, and whether it is another than before."""

    kind: str
    path: Path
    sha256: str
    changed: bool
    root_version: int
    fresh_until: datetime


def refresh_trust(
    folder: Path, options: WireOptions, *, url: str | None = None, root: str | None = None, at: datetime
) -> tuple[Refreshed, ...]:
    """Fetch what an instance publishes and write it to ``folder/HOST``, each file whole or not at all.

    Without ``url`` the public good instance is asked, from the TUF root that comes with imgtrust; with it ``root``
    names the file with the TUF root to begin with.

    Raises:
        UsageError: a URL without a root, or one that is not used.
        InputFileError: the root cannot be read.
        OutputFileError: a file cannot be written.
        ServiceError: no answer, or what the chain of roots does not vouch for, or what cannot be read here.
    """
    first = _first_root(url, root)
    url = PUBLIC_GOOD_URL if url is None else url
    from imgtrust.signers.tuf import fetch_targets  # noqa: PLC0415 - after the options are known to be good

    here = folder / quote(urlsplit(url).netloc, safe="")
    found = fetch_targets(url, first, here / "tuf", (_TRUSTED_ROOT, _SIGNING_CONFIG), options)
    if _TRUSTED_ROOT not in found.files:
        message = f"the TUF repository {url} has no {_TRUSTED_ROOT}; nothing was changed"
        raise ServiceError(message)
    _check(found.files, url, at)
    return tuple(
        Refreshed(
            kind,
            here / name,
            hashlib.sha256(found.files[name]).hexdigest(),
            _write(here / name, found.files[name]),
            found.root_version,
            found.fresh_until.astimezone(UTC),
        )
        for kind, name in (("trusted-root", _TRUSTED_ROOT), ("signing-config", _SIGNING_CONFIG))
        if name in found.files
    )


def _first_root(url: str | None, root: str | None) -> bytes:
    """The TUF root that is trusted to begin with."""
    if root is not None:
        return read_limited(root, "TUF root", _MAX_TUF_ROOT)
    if url is not None and url.rstrip("/") != PUBLIC_GOOD_URL:
        message = f"--url {url} needs --root FILE: the TUF root of that repository, got by a way that you trust"
        raise UsageError(message)
    return packaged_tuf_root("public-good")


def _check(files: dict[str, bytes], url: str, at: datetime) -> None:
    """Both can be read by this version, so that nothing is replaced by what cannot be used."""
    from imgtrust.trust.roots import parse_sigstore_root  # noqa: PLC0415 - X.509 is slow to import

    try:
        parse_sigstore_root(files[_TRUSTED_ROOT], f"{_TRUSTED_ROOT} of {url}")
        if _SIGNING_CONFIG in files:
            read_signing_config(files[_SIGNING_CONFIG], f"{_SIGNING_CONFIG} of {url}", at=at)
    except InputFileError as exc:
        message = f"what the TUF repository publishes cannot be read by this version: {exc}; nothing was changed"
        raise ServiceError(message) from exc


def _write(path: Path, data: bytes) -> bool:
    """Write a file unless it is there as it is; whether it changed."""
    try:
        before = path.read_bytes() if path.is_file() else None
    except OSError as exc:
        message = f"cannot read {str(path)!r}: {exc.strerror}"
        raise OutputFileError(message) from exc
    if before == data:
        return False
    with OutFile(str(path)) as out:
        out.write(data)
        out.keep()
    return True
