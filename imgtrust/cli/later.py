"""What the surface promises and this version does not have yet, with the reason in words.

Nothing here is faked: these commands and options do not exist, and whoever types one is told so. A test compares
this table and the commands that exist with the whole of the promised surface.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COMMANDS", "FORMATS", "OPTIONS", "later_option"]

_SIGNER: Final = "signing with AWS Signer"
_AWS: Final = "AWS roles and profiles on the command line (the environment's credentials are used)"
_RELEASES: Final = "release statements"
_CLUSTER: Final = "the audit's cache and cluster"

COMMANDS: Final = {
    "release": _RELEASES,
    "release publish": _RELEASES,
    "release index": _RELEASES,
    "release show": _RELEASES,
    "export": "moving images across an air gap in one step (promote to an oci: layout does it today)",
    "import": "moving images across an air gap in one step (promote from an oci: layout does it today)",
    "doctor": "checking an ECR set-up and its IAM policy",
    "policy test": "policy cases with expected verdicts",
}
"""Commands, with their group, that come later."""

OPTIONS: Final = {
    "--signer-profile": _SIGNER,
    "--source-role": _AWS,
    "--destination-role": _AWS,
    "--source-profile": _AWS,
    "--destination-profile": _AWS,
    "--cache": _CLUSTER,
    "--no-cache": _CLUSTER,
    "--cluster": _CLUSTER,
    "--expires": _RELEASES,
    "--to": "export of images with all evidence in one step (promote to an oci: layout does it today)",
    "--role": "checking an ECR set-up and its IAM policy",
    "--print-iam": "checking an ECR set-up and its IAM policy",
    "inspect --integrity": "re-hashing blobs while looking (inspect reads manifests and evidence; verify re-hashes)",
}
"""Options that come later; with the command before them where others have them already."""

FORMATS: Final = ("sarif", "junit", "html")
"""Values of ``--output`` and ``--report`` that come later."""


def later_option(name: str, command: str = "") -> str | None:
    """Why a command has no such option yet, or None for one that was never promised."""
    return OPTIONS.get(f"{command} {name}") or OPTIONS.get(name)
