"""The client of time-stamp authorities: what it takes, and what it does not."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from imgtrust.errors import TimestampError, UsageError
from imgtrust.signers import open_timestamper
from imgtrust.signers.authority import LocalAuthority, read_query
from imgtrust.signers.tsa import HttpTimestamper, TsaOptions
from imgtrust.signers.wire import proxy_for
from imgtrust.trust.times import check_response, verify_timestamp
from tests.simulators.tsa import Fault, Tsa, serve_tsa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.certificates import Certificates

MESSAGE = b"a signature"
QUICK = TsaOptions(timeout=0.3, tries=2, sleep=lambda _: None)


@pytest.fixture
def tsa() -> Iterator[Tsa]:
    with serve_tsa() as running:
        yield running


def stamp(tsa: Tsa, options: TsaOptions = QUICK) -> bytes:
    client = open_timestamper(tsa.url, options, [tsa.authority.authority])
    try:
        return client.stamp(MESSAGE)
    finally:
        client.close()


def test_a_good_token_comes_back_and_verifies(tsa: Tsa) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    token = stamp(tsa)
    proven = verify_timestamp(token, [MESSAGE], [tsa.authority.authority], at=datetime.now(UTC) + timedelta(seconds=1))
    assert before <= proven.time
    assert tsa.requests == 1


def test_the_chain_is_asked_for_so_that_a_root_alone_is_enough(tsa: Tsa) -> None:
    token = stamp(tsa)
    whole = tsa.authority.authority
    root = type(whole)(whole.name, whole.roots)
    verify_timestamp(token, [MESSAGE], [root], at=datetime.now(UTC) + timedelta(seconds=1))
    assert read_query(tsa.bodies[0]).certificates


def test_the_chain_is_not_asked_for_where_nobody_wants_it(tsa: Tsa) -> None:
    stamp(tsa, TsaOptions(certificates=False))
    assert not read_query(tsa.bodies[0]).certificates


def test_each_request_has_a_nonce_of_its_own(tsa: Tsa) -> None:
    stamp(tsa)
    stamp(tsa)
    nonces = {read_query(body).nonce for body in tsa.bodies}
    assert len(nonces) == 2
    assert None not in nonces


def test_without_anchors_a_token_is_taken_for_what_it_says(tsa: Tsa) -> None:
    tsa.always = Fault.STRANGER
    client = HttpTimestamper(tsa.url, QUICK)
    assert check_response(client.stamp(MESSAGE), MESSAGE, None) <= datetime.now(UTC)
    client.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.HTML, "text/html"),
        (Fault.EMPTY, "0 bytes"),
        (Fault.REJECTED, "did not grant"),
        (Fault.IMPRINT, "something else"),
        (Fault.NONCE, "nonce"),
        (Fault.NO_NONCE, "nonce"),
        (Fault.REPLAY, "nonce"),
        (Fault.STRANGER, "authorit"),
        (Fault.FUTURE, "ahead of this machine"),
        (Fault.TRUNCATED, "time-stamp"),
        (Fault.HUGE, "more than 262144 bytes"),
        (Fault.FORBIDDEN, "403"),
        (Fault.MOVED, "302"),
    ],
)
def test_a_bad_answer_is_refused_at_once(tsa: Tsa, fault: Fault, words: str) -> None:
    tsa.always = fault
    with pytest.raises(TimestampError, match=words) as caught:
        stamp(tsa, TsaOptions(timeout=5, tries=3, sleep=lambda _: None))
    assert tsa.requests == 1
    assert tsa.url in str(caught.value)
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.DRIP, Fault.CLOSED, Fault.RESET, Fault.BUSY, Fault.RATE])
def test_an_authority_that_does_not_answer_is_asked_again_and_then_given_up(tsa: Tsa, fault: Fault) -> None:
    tsa.always = fault
    with pytest.raises(TimestampError, match="did not answer, 2 times"):
        stamp(tsa)
    assert tsa.requests == 2


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.RESET, Fault.BUSY, Fault.RATE])
def test_one_failure_is_forgiven(tsa: Tsa, fault: Fault) -> None:
    tsa.faults = [fault]
    assert stamp(tsa)


def test_the_wait_is_what_the_authority_asks_for_within_bounds(tsa: Tsa) -> None:
    waits: list[float] = []
    tsa.faults = [Fault.RATE, Fault.BUSY, Fault.BUSY]
    stamp(tsa, TsaOptions(tries=4, sleep=waits.append))
    assert waits == [7.0, 0.5, 1.0]


def test_no_try_is_begun_after_the_deadline(tsa: Tsa) -> None:
    tsa.always = Fault.BUSY
    with pytest.raises(TimestampError, match="1 times"):
        stamp(tsa, TsaOptions(deadline=time.monotonic(), tries=5))
    assert tsa.requests == 1


def test_an_authority_that_is_not_there_is_named() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(TimestampError, match="refused") as caught:
            HttpTimestamper(url, QUICK).stamp(MESSAGE)
    assert "object at 0x" not in str(caught.value)


def test_no_tries_at_all_gives_no_token(tsa: Tsa) -> None:
    with pytest.raises(TimestampError, match="not asked"):
        stamp(tsa, TsaOptions(tries=0))


def test_a_token_of_a_clock_a_little_ahead_is_taken(tsa: Tsa) -> None:
    slow_clock = TsaOptions(clock=lambda: datetime.now(UTC) - timedelta(minutes=2))
    assert stamp(tsa, slow_clock)


def test_tls_is_verified_under_the_given_authorities(certificates: Certificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with serve_tsa(tls=context) as running:
        assert stamp(
            running, TsaOptions(ca_file=str(certificates.authority), environment={"HTTPS_PROXY": "http://x:1"})
        )
        with pytest.raises(TimestampError, match=r"(?i)certificate"):
            stamp(running)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://tsa.example.com/", "not the address"),
        ("tsa.example.com", "not the address"),
        ("https:///path", "not the address"),
        ("https://tsa.example.com:99999/", "not the address"),
        ("http://tsa.example.com/", "without TLS"),
        ("https://user:secret@tsa.example.com/", "user name"),
    ],
)
def test_an_address_that_is_not_used_is_refused_without_asking(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        open_timestamper(url)
    assert "secret" not in str(caught.value)


def test_an_authority_is_known_by_its_host() -> None:
    assert HttpTimestamper("https://tsa.example.com/api", QUICK).name == "tsa.example.com"
    HttpTimestamper("https://tsa.example.com/api", QUICK).close()


@pytest.mark.parametrize(
    ("host", "excluded", "proxied"),
    [
        ("tsa.example.com", "", True),
        ("tsa.example.com", "example.com", False),
        ("tsa.example.com", ".example.com", False),
        ("tsa.example.com", "other.org, tsa.example.com", False),
        ("tsa.example.com:8443", "tsa.example.com:8443", False),
        ("notexample.com", "example.com", True),
        ("tsa.example.com", "*", False),
        ("127.0.0.1:80", "", False),
        ("localhost", "", False),
    ],
)
def test_the_proxy_is_used_but_for_hosts_that_are_excepted(host: str, excluded: str, *, proxied: bool) -> None:
    environment = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": excluded}
    assert (proxy_for(host, environment) is not None) is proxied


def test_a_proxy_that_is_not_there_is_no_answer() -> None:
    options = TsaOptions(timeout=0.3, tries=1, environment={"https_proxy": "http://127.0.0.1:9"})
    client = HttpTimestamper("https://tsa.invalid/", options)
    with pytest.raises(TimestampError, match="did not answer"):
        client.stamp(MESSAGE)
    client.close()


def test_an_authority_of_the_past_stamps_the_past() -> None:
    then = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    authority = LocalAuthority(lambda: then)
    assert check_response(authority.stamp(MESSAGE), MESSAGE, None) == then.replace(microsecond=0)
