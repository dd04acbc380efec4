"""The second opinion: sigstore-python's ``Verifier`` is asked about each keyless bundle of a shape that it knows. Pure.

Knows that library's public API (sigstore-python.md section 1) and which shapes it cannot judge. It is asked after our
own answer was yes, and only its no counts: it adds no belief, it takes some away. The time of judgement is not passed
to it, since its API takes none; it looks at its own clock in one place alone (a log whose key is not valid yet). What
is dated after the time of judgement was refused before, and nothing else that it checks depends on today.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust.evidence import Format
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cryptography import x509
    from sigstore.hashes import Hashed
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

    from imgtrust.evidence import Evidence, LogEntry, Signed
    from imgtrust.reference import Digest
    from imgtrust.trust.anchors import SigstoreRoot, TrustedIdentity
    from imgtrust.trust.times import VerifiedTime

__all__ = ["Agreement", "Disagreement", "NotSupported", "second_opinion"]

_STATEMENTS: Final = frozenset({("dsse", "0.0.1"), ("hashedrekord", "0.0.2")})
_MESSAGES: Final = frozenset({("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2")})
"""Kinds and versions of log entries that it reads, for a DSSE envelope and for a message signature."""
_LONGEST: Final = 300
_FULCIO: Final = "1.3.6.1.4.1.57264.1"
_LONG: Final = 0x80
"""From this byte on a DER length has several bytes; issuers are shorter."""
_CLASSES: Final = {
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


@dataclass(frozen=True, slots=True)
class Agreement:
    """It believes the bundle as well; ``by`` is who was asked."""

    by: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """It does not believe the bundle, for its own ``reason``."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotSupported:
    """It cannot judge this; ``reason`` says what of it."""

    reason: str


def second_opinion(
    evidence: Evidence, signed: Signed, trusted: Sequence[TrustedIdentity], times: Sequence[VerifiedTime]
) -> Agreement | Disagreement | NotSupported:
    """Ask about a bundle that we believe; ``trusted`` are the identities (of one instance) and ``times`` the proofs.

    The shape decides whether it is asked at all; from then on all that it raises is a no, whatever the kind.
    """
    instance = trusted[0].root
    reason = next(_unsupported(evidence, signed, instance, times), None)
    if reason is not None:
        return NotSupported(reason)
    import sigstore  # noqa: PLC0415 - 0.3 s, for keyless bundles alone
    from sigstore.models import Bundle  # noqa: PLC0415 - as above
    from sigstore.verify import policy  # noqa: PLC0415 - as above

    by = f"sigstore-python {sigstore.__version__}"
    try:
        verifier = _verifier(instance.raw)
    except Exception as exc:  # noqa: BLE001 - raw pydantic errors among others; the root is ours, no bundle's
        return NotSupported(f"it cannot use the trusted root {instance.name}: {_said(exc)}")
    try:
        bundle = Bundle.from_json(evidence.payload)
        asked = policy.AllOf([_question(each) for each in trusted])
        if signed.message_digest is None:
            _, payload = verifier.verify_dsse(bundle, asked)
            if signed.message is None or not signed.message.endswith(payload):
                return Disagreement(by, "it reads another payload in the envelope")
        else:
            verifier.verify_artifact(_hashed(evidence.subject), bundle, asked)
    except Exception as exc:  # noqa: BLE001 - ValueError, TypeError, x509 and pydantic errors escape it (1.3)
        return Disagreement(by, _said(exc))
    return Agreement(by)


def _unsupported(
    evidence: Evidence, signed: Signed, instance: SigstoreRoot, times: Sequence[VerifiedTime]
) -> Iterator[str]:
    """What of the shape it cannot judge; nothing where it can judge all of it."""
    if signed.format is not Format.BUNDLE:
        yield "it reads Sigstore bundles only"
    if evidence.subject.algorithm != "sha256" or (signed.message_digest and signed.digest_algorithm != "sha256"):
        yield "it knows sha256 only"
    if len(signed.log_entries) == 1:
        yield from _entry_faults(signed.log_entries[0], instance, stated=signed.message_digest is None)
    else:
        yield f"it wants exactly one log entry, there are {len(signed.log_entries)}"
    if not _countable(times, instance):
        yield "it counts no time of an authority that the trusted root does not name, or of its last second"
    yield from _leaf_faults(signed.certificates[0])


