"""Responders and lists are asked once, in time, with limits; a list that verifies is kept, whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from imgtrust.errors import StoreProtocol, StoreUnavailable
from imgtrust.stores.revocation import MAX_ANSWER, ResponderOptions, Responders, cache_folder
from tests.simulators.loopback import Reply
from tests.simulators.revocation import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    assert issubclass(StoreProtocol, Exception)


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
