"""Files of ``--report`` are written whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from imgtrust.cli.reportfiles import ReportFiles, check_format
from imgtrust.errors import OutputFileError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("text", "json")


def test_each_report_is_written_in_its_format(tmp_path: Path) -> None:
    wanted = [f"json={tmp_path / 'a.json'}", f"text={tmp_path / 'b=c.txt'}"]
    with ReportFiles(wanted, FORMATS) as reports:
        reports.write(lambda name: f"as {name}\n")
    assert (tmp_path / "a.json").read_text() == "as json\n"
    assert (tmp_path / "b=c.txt").read_text() == "as text\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b=c.txt"]


def test_a_report_has_the_rights_of_a_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        with ReportFiles([f"json={tmp_path / 'a'}"], FORMATS) as reports:
            reports.write(str)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize("text", ["json", "json=", "=x", "sarif=x", "yaml=x"])
def test_what_is_no_format_and_file_is_refused_before_the_work(text: str) -> None:
    with pytest.raises(UsageError):
        ReportFiles([text], FORMATS)


def test_a_format_of_a_later_version_is_named_as_such() -> None:
    with pytest.raises(UsageError, match="sarif is not in this version; there are: text, json"):
        check_format("--output", "sarif", FORMATS)
    with pytest.raises(UsageError, match="no such format"):
        check_format("--output", "yaml", FORMATS)


def test_a_directory_that_is_not_there_is_found_before_the_work_and_nothing_stays(tmp_path: Path) -> None:
    wanted = [f"json={tmp_path / 'a'}", f"json={tmp_path / 'nowhere' / 'b'}"]
    with pytest.raises(OutputFileError, match="nowhere/b: No such file"):
        ReportFiles(wanted, FORMATS)
    assert not list(tmp_path.iterdir())


def test_a_directory_in_the_place_of_the_file_is_found_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="it is a directory"):
        ReportFiles([f"json={tmp_path}"], FORMATS)


def test_work_that_fails_leaves_an_older_report_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("older")
    with pytest.raises(RuntimeError), ReportFiles([f"json={tmp_path / 'a'}"], FORMATS):
        raise RuntimeError
    assert (tmp_path / "a").read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("older")
    (tmp_path / "link").symlink_to("real")
    with ReportFiles([f"json={tmp_path / 'link'}"], FORMATS) as reports:
        reports.write(lambda _: "newer")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "newer"


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    with ReportFiles([f"json={pipe}"], FORMATS) as reports:
        reports.write(lambda _: "the report")
    reader.join()
    assert heard == ["the report"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_report_that_cannot_be_written_after_all_does_not_cost_the_others(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with ReportFiles([f"json={gone / 'a'}", f"json={tmp_path / 'b'}"], FORMATS) as reports:
        for file in gone.iterdir():
            file.unlink()
        gone.rmdir()
        with pytest.raises(OutputFileError, match=r"gone/a: No such file.*was given on standard output"):
            reports.write(lambda _: "the report")
    assert (tmp_path / "b").read_text() == "the report"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_overwritten_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("older")
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(OutputFileError, match="no permission"):
        ReportFiles([f"json={tmp_path / 'a'}"], FORMATS)
