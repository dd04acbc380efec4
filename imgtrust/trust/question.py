"""What sigstore-python is asked: the trust that we judged by, one bundle, and who should have signed it. Pure.

Knows that library's public API (sigstore-python.md section 1) and its JSON; knows nothing of what it cannot judge or of
what its answer means. The question is the evidence as it was found, but for what it wants written otherwise: one log
entry at a time, the zeros that protobuf's JSON leaves out, and the time-stamp authorities that we asked.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from imgtrust.errors import Refused
from imgtrust.trust.times import read_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cryptography import x509
    from sigstore.hashes import Hashed
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

    from imgtrust.trust.anchors import TrustedIdentity
    from imgtrust.trust.times import TimestampAuthority

__all__ = ["POLICIES", "Heard", "about", "asked_of", "named_leaves", "named_message", "verifier"]

_FULCIO: Final = "1.3.6.1.4.1.57264.1"
_LONG: Final = 0x80
"""From this byte on a DER length has several bytes; names and issuers are shorter."""
_TICK: Final = timedelta(seconds=1)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
POLICIES: Final = {
    "build_signer_uri": "OIDCBuildSignerURI",
    "build_signer_digest": "OIDCBuildSignerDigest",
    "runner_environment": "OIDCRunnerEnvironment",
    "source_repository": "OIDCSourceRepositoryURI",
    "source_repository_digest": "OIDCSourceRepositoryDigest",
    "source_repository_ref": "OIDCSourceRepositoryRef",
    "source_repository_identifier": "OIDCSourceRepositoryIdentifier",
    "source_repository_owner": "OIDCSourceRepositoryOwnerURI",
    "source_repository_owner_identifier": "OIDCSourceRepositoryOwnerIdentifier",
    "build_config_uri": "OIDCBuildConfigURI",
    "build_config_digest": "OIDCBuildConfigDigest",
    "build_trigger": "OIDCBuildTrigger",
    "run_invocation_uri": "OIDCRunInvocationURI",
    "source_repository_visibility": "OIDCSourceRepositoryVisibility",
}
"""Its own policy for each extension that a policy of ours may ask for."""
_SIGNING_CONFIG: Final = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "rekorTlogConfig": {"selector": "ANY"},
    "tsaConfig": {"selector": "ANY"},
}
"""Names nobody: a trusted root is read from memory only as a part of a client's configuration."""


@functools.lru_cache(maxsize=16)
def verifier(root: bytes, authorities: tuple[TimestampAuthority, ...]) -> Verifier:
    """Its verifier under a trusted root (JSON) with these time-stamp authorities, made once.

    Raises:
        Exception: whatever it raises for a root that it cannot use.
    """
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - 0.3 s, for keyless bundles alone
    from sigstore.verify import Verifier as Their  # noqa: PLC0415 - as above

    trusted = {
        **json.loads(root),
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "timestampAuthorities": [_written(each, own) for each in authorities for own in each.roots],
    }
    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": trusted,
        "signingConfig": _SIGNING_CONFIG,
    }
    return Their(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)


def named_leaves(
    authorities: Iterable[TimestampAuthority], timestamps: Iterable[bytes]
) -> tuple[TimestampAuthority, ...]:
    """The authorities, each with its leaf; one that is known by its roots alone, with each leaf that a token carries.

    It wants to be told who made a token; whether the roots vouch for that leaf it decides itself.
    """
    carried = tuple(dict.fromkeys(leaf for token in timestamps if (leaf := _leaf(token)) is not None))
    leaves = ((each, (each.leaf,) if each.leaf is not None else carried) for each in authorities)
    return tuple(dict.fromkeys(replace(each, leaf=leaf) for each, known in leaves for leaf in known))


def about(payload: bytes, number: int, *, stamped: bool) -> bytes:
    """The bundle with its log entry of this number alone, as its parser wants it.

    ``stamped``: whether time-stamps are left in; where no authority is trusted they prove nothing to anybody, and it
    refuses to judge what has some. What needs no change is handed over as it is, to the byte.
    """
    document: dict[str, Any] = json.loads(payload)
    material = document["verificationMaterial"]
    entry = dict(material["tlogEntries"][number])
    entry.update((name, "0") for name in ("logIndex",) if entry.get(name) is None)
    proof = dict(entry["inclusionProof"])
    proof.update((name, zero) for name, zero in (("logIndex", "0"), ("hashes", [])) if proof.get(name) is None)
    entry["inclusionProof"] = proof
    wanted = {**material, "tlogEntries": [entry]}
    if not stamped:
        wanted.pop("timestampVerificationData", None)
    return payload if wanted == material else json.dumps({**document, "verificationMaterial": wanted}).encode()


