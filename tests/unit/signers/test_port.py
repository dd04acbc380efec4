"""Whoever signs and stamps here answers the ports."""

from __future__ import annotations

from datetime import UTC, datetime

from imgtrust.signers import port  # noqa: TC001 - that it can be imported is part of the test
from imgtrust.signers.authority import LocalAuthority
from imgtrust.signers.keyfile import generate
from imgtrust.signers.local import LocalSigner
from imgtrust.signers.tsa import HttpTimestamper, TsaOptions


def test_a_local_key_is_a_signer() -> None:
    signer: port.Signer = LocalSigner(generate("p256"))
    assert len(signer.public_key.fingerprint) == 64


def test_both_authorities_are_time_stampers() -> None:
    both: list[port.Timestamper] = [
        LocalAuthority(lambda: datetime.now(UTC)),
        HttpTimestamper("https://tsa.example.com/", TsaOptions()),
    ]
    assert [each.name for each in both] == ["imgtrust throw-away time-stamp authority", "tsa.example.com"]
