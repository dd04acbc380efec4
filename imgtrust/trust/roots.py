"""What is trusted: the keys and authorities under which evidence is judged. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgtrust.trust.keys import TrustedKey
    from imgtrust.trust.times import TimestampAuthority

__all__ = ["TrustRoot"]


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """All anchors of one judgement."""

    keys: tuple[TrustedKey, ...] = ()
    authorities: tuple[TimestampAuthority, ...] = ()
