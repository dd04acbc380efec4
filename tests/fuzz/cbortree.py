"""Changes of CBOR that keep it CBOR, mostly: types, lengths that are not the shortest, keys twice, tags, order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from imgtrust.formats import cbor
from tests.simulators import notaryenvelopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

__all__ = ["change_cbor", "read_cbor", "write_cbor"]


@dataclass(slots=True)
class _Map:
    """The members of a map, as key and value in turn, so that a key can be there twice."""

    items: list[Any]


@dataclass(slots=True)
class _Tag:
    """A tagged value; the one item."""

    number: int
    items: list[Any]


_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1 << 63,
    (1 << 64) - 1,
    -(1 << 64),
    b"",
    "",
    [],
    b"x",
    "io.cncf.notary.expiry",
)
_RAW: Final = tuple(
    bytes.fromhex(text)
    for text in (
        *("1800", "1900ff", "1bffffffffffffffff", "5f4100ff", "7f6161ff", "9fff", "bfff", "f7", "f97e00", "61ff", "ff"),
        *("fb7ff0000000000000", "5bffffffffffffffff", "9bffffffffffffffff", "bbffffffffffffffff", "1c", "d2", "f818"),
    )
)
_DEEP: Final = (3, 15, 17, 2000)


def read_cbor(data: bytes) -> Any:
    """The value, maps and tags as lists that can be changed; None where it is no CBOR that is read here."""
    try:
        return _thawed(cbor.loads(data))
    except cbor.CborError:
        return None


def _thawed(value: object) -> Any:
    match value:
        case dict():
            return _Map([each for key, item in value.items() for each in (key, _thawed(item))])
        case list():
            return [_thawed(each) for each in value]
        case cbor.Tag():
            return _Tag(value.number, [_thawed(value.value)])
        case _:
            return value


def write_cbor(value: Any) -> bytes:
    """The bytes of a value, each in its shortest form but for what is raw."""
    match value:
        case _Map():
            count = notaryenvelopes.cbor([0] * ((len(value.items) + 1) // 2))
            head = bytes((count[0] | 0x20,)) + count[1 : len(count) - (len(value.items) + 1) // 2]
            return head + b"".join(map(write_cbor, value.items))
        case list():
            head = notaryenvelopes.cbor([0] * len(value))
            return head[: len(head) - len(value)] + b"".join(map(write_cbor, value))
        case _Tag():
            tagged = notaryenvelopes.cbor(notaryenvelopes.Tagged(value.number, 0))[:-1]
            return tagged + b"".join(map(write_cbor, value.items))
        case _:
            return notaryenvelopes.cbor(value)


def change_cbor(random: Random, value: Any, octets: Callable[[bytes], bytes]) -> bytes:
    """The value with one change; ``octets`` changes what is inside a string."""
    holder = [value]
    places = list(_places(holder))
    place, index = random.choice(places)
    current = place[index]
    if isinstance(current, bytes) and random.random() < 0.7:
        place[index] = octets(current)
    elif isinstance(current, str) and random.random() < 0.5:
        place[index] = notaryenvelopes.Raw(_text(octets(current.encode())))
    else:
        _change_place(random, place, index, places)
    return b"".join(map(write_cbor, holder))


def _change_place(random: Random, place: list[Any], index: int, places: list[tuple[list[Any], int]]) -> None:
    current = place[index]
    match random.randrange(9):
        case 0:
            del place[index]
        case 1:
            place[index:index] = place[index : index + random.choice((1, 2))]
        case 2:
            found = random.choice(places)
            # Itself inside of itself would have no end.
            place[index] = notaryenvelopes.Raw(write_cbor(found[0][found[1]]))
        case 3:
            place[index] = random.choice(_VALUES)
        case 4:
            place[index] = notaryenvelopes.Raw(random.choice(_RAW))
        case 5:
            deep = random.choice(_DEEP)
            place[index] = notaryenvelopes.Raw(random.choice((b"\x81", b"\xc1")) * deep + b"\x00")
        case 6 if isinstance(current, _Tag):
            current.number = random.choice((0, 1, 17, 18, 98, 1 << 40))
        case 7 if isinstance(current, int):
            place[index] = current + random.choice((-1, 1, -30, 1 << 32))
        case _:
            other = random.randrange(len(place))
            place[index], place[other] = place[other], place[index]


def _text(data: bytes) -> bytes:
    head = notaryenvelopes.cbor(data)
    return bytes((head[0] | 0x20,)) + head[1:]


def _places(holder: list[Any]) -> Iterator[tuple[list[Any], int]]:
    waiting = [holder]
    while waiting:
        place = waiting.pop()
        for index, item in enumerate(place):
            yield place, index
            match item:
                case list():
                    waiting.append(item)
                case _Map() | _Tag():
                    waiting.append(item.items)
