"""Each format of evidence has its line in every table that knows formats: none is read and then has no name."""

from __future__ import annotations

import pytest

from imgtrust.commands.described import FORMATS
from imgtrust.evidence import Format
from imgtrust.formats import _READERS, format_of
from imgtrust.formats.mediatypes import _LAYERS, BUNDLE_TYPE
from imgtrust.rules.signers import FORMAT_WORDS
from imgtrust.trust.signatures import _CODES

KNOWN = [each for each in Format if each is not Format.UNKNOWN]
CERTIFIED = {Format.NOTARY_JWS, Format.NOTARY_COSE}
"""What bare keys never make."""


@pytest.mark.parametrize("known", KNOWN)
def test_a_format_has_a_line_in_every_table(known: Format) -> None:
    assert known in _READERS
    assert known in {format_of(kind) for kind in (*_LAYERS, BUNDLE_TYPE)}
    assert known in FORMATS
    assert known in FORMAT_WORDS
    assert (known in _CODES) is (known not in CERTIFIED)


def test_what_no_table_knows_is_unknown_and_has_words_too() -> None:
    assert format_of("application/vnd.acme.signature") is Format.UNKNOWN
    assert Format.UNKNOWN not in _READERS
    assert Format.UNKNOWN in FORMATS
    assert Format.UNKNOWN in FORMAT_WORDS
