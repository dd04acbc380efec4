"""Sigstore's time-stamp server as the authority that ``--tsa`` names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from imgtrust.errors import TimestampError
from imgtrust.signers import open_timestamper
from imgtrust.signers.authority import LocalAuthority
from imgtrust.signers.tsa import TsaOptions
from imgtrust.trust.roots import parse_sigstore_root, parse_tsa_chain
from imgtrust.trust.times import TimestampAuthority, verify_timestamp

if TYPE_CHECKING:
    from tests.fixtures.times import TimestampServer

pytestmark = pytest.mark.interop

MESSAGE = b"a signature"


def test_its_tokens_are_taken_with_and_without_certificates(timestamp_server: TimestampServer) -> None:
    chain = parse_tsa_chain(timestamp_server.chain.read_bytes(), "chain")
    roots = parse_sigstore_root(timestamp_server.trusted_root.read_bytes(), "trusted root").authorities
    for certificates in (True, False):
        for authorities in ((chain,), roots):
            options = TsaOptions(certificates=certificates)
            client = open_timestamper(timestamp_server.url, options, authorities)
            token = client.stamp(MESSAGE)
            client.close()
            later = datetime.now(UTC) + timedelta(seconds=2)
            proven = verify_timestamp(token, [MESSAGE], authorities, at=later)
            assert abs(later - proven.time) < timedelta(minutes=1)


def test_with_certificates_asked_for_the_root_alone_is_enough_only_where_the_whole_chain_comes(
    timestamp_server: TimestampServer,
) -> None:
    chain = parse_tsa_chain(timestamp_server.chain.read_bytes(), "chain")
    anchor = TimestampAuthority("root and intermediates", chain.roots, chain.intermediates)
    client = open_timestamper(timestamp_server.url, TsaOptions(), [anchor])
    assert client.stamp(MESSAGE)
    client.close()


def test_its_tokens_are_refused_under_another_authority(timestamp_server: TimestampServer) -> None:
    stranger = LocalAuthority(lambda: datetime.now(UTC)).authority
    client = open_timestamper(timestamp_server.url, TsaOptions(), [stranger])
    with pytest.raises(TimestampError, match="gave no token that can be used"):
        client.stamp(MESSAGE)
    client.close()
