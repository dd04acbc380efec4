"""Attaching: whole or not at all, and nobody's entry lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.appending import attach_legacy, legacy_layers
from imgtrust.commands.attaching import attach_made, push_attachment, resolve_subject
from imgtrust.commands.signing import make_signature
from imgtrust.content import Descriptor, Manifest, describe, parse_manifest
from imgtrust.errors import ContentMalformed, ContentMismatch, NotFound, StoreProtocol, StoreUnavailable, TagConflict
from imgtrust.formats.attachments import Suffix, artifact_attachment, legacy_tag
from imgtrust.reference import Reference
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.stores.port import BlobSource

RELEASE = Publisher("release")
APP = image("app")
TAG = legacy_tag(APP.digest, Suffix.SIG)


def note(text: str) -> tuple[Descriptor, bytes]:
    data = text.encode()
    return describe(data, "application/vnd.dev.cosign.simplesigning.v1+json"), data


@dataclass
class Recorder(MemoryStore):
    """A store that notes each push, and breaks at one of them."""

    pushed: list[Descriptor] = field(default_factory=list)
    broken_at: int = 1000

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        if len(self.pushed) == self.broken_at:
            message = "the disk is full"
            raise StoreUnavailable(message)
        self.pushed.append(descriptor)
        super().push(descriptor, content)


def test_the_manifest_is_pushed_after_all_that_it_names() -> None:
    store = Recorder()
    subject = push(store, APP, "1")
    store.pushed.clear()
    attach_made(store, make_signature(RELEASE.signing(), subject, store.repository), NOON)
    assert [each.is_manifest for each in store.pushed] == [False, False, True]


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_push_that_breaks_leaves_nothing_that_can_be_seen(at: int, *, legacy: bool) -> None:
    store = Recorder()
    subject = push(store, APP, "1")
    store.pushed.clear()
    store.broken_at = at
    made = make_signature(RELEASE.signing(legacy=legacy), subject, store.repository)
    with pytest.raises(StoreUnavailable):
        attach_made(store, made, NOON)
    assert list(store.referrers(subject)) == []
    assert list(store.tags()) == ["1"]
    store.broken_at = 1000
    attach_made(store, made, NOON)
    assert len(list(store.referrers(subject))) + len(legacy_layers(store, subject.digest, Suffix.SIG)) == 1


@pytest.mark.parametrize("place", ["memory", "layout"])
def test_eight_writers_of_one_legacy_tag_lose_nothing(tmp_path: Path, place: str) -> None:
    stores = [layout(tmp_path / "ci") for _ in range(8)] if place == "layout" else [MemoryStore()] * 8
    push(stores[0], APP, "1")
    notes = [note(f"signature {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: attach_legacy(pair[0], TAG, *pair[1]), zip(stores, notes, strict=True)))
    kept = {layer.digest for layer in legacy_layers(stores[0], APP.digest, Suffix.SIG)}
    assert kept == {descriptor.digest for descriptor, _ in notes}
    for store in stores:
        store.close()


class Overwriting(MemoryStore):
    """A store in which somebody else always writes last."""

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        if tag == TAG:
            other = push_attachment(self, artifact_attachment(APP.descriptor, "a/b", [], annotations={}, created=NOON))
            self.names[tag] = other
        else:
            super().tag(tag, descriptor, manifest)


def test_a_tag_that_others_keep_overwriting_is_a_conflict() -> None:
    store = Overwriting()
    push(store, APP, "1")
    with pytest.raises(TagConflict, match="run it again"):
        attach_legacy(store, TAG, *note("x"), tries=3)


def test_an_index_under_a_legacy_tag_is_not_written_over() -> None:
    store = MemoryStore()
    push(store, index(APP), TAG)
    with pytest.raises(ContentMalformed, match="is an index"):
        attach_legacy(store, TAG, *note("x"))


def test_a_store_that_cannot_tell_what_is_under_the_tag_is_not_written_to() -> None:
    store = MemoryStore()
    store.failing[TAG] = StoreUnavailable("503")
    with pytest.raises(StoreUnavailable):
        attach_legacy(store, TAG, *note("x"))
    assert store.names == {}


def test_a_layer_that_is_there_is_not_written_again() -> None:
    store = Recorder()
    push(store, APP, "1")
    for _ in range(2):
        attach_legacy(store, TAG, *note("x"))
    assert [each.digest for each in store.pushed].count(note("x")[0].digest) == 1


def test_only_the_layers_that_are_to_go_go(tmp_path: Path) -> None:
    store = layout(tmp_path / "ci")
    push(store, APP, "1")
    (one, first), (two, second), (three, third) = note("1"), note("2"), note("3")
    attach_legacy(store, TAG, one, first)
    attach_legacy(store, TAG, two, second)
    attach_legacy(store, TAG, three, third, keep=lambda layer: layer.digest != one.digest)
    assert [each.digest for each in legacy_layers(store, APP.digest, Suffix.SIG)] == [two.digest, three.digest]
    store.close()


def test_the_manifest_under_a_legacy_tag_is_one_of_cosign(tmp_path: Path) -> None:
    store = layout(tmp_path / "ci")
    push(store, APP, "1")
    attach_legacy(store, TAG, *note("1"))
    found = store.resolve(TAG)
    manifest = parse_manifest(store.fetch(found), found.media_type)
    assert isinstance(manifest, Manifest)
    assert manifest.config.media_type == "application/vnd.oci.image.config.v1+json"
    assert store.fetch(manifest.config)
    store.close()


@dataclass
class Forgetful(MemoryStore):
    """A registry that refuses manifests because somebody else writes their config at this moment."""

    refusals: int = 0

    def push(self, descriptor: Descriptor, content: bytes | BlobSource) -> None:
        if descriptor.is_manifest and self.refusals:
            self.refusals -= 1
            message = "400 MANIFEST_BLOB_UNKNOWN"
            raise StoreProtocol(message)
        super().push(descriptor, content)


@pytest.mark.parametrize("refusals", [1, 3])
def test_a_manifest_is_pushed_again_where_another_writer_was_in_the_way(refusals: int) -> None:
    store = Forgetful()
    subject = push(store, APP, "1")
    store.refusals = refusals
    attach_made(store, make_signature(RELEASE.signing(), subject, store.repository), NOON)
    assert len(list(store.referrers(subject))) == 1


@dataclass
class Refusing(MemoryStore):
    """A registry that refuses a manifest under the shared tag, so many times."""

    refusals: int = 0

    def tag(self, tag: str, descriptor: Descriptor, manifest: bytes) -> None:
        if tag == TAG and self.refusals:
            self.refusals -= 1
            message = "400 MANIFEST_BLOB_UNKNOWN"
            raise StoreProtocol(message)
        super().tag(tag, descriptor, manifest)


def test_a_shared_tag_is_written_again_where_another_writer_was_in_the_way() -> None:
    store = Refusing(refusals=2)
    attach_legacy(store, TAG, *note("x"))
    assert len(legacy_layers(store, APP.digest, Suffix.SIG)) == 1


def test_a_shared_tag_that_is_refused_for_good_is_an_error_in_the_registrys_words() -> None:
    store = Refusing(refusals=100)
    with pytest.raises(StoreProtocol, match="MANIFEST_BLOB_UNKNOWN"):
        attach_legacy(store, TAG, *note("x"))
    assert store.names == {}


def test_a_manifest_that_is_refused_for_good_is_an_error() -> None:
    store = Forgetful()
    subject = push(store, APP, "1")
    store.refusals = 100
    with pytest.raises(StoreProtocol):
        attach_made(store, make_signature(RELEASE.signing(), subject, store.repository), NOON)
    assert store.refusals == 96


def test_the_empty_config_is_not_written_where_it_is() -> None:
    store = Recorder()
    subject = push(store, APP, "1")
    for _ in range(3):
        attach_made(store, make_signature(RELEASE.signing(), subject, store.repository), NOON)
    assert [each.size for each in store.pushed].count(2) == 1


def test_no_legacy_tag_means_no_layers() -> None:
    assert legacy_layers(MemoryStore(), APP.digest, Suffix.SIG) == ()


def test_a_reference_means_what_the_store_says_now() -> None:
    store = MemoryStore()
    found = push(store, APP, "1")
    for name in (":1", f"@{APP.digest}", f":1@{APP.digest}"):
        assert resolve_subject(store, Reference.parse(f"registry.test/team/app{name}")) == found
    other = push(store, image("other"), "2")
    with pytest.raises(ContentMismatch, match="points at"):
        resolve_subject(store, Reference.parse(f"registry.test/team/app:1@{other.digest}"))
    with pytest.raises(NotFound):
        resolve_subject(store, Reference.parse("registry.test/team/app:3"))
    with pytest.raises(NotFound, match="neither a tag nor a digest"):
        resolve_subject(store, Reference.parse("registry.test/team/app", bare=True))
