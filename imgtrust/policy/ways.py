"""From the signers of a policy to how one becomes each of them. Pure.

Knows what a policy says of its signers; what is done with that is in ``rules.ways``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.policy.values import PUBLIC_GOOD, KeylessSigner, KeySigner
from imgtrust.rules.ways import Means, Way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imgtrust.policy.values import NotarySigner, Policy, Signer

__all__ = ["way_of", "ways_of"]

_NOTARY: Final = {
    "ca": Means.NOTARY,
    "signing-authority": Means.AUTHORITY,
    "aws-signer": Means.AWS_SIGNER,
}
_ANYBODY: Final = "*"


def ways_of(policy: Policy) -> Mapping[str, Way]:
    """How one becomes each signer, by their names."""
    return {signer.name: way_of(signer) for signer in policy.signers}


def way_of(signer: Signer) -> Way:
    """How one becomes a signer, as whom the policy names it."""
    match signer:
        case KeySigner():
            return Way(signer.name)
        case KeylessSigner():
            return Way(signer.name, Means.KEYLESS, _named(signer), own_instance=signer.sigstore != PUBLIC_GOOD)
        case _:
            return Way(signer.name, _NOTARY[signer.notary], _subject(signer))


def _named(signer: KeylessSigner) -> str:
    """Who a certificate has to name, who has to vouch for that, and what else it has to say."""
    who = signer.identity or f"a name that matches {signer.identity_regexp}"
    issuer = signer.issuer or f"an issuer that matches {signer.issuer_regexp}"
    asked = "".join(f", {word} {value}" for word, value in signer.extensions)
    return f"{who} ({issuer}{asked})"


def _subject(signer: NotarySigner) -> str:
    """The first of the names that count; nothing where everybody under the roots does."""
    first = signer.identities[0] if signer.identities else _ANYBODY
    return "" if first == _ANYBODY else first
