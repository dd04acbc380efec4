"""The signature formats that are read: a row for each, with all that the rest of the house asks of a format. Pure.

Knows what each is called, which layers hold it, who reads it, and how a key's signature in it is refused; reads nothing
itself. A new format is one module with its reader, and one row of ``FORMATS``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Format
from imgtrust.formats import bundle, simplesigning
from imgtrust.formats.mediatypes import (
    BUNDLE_FAMILY,
    DSSE_LAYER,
    NOTARY_COSE_LAYER,
    NOTARY_JWS_LAYER,
    SIMPLESIGNING_LAYER,
)
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Evidence, Signed

__all__ = ["FORMATS", "Known", "format_of", "in_words"]


@dataclass(frozen=True, slots=True)
class Known:
    """A format: its name for people, the media types of its layers (matched whole), its reader, and two refusals.

    ``untrusted``: a key made the signature, and no trusted one. ``bad``: it is no signature, or it names a trusted key
    that did not make it.
    """

    words: str
    layers: re.Pattern[str]
    read: Callable[[Evidence], Signed]
    untrusted: RefusalCode
    bad: RefusalCode


def _jws(evidence: Evidence) -> Signed:
    from imgtrust.formats import notaryjws  # noqa: PLC0415 - most images have no Notary signature

    return notaryjws.read(evidence)


def _cose(evidence: Evidence) -> Signed:
    from imgtrust.formats import notarycose  # noqa: PLC0415 - as above

    return notarycose.read(evidence)


FORMATS: Final = {
    Format.BUNDLE: Known(
        "Sigstore bundle",
        re.compile(rf"{re.escape(BUNDLE_FAMILY)}(?:[.+].*)?"),
        bundle.read,
        RefusalCode.BUNDLE_UNTRUSTED_KEY,
        RefusalCode.BUNDLE_BAD_SIGNATURE,
    ),
    Format.SIMPLESIGNING: Known(
        "cosign legacy",
        re.compile(f"{re.escape(SIMPLESIGNING_LAYER)}|{re.escape(DSSE_LAYER)}"),
        simplesigning.read,
        RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY,
        RefusalCode.SIMPLESIGNING_BAD_SIGNATURE,
    ),
    Format.NOTARY_JWS: Known(
        "Notary JWS",
        re.compile(re.escape(NOTARY_JWS_LAYER)),
        _jws,
        RefusalCode.NOTARY_UNTRUSTED,
        RefusalCode.NOTARY_BAD_SIGNATURE,
    ),
    Format.NOTARY_COSE: Known(
        "Notary COSE",
        re.compile(re.escape(NOTARY_COSE_LAYER)),
        _cose,
        RefusalCode.NOTARY_UNTRUSTED,
        RefusalCode.NOTARY_BAD_SIGNATURE,
    ),
}
"""All bundle versions are of one family: which of them is read is decided by the bundle's own media type."""


def format_of(layer_media_type: str) -> Format:
    """The format that a layer of this media type claims to be; ``Format.UNKNOWN`` where none."""
    for name, known in FORMATS.items():
        if known.layers.fullmatch(layer_media_type):
            return name
    return Format.UNKNOWN


def in_words(name: Format) -> str:
    """What a format is called for people."""
    known = FORMATS.get(name)
    return "unknown format" if known is None else known.words
