"""Members of JSON objects, read with a type and refused with a code. Pure.

Knows JSON's types and protojson's rule that an absent, null and zero member are the same; knows no format.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.refusals import RefusalCode

__all__ = ["Members", "decode_base64", "read_object"]

_SHOWN: Final = 80
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MAX_INT64: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Members:
    """One JSON object; ``what`` names it in reasons, ``code`` is what a broken member is refused with."""

    values: Mapping[str, object]
    what: str
    code: RefusalCode

    def refuse(self, fault: str) -> Refused:
        """The refusal of this object for a fault."""
        return Refused(self.code, f"{self.what}: {fault}")

    def only(self, *names: str) -> None:
        """Refuse every member that is not named, so that nothing is overlooked.

        Raises:
            Refused: there is another one.
        """
        for name in self.values:
            if name not in names:
                message = f"unknown member {name[:_SHOWN]!r}"
                raise self.refuse(message)

    def text(self, name: str) -> str:
        """A string; empty where absent.

        Raises:
            Refused: of another type.
        """
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            message = f"{name} is a {type(value).__name__}, expected a string"
            raise self.refuse(message)
        return value

    def data(self, name: str) -> bytes:
        """Bytes in base64; empty where absent.

        Raises:
            Refused: not a string of strict base64.
        """
        text = self.text(name)
        decoded = decode_base64(text)
        if decoded is None:
            message = f"{name} is not base64"
            raise self.refuse(message)
        return decoded

    def data_list(self, name: str, limit: int) -> tuple[bytes, ...]:
        """A list of at most ``limit`` byte strings in base64; empty where absent.

        Raises:
            Refused: not a list, too many, or something else than strict base64 in it.
        """
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > limit:
            message = f"{name} is not a list of at most {limit} strings"
            raise self.refuse(message)
        found = [decode_base64(each) if isinstance(each, str) else None for each in value]
        if None in found:
            message = f"{name} has something that is not base64"
            raise self.refuse(message)
        return tuple(each for each in found if each is not None)

    def number(self, name: str) -> int:
        """A protojson int64 that is not negative, as a string or as a number; 0 where absent.

        Raises:
            Refused: of another type, negative, or beyond 64 bits.
        """
        value = self.values.get(name)
        if value is None:
            return 0
        found = int(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
        if type(found) is not int or not 0 <= found <= _MAX_INT64:
            message = f"{name} is {str(value)[:_SHOWN]!r}, expected a whole number from 0 to {_MAX_INT64}"
            raise self.refuse(message)
        return found

    def child(self, name: str) -> Members | None:
        """An object; None where absent.

        Raises:
            Refused: of another type.
        """
        value = self.values.get(name)
        return None if value is None else self._object(value, name)

    def children(self, name: str, limit: int) -> tuple[Members, ...]:
        """A list of at most ``limit`` objects; empty where absent.

        Raises:
            Refused: not a list, something else than objects in it, or too many.
        """
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            message = f"{name} is a {type(value).__name__}, expected a list"
            raise self.refuse(message)
        if len(value) > limit:
            message = f"{len(value)} {name}, expected at most {limit}"
            raise self.refuse(message)
        return tuple(self._object(item, name) for item in value)

    def _object(self, value: object, name: str) -> Members:
        if not isinstance(value, dict):
            message = f"{name} is a {type(value).__name__}, expected an object"
            raise self.refuse(message)
        return Members(value, f"{name} of {self.what}", self.code)


def read_object(data: bytes, what: str, code: RefusalCode) -> Members:
    """Read bytes as one JSON object with one reading.

    Raises:
        Refused: they are not.
    """
    try:
        value = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        raise Refused(code, f"{what}: {exc}") from exc
    if not isinstance(value, dict):
        raise Refused(code, f"{what}: a {type(value).__name__}, expected a JSON object")
    return Members(value, what, code)


def decode_base64(text: str) -> bytes | None:
    """Decode standard base64 with padding (RFC 4648 section 4), in its one canonical spelling; None for any other."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return decoded if base64.b64encode(decoded).decode("ascii") == text else None
