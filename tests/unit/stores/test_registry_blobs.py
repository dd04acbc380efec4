"""Blobs of a registry: streamed, resumed, redirected, mounted and uploaded."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from imgtrust.content import Descriptor, describe
from imgtrust.errors import (
    AccessDenied,
    ContentMismatch,
    ContentMissing,
    StoreError,
    StoreProtocol,
    StoreUnavailable,
    TagConflict,
    TooManyRequests,
)
from imgtrust.reference import Digest, LayoutRepository, RegistryRepository
from imgtrust.stores.chunks import CHUNK
from imgtrust.stores.credentials import Credential
from imgtrust.stores.hashing import HashedPieces, proven
from imgtrust.stores.registry import RegistryStore
from imgtrust.stores.wire import WireError
from tests.simulators.clients import Clock, opened
from tests.simulators.images import image
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.registry import Behaviour, RegistrySimulator, StorageSimulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KIND = "application/vnd.oci.image.layer.v1.tar+gzip"


def blob(size: int = 300_000, seed: str = "blob") -> tuple[Descriptor, bytes]:
    data = random.Random(seed).randbytes(size)  # noqa: S311 - test data
    return describe(data, KIND), data


def source(data: bytes, size: int = 65_536) -> Callable[[], Iterator[memoryview]]:
    """A source that reuses its buffer, as files do."""

    def pieces() -> Iterator[memoryview]:
        buffer = bytearray(size)
        for start in range(0, len(data), size):
            part = data[start : start + size]
            buffer[: len(part)] = part
            yield memoryview(buffer)[: len(part)]

    return pieces


def hold(registry: RegistrySimulator, data: bytes, path: str = "team/app") -> Descriptor:
    descriptor = describe(data, KIND)
    registry.held(path).blobs[str(descriptor.digest)] = data
    return descriptor


def cut(after: int) -> Callable[[Reply], Reply]:
    return lambda r: replace(r.with_header("Content-Length", str(len(r.body))), cut=after)


# Reading.


def test_a_blob_streams_and_proves_itself() -> None:
    _, data = blob(3_000_000)
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        pieces = store.stream(descriptor)
        assert isinstance(pieces, HashedPieces)
        assert b"".join(pieces) == data
        assert store.fetch(descriptor) == data
        assert store.has(descriptor)
        assert not store.has(replace(descriptor, size=1))


@pytest.mark.parametrize("size", [0, 1])
def test_the_smallest_blobs_are_checked_too(size: int) -> None:
    data = b"x" * size
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        assert store.fetch(descriptor) == data
        registry.held("team/app").blobs[str(descriptor.digest)] = b"yy"[:size] or b"z"
        with pytest.raises(ContentMismatch):
            store.fetch(descriptor)


def test_the_last_piece_of_other_bytes_is_never_handed_out() -> None:
    descriptor, data = blob()
    wrong = data[:-1] + bytes((data[-1] ^ 1,))
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.held("team/app").blobs[str(descriptor.digest)] = wrong
        got: list[int] = []
        with pytest.raises(ContentMismatch, match=str(descriptor.digest)):
            got.extend(len(piece) for piece in store.stream(descriptor))
        assert sum(got) < descriptor.size


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"x", lambda _: b""])
def test_a_blob_of_another_size_is_an_integrity_error(change: Callable[[bytes], bytes]) -> None:
    descriptor, data = blob()
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.held("team/app").blobs[str(descriptor.digest)] = change(data)
        with pytest.raises(ContentMismatch, match="expected 300000 bytes"):
            store.fetch(descriptor)


def test_a_blob_of_another_size_without_a_length_is_one_too() -> None:
    descriptor, data = blob(1000)
    for other in (data[:-1], data + b"x"):
        reply = Reply(200, (("Content-Length", ""), ("Connection", "close")), other, cut=len(other))
        with RegistrySimulator() as registry, opened(registry) as store:
            registry.fault(reply=reply, times=None)
            with pytest.raises(ContentMismatch):
                store.fetch(descriptor)


def test_a_blob_that_is_named_but_absent_is_missing() -> None:
    descriptor, _ = blob()
    with RegistrySimulator() as registry, opened(registry) as store:
        with pytest.raises(ContentMissing, match="named"):
            store.fetch(descriptor)
        with pytest.raises(ContentMissing):
            list(store.stream(descriptor))
        assert not store.has(descriptor)


def test_a_broken_download_is_resumed_where_it_broke() -> None:
    _, data = blob()
    clock = Clock()
    with RegistrySimulator() as registry, opened(registry, clock=clock) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", change=cut(100_000))
        registry.fault("/blobs/", "GET", change=cut(50_000))
        assert b"".join(store.stream(descriptor)) == data
        ranges = [r.headers.get("range") for r in registry.asked("/blobs/", "GET")]
    assert ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert len(clock.slept) == 2


def test_a_registry_without_ranges_starts_again_and_must_repeat_itself() -> None:
    _, data = blob()
    with RegistrySimulator(Behaviour(ranges=False)) as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", change=cut(100_000))
        assert b"".join(store.stream(descriptor)) == data
        registry.fault("/blobs/", "GET", change=cut(100_000))
        other = b"\0" + data[1:]
        registry.fault("/blobs/", "GET", change=lambda r: replace(r, body=other))
        with pytest.raises(ContentMismatch, match="begun again"):
            list(store.stream(descriptor))


def test_a_range_that_is_refused_means_starting_again() -> None:
    _, data = blob()
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", change=cut(100_000))
        registry.fault("/blobs/", "GET", reply=Reply(416))
        assert b"".join(store.stream(descriptor)) == data


@pytest.mark.parametrize("said", ["bytes 0-299999/300000", "bytes 100000-299999/300001", "bytes x", None])
def test_another_range_than_the_one_asked_for_is_refused(said: str | None) -> None:
    _, data = blob()
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", change=cut(100_000))
        registry.fault("/blobs/", "GET", change=lambda r: r.with_header("Content-Range", said))
        with pytest.raises(StoreProtocol, match="range"):
            list(store.stream(descriptor))


def test_a_partial_answer_that_nobody_asked_for_is_refused() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, b"0123456789")
        registry.fault("/blobs/", "GET", change=lambda r: replace(r, status=206))
        with pytest.raises(StoreProtocol):
            store.fetch(descriptor)


def test_a_connection_that_always_breaks_is_given_up() -> None:
    _, data = blob()
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", change=cut(10))
        registry.fault("/blobs/", "GET", times=None, change=cut(0))
        with pytest.raises(StoreUnavailable):
            list(store.stream(descriptor))
        assert len(registry.asked("/blobs/", "GET")) <= 7


def test_a_connection_that_breaks_after_each_byte_is_given_up_too() -> None:
    data = b"x" * 1000
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", times=None, change=cut(1))
        with pytest.raises(WireError, match="50 times"):
            list(store.stream(descriptor))


def test_a_blob_that_trickles_is_given_up() -> None:
    data = b"x" * 2000
    with RegistrySimulator() as registry, opened(registry, timeout=0.1) as store:
        descriptor = hold(registry, data)
        registry.fault("/blobs/", "GET", times=None, change=lambda r: replace(r, drip=0.005))
        with pytest.raises(StoreUnavailable):
            store.fetch(descriptor)


def test_a_stream_that_is_dropped_gives_its_connection_back() -> None:
    _, data = blob(5_000_000)
    with RegistrySimulator() as registry, opened(registry) as store:
        pieces = store.stream(hold(registry, data))
        assert isinstance(pieces, HashedPieces)
        next(pieces)
        pieces.close()
        assert list(pieces) == []


def test_html_is_no_blob() -> None:
    page = Reply(200, (("Content-Type", "text/html"),), b"<html>")
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(reply=page)
        with pytest.raises(StoreProtocol, match="HTML"):
            store.fetch(blob()[0])


# Redirects.


def test_a_redirect_to_storage_is_followed_without_authorization() -> None:
    _, data = blob()
    credential = Credential("test", "robot", "secret")
    with (
        StorageSimulator() as storage,
        RegistrySimulator(Behaviour(storage=storage.base), user=("robot", "secret")) as registry,
        opened(registry, credential=credential) as store,
    ):
        descriptor = hold(registry, data)
        storage.blobs[str(descriptor.digest)] = data
        assert store.fetch(descriptor) == data
        storage.fault(change=cut(1000))
        assert store.fetch(descriptor) == data
        assert all("authorization" not in r.headers for r in storage.requests)
        assert storage.requests[-1].headers["range"] == "bytes=1000-"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_registry_keeps_the_credentials(status: int) -> None:
    credential = Credential("test", "robot", "secret")
    with (
        RegistrySimulator(user=("robot", "secret")) as registry,
        opened(registry, credential=credential) as store,
    ):
        descriptor = hold(registry, b"data")
        hold(registry, b"data", "other")
        moved = Reply(status, (("Location", f"/v2/other/blobs/{descriptor.digest}"),))
        registry.fault("/team/app/blobs/", "GET", skip=1, reply=moved)
        assert store.fetch(descriptor) == b"data"


def test_redirects_are_bounded() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(times=None, reply=Reply(307, (("Location", "/v2/"),)))
        with pytest.raises(StoreProtocol, match="redirects"):
            store.fetch(blob()[0])
        assert len(registry.requests) == 6


@pytest.mark.parametrize(
    "target", ["http://storage.example/x?secret=1", "ftp://storage.example/x", "http://u:p@127.0.0.1/"]
)
def test_a_redirect_that_is_not_https_is_not_followed_and_its_query_is_not_shown(target: str) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(times=None, reply=Reply(307, (("Location", target),)))
        with pytest.raises(StoreProtocol) as caught:
            store.fetch(blob()[0])
        assert "secret=1" not in str(caught.value)


def test_a_write_is_not_redirected_to_another_host() -> None:
    with Loopback() as other, RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "POST", reply=Reply(307, (("Location", other.base),)))
        with pytest.raises(StoreProtocol, match="another host"):
            store.push(*blob())
        assert other.requests == []


def test_a_redirect_without_a_target_is_a_protocol_error() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(reply=Reply(307))
        with pytest.raises(StoreProtocol):
            store.fetch(blob()[0])


# Writing.


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_a_blob_is_uploaded_with_two_requests(size: int, *, relative: bool) -> None:
    descriptor, data = blob(size)
    with RegistrySimulator(Behaviour(relative_locations=relative)) as registry, opened(registry) as store:
        store.push(descriptor, source(data))
        assert [r.method for r in registry.requests] == ["POST", "PUT"]
        assert registry.held("team/app").blobs == {str(descriptor.digest): data}
        assert registry.requests[1].query["state"] == ["kept"]
        assert registry.requests[1].headers["content-length"] == str(size)


@pytest.mark.parametrize("chunk_minimum", [None, 1000])
def test_wrong_bytes_are_never_completed_and_the_upload_is_cancelled(chunk_minimum: int | None) -> None:
    descriptor, data = blob()
    for wrong in (data[:-1] + b"\0\0"[: 1 + (data[-1] == 0)], data[:-1], data + b"x", b""):
        with RegistrySimulator(Behaviour(chunk_minimum=chunk_minimum)) as registry, opened(registry) as store:
            with pytest.raises(ContentMismatch):
                store.push(descriptor, source(wrong))
            assert registry.held("team/app").blobs == {}
            assert registry.held("team/app").uploads == {}


def test_a_source_that_fails_cancels_the_upload() -> None:
    descriptor, data = blob()

    def failing() -> Iterator[memoryview]:
        yield memoryview(data)[:1000]
        message = "the source broke"
        raise TagConflict(message)

    with RegistrySimulator() as registry, opened(registry) as store:
        with pytest.raises(TagConflict, match="source broke"):
            store.push(descriptor, failing)
        assert registry.held("team/app").uploads == {}


def test_a_cancel_that_fails_does_not_hide_the_reason() -> None:
    descriptor, data = blob()
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "DELETE", close=True)
        with pytest.raises(ContentMismatch):
            store.push(descriptor, data[:-1])


@pytest.mark.parametrize("spoiled", [Reply(500), Reply(503), Reply(429), Reply(404), None])
def test_a_broken_upload_is_begun_again_with_all_bytes(spoiled: Reply | None) -> None:
    descriptor, data = blob()
    opened_count = []

    def counted() -> Iterator[memoryview]:
        opened_count.append(1)
        return source(data)()

    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "PUT", reply=spoiled, close=spoiled is None)
        store.push(descriptor, counted)
        assert registry.held("team/app").blobs == {str(descriptor.digest): data}
    assert len(opened_count) == 2


def test_uploads_are_not_begun_again_for_ever() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "PUT", times=None, reply=Reply(503))
        with pytest.raises(StoreUnavailable):
            store.push(*blob())
        assert len(registry.asked("", "PUT")) == 5


@pytest.mark.parametrize(("status", "error"), [(400, StoreProtocol), (403, AccessDenied), (429, TooManyRequests)])
def test_a_refused_upload_has_its_own_error(status: int, error: type[StoreError]) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "PUT", times=None, reply=Reply(status))
        with pytest.raises(error):
            store.push(*blob())


def test_chunks_are_sent_where_the_registry_asks_for_them() -> None:
    descriptor, data = blob(CHUNK + 1000)
    with RegistrySimulator(Behaviour(chunk_minimum=1000)) as registry, opened(registry) as store:
        store.push(descriptor, source(data))
        assert registry.held("team/app").blobs == {str(descriptor.digest): data}
        sent = [r.headers["content-range"] for r in registry.asked("", "PATCH")]
    assert sent == [f"0-{CHUNK - 1}", f"{CHUNK}-{len(data) - 1}"]


def test_a_registry_that_takes_no_large_requests_gets_chunks() -> None:
    descriptor, data = blob(CHUNK + 1000)
    with RegistrySimulator(Behaviour(largest=CHUNK)) as registry, opened(registry) as store:
        store.push(descriptor, source(data))
        assert registry.held("team/app").blobs == {str(descriptor.digest): data}
        assert registry.held("team/app").uploads == {}


@pytest.mark.parametrize("spoiled", [Reply(500), Reply(416), None])
def test_a_chunk_whose_fate_is_unclear_is_continued_where_the_registry_stands(spoiled: Reply | None) -> None:
    descriptor, data = blob(10_000)
    with RegistrySimulator(Behaviour(chunk_minimum=1000)) as registry, opened(registry) as store:
        registry.fault("", "PATCH", reply=spoiled, close=spoiled is None)
        store.push(descriptor, source(data))
        assert registry.held("team/app").blobs == {str(descriptor.digest): data}
        # This time the chunk arrives, but its answer does not.
        registry.fault("", "PATCH", change=lambda _: Reply(502))
        other, more = blob(10_000, "other")
        store.push(other, source(more))
        assert registry.held("team/app").blobs[str(other.digest)] == more


def test_a_registry_that_counts_otherwise_is_asked_and_then_refused() -> None:
    descriptor, data = blob(10_000)
    with RegistrySimulator(Behaviour(chunk_minimum=1000)) as registry, opened(registry) as store:
        registry.fault("", "PATCH", change=lambda r: r.with_header("Range", "0-4999"))
        store.push(descriptor, source(data))
        registry.fault("uploads/", "PATCH", times=None, change=lambda r: r.with_header("Range", "0-99999"))
        registry.fault("uploads/", "GET", times=None, change=lambda r: r.with_header("Range", "0-99999"))
        with pytest.raises(StoreProtocol, match="100000"):
            store.push(*blob(10_000, "other"))
        registry.faults.clear()
        registry.fault("uploads/", "PATCH", change=lambda r: r.with_header("Range", "nonsense"))
        with pytest.raises(StoreProtocol, match="Range"):
            store.push(*blob(10_000, "third"))


def test_a_refused_chunk_has_its_own_error() -> None:
    with RegistrySimulator(Behaviour(chunk_minimum=1000)) as registry, opened(registry) as store:
        registry.fault("", "PATCH", reply=Reply(403))
        with pytest.raises(AccessDenied):
            store.push(*blob(10_000))


@pytest.mark.parametrize("value", [str(1 << 40), "9" * 30])
def test_absurd_chunk_sizes_are_refused_or_ignored(value: str) -> None:
    descriptor, data = blob(1000)
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "POST", change=lambda r: r.with_header("OCI-Chunk-Min-Length", value))
        if len(value) > 20:
            store.push(descriptor, data)
        else:
            with pytest.raises(StoreProtocol, match="chunks"):
                store.push(descriptor, data)


def test_an_upload_without_a_location_is_a_protocol_error() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "POST", change=lambda r: r.with_header("Location", None))
        with pytest.raises(StoreProtocol, match="Location"):
            store.push(*blob())


def test_an_upload_over_plain_http_elsewhere_is_refused() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("", "POST", change=lambda r: r.with_header("Location", "http://uploads.example/1"))
        with pytest.raises(StoreProtocol, match="plain HTTP"):
            store.push(*blob())


def test_an_upload_on_another_host_gets_the_bytes_and_no_credentials() -> None:
    descriptor, data = blob()
    with (
        Loopback(lambda _: Reply(201)) as other,
        RegistrySimulator(user=("robot", "secret")) as registry,
        opened(registry, credential=Credential("test", "robot", "secret")) as store,
    ):
        registry.fault("", "POST", skip=1, change=lambda r: r.with_header("Location", f"{other.base}/put?x=1"))
        store.push(descriptor, data)
        (put,) = other.requests
        assert put.body == data
        assert put.query == {"x": ["1"], "digest": [str(descriptor.digest)]}
        assert "authorization" not in put.headers


def test_sha512_is_named_when_an_upload_begins() -> None:
    _, data = blob(1000)
    descriptor = Descriptor(KIND, Digest("sha512", hashlib.sha512(data).hexdigest()), len(data))
    with RegistrySimulator() as registry, opened(registry) as store:
        store.push(descriptor, data)
        assert registry.requests[0].query == {"digest-algorithm": ["sha512"]}
        assert store.fetch(descriptor) == data


def test_a_blob_from_store_to_store_is_hashed_once() -> None:
    descriptor, data = blob()
    pieces = HashedPieces(descriptor, iter((data,)), "source")
    assert proven(descriptor, pieces, "copy") is pieces
    other = HashedPieces(replace(descriptor, size=1), iter((data,)), "source")
    assert proven(descriptor, other, "copy") is not other
    with RegistrySimulator() as registry, opened(registry) as origin, opened(registry, "prod/app") as target:
        hold(registry, data)
        target.push(descriptor, lambda: origin.stream(descriptor))
        assert registry.held("prod/app").blobs == {str(descriptor.digest): data}


# Mounting.


def test_a_blob_is_mounted_within_a_registry() -> None:
    _, data = blob()
    with RegistrySimulator() as registry, opened(registry, "prod/app") as store:
        descriptor = hold(registry, data)
        assert store.mount(descriptor, RegistryRepository(registry.host, "team/app"))
        assert registry.held("prod/app").blobs == {str(descriptor.digest): data}


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_mount_that_is_refused_is_no_mount_and_no_failure(status: int) -> None:
    _, data = blob()
    with RegistrySimulator() as registry, opened(registry, "prod/app") as store:
        descriptor = hold(registry, data)
        registry.fault("", "POST", reply=Reply(status))
        assert not store.mount(descriptor, RegistryRepository(registry.host, "team/app"))


def test_a_mount_that_became_an_upload_is_cancelled() -> None:
    _, data = blob()
    with RegistrySimulator(Behaviour(mount=False)) as registry, opened(registry, "prod/app") as store:
        descriptor = hold(registry, data)
        assert not store.mount(descriptor, RegistryRepository(registry.host, "team/app"))
        assert registry.held("prod/app").uploads == {}


def test_only_blobs_of_the_same_registry_are_mounted() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        assert not store.mount(made.blobs[0][0], LayoutRepository("x"))
        assert not store.mount(made.blobs[0][0], RegistryRepository("other.example", "team/app"))
        assert not store.mount(made.blobs[0][0], RegistryRepository(registry.host, "team/app"))
        assert not store.mount(made.descriptor, RegistryRepository(registry.host, "other"))
        assert registry.requests == []


def test_a_busy_registry_is_not_said_to_have_mounted_nothing() -> None:
    with RegistrySimulator() as registry, opened(registry, "prod/app") as store:
        registry.fault("", "POST", times=None, reply=Reply(503))
        with pytest.raises(StoreUnavailable):
            store.mount(blob()[0], RegistryRepository(registry.host, "team/app"))


def test_closing_twice_is_closing_once() -> None:
    with RegistrySimulator() as registry:
        store = RegistryStore(RegistryRepository(registry.host, "team/app"))
        store.close()
        store.close()


def test_ranges_of_a_download_never_overlap() -> None:
    _, data = blob(1000)
    with RegistrySimulator() as registry, opened(registry) as store:
        descriptor = hold(registry, data)
        for _ in range(20):
            registry.fault("/blobs/", "GET", change=cut(37))
        assert store.fetch(descriptor) == data
        starts = [int(r.headers.get("range", "bytes=0-")[6:-1]) for r in registry.asked("/blobs/", "GET")]
    assert all(b - a == 37 for a, b in pairwise(starts))


def test_a_source_that_has_given_up_is_not_asked_again() -> None:
    descriptor, data = blob()
    begun: list[int] = []

    def broken() -> Iterator[memoryview]:
        begun.append(1)
        yield memoryview(data)[:1000]
        message = "the source is gone"
        raise WireError(message)

    for behaviour in (Behaviour(), Behaviour(chunk_minimum=1000)):
        begun.clear()
        with RegistrySimulator(behaviour) as registry, opened(registry) as store:
            with pytest.raises(WireError, match="source is gone"):
                store.push(descriptor, broken)
            assert registry.held("team/app").uploads == {}
        assert len(begun) == 1
