"""Manifests of a registry: what is accepted, what is refused, and as what."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from imgtrust.content import DOCKER_MANIFEST, MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST, Descriptor, describe
from imgtrust.errors import (
    AccessDenied,
    ContentMismatch,
    ContentMissing,
    LimitExceeded,
    NotFound,
    StoreError,
    StoreProtocol,
    StoreUnavailable,
    TagConflict,
    TimedOut,
    TooManyRequests,
)
from imgtrust.reference import Digest
from imgtrust.stores.manifests import ACCEPT
from tests.simulators.clients import Clock, opened
from tests.simulators.images import image, index, push
from tests.simulators.loopback import Reply
from tests.simulators.registry import Behaviour, RegistrySimulator

HTML = Reply(200, (("Content-Type", "text/html; charset=utf-8"),), b"<html>log in to the network</html>")


def test_a_tag_is_resolved_to_the_digest_of_its_bytes() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        assert store.resolve("1.0").digest == made.digest
        (asked,) = registry.asked("/manifests/1.0", "GET")[-1:]
        assert asked.headers["accept"] == ACCEPT
        assert asked.headers["accept-encoding"] == "identity"


def test_all_four_manifest_types_are_asked_for() -> None:
    assert ACCEPT.count("application/vnd.") == 4


def test_a_manifest_by_digest_with_other_bytes_is_an_integrity_error() -> None:
    made, other = image("a"), image("b")
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made)
        registry.held("team/app").manifests[str(made.digest)] = (OCI_MANIFEST, other.manifest)
        with pytest.raises(ContentMismatch, match=str(made.digest)):
            store.resolve(made.digest)
        with pytest.raises(ContentMismatch):
            store.fetch(made.descriptor)


def test_a_manifest_of_another_size_is_an_integrity_error() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made)
        with pytest.raises(ContentMismatch, match="bytes"):
            store.fetch(replace(made.descriptor, size=made.descriptor.size + 1))


def test_a_manifest_that_is_named_but_absent_is_missing_and_a_name_is_not_found() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        with pytest.raises(ContentMissing):
            store.fetch(made.descriptor)
        with pytest.raises(NotFound):
            store.resolve(made.digest)
        with pytest.raises(NotFound):
            store.resolve("1.0")
        assert not store.has(made.descriptor)


def test_a_content_digest_header_that_contradicts_the_bytes_concludes_nothing() -> None:
    made = image()
    wrong = str(Digest.of(b"other"))
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        registry.fault("/manifests/", "GET", times=None, change=lambda r: r.with_header("Docker-Content-Digest", wrong))
        with pytest.raises(StoreProtocol, match="Docker-Content-Digest"):
            store.resolve("1.0")
        with pytest.raises(StoreProtocol):
            store.fetch(made.descriptor)


@pytest.mark.parametrize("value", ["md5:0000", "", "nonsense"])
def test_a_content_digest_header_that_cannot_be_read_is_no_witness(value: str) -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        registry.fault("/manifests/", "GET", change=lambda r: r.with_header("Docker-Content-Digest", value))
        assert store.resolve("1.0").digest == made.digest


def test_a_digest_by_sha512_is_checked_too() -> None:
    made = image()
    digest = Digest.of(made.manifest, "sha512")
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made)
        registry.held("team/app").manifests[str(digest)] = (OCI_MANIFEST, made.manifest)
        assert store.resolve(digest) == Descriptor(OCI_MANIFEST, digest, len(made.manifest))
        registry.held("team/app").manifests[str(digest)] = (OCI_MANIFEST, b"{}")
        with pytest.raises(ContentMismatch):
            store.resolve(digest)


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_of_html_is_no_answer_of_a_registry(status: int) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/v2/", times=None, reply=replace(HTML, status=status))
        with pytest.raises(StoreProtocol):
            store.resolve("1.0")
        with pytest.raises(StoreProtocol):
            store.fetch(image().descriptor)
        with pytest.raises(StoreProtocol):
            store.fetch(image().blobs[0][0])


def test_other_media_types_are_no_manifests() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(
            reply=Reply(200, (("Content-Type", "application/vnd.docker.distribution.manifest.v1+json"),), b"{}")
        )
        with pytest.raises(StoreProtocol, match=r"manifest\.v1"):
            store.resolve("1.0")


@pytest.mark.parametrize("kind", [None, "application/json", "application/octet-stream"])
def test_without_a_telling_content_type_the_manifest_speaks_for_itself(kind: str | None) -> None:
    made = image(docker=True)
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        registry.fault("/manifests/", "GET", change=lambda r: r.with_header("Content-Type", kind))
        assert store.resolve("1.0").media_type == DOCKER_MANIFEST


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"not json", b'{"mediaType": "application/x"}', b'{"mediaType": 1}', b""]
)
def test_bytes_that_are_no_manifest_are_none_under_any_content_type(body: bytes) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(reply=Reply(200, (("Content-Type", "application/json"),), body))
        with pytest.raises(StoreProtocol):
            store.resolve("1.0")


def test_parameters_of_a_content_type_are_ignored() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        registry.fault(
            "/manifests/", "GET", change=lambda r: r.with_header("Content-Type", f"{OCI_MANIFEST}; charset=utf-8")
        )
        assert store.resolve("1.0").media_type == OCI_MANIFEST


@pytest.mark.parametrize("announced", [True, False])
def test_a_manifest_beyond_the_limit_is_not_read(*, announced: bool) -> None:
    large = b" " * (MAX_MANIFEST_BYTES + 1)
    reply = Reply(200, (("Content-Type", OCI_MANIFEST),), large)
    if not announced:
        reply = replace(
            reply, headers=(*reply.headers, ("Content-Length", ""), ("Connection", "close")), cut=len(large)
        )
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(reply=reply)
        with pytest.raises(LimitExceeded, match=str(MAX_MANIFEST_BYTES)):
            store.resolve("1.0")


def test_a_descriptor_beyond_the_limit_is_not_asked_for() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        with pytest.raises(LimitExceeded):
            store.fetch(Descriptor(OCI_INDEX, Digest.of(b"x"), MAX_MANIFEST_BYTES + 1))
        with pytest.raises(LimitExceeded):
            store.fetch(Descriptor("application/x", Digest.of(b"x"), 1 << 40))
        assert registry.requests == []


def test_compressed_answers_are_refused_since_nobody_asked_for_them() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        registry.fault("", "GET", times=None, change=lambda r: r.with_header("Content-Encoding", "gzip"))
        with pytest.raises(StoreProtocol, match="compressed"):
            store.resolve("1.0")
        with pytest.raises(StoreProtocol, match="compressed"):
            store.fetch(made.blobs[0][0])


def test_the_bytes_of_a_resolved_manifest_are_fetched_once() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        before = len(registry.requests)
        assert store.fetch(store.resolve("1.0")) == made.manifest
        assert len(registry.requests) == before + 1
        assert store.fetch(made.descriptor) == made.manifest
        assert len(registry.requests) == before + 2


def test_what_was_pushed_is_read_back_from_the_registry() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        store.resolve("1.0")
        store.push(made.descriptor, made.manifest)
        before = len(registry.requests)
        store.fetch(made.descriptor)
        assert len(registry.requests) == before + 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AccessDenied),
        (403, AccessDenied),
        (429, TooManyRequests),
        (500, StoreUnavailable),
        (503, StoreUnavailable),
        (418, StoreProtocol),
        (400, StoreProtocol),
        (405, StoreProtocol),
        (600, StoreUnavailable),
    ],
)
def test_each_refusal_has_its_own_error_and_none_means_absent(status: int, error: type[StoreError]) -> None:
    body = b'{"errors":[{"code":"SOMETHING","message":"in its own words"}]}'
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(times=None, reply=Reply(status, (("Content-Type", "application/json"),), body))
        for ask in (
            lambda: store.resolve("1.0"),
            lambda: store.fetch(image().descriptor),
            lambda: store.fetch(image().blobs[0][0]),
            lambda: list(store.tags()),
            lambda: store.push(image().descriptor, image().manifest),
            lambda: store.push(*image().blobs[0]),
        ):
            with pytest.raises(error) as caught:
                ask()
            assert "SOMETHING: in its own words" in str(caught.value)
            assert not isinstance(caught.value, NotFound)
            assert registry.host in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"errors": 1}', b'{"errors": [1, {}]}', b"\xff", b"[" * 100_000])
def test_error_texts_that_cannot_be_read_do_not_matter(body: bytes) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(times=None, reply=Reply(403, (("Content-Type", "application/json"),), body))
        with pytest.raises(AccessDenied):
            store.resolve("1.0")


def test_an_error_body_that_breaks_off_leaves_the_status() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(reply=Reply(403, (("Content-Length", "100"),), b"{", cut=1))
        with pytest.raises(AccessDenied):
            store.resolve("1.0")


def test_plain_words_of_a_registry_are_repeated_without_control_characters() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(reply=Reply(403, (("Content-Type", "text/plain"),), b"go\x1b[31m away\r\n"))
        with pytest.raises(AccessDenied, match=r"go \[31m away") as caught:
            store.resolve("1.0")
        assert "\x1b" not in str(caught.value)


def test_a_busy_registry_is_asked_again_and_retry_after_is_honoured() -> None:
    made, clock = image(), Clock()
    with RegistrySimulator() as registry, opened(registry, clock=clock) as store:
        push(store, made, "1.0")
        registry.fault("", "GET", reply=Reply(429, (("Retry-After", "7"),)))
        registry.fault("", "GET", reply=Reply(503))
        registry.fault("", "GET", close=True)
        assert store.resolve("1.0").digest == made.digest
    assert 7 <= clock.slept[0] < 8
    assert all(0 < seconds < 2 for seconds in clock.slept[1:])


def test_a_retry_after_by_date_is_honoured_and_a_far_one_is_capped() -> None:
    made, clock = image(), Clock()
    with RegistrySimulator() as registry, opened(registry, clock=clock) as store:
        push(store, made, "1.0")
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(clock.wall() + 9))
        registry.fault("", "GET", reply=Reply(429, (("Retry-After", date),)))
        registry.fault("", "GET", reply=Reply(429, (("Retry-After", "86400"),)))
        assert store.resolve("1.0").digest == made.digest
    assert 8 <= clock.slept[0] <= 10
    assert 60 <= clock.slept[1] <= 61


def test_retries_are_bounded() -> None:
    clock = Clock()
    with RegistrySimulator() as registry, opened(registry, clock=clock) as store:
        registry.fault(times=None, reply=Reply(503))
        with pytest.raises(StoreUnavailable):
            store.resolve("1.0")
        assert len(registry.requests) == 5
    assert len(clock.slept) == 4


def test_no_retry_is_begun_after_the_deadline() -> None:
    clock = Clock()
    with RegistrySimulator() as registry, opened(registry, clock=clock, deadline=time.monotonic() + 3600) as store:
        registry.fault(times=None, reply=Reply(503))
        store._endpoint.options = replace(store._endpoint.options, deadline=clock.monotonic() + 0.1)
        with pytest.raises(TimedOut, match="503"):
            store.resolve("1.0")
        assert len(registry.requests) == 1


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    with RegistrySimulator() as registry, opened(registry, deadline=time.monotonic() - 1) as store:
        with pytest.raises(TimedOut):
            store.resolve("1.0")
        assert registry.requests == []


def test_a_slow_answer_is_given_up_and_is_no_answer() -> None:
    with RegistrySimulator() as registry, opened(registry, timeout=0.1) as store:
        registry.fault(times=None, delay=0.3)
        with pytest.raises(StoreUnavailable, match="no answer"):
            store.resolve("1.0")


def test_a_body_that_trickles_is_given_up() -> None:
    with RegistrySimulator() as registry, opened(registry, timeout=0.2) as store:
        slow = Reply(200, (("Content-Type", OCI_MANIFEST),), b" " * 600, drip=0.01)
        registry.fault(times=None, reply=slow)
        with pytest.raises(StoreUnavailable, match="slow"):
            store.resolve("1.0")


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        registry.fault("/manifests/", "GET", change=lambda r: replace(r.with_header("Content-Length", "557"), cut=10))
        assert store.resolve("1.0").digest == made.digest


def test_a_tag_is_compared_before_it_is_written() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made, "1.0")
        before = len(registry.asked("/manifests/1.0", "PUT"))
        store.tag("1.0", made.descriptor, made.manifest)
        assert len(registry.asked("/manifests/1.0", "PUT")) == before == 1


def test_the_same_digest_under_an_immutable_tag_is_success_and_another_is_a_conflict() -> None:
    made, other = image("a"), image("b")
    with RegistrySimulator(Behaviour(immutable=True)) as registry, opened(registry) as store:
        push(store, made, "1.0")
        store.tag("1.0", made.descriptor, made.manifest)
        push(store, other)
        with pytest.raises(TagConflict, match="immutable"):
            store.tag("1.0", other.descriptor, other.manifest)
        registry.fault("/manifests/1.0", "GET", reply=Reply(404))
        store.tag("1.0", made.descriptor, made.manifest)
        assert store.resolve("1.0").digest == made.digest


def test_a_tag_that_is_refused_for_another_reason_is_no_conflict() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made)
        registry.fault("/manifests/", "PUT", reply=Reply(403))
        with pytest.raises(AccessDenied):
            store.tag("1.0", made.descriptor, made.manifest)
        with pytest.raises(ContentMismatch):
            store.tag("1.0", made.descriptor, made.manifest + b" ")


def test_a_manifest_is_checked_before_it_is_sent() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        with pytest.raises(ContentMismatch):
            store.push(made.descriptor, made.manifest + b" ")
        with pytest.raises(ContentMismatch):
            store.push(replace(made.descriptor, size=1), made.manifest)
        large = b" " * (MAX_MANIFEST_BYTES + 1)
        with pytest.raises(LimitExceeded):
            store.push(describe(large, OCI_MANIFEST), large)
        assert registry.requests == []


def test_a_manifest_may_be_given_as_a_source() -> None:
    made = image()
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made)
        store.push(made.descriptor, lambda: iter((memoryview(made.manifest),)))
        assert store.has(made.descriptor)


def test_a_registry_that_stored_something_else_says_so_and_is_believed() -> None:
    made = image()
    wrong = str(Digest.of(b"other"))
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, made)
        registry.fault("", "PUT", change=lambda r: r.with_header("Docker-Content-Digest", wrong))
        with pytest.raises(StoreProtocol):
            store.push(made.descriptor, made.manifest)


def test_children_are_pushed_first_and_an_index_without_them_is_refused_by_registries() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        made = index(image("a"), image("b", platform="linux/arm64"))
        with pytest.raises(StoreProtocol, match="MANIFEST_BLOB_UNKNOWN"):
            store.push(made.descriptor, made.manifest)
        push(store, made, "1.0")
        assert store.resolve("1.0").digest == made.digest


def test_a_refused_connection_is_no_answer() -> None:
    with RegistrySimulator() as registry:
        pass
    with opened(registry) as store, pytest.raises(StoreUnavailable, match="listening"):
        store.resolve("1.0")


def test_a_registry_that_does_not_see_a_new_blob_yet_is_asked_again() -> None:
    made, clock = image(), Clock()
    body = b'{"errors":[{"code":"DIGEST_INVALID"},{"code":"MANIFEST_BLOB_UNKNOWN"}]}'
    with RegistrySimulator() as registry, opened(registry, clock=clock) as store:
        registry.fault("/manifests/", "PUT", reply=Reply(400, (("Content-Type", "application/json"),), body))
        push(store, made)
        assert store.has(made.descriptor)
    assert len(clock.slept) == 1


def test_the_empty_blob_is_not_uploaded_again() -> None:
    empty = describe(b"{}", "application/vnd.oci.empty.v1+json")
    with RegistrySimulator() as registry, opened(registry) as store:
        store.push(empty, b"{}")
        store.push(empty, b"{}")
        assert [r.method for r in registry.requests] == ["HEAD", "POST", "PUT", "HEAD"]
