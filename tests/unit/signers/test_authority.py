"""The throw-away authority: its tokens are what others read."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import rfc3161_client
from cryptography import x509

from imgtrust.errors import Refused
from imgtrust.signers import der
from imgtrust.signers.authority import LocalAuthority, TimeQuery, read_query
from imgtrust.trust.times import check_response, verify_timestamp

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MESSAGE = b"a signature"


def authority(**options: object) -> LocalAuthority:
    return LocalAuthority(lambda: NOW, **options)  # type: ignore[arg-type]  # options by name


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("intermediate", [False, True])
@pytest.mark.parametrize("certificates", [False, True])
@pytest.mark.parametrize("accuracy", [None, timedelta(seconds=1, milliseconds=2, microseconds=3), timedelta(0)])
def test_every_kind_of_token_is_accepted_by_rfc3161_client_openssl_and_us(
    tmp_path: Path, algorithm: str, *, intermediate: bool, certificates: bool, accuracy: timedelta | None
) -> None:
    tsa = authority(
        algorithm=algorithm, imprint=algorithm, intermediate=intermediate, certificates=certificates, accuracy=accuracy
    )
    token = tsa.stamp(MESSAGE)
    chain = [x509.load_der_x509_certificate(each) for each in tsa.chain]
    verifier = rfc3161_client.VerifierBuilder(None, chain[0], chain[1:-1], chain[-1:]).build()
    parsed = rfc3161_client.decode_timestamp_response(token)
    assert verifier.verify_message(parsed, MESSAGE)
    assert parsed.tst_info.gen_time == NOW
    assert len(parsed.signed_data.certificates) == (len(chain) if certificates else 0)
    proven = verify_timestamp(token, [MESSAGE], [tsa.authority], at=NOW)
    assert (proven.time, proven.accuracy) == (NOW, accuracy or timedelta(0))
    (tmp_path / "root.pem").write_bytes(tsa.pem[tsa.pem.rindex(b"-----BEGIN") :])
    (tmp_path / "chain.pem").write_bytes(tsa.pem)
    (tmp_path / "token").write_bytes(token)
    (tmp_path / "data").write_bytes(MESSAGE)
    command = "openssl ts -verify -data data -in token -CAfile root.pem -untrusted chain.pem"
    said = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=20)
    assert "Verification: OK" in said.stdout, said.stderr


def test_a_root_alone_is_enough_where_the_token_has_its_chain() -> None:
    tsa = authority(intermediate=True, certificates=True)
    anchor = type(tsa.authority)("root only", tsa.authority.roots)
    assert verify_timestamp(tsa.stamp(MESSAGE), [MESSAGE], [anchor], at=NOW).authority == "root only"


def test_a_request_of_another_client_is_answered_with_its_nonce() -> None:
    request = rfc3161_client.TimestampRequestBuilder().data(MESSAGE).build()
    tsa = authority()
    answer = rfc3161_client.decode_timestamp_response(tsa.respond(request.as_bytes()))
    assert answer.tst_info.nonce == request.nonce
    assert check_response(tsa.respond(request.as_bytes()), MESSAGE, request.nonce) == NOW
    assert len(answer.signed_data.certificates) == 2


def test_openssl_makes_requests_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(MESSAGE)
    command = "openssl ts -query -data data -sha384 -cert -out query"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True, timeout=20)
    query = read_query((tmp_path / "query").read_bytes())
    assert (query.algorithm, query.certificates, query.nonce is not None) == ("sha384", True, True)


@pytest.mark.parametrize("request_bytes", [b"", b"0", b"\x30\x80", b"\x30\x03\x02\x01\x01", b"\xff" * 40])
def test_what_is_no_request_is_rejected_in_words(request_bytes: bytes) -> None:
    answer = rfc3161_client.decode_timestamp_response(authority().respond(request_bytes))
    assert answer.status == 2
    assert "not a time-stamp request" in answer.status_string[0]


def test_a_hash_that_is_not_known_is_rejected() -> None:
    sha1 = der.sequence(der.sequence(der.oid("1.3.14.3.2.26"), der.null()), der.octets(bytes(20)))
    with pytest.raises(der.DerError, match=r"1\.3\.14\.3\.2\.26"):
        read_query(der.sequence(der.integer(1), sha1))


def test_serial_numbers_are_never_used_twice() -> None:
    tsa = authority()
    tokens = [rfc3161_client.decode_timestamp_response(tsa.stamp(MESSAGE)) for _ in range(3)]
    assert len({token.tst_info.serial_number for token in tokens}) == 3


def test_a_certificate_that_was_not_valid_at_the_time_proves_nothing() -> None:
    tsa = authority(not_before=NOW + timedelta(days=1))
    with pytest.raises(Refused):
        verify_timestamp(tsa.stamp(MESSAGE), [MESSAGE], [tsa.authority], at=NOW)


def test_one_authority_does_not_vouch_for_another() -> None:
    tsa, other = authority(name="one"), authority(name="other")
    with pytest.raises(Refused):
        verify_timestamp(tsa.stamp(MESSAGE), [MESSAGE], [other.authority], at=NOW)


def test_any_clock_is_written_in_utc() -> None:
    zone = datetime(2026, 3, 4, 7, 6, 7).astimezone(UTC)
    tsa = LocalAuthority(lambda: zone)
    assert check_response(tsa.stamp(MESSAGE), MESSAGE, None) == zone
    assert tsa.name in repr(tsa.authority)


def test_a_nonce_of_twenty_bytes_comes_back() -> None:
    tsa, nonce = authority(), (1 << 159) + 12345
    answer = tsa.issue(TimeQuery(bytes(32), nonce=nonce))
    assert rfc3161_client.decode_timestamp_response(answer).tst_info.nonce == nonce
