"""The names of predicate types: short names, URIs, and which of them mean the same kind of statement. Pure.

Knows cosign's short names (cosign.md 1a), those of CLI.md section 4, and the URIs in use (policy.md section 4); knows
nothing of what a predicate says.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from imgtrust.errors import UsageError

__all__ = ["ALIASES", "alias_of", "canonical", "resolve"]

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of statement: the URI that is written, then the others that are read."""

    written: str
    read: tuple[str, ...] = ()


_SLSA_02: Final = "https://slsa.dev/provenance/v0.2"
_SLSA_1: Final = "https://slsa.dev/provenance/v1"
_SPDX: Final = _Kind("https://spdx.dev/Document", ("https://spdx.dev/Document/v2.2", "https://spdx.dev/Document/v2.3"))
_COSIGN_VULN: Final = "https://cosign.sigstore.dev/attestation/vuln/v1"
_COSIGN_VULN_OLD: Final = "cosign.sigstore.dev/attestation/vuln/v1"

_OWN: Final = {
    "slsa-provenance": _Kind(_SLSA_1, (_SLSA_02,)),
    "spdx": _SPDX,
    "cyclonedx": _Kind(
        "https://cyclonedx.org/bom", tuple(f"https://cyclonedx.org/bom/v1.{minor}" for minor in (4, 5, 6))
    ),
    "vulnerabilities": _Kind(
        _COSIGN_VULN,
        (
            _COSIGN_VULN_OLD,
            "https://in-toto.io/attestation/vulns/v0.1",
            "https://in-toto.io/attestation/vulns/v0.2",
        ),
    ),
    "openvex": _Kind("https://openvex.dev/ns", ("https://openvex.dev/ns/v0.2.0",)),
    "test-result": _Kind("https://in-toto.io/attestation/test-result/v0.1"),
}
"""The names of CLI.md section 4."""

_COSIGN: Final = {
    "custom": _Kind("https://cosign.sigstore.dev/attestation/v1"),
    "slsaprovenance": _Kind(_SLSA_02),
    "slsaprovenance02": _Kind(_SLSA_02),
    "slsaprovenance1": _Kind(_SLSA_1),
    "spdxjson": _SPDX,
    "link": _Kind("https://in-toto.io/Link/v1", ("https://in-toto.io/attestation/link/v0.3",)),
    "vuln": _Kind(_COSIGN_VULN, (_COSIGN_VULN_OLD,)),
}
"""cosign's names, where they differ."""

_KINDS: Final = {**_OWN, **_COSIGN}

ALIASES: Final = tuple(sorted(_KINDS))
"""Every short name, for help and messages."""


def resolve(name: str) -> frozenset[str]:
    """Every predicate type that counts under a name: all URIs of a short name's kind, a URI only itself.

    Raises:
        UsageError: neither a short name nor a URI; the nearest short name is in the message.
    """
    kind = _KINDS.get(name)
    if kind is not None:
        return frozenset({kind.written, *kind.read})
    return frozenset({_uri(name)})


def canonical(name: str) -> str:
    """The one predicate type URI that is written for a short name; a URI is itself.

    Raises:
        UsageError: neither a short name nor a URI.
    """
    kind = _KINDS.get(name)
    return _uri(name) if kind is None else kind.written


def alias_of(uri: str) -> str:
    """The short name for people that a predicate type URI has; the URI itself where there is none."""
    for names in (_OWN, _COSIGN):
        for name, kind in names.items():
            if uri == kind.written or uri in kind.read:
                return name
    return uri


def _uri(name: str) -> str:
    if name == _COSIGN_VULN_OLD or _URI.fullmatch(name):
        return name
    near = difflib.get_close_matches(name, ALIASES, 1)
    hint = f"did you mean {near[0]}?" if near else f"expected a URI or one of {', '.join(ALIASES)}"
    message = f"{name[:_SHOWN]!r} is no predicate type; {hint}"
    raise UsageError(message)
