"""What a piece of evidence is and what it says of itself, in words for the tree of ``inspect``.

Knows formats and predicates; believes nothing: whatever is read here is what somebody wrote.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.evidence import Format, Kind
from imgtrust.formats.known import in_words
from imgtrust.formats.mediatypes import IN_TOTO_LAYER
from imgtrust.predicates.sbom import recognise_predicate
from imgtrust.predicates.summary import VSA
from imgtrust.predicates.types import alias_of
from imgtrust.reports.tree import Attached, Standing
from imgtrust.reports.who import identity
from imgtrust.trust.times import ClaimedTime, TimeSource, read_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.content import Manifest
    from imgtrust.evidence import Claim, Signed, Statement
    from imgtrust.reference import Digest

__all__ = ["claims_of", "described", "moved", "said_name", "said_times"]

_SLSA: Final = "https://slsa.dev/provenance/"
_SBOM_NAMES: Final = {"spdx": "SPDX", "cyclonedx": "CycloneDX"}
_BUILDKIT_PREDICATE: Final = "in-toto.io/predicate-type"
_SHOWN: Final = 8
_FINGERPRINT: Final = 64
"""The hex digits of a SHA-256."""
_LAST_SECOND: Final = 253402300799
"""The end of the year 9999, the last that can be told."""
_NOTARY_CLAIM: Final = "notary-signing-time"


def described(kind: Kind, statement: Statement | None, form: Format) -> tuple[str, str]:
    """A word for what a signed thing is, and what more can be said of it."""
    if kind is Kind.SIGNATURE or statement is None:
        return kind.value, in_words(form)
    sbom = recognise_predicate(statement.predicate)
    if sbom is not None:
        packages = "1 package" if sbom.components == 1 else f"{sbom.components} packages"
        return "sbom", f"{_SBOM_NAMES.get(sbom.format, sbom.format)} {sbom.version}, {packages}"
    return _by_type(statement.predicate_type)


def claims_of(claim: Claim, manifest: Manifest | None = None) -> Iterator[Attached]:
    """Something that nobody signed; ``manifest`` where it is BuildKit's: then each of its statements."""
    statements = [] if manifest is None else [each for each in manifest.layers if each.media_type == IN_TOTO_LAYER]
    for layer in statements:
        uri = layer.annotation(_BUILDKIT_PREDICATE)
        kind, what = ("attestation", "a statement of no type") if uri is None else _by_type(uri)
        yield Attached(kind, what, Standing.CLAIM, claim.digest, predicate_type=uri, reason="BuildKit")
    if not statements:
        kind = "sbom" if "SBOM" in claim.description else "artifact"
        what = claim.description.removeprefix("SBOM, ")
        yield Attached(kind, what, Standing.CLAIM, claim.digest, reason=claim.artifact_type)


def _by_type(uri: str) -> tuple[str, str]:
    """What a statement is by its predicate type alone."""
    if uri.startswith(_SLSA):
        return "provenance", f"SLSA {uri.removeprefix(_SLSA)}"
    if uri == VSA:
        return "summary", "SLSA verification summary"
    alias = alias_of(uri)
    return ("sbom", _SBOM_NAMES[alias]) if alias in _SBOM_NAMES else ("attestation", alias)


def said_name(signed: Signed) -> str:
    """Whom an unverified signature says that it is by: whom its certificate names, or the key by its hint, short."""
    if not signed.certificates:
        try:
            hint = base64.b64decode(signed.key_hint or "", validate=True).hex()
        except (binascii.Error, ValueError):
            return ""
        return f"key {hint[:_SHOWN]}" if len(hint) == _FINGERPRINT else ""
    try:
        if signed.notary is not None:
            from imgtrust.trust.notary.chain import read_chain  # noqa: PLC0415 - certificates are slow to import
            from imgtrust.trust.notary.stores import identity_of  # noqa: PLC0415 - as above

            return identity(identity_of(signed.notary, read_chain(signed.certificates)))
        from imgtrust.trust.certificates import read_leaf  # noqa: PLC0415 - as above

        return identity(str(read_leaf(signed).named))
    except Refused:
        return ""


def said_times(signed: Signed) -> tuple[ClaimedTime, ...]:
    """The times that an unverified signature says it was made at, by their source; nothing proves them."""
    found = []
    for token in dict.fromkeys(signed.timestamps):
        try:
            found.append(ClaimedTime(read_token(token).time, TimeSource.RFC3161, ""))
        except Refused:
            continue
    seconds = [entry.integrated_time for entry in dict.fromkeys(signed.log_entries)]
    found += [
        ClaimedTime(datetime.fromtimestamp(second, UTC), TimeSource.REKOR, "")
        for second in seconds
        if 0 < second <= _LAST_SECOND
    ]
    if signed.notary is not None:
        for moment, source in (
            (signed.notary.authentic_time, TimeSource.SIGNING_AUTHORITY.value),
            (signed.notary.signing_time, _NOTARY_CLAIM),
        ):
            if moment is not None:
                found.append(ClaimedTime(moment, source, "the signer"))
    return tuple(found)


def moved(signed: Signed, subject: Digest) -> bool:
    """Whether an unverified signature says that it is about something else than what it was found on."""
    if signed.notary is not None:
        return signed.notary.target.digest != subject
    if signed.message_digest is not None and len(signed.message_digest) != _FINGERPRINT:
        return False
    return subject.encoded not in signed.subjects
