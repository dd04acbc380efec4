"""What a signature looks like: bytes to parsed, unverified, and back. Pure.

Knows which reader belongs to which media type; knows nothing of keys, time or trust. A new format is one module and
one row of ``_READERS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.evidence import Format
from imgtrust.formats import bundle, simplesigning
from imgtrust.formats.mediatypes import format_of
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.evidence import Evidence, Signed

__all__ = ["format_of", "read"]


def _jws(evidence: Evidence) -> Signed:
    from imgtrust.formats import notaryjws  # noqa: PLC0415 - most images have no Notary signature

    return notaryjws.read(evidence)


def _cose(evidence: Evidence) -> Signed:
    from imgtrust.formats import notarycose  # noqa: PLC0415 - as above

    return notarycose.read(evidence)


_READERS: Final[dict[Format, Callable[[Evidence], Signed]]] = {
    Format.BUNDLE: bundle.read,
    Format.SIMPLESIGNING: simplesigning.read,
    Format.NOTARY_JWS: _jws,
    Format.NOTARY_COSE: _cose,
}


def read(evidence: Evidence) -> Signed:
    """Parse one candidate by the media type of its layer; nothing is verified.

    Raises:
        Refused: the evidence has a problem already, its format is not read here, or it breaks its format.
    """
    if evidence.problem is not None:
        code, reason = evidence.problem
        raise Refused(RefusalCode(code), reason)
    reader = _READERS.get(format_of(evidence.layer.media_type))
    if reader is None:
        message = f"signatures of type {evidence.layer.media_type[:100]} are not read by this version"
        raise Refused(RefusalCode.FORMAT_UNSUPPORTED, message)
    return reader(evidence)
