"""What a signature looks like: bytes to parsed, unverified, and back. Pure.

Knows that a layer goes to the reader of its format (``known``); knows nothing of keys, time or trust.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.errors import Refused
from imgtrust.formats.known import FORMATS, format_of
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence, Signed

__all__ = ["format_of", "read"]


def read(evidence: Evidence) -> Signed:
    """Parse one candidate by the media type of its layer; nothing is verified.

    Raises:
        Refused: the evidence has a problem already, its format is not read here, or it breaks its format.
    """
    if evidence.problem is not None:
        code, reason = evidence.problem
        raise Refused(RefusalCode(code), reason)
    known = FORMATS.get(format_of(evidence.layer.media_type))
    if known is None:
        message = f"signatures of type {evidence.layer.media_type[:100]} are not read by this version"
        raise Refused(RefusalCode.FORMAT_UNSUPPORTED, message)
    return known.read(evidence)
