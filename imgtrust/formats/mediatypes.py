"""Which media type of a layer means which format. Pure.

Knows names only (cosign.md 1a and 1b, Notary Project signature-specification 1.1); reads no content.
"""

from __future__ import annotations

from typing import Final

from imgtrust.evidence import Format

__all__ = [
    "ATTESTATION_ARTIFACT",
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
    "format_of",
]

BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The bundle that is written, as layer and as artifact type (cosign.md 1b)."""
_BUNDLE_FAMILY: Final = "application/vnd.dev.sigstore.bundle"

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

_LAYERS: Final = {
    SIMPLESIGNING_LAYER: Format.SIMPLESIGNING,
    DSSE_LAYER: Format.SIMPLESIGNING,
    NOTARY_JWS_LAYER: Format.NOTARY_JWS,
    NOTARY_COSE_LAYER: Format.NOTARY_COSE,
}


def format_of(layer_media_type: str) -> Format:
    """The format that a layer of this media type claims to be; ``Format.UNKNOWN`` where none.

    All bundle versions are of one family: which of them is read is decided by the bundle's own media type.
    """
    if layer_media_type == _BUNDLE_FAMILY or layer_media_type.startswith((f"{_BUNDLE_FAMILY}.", f"{_BUNDLE_FAMILY}+")):
        return Format.BUNDLE
    return _LAYERS.get(layer_media_type, Format.UNKNOWN)
