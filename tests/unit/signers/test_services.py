"""What clients of Fulcio and Rekor do beside signing: messages, limits, connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from imgtrust.errors import ServiceError, UsageError
from imgtrust.signers.fulcio import FulcioClient, said_in
from imgtrust.signers.logged import Logged
from imgtrust.signers.rekor import open_log
from imgtrust.signers.signingconfig import LogService
from imgtrust.signers.wire import Unusable, Wire, WireOptions
from tests.simulators.evidence import Key
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.sigstoreserver import FULCIO, SigstoreServer, token

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = WireOptions(timeout=2, tries=2, sleep=lambda _: None)
LOGGED = Logged(b"message", b"signature", Key.new().public, b"certificate")


@pytest.fixture
def sigstore() -> Iterator[SigstoreServer]:
    with SigstoreServer() as running:
        yield running


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"{}", ""),
        (b'{"message": 5}', ""),
        (b'{"message": "no\\nway"}', " (no way)"),
        (b'{"message": "the token sesame is old"}', " (the token … is old)"),
    ],
)
def test_what_a_service_says_is_shown_without_the_secret(body: bytes, said: str) -> None:
    assert said_in(body, "sesame") == said


@pytest.mark.parametrize("chain", [b"[]", b"{}", b'["no certificate"]', b"[5]", b"[" + b",".join([b'"x"'] * 11) + b"]"])
def test_a_chain_that_is_none_is_no_certificate(sigstore: SigstoreServer, chain: bytes) -> None:
    body = b'{"signedCertificateEmbeddedSct": {"chain": {"certificates": ' + chain + b"}}}"
    sigstore.fault(FULCIO, reply=Reply(200, (), body))
    client = FulcioClient(sigstore.base, QUICK)
    with pytest.raises(ServiceError, match="holds no certificate"):
        client.certify(token(), ec.generate_private_key(ec.SECP256R1()))
    client.close()


def test_a_detached_timestamp_is_no_use(sigstore: SigstoreServer) -> None:
    sigstore.fault(FULCIO, reply=Reply(200, (), b'{"signedCertificateDetachedSct": {}}'))
    client = FulcioClient(sigstore.base, QUICK)
    with pytest.raises(ServiceError, match="holds no certificate with an SCT"):
        client.certify(token(), ec.generate_private_key(ec.SECP256R1()))
    client.close()


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"a": {"body": 5}}', b'{"a": {}, "b": {}}', b'{"a": []}'])
def test_what_is_no_entry_is_said(version: int, body: bytes) -> None:
    with Loopback(lambda _: Reply(200, (), body)) as server:
        log = open_log(LogService(server.base, version), QUICK)
        with pytest.raises(ServiceError, match="its answer is no entry"):
            log.record(LOGGED)
        log.close()


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_log_that_is_not_there_is_said(version: int) -> None:
    with Loopback() as server:
        log = open_log(LogService(server.base, version), QUICK)
        with pytest.raises(ServiceError, match="it answered 404"):
            log.record(LOGGED)
        log.close()


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_log_that_answers_anything_is_there(version: int) -> None:
    with Loopback() as server:
        log = open_log(LogService(server.base, version), QUICK)
        log.check_ready()
        log.close()
    assert [each.method for each in server.requests] == ["GET"]


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("fault", [{"reply": Reply(503)}, {"close": True}], ids=["503", "closed"])
def test_a_log_that_does_not_answer_is_not_there(version: int, fault: dict[str, Any]) -> None:
    with Loopback() as server:
        server.fault(times=None, **fault)
        log = open_log(LogService(server.base, version), QUICK)
        with pytest.raises(ServiceError, match="did not answer, 2 times"):
            log.check_ready()
        log.close()


def test_only_the_first_generation_promises_times() -> None:
    logs = [open_log(LogService("https://log.acme.test", version), QUICK) for version in (0, 1, 2)]
    assert [log.promises_times for log in logs] == [True, True, False]
    for log in logs:
        log.close()


@pytest.mark.parametrize("url", ["http://log.acme.test", "ftp://x", "https://user:secret@log.acme.test"])
def test_an_address_that_is_not_asked(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_log(LogService(url, 2), QUICK)
    assert "secret" not in str(caught.value)


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    with Loopback(lambda _: Reply(200, (), bytes(100))) as server:
        wire = Wire(server.base, "service", QUICK)
        assert wire.send("GET", server.base, None, {}, 100).body == bytes(100)
        with pytest.raises(Unusable, match="more than 99 bytes"):
            wire.send("GET", server.base, None, {}, 99)
        wire.close()


def test_a_slow_answer_is_given_up_after_its_time() -> None:
    slow = WireOptions(timeout=0.2, tries=1, sleep=lambda _: None)
    with Loopback(lambda _: Reply(200, (), bytes(50), drip=0.05)) as server:
        client = FulcioClient(server.base, slow)
        with pytest.raises(ServiceError, match="not complete after"):
            client.certify(token(), ec.generate_private_key(ec.SECP256R1()))
        client.close()
