"""The signed record of a promotion: a SLSA verification summary, attached at the destination.

Knows how the summary of a verdict is written and signed; judges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import imgtrust
from imgtrust.commands.signing import make_attestation
from imgtrust.formats.attachments import bundle_attachment
from imgtrust.policy.verdict import Outcome
from imgtrust.predicates.summary import VSA, Input, Summary, write_summary
from imgtrust.reference import LayoutRepository

if TYPE_CHECKING:
    from imgtrust.commands.promotion.plan import Plan
    from imgtrust.commands.signing import Made, Signing
    from imgtrust.formats.attachments import Attachment
    from imgtrust.policy.verdict import Verdict
    from imgtrust.reference import Digest, Repository

__all__ = ["make_record", "resource_uri", "summary_of"]

_CONTENT: Final = "dsse-envelope"


def resource_uri(repository: Repository, digest: Digest) -> str:
    """The name of an image as a URI: ``oci://HOST/REPO@DIGEST``, or ``oci:DIR@DIGEST`` for a layout."""
    if isinstance(repository, LayoutRepository):
        return f"{repository}@{digest}"
    return f"oci://{repository}@{digest}"


def summary_of(plan: Plan, verdict: Verdict) -> Summary:
    """The summary of the verdict that was reached at the destination."""
    facts = verdict.facts
    used = () if facts is None else tuple(found for subject in facts.subjects for found in subject.signatures)
    inputs = sorted({found.evidence for found in used})
    return Summary(
        version=imgtrust.__version__,
        verified_at=verdict.judged_at,
        resource=resource_uri(plan.destination, plan.root.digest),
        source=resource_uri(plan.source.repository, plan.root.digest),
        policy_source=verdict.policy.source,
        policy_digest=verdict.policy.digest,
        passed=verdict.outcome is Outcome.ACCEPTED,
        inputs=tuple(Input(resource_uri(plan.destination, digest), digest) for digest in inputs),
        platforms=plan.platforms,
        tags=plan.tags,
    )


def make_record(plan: Plan, verdict: Verdict, signing: Signing) -> tuple[Attachment, Made]:
    """Sign the summary of the verdict at the destination, and verify it; not pushed yet.

    With a time-stamp of each authority and an entry of each log. Returns the referrer, and what is in it.

    Raises:
        Undecided: the holder of the key, Fulcio, a log or a time-stamp authority does not do its part.
        UsageError: there is no identity to sign as any more.
        KeyUnusable: what the key signed does not verify.
    """
    predicate = write_summary(summary_of(plan, verdict))
    made = make_attestation(signing, plan.root, plan.destination, VSA, predicate)
    created = signing.now()
    return bundle_attachment(plan.root, made.payload, predicate_type=VSA, content=_CONTENT, created=created), made
