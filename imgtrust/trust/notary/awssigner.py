"""What AWS Signer is asked about the revocation of one of its signatures, and what its answer proves. Pure.

Knows notary.md 10: the parameters of ``GetRevocationStatus`` and its answer, as JSON; knows nothing of how AWS is
reached. The responders and lists that AWS's certificates name are not used.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.formats.notary import AWS_JOB, AWS_PROFILE
from imgtrust.trust.notary.answers import Question
from imgtrust.trust.notary.revocation import Outcome, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from imgtrust.evidence import NotaryClaims
    from imgtrust.trust.notary.answers import Revocations

__all__ = ["PROFILE_VERSION", "SERVICE", "judge", "next_question"]

SERVICE: Final = "aws-signer"
"""The scheme of a question's address; its place is the region."""
_PLATFORM: Final = "Notation-OCI-SHA384-ECDSA"
PROFILE_VERSION: Final = re.compile(
    r"(arn:[a-z0-9-]+:signer:([a-z0-9-]+):[0-9]{12}:/signing-profiles/[A-Za-z0-9_]+)/[A-Za-z0-9]{10}", re.ASCII
)
"""The ARN of a version of a profile: in it that of the profile, and the region."""
_JOB: Final = re.compile(r"arn:[a-z0-9-]+:signer:[a-z0-9-]+:[0-9]{12}:/signing-jobs/[A-Za-z0-9-]{1,64}", re.ASCII)
_MAX_ANSWER: Final = 256 * 1024
_SHOWN: Final = 300


def next_question(
    claims: NotaryClaims, chain: Sequence[x509.Certificate], revocations: Revocations
) -> tuple[Question, ...]:
    """What has to be asked about a signature (its chain from leaf to root); nothing where it was, or cannot be."""
    asked = _question(claims, chain)
    return () if asked is None or asked.key in revocations.answers else (asked,)


def judge(claims: NotaryClaims, chain: Sequence[x509.Certificate], revocations: Revocations) -> Standing:
    """What AWS Signer's answer says of a signature, its profile and its certificates."""
    asked = _question(claims, chain)
    if asked is None:
        return Standing(Outcome.UNKNOWN, "it names no signing job of a profile, so that AWS Signer cannot be asked")
    answer = revocations.answers.get(asked.key)
    if answer is None:
        return Standing(Outcome.UNKNOWN, "AWS Signer was not asked (GetRevocationStatus)")
    if answer.data is None:
        return Standing(Outcome.UNKNOWN, f"AWS Signer did not say: {answer.reason}")
    revoked = _revoked(answer.data)
    if revoked is None:
        return Standing(Outcome.UNKNOWN, "AWS Signer's answer is not one to GetRevocationStatus")
    if revoked:
        return Standing(Outcome.REVOKED, f"AWS Signer says that it revoked {', '.join(revoked)}"[:_SHOWN])
    return Standing(Outcome.GOOD)


def _question(claims: NotaryClaims, chain: Sequence[x509.Certificate]) -> Question | None:
    """The parameters of GetRevocationStatus; None where the signed attributes do not name a job and a profile."""
    attributes = dict(claims.attributes)
    version, job = attributes.get(AWS_PROFILE, ""), attributes.get(AWS_JOB, "")
    match = PROFILE_VERSION.fullmatch(version)
    if match is None or claims.authentic_time is None or not _JOB.fullmatch(job):
        return None
    parameters: dict[str, Any] = {
        "signatureTimestamp": claims.authentic_time.isoformat(),
        "platformId": _PLATFORM,
        "profileVersionArn": version,
        "jobArn": job,
        "certificateHashes": _hashes(chain),
    }
    return Question(f"{SERVICE}:{match[2]}", strict_json.dumps(parameters), b"")


def _hashes(chain: Sequence[x509.Certificate]) -> list[str]:
    """Each certificate with its issuer, by the SHA-384 (hex) of what is signed in them; the root with itself."""
    digests = [hashlib.sha384(each.tbs_certificate_bytes).hexdigest() for each in chain]
    return [own + issuer for own, issuer in itertools.pairwise([*digests, digests[-1]])]


def _revoked(answer: bytes) -> list[str] | None:
    """The entities that are revoked; None where this is no such answer.

    An object without members says that nothing is revoked, as AWS's own plugin has it; with others it is no answer.
    """
    if len(answer) > _MAX_ANSWER:
        return None
    try:
        document = strict_json.loads(answer)
    except strict_json.StrictJsonError:
        return None
    if document == {}:
        return []
    found = document.get("revokedEntities") if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return None
    return found
