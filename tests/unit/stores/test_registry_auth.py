"""How a registry is asked with credentials: challenges, realms, tokens, and what never leaves."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from imgtrust.errors import AccessDenied, NotFound, StoreError, StoreProtocol, StoreUnavailable, TooManyRequests
from imgtrust.reference import RegistryRepository
from imgtrust.stores import endpoints
from imgtrust.stores.credentials import Credential
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.registry import RegistryStore
from tests.simulators.clients import Clock, opened
from tests.simulators.images import image, push
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.registry import RegistrySimulator
from tests.simulators.tokens import TokenServer

SECRET = "correct-horse-battery"
ROBOT = Credential("test", "robot", SECRET)
USER = ("robot", SECRET)


def test_basic_is_sent_after_one_challenge_and_then_at_once() -> None:
    made = image()
    with RegistrySimulator(user=USER) as registry, opened(registry, credential=ROBOT) as store:
        push(store, made, "1.0")
        store.resolve("1.0")
        without = [r for r in registry.requests if "authorization" not in r.headers]
    assert len(without) == 1
    assert without[0].method == "POST"


def test_bodies_of_blobs_are_not_sent_twice_for_a_challenge() -> None:
    made = image()
    with RegistrySimulator(user=USER) as registry, opened(registry, credential=ROBOT) as store:
        push(store, made, "1.0")
        assert len(registry.asked("uploads/", "PUT")) == len(made.blobs)


@pytest.mark.parametrize("credential", [None, replace(ROBOT, password="wrong")])
def test_wrong_or_no_credentials_are_denied_with_registry_repository_and_source(credential: Credential | None) -> None:
    with RegistrySimulator(user=USER) as registry, opened(registry, credential=credential) as store:
        with pytest.raises(AccessDenied) as caught:
            store.resolve("1.0")
        text = str(caught.value)
        assert f"{registry.host}/team/app" in text
        assert ("no credentials were found" if credential is None else "credentials: test") in text
        assert "Log in" in text
        assert "wrong" not in text
        assert len(registry.requests) <= 2


def test_an_identity_token_is_no_password() -> None:
    with RegistrySimulator(user=USER) as registry:
        credential = Credential("helper x", identity_token="identity")
        with opened(registry, credential=credential) as store, pytest.raises(AccessDenied, match="identity token"):
            store.resolve("1.0")


def test_a_bearer_token_is_asked_for_once_for_each_set_of_scopes() -> None:
    made = image()
    with (
        TokenServer(dict((USER,))) as tokens,
        RegistrySimulator(tokens=tokens) as registry,
        opened(registry, credential=ROBOT) as store,
    ):
        push(store, made, "1.0")
        for _ in range(3):
            store.resolve("1.0")
        assert [grant.scopes for grant in tokens.grants] == [["repository:team/app:pull,push"]]
        assert tokens.requests[0].first("service") == "registry"
        assert tokens.requests[0].first("account") == "robot"
        assert all(
            "authorization" not in r.headers or r.headers["authorization"].startswith("Bearer ")
            for r in registry.requests
        )


def test_a_read_asks_for_less_and_a_write_for_more() -> None:
    made = image()
    with (
        TokenServer(dict((USER,))) as tokens,
        RegistrySimulator(tokens=tokens) as registry,
        opened(registry, credential=ROBOT) as store,
    ):
        with pytest.raises(NotFound):
            store.resolve("1.0")
        push(store, made, "1.0")
        scopes = [grant.scopes for grant in tokens.grants]
    assert scopes == [["repository:team/app:pull"], ["repository:team/app:pull,push"]]


def test_a_mount_asks_for_both_repositories_at_once() -> None:
    made = image()
    with (
        TokenServer(dict((USER,))) as tokens,
        RegistrySimulator(tokens=tokens) as registry,
        opened(registry, credential=ROBOT) as store,
        opened(registry, "prod/app", credential=ROBOT) as other,
    ):
        push(store, made)
        assert other.mount(made.blobs[0][0], RegistryRepository(registry.host, "team/app"))
        assert sorted(tokens.grants[-1].scopes) == ["repository:prod/app:pull,push", "repository:team/app:pull"]


def test_many_threads_ask_for_one_token() -> None:
    made = image()
    with (
        TokenServer(dict((USER,))) as tokens,
        RegistrySimulator(tokens=tokens) as registry,
    ):
        with opened(registry, credential=ROBOT) as store:
            push(store, made, "1.0")
        tokens.grants.clear()
        tokens.latency = 0.05
        with opened(registry, credential=ROBOT) as store, ThreadPoolExecutor(8) as threads:
            barrier = threading.Barrier(8)

            def ask(_: int) -> object:
                barrier.wait()
                return store.resolve("1.0").digest

            assert set(threads.map(ask, range(8))) == {made.digest}
        assert len(tokens.grants) == 1


def test_a_token_that_expires_is_asked_for_anew_before_it_is_refused() -> None:
    clock = Clock()
    with (
        TokenServer(lifetime=100) as tokens,
        RegistrySimulator(tokens=tokens) as registry,
        opened(registry, clock=clock) as store,
    ):
        for wait in (0, 80, 20):
            clock.pass_time(wait)
            with pytest.raises(NotFound):
                store.resolve("1.0")
        assert len(tokens.grants) == 2


def test_a_token_that_is_refused_early_is_asked_for_anew() -> None:
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry) as store:
        with pytest.raises(NotFound):
            store.resolve("1.0")
        tokens.grants.clear()
        with pytest.raises(NotFound):
            store.resolve("1.0")
        assert len(tokens.grants) == 1


def test_a_registry_that_refuses_every_token_is_not_asked_for_ever() -> None:
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry) as store:
        challenge = f'Bearer realm="{tokens.realm}",service="registry"'
        registry.fault(times=None, reply=Reply(401, (("WWW-Authenticate", challenge),)))
        with pytest.raises(AccessDenied):
            store.resolve("1.0")
        assert len(registry.requests) <= 3


def test_anonymous_tokens_are_taken_where_they_are_given() -> None:
    made = image()
    with TokenServer(dict((USER,)), anonymous_pull=True) as tokens, RegistrySimulator(tokens=tokens) as registry:
        with opened(registry, credential=ROBOT) as store:
            push(store, made, "1.0")
        with opened(registry) as store:
            assert store.resolve("1.0").digest == made.digest
            with pytest.raises(AccessDenied):
                store.push(*made.blobs[0])


def test_an_identity_token_is_exchanged_by_post() -> None:
    credential = Credential("helper x", identity_token=SECRET)
    with (
        TokenServer({}, identity_tokens=(SECRET,)) as tokens,
        RegistrySimulator(tokens=tokens) as registry,
        opened(registry, credential=credential) as store,
    ):
        with pytest.raises(NotFound):
            store.resolve("1.0")
        (asked,) = tokens.requests
        assert asked.method == "POST"
        assert b"grant_type=refresh_token" in asked.body
        assert asked.query == {}


def test_a_registry_token_is_sent_as_it_is() -> None:
    credential = Credential("test", registry_token="ready-made")
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry:
        with opened(registry, credential=credential) as store, pytest.raises(AccessDenied):
            store.resolve("1.0")
        assert registry.requests[1].headers["authorization"] == "Bearer ready-made"
        assert tokens.requests == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, StoreProtocol), (401, AccessDenied), (403, AccessDenied), (400, AccessDenied), (302, StoreProtocol)],
)
def test_a_token_server_that_refuses_says_nothing_about_images(status: int, error: type[StoreError]) -> None:
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry:
        tokens.fault(times=None, reply=Reply(status, (("Location", "http://127.0.0.1:1/"),)))
        with opened(registry, credential=ROBOT) as store, pytest.raises(error) as caught:
            store.resolve("1.0")
        assert not isinstance(caught.value, NotFound)
        assert "token server" in str(caught.value)
        with opened(registry) as store, pytest.raises(error, match="no credentials"):
            store.resolve("1.0")


@pytest.mark.parametrize(
    ("status", "error"), [(429, TooManyRequests), (500, StoreUnavailable), (503, StoreUnavailable)]
)
def test_a_busy_token_server_is_asked_again_and_then_given_up(status: int, error: type[StoreError]) -> None:
    clock = Clock()
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry, clock=clock) as store:
        tokens.fault(times=2, reply=Reply(status, (("Retry-After", "3"),)))
        with pytest.raises(NotFound):
            store.resolve("1.0")
        assert all(3 <= seconds < 4 for seconds in clock.slept)
        tokens.grants.clear()
        tokens.fault(times=None, reply=Reply(status))
        with pytest.raises(error):
            store.resolve("1.0")


def test_a_token_server_that_hangs_up_is_no_answer() -> None:
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry) as store:
        tokens.fault(close=True)
        with pytest.raises(NotFound):
            store.resolve("1.0")
        tokens.grants.clear()
        tokens.fault(times=None, close=True)
        with pytest.raises(StoreUnavailable):
            store.resolve("1.0")


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"token": ""}', b'{"token": 1}', b'{"token": "a b"}', b'{"token": "a\\nX: y"}'],
)
def test_what_is_no_token_is_not_sent(body: bytes) -> None:
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry) as store:
        tokens.fault(reply=Reply(200, (), body))
        with pytest.raises(StoreProtocol, match="token server"):
            store.resolve("1.0")


@pytest.mark.parametrize("lifetime", [None, "60", 0, -1, True, 1e300])
def test_strange_lifetimes_of_tokens_are_bounded(lifetime: object) -> None:
    clock = Clock()
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry, clock=clock) as store:
        tokens.fault(
            change=lambda r: replace(r, body=json.dumps({**json.loads(r.body), "expires_in": lifetime}).encode())
        )
        with pytest.raises(NotFound):
            store.resolve("1.0")
        clock.pass_time(13 * 3600)
        with pytest.raises(NotFound):
            store.resolve("1.0")
        assert len(tokens.grants) == 2


@pytest.mark.parametrize(
    "realm", ["http://evil.example/token", "ftp://evil.example", "basic-realm:x", "http://u:p@127.0.0.1/"]
)
def test_a_realm_that_is_not_https_is_sent_nothing(realm: str) -> None:
    with RegistrySimulator() as registry, opened(registry, credential=ROBOT) as store:
        registry.fault(times=None, reply=Reply(401, (("WWW-Authenticate", f'Bearer realm="{realm}",service="x"'),)))
        with pytest.raises(StoreProtocol):
            store.resolve("1.0")
        assert all("authorization" not in r.headers for r in registry.requests)


def test_a_realm_of_basic_is_only_a_word() -> None:
    with Loopback() as other, RegistrySimulator() as registry, opened(registry, credential=ROBOT) as store:
        registry.fault(times=None, reply=Reply(401, (("WWW-Authenticate", f'Basic realm="{other.base}"'),)))
        with pytest.raises(AccessDenied):
            store.resolve("1.0")
        assert other.requests == []


@pytest.mark.parametrize("value", [None, "", "Negotiate", "Bearer", "Bearer service=x", ",,,", "\x7f"])
def test_a_challenge_that_offers_nothing_known_is_a_denial(value: str | None) -> None:
    reply = Reply(401, () if value is None else (("WWW-Authenticate", value),))
    with RegistrySimulator() as registry, opened(registry, credential=ROBOT) as store:
        registry.fault(times=None, reply=reply)
        with pytest.raises(AccessDenied, match="no credentials were asked for"):
            store.resolve("1.0")
        assert len(registry.requests) == 1


def test_bearer_is_preferred_to_basic() -> None:
    with TokenServer(dict((USER,))) as tokens, RegistrySimulator(tokens=tokens) as registry:
        both = ("WWW-Authenticate", f'Basic realm="x", Bearer realm="{tokens.realm}",service="registry"')
        registry.fault(reply=Reply(401, (both,)))
        with opened(registry, credential=ROBOT) as store, pytest.raises(NotFound):
            store.resolve("1.0")
        assert len(tokens.grants) == 1


def test_scopes_of_a_challenge_are_taken_up_and_nonsense_is_left_out() -> None:
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry, opened(registry) as store:
        scope = "repository:team/base:pull nonsense repository:team/app:pull"
        challenge = f'Bearer realm="{tokens.realm}",service="registry",scope="{scope}"'
        registry.fault(reply=Reply(401, (("WWW-Authenticate", challenge),)))
        with pytest.raises(NotFound):
            store.resolve("1.0")
        assert sorted(tokens.grants[0].scopes) == ["repository:team/app:pull", "repository:team/base:pull"]


def test_a_secret_is_in_no_log_no_error_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "imgtrust")
    texts: list[str] = [repr(ROBOT), repr(Credential("x", identity_token=SECRET, registry_token=SECRET))]
    basic = ROBOT.basic()
    with TokenServer(dict((USER,))) as tokens, RegistrySimulator(tokens=tokens) as registry:
        with opened(registry, credential=ROBOT) as store:
            push(store, image(), "1.0")
            texts.append(repr(store))
            tokens.fault(times=None, reply=Reply(401))
            tokens.grants.clear()
            with pytest.raises(AccessDenied) as caught:
                store.resolve("1.0")
            texts.append(repr(caught.value))
        issued = [r.headers.get("authorization", "") for r in registry.requests if "authorization" in r.headers]
    with RegistrySimulator(user=("robot", "other")) as registry, opened(registry, credential=ROBOT) as store:
        with pytest.raises(AccessDenied) as caught:
            store.resolve("1.0")
        texts.append(repr(caught.value))
    logged = "\n".join([*texts, *(record.getMessage() for record in caplog.records)])
    assert "team/app" in logged
    for secret in (SECRET, basic, basic.removeprefix("Basic "), *(header.removeprefix("Bearer ") for header in issued)):
        assert secret not in logged


def test_stores_with_the_same_options_share_connections_and_tokens() -> None:
    options = StoreOptions()
    with TokenServer() as tokens, RegistrySimulator(tokens=tokens) as registry:
        stores = [RegistryStore(RegistryRepository(registry.host, "team/app"), options) for _ in range(3)]
        other = RegistryStore(RegistryRepository(registry.host, "team/app"), StoreOptions())
        for store in (*stores, other):
            with pytest.raises(NotFound):
                store.resolve("1.0")
        assert len(tokens.grants) == 2
        for store in (*stores, other):
            store.close()
        assert not [key for key in endpoints._leases if key[0] == registry.host]
