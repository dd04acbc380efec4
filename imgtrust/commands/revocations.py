"""Asking about revocation before evidence is judged: the questions come from ``trust``, the answers from ``stores``.

Knows the order of the rounds; decides nothing about what an answer is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgtrust.errors import StoreError
from imgtrust.stores.parallel import in_threads
from imgtrust.trust.notary.answers import NONE, Answer, Revocations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from imgtrust.evidence import Evidence
    from imgtrust.stores.revocation import Responders
    from imgtrust.trust.notary.answers import Question
    from imgtrust.trust.roots import TrustRoot

__all__ = ["ask_about", "open_responders"]

_MAX_ROUNDS: Final = 16
"""More than a chain can ask for: four responders, four lists and four deltas, one after the other."""
_JOBS: Final = 8


def open_responders(trust: TrustRoot, environment: Mapping[str, str]) -> Responders | None:
    """Whoever is asked under a trust root; None where it has nothing that is asked about."""
    if all(each.revocation == "skip" for each in trust.notary):
        return None
    from imgtrust.signers.awssigner import RevocationStatus  # noqa: PLC0415 - for Notary only
    from imgtrust.stores.revocation import ResponderOptions, Responders, cache_folder  # noqa: PLC0415 - as above
    from imgtrust.trust.notary.awssigner import SERVICE  # noqa: PLC0415 - as above

    services = {SERVICE: RevocationStatus(environment).ask}
    return Responders(ResponderOptions(cache_folder(environment), environment=environment, services=services))


def ask_about(
    evidence: Sequence[Evidence], trust: TrustRoot, responders: Responders | None, *, at: datetime
) -> Revocations:
    """All answers that judging this evidence needs. Who does not answer is an answer too."""
    if responders is None or not trust.notary:
        return NONE
    from imgtrust.trust.notary.judgement import questions  # noqa: PLC0415 - a run with bare keys needs no X.509

    answers: dict[tuple[str, bytes], Answer] = {}
    now = responders.now()
    known = Revocations(answers, now)
    waiting = list(evidence)
    for _ in range(_MAX_ROUNDS):
        found_of = [(each, questions(each, trust, at=at, revocations=known)) for each in waiting]
        waiting = [each for each, wanted in found_of if wanted]  # who asks nothing now has nothing to ask later
        asked = {question.key: question for _, wanted in found_of for question in wanted}
        if not asked:
            break
        found = in_threads(lambda question: _ask(question, responders, now), list(asked.values()), _JOBS)
        answers.update(zip(asked, found, strict=True))
    return known


def _ask(question: Question, responders: Responders, now: datetime) -> Answer:
    from imgtrust.trust.notary.revocation import usable  # noqa: PLC0415 - as above

    try:
        return Answer(responders.ask(question.url, question.request, lambda data: usable(question, data, now)))
    except StoreError as exc:
        return Answer(None, str(exc))
