"""Each format of evidence has its row, by which all of the house knows it: none is read and then has no name."""

from __future__ import annotations

import pytest

from imgtrust.evidence import Format
from imgtrust.formats import format_of
from imgtrust.formats.known import FORMATS, in_words
from imgtrust.formats.mediatypes import (
    BUNDLE_TYPE,
    DSSE_LAYER,
    NOTARY_COSE_LAYER,
    NOTARY_JWS_LAYER,
    SIMPLESIGNING_LAYER,
)

LAYERS = {
    Format.BUNDLE: [BUNDLE_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.1"],
    Format.SIMPLESIGNING: [SIMPLESIGNING_LAYER, DSSE_LAYER],
    Format.NOTARY_JWS: [NOTARY_JWS_LAYER],
    Format.NOTARY_COSE: [NOTARY_COSE_LAYER],
}


def test_every_format_of_the_reports_has_a_row_and_no_other() -> None:
    assert set(FORMATS) == set(Format) - {Format.UNKNOWN} == set(LAYERS)
    assert len({known.words for known in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize("known", FORMATS)
def test_a_layer_is_of_one_format_at_most(known: Format) -> None:
    for media_type in LAYERS[known]:
        assert [name for name, row in FORMATS.items() if row.layers.fullmatch(media_type)] == [known]
        assert format_of(media_type) is known


@pytest.mark.parametrize("known", FORMATS)
def test_a_row_refuses_as_its_own_format(known: Format) -> None:
    row, family = FORMATS[known], known.name.partition("_")[0]
    assert row.words == in_words(known)
    for code in (row.untrusted, row.bad):
        assert code.name.startswith(family)
    assert row.untrusted != row.bad


def test_what_no_table_knows_is_unknown_and_has_words_too() -> None:
    for media_type in ("application/vnd.acme.signature", f"{DSSE_LAYER}\n", f"{BUNDLE_TYPE}\n", f"x{DSSE_LAYER}"):
        assert format_of(media_type) is Format.UNKNOWN
    assert in_words(Format.UNKNOWN) == "unknown format"
