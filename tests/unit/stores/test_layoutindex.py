"""``stores.layoutindex``: reading an index.json strictly, and changing it without losing anything."""

from __future__ import annotations

from typing import Any

import pytest

from imgtrust import strict_json
from imgtrust.content import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, Descriptor
from imgtrust.errors import ContentMalformed, LimitExceeded
from imgtrust.reference import Digest
from imgtrust.stores.layoutindex import (
    MAX_ENTRIES,
    REF_NAME,
    LayoutIndex,
    parse_entries,
    parse_index,
    parse_layout_file,
)

_KIND = "dev.cosignproject.cosign/"


def _digest(n: int) -> Digest:
    return Digest.of(str(n).encode())


def _entry(n: int, name: str | None = None, **members: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"mediaType": OCI_MANIFEST, "digest": str(_digest(n)), "size": n}
    if name is not None:
        entry["annotations"] = {REF_NAME: name}
    return entry | members


def _raw(*entries: dict[str, Any], **members: Any) -> bytes:
    return strict_json.dumps({"schemaVersion": 2, "manifests": list(entries)} | members)


def _index(*entries: dict[str, Any], **members: Any) -> LayoutIndex:
    return parse_index(_raw(*entries, **members), "index.json")


def _descriptor(n: int) -> Descriptor:
    return Descriptor(OCI_MANIFEST, _digest(n), n)


def test_tags_and_digests_are_found_in_the_order_of_the_index() -> None:
    index = _index(_entry(1, "b"), _entry(2), _entry(1, "a"))
    assert list(index.by_tag) == ["b", "a"]
    assert [entry.tag for entry in index.by_digest[_digest(1)]] == ["b", "a"]


@pytest.mark.parametrize("manifests", [None, []])
def test_an_index_may_be_empty(manifests: object) -> None:
    assert parse_index(strict_json.dumps({"schemaVersion": 2, "manifests": manifests}), "x").entries == ()
    assert parse_index(strict_json.dumps({"schemaVersion": 2}), "x").entries == ()


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_may_say_what_it_is(media_type: str) -> None:
    assert _index(_entry(1), mediaType=media_type).entries


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "expected a JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"schemaVersion":2,"schemaVersion":2,"manifests":[]}', "twice"),
        (b'{"schemaVersion":1,"manifests":[]}', "schemaVersion is 1"),
        (b'{"schemaVersion":true,"manifests":[]}', "schemaVersion is True"),
        (b'{"manifests":[]}', "schemaVersion is None"),
        (b'{"schemaVersion":2,"manifests":{}}', "manifests is a dict"),
        (b'{"schemaVersion":2,"manifests":[1]}', r"manifests\[0\] of index.json: expected a JSON object"),
        (b'{"schemaVersion":2,"manifests":[],"layers":[]}', "read in two ways"),
        (b'{"schemaVersion":2,"manifests":[],"config":{}}', "read in two ways"),
        (b'{"schemaVersion":2,"manifests":[],"mediaType":"text/plain"}', "mediaType is text/plain"),
        (b'{"schemaVersion":2,"manifests":[],"mediaType":null}', "mediaType is None"),
        (b'{"schemaVersion":2,"manifests":[],"mediaType":[]}', r"mediaType is \[\]"),
        (b'{"schemaVersion":NaN,"manifests":[]}', "NaN"),
        (b"[" * 100_000, "nested deeper"),
        (_raw(_entry(1, digest="sha256:../../../etc/passwd")), "is not a digest"),
        (_raw(_entry(1, digest="md5:d41d8cd98f00b204e9800998ecf8427e")), "is not a digest"),
        (_raw(_entry(1, digest="sha256:" + "A" * 64)), "is not a digest"),
        (_raw(_entry(1, size=-1)), "size is -1"),
        (_raw(_entry(1, annotations={"a": 1})), "expected a string"),
    ],
)
def test_what_has_no_single_reading_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(ContentMalformed, match=why):
        parse_index(raw, "index.json")


