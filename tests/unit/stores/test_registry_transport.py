"""Connections: TLS, proxies, loopback, logs, turns and clocks."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from imgtrust.errors import InputFileError, NotFound, StoreProtocol, StoreUnavailable, TimedOut
from imgtrust.reference import RegistryRepository
from imgtrust.stores.addresses import Origin, api_host, is_loopback, origin_of, resolve_address, shown
from imgtrust.stores.endpoint import Endpoint
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.proxies import proxy_for
from imgtrust.stores.registry import RegistryStore
from imgtrust.stores.retry import Attempts, SystemWaiter
from imgtrust.stores.transport import UrllibWire, speaks_tls, tls_context
from imgtrust.stores.turns import turn
from imgtrust.stores.wire import Body, Call, HeldAnswer, WireError
from tests.simulators.clients import Clock, opened
from tests.simulators.images import image, push
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.registry import Behaviour, RegistrySimulator, StorageSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.certificates import Certificates


# Hosts and addresses.


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("app.localhost", True),
        ("127.0.0.1:5000", True),
        ("127.8.9.1", True),
        ("[::1]:5000", True),
        ("128.0.0.1", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("[::2]", False),
        ("registry.example", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "plain", "base"),
    [
        ("registry.example", (), "https://registry.example"),
        ("registry.example:443", (), "https://registry.example"),
        ("registry.example:8443", (), "https://registry.example:8443"),
        ("127.0.0.1:5000", (), "http://127.0.0.1:5000"),
        ("[::1]:5000", (), "http://[::1]:5000"),
        ("localhost", (), "http://localhost"),
        ("registry.example:5000", ("registry.example:5000",), "http://registry.example:5000"),
        ("registry.example:5001", ("registry.example:5000",), "https://registry.example:5001"),
        ("docker.io", (), "https://registry-1.docker.io"),
    ],
)
def test_a_registry_speaks_https_unless_it_is_loopback_or_named(host: str, plain: tuple[str, ...], base: str) -> None:
    endpoint = Endpoint(host, StoreOptions(plain_http=frozenset(plain)))
    assert endpoint.base == base
    endpoint.close()


def test_docker_hub_answers_under_another_name() -> None:
    assert api_host("docker.io") == api_host("index.docker.io") == "registry-1.docker.io"
    assert api_host("registry.example") == "registry.example"


@pytest.mark.parametrize(
    "address",
    ["", "x", "/v2/", "https://", "https:///x", "https://a b/", "https://a:99999/", "https://a/\n", "https://u@a/"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(StoreProtocol):
        origin_of(address)


def test_an_address_is_shown_without_its_secrets() -> None:
    assert shown("https://user:secret@a.example/x?token=secret#y") == "https://a.example/x"


def test_plain_http_is_for_hosts_that_were_named() -> None:
    base = "http://reg.example:5000/v2/"
    assert resolve_address(base, "/x", plain_http={"reg.example:5000"}) == "http://reg.example:5000/x"
    with pytest.raises(StoreProtocol):
        resolve_address(base, "http://127.0.0.1/x", plain_http={"reg.example:5000"})
    with pytest.raises(StoreProtocol):
        resolve_address("https://reg.example/", "http://127.0.0.1/x")


# Proxies.


def _origin(host: str, port: int = 443, scheme: str = "https") -> Origin:
    return Origin(scheme, host, port)


@pytest.mark.parametrize(
    ("exempt", "host", "port", "direct"),
    [
        ("", "registry.example", 443, False),
        ("*", "registry.example", 443, True),
        ("registry.example", "registry.example", 443, True),
        ("example", "registry.example", 443, True),
        (".example", "registry.example", 443, True),
        ("*.example", "registry.example", 443, True),
        ("other, registry.example", "registry.example", 443, True),
        ("gistry.example", "registry.example", 443, False),
        ("registry.example:8443", "registry.example", 443, False),
        ("registry.example:443", "registry.example", 443, True),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("fd00::/8", "fd00::1", 443, True),
        ("[fd00::1]", "fd00::1", 443, True),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(exempt: str, host: str, port: int, *, direct: bool) -> None:
    for upper in (True, False):
        names = ("HTTPS_PROXY", "NO_PROXY") if upper else ("https_proxy", "no_proxy")
        environment = dict(zip(names, ("http://proxy.example:3128", exempt), strict=True))
        assert (proxy_for(_origin(host, port), environment) is None) is direct


def test_loopback_and_plain_http_never_go_through_a_proxy() -> None:
    environment = {"HTTPS_PROXY": "proxy.example:3128"}
    assert proxy_for(_origin("registry.example"), environment) == "http://proxy.example:3128"
    assert proxy_for(_origin("127.0.0.1"), environment) is None
    assert proxy_for(_origin("localhost", 5000), environment) is None
    assert proxy_for(_origin("registry.example", 80, "http"), environment) is None
    assert proxy_for(_origin("registry.example", 80, "http"), environment, plain=True) is None
    plain = {"HTTP_PROXY": "plain.example"}
    assert proxy_for(_origin("registry.example", 80, "http"), plain) is None
    assert proxy_for(_origin("registry.example", 80, "http"), plain, plain=True) == "http://plain.example"
    assert proxy_for(_origin("127.0.0.1", 80, "http"), plain, plain=True) is None
    assert proxy_for(_origin("registry.example"), plain, plain=True) is None
    assert proxy_for(_origin("registry.example"), {}) is None


@contextmanager
def proxy(target: str) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that answers every CONNECT with a tunnel to ``target`` and keeps what was asked of it."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                asked.append(client.recv(65536))
                host, _, port = target.partition(":")
                with socket.create_connection((host, int(port))) as upstream:
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    back = threading.Thread(target=_pump, args=(upstream, client))
                    back.start()
                    _pump(client, upstream)
                    back.join()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for side in (source, target):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def test_https_goes_through_the_proxy_with_its_certificate_checked(certificates: Certificates) -> None:
    with (
        RegistrySimulator(certificate=certificates.certificate, key=certificates.key) as registry,
        proxy(registry.host) as (address, asked),
    ):
        environment = {"HTTPS_PROXY": f"http://me:p%40ss@{address}"}
        store = RegistryStore(
            RegistryRepository("registry.example", "team/app"),
            StoreOptions(environment=environment, ca_file=str(certificates.authority), timeout=5),
            waiter=Clock(),
        )
        try:  # The certificate is for localhost: the tunnel is there, and the name is still checked.
            with pytest.raises(StoreUnavailable, match="does not verify"):
                store.resolve("1.0")
        finally:
            store.close()
    assert asked[0].startswith(b"CONNECT registry.example:443 HTTP/")
    assert b"\r\nproxy-authorization: Basic bWU6cEBzcw==\r\n" in asked[0]


def test_a_proxy_that_is_none_is_named() -> None:
    options = StoreOptions(environment={"HTTPS_PROXY": "ftp://proxy.example"})
    wire = UrllibWire("registry.example", options)
    with pytest.raises(InputFileError, match="HTTPS_PROXY"):
        wire.send(Call("GET", "https://registry.example/v2/", {}))
    wire.close()


def test_a_proxy_that_does_not_answer_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    wire = UrllibWire("registry.example", StoreOptions(environment={"HTTPS_PROXY": address}))
    with pytest.raises(WireError):
        wire.send(Call("GET", "https://registry.example/v2/", {}))
    wire.close()


# TLS.


def test_a_registry_with_tls_is_trusted_by_its_authority_only(certificates: Certificates) -> None:
    made = image()
    with RegistrySimulator(certificate=certificates.certificate, key=certificates.key) as registry:
        with opened(registry, ca_file=str(certificates.authority)) as store:
            push(store, made, "1.0")
            assert store.resolve("1.0").digest == made.digest
        environment = {"SSL_CERT_FILE": str(certificates.authority)}
        with opened(registry, environment=environment) as store:
            assert store.resolve("1.0").digest == made.digest
        other = str(certificates.authority.parent / "server.pem")
        clock = Clock()
        with opened(registry, environment={"SSL_CERT_FILE": other}, clock=clock) as store:
            with pytest.raises(StoreUnavailable, match="--ca-file"):
                store.resolve("1.0")
            assert clock.slept == []


def test_loopback_without_certificates_is_plain_http_and_says_so(certificates: Certificates) -> None:
    with (
        RegistrySimulator(certificate=certificates.certificate, key=certificates.key) as registry,
        opened(registry) as store,
        pytest.raises(StoreUnavailable),
    ):
        store.resolve("1.0")


def test_loopback_that_speaks_plain_http_stays_so_with_an_authority_at_hand(certificates: Certificates) -> None:
    with RegistrySimulator() as registry:
        assert not speaks_tls(registry.host, StoreOptions(ca_file=str(certificates.authority)))
        with opened(registry, ca_file=str(certificates.authority)) as store, pytest.raises(NotFound):
            store.resolve("1.0")
    assert not speaks_tls("registry.example", StoreOptions(ca_file=str(certificates.authority)))


def test_https_to_a_server_of_plain_http_is_told_apart() -> None:
    with Loopback() as server:
        wire = UrllibWire(server.host, StoreOptions())
        with pytest.raises(WireError, match="--plain-http") as caught:
            wire.send(Call("GET", f"https://{server.host}/v2/", {}))
        assert not caught.value.retryable
        wire.close()


@pytest.mark.parametrize("name", ["x.pem", "none.pem"])
def test_certificates_that_cannot_be_read_are_wrong_usage(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no certificate")
    path = str(tmp_path / name)
    for options in (StoreOptions(ca_file=path), StoreOptions(client_cert=path)):
        with pytest.raises(InputFileError, match=name):
            tls_context(options, client=True)


def test_a_client_certificate_is_for_the_registry_only(certificates: Certificates) -> None:
    options = StoreOptions(client_cert=str(certificates.certificate), client_key=str(certificates.key))
    assert tls_context(options, client=True).verify_mode == tls_context(options, client=False).verify_mode
    with pytest.raises(InputFileError):
        tls_context(StoreOptions(client_cert="none.pem"), client=True)
    tls_context(StoreOptions(client_cert="none.pem"), client=False)


# The rest.


def test_a_host_that_is_not_there_is_no_answer() -> None:
    store = RegistryStore(RegistryRepository("registry.invalid", "team/app"), StoreOptions(timeout=5), waiter=Clock())
    with pytest.raises(StoreUnavailable, match="no host of that name"):
        store.resolve("1.0")
    store.close()


def test_a_deadline_in_the_middle_of_a_body_ends_it() -> None:
    waiter = SystemWaiter()
    with Loopback(lambda _: Reply(200, (), b"x" * 1000, drip=0.01)) as server:
        wire = UrllibWire(server.host, StoreOptions(deadline=waiter.monotonic() + 0.2))
        answer = wire.send(Call("GET", f"{server.base}/x", {}))
        with pytest.raises(TimedOut):
            answer.read(10_000)
        with pytest.raises(TimedOut):
            wire.send(Call("GET", f"{server.base}/x", {}))
        wire.close()


def test_a_deadline_while_waiting_for_an_answer_ends_it() -> None:
    waiter = SystemWaiter()
    with Loopback(lambda _: Reply(200), latency=0.5) as server:
        wire = UrllibWire(server.host, StoreOptions(deadline=waiter.monotonic() + 0.1))
        with pytest.raises(TimedOut):
            wire.send(Call("GET", f"{server.base}/x", {}))
        wire.close()


def test_bodies_are_sent_as_they_are_given() -> None:
    with Loopback(lambda request: Reply(200, (), request.body)) as server:
        wire = UrllibWire(server.host, StoreOptions())
        for body, expected in (
            (None, b""),
            (b"", b""),
            (b"x", b"x"),
            (Body(2, lambda: iter((memoryview(b"yz"),))), b"yz"),
        ):
            assert wire.send(Call("POST", f"{server.base}", {}, body)).read(10) == expected
        wire.close()


def test_a_held_answer_is_an_answer() -> None:
    with Loopback(lambda _: Reply(200, (("X", "1"), ("X", "2")), b"body")) as server:
        wire = UrllibWire(server.host, StoreOptions())
        held = HeldAnswer(wire.send(Call("GET", f"{server.base}/x", {})), 100)
        assert (held.status, held.header("X"), held.headers("X")) == (200, "1, 2", ("1", "2"))
        assert (held.read(2), b"".join(held.pieces())) == (b"bod", b"body")
        held.close()
        wire.close()


def test_requests_are_logged_without_queries_of_storage(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "imgtrust.stores")
    made = image()
    with (
        StorageSimulator() as storage,
        RegistrySimulator(Behaviour(storage=storage.base)) as registry,
        opened(registry) as store,
    ):
        push(store, made)
        storage.blobs.update({str(d.digest): data for d, data in made.blobs})
        store.fetch(made.blobs[0][0])
    assert f"GET {storage.base}/{made.blobs[0][0].digest} -> 200" in caplog.text
    assert "presigned-secret" not in caplog.text


def test_attempts_end_with_patience() -> None:
    clock = Clock()
    attempts = Attempts(clock, limit=100)
    error = WireError("x")
    for _ in range(4):
        attempts.again(error, 50)
    with pytest.raises(WireError):
        attempts.again(error, 50)
    assert 180 < sum(clock.slept) < 300


def test_the_clocks_of_this_machine_are_clocks() -> None:
    waiter = SystemWaiter()
    before = waiter.monotonic()
    assert waiter.monotonic() >= before
    assert waiter.wall() > 1_600_000_000
    assert 0 <= waiter.jitter() < 1


def test_turns_are_taken_with_and_without_a_folder_for_locks(tmp_path: Path) -> None:
    clock = Clock()
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o777)
    open_to_all.chmod(0o777)
    for folder in (tmp_path / "mine", open_to_all, tmp_path / "a" / "b"):
        with turn("x", clock, folder):
            pass
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["fallback-45.lock"]
    assert list(open_to_all.iterdir()) == []


def test_another_process_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    import fcntl  # noqa: PLC0415 - what another process would do

    clock = Clock()
    with turn("x", clock, tmp_path / "locks"):
        pass
    (lock,) = (tmp_path / "locks").iterdir()
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with turn("x", clock, tmp_path / "locks"):
            pass
    assert 10 <= sum(clock.slept) < 11


def test_connections_are_used_again() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        for _ in range(5):
            store.fetch(store.resolve("1.0"))
            store.has(made.descriptor)
            with pytest.raises(NotFound):
                store.resolve("none")
        pools = store._endpoint._wire._pools  # type: ignore[attr-defined]  # a look inside
        assert [pool.num_connections for pool in pools.values()] == [1]
