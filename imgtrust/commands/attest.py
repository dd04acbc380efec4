"""``attest``: statements about images, signed and attached.

Knows how a predicate is read from its file; what is signed is in ``signing``, how it is attached in ``attaching``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.commands.attaching import attach_made, resolve_subject
from imgtrust.commands.many import each_image
from imgtrust.commands.sign import one_bundle, signed_result
from imgtrust.commands.signing import Signing, make_attestation
from imgtrust.errors import InputFileError, UsageError
from imgtrust.formats.simplesigning import PREDICATE_TYPE_ANNOTATION
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.predicates.types import canonical
from imgtrust.signers.material import read_limited
from imgtrust.stores.options import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imgtrust.commands.many import Failed
    from imgtrust.commands.outfile import OutFile
    from imgtrust.content import Descriptor
    from imgtrust.reference import Reference
    from imgtrust.reports.results import SignedResult
    from imgtrust.stores.port import Store

__all__ = ["MAX_PREDICATE", "REPLACED_BUNDLES", "Predicate", "attest_images", "read_predicate"]

MAX_PREDICATE: Final = 16 * 1024 * 1024
"""The largest predicate that is signed, in bytes: a bundle around it is still less than stores hand out in memory."""
REPLACED_BUNDLES: Final = (
    "older attestations of this type stay attached, because registries do not delete them reliably; "
    "the newest of a type and signer, by its proven time, is the one that counts"
)
"""What to tell whoever asks to replace bundles."""
_SPDX: Final = "https://spdx.dev/Document"
_TAG_VALUE: Final = "SPDXVersion:"


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is said: the type as a URI, and any JSON value."""

    type: str
    value: object = field(repr=False)


def read_predicate(path: str, type_name: str) -> Predicate:
    """Read a predicate from a file: JSON with one reading, or for SPDX its tag-value form as one string (cosign.md 1a).

    Raises:
        UsageError: no such type, or the one type that is a signature and no attestation.
        InputFileError: the file cannot be read, is too large, or is no JSON.
    """
    uri = canonical(type_name)
    if uri == SIGN_PREDICATE:
        message = f"{SIGN_PREDICATE} is a signature, not an attestation: use imgtrust sign"
        raise UsageError(message)
    data = read_limited(path, "predicate", MAX_PREDICATE)
    try:
        return Predicate(uri, strict_json.loads(data))
    except strict_json.StrictJsonError as exc:
        text = data.decode("utf-8", "replace")
        if uri == _SPDX and text.lstrip().startswith(_TAG_VALUE) and text.encode() == data:
            return Predicate(uri, text)
        message = f"the predicate {path} cannot be signed: {exc}"
        raise InputFileError(message) from exc


def attest_images(
    names: Sequence[str],
    predicate: Predicate,
    signing: Signing,
    options: StoreOptions | None = None,
    *,
    replace: bool = False,
    bundle_out: str | None = None,
) -> Iterator[SignedResult | Failed]:
    """Sign the same statement about each image and attach it; one result per image.

    ``replace`` (legacy format): the attestations of the same type under the tag go when the new one comes, as with
    cosign. Bundles stay whatever is asked, see ``REPLACED_BUNDLES``. ``bundle_out``: see ``sign_images``.

    Raises:
        UsageError: a name cannot be read, or ``bundle_out`` cannot hold what would be made.
        NoImages: there is no name at all.
        OutputFileError: ``bundle_out`` cannot be written (nothing was signed).
    """
    options = StoreOptions() if options is None else options

    def work(store: Store, name: Reference, out: OutFile | None) -> Iterator[SignedResult]:
        return _attest(store, name, predicate, signing, replace=replace, out=out)

    if bundle_out is not None:
        return one_bundle(names, signing, options, bundle_out, work)
    return each_image(names, options, lambda store, name: work(store, name, None))


def _attest(
    store: Store, reference: Reference, predicate: Predicate, signing: Signing, *, replace: bool, out: OutFile | None
) -> Iterator[SignedResult]:
    """Attest one image."""
    subject = resolve_subject(store, reference)
    made = make_attestation(signing, subject, store.repository, predicate.type, predicate.value)
    if out is not None:
        out.write(made.payload)

    def keep(layer: Descriptor) -> bool:
        return layer.annotation(PREDICATE_TYPE_ANNOTATION) != predicate.type

    evidence = attach_made(store, made, signing.now(), keep if replace else None)
    yield signed_result(reference, made, evidence)