def test_more_entries_than_the_limit_are_not_read() -> None:
    raw = b'{"schemaVersion":2,"manifests":[' + b",".join([b"1"] * (MAX_ENTRIES + 1)) + b"]}"
    with pytest.raises(LimitExceeded, match="100001 entries"):
        parse_index(raw, "index.json")
    with pytest.raises(LimitExceeded, match="at most 1"):
        parse_entries(_raw(_entry(1), _entry(2)), "fallback", 1)


def test_a_list_of_referrers_keeps_its_hints() -> None:
    (found,) = parse_entries(_raw(_entry(1, artifactType="a/b", annotations={"c": "d"})), "fallback", 10)
    assert (found.artifact_type, found.annotations) == ("a/b", (("c", "d"),))


@pytest.mark.parametrize("name", ["docker.io/library/app:1", "", "-x", "a b", "é", "x" * 129, "a\n"])
def test_a_name_that_is_no_tag_is_kept_and_names_nothing(name: str) -> None:
    index = _index(_entry(1, name), _entry(2, "1"))
    assert list(index.by_tag) == ["1"]
    assert parse_index(index.tagging("2", _descriptor(3)).write(), "x").entries[0].document == _entry(1, name)


def test_two_entries_may_bear_one_tag_and_that_is_seen() -> None:
    assert len(_index(_entry(1, "1"), _entry(2, "1")).by_tag["1"]) == 2


def test_listing_adds_a_manifest_once() -> None:
    index = LayoutIndex.empty().listing(_descriptor(1))
    assert index.listing(_descriptor(1)) is index
    assert [entry.descriptor for entry in parse_index(index.write(), "x").entries] == [_descriptor(1)]


def test_listing_an_index_drops_the_nameless_entries_of_its_children_only() -> None:
    named, noted, typed = _entry(2, "2"), _entry(3, annotations={"a": "b"}), _entry(4, artifactType="a/b")
    index = _index(_entry(1), named, noted, typed, _entry(5))
    root = Descriptor(OCI_INDEX, _digest(9), 9)
    after = index.listing(root, {_digest(n) for n in (1, 2, 3, 4)})
    assert [entry.document for entry in after.entries] == [named, noted, typed, _entry(5), root.to_json()]


def test_tagging_names_the_entry_that_is_there() -> None:
    after = _index(_entry(1, artifactType="a/b", data="e30=")).tagging("1", _descriptor(1))
    assert [entry.document for entry in after.entries] == [_entry(1, "1", artifactType="a/b", data="e30=")]


def test_tagging_lists_what_was_not_listed() -> None:
    after = LayoutIndex.empty().tagging("1", _descriptor(1))
    assert [entry.document for entry in after.entries] == [_entry(1, "1")]


def test_a_second_tag_is_a_second_entry() -> None:
    after = _index(_entry(1, "1")).tagging("2", _descriptor(1))
    assert [entry.document for entry in after.entries] == [_entry(1, "1"), _entry(1, "2")]


def test_the_same_tag_again_changes_nothing() -> None:
    index = _index(_entry(1, "1"))
    assert index.tagging("1", _descriptor(1)) is index


def test_a_tag_that_moves_leaves_the_old_image_without_a_name() -> None:
    old = _entry(1, annotations={REF_NAME: "1", "a": "b"})
    after = _index(old).tagging("1", _descriptor(2))
    assert [entry.document for entry in after.entries] == [_entry(1, annotations={"a": "b"}), _entry(2, "1")]


def test_a_tag_that_moves_drops_an_entry_whose_image_has_another_name() -> None:
    after = _index(_entry(1, "1"), _entry(1, "2")).tagging("1", _descriptor(2))
    assert [entry.document for entry in after.entries] == [_entry(1, "2"), _entry(2, "1")]


