"""Who a Sigstore certificate names, and the extensions that Fulcio puts into it. Pure.

Knows fulcio's oid-info.md and certificate-specification.md, and how a policy's identity is compared: exactly, or by a
pattern that matches the whole text. Knows nothing of who issued the certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

    from cryptography import x509

    from imgtrust.trust.anchors import TrustedIdentity

__all__ = ["EXTENSIONS", "Named", "matching", "read_named"]

_ARC: Final = "1.3.6.1.4.1.57264.1"
EXTENSIONS: Final[dict[str, str]] = {
    "build_signer_uri": f"{_ARC}.9",
    "build_signer_digest": f"{_ARC}.10",
    "runner_environment": f"{_ARC}.11",
    "source_repository": f"{_ARC}.12",
    "source_repository_digest": f"{_ARC}.13",
    "source_repository_ref": f"{_ARC}.14",
    "source_repository_identifier": f"{_ARC}.15",
    "source_repository_owner": f"{_ARC}.16",
    "source_repository_owner_identifier": f"{_ARC}.17",
    "build_config_uri": f"{_ARC}.18",
    "build_config_digest": f"{_ARC}.19",
    "build_trigger": f"{_ARC}.20",
    "run_invocation_uri": f"{_ARC}.21",
    "source_repository_visibility": f"{_ARC}.22",
}
"""The names that a policy uses, and the object identifier of each."""

_ISSUER_V1: Final = f"{_ARC}.1"
"""The issuer as bare text."""
_ISSUER_V2: Final = f"{_ARC}.8"
"""The issuer as DER UTF8String, like every extension after it."""
_OTHER_NAME: Final = f"{_ARC}.7"
"""The type of a subject that is neither an address nor a URI."""
_UTF8_STRING: Final = 0x0C


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a certificate names: its one subject alternative name, the OIDC issuer, and Fulcio's extensions by name."""

    name: str
    issuer: str
    extensions: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.issuer})"


def read_named(certificate: x509.Certificate) -> Named:
    """Read whom a certificate names.

    Raises:
        ValueError: not exactly one name, no issuer, two issuers that differ, or an extension that is no text or empty.
    """
    from cryptography import x509  # noqa: PLC0415 - 40 ms that a run with bare keys does not need

    found = {
        each.oid.dotted_string: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    issuers = {found[_ISSUER_V1].decode("utf-8")} if _ISSUER_V1 in found else set()
    if _ISSUER_V2 in found:
        issuers.add(_text(found[_ISSUER_V2]))
    if len(issuers) != 1 or "" in issuers:
        message = f"it names {len(issuers - {''})} issuers, expected exactly one"
        raise ValueError(message)
    extensions = tuple((name, _text(found[oid])) for name, oid in EXTENSIONS.items() if oid in found)
    return Named(_subject(certificate), issuers.pop(), extensions)


def matching(named: Named, identities: Iterable[TrustedIdentity]) -> list[TrustedIdentity]:
    """Those of the trusted identities that a certificate names.

    Raises:
        Refused: IDENTITY_UNTRUSTED, none has this name and issuer; IDENTITY_EXTENSION, none of those that have has
            these extensions.
    """
    here = [each for each in identities if _same(each.identity, named.name) and _same(each.issuer, named.issuer)]
    if not here:
        message = f"signed by {str(named)[:300]}, which no trusted identity is"
        raise Refused(RefusalCode.IDENTITY_UNTRUSTED, message)
    own = dict(named.extensions)
    whole = [each for each in here if all(own.get(name) == value for name, value in each.extensions)]
    if not whole:
        wanted = ", ".join(f"{name} {own.get(name)!r}, not {value!r}" for name, value in _differing(here, own))
        message = f"signed by {str(named)[:300]} under other circumstances than the policy names: {wanted[:500]}"
        raise Refused(RefusalCode.IDENTITY_EXTENSION, message)
    return whole


def _differing(identities: Sequence[TrustedIdentity], own: dict[str, str]) -> list[tuple[str, str]]:
    """What the first identity wants and the certificate does not have."""
    return [(name, value) for name, value in identities[0].extensions if own.get(name) != value]


def _same(wanted: str | re.Pattern[str], found: str) -> bool:
    """Whether a text is exactly what is wanted; a pattern has to match it whole."""
    return wanted == found if isinstance(wanted, str) else wanted.fullmatch(found) is not None


def _subject(certificate: x509.Certificate) -> str:
    """The one subject alternative name: an address, a URI, or Fulcio's other name."""
    from cryptography import x509  # noqa: PLC0415 - as above

    names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if len(names) != 1:
        message = f"it has {len(names)} subject alternative names, expected exactly one"
        raise ValueError(message)
    match names[0]:
        case x509.RFC822Name(value=text) | x509.UniformResourceIdentifier(value=text) if text:
            return text
        case x509.OtherName() as other if other.type_id.dotted_string == _OTHER_NAME:
            return _text(other.value)
        case _:
            message = "its subject alternative name is no address, URI or other name of Fulcio"
            raise ValueError(message)


def _text(data: bytes) -> str:
    """The text in a DER UTF8String, which must not be empty."""
    from imgtrust.trust import der  # noqa: PLC0415 - as above

    reader = der.Reader(data)
    content = reader.next(_UTF8_STRING).content
    reader.end()
    if not content:
        message = "an extension is empty"
        raise ValueError(message)
    return content.decode("utf-8")
