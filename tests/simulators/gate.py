"""A small world for the gate: a publisher with a key, layouts for it and for production, and policies over them.

Knows how a test signs, attests and judges; the images themselves are made in ``images``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from imgtrust.commands.attaching import attach_made
from imgtrust.commands.loading import Judgement
from imgtrust.commands.signing import SignFormat, Signing, make_attestation, make_signature
from imgtrust.policy.flags import EVERYTHING
from imgtrust.policy.identity import policy_id
from imgtrust.policy.values import EvidenceRule, KeySigner, Policy, PublishRule, Scope, SignatureRule
from imgtrust.reference import LayoutRepository
from imgtrust.signers.authority import LocalAuthority
from imgtrust.signers.local import LocalSigner
from imgtrust.stores import StoreOptions, open_store
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.roots import TrustRoot

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.content import Descriptor
    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["NOON", "NoWaiting", "Publisher", "judged_by", "layout"]

NOON: Final = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
"""When tests judge; signatures are stamped an hour earlier."""


def layout(path: Path) -> Store:
    """A layout store; close it."""
    return open_store(LayoutRepository(str(path)), StoreOptions())


@dataclass
class NoWaiting:
    """A ``Waiter`` of the registry client for which time passes without anybody waiting."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def jitter(self) -> float:
        return 0.5


@dataclass
class Publisher:
    """Somebody with a key of his own and a time-stamp authority that he shares with nobody."""

    name: str = "release"
    signer: LocalSigner = field(default_factory=lambda: LocalSigner(ec.generate_private_key(ec.SECP256R1())))
    authority: LocalAuthority = field(default_factory=lambda: LocalAuthority(clock=lambda: NOON - timedelta(hours=1)))

    def signing(self, *, stamped: bool = False, legacy: bool = False) -> Signing:
        """How he signs."""
        form = SignFormat.LEGACY if legacy else SignFormat.BUNDLE
        stampers = (self.authority,) if stamped else ()
        return Signing(self.signer, timestampers=stampers, format=form, now=lambda: NOON - timedelta(hours=1))

    def sign(self, store: Store, subject: Descriptor, *, stamped: bool = False, legacy: bool = False) -> Digest:
        """Sign a manifest and attach the signature; its evidence digest."""
        signing = self.signing(stamped=stamped, legacy=legacy)
        return attach_made(store, make_signature(signing, subject, store.repository), signing.now())

    def attest(
        self, store: Store, subject: Descriptor, kind: str, predicate: object, *, legacy: bool = False
    ) -> Digest:
        """Attest something about a manifest and attach it."""
        signing = self.signing(legacy=legacy)
        made = make_attestation(signing, subject, store.repository, kind, predicate)
        return attach_made(store, made, signing.now())

    @property
    def trusted(self) -> TrustedKey:
        """His key as a policy trusts it."""
        return TrustedKey(self.name, self.signer.public_key)


def judged_by(
    *publishers: Publisher,
    count: int = 1,
    publish: PublishRule | None = None,
    evidence: tuple[EvidenceRule, ...] = (),
    images: tuple[str, ...] = EVERYTHING,
    promote_to: tuple[str, ...] = EVERYTHING,
) -> Judgement:
    """A judgement whose only scope asks for signatures of these publishers."""
    names = tuple(publisher.name for publisher in publishers)
    scope = Scope("gate", images, SignatureRule(names, count), promote_to, publish or PublishRule(), evidence)
    policy = Policy(tuple(KeySigner(name, f"{name}.pub") for name in names), (scope,))
    authorities = tuple(publisher.authority.authority for publisher in publishers)
    trust = TrustRoot(tuple(publisher.trusted for publisher in publishers), authorities)
    return Judgement(policy, policy_id(repr(policy).encode(), "gate.toml"), trust)
