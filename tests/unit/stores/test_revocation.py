"""Responders and lists are asked once, in time, with limits; a list that verifies is kept, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from imgtrust.errors import InputFileError, ServiceError, StoreUnavailable
from imgtrust.stores.revocation import MAX_ANSWER, MAX_KEPT, MAX_LIST, ResponderOptions, Responders, cache_folder
from tests.simulators.loopback import Reply
from tests.simulators.revocation import Server, Trickle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIST = b"a list"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        running.answers["/crl"] = LIST
        running.answers["/ocsp"] = lambda request: b"about " + request
        yield running


def always(_: bytes) -> bool:
    return True


def never(_: bytes) -> bool:
    return False


def hurried(cache: Path | None = None) -> Responders:
    """Whoever asks and does not wait long."""
    return Responders(ResponderOptions(cache, answer_timeout=0.3, list_timeout=0.3))


def test_a_responder_is_sent_the_request_and_a_list_is_fetched(server: Server) -> None:
    responders = Responders()
    assert responders.ask(server.url("/ocsp"), b"x", never) == b"about x"
    assert responders.ask(server.url("/crl"), b"", never) == LIST
    post, get = server.loopback.requests
    assert (post.method, post.headers["content-type"], post.body) == ("POST", "application/ocsp-request", b"x")
    assert (get.method, get.body) == ("GET", b"")
    assert responders.now().tzinfo is UTC


def test_the_clock_is_the_callers(server: Server) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert Responders(ResponderOptions(clock=lambda: moment)).now() == moment
    assert server.loopback.requests == []


def test_each_question_is_asked_once_also_when_nobody_answers(server: Server) -> None:
    responders = hurried()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: responders.ask(server.url("/ocsp"), b"x", never), range(16))) == {b"about x"}
    assert len(server.loopback.asked("/ocsp")) == 1
    assert responders.ask(server.url("/ocsp"), b"y", never) == b"about y"
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="status 404"):
            responders.ask(server.url("/absent"), b"", never)
    assert len(server.loopback.asked("/absent")) == 1


def test_who_is_dead_slow_or_elsewhere_gives_no_answer(server: Server) -> None:
    server.loopback.fault("/ocsp", close=True)
    with pytest.raises(StoreUnavailable, match="no answer"):
        hurried().ask(server.url("/ocsp"), b"x", never)
    server.loopback.fault("/ocsp", delay=0.5)
    with pytest.raises(StoreUnavailable, match="no answer"):
        hurried().ask(server.url("/ocsp"), b"x", never)
    server.loopback.fault("/crl", reply=Reply(302, (("Location", server.url("/crl")),)))
    with pytest.raises(StoreUnavailable, match="status 302"):
        hurried().ask(server.url("/crl"), b"", never)
    server.loopback.fault("/crl", reply=Reply(200, (), bytes(200), drip=0.01))
    with pytest.raises(StoreUnavailable, match="not complete in time"):
        hurried().ask(server.url("/crl"), b"", never)
    server.loopback.fault("/crl", change=lambda reply: Reply(200, (("Content-Length", "99"),), reply.body, cut=3))
    with pytest.raises(StoreUnavailable, match="no answer"):
        hurried().ask(server.url("/crl"), b"", never)
    assert len(server.loopback.asked("/crl")) == 3
    closed = server.url("/crl")
    server.loopback.__exit__()
    with pytest.raises(StoreUnavailable, match="no answer"):
        hurried().ask(closed, b"", never)
    server.loopback = Server().loopback
    server.loopback.__enter__()


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://127.0.0.1:99999/", "http://a b/"])
def test_an_address_that_is_none_gives_no_answer(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="no answer"):
        hurried().ask(url, b"", never)


def test_an_answer_that_is_too_large_is_not_read(server: Server) -> None:
    server.answers["/ocsp"] = bytes(MAX_ANSWER)
    assert len(Responders().ask(server.url("/ocsp"), b"x", never)) == MAX_ANSWER
    server.answers["/ocsp"] = bytes(MAX_ANSWER + 1)
    with pytest.raises(StoreUnavailable, match=f"more than {MAX_ANSWER} bytes"):
        Responders().ask(server.url("/ocsp"), b"x", never)
    server.answers["/crl"] = bytes(MAX_LIST + 1)
    with pytest.raises(StoreUnavailable, match=f"more than {MAX_LIST} bytes"):
        Responders(ResponderOptions(list_timeout=60.0)).ask(server.url("/crl"), b"", never)


def test_a_header_that_never_ends_is_given_up_in_time() -> None:
    with Trickle() as trickle:
        begun = time.monotonic()
        for request in (b"", b"x"):
            with pytest.raises(StoreUnavailable, match=r"no answer within 0\.3 seconds"):
                hurried().ask(trickle.url, request, never)
        assert time.monotonic() - begun < 5.0


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_lists_and_responders_are_asked_through_the_proxy(server: Server, name: str) -> None:
    environment = {name: server.loopback.base, "HTTPS_PROXY": "http://127.0.0.1:9"}
    responders = Responders(ResponderOptions(environment=environment))
    assert responders.ask("http://ca.invalid/crl", b"", never) == LIST
    assert responders.ask("http://ca.invalid/ocsp", b"x", never) == b"about x"
    assert [request.headers["host"] for request in server.loopback.requests] == ["ca.invalid", "ca.invalid"]
    assert "proxy-authorization" not in server.loopback.requests[0].headers


def test_a_proxy_is_told_who_asks(server: Server) -> None:
    proxy = server.loopback.base.replace("://", "://who:p%40ss@")
    responders = Responders(ResponderOptions(environment={"HTTP_PROXY": proxy}))
    assert responders.ask("http://ca.invalid/crl", b"", never) == LIST
    assert server.loopback.requests[0].headers["proxy-authorization"] == "Basic d2hvOnBAc3M="


def test_https_goes_through_its_own_proxy(server: Server) -> None:
    environment = {"HTTPS_PROXY": server.loopback.base, "HTTP_PROXY": "http://127.0.0.1:9"}
    with pytest.raises(StoreUnavailable, match="no answer"):
        Responders(ResponderOptions(environment=environment)).ask("https://ca.invalid/crl", b"", never)
    assert [request.method for request in server.loopback.requests] == ["CONNECT"]


@pytest.mark.parametrize("environment", [{}, {"NO_PROXY": "127.0.0.1"}])
def test_loopback_and_what_is_exempt_is_asked_directly(server: Server, environment: dict[str, str]) -> None:
    environment = {"HTTP_PROXY": "http://127.0.0.1:9", **environment}
    assert Responders(ResponderOptions(environment=environment)).ask(server.url("/crl"), b"", never) == LIST


def test_a_proxy_that_is_none_is_a_wrong_use() -> None:
    for proxy in ("http://[::1", "ftp://proxy.invalid"):
        with pytest.raises(InputFileError, match="does not name a proxy"):
            Responders(ResponderOptions(environment={"HTTP_PROXY": proxy})).ask("http://ca.invalid/", b"", never)


# --- lists on disk ----------------------------------------------------------------------------------------------------


def test_a_list_that_verifies_is_kept_under_the_hash_of_its_address(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "new" / "folder"
    assert hurried(cache).ask(server.url("/crl"), b"", always) == LIST
    (file,) = cache.iterdir()
    assert file.name == hashlib.sha256(server.url("/crl").encode()).hexdigest()
    assert file.read_bytes() == LIST
    server.answers["/crl"] = b"a newer list"
    assert hurried(cache).ask(server.url("/crl"), b"", always) == LIST
    assert len(server.loopback.asked("/crl")) == 1
    assert hurried(cache).ask(server.url("/crl"), b"", lambda data: data != LIST) == b"a newer list"
    assert file.read_bytes() == b"a newer list"


def test_a_list_that_does_not_verify_is_neither_kept_nor_given_again(server: Server, tmp_path: Path) -> None:
    assert hurried(tmp_path).ask(server.url("/crl"), b"", never) == LIST
    assert list(tmp_path.iterdir()) == []
    assert hurried(tmp_path).ask(server.url("/ocsp"), b"x", always) == b"about x"
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_used_is_none(server: Server, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert hurried(blocked).ask(server.url("/crl"), b"", always) == LIST
    name = hashlib.sha256(server.url("/crl").encode()).hexdigest()
    (tmp_path / name).mkdir()
    assert hurried(tmp_path).ask(server.url("/crl"), b"", always) == LIST
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", name])


def test_a_kept_list_is_for_nobody_else_to_read(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    hurried(cache).ask(server.url("/crl"), b"", always)
    (file,) = cache.iterdir()
    assert (cache.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def at(moment: datetime, cache: Path) -> Responders:
    """Whoever asks at a time."""
    return Responders(ResponderOptions(cache, 0.3, 0.3, clock=lambda: moment))


NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def test_a_kept_list_is_asked_for_again_after_a_day(server: Server, tmp_path: Path) -> None:
    assert at(NOW, tmp_path).ask(server.url("/crl"), b"", always) == LIST
    server.answers["/crl"] = b"a newer list"
    assert at(NOW + DAY - SECOND, tmp_path).ask(server.url("/crl"), b"", always) == LIST
    assert at(NOW + DAY, tmp_path).ask(server.url("/crl"), b"", always) == b"a newer list"
    server.answers["/crl"] = b"the newest list"
    assert at(NOW + DAY + DAY - SECOND, tmp_path).ask(server.url("/crl"), b"", always) == b"a newer list"
    assert at(NOW + DAY - SECOND, tmp_path).ask(server.url("/crl"), b"", always) == b"the newest list"


def test_an_older_list_that_still_holds_is_used_where_the_server_is_dead_or_lies(
    server: Server, tmp_path: Path
) -> None:
    def holds(data: bytes) -> bool:
        return data == LIST

    assert at(NOW, tmp_path).ask(server.url("/crl"), b"", holds) == LIST
    later = NOW + 2 * DAY
    server.answers["/crl"] = b"a lie"
    assert at(later, tmp_path).ask(server.url("/crl"), b"", holds) == LIST
    server.loopback.fault("/crl", times=None, close=True)
    assert at(later, tmp_path).ask(server.url("/crl"), b"", holds) == LIST
    with pytest.raises(StoreUnavailable, match="no answer"):
        at(later, tmp_path).ask(server.url("/crl"), b"", never)
    assert len(server.loopback.asked("/crl")) == 4


def test_what_is_no_file_and_never_answers_is_not_waited_for(server: Server, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / hashlib.sha256(server.url("/crl").encode()).hexdigest())
    asked: list[bytes] = []

    def holds(data: bytes) -> bool:
        asked.append(data)
        return False

    assert hurried(tmp_path).ask(server.url("/crl"), b"", holds) == LIST
    assert asked == [b"", LIST]


def test_a_kept_list_has_a_largest_size(server: Server, tmp_path: Path) -> None:
    file = tmp_path / hashlib.sha256(server.url("/crl").encode()).hexdigest()
    for size, given in ((MAX_LIST, True), (MAX_LIST + 1, False)):
        file.write_bytes(bytes(size))
        found = Responders(ResponderOptions(tmp_path)).ask(server.url("/crl"), b"", lambda data: data != LIST)
        assert (len(found) == size) is given


def test_the_cache_does_not_grow_without_end(server: Server, tmp_path: Path) -> None:
    for number in range(MAX_KEPT + 2):
        (tmp_path / f"old-{number:03}").write_bytes(b"")
        os.utime(tmp_path / f"old-{number:03}", (number, number))
    (tmp_path / "folder").mkdir()
    assert hurried(tmp_path).ask(server.url("/crl"), b"", always) == LIST
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == MAX_KEPT + 1
    assert {"folder", "old-003", hashlib.sha256(server.url("/crl").encode()).hexdigest()} <= set(names)
    assert "old-002" not in names


def test_a_kept_list_is_whole_whoever_writes_it(server: Server, tmp_path: Path) -> None:
    server.answers["/crl"] = bytes(1 << 20)
    started = threading.Barrier(4)

    def ask(_: int) -> int:
        started.wait()
        return len(hurried(tmp_path).ask(server.url("/crl"), b"", lambda data: len(data) == 1 << 20))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(4))) == {1 << 20}
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size == 1 << 20


def test_the_folder_is_found_by_the_environment() -> None:
    home = {"HOME": "/h"}
    assert cache_folder({}) is None
    assert str(cache_folder(home)) == "/h/.cache/imgtrust/revocation"
    assert str(cache_folder({**home, "XDG_CACHE_HOME": "/x"})) == "/x/imgtrust/revocation"
    assert str(cache_folder({**home, "XDG_CACHE_HOME": "/x", "IMGTRUST_CACHE_DIR": "/c"})) == "/c/revocation"


# --- services ---------------------------------------------------------------------------------------------------------


def served(service: Callable[[str, bytes], bytes]) -> Responders:
    """Whoever asks a service, and does not wait long."""
    return Responders(ResponderOptions(services={"acme": service}, service_timeout=0.3))


def test_a_service_is_asked_by_its_scheme_once_and_nobody_else() -> None:
    asked: list[tuple[str, bytes]] = []

    def service(place: str, request: bytes) -> bytes:
        asked.append((place, request))
        return b"well"

    responders = served(service)
    for _ in range(2):
        assert responders.ask("acme:eu:1", b"x", always) == b"well"
    assert asked == [("eu:1", b"x")]
    with pytest.raises(StoreUnavailable, match="no answer"):
        responders.ask("other:eu", b"x", always)


@pytest.mark.parametrize(
    ("exc", "said"),
    [(ServiceError("not today"), "not today"), (RuntimeError("x"), r"no answer \(RuntimeError\)")],
    ids=str,
)
def test_whatever_a_service_raises_is_no_answer(exc: Exception, said: str) -> None:
    def service(_: str, __: bytes) -> bytes:
        raise exc

    with pytest.raises(StoreUnavailable, match=said):
        served(service).ask("acme:eu", b"x", always)


def test_a_service_that_does_not_end_is_given_up_in_time() -> None:
    ended = threading.Event()

    def service(_: str, __: bytes) -> bytes:
        ended.wait(30)
        return b"late"

    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.3 seconds"):
        served(service).ask("acme:eu", b"x", always)
    ended.set()
