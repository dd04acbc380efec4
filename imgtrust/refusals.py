"""The closed list of reasons for which a piece of evidence is not believed. Pure.

One member per check of the verification path, so that a person can search for a code and a test can demand
one. The text of a member's value is part of the report format (``refused[].code``) and never changes.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["RefusalCode"]


class RefusalCode(StrEnum):
    """Why evidence was refused; the part before the dot names the format or the step that refused it."""

    # The manifest that carries the evidence (OCI image-spec 1.1, cosign's attachment conventions).
    MANIFEST_MALFORMED = "manifest.malformed"
    MANIFEST_SUBJECT = "manifest.wrong_subject"
    MANIFEST_LAYERS = "manifest.layers"
    MANIFEST_UNREADABLE = "manifest.unreadable"
    BLOB_MISSING = "blob.missing"
    BLOB_MISMATCH = "blob.mismatch"

    # Sigstore bundle (sigstore protobuf-specs, bundle v0.3).
    BUNDLE_MALFORMED = "bundle.malformed"
    BUNDLE_VERSION = "bundle.version"
    BUNDLE_UNSUPPORTED = "bundle.unsupported"
    BUNDLE_SIGNATURES = "bundle.signature_count"
    BUNDLE_UNTRUSTED_KEY = "bundle.untrusted_key"
    BUNDLE_BAD_SIGNATURE = "bundle.bad_signature"
    BUNDLE_DIGEST = "bundle.message_digest"

    # DSSE envelope and in-toto statement.
    DSSE_MALFORMED = "dsse.malformed"
    DSSE_PAYLOAD_TYPE = "dsse.payload_type"
    STATEMENT_MALFORMED = "statement.malformed"
    STATEMENT_TYPE = "statement.type"
    STATEMENT_SUBJECT = "statement.wrong_subject"
    STATEMENT_PREDICATE = "statement.predicate"

    # cosign's simple signing payload and its .sig/.att layers.
    SIMPLESIGNING_MALFORMED = "simplesigning.malformed"
    SIMPLESIGNING_TYPE = "simplesigning.type"
    SIMPLESIGNING_SUBJECT = "simplesigning.wrong_subject"
    SIMPLESIGNING_UNTRUSTED_KEY = "simplesigning.untrusted_key"
    SIMPLESIGNING_BAD_SIGNATURE = "simplesigning.bad_signature"
    SIMPLESIGNING_UNSUPPORTED = "simplesigning.unsupported"

    # Keys and their windows.
    KEY_WINDOW = "key.outside_window"
    KEY_WINDOW_UNPROVEN = "key.window_unproven"
    KEY_INSTEAD_OF_CERTIFICATE = "key.instead_of_certificate"

    # RFC 3161 time-stamps.
    TIME_MALFORMED = "time.malformed"
    TIME_UNTRUSTED = "time.untrusted_authority"
    TIME_IMPRINT = "time.imprint"
    TIME_INVALID = "time.invalid"
    TIME_FUTURE = "time.future"

    # Signatures with a Sigstore certificate (sigstore client specification; one code per step).
    CERTIFICATE_MALFORMED = "certificate.malformed"
    CERTIFICATE_UNTRUSTED = "certificate.untrusted_chain"
    CERTIFICATE_EXPIRED = "certificate.not_valid_at_time"
    CERTIFICATE_USAGE = "certificate.usage"
    CERTIFICATE_SCT = "certificate.sct"
    CERTIFICATE_NO_TIME = "certificate.no_trusted_time"
    CERTIFICATE_BAD_SIGNATURE = "certificate.bad_signature"
    CERTIFICATE_INSTEAD_OF_KEY = "certificate.instead_of_key"
    IDENTITY_UNTRUSTED = "identity.untrusted"
    IDENTITY_EXTENSION = "identity.extension"

    # Transparency logs.
    LOG_MALFORMED = "log.malformed"
    LOG_MISSING = "log.missing"
    LOG_UNKNOWN = "log.unknown_log"
    LOG_WINDOW = "log.outside_window"
    LOG_PROMISE = "log.promise"
    LOG_INCLUSION = "log.inclusion"
    LOG_CHECKPOINT = "log.checkpoint"
    LOG_KIND = "log.kind"
    LOG_INCONSISTENT = "log.inconsistent"

    # The second opinion on bundles that sigstore-python can judge too.
    SECOND_OPINION = "second_opinion.disagrees"

    # Notary Project envelopes (notary.md 7, in its order).
    NOTARY_MALFORMED = "notary.malformed"
    NOTARY_CRITICAL = "notary.unknown_critical"
    NOTARY_ALGORITHM = "notary.algorithm"
    NOTARY_CHAIN = "notary.chain"
    NOTARY_BAD_SIGNATURE = "notary.bad_signature"
    NOTARY_UNTRUSTED = "notary.untrusted_root"
    NOTARY_IDENTITY = "notary.untrusted_identity"
    NOTARY_EXPIRED = "notary.expired"
    NOTARY_TIME = "notary.outside_certificate_validity"
    NOTARY_REVOKED = "notary.revoked"
    NOTARY_REVOCATION_UNKNOWN = "notary.revocation_unknown"
    NOTARY_SUBJECT = "notary.wrong_subject"

    # Formats that are recognised and not read here.
    FORMAT_UNSUPPORTED = "format.unsupported"
