"""SBOMs are recognised by what is in them, and everything else is told apart by name."""

from __future__ import annotations

from typing import Any

import pytest

from imgtrust import strict_json
from imgtrust.errors import InputFileError
from imgtrust.predicates.sbom import CYCLONEDX_VERSIONS, SPDX_VERSIONS, Sbom, recognise, recognise_predicate

SPDX: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "app",
    "packages": [{"name": "a"}, {"name": "b"}],
}
CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "metadata": {"component": {"name": "app"}},
    "components": [{}],
}
SPDX_URI, CYCLONEDX_URI = "https://spdx.dev/Document", "https://cyclonedx.org/bom"
TAG_VALUE = "SPDXVersion: SPDX-2.3\nDocumentName: app\r\n\nPackageName: a\nPackageName: b\n"


@pytest.mark.parametrize("version", SPDX_VERSIONS)
def test_spdx_json_is_recognised(version: str) -> None:
    data = strict_json.dumps({**SPDX, "spdxVersion": f"SPDX-{version}"})
    assert recognise(data) == Sbom("spdx", version, "app", 2, SPDX_URI, "application/spdx+json")


@pytest.mark.parametrize("version", CYCLONEDX_VERSIONS)
def test_cyclonedx_json_is_recognised(version: str) -> None:
    data = strict_json.dumps({**CYCLONEDX, "specVersion": version})
    assert recognise(data) == Sbom("cyclonedx", version, "app", 1, CYCLONEDX_URI, "application/vnd.cyclonedx+json")


def test_the_versions_of_the_promise_are_read() -> None:
    assert "2.3" in SPDX_VERSIONS
    assert set(CYCLONEDX_VERSIONS) == {"1.4", "1.5", "1.6"}


def test_absent_and_odd_members_count_as_nothing() -> None:
    found = recognise(strict_json.dumps({**SPDX, "name": 7, "packages": {}}))
    assert (found.name, found.components) == ("", 0)
    odd: tuple[object, ...] = (None, {}, {"component": {}}, {"component": {"name": 1}}, [])
    for metadata in odd:
        found = recognise(strict_json.dumps({**CYCLONEDX, "metadata": metadata, "components": None}))
        assert (found.name, found.components) == ("", 0)


def test_spdx_tag_value_is_recognised_as_the_string_that_cosign_stores() -> None:
    assert recognise_predicate(TAG_VALUE) == Sbom("spdx", "2.3", "app", 2, SPDX_URI, "text/spdx")
    assert recognise_predicate("SPDXVersion: SPDX-2.2") == Sbom("spdx", "2.2", "", 0, SPDX_URI, "text/spdx")


def test_a_line_of_spaces_costs_no_time() -> None:
    found = recognise_predicate(f"SPDXVersion: SPDX-2.3\nDocumentName:{' ' * 300_000}x")
    assert found is not None
    assert found.name == "x"


@pytest.mark.parametrize(
    "predicate",
    [
        None,
        7,
        [],
        "",
        "hello",
        "SPDXVersion:SPDX-9.9",
        " SPDXVersion: SPDX-2.3",
        {},
        {**SPDX, "spdxVersion": "SPDX-3.0"},
        {**SPDX, "spdxVersion": "2.3"},
        {**SPDX, "spdxVersion": 2.3},
        {**SPDX, "SPDXID": "SPDXRef-Package"},
        {**CYCLONEDX, "bomFormat": "cyclonedx"},
        {**CYCLONEDX, "specVersion": "1.3"},
        {**CYCLONEDX, "specVersion": 1.5},
    ],
)
def test_other_predicates_are_no_sbom(predicate: object) -> None:
    assert recognise_predicate(predicate) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b'{"bomFormat":"CycloneDX","bomFormat":"CycloneDX"}', "appears twice"),
        (TAG_VALUE.encode(), "SPDX tag-value, expected JSON"),
        (b'\n<?xml version="1.0"?><bom/>', "XML, expected JSON"),
        (strict_json.dumps({**SPDX, "spdxVersion": "SPDX-2.1"}), "SPDX document of version 'SPDX-2.1'"),
        (strict_json.dumps({**CYCLONEDX, "specVersion": "1.7"}), "CycloneDX document of version '1.7'"),
        (b'{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}', r"JSON-LD document \(SPDX 3"),
        (b'{"artifacts":[],"descriptor":{"name":"syft"}}', "syft's own format"),
        (b"[]", "no SBOM; expected SPDX 2.2 or 2.3 or CycloneDX 1.4, 1.5, 1.6, as JSON"),
        (b"{}", "no SBOM"),
    ],
)
def test_what_is_no_sbom_is_named(data: bytes, said: str) -> None:
    with pytest.raises(InputFileError, match=said):
        recognise(data)