def _entry_faults(entry: LogEntry, instance: SigstoreRoot, *, stated: bool) -> Iterator[str]:
    """What of a log entry it cannot judge."""
    if entry.proof is None or entry.proof.checkpoint is None:
        yield "it wants an inclusion proof with a checkpoint"
    elif entry.log_index == 0 or entry.proof.log_index == 0:
        yield "it cannot read the first entry of a log"
    if (entry.kind, entry.version) not in (_STATEMENTS if stated else _MESSAGES):
        yield f"it does not read log entries of kind {entry.kind} {entry.version} for this"
    if entry.log_id not in {log.log_id for log in instance.logs}:
        yield "the log is not one of the instance's"


def _countable(times: Iterable[VerifiedTime], instance: SigstoreRoot) -> bool:
    """Whether it could prove one of our times: it takes the end of an authority's window as exclusive."""
    ends = {authority.name: authority.not_after for authority in instance.authorities}
    return any(
        time.source is TimeSource.REKOR or (time.authority in ends and ends[time.authority] != time.time)
        for time in times
    )


def _leaf_faults(der: bytes) -> Iterator[str]:
    """What of a certificate it cannot judge."""
    from cryptography import x509  # noqa: PLC0415 - as everywhere
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        yield "it verifies ECDSA P-256 with SHA-256 only"
    if not _names(certificate):
        yield "it cannot read a name that is neither address nor URI"


@functools.lru_cache(maxsize=16)
def _verifier(root: bytes) -> Verifier:
    """Its verifier under a trusted root (JSON), made once."""
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - as above
    from sigstore.verify import Verifier as Their  # noqa: PLC0415 - as above

    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": json.loads(root),
        "signingConfig": _SIGNING_CONFIG,
    }
    return Their(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)


def _hashed(digest: Digest) -> Hashed:
    """A message by its sha256, as it wants it."""
    from sigstore.hashes import Hashed as Their  # noqa: PLC0415 - as above

    return Their.model_validate({"algorithm": "SHA2_256", "digest": bytes.fromhex(digest.encoded)})


def _question(identity: TrustedIdentity) -> VerificationPolicy:
    """A trusted identity in its terms: its own policies for what is exact, ours for patterns."""
    from sigstore.verify import policy  # noqa: PLC0415 - as above

    asked: list[VerificationPolicy] = []
    if isinstance(identity.identity, str):
        asked.append(policy.Identity(identity=identity.identity))
    else:
        asked.append(_Pattern(identity.identity, _names, "name"))
    if isinstance(identity.issuer, str):
        asked.append(policy.AnyOf([policy.OIDCIssuer(identity.issuer), policy.OIDCIssuerV2(identity.issuer)]))
    else:
        asked.append(_Pattern(identity.issuer, _issuers, "issuer"))
    asked += [getattr(policy, _CLASSES[name])(value) for name, value in identity.extensions]
    return policy.AllOf(asked)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A policy of sigstore's (``VerificationPolicy``): something in the certificate matches a pattern as a whole."""

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


def _names(certificate: x509.Certificate) -> list[str]:
    """URIs and e-mail addresses among the subject's alternative names."""
    from cryptography import x509  # noqa: PLC0415 - as above

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.RFC822Name),
    ]


def _issuers(certificate: x509.Certificate) -> list[str]:
    """The issuer in both of the ways in which Fulcio writes it: bare text, and DER UTF8String."""
    from cryptography import x509  # noqa: PLC0415 - as above

    found = {
        each.oid.dotted_string: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    bare, encoded = found.get(f"{_FULCIO}.1"), found.get(f"{_FULCIO}.8")
    return [*([bare.decode()] if bare else []), *([encoded[2:].decode()] if encoded and encoded[1] < _LONG else [])]


def _said(exc: Exception) -> str:
    """What it says, on one line."""
    text = " ".join(str(exc).split()) or type(exc).__name__
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
