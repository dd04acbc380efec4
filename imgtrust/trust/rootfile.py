"""The JSON of a Sigstore trusted root, read with a type. Pure.

Knows protobuf-specs ``sigstore_trustroot.proto`` in its JSON form (cosign.md 1f) as far as its members go; knows
nothing of what is believed because of them. Everything that a file breaks is an ``InputFileError`` that names it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import InputFileError
from imgtrust.formats.members import decode_base64

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

__all__ = [
    "MAX_ANCHORS",
    "MAX_ROOT_BYTES",
    "chain_of",
    "check_size",
    "common_name",
    "data_of",
    "load_chain",
    "object_of",
    "objects",
    "read_root",
    "text_of",
    "window_of",
]

MAX_ROOT_BYTES: Final = 4 * 1024 * 1024
"""The largest trusted root or chain file that is read; the public-good one has 7,000 bytes."""
MAX_ANCHORS: Final = 256
"""The most anchors of one kind, and the most certificates of one chain file."""

_MEDIA_TYPES: Final = frozenset(
    {
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    }
)
_DER: Final = re.compile(rb"\x30[\x80-\xff]")
"""A SEQUENCE with a length in the long form, as every certificate has; no text begins so."""


def check_size(data: bytes, name: str) -> None:
    """Refuse a file that is larger than any root.

    Raises:
        InputFileError: larger than ``MAX_ROOT_BYTES``.
    """
    if len(data) > MAX_ROOT_BYTES:
        message = f"{name}: {len(data)} bytes, expected at most {MAX_ROOT_BYTES}"
        raise InputFileError(message)


def read_root(data: bytes, name: str) -> Mapping[str, object]:
    """The members of a trusted root; ``name`` names the file in messages.

    Raises:
        InputFileError: too large, not JSON with one reading, or of another media type.
    """
    check_size(data, name)
    try:
        members = object_of(strict_json.loads(data), name)
    except strict_json.StrictJsonError as exc:
        message = f"{name}: {exc}; expected a Sigstore trusted root"
        raise InputFileError(message) from exc
    media_type = text_of(members, "mediaType", name)
    if media_type not in _MEDIA_TYPES:
        message = f"{name}: mediaType is {media_type[:80]!r}, expected that of a Sigstore trusted root"
        raise InputFileError(message)
    return members


def object_of(value: object, what: str) -> Mapping[str, object]:
    """The value, if it is a JSON object.

    Raises:
        InputFileError: it is something else.
    """
    if not isinstance(value, dict):
        message = f"{what}: expected a JSON object, found {type(value).__name__}"
        raise InputFileError(message)
    return value


def objects(members: Mapping[str, object], name: str, what: str) -> tuple[Mapping[str, object], ...]:
    """A list of at most ``MAX_ANCHORS`` objects; empty where absent.

    Raises:
        InputFileError: it is something else.
    """
    value = members.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_ANCHORS:
        message = f"{what}: {name} is not a list of at most {MAX_ANCHORS} entries"
        raise InputFileError(message)
    return tuple(object_of(item, f"{name}[{number}] of {what}") for number, item in enumerate(value))


def text_of(members: Mapping[str, object], name: str, what: str) -> str:
    """A string; empty where absent.

    Raises:
        InputFileError: it is something else.
    """
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        message = f"{what}: {name} is not a string"
        raise InputFileError(message)
    return value


def data_of(members: Mapping[str, object], name: str, what: str) -> bytes:
    """Bytes in base64; empty where absent.

    Raises:
        InputFileError: it is something else.
    """
    data = decode_base64(text_of(members, name, what))
    if data is None:
        message = f"{what}: {name} is not base64"
        raise InputFileError(message)
    return data


def window_of(members: Mapping[str, object], what: str) -> tuple[datetime | None, datetime | None]:
    """``validFor``: both ends inclusive, an absent one is open (cosign.md 1f).

    Raises:
        InputFileError: an end is no time, or has no zone.
    """
    period = members.get("validFor")
    if period is None:
        return None, None
    found = object_of(period, f"validFor of {what}")
    return _moment(found, "start", what), _moment(found, "end", what)


def chain_of(entry: Mapping[str, object], what: str) -> tuple[bytes, ...]:
    """``certChain`` as DER: the leaf or issuing authority first, the root last.

    Raises:
        InputFileError: there is none, or a certificate cannot be read.
    """
    chain = object_of(entry.get("certChain"), f"certChain of {what}")
    found = tuple(data_of(each, "rawBytes", what) for each in objects(chain, "certificates", what))
    if not found:
        message = f"{what}: no certificates"
        raise InputFileError(message)
    for der in found:
        _loaded(der, what, pem=False)
    return found


def load_chain(data: bytes, what: str) -> Sequence[x509.Certificate]:
    """The certificates of a PEM text, or the one that is DER; their names and extensions can be read as well.

    What begins as DER is DER, whatever PEM stands in it, as other tools read it; all else is taken for PEM.

    Raises:
        InputFileError: none that can be read, or more than ``MAX_ANCHORS``.
    """
    return _loaded(data, what, pem=not _DER.match(data))


def _loaded(data: bytes, what: str, *, pem: bool) -> Sequence[x509.Certificate]:
    from cryptography import x509  # noqa: PLC0415 - 40 ms that a run with bare keys does not need

    try:
        found = x509.load_pem_x509_certificates(data) if pem else [x509.load_der_x509_certificate(data)]
        for each in found:  # cryptography reads these only when it is asked, and raises then
            _ = each.subject, each.issuer, each.extensions
    except Exception as exc:  # what cryptography raises is decided by the bytes (InvalidVersion is no ValueError)
        message = f"{what}: not a certificate that can be read; expected PEM"
        raise InputFileError(message) from exc
    if len(found) > MAX_ANCHORS:
        message = f"{what}: {len(found)} certificates, expected at most {MAX_ANCHORS}"
        raise InputFileError(message)
    return found


def common_name(der: bytes) -> str:
    """The common name of a certificate's subject; empty where it has none."""
    from cryptography import x509  # noqa: PLC0415 - as above

    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _moment(members: Mapping[str, object], name: str, what: str) -> datetime | None:
    written = text_of(members, name, what)
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        message = f"{what}: {name} {written[:40]!r} is no time"
        raise InputFileError(message) from exc
    message = f"{what}: {name} {written[:40]!r} has no time zone"
    raise InputFileError(message)
