"""The contract of every store: blobs."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from imgtrust.content import Descriptor, describe
from imgtrust.errors import ContentMismatch, ContentMissing, LimitExceeded, StoreUnavailable
from imgtrust.reference import Digest
from imgtrust.stores.port import MAX_FETCH
from tests.simulators.images import OCI_LAYER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imgtrust.stores.port import BlobSource, Store
    from tests.contract.implementations import Implementation

    Tamper = Callable[[Store, Digest, bytes | None], None]

_LARGE = 8 * 1024 * 1024 + 12345


def _blob(data: bytes | None = None) -> tuple[Descriptor, bytes]:
    """Content of its own for each call: registries may share blobs between repositories, and so between tests."""
    own = f"some bytes of a layer {uuid.uuid4()}".encode() if data is None else data
    return describe(own, OCI_LAYER), own


def _large() -> tuple[Descriptor, bytes]:
    return _blob(random.randbytes(_LARGE))  # noqa: S311 - content, not a secret


def _source(data: bytes, piece: int = 100_000) -> BlobSource:
    """Pieces that lie in one buffer, one after the other: each is valid until the next, as the port says."""

    def pieces() -> Iterator[memoryview]:
        buffer = bytearray(piece)
        for at in range(0, len(data), piece):
            part = data[at : at + piece]
            buffer[: len(part)] = part
            yield memoryview(buffer)[: len(part)]

    return pieces


def _read(store: Store, descriptor: Descriptor) -> bytes:
    return b"".join(bytes(piece) for piece in store.stream(descriptor))


def test_a_pushed_blob_is_fetched_and_streamed(store: Store) -> None:
    descriptor, data = _blob()
    store.push(descriptor, data)
    assert store.fetch(descriptor) == data
    assert _read(store, descriptor) == data


def test_a_store_says_what_it_has(store: Store) -> None:
    descriptor, data = _blob()
    assert not store.has(descriptor)
    store.push(descriptor, data)
    assert store.has(descriptor)


def test_pushing_twice_is_pushing_once(store: Store) -> None:
    descriptor, data = _blob()
    store.push(descriptor, data)
    store.push(descriptor, data)
    store.push(descriptor, _source(data))
    assert store.fetch(descriptor) == data


def test_a_large_blob_goes_through_in_pieces(store: Store) -> None:
    descriptor, data = _large()
    store.push(descriptor, _source(data))
    sizes = [len(piece) for piece in store.stream(descriptor)]
    assert sum(sizes) == _LARGE
    assert len(sizes) > 1
    assert _read(store, descriptor) == data


def test_a_large_blob_that_is_given_as_bytes_is_kept_whole(store: Store) -> None:
    descriptor, data = _large()
    store.push(descriptor, data)
    assert _read(store, descriptor) == data


def test_a_blob_streams_from_one_repository_to_another(store: Store, store_factory: Callable[[str], Store]) -> None:
    descriptor, data = _large()
    store.push(descriptor, data)
    other = store_factory("team/other")
    other.push(descriptor, lambda: store.stream(descriptor))
    assert _read(other, descriptor) == data


def test_an_empty_blob_is_a_blob(store: Store) -> None:
    descriptor, data = _blob(b"")
    store.push(descriptor, data)
    assert store.has(descriptor)
    assert store.fetch(descriptor) == b""
    assert _read(store, descriptor) == b""


def test_an_empty_blob_may_come_from_a_source(store: Store) -> None:
    descriptor, data = _blob(b"")
    store.push(descriptor, _source(data))
    assert store.fetch(descriptor) == b""


def test_sha512_is_a_digest_like_sha256(store: Store, implementation: Implementation) -> None:
    if not implementation.sha512:
        pytest.skip(f"{implementation.name} keeps no sha512 blobs")
    data = b"under a longer name"
    descriptor = Descriptor(OCI_LAYER, Digest.of(data, "sha512"), len(data))
    store.push(descriptor, data)
    assert store.has(descriptor)
    assert store.fetch(descriptor) == data
    assert _read(store, descriptor) == data


@pytest.mark.parametrize("streamed", [False, True], ids=["bytes", "source"])
@pytest.mark.parametrize(
    "change",
    [lambda _: b"another", lambda _: b"", lambda d: d[:-1], lambda d: d + b"more", lambda d: b"S" + d[1:]],
    ids=["other", "empty", "short", "long", "altered"],
)
def test_content_that_does_not_match_is_refused_and_nothing_is_stored(
    store: Store, change: Callable[[bytes], bytes], *, streamed: bool
) -> None:
    descriptor, data = _blob()
    wrong = change(data)
    with pytest.raises(ContentMismatch):
        store.push(descriptor, _source(wrong) if streamed else wrong)
    assert not store.has(descriptor)
    store.push(descriptor, data)
    assert store.fetch(descriptor) == data


def test_a_large_source_that_is_altered_at_its_end_is_refused_and_nothing_is_stored(store: Store) -> None:
    descriptor, data = _large()
    with pytest.raises(ContentMismatch):
        store.push(descriptor, _source(data[:-1] + bytes([data[-1] ^ 1])))
    assert not store.has(descriptor)


def test_what_a_source_raises_is_passed_on_and_nothing_is_stored(store: Store) -> None:
    descriptor, data = _large()

    def breaks() -> Iterator[memoryview]:
        yield memoryview(data)[:1_000_000]
        message = "the other registry went away"
        raise StoreUnavailable(message)

    with pytest.raises(StoreUnavailable, match="the other registry went away"):
        store.push(descriptor, breaks)
    assert not store.has(descriptor)
    store.push(descriptor, _source(data))
    assert store.has(descriptor)


def test_what_a_store_does_not_have_is_missing(store: Store) -> None:
    kept, data = _blob(b"there is something")
    store.push(kept, data)
    absent, _ = _blob(b"never pushed")
    assert not store.has(absent)
    with pytest.raises(ContentMissing):
        store.fetch(absent)
    with pytest.raises(ContentMissing):
        _read(store, absent)


def test_in_a_repository_without_anything_all_is_missing(store: Store) -> None:
    absent, _ = _blob()
    assert not store.has(absent)
    with pytest.raises(ContentMissing):
        store.fetch(absent)
    with pytest.raises(ContentMissing):
        _read(store, absent)


def test_more_than_memory_should_hold_is_not_fetched(store: Store) -> None:
    descriptor = Descriptor(OCI_LAYER, Digest.of(b"large"), MAX_FETCH + 1)
    with pytest.raises(LimitExceeded):
        store.fetch(descriptor)


@pytest.mark.parametrize("by", [-1, 1])
def test_a_descriptor_with_another_size_is_refused(store: Store, by: int) -> None:
    descriptor, data = _blob()
    store.push(descriptor, data)
    wrong = replace(descriptor, size=descriptor.size + by)
    with pytest.raises(ContentMismatch):
        store.fetch(wrong)
    with pytest.raises(ContentMismatch):
        _read(store, wrong)


@pytest.mark.parametrize(
    "change",
    [lambda d: b"X" + d[1:], lambda d: d[:-1] + b"X", lambda d: d[:-1], lambda d: d + b"X", lambda _: b""],
    ids=["first byte", "last byte", "truncated", "oversized", "emptied"],
)
@pytest.mark.parametrize("size", ["small", "large"])
def test_bytes_that_were_altered_in_the_store_are_never_handed_out_whole(
    store: Store, tamper: Tamper, change: Callable[[bytes], bytes], size: str
) -> None:
    descriptor, data = _blob() if size == "small" else _large()
    store.push(descriptor, data)
    tamper(store, descriptor.digest, change(data))
    with pytest.raises(ContentMismatch):
        store.fetch(descriptor)
    handed_out: list[int] = []
    with pytest.raises(ContentMismatch):
        handed_out.extend(len(piece) for piece in store.stream(descriptor))
    assert sum(handed_out) < descriptor.size


def test_bytes_that_were_removed_from_the_store_are_missing(store: Store, tamper: Tamper) -> None:
    descriptor, data = _blob()
    store.push(descriptor, data)
    tamper(store, descriptor.digest, None)
    assert not store.has(descriptor)
    with pytest.raises(ContentMissing):
        store.fetch(descriptor)
    store.push(descriptor, data)
    assert store.fetch(descriptor) == data


def test_a_mounted_blob_is_there_and_one_that_was_not_can_be_pushed(
    store: Store, store_factory: Callable[[str], Store]
) -> None:
    descriptor, data = _blob()
    store.push(descriptor, data)
    other = store_factory("team/other")
    if not other.mount(descriptor, store.repository):
        other.push(descriptor, data)
    assert other.has(descriptor)
    assert other.fetch(descriptor) == data


def test_what_the_origin_does_not_have_is_not_mounted(store: Store, store_factory: Callable[[str], Store]) -> None:
    kept, data = _blob(b"so that the origin exists")
    store.push(kept, data)
    absent, _ = _blob(b"never pushed")
    other = store_factory("team/other")
    assert not other.mount(absent, store.repository)
    assert not other.has(absent)


def test_many_threads_push_and_read_at_once(store: Store) -> None:
    blobs = [_blob(random.Random(n).randbytes(50_000)) for n in range(24)]  # noqa: S311 - content, not a secret
    blobs += blobs[:8]

    def there_and_back(blob: tuple[Descriptor, bytes]) -> bool:
        store.push(blob[0], _source(blob[1]))
        return _read(store, blob[0]) == blob[1] == store.fetch(blob[0])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, blobs))
