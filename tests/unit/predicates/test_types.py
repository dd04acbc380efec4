"""Short names of predicate types, and the URIs that count under them."""

from __future__ import annotations

import pytest

from imgtrust.errors import UsageError
from imgtrust.predicates.types import ALIASES, alias_of, canonical, resolve

SLSA_02, SLSA_1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"


@pytest.mark.parametrize(
    ("name", "written", "also"),
    [
        ("slsa-provenance", SLSA_1, SLSA_02),
        ("spdx", "https://spdx.dev/Document", "https://spdx.dev/Document/v2.3"),
        ("cyclonedx", "https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.4"),
        ("cyclonedx", "https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.5"),
        ("cyclonedx", "https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.6"),
        ("vulnerabilities", VULN, "https://in-toto.io/attestation/vulns/v0.2"),
        ("vulnerabilities", VULN, "cosign.sigstore.dev/attestation/vuln/v1"),
        ("openvex", "https://openvex.dev/ns", "https://openvex.dev/ns/v0.2.0"),
        ("test-result", "https://in-toto.io/attestation/test-result/v0.1", None),
        ("custom", "https://cosign.sigstore.dev/attestation/v1", None),
        ("slsaprovenance", SLSA_02, None),
        ("slsaprovenance02", SLSA_02, None),
        ("slsaprovenance1", SLSA_1, None),
        ("spdxjson", "https://spdx.dev/Document", "https://spdx.dev/Document/v2.2"),
        ("link", "https://in-toto.io/Link/v1", "https://in-toto.io/attestation/link/v0.3"),
        ("vuln", VULN, "cosign.sigstore.dev/attestation/vuln/v1"),
    ],
)
def test_a_short_name_is_written_as_one_uri_and_read_as_all_of_its_kind(
    name: str, written: str, also: str | None
) -> None:
    assert canonical(name) == written
    assert written in resolve(name)
    assert also is None or also in resolve(name)
    assert name in ALIASES


def test_cosigns_names_for_one_version_do_not_mean_the_other() -> None:
    assert resolve("slsaprovenance1") == {SLSA_1}
    assert resolve("slsaprovenance02") == {SLSA_02}


@pytest.mark.parametrize(
    "uri", ["https://example.com/scan/v1", "urn:x:y", SLSA_02, "cosign.sigstore.dev/attestation/vuln/v1"]
)
def test_a_uri_is_itself_and_nothing_else(uri: str) -> None:
    assert resolve(uri) == {uri}
    assert canonical(uri) == uri


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slsa-provenanc", "did you mean slsa-provenance"),
        ("cyclondx", "did you mean cyclonedx"),
        ("", "expected a URI or one of custom, cyclonedx"),
        ("1x:y", "expected a URI"),
        ("https://example.com/with space", "expected a URI"),
        ("https:", "expected a URI"),
        ("SPDX", "is no predicate type"),
        ("x" * 101, f"^'{'x' * 100}' is no predicate type"),
    ],
)
def test_what_is_neither_is_refused_with_the_nearest_name(name: str, said: str) -> None:
    for read in (resolve, canonical):
        with pytest.raises(UsageError, match=said):
            read(name)


def test_uris_are_shown_by_their_short_name() -> None:
    assert alias_of(SLSA_02) == "slsa-provenance"
    assert alias_of("https://spdx.dev/Document/v2.3") == "spdx"
    assert alias_of(VULN) == "vulnerabilities"
    assert alias_of("https://in-toto.io/attestation/link/v0.3") == "link"
    assert alias_of("https://example.com/scan/v1") == "https://example.com/scan/v1"
