"""The trust anchors that come with imgtrust (``keys/`` of the repository, ``imgtrust/keys`` once installed).

Knows where they lie; trusts none of them: a policy has to name what it trusts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import imgtrust
from imgtrust.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "packaged_anchors",
    "packaged_certificates",
    "packaged_root",
    "packaged_signing_config",
    "packaged_tuf_root",
]

_PACKAGE: Final = Path(imgtrust.__file__).parent
_PLACES: Final = (_PACKAGE / "keys", _PACKAGE.parent / "keys")


def packaged_anchors() -> Iterator[tuple[str, bytes]]:
    """The trusted roots that are packaged, by their file's name, in its order."""
    return _files("*.trusted_root.json")


def packaged_certificates() -> Iterator[tuple[str, bytes]]:
    """The certificates that are packaged (PEM), by their file's name, in its order."""
    return _files("*.pem")


def packaged_root(name: str) -> bytes:
    """The packaged trusted root of a Sigstore instance.

    Raises:
        InputFileError: there is none of that name.
    """
    for file, data in packaged_anchors():
        if name in file:
            return data
    message = f"the trusted root {name} is not packaged with this imgtrust; name a file with --trusted-root"
    raise InputFileError(message)


def packaged_signing_config(name: str) -> bytes:
    """The packaged signing config of a Sigstore instance: where its services are.

    Raises:
        InputFileError: there is none of that name.
    """
    return _packaged(name, ".signing_config.json", "--signing-config FILE")


def packaged_tuf_root(name: str) -> bytes:
    """The packaged TUF root of a Sigstore instance: whose signatures on its newer roots are believed.

    Raises:
        InputFileError: there is none of that name.
    """
    return _packaged(name, ".tuf_root.json", "--root FILE")


def _packaged(name: str, suffix: str, instead: str) -> bytes:
    for file, data in _files(f"*{suffix}"):
        if name in file:
            return data
    message = f"{name}{suffix} is not packaged with this imgtrust; give {instead}"
    raise InputFileError(message)


def _files(pattern: str) -> Iterator[tuple[str, bytes]]:
    place = next((place for place in _PLACES if place.is_dir()), None)
    if place is not None:
        for file in sorted(place.glob(pattern)):
            yield file.name, file.read_bytes()
