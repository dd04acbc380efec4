"""The surface for Python (CLI.md section 6), as far as it judges; ``librarysign`` has the rest of it.

Knows defaults that suit a caller in Python; decides nothing. Nothing is read from the process's environment but what
is handed in, except that ``environment`` defaults to it, as everybody who calls from a script expects.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from imgtrust.errors import Rejected, UsageError
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.stores.options import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from imgtrust.commands.librarysigners import Keyless, Logs
    from imgtrust.commands.loading import Judgement
    from imgtrust.policy.values import Policy
    from imgtrust.policy.verdict import PolicyId, Verdict
    from imgtrust.reports.results import PromotionResult
    from imgtrust.signers.port import Signer, Timestamper
    from imgtrust.stores.port import Store

__all__ = ["LoadedPolicy", "audit", "chosen", "judge", "load_policy", "open_store", "promote", "verify"]


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with the keys and authorities that it names, ready to judge with."""

    judgement: Judgement

    @property
    def policy(self) -> Policy:
        """What the policy says."""
        return self.judgement.policy

    @property
    def policy_id(self) -> PolicyId:
        """Where it came from, and its digest, as reports name it."""
        return self.judgement.policy_id


def load_policy(policy: str | Path | Policy, *, environment: Mapping[str, str] | None = None) -> LoadedPolicy:
    """Read a policy file, or the keys of a policy that was built in code (paths from the working directory).

    Raises:
        PolicyError: the policy is wrong; it knows its line.
        InputFileError: a file cannot be read.
        KeyUnusable: a key cannot be used.
    """
    from imgtrust.commands.loading import load_policy_file, load_value  # noqa: PLC0415 - at first use

    variables = os.environ if environment is None else environment
    if isinstance(policy, (str, Path)):
        return LoadedPolicy(load_policy_file(Path(policy), variables))
    return LoadedPolicy(load_value(policy, "code", variables))


def judge(
    image: str,
    policy: str | Path | Policy | LoadedPolicy,
    *,
    at: datetime | None = None,
    options: StoreOptions | None = None,
) -> Verdict:
    """The verdict on an image, whatever it is; every blob is re-hashed. ``at`` (aware) is the time of judgement.

    Raises:
        UsageError: the name or the policy is wrong. Nothing else: what a store cannot tell is a verdict too.
    """
    from imgtrust.commands.judge import judge_name  # noqa: PLC0415 - at first use

    return judge_name(image, _loaded(policy).judgement, chosen(options), at=_moment(at))


def verify(
    image: str,
    policy: str | Path | Policy | LoadedPolicy,
    *,
    at: datetime | None = None,
    options: StoreOptions | None = None,
) -> Verdict:
    """The accepted verdict on an image.

    Raises:
        Rejected: the verdict is another one; it is ``error.verdict`` (compare its ``outcome``: an image of which
            nothing could be told is not rejected, but it is not accepted either).
        UsageError: the name or the policy is wrong.
    """
    verdict = judge(image, policy, at=at, options=options)
    if verdict.outcome is not Outcome.ACCEPTED:
        from imgtrust.reports import Style  # noqa: PLC0415 - only where it is told
        from imgtrust.reports.text import render_verdict  # noqa: PLC0415 - as above

        raise Rejected(verdict, render_verdict(verdict, Style()))
    return verdict


def audit(
    repositories: Iterable[str],
    policy: str | Path | Policy | LoadedPolicy,
    *,
    at: datetime | None = None,
    options: StoreOptions | None = None,
) -> Iterator[Verdict]:
    """The verdicts on every image of repositories (``HOST/REPO``, ``HOST/PREFIX/**``, ``oci:DIR``), as they come.

    Raises:
        UsageError: a name or the policy is wrong; NoImages while iterating where there is no image.
    """
    from imgtrust.commands.audit import audit as run  # noqa: PLC0415 - at first use

    opened = chosen(options)
    return iter(run(repositories, _loaded(policy).judgement, opened, at=_moment(at), jobs=opened.jobs))


def promote(
    source: str,
    destination: str,
    policy: str | Path | Policy | LoadedPolicy,
    *,
    record_signer: Signer | Keyless | None = None,
    record_timestampers: Sequence[Timestamper] = (),
    record_logs: Logs | None = None,
    at: datetime | None = None,
    source_options: StoreOptions | None = None,
    destination_options: StoreOptions | None = None,
    journal: Path | None = None,
) -> PromotionResult:
    """Verify an image, copy it with its evidence, verify again, record, tag.

    Without ``record_signer`` no record is left. One that cannot sign fails before anything is copied.

    Raises:
        Rejected: the image was not accepted, at the source or at the destination; no tag was set.
        UsageError: a name or the policy is wrong.
        PromotionRefused: the destination cannot take it.
        Undecided: not finished; the same call goes on.
    """
    from imgtrust.commands.librarysigners import signing_by  # noqa: PLC0415 - at first use
    from imgtrust.commands.promotion.run import promote as run  # noqa: PLC0415 - as above

    first, second = chosen(source_options), chosen(destination_options)
    record = None if record_signer is None else signing_by(record_signer, record_timestampers, record_logs, second)
    result = run(
        source,
        destination,
        _loaded(policy).judgement,
        source_options=first,
        destination_options=second,
        at=_moment(at),
        now=_now,
        record=record,
        journal=journal,
        jobs=first.jobs,
    )
    verdict = result.before if result.after is None else result.after
    if verdict.outcome is not Outcome.ACCEPTED:
        from imgtrust.reports import Style  # noqa: PLC0415 - only where it is told
        from imgtrust.reports.told import told_promotion  # noqa: PLC0415 - as above

        raise Rejected(verdict, told_promotion(result, Style()))
    return result


def open_store(reference: str | Reference, *, options: StoreOptions | None = None) -> Store:
    """The store of an image or a repository; close it when done.

    Raises:
        InvalidReference: the name cannot be read.
    """
    from imgtrust.stores import open_store as opened  # noqa: PLC0415 - at first use

    named = Reference.parse(reference, bare=True) if isinstance(reference, str) else reference
    return opened(named.repository, chosen(options))


def _loaded(policy: str | Path | Policy | LoadedPolicy) -> LoadedPolicy:
    """A policy that is ready, made ready once."""
    return policy if isinstance(policy, LoadedPolicy) else load_policy(policy)


def chosen(options: StoreOptions | None) -> StoreOptions:
    """The options given, or those of a person at this machine: its credentials and proxies."""
    return StoreOptions(environment=os.environ) if options is None else options


def _moment(at: datetime | None) -> datetime:
    """The time of judgement.

    Raises:
        UsageError: it has no zone, so that nobody can say which moment is meant.
    """
    if at is not None and at.utcoffset() is None:
        message = f"the time of judgement {at.isoformat()} has no zone; give an aware datetime"
        raise UsageError(message)
    return _now() if at is None else at


def _now() -> datetime:
    """The clock, aware UTC."""
    return datetime.now(UTC)
