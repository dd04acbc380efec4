"""Files for the user: whole or not at all."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.outfile import OutFile, write_new
from imgtrust.errors import OutputFileError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_appears_only_when_it_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with OutFile(str(target)) as out:
        out.write(b"content")
        assert not target.exists()
        out.keep()
    assert target.read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_that_is_not_kept_leaves_nothing_and_takes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"before")
    with OutFile(str(target)) as out:
        out.write(b"content")
    assert target.read_bytes() == b"before"
    with pytest.raises(KeyboardInterrupt):
        _interrupted(target)
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    for target in (tmp_path / "no" / "out", tmp_path, tmp_path / "x\0y"):
        with pytest.raises(OutputFileError, match="cannot write"), OutFile(str(target)):
            pytest.fail("it was opened")


def _interrupted(target: Path) -> None:
    """Write a file, and be told to stop before it has its name."""
    with OutFile(str(target)) as out:
        out.write(b"content")
        out.keep()
        raise KeyboardInterrupt


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with OutFile(str(tmp_path / "out")) as out:
        real, out._number = out._number, os.open("/dev/full", os.O_WRONLY)
        with pytest.raises(OutputFileError, match="No space left"):
            out.write(b"x" * 100_000)
        os.close(out._number)
        out._number = real
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_became_a_directory_is_said(tmp_path: Path) -> None:
    target = tmp_path / "out"
    out = OutFile(str(target))
    out.__enter__()
    out.keep()
    (target / "x").mkdir(parents=True)
    with pytest.raises(OutputFileError, match="cannot write"):
        out.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_new_files_are_written_with_their_modes(tmp_path: Path) -> None:
    write_new({str(tmp_path / "a"): (b"1", 0o600), str(tmp_path / "b"): (b"2", 0o644)})
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert (tmp_path / "b").read_bytes() == b"2"


@pytest.mark.parametrize("taken", ["a", "b"])
def test_if_one_of_them_exists_none_is_written(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_bytes(b"mine")
    with pytest.raises(OutputFileError, match=f"{taken} exists already"):
        write_new({str(tmp_path / "a"): (b"1", 0o600), str(tmp_path / "b"): (b"2", 0o644)})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {taken: b"mine"}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputFileError):
        write_new({str(tmp_path / "a"): (b"1", 0o600)})
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_not_there_and_a_name_that_is_none_are_said(tmp_path: Path) -> None:
    for name in (f"{tmp_path}/no/a", f"{tmp_path}/a\0b"):
        with pytest.raises(OutputFileError, match="cannot write"):
            write_new({str(tmp_path / "first"): (b"1", 0o600), name: (b"2", 0o600)})
        assert list(tmp_path.iterdir()) == []


def test_an_interruption_while_a_pair_is_written_leaves_none_of_it(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_new({str(tmp_path / "a"): (b"1", 0o600), str(tmp_path / "b"): ("no bytes", 0o600)})  # type: ignore[dict-item]  # on purpose
    assert list(tmp_path.iterdir()) == []
