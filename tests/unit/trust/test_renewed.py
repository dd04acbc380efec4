"""Chains that expired and were renewed: each time is judged by the certificates of its own days, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imgtrust.refusals import RefusalCode
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import TimeSource
from tests.simulators.evidence import AT, b64
from tests.simulators.fulcio import WHEN, Fulcio, ca_chain
from tests.simulators.sigstore import V1, V2, VirtualSigstore

TURN = datetime(2026, 2, 1, tzinfo=UTC)
BEFORE, AFTER = TURN - timedelta(days=10), WHEN
DAYS = {"old": (datetime(2020, 1, 1, tzinfo=UTC), TURN), "new": (TURN - timedelta(days=1), AT + timedelta(days=900))}
OLD = ca_chain(root_window=DAYS["old"], window=DAYS["old"])
CHAINS = {
    "the same keys": ca_chain(root_window=DAYS["new"], window=DAYS["new"], renewed=OLD),
    "new keys": ca_chain(root_window=DAYS["new"], window=DAYS["new"]),
}
"""Both have the names of the old one."""


def authority(instance: VirtualSigstore, chain: tuple[Any, ...]) -> dict[str, Any]:
    """A certificate authority of a trusted root, which sets no window of its own."""
    (entry,) = instance.document()["certificateAuthorities"]
    return {**entry, "certChain": {"certificates": [{"rawBytes": b64(each.der)} for each in chain]}}


def judged(instance: VirtualSigstore, when: datetime, *chains: tuple[Any, ...]) -> RefusalCode | VerifiedSignature:
    """A signature of the instance's own authority at a time, under a root with these chains."""
    evidence = instance.evidence(instance.certify(when=when), V1, when=when)
    root = instance.trusting(certificateAuthorities=[authority(instance, chain) for chain in chains])
    found = assess(evidence, root, at=AT)
    return found.code if isinstance(found, Refusal) else found


@pytest.mark.parametrize("kind", CHAINS)
def test_signatures_of_both_days_are_believed_whatever_the_order_of_the_chains(kind: str) -> None:
    new = CHAINS[kind]
    for chain, when in ((OLD, BEFORE), (new, AFTER)):
        instance = VirtualSigstore(fulcio=Fulcio(chain=chain))
        for chains in ((OLD, new), (new, OLD)):
            assert isinstance(judged(instance, when, *chains), VerifiedSignature), (when, kind)


@pytest.mark.parametrize("kind", CHAINS)
def test_without_the_chain_of_its_days_a_signature_is_not_believed(kind: str) -> None:
    new = CHAINS[kind]
    same = kind == "the same keys"
    refused = RefusalCode.CERTIFICATE_EXPIRED if same else RefusalCode.CERTIFICATE_UNTRUSTED
    assert judged(VirtualSigstore(fulcio=Fulcio(chain=OLD)), BEFORE, new) is refused
    assert judged(VirtualSigstore(fulcio=Fulcio(chain=new)), AFTER, OLD) is refused


def test_a_chain_that_ended_issues_no_more_and_its_renewal_vouches_only_for_its_keys() -> None:
    late = VirtualSigstore(fulcio=Fulcio(chain=OLD))
    assert judged(late, AFTER, OLD) is RefusalCode.CERTIFICATE_EXPIRED
    assert isinstance(judged(late, AFTER, OLD, CHAINS["the same keys"]), VerifiedSignature)
    assert judged(late, AFTER, OLD, CHAINS["new keys"]) is RefusalCode.CERTIFICATE_EXPIRED


def test_an_authority_that_time_stamps_is_renewed_in_the_same_way() -> None:
    instance = VirtualSigstore()
    clock = [BEFORE]
    old, new = (
        LocalAuthority(lambda: clock[0], not_before=DAYS[days][0], not_after=DAYS[days][1]) for days in ("old", "new")
    )
    (entry,) = instance.document()["timestampAuthorities"]
    both = [
        {**entry, "certChain": {"certificates": [{"rawBytes": b64(each)} for each in one.chain]}} for one in (old, new)
    ]
    for stamper, when, believed in ((old, BEFORE, True), (new, AFTER, True), (old, AFTER, False), (new, BEFORE, False)):
        clock[0] = when
        instance.tsa = stamper
        evidence = instance.evidence(instance.certify(when=when), V2, stamped=1)
        for authorities in (both, both[::-1]):
            found = assess(evidence, instance.trusting(timestampAuthorities=authorities), at=AT)
            assert isinstance(found, VerifiedSignature) is believed, (when, found)
            if isinstance(found, VerifiedSignature):
                assert [(time.source, time.time) for time in found.times] == [(TimeSource.RFC3161, when)]
