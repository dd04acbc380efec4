"""Layouts, discovery and graphs under arbitrary content: nothing but deliberate errors, and nothing lost."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgtrust import strict_json
from imgtrust.commands.graph import walk
from imgtrust.content import MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST, Descriptor, describe
from imgtrust.errors import ContentMalformed, LimitExceeded, StoreError
from imgtrust.evidence import Origin
from imgtrust.formats.attachments import BUNDLE_TYPE, Suffix, is_attachment_tag, legacy_tag
from imgtrust.formats.mediatypes import DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.reference import Digest
from imgtrust.stores.discovery import discover
from imgtrust.stores.layoutindex import REF_NAME, LayoutIndex, parse_index
from imgtrust.stores.layoutreferrers import media_type_of, peek
from tests.simulators.images import image, push
from tests.simulators.memory import MemoryStore

_QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
_ROOT = image()
_SUBJECT = Descriptor(OCI_MANIFEST, _ROOT.digest, len(_ROOT.manifest))
_DIGESTS = st.sampled_from(
    [str(Digest.of(b"")), str(_ROOT.digest), str(Digest.of(b"x", "sha512")), "sha256:x", "md5:0"]
)
_TYPES = st.sampled_from(
    [
        *sorted(MANIFEST_TYPES),
        BUNDLE_TYPE,
        SIMPLESIGNING_LAYER,
        DSSE_LAYER,
        "application/vnd.oci.empty.v1+json",
        "a/b",
        "",
    ]
)


def _maybe(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A JSON object that has some of these members, each as it should be or as anything else."""
    return st.fixed_dictionaries({}, optional={name: good | _JSON for name, good in members.items()})


_NOTES = st.dictionaries(
    st.sampled_from([REF_NAME, "kind", "a"]),
    st.sampled_from(["1", "a/b", "dev.cosignproject.cosign/image", "dev.cosignproject.cosign/sigs", "x" * 129]),
    max_size=2,
)
_DESCRIPTORS = _maybe(
    {
        "mediaType": _TYPES,
        "digest": _DIGESTS,
        "size": st.integers(-1, 10),
        "annotations": _NOTES,
        "artifactType": _TYPES,
        "platform": st.just({"os": "linux", "architecture": "amd64"}),
    }
)
_MANIFESTS = _maybe(
    {
        "schemaVersion": st.just(2),
        "mediaType": _TYPES,
        "artifactType": _TYPES,
        "config": _DESCRIPTORS,
        "layers": st.lists(_DESCRIPTORS, max_size=3),
        "manifests": st.lists(_DESCRIPTORS, max_size=3),
        "subject": st.just(_SUBJECT.to_json()) | _DESCRIPTORS,
        "annotations": _NOTES,
    }
)
_GOOD = st.builds(
    lambda kind, layer, subject: {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": describe(b"{}", kind).to_json(),
        "layers": [describe(b"{}", layer).to_json()],
        "subject": subject,
    },
    _TYPES.filter(bool),
    _TYPES.filter(bool),
    st.sampled_from([_SUBJECT.to_json(), describe(b"other", OCI_MANIFEST).to_json()]),
)


@_QUICK
@given(st.binary(max_size=200) | (_MANIFESTS | _JSON).map(strict_json.dumps))
def test_any_index_is_read_or_refused(raw: bytes) -> None:
    try:
        index = parse_index(raw, "index.json")
    except (ContentMalformed, LimitExceeded):
        return
    assert parse_index(index.write(), "again").entries == index.entries


@_QUICK
@given(st.binary(max_size=200) | (_MANIFESTS | _JSON).map(strict_json.dumps))
def test_looking_at_any_bytes_raises_nothing(raw: bytes) -> None:
    said = peek(raw)
    assert said.media_type is None or said.media_type in MANIFEST_TYPES


@_QUICK
@given(_MANIFESTS | _JSON)
def test_the_kind_of_a_document_is_one_or_none(document: object) -> None:
    assert media_type_of(document) in MANIFEST_TYPES | {None}


_TAGS = st.sampled_from(["1", "2", "latest", legacy_tag(Digest.of(b"1"), Suffix.SIG)])
_CHANGES = st.lists(st.tuples(_TAGS | st.none(), st.integers(0, 4)), max_size=12)


@_QUICK
@given(_CHANGES)
def test_after_any_changes_each_tag_names_what_it_was_last_given_and_no_image_is_lost(
    changes: list[tuple[str | None, int]],
) -> None:
    index = LayoutIndex.empty()
    tags: dict[str, Digest] = {}
    images: set[Digest] = set()
    for tag, n in changes:
        descriptor = Descriptor(OCI_MANIFEST, Digest.of(b"image %d" % n), n)
        index = index.listing(descriptor)
        if tag is None or not is_attachment_tag(tag):
            images.add(descriptor.digest)
        if tag is not None:
            index = index.tagging(tag, descriptor)
            tags[tag] = descriptor.digest
    again = parse_index(index.write(), "index.json")
    assert {tag: [e.descriptor.digest for e in found] for tag, found in again.by_tag.items()} == {
        tag: [digest] for tag, digest in tags.items()
    }
    kept = set(again.by_digest)
    assert {digest for digest in images if digest not in kept} <= {
        Digest.of(b"image %d" % n) for tag, n in changes if tag is not None and is_attachment_tag(tag)
    }
    assert index.write() == again.write()


@_QUICK
@given(st.lists(_GOOD | _MANIFESTS | _JSON, max_size=4), _TYPES, st.sampled_from([None, *Suffix]))
def test_discovery_of_anything_raises_nothing_and_believes_no_subject_but_the_one_asked(
    documents: list[Any], media_type: str, suffix: Suffix | None
) -> None:
    store = MemoryStore()
    root = push(store, _ROOT)
    store.blobs[Digest.of(b"{}")] = b"{}"
    for document in documents:
        raw = strict_json.dumps(document)
        listed = describe(raw, media_type if suffix is None else OCI_MANIFEST)
        store.blobs[listed.digest] = raw
        if suffix is None:
            store.listed.append(listed)
        else:
            store.manifests[listed.digest] = listed
            store.names[legacy_tag(root.digest, suffix)] = listed.digest
    found = discover(store, root, jobs=1)
    for evidence in found.evidence:
        assert evidence.subject == root.digest
        if evidence.problem is None and evidence.origin is Origin.REFERRER:
            said = strict_json.loads(store.blobs[evidence.digest])
            assert said["subject"]["digest"] == str(root.digest)
    assert all(claim.subject == root.digest for claim in found.claims)


@_QUICK
@given(_MANIFESTS | _JSON, st.sampled_from([OCI_MANIFEST, OCI_INDEX]))
def test_walking_anything_finds_faults_and_raises_nothing(document: object, media_type: str) -> None:
    store = MemoryStore()
    raw = strict_json.dumps(document)
    root = describe(raw, media_type)
    store.push(root, raw)
    try:
        found = walk(store, root, jobs=1)
    except (StoreError, LimitExceeded):
        return
    assert (root.digest in found.manifests) != any(fault.digest == root.digest for fault in found.faults)
