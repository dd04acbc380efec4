"""The little DER that is written and walked here."""

from __future__ import annotations

import pytest

from imgtrust.signers import der


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "020100"), (1, "020101"), (127, "02017f"), (128, "02020080"), (255, "020200ff"), (256, "02020100")],
)
def test_integers_are_as_short_as_can_be_and_not_negative(number: int, encoded: str) -> None:
    assert der.integer(number).hex() == encoded


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_are_in_the_shortest_form_and_read_back(size: int) -> None:
    encoded = der.octets(bytes(size))
    assert der.read(encoded) == [(0x04, bytes(size))]
    assert len(encoded) - size == (2 if size < 128 else 2 + (size.bit_length() + 7) // 8)


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "0.9.2342", "2.999.3", "1.39.1"])
def test_object_identifiers_read_back(dotted: str) -> None:
    assert der.read_oid(der.read(der.oid(dotted))[0][1]) == dotted


def test_sets_are_in_ascending_order() -> None:
    one, two = der.integer(1), der.integer(2)
    assert der.set_of([two, one]) == der.set_of([one, two]) == bytes.fromhex("3106020101020102")


def test_booleans_and_context_tags() -> None:
    assert der.boolean(value=True).hex() == "0101ff"
    assert der.boolean(value=False).hex() == "010100"
    assert der.context(1, b"\x05", constructed=False).hex() == "810105"
    assert der.context(0, der.null()).hex() == "a0020500"


@pytest.mark.parametrize("broken", ["30", "3005020101", "3080", "30850000000001", "3082", "308201"])
def test_what_is_cut_short_or_indefinite_is_refused(broken: str) -> None:
    with pytest.raises(der.DerError):
        der.read(bytes.fromhex(broken))


@pytest.mark.parametrize("broken", ["", "2a86", "80"])
def test_an_identifier_that_is_cut_short_is_refused(broken: str) -> None:
    with pytest.raises(der.DerError):
        der.read_oid(bytes.fromhex(broken))
