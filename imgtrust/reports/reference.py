"""The parts of the reference pages that are made from the code: words of a policy, refusal codes. Pure.

Knows Markdown tables. A test compares the pages in ``docs/reference`` with what is made here, so they cannot drift.
"""

from __future__ import annotations

from typing import Final

from imgtrust.policy.vocabulary import TABLES, Key
from imgtrust.refusals import RefusalCode

__all__ = ["MEANINGS", "policy_words", "refusal_codes"]

MEANINGS: Final[dict[RefusalCode, str]] = {
    RefusalCode.MANIFEST_MALFORMED: "The manifest that carries the evidence breaks its specification.",
    RefusalCode.MANIFEST_SUBJECT: "The manifest says that it is about another image than the one it was listed for.",
    RefusalCode.MANIFEST_LAYERS: "The manifest has more layers than its format has: it could be read in two ways.",
    RefusalCode.MANIFEST_UNREADABLE: "A layer is larger than any signature is, so it was not read.",
    RefusalCode.BLOB_MISSING: "The store does not have the blob that the manifest names. Attach it again.",
    RefusalCode.BLOB_MISMATCH: "The blob's bytes are not those that the manifest names.",
    RefusalCode.BUNDLE_MALFORMED: "The Sigstore bundle cannot be read.",
    RefusalCode.BUNDLE_VERSION: "The bundle has a version or media type that is not known.",
    RefusalCode.BUNDLE_UNSUPPORTED: "The bundle has something that is not judged (a digest of another kind).",
    RefusalCode.BUNDLE_SIGNATURES: "The envelope of the bundle does not have exactly one signature.",
    RefusalCode.BUNDLE_UNTRUSTED_KEY: "Signed with a key that the policy does not name. Name it, or use another key.",
    RefusalCode.BUNDLE_BAD_SIGNATURE: "The key is named, and the signature is not by it over these bytes.",
    RefusalCode.BUNDLE_DIGEST: "The bundle signs a message with another digest than the image has.",
    RefusalCode.DSSE_MALFORMED: "The DSSE envelope cannot be read.",
    RefusalCode.DSSE_PAYLOAD_TYPE: "The envelope holds something else than an in-toto statement.",
    RefusalCode.STATEMENT_MALFORMED: "The in-toto statement cannot be read.",
    RefusalCode.STATEMENT_TYPE: "The statement has a version that is not known.",
    RefusalCode.STATEMENT_SUBJECT: "The statement is about another image: a signature that was moved.",
    RefusalCode.STATEMENT_PREDICATE: "The statement has no predicate type.",
    RefusalCode.SIMPLESIGNING_MALFORMED: "The payload of a cosign signature cannot be read.",
    RefusalCode.SIMPLESIGNING_TYPE: "The payload says that it is no cosign container signature.",
    RefusalCode.SIMPLESIGNING_SUBJECT: "The payload is about another image: a signature that was moved.",
    RefusalCode.SIMPLESIGNING_UNTRUSTED_KEY: "As `bundle.untrusted_key`, for a cosign signature.",
    RefusalCode.SIMPLESIGNING_BAD_SIGNATURE: "As `bundle.bad_signature`, for a cosign signature.",
    RefusalCode.SIMPLESIGNING_UNSUPPORTED: "As `bundle.unsupported`, for a cosign signature.",
    RefusalCode.KEY_WINDOW: "The proven time lies outside the window in which the policy lets the key speak.",
    RefusalCode.KEY_WINDOW_UNPROVEN: "The key has a window, and no proven time says that the signature lies in it.",
    RefusalCode.KEY_INSTEAD_OF_CERTIFICATE: "Signed with a key, and only identities in certificates are trusted.",
    RefusalCode.TIME_MALFORMED: "The time-stamp cannot be read.",
    RefusalCode.TIME_UNTRUSTED: "No time-stamp authority that the policy names made the time-stamp.",
    RefusalCode.TIME_IMPRINT: "The time-stamp is over other bytes than this signature.",
    RefusalCode.TIME_INVALID: "The time-stamp's own signature or certificate chain does not hold at its time.",
    RefusalCode.TIME_FUTURE: "The time lies after the time of judgement.",
    RefusalCode.CERTIFICATE_MALFORMED: "The certificate cannot be read, or is none that Fulcio issues.",
    RefusalCode.CERTIFICATE_UNTRUSTED: "The certificate leads to no authority of the trusted root at that time.",
    RefusalCode.CERTIFICATE_EXPIRED: "A proven time lies outside the few minutes in which the certificate is valid.",
    RefusalCode.CERTIFICATE_USAGE: "The certificate is not for signing code.",
    RefusalCode.CERTIFICATE_SCT: "No certificate log that is trusted vouches for having seen the certificate.",
    RefusalCode.CERTIFICATE_NO_TIME: "Nothing proves when a keyless signature was made: no promise of a log, no "
    "time-stamp that is believed.",
    RefusalCode.CERTIFICATE_BAD_SIGNATURE: "The signature is not by the certificate's key over these bytes.",
    RefusalCode.CERTIFICATE_INSTEAD_OF_KEY: "Signed with a certificate, and only keys are trusted.",
    RefusalCode.IDENTITY_UNTRUSTED: "The certificate names somebody whom the policy does not name.",
    RefusalCode.IDENTITY_EXTENSION: "The right identity, under other circumstances (repository, ref, trigger) than the "
    "policy asks for.",
    RefusalCode.LOG_MALFORMED: "The log entry cannot be read.",
    RefusalCode.LOG_MISSING: "There is no log entry, and the policy asks for one.",
    RefusalCode.LOG_UNKNOWN: "The log is not one of the trusted root's.",
    RefusalCode.LOG_WINDOW: "The log's key was not valid at that time.",
    RefusalCode.LOG_PROMISE: "The log's signed promise does not hold for this entry.",
    RefusalCode.LOG_INCLUSION: "The proof does not lead from the entry to the root of the tree, or there is none.",
    RefusalCode.LOG_CHECKPOINT: "The log did not sign that root and size, or another log did.",
    RefusalCode.LOG_KIND: "The log entry is of a kind that is not known.",
    RefusalCode.LOG_INCONSISTENT: "The entry is in the log, and it is about another signature, key or digest.",
    RefusalCode.SECOND_OPINION: "imgtrust believes the bundle and sigstore-python does not; both answers stand in the "
    "reason. Report it: one of the two is wrong.",
    RefusalCode.NOTARY_MALFORMED: "The Notary envelope cannot be read.",
    RefusalCode.NOTARY_CRITICAL: "The envelope says that something must be understood that is not known.",
    RefusalCode.NOTARY_ALGORITHM: "The signature algorithm is not the one for the certificate's key.",
    RefusalCode.NOTARY_CHAIN: "The certificates are no chain that the Notary Project allows.",
    RefusalCode.NOTARY_BAD_SIGNATURE: "The signature is not by the certificate's key over this envelope.",
    RefusalCode.NOTARY_UNTRUSTED: "The chain ends at a root that the policy does not name for this kind of signature.",
    RefusalCode.NOTARY_IDENTITY: "The root is trusted, and the policy does not name this subject or profile under it.",
    RefusalCode.NOTARY_EXPIRED: "The signer gave the signature an end, and it is over.",
    RefusalCode.NOTARY_TIME: "A certificate of the chain was not valid when the signature was made (or now, where no "
    "time is proven).",
    RefusalCode.NOTARY_REVOKED: "A certificate of the chain is revoked.",
    RefusalCode.NOTARY_REVOCATION_UNKNOWN: "Nobody could tell whether a certificate is revoked, and the policy "
    "enforces that.",
    RefusalCode.NOTARY_SUBJECT: "The envelope is about another image: a signature that was moved.",
    RefusalCode.FORMAT_UNSUPPORTED: "A signature format that this version recognises and does not judge.",
}
"""What each refusal code means, for a person."""


def policy_words() -> str:
    """Every table of a policy file with its keys, as Markdown."""
    blocks = []
    for table in TABLES.values():
        rows = [_row(key) for key in table.keys if not key.later]
        title = table.title[:1].upper() + table.title[1:] if table.title[:1].isalpha() else f"`{table.title}`"
        blocks.append(f"### {title}\n\n{table.doc}\n\n| key | value | meaning |\n|---|---|---|\n" + "\n".join(rows))
    later = ", ".join(f"`{key.name}`" for table in TABLES.values() for key in table.keys if key.later)
    blocks.append(f"Words of later versions are refused by name, never ignored: {later}.")
    return "\n\n".join(blocks)


def _row(key: Key) -> str:
    needed = " (required)" if key.required else ""
    choices = f": {', '.join(f'`{choice}`' for choice in key.choices)}" if key.choices else ""
    return f"| `{key.name}`{needed} | {key.kind.value}{choices} | {key.doc} |"


def refusal_codes() -> str:
    """Every refusal code with its meaning, as Markdown."""
    rows = [f"| `{code.value}` | {MEANINGS[code]} |" for code in RefusalCode]
    return "| code | meaning |\n|---|---|\n" + "\n".join(rows)
