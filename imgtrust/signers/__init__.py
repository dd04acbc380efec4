"""Who holds a private key, and who says what time it is.

Knows which signer and which time-stamper a name of the command line means; the ports are in ``signers.port``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.signers.material import read_material
from imgtrust.signers.passphrase import PassphraseSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgtrust.signers.port import Signer
    from imgtrust.signers.tsa import HttpTimestamper, TsaOptions
    from imgtrust.trust.times import TimestampAuthority

__all__ = ["PassphraseSource", "open_signer", "open_timestamper"]


def open_signer(key_reference: str, *, passphrase: PassphraseSource, environment: Mapping[str, str]) -> Signer:
    """The signer behind ``FILE``, ``env://NAME`` or ``awssm://SECRET``; the key is read and decrypted here, once.

    Raises:
        KeyUnusable: no private key of a kind that signs images, or no passphrase where one is needed.
        WrongPassphrase: the passphrase does not open it.
        Undecided: AWS did not answer.
    """
    from imgtrust.signers.keyfile import parse_private_key  # noqa: PLC0415 - cryptography only where a key is used
    from imgtrust.signers.local import LocalSigner  # noqa: PLC0415

    data = read_material(key_reference, environment)
    return LocalSigner(parse_private_key(data, key_reference, lambda: passphrase.read(f"the key {key_reference}")))


def open_timestamper(
    url: str, options: TsaOptions | None = None, authorities: Sequence[TimestampAuthority] = ()
) -> HttpTimestamper:
    """The time-stamp authority at a URL; ``authorities`` are the anchors under which its tokens must verify.

    Raises:
        UsageError: the URL is not one that is used.
    """
    from imgtrust.signers.tsa import HttpTimestamper, TsaOptions  # noqa: PLC0415 - only where a TSA is asked

    return HttpTimestamper(url, TsaOptions() if options is None else options, authorities)
