"""Policies and what they name: files, variables and inline keys become a judgement, or one clear message."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.loading import PUBLIC_GOOD, load_flags, load_policy_file, read_input, read_key_reference
from imgtrust.errors import InputFileError, KeyUnusable, PolicyError, UsageError
from imgtrust.policy.flags import Shorthand
from imgtrust.policy.writing import write_policy
from imgtrust.reference import Digest
from tests.simulators.gate import Publisher

if TYPE_CHECKING:
    from collections.abc import Mapping

RELEASE = Publisher("release")
PEM = RELEASE.signer.public_key.pem.decode()
NONE: Mapping[str, str] = {}
POLICY = """version = 1
[signers.release]
key = "keys/release.pub"
not_before = 2026-01-01T00:00:00Z
[time]
tsa_roots = ["keys/tsa.pem"]
[[scopes]]
images = ["registry.example.com/team/**"]
signatures = { any_of = ["release"] }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "release.pub").write_text(PEM)
    (tmp_path / "keys" / "tsa.pem").write_bytes(RELEASE.authority.pem)
    (tmp_path / "gate.toml").write_text(POLICY)
    return tmp_path


def test_paths_in_a_policy_start_from_its_own_folder(folder: Path) -> None:
    found = load_policy_file(folder / "gate.toml", NONE)
    assert [(key.name, key.key) for key in found.trust.keys] == [("release", RELEASE.signer.public_key)]
    assert found.trust.keys[0].not_before is not None
    assert [item.roots for item in found.trust.authorities] == [RELEASE.authority.chain[-1:]]
    assert found.policy_id.digest == Digest.of(POLICY.encode())
    assert found.policy_id.source == str(folder / "gate.toml")


def test_a_policy_with_an_error_is_refused_with_its_line(folder: Path) -> None:
    (folder / "gate.toml").write_text(POLICY.replace("signatures", "signatues"))
    with pytest.raises(PolicyError, match="signatures") as caught:
        load_policy_file(folder / "gate.toml", NONE)
    assert caught.value.line == 9


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("keys/release.pub", None),
        ("keys/release.pub", ""),
        ("keys/release.pub", "no key"),
        ("keys/tsa.pem", None),
        ("keys/tsa.pem", "no chain"),
        ("gate.toml", None),
    ],
)
def test_a_file_that_cannot_be_used_is_named(folder: Path, what: str, content: str | None) -> None:
    if content is None:
        (folder / what).unlink()
    else:
        (folder / what).write_text(content)
    with pytest.raises(UsageError, match=what):
        load_policy_file(folder / "gate.toml", NONE)


def test_flags_make_a_judgement_whose_digest_is_that_of_the_policy_they_mean(folder: Path) -> None:
    key = str(folder / "keys" / "release.pub")
    found = load_flags(Shorthand(keys=(key,)), NONE)
    assert found.policy_id.source == "flags"
    assert found.policy_id.digest == Digest.of(write_policy(found.policy).encode())
    assert [item.key for item in found.trust.keys] == [RELEASE.signer.public_key]
    assert found.trust.authorities == ()


def test_flags_that_ask_for_dates_mean_the_packaged_trusted_root_and_say_so(folder: Path) -> None:
    key = str(folder / "keys" / "release.pub")
    found = load_flags(Shorthand(keys=(key,), max_age=timedelta(days=1)), NONE)
    assert found.policy.time.trusted_root == PUBLIC_GOOD
    assert found.trust.authorities
    assert PUBLIC_GOOD in write_policy(found.policy)


def test_a_trusted_root_that_is_named_takes_the_place_of_the_packaged_one(folder: Path) -> None:
    key, root = str(folder / "keys" / "release.pub"), str(folder / "root.json")
    with pytest.raises(InputFileError, match=r"root\.json"):
        load_flags(Shorthand(keys=(key,), trusted_root=root, require_time=True), NONE)


def test_a_key_can_stand_in_the_environment(folder: Path) -> None:
    found = load_flags(Shorthand(keys=("env://RELEASE_KEY",)), {"RELEASE_KEY": PEM})
    assert [item.key for item in found.trust.keys] == [RELEASE.signer.public_key]
    with pytest.raises(KeyUnusable, match="RELEASE_KEY"):
        load_flags(Shorthand(keys=("env://RELEASE_KEY",)), NONE)
    assert folder.exists()


def test_a_key_can_stand_in_the_policy_itself(folder: Path) -> None:
    text = POLICY.replace('"keys/release.pub"', f'"""{PEM}"""')
    (folder / "gate.toml").write_text(text)
    assert load_policy_file(folder / "gate.toml", NONE).trust.keys[0].key == RELEASE.signer.public_key


def test_a_message_about_an_inline_key_does_not_repeat_it() -> None:
    bad = "-----BEGIN PUBLIC KEY-----\nbm9uc2Vuc2U=\n-----END PUBLIC KEY-----\n"
    with pytest.raises(KeyUnusable, match="inline PEM") as caught:
        load_flags(Shorthand(keys=(bad,)), NONE)
    assert "bm9uc2Vuc2U" not in str(caught.value)


@pytest.mark.parametrize("name", ["awskms:///alias/release", "https://example.com/key"])
def test_a_key_by_a_scheme_that_is_not_read_is_refused(name: str) -> None:
    with pytest.raises(KeyUnusable):
        read_key_reference(name, NONE, Path())


@pytest.mark.parametrize("name", ["nothing", ".", "bad\0name"])
def test_what_cannot_be_opened_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFileError, match="cannot read the letter"):
        read_input(tmp_path / name, "the letter")


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(InputFileError, match="larger than"):
        read_input(Path("/dev/zero"), "the letter")
