"""The surface for Python (CLI.md section 6), as far as it signs: the same calls that the command line makes.

Knows defaults that suit a caller in Python; what is signed, and how it is attached, is in ``sign`` and ``attest``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from imgtrust.commands.library import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imgtrust.reports.results import SignedResult
    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.stores.options import StoreOptions

__all__ = ["attest", "open_signer", "open_timestamper", "sign"]


def sign(
    images: Sequence[str],
    signer: Signer,
    *,
    timestampers: Sequence[Timestamper] = (),
    recursive: bool = False,
    options: StoreOptions | None = None,
) -> list[SignedResult]:
    """Sign images and attach the signatures (``open_signer`` opens a key).

    Raises:
        ImgtrustError: an image could not be signed; those before it in the list are.
    """
    from imgtrust.commands.sign import sign_images  # noqa: PLC0415 - at first use
    from imgtrust.commands.signing import Signing  # noqa: PLC0415 - as above

    signing = Signing(signer, tuple(timestampers))
    return _all_done(sign_images(images, signing, chosen(options), recursive=recursive))


def attest(
    images: Sequence[str],
    predicate: object,
    type_name: str,
    signer: Signer,
    *,
    timestampers: Sequence[Timestamper] = (),
    options: StoreOptions | None = None,
) -> list[SignedResult]:
    """Sign a statement about images and attach it: ``predicate`` is any JSON value, ``type_name`` an alias or a URI.

    Raises:
        UsageError: there is no such type.
        ImgtrustError: an image could not be attested; those before it in the list are.
    """
    from imgtrust.commands.attest import Predicate, attest_images  # noqa: PLC0415 - at first use
    from imgtrust.commands.signing import Signing  # noqa: PLC0415 - as above
    from imgtrust.predicates.types import canonical  # noqa: PLC0415 - as above

    said = Predicate(canonical(type_name), predicate)
    return _all_done(attest_images(images, said, Signing(signer, tuple(timestampers)), chosen(options)))


def open_signer(
    key: str, *, passphrase_file: str | None = None, environment: Mapping[str, str] | None = None
) -> Signer:
    """The private key ``FILE``, ``env://NAME`` or ``awssm://SECRET``, opened once.

    Its passphrase comes from IMGTRUST_PASSPHRASE or COSIGN_PASSWORD, else from the file; nobody is asked.

    Raises:
        KeyUnusable: the key cannot be used; WrongPassphrase where the passphrase does not open it.
    """
    from imgtrust.signers import PassphraseSource  # noqa: PLC0415 - at first use
    from imgtrust.signers import open_signer as opened  # noqa: PLC0415 - as above

    variables = os.environ if environment is None else environment
    return opened(key, passphrase=PassphraseSource(variables, passphrase_file), environment=variables)


def open_timestamper(url: str) -> Timestamper:
    """The RFC 3161 authority at a URL.

    Raises:
        UsageError: the URL is not one that is used.
    """
    from imgtrust.signers import open_timestamper as opened  # noqa: PLC0415 - at first use
    from imgtrust.signers.tsa import TsaOptions  # noqa: PLC0415 - as above

    return opened(url, TsaOptions(environment=os.environ))


def _all_done(outcomes: Iterable[object]) -> list[SignedResult]:
    """The results, or the first failure."""
    from imgtrust.commands.many import Failed  # noqa: PLC0415 - at first use

    done: list[SignedResult] = []
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
        done.append(outcome)  # type: ignore[arg-type]  # the other kind of outcome
    return done
