"""Signing images: what is attached, what is not, and what happens when something fails on the way."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.many import Failed, each_image, exit_status
from imgtrust.commands.sign import _below, sign_images
from imgtrust.commands.signing import SignFormat, Signing, make_signature
from imgtrust.content import Descriptor, Manifest, describe, parse_manifest
from imgtrust.errors import (
    ContentMismatch,
    InvalidReference,
    KeyUnusable,
    LimitExceeded,
    NoImages,
    NotFound,
    OutputFileError,
    StoreUnavailable,
    TimestampError,
    UsageError,
)
from imgtrust.evidence import Format, Kind
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.reference import Digest, Reference
from imgtrust.signers.keyfile import generate
from imgtrust.signers.local import LocalSigner
from imgtrust.stores import StoreOptions
from imgtrust.stores.discovery import discover
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import VerifiedSignature, assess
from imgtrust.trust.times import ClaimedTime, VerifiedTime
from tests.simulators.gate import NOON, Publisher, layout
from tests.simulators.images import Image, image, index, push
from tests.simulators.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imgtrust.reports.results import SignedResult
    from imgtrust.stores.port import Store

RELEASE = Publisher("release")
TWO = index(image("a", platform="linux/amd64"), image("b", platform="linux/arm64"))


@dataclass
class World:
    """A layout with one index under the tag ``1``."""

    path: Path
    store: Store
    root: Descriptor

    @property
    def name(self) -> str:
        return f"{self.store.repository}:1"

    def signatures(self, subject: Descriptor, *publishers: Publisher) -> list[VerifiedSignature]:
        """What is attached and believed, under these publishers and their authorities."""
        chosen = publishers or (RELEASE,)
        root = TrustRoot(tuple(each.trusted for each in chosen), tuple(each.authority.authority for each in chosen))
        found = discover(self.store, subject)
        assert not found.unread
        outcomes = [assess(evidence, root, at=NOON) for evidence in found.evidence]
        return [outcome for outcome in outcomes if isinstance(outcome, VerifiedSignature)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = layout(tmp_path / "ci")
    yield World(tmp_path, store, push(store, TWO, "1"))
    store.close()


def signed(outcomes: Iterator[SignedResult | Failed]) -> list[SignedResult]:
    """The results, where none is a failure."""
    found = []
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
        found.append(outcome)
    return found


def test_a_signature_is_attached_as_a_bundle_about_the_digest_of_the_tag(world: World) -> None:
    (result,) = signed(sign_images([world.name], RELEASE.signing()))
    assert (result.digest, result.format, result.predicate_type) == (world.root.digest, Format.BUNDLE.value, None)
    assert result.signer == f"key {RELEASE.signer.public_key.fingerprint[:8]}"
    (believed,) = world.signatures(world.root)
    assert (believed.kind, believed.evidence) == (Kind.SIGNATURE, result.evidence)


def test_nothing_but_the_named_manifest_is_signed(world: World) -> None:
    signed(sign_images([world.name], RELEASE.signing()))
    for child in TWO.children:
        assert world.signatures(child.descriptor) == []


def test_recursive_signs_every_manifest_once_and_the_index_last(world: World) -> None:
    results = signed(sign_images([world.name], RELEASE.signing(), recursive=True))
    assert [each.digest for each in results] == [*(child.digest for child in TWO.children), world.root.digest]
    for child in TWO.children:
        assert len(world.signatures(child.descriptor)) == 1


def test_recursive_goes_into_indexes_of_indexes_and_meets_each_manifest_once(world: World) -> None:
    shared = image("shared")
    outer = index(index(shared, image("x", platform="linux/arm64")), shared, image("y", platform="linux/s390x"))
    push(world.store, outer, "outer")
    results = signed(sign_images([f"{world.store.repository}:outer"], RELEASE.signing(), recursive=True))
    assert len({each.digest for each in results}) == len(results) == 5
    assert results[-1].digest == outer.digest


def test_a_time_stamp_is_in_the_bundle_and_proves_the_time(world: World) -> None:
    signing = replace(RELEASE.signing(stamped=True), authorities=(RELEASE.authority.authority,))
    (result,) = signed(sign_images([world.name], signing))
    (time,) = result.times
    assert isinstance(time, VerifiedTime)
    (believed,) = world.signatures(world.root)
    assert believed.earliest == time.time == NOON - timedelta(hours=1)


def test_a_time_of_an_authority_without_anchors_is_shown_as_claimed(world: World) -> None:
    (result,) = signed(sign_images([world.name], RELEASE.signing(stamped=True)))
    (time,) = result.times
    assert isinstance(time, ClaimedTime)
    assert (time.time, time.authority) == (NOON - timedelta(hours=1), RELEASE.authority.name)


def test_two_authorities_give_two_tokens(world: World) -> None:
    other = Publisher("other")
    signing = replace(RELEASE.signing(stamped=True), timestampers=(RELEASE.authority, other.authority))
    (result,) = signed(sign_images([world.name], signing))
    assert len(result.times) == 2
    (believed,) = world.signatures(world.root, RELEASE, other)
    assert len(believed.times) == 2


def test_annotations_are_signed(world: World) -> None:
    signed(sign_images([world.name], replace(RELEASE.signing(), annotations=(("commit", "4f2a91c"),))))
    (believed,) = world.signatures(world.root)
    assert ("commit", "4f2a91c") in believed.annotations


def test_a_second_signature_stays_beside_the_first(world: World) -> None:
    other = Publisher("other")
    for publisher in (RELEASE, other, RELEASE):
        signed(sign_images([world.name], publisher.signing()))
    believed = world.signatures(world.root, RELEASE, other)
    assert len({each.identity for each in believed}) == 2


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519", "rsa3072"])
@pytest.mark.parametrize("form", [SignFormat.BUNDLE, SignFormat.LEGACY])
def test_every_kind_of_key_signs_in_every_format(world: World, kind: str, form: SignFormat) -> None:
    signer = LocalSigner(generate(kind))
    signed(sign_images([world.name], Signing(signer, format=form, now=lambda: NOON)))
    root = TrustRoot((TrustedKey("k", signer.public_key),))
    outcomes = [assess(each, root, at=NOON) for each in discover(world.store, world.root).evidence]
    assert [type(each) for each in outcomes] == [VerifiedSignature]


def legacy_layers(store: Store, subject: Descriptor, suffix: Suffix = Suffix.SIG) -> tuple[Descriptor, ...]:
    found = store.resolve(legacy_tag(subject.digest, suffix))
    manifest = parse_manifest(store.fetch(found), found.media_type)
    assert isinstance(manifest, Manifest)
    return manifest.layers


def test_the_legacy_format_appends_under_cosigns_tag(world: World) -> None:
    other = Publisher("other")
    (first,) = signed(sign_images([world.name], RELEASE.signing(legacy=True)))
    (second,) = signed(sign_images([world.name], other.signing(legacy=True)))
    assert not first.unchanged
    assert not second.unchanged
    assert len(legacy_layers(world.store, world.root)) == 2
    assert len(world.signatures(world.root, RELEASE, other)) == 2


def test_the_same_legacy_signature_by_the_same_key_is_not_added_twice(world: World) -> None:
    (first,) = signed(sign_images([world.name], RELEASE.signing(legacy=True)))
    (again,) = signed(sign_images([world.name], RELEASE.signing(legacy=True)))
    assert again.unchanged
    assert again.evidence == first.evidence
    assert len(legacy_layers(world.store, world.root)) == 1


def test_a_legacy_signature_with_other_annotations_or_a_wanted_time_is_another_one(world: World) -> None:
    plain = RELEASE.signing(legacy=True)
    for signing in (plain, replace(plain, annotations=(("a", "b"),)), RELEASE.signing(legacy=True, stamped=True)):
        (result,) = signed(sign_images([world.name], signing))
        assert not result.unchanged
    assert len(legacy_layers(world.store, world.root)) == 3
    (again,) = signed(sign_images([world.name], RELEASE.signing(legacy=True, stamped=True)))
    assert again.unchanged


def test_a_forged_layer_with_our_payload_does_not_count_as_signed(world: World) -> None:
    stranger = Publisher("stranger")
    signed(sign_images([world.name], stranger.signing(legacy=True)))
    (result,) = signed(sign_images([world.name], RELEASE.signing(legacy=True)))
    assert not result.unchanged


def test_the_bundle_is_kept_in_a_file_too(world: World) -> None:
    out = world.path / "app.bundle"
    signed(sign_images([world.name], RELEASE.signing(), bundle_out=str(out)))
    (evidence,) = discover(world.store, world.root).evidence
    assert out.read_bytes() == evidence.payload
    assert sorted(each.name for each in world.path.iterdir()) == ["app.bundle", "ci"]


@pytest.mark.parametrize(("names", "recursive", "legacy"), [(2, False, False), (1, True, False), (1, False, True)])
def test_a_file_for_one_bundle_takes_exactly_one(world: World, names: int, *, recursive: bool, legacy: bool) -> None:
    chosen = [world.name, f"{world.name}@{world.root.digest}"][:names]
    with pytest.raises(UsageError, match="--bundle-out"):
        sign_images(chosen, RELEASE.signing(legacy=legacy), recursive=recursive, bundle_out=str(world.path / "f"))
    assert world.signatures(world.root) == []


def test_a_bundle_file_that_cannot_be_written_stops_before_anything_is_attached(world: World) -> None:
    for target in (world.path / "absent" / "f", world.path):
        with pytest.raises(OutputFileError, match="cannot write"):
            sign_images([world.name], RELEASE.signing(), bundle_out=str(target))
    assert world.signatures(world.root) == []


def test_a_bundle_file_does_not_appear_where_nothing_was_attached(world: World) -> None:
    out = world.path / "f"
    out.write_bytes(b"from before")
    (failed,) = sign_images([f"{world.store.repository}:absent"], RELEASE.signing(), bundle_out=str(out))
    assert isinstance(failed, Failed)
    assert out.read_bytes() == b"from before"
    assert sorted(each.name for each in world.path.iterdir()) == ["ci", "f"]


class DeadAuthority:
    """An authority that gives no token."""

    name = "dead"

    def stamp(self, message: bytes) -> bytes:
        message = b""
        raise TimestampError(f"no answer{message.decode()}")  # noqa: EM102, TRY003 - what a client would say


@pytest.mark.parametrize("form", [SignFormat.BUNDLE, SignFormat.LEGACY])
def test_without_the_time_that_was_asked_for_nothing_is_attached(world: World, form: SignFormat) -> None:
    signing = replace(RELEASE.signing(), timestampers=(RELEASE.authority, DeadAuthority()), format=form)
    outcomes = list(sign_images([world.name], signing))
    assert [type(each) for each in outcomes] == [Failed]
    assert exit_status(outcomes) == 3
    assert discover(world.store, world.root).evidence == ()
    assert set(world.store.tags()) == {"1"}


class LyingSigner:
    """A holder of a key that signs something else than it is given."""

    def __init__(self, inner: LocalSigner) -> None:
        self._inner = inner
        self.public_key = inner.public_key

    def sign(self, message: bytes) -> bytes:
        return self._inner.sign(message + b"!")


@pytest.mark.parametrize("form", [SignFormat.BUNDLE, SignFormat.LEGACY])
def test_a_signature_that_does_not_verify_is_never_attached(world: World, form: SignFormat) -> None:
    outcomes = list(sign_images([world.name], Signing(LyingSigner(RELEASE.signer), format=form, now=lambda: NOON)))
    (failed,) = outcomes
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, KeyUnusable)
    assert "nothing was attached" in str(failed.error)
    assert discover(world.store, world.root).evidence == ()


def test_an_image_by_sha512_cannot_be_signed() -> None:
    data = image("a").manifest
    subject = Descriptor("application/vnd.oci.image.manifest.v1+json", Digest.of(data, "sha512"), len(data))
    with pytest.raises(UsageError, match="sha256"):
        make_signature(RELEASE.signing(), subject, MemoryStore().repository)


def test_a_tag_that_no_longer_points_at_the_digest_of_the_name_is_refused(world: World) -> None:
    other = push(world.store, image("other"))
    (failed,) = sign_images([f"{world.name}@{other.digest}"], RELEASE.signing())
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ContentMismatch)
    assert discover(world.store, other).evidence == ()


def test_a_name_by_digest_needs_no_tag(world: World) -> None:
    child = TWO.children[0]
    (result,) = signed(sign_images([f"{world.store.repository}@{child.digest}"], RELEASE.signing()))
    assert result.digest == child.digest


def test_many_images_keep_their_order_and_lose_nothing_to_a_failure(world: World) -> None:
    for number in range(12):
        push(world.store, image(f"many {number}"), f"t{number}")
    names = [f"{world.store.repository}:t{number}" for number in range(12)]
    names.insert(5, f"{world.store.repository}:absent")
    outcomes = list(sign_images(names, RELEASE.signing(), StoreOptions(jobs=4)))
    assert [str(each.reference) for each in outcomes] == names
    failed = [each for each in outcomes if isinstance(each, Failed)]
    assert [type(each.error) for each in failed] == [NotFound]
    assert exit_status(outcomes) == 2
    for number in range(12):
        assert len(world.signatures(world.store.resolve(f"t{number}"))) == 1


def test_a_name_that_is_given_twice_is_signed_once(world: World) -> None:
    assert len(signed(sign_images([world.name, world.name], RELEASE.signing()))) == 1


def test_a_wrong_name_stops_everything_before_anything_is_signed(world: World) -> None:
    with pytest.raises(InvalidReference):
        sign_images([world.name, "app"], RELEASE.signing())
    assert world.signatures(world.root) == []


def test_no_name_at_all_is_wrong_usage() -> None:
    with pytest.raises(NoImages):
        sign_images([], RELEASE.signing())


def test_what_was_done_before_a_failure_is_reported_beside_it(world: World) -> None:
    broken: Image = index(image("fine"), image("gone", platform="linux/arm64"))
    for child in broken.children[:1]:
        push(world.store, child)
    world.store.push(broken.descriptor, broken.manifest)
    world.store.tag("broken", broken.descriptor, broken.manifest)
    outcomes = list(sign_images([f"{world.store.repository}:broken"], RELEASE.signing(), recursive=True))
    assert [type(each) for each in outcomes] == [Failed]
    assert exit_status(outcomes) == 1


def test_an_index_of_too_many_manifests_is_not_signed_recursively(world: World) -> None:
    assert len(_below(world.store, world.root, limit=3)) == 3
    with pytest.raises(LimitExceeded, match="more than 2 manifests"):
        _below(world.store, world.root, limit=2)


def test_indexes_in_indexes_without_end_are_not_signed(world: World) -> None:
    deep = image("deepest")
    for _ in range(20):
        deep = index(deep)
    push(world.store, deep, "deep")
    (failed,) = sign_images([f"{world.store.repository}:deep"], RELEASE.signing(), recursive=True)
    assert isinstance(failed, Failed)
    assert "16 levels" in str(failed.error)


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ([], 0),
        ([NotFound("x")], 2),
        ([UsageError("x")], 2),
        ([ContentMismatch("x"), NotFound("x")], 1),
        ([ContentMismatch("x"), StoreUnavailable("x"), NotFound("x")], 3),
    ],
)
def test_the_exit_status_of_many_is_that_of_the_one_that_may_be_retried(errors: list[Exception], status: int) -> None:
    reference = Reference.parse("registry.test/team/app:1")
    assert exit_status([*(Failed(reference, error) for error in errors), "done"]) == status  # type: ignore[arg-type]  # all are of ours


def test_work_that_is_abandoned_is_finished_or_never_begun(tmp_path: Path) -> None:
    store = layout(tmp_path / "ci")
    push(store, image("a"), "1")
    store.close()
    begun: list[str] = []
    gate = threading.Event()

    def work(_: Store, reference: object) -> Iterator[str]:
        begun.append(str(reference))
        gate.wait(5)
        yield str(reference)
        begun.remove(str(reference))

    names = [f"oci:{tmp_path}/ci:{number}" for number in range(20)]
    results = each_image(names, StoreOptions(jobs=2), work)
    gate.set()
    assert next(results) == names[0]
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert begun == []


def test_a_descriptor_of_a_bundle_layer_is_that_of_its_bytes() -> None:
    made = make_signature(RELEASE.signing(), TWO.descriptor, MemoryStore().repository)
    assert made.layer == describe(made.payload, made.layer.media_type)
    assert "payload" not in repr(made)


def test_without_a_clock_the_machines_is_read(world: World) -> None:
    (result,) = signed(sign_images([world.name], Signing(RELEASE.signer)))
    assert result.times == ()