def test_an_evidence_tag_that_moves_leaves_nothing_behind() -> None:
    tag = f"sha256-{_digest(1).encoded}.sig"
    after = _index(_entry(2, tag)).tagging(tag, _descriptor(3))
    assert [entry.document for entry in after.entries] == [_entry(3, tag)]


def test_tagging_heals_a_tag_that_two_entries_bear() -> None:
    after = _index(_entry(1, "1"), _entry(2, "1")).tagging("1", _descriptor(2))
    assert [entry.document for entry in after.entries] == [_entry(1), _entry(2, "1")]
    twice = _index(_entry(1, "1"), _entry(1, "1")).tagging("1", _descriptor(1))
    assert [entry.document for entry in twice.entries] == [_entry(1, "1")]


def test_members_that_are_not_known_are_kept() -> None:
    index = _index(_entry(1, "1", urls=["https://example.test"]), annotations={"a": "b"}, x=1)
    assert strict_json.loads(index.tagging("2", _descriptor(2)).write()) == {
        "schemaVersion": 2,
        "manifests": [_entry(1, "1", urls=["https://example.test"]), _entry(2, "2")],
        "annotations": {"a": "b"},
        "x": 1,
    }


def test_what_cosign_save_wrote_gets_its_tags_back() -> None:
    index = _index(
        _entry(1, annotations={"kind": f"{_KIND}imageIndex"}),
        _entry(2, annotations={"kind": f"{_KIND}sigs"}),
        _entry(3, annotations={"kind": f"{_KIND}atts"}),
    )
    hexes = _digest(1).encoded
    assert {tag: found[0].descriptor.digest for tag, found in index.by_tag.items()} == {
        f"sha256-{hexes}.sig": _digest(2),
        f"sha256-{hexes}.att": _digest(3),
    }
    assert index.saved_by_cosign
    assert not _index(_entry(1), _entry(2, annotations={"kind": "other"})).saved_by_cosign


def test_evidence_before_the_only_image_is_about_it_and_among_several_about_the_one_before() -> None:
    sigs: dict[str, Any] = {"annotations": {"kind": f"{_KIND}sigs"}}
    image: dict[str, Any] = {"annotations": {"kind": f"{_KIND}image"}}
    assert list(_index(_entry(2, **sigs), _entry(1, **image)).by_tag) == [f"sha256-{_digest(1).encoded}.sig"]
    several = _index(_entry(5, **sigs), _entry(1, **image), _entry(2, **sigs), _entry(3, **image), _entry(4, **sigs))
    assert {tag: len(found) for tag, found in several.by_tag.items()} == {
        f"sha256-{_digest(1).encoded}.sig": 1,
        f"sha256-{_digest(3).encoded}.sig": 1,
    }


def test_a_signature_that_cosign_saved_can_be_added_to() -> None:
    index = _index(_entry(1, annotations={"kind": f"{_KIND}image"}), _entry(2, annotations={"kind": f"{_KIND}sigs"}))
    tag = f"sha256-{_digest(1).encoded}.sig"
    after = parse_index(index.tagging(tag, _descriptor(3)).write(), "x")
    assert [entry.descriptor.digest for entry in after.by_tag[tag]] == [_digest(3)]
    same = parse_index(index.tagging(tag, _descriptor(2)).write(), "x")
    assert [entry.descriptor.digest for entry in same.by_tag[tag]] == [_digest(2)]


@pytest.mark.parametrize("raw", [b'{"imageLayoutVersion":"1.0.0"}', b'{"imageLayoutVersion": "1.1.0", "x": 1}\n'])
def test_version_1_of_the_layout_is_read(raw: bytes) -> None:
    parse_layout_file(raw, "oci-layout")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"imageLayoutVersion":"2.0.0"}', b'{"imageLayoutVersion":1}'])
def test_another_version_of_the_layout_is_refused(raw: bytes) -> None:
    with pytest.raises(ContentMalformed, match="oci-layout"):
        parse_layout_file(raw, "oci-layout")
