"""The trust anchors that come with imgtrust (``keys/`` of the repository, ``imgtrust/keys`` once installed).

Knows where they lie; trusts none of them: a policy has to name what it trusts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import imgtrust

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["packaged_anchors"]

_PACKAGE: Final = Path(imgtrust.__file__).parent
_PLACES: Final = (_PACKAGE / "keys", _PACKAGE.parent / "keys")


def packaged_anchors() -> Iterator[tuple[str, bytes]]:
    """The trusted roots that are packaged, by their file's name, in its order."""
    place = next((place for place in _PLACES if place.is_dir()), None)
    if place is not None:
        for file in sorted(place.glob("*.json")):
            yield file.name, file.read_bytes()
