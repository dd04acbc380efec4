"""One change of any bytes, as deep as they are understood: JSON, DER, CBOR, PEM, base64 and text, in each other.

A string of a JSON document that is base64 of DER is decoded, changed as DER and encoded again, and so on inwards. The
same random numbers make the same change.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from tests.fuzz.cbortree import change_cbor, read_cbor
from tests.fuzz.dertree import change_der, read_der
from tests.fuzz.jsontext import change_json, read_json
from tests.fuzz.octets import change_octets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

__all__ = ["Mutator"]

_DEEPEST: Final = 7
_BLIND: Final = (0.08, 0.2)
"""How often bytes are changed without a look at what they are: a whole document, and what is inside of one."""
_AS_PEM: Final = 0.01
"""How often DER becomes PEM."""
_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4}){3,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_BASE64URL: Final = re.compile(rb"[A-Za-z0-9_-]{16,}")
_PEM: Final = re.compile(rb"(-----BEGIN [A-Z0-9 ]+-----\n)([A-Za-z0-9+/=\n]+)(-----END [A-Z0-9 ]+-----\n?)")
_WORDS: Final = re.compile(rb"[A-Za-z0-9+/=_.:@-]+")
_SPACES: Final = (b"\n", b"\r\n", b"\n\n", b" ", b"\t", b"\x00", b"\xc2\xa0", b"\xe2\x80\xa8")


class Mutator:
    """Makes the changes of one case; ``donors`` are what parts are taken from."""

    def __init__(self, random: Random, donors: Sequence[bytes], words: Sequence[bytes] = ()) -> None:
        self.random = random
        self._donors = donors
        self._words = words

    def several(self, data: bytes) -> bytes:
        """One change, now and then a few; not the same bytes, if that can be helped."""
        made = data
        for _ in range(self.count()):
            made = self.change(made)
        return self.change(made) if made == data else made

    def count(self) -> int:
        """How many changes a case has: mostly one."""
        drawn = self.random.random()
        return 1 if drawn < 0.7 else self.random.randrange(2, 4) if drawn < 0.95 else self.random.randrange(4, 9)

    def change(self, data: bytes, depth: int = 0) -> bytes:
        """One change, at any depth."""
        if depth < _DEEPEST and data and self.random.random() >= _BLIND[depth > 0]:
            found = self._understood(data, depth)
            if found is not None:
                return found
        return change_octets(self.random, data, self._donor())

    def text(self, text: str, depth: int = 0) -> str:
        """One change of a text."""
        return self.change(text.encode("utf-8", "surrogatepass"), depth).decode("utf-8", "replace")

    def _donor(self) -> bytes:
        return self.random.choice(self._donors) if self._donors else b""

    def _understood(self, data: bytes, depth: int) -> bytes | None:
        """A change that knows what the bytes are; None where nobody does."""
        first = data[0]
        if first in b"{[" and (value := read_json(data)) is not None:
            donor = read_json(self._donor()) if self.random.random() < 0.3 else None
            return change_json(self.random, value, value if donor is None else donor, lambda t: self.text(t, depth + 1))
        if first in (0x02, 0x04, 0x06, 0x30, 0x31, 0xA0) and (nodes := read_der(data)):
            if self.random.random() < _AS_PEM:
                return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"
            return change_der(self.random, nodes, self._donor())
        if first >= 0x80 and (item := read_cbor(data)) is not None:
            return change_cbor(self.random, item, lambda inner: self.change(inner, depth + 1))
        return self._written(data, depth)

    def _written(self, data: bytes, depth: int) -> bytes | None:
        """A change of something in letters: PEM, base64, or any text."""
        if b"-----BEGIN" in data and (blocks := list(_PEM.finditer(data))):
            return self._pem(data, blocks, depth)
        if _BASE64.fullmatch(data):
            return self._base64(data, depth, base64.b64encode)
        if _BASE64URL.fullmatch(data):
            return self._base64(data, depth, lambda inner: base64.urlsafe_b64encode(inner).rstrip(b"="))
        if data.isascii() or b"\n" in data:
            return self._lines(data, depth)
        return None

    def _pem(self, data: bytes, blocks: Sequence[re.Match[bytes]], depth: int) -> bytes:
        """One block decoded, changed and encoded again; or blocks twice, missing or in another order."""
        block = self.random.choice(blocks)
        match self.random.randrange(6):
            case 0:
                return data[: block.start()] + data[block.end() :]
            case 1:
                return data + block.group()
            case 2:
                return block.group() + data[: block.start()] + data[block.end() :]
            case _:
                der = _decoded(block[2])
                body = block[2][:-5] if der is None else base64.encodebytes(self.change(der, depth + 1))
                return data[: block.start()] + block[1] + body + block[3] + data[block.end() :]

    def _base64(self, data: bytes, depth: int, encode: Callable[[bytes], bytes]) -> bytes | None:
        """What is inside, changed; or the same bytes in another spelling."""
        drawn = self.random.random()
        if drawn < 0.15:
            return self._respelled(data)
        inner = _decoded(data.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(data) % 4))
        return None if inner is None else encode(self.change(inner, depth + 1))

    def _respelled(self, data: bytes) -> bytes:
        """Base64 that lenient decoders take for the same."""
        at = self.random.randrange(len(data))
        bare = data.rstrip(b"=")
        padding = b"=" * (-len(data) % 4)
        spellings = (
            bare,
            data + b"=",
            data[:at] + b"\n" + data[at:],
            data.replace(b"+", b"-").replace(b"/", b"_"),
            data.replace(b"-", b"+").replace(b"_", b"/") + padding,
            bare[:-1] + bytes((bare[-1] + 1,)) + data[len(bare) :],
            b" " + data,
        )
        return self.random.choice(spellings)

    def _lines(self, data: bytes, depth: int) -> bytes:
        """Lines and words: gone, twice, moved, taken from elsewhere, or changed by themselves."""
        lines = data.split(b"\n")
        at, other = self.random.randrange(len(lines)), self.random.randrange(len(lines))
        words = list(_WORDS.finditer(data))
        match self.random.randrange(9):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1 if len(lines) > 1:
                lines.insert(other, lines[at])
            case 2 if len(lines) > 1:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines.insert(at, self.random.choice(self._donor().split(b"\n")))
            case 4:
                position = self.random.randrange(len(data))
                return data[:position] + self.random.choice(_SPACES) + data[position:]
            case 5 | 6 if words:
                word = self.random.choice(words)
                put = self.random.choice(self._words) if self._words else self.random.choice(words).group()
                return data[: word.start()] + put + data[word.end() :]
            case _ if words:
                word = self.random.choice(words)
                return data[: word.start()] + self.change(word.group(), depth + 1) + data[word.end() :]
            case _:
                return change_octets(self.random, data, self._donor())
        return b"\n".join(lines)


def _decoded(data: bytes) -> bytes | None:
    try:
        return base64.b64decode(data)
    except binascii.Error:
        return None
