"""Names: digests, repositories and references; the whole string is matched, and what is read is written again."""

from __future__ import annotations

import hashlib

import pytest

from imgtrust.errors import ContentMismatch, InvalidDigest, InvalidReference
from imgtrust.reference import Digest, LayoutRepository, Reference, RegistryRepository

HEX = hashlib.sha256(b"x").hexdigest()
DIGEST = f"sha256:{HEX}"
LONG = f"sha512:{hashlib.sha512(b'x').hexdigest()}"


@pytest.mark.parametrize("text", [DIGEST, LONG])
def test_digests_are_read_and_written(text: str) -> None:
    digest = Digest.parse(text)
    assert str(digest) == text
    assert digest.short == text[:19]
    assert Digest.of(b"x", digest.algorithm) == digest
    assert digest.check(b"x") == b"x"


def test_digests_are_computed_over_any_view_of_bytes() -> None:
    assert Digest.of(memoryview(b"x")) == Digest.of(b"x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEX,
        "sha256:",
        f"sha256:{HEX[:63]}",
        f"sha256:{HEX}0",
        f"sha256:{HEX.upper()}",
        f"SHA256:{HEX}",
        f"sha512:{HEX}",
        f"sha256:{LONG[7:]}",
        f"sha384:{'0' * 96}",
        f"md5:{'0' * 32}",
        f"{DIGEST}\n",
        f" {DIGEST}",
        f"sha256:{HEX}:",
        "sha256:" + "g" * 64,
        "sha256:" + "\u0660" * 64,
    ],
)
def test_other_digests_are_refused(text: str) -> None:
    with pytest.raises(InvalidDigest, match="is not a digest"):
        Digest.parse(text)


def test_other_bytes_do_not_match_a_digest() -> None:
    with pytest.raises(ContentMismatch, match=rf"the layer: expected {DIGEST}, the bytes that came are sha256:"):
        Digest.parse(DIGEST).check(b"y", "the layer")


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("ghcr.io/acme/app:1.4", RegistryRepository("ghcr.io", "acme/app"), "1.4", None),
        (f"ghcr.io/app@{DIGEST}", RegistryRepository("ghcr.io", "app"), None, DIGEST),
        (f"ghcr.io/app:1@{DIGEST}", RegistryRepository("ghcr.io", "app"), "1", DIGEST),
        (f"ghcr.io/app@{LONG}", RegistryRepository("ghcr.io", "app"), None, LONG),
        ("localhost/app:1", RegistryRepository("localhost", "app"), "1", None),
        ("localhost:5000/app:1", RegistryRepository("localhost:5000", "app"), "1", None),
        ("host:5000/a/b/c:1", RegistryRepository("host:5000", "a/b/c"), "1", None),
        ("[::1]:5000/app:1", RegistryRepository("[::1]:5000", "app"), "1", None),
        ("127.0.0.1:5000/app:_x", RegistryRepository("127.0.0.1:5000", "app"), "_x", None),
        ("a.b/c__d/e.f/g---h:A-_.9", RegistryRepository("a.b", "c__d/e.f/g---h"), "A-_.9", None),
        ("oci:dir:1", LayoutRepository("dir"), "1", None),
        ("oci:/a b/c:1", LayoutRepository("/a b/c"), "1", None),
        (f"oci:dir@{DIGEST}", LayoutRepository("dir"), None, DIGEST),
        (f"oci:./dir:1@{DIGEST}", LayoutRepository("./dir"), "1", DIGEST),
    ],
)
def test_references_are_read_and_written(
    text: str, repository: RegistryRepository | LayoutRepository, tag: str | None, digest: str | None
) -> None:
    found = Reference.parse(text)
    assert found == Reference(repository, tag, None if digest is None else Digest.parse(digest))
    assert str(found) == text
    assert Reference.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "app",
        "/app:1",
        "ghcr.io/:1",
        "ghcr.io/App:1",
        "ghcr.io/a//b:1",
        "ghcr.io/a/:1",
        "ghcr.io/-a:1",
        "ghcr.io/a_:1",
        "ghcr.io/a___b:1",
        "ghcr.io/a..b:1",
        "ghcr.io/app:",
        "ghcr.io/app:-x",
        "ghcr.io/app:.x",
        "ghcr.io/app:a b",
        "ghcr.io/app:é",
        f"ghcr.io/app:{'a' * 129}",
        "ghcr.io/app:1\n",
        "ghcr .io/app:1",
        "-ghcr.io/app:1",
        "ghcr-.io/app:1",
        "ghcr.io:/app:1",
        "ghcr.io:123456/app:1",
        "ghcr.io:port/app:1",
        "user@ghcr.io/app:1",
        "https://ghcr.io/app:1",
        "//ghcr.io/app:1",
        "../ghcr.io/app:1",
        f"ghcr.io/{'a' * 250}:1",
        "oci:",
        "oci::1",
        "oci:dir:",
        "oci:dir:a:b",
        "oci:dir\n:1",
        "oci:dir\0:1",
        "oci:dir",
        "ghcr.io/app",
    ],
)
def test_other_references_are_refused(text: str) -> None:
    with pytest.raises((InvalidReference, InvalidDigest)):
        Reference.parse(text)


@pytest.mark.parametrize("text", ["ghcr.io/app@", "ghcr.io/app@sha256:00", f"ghcr.io/app@{DIGEST}@{DIGEST}"])
def test_what_follows_the_at_sign_is_a_digest(text: str) -> None:
    with pytest.raises(InvalidDigest):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app:1", "did you mean docker.io/library/app:1 or oci:app:1"),
        ("acme/app:1", "did you mean docker.io/acme/app:1"),
        ("Acme/app:1", "is not an image name; expected HOST/REPO:TAG"),
        ("ghcr.io/acme/app", "did you mean ghcr.io/acme/app:latest"),
        ("oci:dir", "did you mean oci:dir:latest"),
    ],
)
def test_the_likely_full_name_is_offered(text: str, said: str) -> None:
    with pytest.raises(InvalidReference, match=said):
        Reference.parse(text)


def test_a_bare_repository_is_read_only_where_it_is_asked_for() -> None:
    assert Reference.parse("ghcr.io/app", bare=True) == Reference(RegistryRepository("ghcr.io", "app"))
    assert Reference.parse("oci:dir", bare=True) == Reference(LayoutRepository("dir"))
    with pytest.raises(InvalidReference):
        Reference.parse("ghcr.io/app:", bare=True)


def test_a_name_can_be_pinned() -> None:
    found = Reference.parse("ghcr.io/app:1").with_digest(Digest.parse(DIGEST))
    assert str(found) == f"ghcr.io/app:1@{DIGEST}"


def test_repositories_that_are_made_directly_hold_the_grammar_too() -> None:
    with pytest.raises(InvalidReference, match="is not the name of a registry"):
        RegistryRepository("not a host", "app")
    with pytest.raises(InvalidReference, match="is not the name of a repository"):
        RegistryRepository("ghcr.io", "")
    with pytest.raises(InvalidReference, match="at most 255"):
        RegistryRepository("g" * 200, "a" * 56)
    assert str(RegistryRepository("g" * 200, "a" * 55)) == "g" * 200 + "/" + "a" * 55
    for directory in ("", "a:b", "a@b", "a\rb"):
        with pytest.raises(InvalidReference, match="directory of a layout"):
            LayoutRepository(directory)


def test_long_names_are_cut_in_messages() -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse("ghcr.io/app:" + "x" * 10_000)
    assert len(str(caught.value)) < 400
