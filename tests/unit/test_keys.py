"""The pinned trust anchors are the ones that keys/README.md describes, fingerprint by fingerprint."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from imgtrust.commands.anchors import packaged_signing_config
from imgtrust.signers.signingconfig import LogService, read_signing_config
from imgtrust.trust.roots import Anchor, describe_root, parse_sigstore_root

KEYS: Final = Path(__file__).parents[2] / "keys"
ROOT: Final = KEYS / "sigstore-public-good.trusted_root.json"
README: Final = (KEYS / "README.md").read_text("utf-8")


FILES: Final = sorted(KEYS.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_is_the_one_that_the_readme_names(file: Path) -> None:
    section = README.split(f"## {file.name}\n")[1].split("\n## ")[0]
    assert f"SHA-256 of the file: `{hashlib.sha256(file.read_bytes()).hexdigest()}`" in section


def test_every_anchor_stands_in_the_readme_and_no_other() -> None:
    rows = re.findall(r"^\| (\S+) \| (\S+) \| `([0-9a-f]{64})` \| (\S*) ?\| (\S*) ?\|$", README, re.MULTILINE)
    assert rows == [_row(anchor) for anchor in describe_root(ROOT.read_bytes(), ROOT.name)]
    assert len(rows) == 7


def test_the_time_stamp_authority_of_the_public_good_instance_can_be_used() -> None:
    (authority,) = parse_sigstore_root(ROOT.read_bytes(), ROOT.name).authorities
    assert authority.name == "sigstore-tsa"
    assert authority.leaf is not None
    assert authority.not_before is not None


def test_there_is_nothing_but_anchors_and_their_description() -> None:
    assert sorted(path.name for path in KEYS.iterdir()) == ["README.md", *(file.name for file in FILES)]
    assert len(FILES) == 3
    assert not any(b"PRIVATE" in file.read_bytes() for file in FILES)


def test_the_services_of_the_public_good_instance_can_be_read() -> None:
    services = read_signing_config(packaged_signing_config("public-good"), "public good", at=datetime.now(UTC))
    assert services.certificates == "https://fulcio.sigstore.dev"
    assert services.identities == "https://oauth2.sigstore.dev/auth"
    assert services.logs == (LogService("https://rekor.sigstore.dev", 1),)
    assert services.stampers == ("https://timestamp.sigstore.dev/api/v1/timestamp",)


def _row(anchor: Anchor) -> tuple[str, ...]:
    window = ["" if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}" for end in (anchor.not_before, anchor.not_after)]
    return (anchor.kind, anchor.name, anchor.fingerprint, *window)
