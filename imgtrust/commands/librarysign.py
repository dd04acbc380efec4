"""The surface for Python (CLI.md section 6), as far as it signs: the same calls that the command line makes.

Knows defaults that suit a caller in Python; what is signed, and how it is attached, is in ``sign`` and ``attest``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.commands.library import chosen
from imgtrust.commands.librarysigners import signing_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgtrust.commands.librarysigners import Keyless, Logs
    from imgtrust.reports.results import SignedResult
    from imgtrust.signers.notary import EnvelopeSigner
    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.stores.options import StoreOptions

__all__ = ["attest", "sign"]


def sign(
    images: Sequence[str],
    signer: Signer | Keyless | EnvelopeSigner,
    *,
    timestampers: Sequence[Timestamper] = (),
    logs: Logs | None = None,
    recursive: bool = False,
    options: StoreOptions | None = None,
) -> list[SignedResult]:
    """Sign images and attach the signatures (``open_signer`` opens a key, ``open_notary_signer`` one with its chain).

    Raises:
        ImgtrustError: an image could not be signed; those before it in the list are.
    """
    from imgtrust.commands.sign import sign_images  # noqa: PLC0415 - at first use

    opened = chosen(options)
    signing = signing_by(signer, timestampers, logs, opened)
    return _all_done(sign_images(images, signing, opened, recursive=recursive))


def attest(
    images: Sequence[str],
    predicate: object,
    type_name: str,
    signer: Signer | Keyless,
    *,
    timestampers: Sequence[Timestamper] = (),
    logs: Logs | None = None,
    options: StoreOptions | None = None,
) -> list[SignedResult]:
    """Sign a statement about images and attach it: ``predicate`` is any JSON value, ``type_name`` an alias or a URI.

    Raises:
        UsageError: there is no such type.
        ImgtrustError: an image could not be attested; those before it in the list are.
    """
    from imgtrust.commands.attest import Predicate, attest_images  # noqa: PLC0415 - at first use
    from imgtrust.predicates.types import canonical  # noqa: PLC0415 - as above

    said = Predicate(canonical(type_name), predicate)
    opened = chosen(options)
    signing = signing_by(signer, timestampers, logs, opened)
    return _all_done(attest_images(images, said, signing, opened))


def _all_done(outcomes: Iterable[object]) -> list[SignedResult]:
    """The results, or the first failure."""
    from imgtrust.commands.many import Failed  # noqa: PLC0415 - at first use

    done: list[SignedResult] = []
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
        done.append(outcome)  # type: ignore[arg-type]  # the other kind of outcome
    return done
