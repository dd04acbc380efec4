"""Media types of evidence, by name. Pure.

Knows names only (cosign.md 1a and 1b, Notary Project signature-specification 1.1); reads no content. Which of them
holds which format stands in ``known``.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ATTESTATION_ARTIFACT",
    "BUNDLE_FAMILY",
    "BUNDLE_TYPE",
    "DSSE_LAYER",
    "IN_TOTO_LAYER",
    "NOTARY_ARTIFACT",
    "NOTARY_COSE_LAYER",
    "NOTARY_JWS_LAYER",
    "SBOM_ARTIFACT",
    "SBOM_TYPES",
    "SIGNATURE_ARTIFACT",
    "SIMPLESIGNING_LAYER",
]

BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The bundle that is written, as layer and as artifact type (cosign.md 1b)."""
BUNDLE_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
"""How the types of all its versions begin."""

SIMPLESIGNING_LAYER: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE_LAYER: Final = "application/vnd.dsse.envelope.v1+json"
SIGNATURE_ARTIFACT: Final = "application/vnd.dev.cosign.artifact.sig.v1+json"
ATTESTATION_ARTIFACT: Final = "application/vnd.dev.cosign.artifact.att.v1+json"
SBOM_ARTIFACT: Final = "application/vnd.dev.cosign.artifact.sbom.v1+json"

NOTARY_ARTIFACT: Final = "application/vnd.cncf.notary.signature"
NOTARY_JWS_LAYER: Final = "application/jose+json"
NOTARY_COSE_LAYER: Final = "application/cose"

IN_TOTO_LAYER: Final = "application/vnd.in-toto+json"
"""A bare statement, as BuildKit attaches it: a claim that nobody signed."""

SBOM_TYPES: Final = {
    "text/spdx": "SPDX tag-value",
    "text/spdx+json": "SPDX JSON",
    "text/spdx+xml": "SPDX XML",
    "application/spdx+json": "SPDX JSON",
    "application/vnd.cyclonedx": "CycloneDX",
    "application/vnd.cyclonedx+json": "CycloneDX JSON",
    "application/vnd.cyclonedx+xml": "CycloneDX XML",
    "application/vnd.syft+json": "Syft JSON",
}
"""Media types of plain SBOMs, and their names for people."""
