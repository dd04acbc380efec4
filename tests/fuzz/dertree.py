"""Changes of DER that keep it DER, mostly: tags, lengths, values, the order and the number of elements.

What is DER inside of an OCTET STRING or a BIT STRING (extensions, keys, the content of a token) is taken apart as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.fuzz.octets import change_octets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

__all__ = ["Node", "change_der", "read_der", "write_der"]

_CONSTRUCTED: Final = 0x20
_STRINGS: Final = (0x03, 0x04)
_DEEPEST: Final = 24
_TAGS: Final = bytes.fromhex("0102030405060c1316171e1f303180a0a3")
_INTEGERS: Final = tuple(map(bytes.fromhex, ("", "00", "01", "0001", "ff", "80", "ffff", "7f" + "ff" * 20, "000000")))
_TIMES: Final = (
    *(b"700101000000Z", b"20260301120000Z", b"00000101000000Z", b"99991231235959Z", b"20260301120000.5Z"),
    *(b"20260301120000.50Z", b"20260301120000+0100", b"20260230000000Z", b"491231235959Z", b"500101000000Z", b""),
)
_NAMES: Final = (
    b"",
    b"\x00",
    b"US",
    b"USA",
    b"\xc3\xa9",
    b"\xff\xfe",
    b"a" * 300,
    b"*",
    b"http://ocsp.invalid/",
    b",=+",
)
_GENTLE: Final = 0.55
"""How often a single value is changed and all around it left as it is."""
_OIDS: Final = ("2a864886f70d010701", "2b0601040182373c", "550403", "551d13", "551d0f", "608648016503040201", "80", "")


@dataclass(slots=True)
class Node:
    """One value. ``inside`` are its elements where it has any, else ``content`` counts; ``raw`` wins over both.

    ``lead`` stands before the elements: the number of unused bits of a BIT STRING.
    """

    tag: int
    content: bytes = b""
    inside: list[Node] | None = None
    lead: bytes = b""
    raw: bytes | None = field(default=None)


def read_der(data: bytes, depth: int = 0) -> list[Node] | None:
    """The values that bytes are, one after the other; None where they are none."""
    nodes: list[Node] = []
    at, size = 0, len(data)
    while at < size:
        if at + 2 > size or data[at] & 0x1F == 0x1F:
            return None
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= 4 or at + count > size:
                return None
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > size:
            return None
        nodes.append(_node(tag, data[at : at + length], depth))
        at += length
    return nodes


def _node(tag: int, content: bytes, depth: int) -> Node:
    inside = None
    lead = b""
    if depth < _DEEPEST and content:
        if tag & _CONSTRUCTED:
            inside = read_der(content, depth + 1)
        elif tag in _STRINGS and len(content) > 4:
            lead = content[:1] if tag == _STRINGS[0] else b""
            wrapped = content[len(lead) :]
            inside = read_der(wrapped, depth + 1) if wrapped[0] in (0x02, 0x30, 0x03, 0x04, 0x0C) else None
            if inside is None:
                lead = b""
    return Node(tag, content, inside, lead)


def write_der(nodes: list[Node]) -> bytes:
    """The bytes of values, lengths in their shortest form."""
    return b"".join(map(_written, nodes))


def _written(node: Node) -> bytes:
    if node.raw is not None:
        return node.raw
    content = node.content if node.inside is None else node.lead + write_der(node.inside)
    return bytes((node.tag,)) + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    written = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(written),)) + written


def change_der(random: Random, nodes: list[Node], donor: bytes) -> bytes:
    """The values with one change; ``donor`` is other DER."""
    places = list(_places(nodes))
    leaves = [found for found in places if not found[0][found[1]].inside]
    gentle = bool(leaves) and random.random() < _GENTLE
    place, index = random.choice(leaves if gentle else places)
    node = place[index]
    if gentle:
        place[index] = Node(node.tag, _changed(random, node, donor))
        return write_der(nodes)
    match random.randrange(11):
        case 0 | 1:
            del place[index]
        case 2:
            place.insert(random.randrange(len(place) + 1), node)
        case 3 if len(place) > 1:
            other = random.randrange(len(place))
            place[index], place[other] = place[other], node
        case 4:
            place[index] = Node(random.choice(_TAGS), node.content, node.inside, node.lead)
        case 5:
            place[index] = Node(0, raw=_odd_length(random, node))
        case 6:
            found = random.choice(places)
            place[index] = Node(0, raw=_written(found[0][found[1]]))
        case 7:
            place[index] = Node(node.tag, b"")
        case 8:
            place[index] = Node(random.choice((0x30, 0x31, 0xA0, 0x04)), inside=[node])
        case _:
            place[index] = Node(0, raw=_from(random, donor) or b"\x05\x00")
    return write_der(nodes)


def _changed(random: Random, node: Node, donor: bytes) -> bytes:
    """Another content for a value without elements."""
    if random.random() < 0.6:
        match node.tag:
            case 0x02:
                return random.choice(_INTEGERS)
            case 0x06:
                return bytes.fromhex(random.choice(_OIDS))
            case 0x17 | 0x18:
                return random.choice(_TIMES)
            case 0x01:
                return random.choice((b"\x00", b"\xff", b"\x01", b""))
            case 0x0C | 0x13 | 0x16 | 0x86:
                return random.choice(_NAMES)
    return change_octets(random, node.content, donor)


def _odd_length(random: Random, node: Node) -> bytes:
    """A value whose length is none, or not in its shortest form."""
    content = node.content if node.inside is None else node.lead + write_der(node.inside)
    size = len(content)
    match random.randrange(5):
        case 0:
            return bytes((node.tag, 0x80)) + content + b"\x00\x00"
        case 1:
            return bytes((node.tag, 0x84)) + size.to_bytes(4, "big") + content
        case 2:
            return bytes((node.tag, 0x84, 0xFF, 0xFF, 0xFF, 0xFF)) + content
        case 3:
            return bytes((node.tag,)) + _length(size + 1) + content
        case _:
            return bytes((node.tag,)) + _length(max(size - 1, 0)) + content


def _from(random: Random, donor: bytes) -> bytes | None:
    """One value of other DER."""
    nodes = read_der(donor)
    if not nodes:
        return None
    place, index = random.choice(list(_places(nodes)))
    return _written(place[index])


def _places(nodes: list[Node]) -> Iterator[tuple[list[Node], int]]:
    waiting = [nodes]
    while waiting:
        place = waiting.pop()
        for index, node in enumerate(place):
            yield place, index
            if node.inside:
                waiting.append(node.inside)