def named_message(algorithm: str, digest: str) -> Hashed:
    """A message by its digest (hex), as it wants it."""
    from sigstore.hashes import Hashed as Their  # noqa: PLC0415 - as above

    name = f"SHA2_{algorithm.removeprefix('sha')}"
    return Their.model_validate({"algorithm": name, "digest": bytes.fromhex(digest)})


class Heard:
    """A policy of sigstore's (``VerificationPolicy``) that remembers whether it was asked and content.

    By then the library has found the times, the chain, the certificate's timestamp and its usages to be right.
    """

    def __init__(self, inner: VerificationPolicy) -> None:
        """Ask ``inner``."""
        self._inner = inner
        self.content = False

    def verify(self, cert: x509.Certificate) -> None:
        """Pass a certificate on; the name is the protocol's."""
        self._inner.verify(cert)
        self.content = True


def asked_of(identities: Sequence[TrustedIdentity]) -> Heard:
    """Trusted identities in its terms: its own policies for what is exact, ours for patterns. All of them must hold."""
    from sigstore.verify import policy  # noqa: PLC0415 - as above

    return Heard(policy.AllOf([_asked_of(each) for each in identities]))


def _asked_of(identity: TrustedIdentity) -> VerificationPolicy:
    from sigstore.verify import policy  # noqa: PLC0415 - as above

    asked: list[VerificationPolicy] = []
    if isinstance(identity.identity, str):
        other = _Pattern(re.compile(re.escape(identity.identity)), _other_names, "other name")
        asked.append(policy.AnyOf([policy.Identity(identity=identity.identity), other]))
    else:
        asked.append(_Pattern(identity.identity, _names, "name"))
    if isinstance(identity.issuer, str):
        asked.append(policy.AnyOf([policy.OIDCIssuer(identity.issuer), policy.OIDCIssuerV2(identity.issuer)]))
    else:
        asked.append(_Pattern(identity.issuer, _issuers, "issuer"))
    asked += [getattr(policy, POLICIES[name])(value) for name, value in identity.extensions]
    return policy.AllOf(asked)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A policy of sigstore's: something in the certificate matches a pattern as a whole."""

    pattern: re.Pattern[str]
    read: Callable[[x509.Certificate], list[str]]
    what: str

    def verify(self, cert: x509.Certificate) -> None:
        """Refuse a certificate where nothing matches; the name is the protocol's."""
        from sigstore.errors import VerificationError  # noqa: PLC0415 - as above

        found = self.read(cert)
        if not any(self.pattern.fullmatch(text) for text in found):
            message = f"no {self.what} of the certificate matches: {found}"
            raise VerificationError(message)


def _written(authority: TimestampAuthority, root: bytes) -> dict[str, Any]:
    """An authority as a trusted root has it, with one of its roots.

    It takes the end of a window as exclusive (sigstore-python.md 1.3), so the end is moved by a second: what we count
    lies inside ours already.
    """
    chain = dict.fromkeys((authority.leaf or b"", *authority.intermediates))
    window = {"start": (authority.not_before or _FIRST).isoformat()}
    if authority.not_after is not None:
        window["end"] = (min(authority.not_after, _LAST) + _TICK).isoformat()
    certificates = [{"rawBytes": base64.b64encode(each).decode("ascii")} for each in (*chain, root)]
    return {
        "subject": {"organization": "", "commonName": authority.name},
        "certChain": {"certificates": certificates},
        "validFor": window,
    }


def _leaf(token: bytes) -> bytes | None:
    """The signer's certificate in a token; None where there is none, or no token."""
    try:
        return read_token(token).leaf
    except Refused:
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    """URIs, e-mail addresses and Fulcio's other names among the subject's alternative names."""
    from cryptography import x509  # noqa: PLC0415 - as everywhere

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.RFC822Name),
        *_other_names(certificate),
    ]


def _other_names(certificate: x509.Certificate) -> list[str]:
    """Fulcio's other names, which sigstore-python takes for bare text although they are DER UTF8String."""
    from cryptography import x509  # noqa: PLC0415 - as above

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    others = names.get_values_for_type(x509.OtherName)
    return [text for each in others if each.type_id.dotted_string == f"{_FULCIO}.7" for text in _utf8(each.value)]


def _issuers(certificate: x509.Certificate) -> list[str]:
    """The issuer in both of the ways in which Fulcio writes it: bare text, and DER UTF8String."""
    from cryptography import x509  # noqa: PLC0415 - as above

    found = {
        each.oid.dotted_string: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    bare, encoded = found.get(f"{_FULCIO}.1"), found.get(f"{_FULCIO}.8")
    return [*([bare.decode()] if bare else []), *_utf8(encoded or b"")]


def _utf8(encoded: bytes) -> list[str]:
    """The text of a short DER UTF8String; nothing for anything else."""
    return [encoded[2:].decode()] if len(encoded) > 1 and encoded[1] < _LONG else []
