"""SBOM files: read, and what they are found out or believed.

Knows the files that a person hands over; how an SBOM is recognised is in ``predicates.sbom``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from imgtrust import strict_json
from imgtrust.commands.attest import MAX_PREDICATE
from imgtrust.errors import InputFileError, UsageError
from imgtrust.predicates.sbom import Sbom, recognise, recognise_predicate
from imgtrust.predicates.types import canonical
from imgtrust.signers.material import read_limited

__all__ = ["SBOM_NAMES", "SbomFile", "read_sbom", "recognise_file"]

SBOM_NAMES: Final = ("spdx", "cyclonedx")
"""What ``sbom --type`` takes."""
_XML: Final = {"spdx": "text/spdx+xml", "cyclonedx": "application/vnd.cyclonedx+xml"}
_JSON: Final = {"spdx": "application/spdx+json", "cyclonedx": "application/vnd.cyclonedx+json"}


@dataclass(frozen=True, slots=True)
class SbomFile:
    """An SBOM to attach: its bytes as they are, and the JSON value (or tag-value text) that a statement would hold.

    ``about`` is None where only ``--type`` said what it is. ``predicate`` is None for XML, which no statement holds.
    """

    title: str
    data: bytes = field(repr=False)
    media_type: str
    predicate_type: str
    predicate: object = field(repr=False)
    about: Sbom | None


def read_sbom(path: str, type_name: str | None = None) -> SbomFile:
    """Read an SBOM file: SPDX or CycloneDX as JSON, SPDX tag-value; with ``type_name`` also what is not recognised.

    Raises:
        UsageError: no such type, or the file is of the other one.
        InputFileError: the file cannot be read, or it cannot be told what it is.
    """
    if type_name is not None and type_name not in SBOM_NAMES:
        message = f"{type_name[:32]!r} is no type of SBOM; expected {' or '.join(SBOM_NAMES)}"
        raise UsageError(message)
    data = read_limited(path, "SBOM", MAX_PREDICATE)
    title = PurePath(path).name
    try:
        about: Sbom | None = recognise_file(data)
    except InputFileError as exc:
        if type_name is None:
            message = f"{path}: {exc}; if it is an SBOM nevertheless, say which with --type {'|'.join(SBOM_NAMES)}"
            raise InputFileError(message) from exc
        about = None
    if about is None:
        return _by_name(title, data, str(type_name))
    if type_name not in {None, about.format}:
        message = f"{path} is an SBOM of type {about.format}, not {type_name}"
        raise UsageError(message)
    predicate: object = data.decode() if about.media_type == "text/spdx" else strict_json.loads(data)
    return SbomFile(title, data, about.media_type, about.predicate_type, predicate, about)


def recognise_file(data: bytes) -> Sbom:
    """Recognise JSON, else SPDX tag-value.

    Raises:
        InputFileError: it is neither, or no SBOM.
    """
    try:
        return recognise(data)
    except InputFileError:
        text = data.decode("utf-8", "replace")
        found = recognise_predicate(text) if text.encode() == data else None
        if found is None:
            raise
        return found


def _by_name(title: str, data: bytes, type_name: str) -> SbomFile:
    """An SBOM of which only its sender says what it is."""
    uri = canonical(type_name)
    try:
        return SbomFile(title, data, _JSON[type_name], uri, strict_json.loads(data), None)
    except strict_json.StrictJsonError:
        return SbomFile(title, data, _XML[type_name], uri, None, None)
