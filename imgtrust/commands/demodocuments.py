"""The documents of the demo: two SBOMs, a provenance, and the policy of the gate. Knows their shapes only."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["BUILDER", "cyclonedx", "policy", "provenance", "spdx"]

BUILDER: Final = "https://ci.example.com/builders/release"

_POLICY: Final = """\
version = 1

# Who may speak, and from when to when: one key signs releases, another is the build's.
[signers.release]
key = "keys/release.pub"
not_before = {begin}
not_after = {end}

[signers.ci]
key = "keys/ci.pub"
not_before = {begin}
not_after = {end}

# Who may say what time it is.
[time]
tsa_roots = ["tsa.pem"]

# What an image needs, and where it may go. An image that no scope names is denied.
[[scopes]]
images = ["oci:**"]
promote_to = ["oci:production"]
signatures = {{ any_of = ["release"] }}

[scopes.publish]
trusted_time = ["tsa"]
max_age = "90d"

[[scopes.evidence]]
type = "slsa-provenance"
signed_by = ["ci"]
builder = "https://ci.example.com/builders/release"

[[scopes.evidence]]
type = "cyclonedx"
signed_by = ["ci"]
"""

_YEAR: Final = timedelta(days=365)


def policy(now: datetime) -> str:
    """The gate's policy; paths are relative to it, and its keys speak from a year ago to a year ahead."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return _POLICY.format(begin=_rfc3339(day - _YEAR), end=_rfc3339(day + _YEAR))


def _rfc3339(moment: datetime) -> str:
    """A time as the documents write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def cyclonedx() -> str:
    """What is inside, as CycloneDX 1.6."""
    return _json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": {"type": "container", "name": "shop", "version": "1.4.2"}},
            "components": [
                {"type": "operating-system", "name": "demo base", "version": "12"},
                {"type": "library", "name": "basket", "version": "3.1.0", "purl": "pkg:generic/basket@3.1.0"},
                {"type": "library", "name": "checkout", "version": "0.9.4", "purl": "pkg:generic/checkout@0.9.4"},
            ],
        }
    )


def spdx(created: datetime) -> str:
    """The same as SPDX 2.3."""
    return _json(
        {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": "shop-1.4.2",
            "documentNamespace": "https://example.com/sbom/shop-1.4.2",
            "creationInfo": {"created": _rfc3339(created), "creators": ["Tool: imgtrust-demo"]},
            "packages": [
                {
                    "name": name,
                    "SPDXID": f"SPDXRef-{name}",
                    "versionInfo": version,
                    "downloadLocation": "NOASSERTION",
                }
                for name, version in (("basket", "3.1.0"), ("checkout", "0.9.4"))
            ],
        }
    )


def provenance(started: datetime) -> str:
    """How it was built, as SLSA provenance v1."""
    return _json(
        {
            "buildDefinition": {
                "buildType": "https://ci.example.com/build-types/container/v1",
                "externalParameters": {"repository": "https://git.example.com/shop", "ref": "refs/tags/1.4.2"},
                "resolvedDependencies": [
                    {"uri": "git+https://git.example.com/shop@refs/tags/1.4.2", "digest": {"gitCommit": "4f2a91c0" * 5}}
                ],
            },
            "runDetails": {
                "builder": {"id": BUILDER},
                "metadata": {"invocationId": "build-1042", "startedOn": _rfc3339(started)},
            },
        }
    )


def _json(document: object) -> str:
    """A document as a person would like to find it in a file."""
    return json.dumps(document, indent=2) + "\n"
