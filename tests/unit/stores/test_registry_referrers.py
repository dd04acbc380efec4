"""Referrers, tags and catalogs of a registry: pages, fallback tags, and lists that lie."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from imgtrust.content import (
    DOCKER_LIST,
    EMPTY_BLOB,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    describe,
    parse_manifest,
)
from imgtrust.errors import (
    AccessDenied,
    ContentMalformed,
    LimitExceeded,
    NotFound,
    StoreError,
    StoreProtocol,
    StoreUnavailable,
    TagConflict,
    TooManyRequests,
)
from imgtrust.formats.attachments import fallback_tag
from imgtrust.reference import Digest, RegistryRepository
from imgtrust.stores.fallback import entries_of, merge
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.pagination import MAX_PAGE, MAX_PAGES
from imgtrust.stores.referrers import MAX_REFERRERS
from imgtrust.stores.registry import RegistryStore, catalog
from tests.simulators.clients import Clock, opened
from tests.simulators.images import Image, artifact, image, push
from tests.simulators.loopback import Reply, Request
from tests.simulators.registry import DOCKER_REGISTRY, ECR, Behaviour, RegistrySimulator

if TYPE_CHECKING:
    from imgtrust.stores.port import Store
    from tests.fixtures.registries import Registry

ROOT = image()


def attached(number: int = 0) -> Image:
    return artifact(ROOT.descriptor, artifact_type="application/vnd.example", annotations={"n": str(number)})


def digests(store: Store) -> set[Digest]:
    return {entry.digest for entry in store.referrers(ROOT.descriptor)}


# Listing.


@pytest.mark.parametrize(
    "behaviour", [Behaviour(), Behaviour(page=2), Behaviour(config_type_in_index=True), DOCKER_REGISTRY, ECR]
)
def test_all_referrers_are_listed_once_over_all_pages(behaviour: Behaviour) -> None:
    made = [attached(n) for n in range(5)]
    with RegistrySimulator(behaviour) as registry, opened(registry) as store:
        push(store, ROOT)
        for one in made:
            push(store, one)
        listed = [entry.digest for entry in store.referrers(ROOT.descriptor)]
    assert sorted(listed) == sorted(one.digest for one in made)


def test_the_fallback_tag_is_read_beside_the_api() -> None:
    api, tagged = attached(1), attached(2)
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, api)
        held = registry.held("team/app")
        index = merge(None, "", ROOT.digest, [api.descriptor.to_json(), tagged.descriptor.to_json()])
        assert index is not None
        held.manifests[str(Digest.of(index))] = (OCI_INDEX, index)
        held.tags[fallback_tag(ROOT.digest)] = str(Digest.of(index))
        assert [entry.digest for entry in store.referrers(ROOT.descriptor)] == [api.digest, tagged.digest]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, (("Content-Type", "text/plain"),), b"404 page not found"),
        Reply(405),
        Reply(406),
        Reply(501),
        Reply(400, (("Content-Type", "text/html"),), b"<html>"),
    ],
)
def test_a_registry_without_the_api_is_known_and_not_asked_again(reply: Reply) -> None:
    one = attached()
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, one)
        registry.fault("/referrers/", times=None, reply=reply)
        assert digests(store) == digests(store) == {one.digest}
        assert len(registry.asked("/referrers/")) == 1


@pytest.mark.parametrize("code", ["NAME_UNKNOWN", "MANIFEST_UNKNOWN"])
def test_an_unknown_subject_says_nothing_about_the_api(code: str) -> None:
    body = json.dumps({"errors": [{"code": code}]}).encode()
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/referrers/", reply=Reply(404, (("Content-Type", "application/json"),), body))
        assert digests(store) == set()
        push(store, ROOT)
        push(store, attached())
        assert digests(store) == {attached().digest}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(429), TooManyRequests),
        (Reply(500), StoreUnavailable),
        (Reply(503), StoreUnavailable),
        (Reply(401), AccessDenied),
        (Reply(403), AccessDenied),
        (Reply(400, (("Content-Type", "application/json"),), b'{"errors":[{"code":"X"}]}'), StoreProtocol),
        (Reply(200, (("Content-Type", "text/html"),), b"<html>"), StoreProtocol),
        (Reply(200, (("Content-Type", OCI_MANIFEST),), b"{}"), StoreProtocol),
        (Reply(200, (("Content-Type", OCI_INDEX),), b"{"), StoreProtocol),
        (Reply(200, (("Content-Type", OCI_INDEX),), b"[]"), StoreProtocol),
        (Reply(200, (("Content-Type", OCI_INDEX),), b'{"manifests": {}}'), StoreProtocol),
        (Reply(200, (("Content-Type", OCI_INDEX),), b'{"manifests": [{"digest": "x"}]}'), StoreProtocol),
        (Reply(200, (("Content-Type", OCI_INDEX),), b'{"manifests": [], "manifests": []}'), StoreProtocol),
    ],
)
@pytest.mark.parametrize("where", ["/referrers/", "/manifests/sha256-"])
def test_a_list_that_cannot_be_read_is_never_an_empty_one(reply: Reply, error: type[StoreError], where: str) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault(where, times=None, reply=reply)
        if where != "/referrers/" and reply.body in {b"{}", b"[]", b'{"manifests": {}}'}:
            assert digests(store) == set()  # The tag is there, but it is no list of referrers.
            return
        with pytest.raises(error):
            digests(store)


def test_null_is_an_empty_list() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/referrers/", reply=Reply(200, (("Content-Type", OCI_INDEX),), b'{"manifests": null}'))
        assert digests(store) == set()


def test_pages_that_lead_in_a_circle_are_left() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, ROOT)
        link = f'</v2/team/app/referrers/{ROOT.digest}>; rel="next"'
        registry.fault("/referrers/", times=None, change=lambda r: r.with_header("Link", link))
        with pytest.raises(StoreProtocol, match="circle"):
            digests(store)


def test_pages_without_end_are_left() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:

        def endless(reply: Reply) -> Reply:
            return reply.with_header("Link", f'<?next={len(registry.requests)}>; rel="next"')

        registry.fault("(/referrers/|/tags/)", times=None, change=endless)
        push(store, ROOT, "1.0")
        for ask in (lambda: digests(store), lambda: set(store.tags())):
            with pytest.raises(LimitExceeded, match=f"{MAX_PAGES} pages"):
                ask()


@pytest.mark.parametrize("target", ["https://evil.example/v2/", "http://127.0.0.1:1/v2/"])
def test_the_next_page_is_never_at_another_host(target: str) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, ROOT)
        registry.fault("/referrers/", change=lambda r: r.with_header("Link", f'<{target}>; rel="next"'))
        with pytest.raises(StoreProtocol, match="another host"):
            digests(store)


def test_a_page_beyond_the_limit_is_not_read() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/referrers/", reply=Reply(200, (("Content-Type", OCI_INDEX),), b" " * (MAX_PAGE + 1)))
        with pytest.raises(LimitExceeded):
            digests(store)


def test_more_referrers_than_anyone_has_are_too_many() -> None:
    entries = (f'{{"mediaType":"a/b","digest":"sha256:{n:064x}","size":1}}' for n in range(MAX_REFERRERS + 1))
    page = f'{{"manifests":[{",".join(entries)}]}}'.encode()
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/referrers/", reply=Reply(200, (("Content-Type", OCI_INDEX),), page))
        with pytest.raises(LimitExceeded, match="referrers"):
            digests(store)


def test_listing_may_be_left_in_the_middle() -> None:
    with RegistrySimulator(Behaviour(page=1)) as registry, opened(registry) as store:
        push(store, ROOT)
        for n in range(3):
            push(store, attached(n))
        listed = iter(store.referrers(ROOT.descriptor))
        assert next(listed).digest in {attached(n).digest for n in range(3)}
        del listed


# Attaching.


def test_a_registry_that_says_oci_subject_gets_no_fallback_tag() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached())
        assert registry.held("team/app").tags == {}


def test_a_registry_that_does_not_gets_one_although_it_has_the_api() -> None:
    with RegistrySimulator(Behaviour(subject_header=False)) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached())
        assert list(registry.held("team/app").tags) == [fallback_tag(ROOT.digest)]
        assert digests(store) == {attached().digest}


def test_the_fallback_entry_has_the_type_and_all_annotations() -> None:
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached(7))
        (entry,) = store.referrers(ROOT.descriptor)
        assert (entry.artifact_type, entry.media_type) == ("application/vnd.example", OCI_MANIFEST)
        assert dict(entry.annotations)["n"] == "7"
        assert entry.size == len(attached(7).manifest)


def test_without_an_artifact_type_the_entry_has_that_of_the_config() -> None:
    empty = describe(EMPTY_BLOB, OCI_EMPTY)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {**empty.to_json(), "mediaType": "application/vnd.config"},
        "layers": [empty.to_json()],
        "subject": ROOT.descriptor.to_json(),
    }
    data = json.dumps(document).encode()
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        store.push(empty, EMPTY_BLOB)
        store.push(describe(data, OCI_MANIFEST), data)
        (entry,) = store.referrers(ROOT.descriptor)
        assert entry.artifact_type == "application/vnd.config"


def test_an_index_may_be_attached() -> None:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": ROOT.descriptor.to_json()}
    data = json.dumps(document).encode()
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        store.push(describe(data, OCI_INDEX), data)
        (entry,) = store.referrers(ROOT.descriptor)
        assert (entry.media_type, entry.artifact_type) == (OCI_INDEX, None)


def test_attaching_twice_lists_once() -> None:
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached())
        puts = len(registry.asked("/manifests/sha256-", "PUT"))
        push(store, attached())
        assert len(registry.asked("/manifests/sha256-", "PUT")) == puts == 1
        assert len(list(store.referrers(ROOT.descriptor))) == 1


@pytest.mark.parametrize("kind", ["image", "docker list", "nonsense"])
def test_a_tag_of_that_name_that_is_something_else_is_never_overwritten(kind: str) -> None:
    tag = fallback_tag(ROOT.digest)
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        held = registry.held("team/app")
        if kind == "image":
            push(store, ROOT, tag)
        else:
            data, media_type = (b"{", OCI_INDEX) if kind == "nonsense" else (b'{"manifests":[]}', DOCKER_LIST)
            held.manifests[str(Digest.of(data))] = (media_type, data)
            held.tags[tag] = str(Digest.of(data))
        before = held.tags[tag]
        with pytest.raises(ContentMalformed, match=tag):
            push(store, attached())
        assert held.tags[tag] == before
        if kind == "nonsense":
            with pytest.raises(StoreProtocol):
                digests(store)
        else:
            assert digests(store) == set()


def test_what_others_wrote_into_the_fallback_index_stays() -> None:
    other = {
        "mediaType": OCI_MANIFEST,
        "digest": str(Digest.of(b"x")),
        "size": 1,
        "annotations": {"a": "é"},
        "data": "eA==",
    }
    before = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [other],
        "annotations": {"kept": "yes"},
        "x": [1],
    }
    merged = merge(json.dumps(before).encode(), OCI_INDEX, ROOT.digest, [attached().descriptor.to_json()])
    assert merged is not None
    document = json.loads(merged)
    assert document["manifests"][0] == other
    assert (document["annotations"], document["x"]) == (before["annotations"], before["x"])
    assert len(document["manifests"]) == 2
    assert merge(merged, OCI_INDEX, ROOT.digest, [attached().descriptor.to_json()]) is None
    assert parse_manifest(merged, OCI_INDEX).raw == merged


@pytest.mark.parametrize("document", [[], {"layers": []}, {"config": {}}, {"manifests": 1}])
def test_what_is_no_list_lists_nothing(document: object) -> None:
    assert entries_of(json.dumps(document).encode(), OCI_INDEX, ROOT.digest, "x") is None
    assert entries_of(b'{"manifests":null}', OCI_INDEX, ROOT.digest, "x") == ()
    index = b'{"manifests":[]}'
    assert entries_of(index, OCI_INDEX, Digest.of(index), "x") is None


def test_eight_attachers_in_threads_lose_nothing() -> None:
    made = [attached(n) for n in range(8)]
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda one: push(store, one), made))
        assert digests(store) == {one.digest for one in made}


def _attach(host: str, path: str, number: int) -> None:
    store = RegistryStore(RegistryRepository(host, path), StoreOptions())
    try:
        push(store, attached(number))
    finally:
        store.close()


def test_eight_attachers_in_processes_lose_nothing(docker_registry: Registry) -> None:
    host, _, path = docker_registry.fresh("team/attached").partition("/")
    store = RegistryStore(RegistryRepository(host, path), StoreOptions())
    try:
        push(store, ROOT)
        start = multiprocessing.get_context("spawn")
        processes = [start.Process(target=_attach, args=(host, path, n)) for n in range(8)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        assert [process.exitcode for process in processes] == [0] * 8
        assert digests(store) == {attached(n).digest for n in range(8)}
    finally:
        store.close()


def test_an_entry_that_others_overwrite_is_put_back() -> None:
    tag = fallback_tag(ROOT.digest)
    with RegistrySimulator(replace(DOCKER_REGISTRY, needs_children=False)) as registry, opened(registry) as store:
        push(store, ROOT)
        held = registry.held("team/app")
        index = merge(None, "", ROOT.digest, [attached(1).descriptor.to_json()])
        assert index is not None

        def overwrite(reply: Reply) -> Reply:
            held.manifests[str(Digest.of(index))] = (OCI_INDEX, index)
            held.tags[tag] = str(Digest.of(index))
            return reply

        registry.fault("/manifests/sha256-", "PUT", change=overwrite)
        push(store, attached(2))
        assert digests(store) == {attached(1).digest, attached(2).digest}


def test_a_fallback_tag_that_others_keep_overwriting_is_given_up() -> None:
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        held = registry.held("team/app")

        def remove(reply: Reply) -> Reply:
            held.tags.clear()
            return reply

        registry.fault("/manifests/sha256-", "PUT", times=None, change=remove)
        with pytest.raises(TagConflict, match="not safe"):
            push(store, attached())


def test_a_write_that_lost_a_race_by_etag_is_merged_again() -> None:
    with RegistrySimulator(DOCKER_REGISTRY) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached(1))
        registry.fault("/manifests/sha256-", "GET", times=None, change=lambda r: r.with_header("ETag", '"seen"'))
        registry.fault("/manifests/sha256-", "PUT", reply=Reply(412))
        push(store, attached(2))
        assert digests(store) == {attached(1).digest, attached(2).digest}
        writes = registry.asked("/manifests/sha256-", "PUT")
        assert [r.headers.get("if-match") for r in writes] == [None, '"seen"', '"seen"']


def test_a_manifest_without_a_readable_subject_is_no_referrer() -> None:
    data = b'{"schemaVersion":2,"subject":'
    with RegistrySimulator(replace(DOCKER_REGISTRY, needs_children=False)) as registry, opened(registry) as store:
        registry.fault("", "PUT", times=None, reply=Reply(201))
        with pytest.raises(ContentMalformed):
            store.push(describe(data, OCI_MANIFEST), data)
        quoted = b'{"schemaVersion":2,"annotations":{"x":"\\"subject\\""},"config":{},"layers":[]}'
        store.push(describe(quoted, OCI_MANIFEST), quoted)


# Tags and catalogs.


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(page=2), Behaviour(page=3), Behaviour(link=False)])
def test_all_tags_are_listed_over_all_pages(behaviour: Behaviour) -> None:
    names = [f"v{n}" for n in range(7)]
    with RegistrySimulator(behaviour) as registry, opened(registry) as store:
        push(store, ROOT, *names)
        assert list(store.tags()) == names


def test_a_full_page_without_a_link_is_not_the_end() -> None:
    with RegistrySimulator(Behaviour(link=False)) as registry, opened(registry) as store:
        held = registry.held("team/app")
        held.tags.update({f"v{n:04}": "x" for n in range(2500)})
        assert len(list(store.tags())) == 2500
        assert len(registry.requests) == 3


def test_ecr_takes_no_larger_page_and_is_asked_for_none() -> None:
    with RegistrySimulator(ECR) as registry, opened(registry) as store:
        registry.held("team/app").tags.update({f"v{n:04}": "x" for n in range(120)})
        assert len(list(store.tags())) == 120


def test_a_repository_that_is_not_there_has_no_tags_to_list() -> None:
    with RegistrySimulator() as registry, opened(registry) as store, pytest.raises(NotFound, match="NAME_UNKNOWN"):
        list(store.tags())


@pytest.mark.parametrize(
    "body", [b'{"tags": {}}', b'{"tags": [1]}', b'{"tags": ["../x"]}', b'{"tags": ["\\u001b"]}', b"[]"]
)
def test_lists_of_tags_that_are_none_are_refused(body: bytes) -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/tags/", reply=Reply(200, (("Content-Type", "application/json"),), body))
        with pytest.raises(StoreProtocol):
            list(store.tags())


def test_no_tags_may_be_null() -> None:
    with RegistrySimulator() as registry, opened(registry) as store:
        registry.fault("/tags/", reply=Reply(200, (("Content-Type", "application/json"),), b'{"tags": null}'))
        assert list(store.tags()) == []


def test_repositories_are_listed_below_a_prefix_over_all_pages() -> None:
    with RegistrySimulator(Behaviour(page=2)) as registry:
        for name in ("team/a", "team/b/c", "teams/x", "team", "other"):
            registry.held(name)
        listed = catalog(registry.host)
        assert list(listed.repositories("team")) == ["team", "team/a", "team/b/c"]
        assert list(listed.repositories("team/")) == ["team", "team/a", "team/b/c"]
        assert len(list(listed.repositories(""))) == 5
        assert list(listed.repositories("none")) == []


def test_a_registry_without_a_catalog_says_so() -> None:
    with RegistrySimulator(Behaviour(catalog=False)) as registry, pytest.raises(StoreProtocol, match="does not list"):
        list(catalog(registry.host, StoreOptions()).repositories(""))


@pytest.mark.parametrize("body", [b'{"repositories": {}}', b'{"repositories": ["../x"]}', b'{"repositories": [1.5]}'])
def test_catalogs_that_are_none_are_refused(body: bytes) -> None:
    with RegistrySimulator() as registry:
        registry.fault("/_catalog", reply=Reply(200, (("Content-Type", "application/json"),), body))
        with pytest.raises(StoreProtocol):
            list(catalog(registry.host).repositories(""))


def test_an_empty_catalog_may_be_null() -> None:
    with RegistrySimulator() as registry:
        registry.fault(
            "/_catalog", reply=Reply(200, (("Content-Type", "application/json"),), b'{"repositories": null}')
        )
        assert list(catalog(registry.host).repositories("")) == []


def test_referrers_and_the_fallback_tag_are_asked_for_at_once() -> None:
    with RegistrySimulator() as registry, opened(registry, clock=Clock()) as store:
        asked: list[Request] = registry.requests
        digests(store)
        assert {r.path.split("/")[4] for r in asked} == {"manifests", "referrers"}
        assert len(asked) == 2


def test_a_descriptor_of_a_referrer_is_a_hint_of_the_store() -> None:
    with RegistrySimulator(Behaviour(config_type_in_index=True)) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached())
        (entry,) = store.referrers(ROOT.descriptor)
        assert isinstance(entry, Descriptor)
        assert entry.artifact_type == OCI_EMPTY


def test_an_immutable_fallback_tag_is_a_conflict_that_says_so() -> None:
    with RegistrySimulator(replace(DOCKER_REGISTRY, immutable=True)) as registry, opened(registry) as store:
        push(store, ROOT)
        push(store, attached(1))
        with pytest.raises(TagConflict, match="immutable"):
            push(store, attached(2))
