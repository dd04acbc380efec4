"""Files of a TUF repository: where a Sigstore instance publishes its trusted root and its signing config.

Knows The Update Framework through python-tuf's client, and hands it bytes over our own wire; must not decide what is
done with a file. Believed is what an unbroken chain of roots vouches for, from the root that is given to the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from imgtrust.errors import OutputFileError, ServiceError
from imgtrust.signers.wire import NoAnswer, Unusable, Wire, WireOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

__all__ = ["MAX_TARGET", "Published", "fetch_targets"]

MAX_TARGET: Final = 8 * 1024 * 1024
"""The largest file that is fetched, in bytes."""
_BAD: Final = 400
_ROLES: Final = ("root", "timestamp", "snapshot", "targets")


@dataclass(frozen=True, slots=True)
class Published:
    """What a repository vouches for now.

    ``files`` by name (those that it has); ``root_version`` of its own root; ``fresh_until``: the end of its
    shortest-lived metadata, when it has to be asked again.
    """

    files: dict[str, bytes] = field(repr=False)
    root_version: int
    fresh_until: datetime


def fetch_targets(url: str, root: bytes, folder: Path, names: Sequence[str], options: WireOptions) -> Published:
    """Refresh a repository's metadata in ``folder`` and fetch files from it; nothing is fetched that is there already.

    ``root`` is the TUF root that is trusted to begin with. The folder keeps what was seen last, so that an older state
    is refused (rollback).

    Raises:
        UsageError: the URL is not one that is used.
        OutputFileError: the folder cannot be written.
        ServiceError: no answer, or something that the chain of roots does not vouch for.
    """
    from tuf.api import exceptions  # noqa: PLC0415 - only where trust is refreshed

    base = url.rstrip("/")
    wire = Wire(base, "TUF repository", options)
    try:
        return _refresh(base, root, folder, names, wire)
    except exceptions.DownloadError as exc:
        reason = str(exc.__cause__ or exc)[:300]
        message = f"the TUF repository {base} could not be read: {reason}; nothing was changed, run it again"
        raise ServiceError(message) from exc
    except (exceptions.RepositoryError, ValueError) as exc:
        message = f"the TUF repository {base} is not believed: {str(exc)[:300]}; nothing was changed"
        raise ServiceError(message) from exc
    except OSError as exc:
        message = f"cannot keep what is known of the TUF repository in {str(folder)!r}: {exc.strerror or exc}"
        raise OutputFileError(message) from exc
    finally:
        wire.close()


class _Unreached(Exception):
    """There was no answer; the message may be shown."""


def _refresh(base: str, root: bytes, folder: Path, names: Sequence[str], wire: Wire) -> Published:
    from tuf.api.metadata import Metadata  # noqa: PLC0415 - as above
    from tuf.ngclient import Updater  # noqa: PLC0415 - as above

    metadata, targets = folder / "metadata", folder / "targets"
    metadata.mkdir(parents=True, exist_ok=True)
    targets.mkdir(exist_ok=True)
    updater = Updater(str(metadata), base, str(targets), f"{base}/targets", fetcher=_fetcher(wire), bootstrap=root)
    updater.refresh()
    files = {}
    for name in names:
        info = updater.get_targetinfo(name)
        if info is None:
            continue
        if info.length > MAX_TARGET:
            message = f"{name} has {info.length} bytes, expected at most {MAX_TARGET}"
            raise ValueError(message)
        path = updater.find_cached_target(info) or updater.download_target(info)
        files[name] = Path(path).read_bytes()
    kept = [Metadata.from_file(str(metadata / f"{role}.json")).signed for role in _ROLES]
    return Published(files, kept[0].version, min(each.expires for each in kept))


def _fetcher(wire: Wire) -> Any:  # noqa: ANN401 - of a class that exists only once python-tuf is imported
    """What python-tuf fetches with."""
    from tuf.api import exceptions  # noqa: PLC0415 - as above
    from tuf.ngclient import FetcherInterface  # noqa: PLC0415 - as above

    class Fetcher(FetcherInterface):
        """Bytes over our own wire: bounded in time and tries, through the proxy that is meant."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            try:
                answer = wire.send("GET", url, None, {}, MAX_TARGET)
            except (NoAnswer, Unusable) as exc:
                raise _Unreached(str(exc)) from exc
            if answer.status >= _BAD:
                message = f"it answered {answer.status}"
                raise exceptions.DownloadHTTPError(message, answer.status)
            return iter((answer.body,))

    return Fetcher()
