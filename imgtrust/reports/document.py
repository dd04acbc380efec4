"""A verdict as data: ``imgtrust-report/1`` of CLI.md section 5, to the letter. Pure.

Knows the names and the order of that document; every key is always there, for one image or many. An image of which
nothing could be read has one row in ``rules``: integrity, with the reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from imgtrust.policy.durations import show_time
from imgtrust.policy.verdict import Outcome
from imgtrust.reports.outcome import tally
from imgtrust.rules.finding import Level, RuleOutcome
from imgtrust.rules.integrity import INTEGRITY
from imgtrust.trust.times import ClaimedTime, TimeClass, VerifiedTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from imgtrust.policy.verdict import Verdict
    from imgtrust.reports.report import Report
    from imgtrust.rules.facts import SubjectFacts
    from imgtrust.trust.signatures import VerifiedSignature

__all__ = ["REPORT_SCHEMA", "document", "entry", "jsonl_line", "pretty", "time_entries"]

REPORT_SCHEMA: Final = "imgtrust-report/1"


def document(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "schema": REPORT_SCHEMA,
        "outcome": report.outcome.value,
        "judged_at": show_time(report.judged_at),
        "tool": {"name": "imgtrust", "version": report.version},
        "policy": {"source": report.policy.source, "digest": str(report.policy.digest)},
        "summary": tally(report.verdicts),
        "images": [entry(verdict) for verdict in report.verdicts],
    }


def entry(verdict: Verdict) -> dict[str, Any]:
    """One entry of ``images``. ``tags`` is beyond the promise: those that an audit found."""
    subjects = () if verdict.facts is None else verdict.facts.subjects
    published = verdict.published
    return {
        "reference": verdict.name,
        "digest": None if verdict.digest is None else str(verdict.digest),
        "outcome": verdict.outcome.value,
        "scope": verdict.scope,
        "platforms": [
            {"platform": str(item.platform), "digest": str(item.descriptor.digest)}
            for item in subjects
            if item.platform is not None
        ],
        "published": {
            "earliest": _time(published.earliest),
            "latest": _time(published.latest),
            "source": published.source,
        },
        "signatures": [_signature(item) for subject in subjects for item in subject.signatures],
        "refused": [row for subject in subjects for row in _refused(subject)],
        "rules": _rules(verdict),
        "exceptions": [],
        "not_checked": list(verdict.not_checked),
        "changes_at": _time(verdict.changes_at),
        "tags": list(verdict.tags),
    }


def jsonl_line(verdict: Verdict) -> str:
    """One entry of ``images`` on one line, with its newline."""
    return json.dumps(entry(verdict), ensure_ascii=True, separators=(",", ":"), allow_nan=False) + "\n"


def pretty(value: Mapping[str, Any]) -> str:
    """JSON for people and programs: ASCII only, so that no terminal obeys a string in it."""
    return json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def time_entries(times: Iterable[VerifiedTime | ClaimedTime]) -> list[dict[str, str]]:
    """The ``times`` of a signature, proven ones by their class, the others as claimed."""
    return [
        {
            "time": show_time(item.time),
            "class": (item.time_class if isinstance(item, VerifiedTime) else TimeClass.CLAIMED).value,
            "source": str(item.source),
            "authority": item.authority,
        }
        for item in times
        if item.time is not None
    ]


def _time(time: datetime | None) -> str | None:
    return None if time is None else show_time(time)


def _signature(signature: VerifiedSignature) -> dict[str, Any]:
    return {
        "format": signature.format.value,
        "signer": ", ".join(signature.signers),
        "identity": signature.identity,
        "predicate_type": signature.predicate_type,
        "subject": str(signature.subject),
        "evidence": str(signature.evidence),
        "times": time_entries((*signature.times, *signature.claims)),
        "not_checked": list(signature.not_checked),
        "second_opinion": signature.second_opinion or None,
        "ends": _time(signature.ends),
    }


def _refused(subject: SubjectFacts) -> Iterable[dict[str, str]]:
    """What is not believed: evidence, and time-stamps that could not be proven on evidence that is."""
    for item in subject.refusals:
        yield {
            "format": item.format.value,
            "evidence": str(item.evidence),
            "code": item.code.value,
            "reason": item.reason,
        }
    for signature in subject.signatures:
        for claim in signature.claims:
            if claim.code is not None:
                yield {
                    "format": signature.format.value,
                    "evidence": str(signature.evidence),
                    "code": claim.code.value,
                    "reason": claim.reason,
                }


def _rules(verdict: Verdict) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = [
        {
            "rule": finding.rule,
            "outcome": finding.outcome.value,
            "level": finding.level.value,
            "subject": str(finding.subject),
            "required": finding.required,
            "observed": finding.observed,
            "why": finding.why,
            "fix": finding.fix,
        }
        for finding in verdict.findings
    ]
    if verdict.error is not None:
        rejected = verdict.outcome is Outcome.REJECTED
        rows.append(
            {
                "rule": INTEGRITY,
                "outcome": (RuleOutcome.FAIL if rejected else RuleOutcome.UNKNOWN).value,
                "level": Level.REQUIRED.value,
                "subject": None if verdict.digest is None else str(verdict.digest),
                "required": "the image can be read",
                "observed": "no such image" if verdict.not_found else "altered" if rejected else "could not tell",
                "why": verdict.error,
                "fix": "" if rejected or verdict.not_found else "run it again",
            }
        )
    return rows
