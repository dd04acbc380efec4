"""SBOMs: recognising one, and what it says of itself in one line. Pure.

Knows the outer members of SPDX 2.2 and 2.3 and of CycloneDX 1.4 to 1.6, each as JSON, and of SPDX tag-value, which
cosign stores as a string; knows nothing of components.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import InputFileError
from imgtrust.predicates.types import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CYCLONEDX_VERSIONS", "SPDX_VERSIONS", "Sbom", "recognise", "recognise_predicate"]

SPDX_VERSIONS: Final = ("2.2", "2.3")
CYCLONEDX_VERSIONS: Final = ("1.4", "1.5", "1.6")

_SPDX_TYPE: Final = "application/spdx+json"
_SPDX_TEXT_TYPE: Final = "text/spdx"
_CYCLONEDX_TYPE: Final = "application/vnd.cyclonedx+json"
_PREFIX: Final = "SPDX-"
_TAG: Final = re.compile(r"^(SPDXVersion|DocumentName|PackageName):(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sbom:
    """What an SBOM says of itself. ``format``: ``spdx`` or ``cyclonedx``; ``components`` counts the top level only."""

    format: str
    version: str
    name: str
    components: int
    predicate_type: str
    media_type: str


def recognise(data: bytes) -> Sbom:
    """Recognise an SBOM file that is JSON.

    Raises:
        InputFileError: not JSON with one reading, or no SBOM of a format and version that is known; the message says
            what it is instead where that can be told.
    """
    try:
        document = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        raise InputFileError(_not_json(data, str(exc))) from exc
    found = recognise_predicate(document)
    if found is None:
        raise InputFileError(_unknown(document))
    return found


def recognise_predicate(predicate: object) -> Sbom | None:
    """Recognise the predicate of a statement: an object, or a string of SPDX tag-value; None where it is no SBOM."""
    if isinstance(predicate, str):
        return _tag_value(predicate)
    if not isinstance(predicate, dict):
        return None
    if predicate.get("SPDXID") == "SPDXRef-DOCUMENT":
        version = _version(_text(predicate, "spdxVersion"))
        name, packages = _text(predicate, "name"), _count(predicate, "packages")
        return Sbom("spdx", version, name, packages, canonical("spdx"), _SPDX_TYPE) if version else None
    version = _text(predicate, "specVersion")
    if predicate.get("bomFormat") != "CycloneDX" or version not in CYCLONEDX_VERSIONS:
        return None
    count = _count(predicate, "components")
    return Sbom("cyclonedx", version, _subject(predicate), count, canonical("cyclonedx"), _CYCLONEDX_TYPE)


def _version(text: str) -> str | None:
    """The number in ``SPDX-2.3``; None where it is not one that is known."""
    number = text.removeprefix(_PREFIX)
    return number if number in SPDX_VERSIONS and text.startswith(_PREFIX) else None


def _tag_value(text: str) -> Sbom | None:
    """SPDX tag-value: its version stands in the first line."""
    if not text.startswith("SPDXVersion:"):
        return None
    tags = [(tag, value.strip()) for tag, value in _TAG.findall(text)]
    version = _version(tags[0][1])
    if version is None:
        return None
    name = next((value for tag, value in tags if tag == "DocumentName"), "")
    packages = sum(tag == "PackageName" for tag, _ in tags)
    return Sbom("spdx", version, name, packages, canonical("spdx"), _SPDX_TEXT_TYPE)


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _count(document: Mapping[str, object], name: str) -> int:
    value = document.get(name)
    return len(value) if isinstance(value, list) else 0


def _subject(document: Mapping[str, object]) -> str:
    """The name of the component that a CycloneDX document is about."""
    match document.get("metadata"):
        case {"component": {"name": str(name)}}:
            return name
        case _:
            return ""


def _not_json(data: bytes, fault: str) -> str:
    if data.startswith(b"SPDXVersion:"):
        return "the SBOM is SPDX tag-value, expected JSON; convert it, or use attest with --type spdx"
    if data.lstrip().startswith(b"<"):
        return "the SBOM is XML, expected JSON; convert it first"
    return f"the SBOM cannot be read: {fault}"


def _unknown(document: object) -> str:
    expected = f"expected SPDX {' or '.join(SPDX_VERSIONS)} or CycloneDX {', '.join(CYCLONEDX_VERSIONS)}, as JSON"
    match document:
        case {"spdxVersion": version}:
            return f"an SPDX document of version {str(version)[:40]!r} or without SPDXID SPDXRef-DOCUMENT; {expected}"
        case {"bomFormat": "CycloneDX", "specVersion": version}:
            return f"a CycloneDX document of version {str(version)[:40]!r}; {expected}"
        case {"@context": _}:
            return f"a JSON-LD document (SPDX 3?); {expected}"
        case {"artifacts": _, "descriptor": _}:
            return f"a document in syft's own format; {expected}"
        case _:
            return f"no SBOM; {expected}"
