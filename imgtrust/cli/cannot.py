"""Options of ``sign`` that other signing commands cannot have in any version, with the reason and the way out.

Not to be confused with ``later``. Why, and what else was thought of: ``docs/adr/0010-notary-signs-descriptors.md``.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OPTIONS", "impossible_option"]

_ENVELOPE: Final = (
    "an envelope of the Notary Project (AWS Signer's too) signs the descriptor of an image and has no place for a "
    "statement about it"
)
_ATTEST: Final = f"{_ENVELOPE}; sign the image with imgtrust sign, and the statement with --key or --keyless"
_RECORD: Final = f"{_ENVELOPE}, and a record is a statement; have it signed with --record-key or --record-keyless"

OPTIONS: Final = {
    **{
        f"{command} {option}": _ATTEST
        for command in ("attest", "sbom attach")
        for option in ("--notary-key", "--notary-chain", "--signer-profile")
    },
    **dict.fromkeys(("--record-notary-key", "--record-notary-chain", "--record-signer-profile"), _RECORD),
}
"""Options that cannot be; with the command before them where others have them."""


def impossible_option(name: str, command: str = "") -> str | None:
    """Why a command can have no such option, or None for one that it has, or may have some day."""
    return OPTIONS.get(f"{command} {name}") or OPTIONS.get(name)
